"""What is published: whatever differs but the time; and nothing else, so that a quiet store paints nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from console.domain.seen.observation import Observation
from console.live.source import _differs
from tests.scenarios import observation
from tests.scenarios.proving import DIVERGENCES, canary, experiment, proving, shadow_report
from tests.scenarios.unproven import in_files


def later(seen: Observation) -> Observation:
    """The same, read again a little later."""
    step = timedelta(milliseconds=200)
    store = seen.store
    assert store is not None
    found = seen._replace(
        now=seen.now + step, store=store._replace(at=store.at + step, server_at=store.server_at + step)
    )
    if found.divergences is not None:
        found = found._replace(divergences=found.divergences._replace(at=found.divergences.at + step))
    return found


def everything() -> Observation:
    from console.domain.experiment.record import ExperimentState

    found = proving(
        canary(),
        shadows=(shadow_report(),),
        divergences=DIVERGENCES,
        experiments=(experiment("a", ExperimentState.RUNNING),),
    )
    return found._replace(divergences=in_files())


@pytest.mark.parametrize("name", ["canary-undecided", "shadow-diverging", "experiments", "shadow-files", "blue-active"])
def test_the_same_read_again_is_nothing_new(name: str) -> None:
    assert not _differs(observation(name), later(observation(name)))


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
    assert not _differs(before, later(before))
    assert _differs(before, change(later(before)))
    assert _differs(change(before), later(before)), "and so is its way back"


def _store(seen: Observation, **changes: object) -> Observation:
    assert seen.store is not None
    return seen._replace(store=seen.store._replace(**changes))  # type: ignore[arg-type]
