"""What is published: whatever differs but the time; and nothing else, so that a quiet store paints nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from console.domain.seen.observation import DivergenceLog, Link, LogReading, Observation, StoreReading
from console.domain.text import Safe
from console.domain.triggers.finding import Arming
from console.live.differs import VOLATILE, differs
from tests.scenarios import observation
from tests.scenarios.proving import DIVERGENCES, canary, experiment, proving, shadow_report
from tests.scenarios.unproven import in_files


def later(seen: Observation) -> Observation:
    """The same, read again a little later."""
    step = timedelta(milliseconds=200)
    store = seen.store
    assert store is not None
    again = seen._replace(
        now=seen.now + step, store=store._replace(at=store.at + step, server_at=store.server_at + step)
    )
    if again.divergences is not None:
        again = again._replace(divergences=again.divergences._replace(at=again.divergences.at + step))
    return again


def everything() -> Observation:
    from console.domain.experiment.record import ExperimentState

    running = experiment("a", ExperimentState.RUNNING)
    seen = proving(canary(), shadows=(shadow_report(),), divergences=DIVERGENCES, experiments=(running,))
    return seen._replace(divergences=in_files())


@pytest.mark.parametrize("name", ["canary-undecided", "shadow-diverging", "experiments", "shadow-files", "blue-active"])
def test_the_same_read_again_is_nothing_new(name: str) -> None:
    assert not differs(observation(name), later(observation(name)))


@pytest.mark.parametrize(
    "change",
    [
        lambda o: _store(o, canary=canary(balance="-14.26")),
        lambda o: _store(o, canary=None),
        lambda o: _store(o, shadows=()),
        lambda o: _store(o, shadows=(shadow_report(lost=True),)),
        lambda o: _store(o, divergences=DIVERGENCES[1:]),
        lambda o: _store(o, experiments=()),
        lambda o: o._replace(divergences=None),
        lambda o: o._replace(divergences=o.divergences._replace(rejected={"not JSON": 9})),
        lambda o: o._replace(divergences=o.divergences._replace(recent=())),
        lambda o: o._replace(divergences=in_files(problem="is gone")),
    ],
)
def test_a_change_in_what_proves_a_version_is_seen(change: Callable[[Observation], Observation]) -> None:
    before = everything()
    assert not differs(before, later(before))
    assert differs(before, change(later(before)))
    assert differs(change(before), later(before)), "and so is its way back"


def _store(seen: Observation, **changes: object) -> Observation:
    assert seen.store is not None
    return seen._replace(store=seen.store._replace(**changes))  # type: ignore[arg-type]


WITHIN = {"store": StoreReading, "logs": LogReading, "link": Link, "divergences": DivergenceLog}


@pytest.mark.parametrize(
    ("part", "field"),
    [("", field) for field in Observation._fields if field not in WITHIN]
    + [(part, field) for part, record in WITHIN.items() for field in record._fields],
)
def test_a_change_of_any_field_is_seen_even_of_one_that_is_new_but_for_those_named(part: str, field: str) -> None:
    before = everything()._replace(logs=observation("blue-active").logs)
    other: object = () if field == "guards" else before.now if field in ("at", "now") else object()
    if part:
        changed = before._replace(**{part: getattr(before, part)._replace(**{field: other})})
    else:
        changed = before._replace(**{field: other})
    named = VOLATILE[WITHIN.get(part, Observation)] - {"guards"}
    assert differs(before, changed) == (field not in named)


def test_what_is_named_exists() -> None:
    for record, names in VOLATILE.items():
        assert names <= {*getattr(record, "_fields", ()), *getattr(record, "__dataclass_fields__", ())}


def test_a_guard_that_says_something_else_is_seen_and_one_that_only_spoke_later_is_not() -> None:
    before = observation("guarded")
    assert before.store is not None
    first, second = before.store.guards[:2]
    beat = first._replace(heartbeat_at=first.heartbeat_at + timedelta(seconds=1), decisions=first.decisions + 1)
    assert not differs(before, _store(before, guards=(second, beat)))
    assert differs(before, _store(before, guards=(first, second._replace(problem=Safe("blind")))))
    assert differs(before, _store(before, guards=(first,)))
    armed = first.triggers[0]
    assert not differs(
        before,
        _store(before, guards=(first._replace(triggers=(replace(armed, n=armed.n + 1), *first.triggers[1:])), second)),
    )
    off = replace(armed, arming=Arming.OFF)
    assert differs(before, _store(before, guards=(first._replace(triggers=(off, *first.triggers[1:])), second)))
