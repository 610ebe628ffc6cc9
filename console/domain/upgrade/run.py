"""A run: from a snapshot to 24 hours after the switch, each step with its evidence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from console.domain.errors import UsageError
from console.domain.fence.deployment import Slot


class StepName(StrEnum):
    """The steps, in their order."""

    SNAPSHOT = "snapshot"
    SHADOW = "shadow"
    GATES = "gates"
    HEALTH = "health"
    STATE = "state"
    SUPERSET = "superset"
    CANARY = "canary"
    SWITCH = "switch"
    REVIEW = "review"
    WATCH = "watch"
    WARM = "warm"


ORDER = tuple(StepName)
MEANING = {
    StepName.SNAPSHOT: "what is, written down and read back",
    StepName.SHADOW: "the new version has decided beside the old one often enough",
    StepName.GATES: "nothing forbids raising risk now",
    StepName.HEALTH: "the new version stands by, alive and ready",
    StepName.STATE: "the state that the old version keeps can be taken over",
    StepName.SUPERSET: "the new version watches all that it will own",
    StepName.CANARY: "capital, step by step",
    StepName.SWITCH: "the new version acts",
    StepName.REVIEW: "its first decisions, looked at",
    StepName.WATCH: "no trigger, and nothing owed goes unwatched",
    StepName.WARM: "the old version could take over at once",
}


class StepState(StrEnum):
    """How far a step is."""

    WAITING = "waiting"
    RUNNING = "running"
    BLOCKED = "blocked"
    """Something stands in its way, and is named."""
    DONE = "done"
    SKIPPED = "skipped"
    """The plan has no such step, or there is nothing for it to do; its note says which."""


class RunState(StrEnum):
    """How far a run is."""

    RUNNING = "running"
    HELD = "held"
    """A person changed by hand what the run moves; it goes on when it is handed back."""
    ABORTED = "aborted"
    DONE = "done"

    @property
    def live(self) -> bool:
        """Whether it goes on, or may."""
        return self in (RunState.RUNNING, RunState.HELD)


@dataclass(frozen=True, slots=True)
class UpgradePlan:
    """What a run asks for.

    Args:
        shadow_rounds: rounds that the new version has to have decided in the shadow; 0 for none.
        canary: the canary's plan file, by its path; empty for none.
        review: how many of the new version's first decisions are looked at; 0 for none.
        review_by_operator: whether a named operator says that they were.
        watch_s: for how long nothing may fire after the switch, in seconds.
        warm_s: for how long the old version is kept so that it could take over, in seconds.
        snapshot_max_age_s: how old the snapshot may be when its step is over, in seconds.

    Raises:
        UsageError: a value means nothing.
    """

    shadow_rounds: int = 50
    canary: str = ""
    review: int = 10
    review_by_operator: bool = True
    watch_s: float = 1_800.0
    warm_s: float = 86_400.0
    snapshot_max_age_s: float = 300.0

    def __post_init__(self) -> None:
        for name in ("shadow_rounds", "review"):
            if not 0 <= getattr(self, name) <= 1_000_000:
                raise UsageError(f"{name} is a number from 0 to 1,000,000.")
        for name in ("watch_s", "warm_s", "snapshot_max_age_s"):
            if not 0 <= getattr(self, name) <= 366 * 86_400:
                raise UsageError(f"{name} is from 0 s to a year.")
        if self.warm_s < self.watch_s:
            raise UsageError("warm_s is at least watch_s: the old version is kept while the new one is watched.")


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that was seen.

    Args:
        what: its name.
        value: what it was, in words or figures.
        at: when, on the store's clock.
        source: where it was read: "store", "snapshot folder", "decision log", …
    """

    what: str
    value: str
    at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a run.

    Args:
        name: which.
        state: how far it is.
        note: what it waits for, or why it was skipped.
        began_at, ended_at: on the store's clock; None for not yet.
        by: who ended it.
        evidence: what was seen, at most `KEPT`.
    """

    name: StepName
    state: StepState = StepState.WAITING
    note: str = ""
    began_at: datetime | None = None
    ended_at: datetime | None = None
    by: str = ""
    evidence: tuple[Evidence, ...] = ()

    @property
    def over(self) -> bool:
        """Whether nothing more is to be done for it."""
        return self.state in (StepState.DONE, StepState.SKIPPED)


KEPT = 64


@dataclass(frozen=True, slots=True)
class UpgradeRun:
    """A run.

    Args:
        id: unique.
        agent: whose.
        old, target: the side that acted when it began, and the one that shall.
        old_version, version: what they run; empty where nobody said.
        plan: what it asks for.
        by: who began it.
        began_at: on the store's clock.
        epoch: of who acts, as this run left it: another one means that somebody else moved.
        state: how far it is.
        note: why it is held or was aborted.
        safe_state: where an abort has ended: who acts, with what; empty while it goes on.
        steps: in `ORDER`.
        switched_at: when the new version became active; None for not yet.
        canary: the name of the canary's run that it began; empty for none.
        canary_digest: of the canary's plan file as it was when the run began; empty for none.
    """

    id: str
    agent: str
    old: Slot
    target: Slot
    old_version: str
    version: str
    plan: UpgradePlan
    by: str
    began_at: datetime
    epoch: int
    state: RunState = RunState.RUNNING
    note: str = ""
    safe_state: str = ""
    steps: tuple[Step, ...] = tuple(Step(name) for name in ORDER)
    switched_at: datetime | None = None
    canary: str = ""
    canary_digest: str = ""

    @property
    def step(self) -> Step | None:
        """The one that it is at; None once all are over."""
        return next((step for step in self.steps if not step.over), None)

    def of(self, name: StepName) -> Step:
        """A step by its name."""
        return next(step for step in self.steps if step.name is name)

    def with_step(self, step: Step) -> UpgradeRun:
        """The run with one of its steps as it is now."""
        return replace(self, steps=tuple(step if one.name is step.name else one for one in self.steps))
