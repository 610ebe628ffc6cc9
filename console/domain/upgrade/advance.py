"""What a run does next: a pure function of the run, what is seen, and the time.

A step that waits says for what; one that is blocked names what stands in its way. Nothing that can't be seen advances.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from console.domain.canary.plan import RunState as CanaryState
from console.domain.commitments.commitment import Superset
from console.domain.fence.claims import Level
from console.domain.fence.deployment import Phase, Slot
from console.domain.fence.intent import Source
from console.domain.upgrade.run import Evidence, RunState, Step, StepName, UpgradeRun


class Do(StrEnum):
    """What is to be carried out now."""

    TAKE_SNAPSHOT = "take a snapshot"
    START_CANARY = "start the canary"
    SWITCH = "switch"


class Kind(StrEnum):
    """What comes next."""

    DO = "do"
    WAIT = "wait"
    BLOCK = "block"
    DONE = "done"
    SKIP = "skip"
    HOLD = "hold"
    ABORT = "abort"
    FINISH = "finish"


@dataclass(frozen=True, slots=True)
class Next:
    """What comes next.

    Args:
        kind: what kind of thing.
        step: which step it is about; None for the run as a whole.
        why: what is waited for, what is in the way, or what was seen.
        do: what is to be carried out.
        evidence: what was seen.
        until: when waiting is over at the latest, where that is known.
    """

    kind: Kind
    step: StepName | None = None
    why: str = ""
    do: Do | None = None
    evidence: tuple[Evidence, ...] = ()
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """The newest change of who acts: by whom, what kind of actor, and what, in words."""

    by: str
    source: Source
    what: str


@dataclass(frozen=True, slots=True)
class Kept:
    """The newest state that the old side keeps in the store: its hash, its age in seconds, and why the new side can't
    read it (empty where it can)."""

    hash: str
    age_s: float
    problem: str = ""


@dataclass(frozen=True, slots=True)
class CanaryFacts:
    """The canary as it stands: its name, its state, its share in words, who changed it last, and why (empty where
    nobody said)."""

    name: str
    state: CanaryState
    share: str
    by: str
    source: Source
    why: str = ""

    @property
    def changed_by(self) -> str:
        """Who changed it last, and why."""
        return f"{self.by}: {self.why}" if self.why else self.by


@dataclass(frozen=True, slots=True)
class Seen:
    """What is seen now. None, everywhere: it can't be told, and that is never good enough.

    Args:
        now: the store's clock.
        phase, active, level, epoch: who acts.
        drains_to: to whom a drain leads.
        in_flight: actions that were claimed and have not ended.
        switch_id: of the newest switch.
        moved: the newest change of who acts.
        snapshot: id and age in seconds of the newest snapshot that was taken since the run began.
        shadow_rounds: rounds that the target's version has decided in the shadow.
        closed: gates that forbid raising risk, each with why.
        unhealthy: why the target is not fit to act; empty where it is.
        kept: the state that the old side keeps; `keeps` says whether it keeps any at all.
        keeps: whether the old side keeps state in the store.
        superset: what the target will own, beside what it watches.
        canary: the canary; None where there is none.
        decisions: the target's decisions since the switch, as one line each, oldest first.
        reviewed_by: who said that they were looked at; empty for nobody.
        fired: triggers that have fired since the switch.
        old_living: living instances of the old side.
    """

    now: datetime
    phase: Phase | None
    active: Slot | None
    level: Level
    epoch: int
    switch_id: str = ""
    moved: Moved | None = None
    snapshot: tuple[str, float] | None = None
    shadow_rounds: int | None = None
    closed: tuple[tuple[str, str], ...] | None = None
    unhealthy: str | None = None
    keeps: bool | None = None
    kept: Kept | None = None
    superset: Superset | None = None
    canary: CanaryFacts | None = None
    decisions: tuple[str, ...] | None = None
    reviewed_by: str = ""
    fired: tuple[str, ...] | None = None
    old_living: int | None = None
    drains_to: Slot | None = None
    in_flight: int = 0


def advance(run: UpgradeRun, seen: Seen) -> Next:
    """What the run does next."""
    if not run.state.live:
        return Next(Kind.WAIT, why=f"the run is {run.state.value}")
    step = run.step
    if step is None:
        return Next(Kind.FINISH, why="every step is over")
    by_hand = _by_hand(run, step, seen)
    if by_hand is not None:
        return by_hand
    if run.state is RunState.HELD:
        return Next(Kind.HOLD, step.name, run.note)
    return _RULES[step.name](run, step, seen)


def _by_hand(run: UpgradeRun, step: Step, seen: Seen) -> Next | None:
    """Whether somebody else has moved what the run moves."""
    moved = seen.moved
    if seen.epoch != run.epoch and seen.switch_id != run.id:
        if moved is None:  # it may have been the run itself: whatever can't be told is looked at again
            why = "who acts was changed, and by whom can't be told; `upgrade resume` goes on all the same"
            return Next(Kind.BLOCK, step.name, why) if run.state is RunState.RUNNING else None
        told = f"{moved.by}: {moved.what}"
        back = run.switched_at is not None and seen.active is not run.target
        if back and moved.source in (Source.GUARD, Source.TRIP):
            return Next(Kind.ABORT, why=f"rolled back by {told}")
        return Next(Kind.HOLD, why=f"changed by {told}")
    canary = seen.canary
    if run.canary and canary is not None and run.switched_at is None:
        if canary.name != run.canary:
            return Next(Kind.HOLD, StepName.CANARY, f"another canary, {canary.name}, was started by {canary.by}")
        if canary.state is CanaryState.ABORTED:
            return Next(Kind.ABORT, StepName.CANARY, f"the canary was taken back by {canary.changed_by}")
        if canary.state is CanaryState.PAUSED:
            return Next(Kind.HOLD, StepName.CANARY, f"the canary was paused by {canary.changed_by}")
    return None


def _saw(seen: Seen, *pairs: tuple[str, str, str]) -> tuple[Evidence, ...]:
    return tuple(Evidence(what, value, seen.now, source) for what, value, source in pairs)


def _snapshot(run: UpgradeRun, step: Step, seen: Seen) -> Next:
    if seen.snapshot is None or seen.snapshot[1] > run.plan.snapshot_max_age_s:
        return Next(Kind.DO, step.name, do=Do.TAKE_SNAPSHOT)
    name, age_s = seen.snapshot
    return Next(
        Kind.DONE, step.name, evidence=_saw(seen, ("snapshot", f"{name}, {age_s:.1f} s old", "snapshot folder"))
    )


def _shadow(run: UpgradeRun, step: Step, seen: Seen) -> Next:
    wanted = run.plan.shadow_rounds
    if wanted == 0:
        return Next(Kind.SKIP, step.name, "the plan asks for none")
    if seen.shadow_rounds is None:
        return Next(Kind.BLOCK, step.name, f"no shadow of {run.version or run.target.value} reports")
    if seen.shadow_rounds < wanted:
        return Next(Kind.WAIT, step.name, f"{seen.shadow_rounds} of {wanted} shadow rounds")
    return Next(Kind.DONE, step.name, evidence=_saw(seen, ("shadow rounds", str(seen.shadow_rounds), "store")))


def _gates(_run: UpgradeRun, step: Step, seen: Seen) -> Next:
    if seen.closed is None:
        return Next(Kind.BLOCK, step.name, "the gates can't be told")
    if seen.closed:
        return Next(Kind.BLOCK, step.name, "; ".join(f"{name}: {why}" for name, why in seen.closed))
    return Next(Kind.DONE, step.name, evidence=_saw(seen, ("gates", "none closed", "store")))


def _health(run: UpgradeRun, step: Step, seen: Seen) -> Next:
    if seen.unhealthy is None or seen.unhealthy:
        return Next(Kind.BLOCK, step.name, seen.unhealthy or f"{run.target.value} can't be seen")
    return Next(Kind.DONE, step.name, evidence=_saw(seen, (run.target.value, "alive, ready", "heartbeats")))


def _state(run: UpgradeRun, step: Step, seen: Seen) -> Next:
    if seen.keeps is None:
        return Next(Kind.BLOCK, step.name, "whether state is kept can't be told")
    if not seen.keeps:
        return Next(Kind.SKIP, step.name, f"{run.old.value} keeps no state in the store")
    if seen.kept is None:
        return Next(Kind.BLOCK, step.name, "the state that is kept can't be read")
    if seen.kept.problem:
        return Next(Kind.BLOCK, step.name, seen.kept.problem)
    told = f"{seen.kept.hash[:12]}, {seen.kept.age_s:.1f} s old"
    return Next(Kind.DONE, step.name, evidence=_saw(seen, ("state", told, "store")))


def _superset(run: UpgradeRun, step: Step, seen: Seen) -> Next:
    proof = seen.superset
    if proof is None:
        return Next(Kind.BLOCK, step.name, "what is owed can't be read")
    if not proof.proved:
        return Next(Kind.BLOCK, step.name, f"{run.target.value} does not watch {proof.missing}")
    return Next(Kind.DONE, step.name, evidence=_saw(seen, ("owed", f"{proof.owned}, all of them watched", "store")))


def _canary(run: UpgradeRun, step: Step, seen: Seen) -> Next:
    if not run.plan.canary:
        return Next(Kind.SKIP, step.name, "the plan has none")
    if not run.canary:
        blocked = _gates(run, step, seen)
        return blocked if blocked.kind is Kind.BLOCK else Next(Kind.DO, step.name, do=Do.START_CANARY)
    if seen.canary is None:
        return Next(Kind.BLOCK, step.name, "the canary can't be read")
    if seen.canary.state is not CanaryState.DONE:
        return Next(Kind.WAIT, step.name, f"{seen.canary.name} at {seen.canary.share}")
    return Next(Kind.DONE, step.name, evidence=_saw(seen, ("canary", f"{seen.canary.name}: done", "store")))


def _switch(run: UpgradeRun, step: Step, seen: Seen) -> Next:
    if seen.phase is Phase.RUN and seen.active is run.target:
        return Next(Kind.DONE, step.name, evidence=_saw(seen, ("active", f"{run.target.value}, {seen.epoch}", "store")))
    if seen.phase is Phase.DRAIN:
        return Next(Kind.WAIT, step.name, f"what is in flight drains: {seen.in_flight} actions")
    if seen.phase is not Phase.RUN:
        why = "all is halted" if seen.phase is Phase.HALT else "who acts can't be told"
        return Next(Kind.BLOCK, step.name, why)
    # At the very moment of the switch, again: what was so at its own step may be otherwise by now.
    for rule in (_gates, _health, _superset, _state):
        again = rule(run, step, seen)
        if again.kind is Kind.BLOCK:
            return again
    return Next(Kind.DO, step.name, do=Do.SWITCH)


def _review(run: UpgradeRun, step: Step, seen: Seen) -> Next:
    wanted = run.plan.review
    if wanted == 0:
        return Next(Kind.SKIP, step.name, "the plan asks for none")
    if seen.decisions is None:
        return Next(Kind.BLOCK, step.name, "no decision log is followed")
    if len(seen.decisions) < wanted:
        return Next(Kind.WAIT, step.name, f"{len(seen.decisions)} of {wanted} decisions")
    shown = _saw(seen, *((str(at + 1), line, "decision log") for at, line in enumerate(seen.decisions[:wanted])))
    if run.plan.review_by_operator and not seen.reviewed_by:
        return Next(Kind.BLOCK, step.name, f"{wanted} decisions wait to be looked at", evidence=shown)
    by = seen.reviewed_by or "nobody: the plan does not ask for it"
    return Next(Kind.DONE, step.name, evidence=(*_saw(seen, ("looked at by", by, "operator")), *shown))


def _watch(run: UpgradeRun, step: Step, seen: Seen) -> Next:
    if seen.fired is None:
        return Next(Kind.BLOCK, step.name, "no guard says what has fired")
    if seen.fired:
        return Next(Kind.BLOCK, step.name, f"fired: {', '.join(seen.fired)}")
    if seen.superset is None or not seen.superset.proved:
        return _superset(run, step, seen)
    return _for_so_long(run, step, seen, run.plan.watch_s, ("fired", "nothing", "guard"))


def _warm(run: UpgradeRun, step: Step, seen: Seen) -> Next:
    if not seen.old_living:
        why = "can't be seen" if seen.old_living is None else "has no living instance"
        return Next(Kind.BLOCK, step.name, f"{run.old.value} {why}: there is no way back")
    return _for_so_long(run, step, seen, run.plan.warm_s, (run.old.value, f"{seen.old_living} living", "heartbeats"))


def _for_so_long(run: UpgradeRun, step: Step, seen: Seen, seconds: float, saw: tuple[str, str, str]) -> Next:
    if run.switched_at is None:
        return Next(Kind.BLOCK, step.name, "when it was switched is not known")
    until = run.switched_at + timedelta(seconds=seconds)
    if seen.now < until:
        return Next(Kind.WAIT, step.name, f"until {until:%H:%M:%S}Z", until=until)
    return Next(Kind.DONE, step.name, evidence=_saw(seen, saw))


_RULES: Final[dict[StepName, Callable[[UpgradeRun, Step, Seen], Next]]] = {
    StepName.SNAPSHOT: _snapshot,
    StepName.SHADOW: _shadow,
    StepName.GATES: _gates,
    StepName.HEALTH: _health,
    StepName.STATE: _state,
    StepName.SUPERSET: _superset,
    StepName.CANARY: _canary,
    StepName.SWITCH: _switch,
    StepName.REVIEW: _review,
    StepName.WATCH: _watch,
    StepName.WARM: _warm,
}
