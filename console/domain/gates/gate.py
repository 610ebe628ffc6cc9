"""What a gate is asked, and what it answers: open, closed, unknown or not checked, with its evidence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from console.domain.fence.deployment import Slot
from console.domain.gates.fact import Fact, Lack

if TYPE_CHECKING:
    from console.domain.gates.facts import GateFacts
    from console.domain.gates.rules import GateRules


class Act(StrEnum):
    """What somebody is about to do, by what it does to the money at risk."""

    SWITCH = "switch"
    RESUME = "resume"
    """Somebody acts again after a halt."""
    LIFT = "lift a freeze"
    """Who is active may do everything again."""
    CANARY_START = "canary start"
    CANARY_UP = "canary up"
    """The canary's share rises."""
    EXPERIMENT_START = "experiment start"
    RESTORE = "restore"
    """A snapshot that moves the active side."""
    UNDO_REDUCTION = "undo of a reduction"

    ROLLBACK = "roll back"
    HALT = "halt"
    FREEZE = "freeze"
    CANARY_DOWN = "canary down"
    CANARY_ABORT = "canary abort"
    CANARY_PAUSE = "canary pause"
    EXPERIMENT_STOP = "experiment stop"
    UNDO_RAISE = "undo of a raise"

    @property
    def raises(self) -> bool:
        """Whether it raises risk. What does not, no gate ever forbids."""
        return self in RAISES

    @property
    def moves(self) -> bool:
        """Whether another side may act afterwards."""
        return self in MOVES


RAISES: Final = frozenset(
    {
        Act.SWITCH,
        Act.RESUME,
        Act.LIFT,
        Act.CANARY_START,
        Act.CANARY_UP,
        Act.EXPERIMENT_START,
        Act.RESTORE,
        Act.UNDO_REDUCTION,
    }
)
MOVES: Final = frozenset({Act.SWITCH, Act.RESUME, Act.RESTORE, Act.UNDO_REDUCTION})


class State(StrEnum):
    """What a gate answers."""

    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "unknown"
    """It should be known and is not: missing, stale, errored or timed out."""
    NOT_CHECKED = "not checked"
    """Nothing is configured that could know, or nobody who could know has ever reported."""


class CheckPhase(StrEnum):
    """When an item of the checklist is due."""

    BEFORE = "before"
    DURING = "during"
    AFTER = "after"
    """For 30 minutes from the switch."""
    WARM = "warm"
    """For 24 hours from the switch."""


class Judged(NamedTuple):
    """A gate's answer.

    Args:
        state: open, closed, unknown, not checked.
        words: the evidence, in numbers; for a lack, which one it is.
        at: when the fact was taken; None where there is none.
        source: where the fact comes from.
    """

    state: State
    words: str
    at: datetime | None = None
    source: str = ""


class Asked(NamedTuple):
    """What is asked of the gates.

    Args:
        act: what is about to be done.
        target: the side on which risk would be raised; None where it concerns no side.
        now: our own clock, aware UTC: by it, what this host and the venue said is dated.
        server_at: the store's clock: by it, what agents and guards said is dated.
        rules: thresholds.
    """

    act: Act
    target: Slot | None
    now: datetime
    server_at: datetime
    rules: GateRules


Judge = Callable[["GateFacts", Asked], Judged]


class Item(NamedTuple):
    """One item of the checklist.

    Args:
        id: its one name everywhere: in dialogs, `--json`, `[gates] require`, `checklist tick`.
        title: what it demands, for people.
        phase: when it is due.
        judge: facts in, answer out; None for one that a named operator ticks.
        acts: which acts it may forbid; empty for one that is only on the list.
    """

    id: str
    title: str
    phase: CheckPhase
    judge: Judge | None
    acts: frozenset[Act] = frozenset()

    @property
    def manual(self) -> bool:
        """Whether a person ticks it."""
        return self.judge is None


def opened(fact: Fact[object], words: str) -> Judged:
    """Open, on this fact."""
    return Judged(State.OPEN, words, fact.at, fact.source)


def closed(fact: Fact[object], words: str) -> Judged:
    """Closed, on this fact."""
    return Judged(State.CLOSED, words, fact.at, fact.source)


def unknown(fact: Fact[object], words: str) -> Judged:
    """Something of this fact is not known."""
    return Judged(State.UNKNOWN, words, fact.at, fact.source)


def unchecked(fact: Fact[object], words: str) -> Judged:
    """Nothing that could know it is there."""
    return Judged(State.NOT_CHECKED, words, fact.at, fact.source)


def lacks(fact: Fact[object]) -> Judged:
    """The answer of a gate whose fact is not there: never open."""
    assert fact.lack is not None
    if fact.lack is Lack.NOT_CHECKED:
        return unchecked(fact, fact.why)
    return unknown(fact, f"{fact.lack.value}: {fact.why}")


def ago(seconds: float) -> str:
    """How long ago, for people: `98 s`, `12 min`, `3.5 h`, `2 d`."""
    if seconds < 120:
        return f"{max(0.0, seconds):.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86400:.0f} d"
