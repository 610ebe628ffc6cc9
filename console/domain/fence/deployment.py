"""Slots, phases, epochs, instances: what the shared state says about who may act, and what a switch may do about it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from console.domain.fence.claims import Level
from console.domain.lately import lately
from console.domain.text import Safe, clean


class Slot(StrEnum):
    """One of the two warm versions. A colour names a slot, never a verdict."""

    BLUE = "blue"
    GREEN = "green"

    @property
    def other(self) -> Slot:
        """The slot on the opposite side."""
        return Slot.GREEN if self is Slot.BLUE else Slot.BLUE


class ActiveState(StrEnum):
    """What the plain key `agent:active_version` says, including all the ways in which it can say nothing."""

    SLOT = "slot"
    DRAINING = "draining"
    HALTED = "halted"
    MISSING = "missing"
    UNKNOWN = "unknown"
    """A text that names no slot."""
    WRONG_TYPE = "wrong type"
    """The key holds a list, a hash, …: not text at all."""


class ActiveKey(NamedTuple):
    """The plain key as it was read.

    Args:
        state: which kind of value it was.
        slot: the slot it names; None unless `state` is SLOT.
        raw: the text itself, made safe; for a wrong type, the name of that type; empty when missing.
    """

    state: ActiveState
    slot: Slot | None = None
    raw: Safe = Safe("")


def read_active(raw: str | None, wrong_type: str = "") -> ActiveKey:
    """The meaning of the plain key's value.

    Args:
        raw: its text; None when there is no such key.
        wrong_type: the key's Redis type, where that is not a string.
    """
    if wrong_type:
        return ActiveKey(ActiveState.WRONG_TYPE, raw=clean(wrong_type, 32))
    if raw is None:
        return ActiveKey(ActiveState.MISSING)
    safe = clean(raw, 64)
    if raw in (Slot.BLUE.value, Slot.GREEN.value):
        return ActiveKey(ActiveState.SLOT, Slot(raw), safe)
    if raw in (ActiveState.DRAINING.value, ActiveState.HALTED.value):
        return ActiveKey(ActiveState(raw), None, safe)
    return ActiveKey(ActiveState.UNKNOWN, None, safe)


class Phase(StrEnum):
    """The authority's phase: who may claim."""

    RUN = "RUN"
    DRAIN = "DRAIN"
    HALT = "HALT"


class Authority(NamedTuple):
    """The control hash `…:ctl`: the authority on who is active; the plain key is its mirror.

    Args:
        epoch: raised by every change of who may act; hybrid, at least the server's milliseconds at that change.
        generation: the same changes, counted from 1, for people.
        phase: RUN, DRAIN or HALT.
        active: who may claim; None in DRAIN and HALT.
        target: to whom a drain leads.
        previous: who was active before; where an automatic roll back would lead.
        deadline_ms: server milliseconds at which a drain puts the rest in doubt; 0 outside a drain.
        automatic_rollback_used: whether the one automatic roll back since the operator's last switch has happened.
        in_flight: claims with a running lease.
        in_doubt: claims whose outcome nobody knows.
        action_head, log_head: the heads of the two hash chains.
        level: how much is stopped while somebody is active: no new entries, or all but reducing.
        late: reports of this tenure for claims that had been taken for not executed, or were lost.
        events: control events so far; whatever an operator or a guard changes is one.
        commitments: the revision of what is owed.
    """

    epoch: int
    generation: int
    phase: Phase
    active: Slot | None = None
    target: Slot | None = None
    previous: Slot | None = None
    deadline_ms: int = 0
    automatic_rollback_used: bool = False
    in_flight: int = 0
    in_doubt: int = 0
    action_head: str = ""
    log_head: str = ""
    level: Level = Level.NONE
    late: int = 0
    events: int = 0
    commitments: int = 0


class Instance(NamedTuple):
    """One fenced agent process, from its heartbeat.

    Args:
        name: its instance id.
        slot: which slot it belongs to; None if the heartbeat names none we know.
        version: the version it runs.
        epoch_seen: the epoch it acknowledged last.
        heartbeat_at: server time of its last heartbeat.
        in_flight, in_doubt: its own claims.
        info: further text from the heartbeat.
        manifest: hash of the manifest that it declared; empty for none.
    """

    name: Safe
    slot: Slot | None
    version: Safe
    epoch_seen: int
    heartbeat_at: datetime
    in_flight: int = 0
    in_doubt: int = 0
    info: Safe = Safe("")
    manifest: Safe = Safe("")

    def acknowledged(self, epoch: int) -> bool:
        """Whether this instance has seen the given epoch or a later one."""
        return self.epoch_seen >= epoch

    def heard(self, now: datetime) -> bool:
        """Whether it lives, as far as heartbeats tell: one too far ahead of the server's clock is as little proof of it
        as an old one, for that clock was set back since."""
        return lately(self.heartbeat_at, now)


class Deployment(NamedTuple):
    """All the store says about who may act, as of one reading.

    Args:
        active: the plain key.
        authority: who may act; None on a store that has none.
        instances: the fenced agents' processes.
        damage: what the store has lost or holds wrong of what only scripts write; empty where nothing is known.
    """

    active: ActiveKey
    authority: Authority | None = None
    instances: tuple[Instance, ...] = ()
    damage: tuple[Safe, ...] = ()

    @property
    def epoch(self) -> int:
        """The running epoch; 0 on a store that no command of ours has touched."""
        return self.authority.epoch if self.authority else 0

    @property
    def plain_text(self) -> str | None:
        """The plain key as a receipt states it: None when it is missing, its type in brackets when it is no text."""
        if self.active.state is ActiveState.MISSING:
            return None
        return f"({self.active.raw})" if self.active.state is ActiveState.WRONG_TYPE else str(self.active.raw)

    @property
    def written_from_outside(self) -> bool:
        """Whether somebody wrote the plain key by hand: it disagrees with the authority."""
        if self.authority is None:
            return False
        expected = {Phase.DRAIN: "draining", Phase.HALT: "halted"}.get(
            self.authority.phase, self.authority.active.value if self.authority.active else ""
        )
        return self.active.raw != expected
