"""Scenarios of a run from blue to green, at the steps at which somebody has to look."""

from __future__ import annotations

from dataclasses import replace

from console.domain.fence.deployment import Deployment, Slot, read_active
from console.domain.seen.observation import Observation
from console.domain.text import Safe, clean
from console.domain.upgrade.reading import UpgradeReading
from console.domain.upgrade.run import ORDER, Evidence, RunState, Step, StepName, StepState, UpgradePlan, UpgradeRun
from tests.scenarios.hostile import RAW
from tests.scenarios.parts import ago, authority, instances, logs, observed, store

EVIL = "".join(RAW[:5])
_SEEN = {
    StepName.SNAPSHOT: ("snapshot", "20260314T140011Z-4f, 0.1 s old", "snapshot folder"),
    StepName.SHADOW: ("shadow rounds", "61", "store"),
    StepName.GATES: ("gates", "none closed", "store"),
    StepName.HEALTH: ("green", "alive, ready", "heartbeats"),
    StepName.STATE: ("state", "4fa01c7f22ab, 12.0 s old", "store"),
    StepName.SUPERSET: ("owed", "3, all of them watched", "store"),
    StepName.SWITCH: ("active", "green, 42", "store"),
}


def decided(count: int, at_s: float = 300) -> tuple[Evidence, ...]:
    """The new version's first decisions, as a run keeps them."""
    lines = (f"{ago(at_s - n):%H:%M:%S}Z cash_out HOLD {n}" for n in range(count))
    return tuple(Evidence(str(n + 1), line, ago(at_s - n), "decision log") for n, line in enumerate(lines))


def at(name: StepName, state: StepState, note: str = "", *, evidence: tuple[Evidence, ...] = ()) -> UpgradeRun:
    """A run that stands at a step, for 134 s; what is before it is over."""
    place = ORDER.index(name)
    steps = []
    for index, one in enumerate(ORDER):
        if index < place:
            seen = tuple(Evidence(*_SEEN[one][:2], ago(600), _SEEN[one][2]) for _ in range(one in _SEEN))
            over = StepState.DONE if seen or one is StepName.REVIEW else StepState.SKIPPED
            steps.append(Step(one, over, "", ago(700), ago(600 - index), "ana@ops-1", seen))
        elif index == place:
            steps.append(Step(one, state, note, ago(134), evidence=evidence))
        else:
            steps.append(Step(one))
    run = UpgradeRun(
        "7d1f0c2a9b", "atlas", Slot.BLUE, Slot.GREEN, "2.4.0", "2.5.0", UpgradePlan(), "ana@ops-1", ago(912), epoch=41
    )
    switched = ago(310) if place > ORDER.index(StepName.SWITCH) else None
    return replace(run, steps=tuple(steps), switched_at=switched)


BLOCKED = at(StepName.GATES, StepState.BLOCKED, "disputes: escrow esc_91ab is in dispute since 14:01:02Z")
READY = at(StepName.SWITCH, StepState.RUNNING, "a person's yes: `upgrade go`")
REVIEW = at(StepName.REVIEW, StepState.BLOCKED, "10 decisions wait to be looked at", evidence=decided(10))
WATCHING = at(StepName.WATCH, StepState.RUNNING, "until 14:33:11Z")
HELD = replace(READY, state=RunState.HELD, note="changed by bob@ops-2: switched green at 14:02:58Z")
ABORTED = replace(READY, state=RunState.ABORTED, note="it is odd", safe_state="BLUE acts, with all the capital")
HOSTILE = replace(
    at(StepName.GATES, StepState.BLOCKED, EVIL), by=EVIL, old_version=EVIL, version=EVIL, note=EVIL, safe_state=EVIL
)


def upgrading(run: UpgradeRun | None, walker: str = "", *, problem: str = "", active: str = "blue") -> Observation:
    """A run, as a console sees it."""
    control = authority(Slot(active))
    where = Deployment(read_active(active), control, instances(control.epoch))
    reading = UpgradeReading(run, 12, clean(walker, 64), Safe(problem))
    return observed(store(where)._replace(upgrade=reading), logs(slots=("blue", "green")))


SCENARIOS = {
    "upgrade-blocked": lambda: upgrading(BLOCKED, "ana@ops-1"),
    "upgrade-review": lambda: upgrading(REVIEW, "bob@ops-2", active="green"),
    "upgrade-hostile": lambda: upgrading(HOSTILE, EVIL),
}
