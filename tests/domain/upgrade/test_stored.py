"""A run as text: the way there and back changes nothing, and what is no run is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.errors import UsageError
from console.domain.fence.deployment import Slot
from console.domain.upgrade.run import KEPT, ORDER, Evidence, RunState, Step, StepState, UpgradePlan, UpgradeRun
from console.domain.upgrade.stored import MAX_BYTES, read_run, run_text

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
RUN = UpgradeRun("run-1", "agent", Slot.BLUE, Slot.GREEN, "2.4.0", "2.5.0", UpgradePlan(), "ann", NOW, epoch=7)

words = st.text("abc é→|`x0", max_size=40)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))
evidence = st.builds(Evidence, what=words, value=words, at=moments, source=words)
steps = st.tuples(
    *(
        st.builds(
            Step,
            name=st.just(name),
            state=st.sampled_from(StepState),
            note=words,
            began_at=st.none() | moments,
            ended_at=st.none() | moments,
            by=words,
            evidence=st.lists(evidence, max_size=2).map(tuple),
        )
        for name in ORDER
    )
)


@given(steps=steps, state=st.sampled_from(RunState), switched_at=st.none() | moments, note=words)
def test_there_and_back_is_the_same_run(
    steps: tuple[Step, ...], state: RunState, switched_at: datetime | None, note: str
) -> None:
    run = replace(RUN, steps=steps, state=state, switched_at=switched_at, note=note)
    assert read_run(run_text(run)) == run


def test_a_run_with_all_the_evidence_that_is_kept_fits() -> None:
    full = tuple(Evidence("x" * 40, "é" * 250, NOW, "decision log") for _ in range(KEPT))
    run = RUN.with_step(replace(RUN.steps[8], evidence=full))
    assert read_run(run_text(run)) == run


@pytest.mark.parametrize(
    "change",
    [
        {"began_at": "2026-03-01T12:00:00"},
        {"began_at": "yesterday"},
        {"began_at": 1772366400},
        {"began_at": None},
        {"epoch": "7"},
        {"epoch": True},
        {"old": "red"},
        {"steps": []},
        {"steps": "snapshot"},
        {"plan": {"watch_s": -1}},
        {"plan": {"watch_s": float("nan")}},
        {"more": 1},
    ],
)
def test_what_is_no_run_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        read_run(json.dumps({**json.loads(run_text(RUN)), **change}))


def test_a_text_that_is_torn_anywhere_is_refused() -> None:
    text = run_text(RUN)
    for place in range(len(text)):
        with pytest.raises(UsageError):
            read_run(text[:place])
    with pytest.raises(UsageError):
        read_run("[" * (MAX_BYTES + 1))
    with pytest.raises(UsageError):
        read_run("[" * 100_000)


def test_a_time_of_another_zone_is_the_same_moment() -> None:
    moment = NOW.astimezone(timezone(timedelta(hours=2))).isoformat()
    assert read_run(json.dumps({**json.loads(run_text(RUN)), "began_at": moment})) == RUN
