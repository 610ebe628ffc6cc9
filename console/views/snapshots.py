"""Snapshots, as `agent-console snapshot list` lists them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from console.domain.document import FORM, Report
from console.domain.state.snapshot import MAX_AGE_S, Snapshot
from console.views.format import exact_time


@dataclass(frozen=True, slots=True)
class DamagedSnapshot(Report):
    """A snapshot's file that can't be read.

    Args:
        id: of the snapshot.
        path: of its file.
        problem: why it can't be read.
    """

    id: str
    path: str
    problem: str | None

    def lines(self) -> Iterator[str]:
        yield f"{self.id}  DAMAGED: {self.problem}"


@dataclass(frozen=True, slots=True)
class ListedSnapshot(Report):
    """A snapshot.

    Args:
        id: its name for every verb.
        path: of its file.
        problem: always null.
        agent: whose state it holds.
        taken_at: when.
        age_s: seconds since then.
        restorable: whether it is young enough to be restored.
        active: who was active; null where the key said nothing.
        epoch: in force then.
        flags: how many it holds.
        why: the reason given.
    """

    id: str
    path: str
    problem: str | None
    agent: str
    taken_at: datetime = field(metadata={FORM: exact_time})
    age_s: float
    restorable: bool
    active: str | None
    epoch: int
    flags: int
    why: str

    def lines(self) -> Iterator[str]:
        fresh = "can be restored" if self.restorable else "too old to restore" if self.age_s > 0 else "from the future"
        why = f"  “{self.why}”" if self.why else ""
        yield f"{self.id}  {self.active or '-':<8}  {self.flags} flags  {self.age_s:.0f} s old, {fresh}{why}"


def listed(identity: str, path: str, snapshot: Snapshot | None, problem: str, now: datetime) -> Report:
    """A snapshot in a list.

    Args:
        identity: its id.
        path: of its file.
        snapshot: what it holds; None where that can't be read.
        problem: why it can't.
        now: aware UTC.
    """
    if snapshot is None:
        return DamagedSnapshot(identity, path, problem or None)
    age_s = snapshot.age_s(now)
    return ListedSnapshot(
        id=identity,
        path=path,
        problem=problem or None,
        agent=snapshot.agent,
        taken_at=snapshot.taken_at,
        age_s=float(age_s),
        restorable=0 <= age_s <= MAX_AGE_S,
        active=snapshot.active,
        epoch=snapshot.epoch,
        flags=len(snapshot.flags),
        why=snapshot.why,
    )
