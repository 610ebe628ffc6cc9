"""A process that was killed and started again goes on with the same evidence, to the last bit."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.canary.guardrails import Guardrails
from console.domain.errors import UsageError
from console.domain.experiment.trial import Arm, Experiment, ExperimentJudge
from console.domain.statistics.bounded import Bounded
from console.domain.statistics.eprocess import ShareProcess
from console.domain.statistics.evidence import Form, Settings
from console.domain.statistics.judge import Judge
from console.domain.statistics.moments import Blocks, Moments
from console.domain.statistics.sequences import Adjusted, FixedAllocation, Paired

SETTINGS = Settings(margin=0.3, sigma=1.0, lowest=-4.0, highest=4.0, min_blocks=3, min_blocks_harm=2, block=2)
EXPERIMENT = Experiment("sizing", "bet_sizing", "kelly_floor", "flat", replace(SETTINGS, margin=0.5), rounds_each=20)

Round = tuple[bool, float, float, float]
rounds = st.lists(
    st.tuples(st.booleans(), st.floats(-5, 5), st.floats(-5, 5), st.sampled_from([0.0, 0.05, 0.2, 0.5, 1.0])),
    max_size=60,
)


def through_text(state: object) -> Any:
    """What a store gives back of it: JSON that any reader takes, without its own infinity."""
    return json.loads(json.dumps(state, allow_nan=False))


KINDS: dict[str, tuple[Callable[[], Any], Callable[[Any, Round], object], Callable[[Any], object]]] = {
    "moments": (Moments, lambda kept, r: kept.add(r[1]), lambda kept: kept.variance),
    "blocks": (lambda: Blocks(3), lambda kept, r: kept.add(r[1]), lambda kept: kept.moments.mean),
    "fixed": (
        lambda: FixedAllocation(2, 1.0),
        lambda kept, r: kept.add(r[0], r[1], r[3]),
        lambda kept: (kept.blocks, kept.estimate, *kept.spread()),
    ),
    "adjusted": (
        lambda: Adjusted(2, 1.0),
        lambda kept, r: kept.add(r[0], r[1], r[3]),
        lambda kept: (kept.blocks, kept.estimate, *kept.spread()),
    ),
    "paired": (
        lambda: Paired(2, 1.0),
        lambda kept, r: kept.add_pair(r[1], r[2]),
        lambda kept: (kept.blocks, kept.estimate, *kept.spread()),
    ),
    "bounded": (
        lambda: Bounded(-4.0, 4.0, 0.01),
        lambda kept, r: kept.add(r[1]),
        lambda kept: (kept.bounds, kept.outside),
    ),
    "share": (
        lambda: ShareProcess(0.05),
        lambda kept, r: kept.add(r[0]),
        lambda kept: (kept.log_e, kept.share, kept.alarm(0.5)),
    ),
    "guardrails": (
        lambda: Guardrails(0.2, errors=0.2),
        lambda kept, r: kept.round(r[0], r[3], error=r[1] > 0, skipped=r[2] > 0, slow=r[1] < 0),
        lambda kept: (kept.alarms, kept.ratio, kept.ratio_alarm),
    ),
    "experiment": (
        lambda: ExperimentJudge(EXPERIMENT),
        lambda kept, r: kept.add(Arm.A if r[0] else Arm.B, r[1]),
        lambda kept: kept.reading(),
    ),
    "experiment by cluster": (
        lambda: ExperimentJudge(replace(EXPERIMENT, cluster="inputs.customer")),
        lambda kept, r: kept.add(Arm.A if r[2] < 0 else Arm.B, r[1], f"{r[2] // 1}", r[3] or None),
        lambda kept: kept.reading(),
    ),
}


@pytest.mark.parametrize("name", KINDS)
@given(before=rounds, after=rounds)
def test_what_was_restored_goes_on_as_if_nothing_had_happened(
    name: str, before: list[Round], after: list[Round]
) -> None:
    make, add, look = KINDS[name]
    lived, restored = make(), make()
    for r in before:
        add(lived, r)
    kept = lived.state()
    restored.restore(through_text(kept))
    assert restored.state() == kept == through_text(kept)
    assert look(restored) == look(lived)
    for r in after:
        add(lived, r)
        add(restored, r)
        assert look(restored) == look(lived)
    assert restored.state() == lived.state()


@pytest.mark.parametrize("form", list(Form))
@given(steps=st.lists(rounds, min_size=1, max_size=3), after=rounds, killed_mid_step=rounds)
def test_a_judge_goes_on_with_the_same_evidence_whatever_the_form_and_wherever_it_was_killed(
    form: Form, steps: list[list[Round]], after: list[Round], killed_mid_step: list[Round]
) -> None:
    settings = replace(SETTINGS, form=form)
    lived = Judge(settings)

    def play(judge: Judge, r: Round) -> None:
        if judge.paired:
            judge.pair(r[1], r[2])
        else:
            judge.round(r[0], r[1], r[3])

    for at, step in enumerate([*steps, killed_mid_step]):
        if at:
            lived.new_step(replace(settings, margin=settings.margin + at))
        for r in step:
            play(lived, r)
            assert lived.evidence is not None
    restored = Judge(settings)
    restored.restore(through_text(lived.state()))
    assert restored.evidence == lived.evidence
    assert restored.settings == lived.settings
    for r in after:
        play(lived, r)
        play(restored, r)
        assert restored.evidence == lived.evidence
        assert restored.payoffs == lived.payoffs
    for judge in (lived, restored):
        judge.new_step(settings)
    assert restored.state() == lived.state()
    assert restored.evidence == lived.evidence


def judged(settings: Settings = SETTINGS) -> Judge:
    judge = Judge(settings)
    for at in range(40):
        judge.round(at % 3 == 0, at % 5 - 2.0, 0.3)
    judge.new_step()
    judge.round(True, 1.0, 0.5)
    return judge


def guarded(**settings: float) -> Guardrails:
    guard = Guardrails(0.05, **settings)
    for at in range(40):
        guard.round(at % 3 == 0, 0.3, error=at % 2 == 0)
    return guard


def compared(experiment: Experiment = EXPERIMENT) -> ExperimentJudge:
    judge = ExperimentJudge(experiment)
    for at in range(40):
        judge.add(Arm.A if at % 2 else Arm.B, at % 5 - 2.0, f"u{at}")
    return judge


@pytest.mark.parametrize(
    ("keeper", "others"),
    [
        (
            judged,
            [
                Judge(replace(SETTINGS, sigma=1.1)),
                Judge(replace(SETTINGS, form=Form.FIXED)),
                Judge(replace(SETTINGS, alpha_harm=0.04)),
                Judge(replace(SETTINGS, margin=0.31)),
            ],
        ),
        (guarded, [Guardrails(0.04), Guardrails(0.05, errors=0.02), Guardrails(0.05, slow=0.1)]),
        (
            compared,
            [
                ExperimentJudge(replace(EXPERIMENT, settings=replace(EXPERIMENT.settings, margin=0.6))),
                ExperimentJudge(replace(EXPERIMENT, rounds_each=21)),
            ],
        ),
    ],
)
def test_evidence_gathered_under_other_settings_is_refused(keeper: Callable[[], Any], others: list[Any]) -> None:
    state = through_text(keeper().state())
    for other in others:
        before = other.state()
        with pytest.raises(UsageError, match="other settings"):
            other.restore(state)
        assert other.state() == before


@pytest.mark.parametrize("keeper", [judged, guarded, compared])
def test_a_state_that_is_cut_anywhere_is_refused_and_changes_nothing(keeper: Callable[[], Any]) -> None:
    whole, fresh = through_text(keeper().state()), keeper()
    before = fresh.state()
    broken: list[object] = [None, [], "state", 3, {}]
    for name, value in whole.items():
        broken.append({**whole, name: "x"} if name not in ("ratio_alarm", "alarmed") else {"settings": "x"})
        if name not in ("clusters", "payoffs"):  # which the earlier release did not keep
            broken.append({kept: inner for kept, inner in whole.items() if kept != name})
        if isinstance(value, list) and value:
            broken.append({**whole, name: value[:-1]})
    for state in broken:
        with pytest.raises(UsageError):
            fresh.restore(state)
        assert fresh.state() == before
