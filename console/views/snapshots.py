"""Snapshots and states, as the verbs of `snapshot` and `state` show them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from console.domain.document import FORM, Report
from console.domain.state.kept import KeptState
from console.domain.state.snapshot import MAX_AGE_S, Snapshot
from console.domain.text import clean
from console.views.format import bytes_text, exact_time


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


@dataclass(frozen=True, slots=True)
class KeptSnapshot(Report):
    """A state that an agent kept in the store.

    Args:
        id: its name for every verb: `store:` and its number.
        hash: of its content.
        at: when it was last said to be so, by the store's clock.
        age_s: seconds since then.
        restorable: whether it is young enough to be taken over.
        slot: the side that kept it.
        instance: the process that kept it, or the operator who put it back.
        version: of the agent's logic.
        schema: of the state.
        epoch: in force then.
        action: number of the newest action that it knows of.
        bytes: of its text.
        why: what it was kept for.
        taken_by: the instance that took it over first; null for none.
    """

    id: str
    hash: str
    at: datetime = field(metadata={FORM: exact_time})
    age_s: float
    restorable: bool
    slot: str
    instance: str
    version: str
    schema: int
    epoch: int
    action: int
    bytes: int
    why: str
    taken_by: str | None

    @classmethod
    def of(cls, kept: KeptState, now: datetime) -> KeptSnapshot:
        """A kept state at a moment of the store's clock."""
        age = kept.age_s(now)
        return cls(
            id=f"store:{kept.number}",
            hash=kept.hash,
            at=kept.at,
            age_s=float(age),
            restorable=0 <= age <= MAX_AGE_S,
            slot=kept.slot,
            instance=kept.instance,
            version=kept.version,
            schema=kept.schema,
            epoch=kept.epoch,
            action=kept.action,
            bytes=kept.size,
            why=kept.why,
            taken_by=kept.taken.instance if kept.taken else None,
        )

    def lines(self) -> Iterator[str]:
        taken = f"  taken by {self.taken_by}" if self.taken_by else ""
        why = f"  “{self.why}”" if self.why else ""
        fresh = "fresh" if self.restorable else "too old" if self.age_s > 0 else "from the future"
        yield (
            f"{self.id:<28}  {self.slot:<8}  {bytes_text(self.bytes)}  {self.age_s:.0f} s old, {fresh}  "
            f"{self.version} by {self.instance}  {self.hash[:8]}{taken}{why}"
        )


@dataclass(frozen=True, slots=True)
class VerifiedSnapshot(Report):
    """What a look at a state says of it.

    Args:
        name: as it was called.
        kind: snapshot, state, plain, or kept.
        ok: whether it may be restored or taken over now: whole, of this agent, young enough.
        problem: why it may not; empty where it may.
        schema: of the state.
        version: of the agent's logic; null where it doesn't say.
        age_s: seconds since it was so; null where it doesn't say when.
        digest: of what held it.
        missing: what it lacks of all that must cross over.
        notes: what of it is odd without being wrong.
    """

    name: str
    kind: str
    ok: bool
    problem: str
    schema: int
    version: str | None
    age_s: float | None
    digest: str
    missing: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def well(self) -> bool:
        """Whether it may be used."""
        return self.ok

    def lines(self) -> Iterator[str]:
        age = "no time" if self.age_s is None else f"{self.age_s:.1f} s old"
        name = clean(self.name, 400)
        yield f"{'ok' if self.ok else 'NO'}  {self.kind}  schema {self.schema}  {age}  {self.digest}  {name}"
        if self.problem:
            yield f"  {clean(self.problem)}"
        for note in self.notes:
            yield f"  note: {clean(note)}"
        for one in self.missing:
            yield f"  lacks {clean(one, 160)}"


@dataclass(frozen=True, slots=True)
class SnapshotDifference(Report):
    """A value that differs between two states.

    Args:
        field: its dotted name.
        before: in the first, as JSON; null where it is missing.
        after: in the second, as JSON; null where it is missing.
    """

    field: str
    before: str | None
    after: str | None

    def lines(self) -> Iterator[str]:
        yield f"{clean(self.field, 160)}: {_shown(self.before)} -> {_shown(self.after)}"


def _shown(text: str | None) -> str:
    return "-" if text is None else str(clean(text, 160))


@dataclass(frozen=True, slots=True)
class ExportedSnapshot(Report):
    """A state that was written to a file.

    Args:
        name: of the state.
        path: of the file.
        kind: state, or plain.
        bytes: of the file.
        left_out: what a plain file can't hold.
    """

    name: str
    path: str
    kind: str
    bytes: int
    left_out: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        yield f"{self.path}  {self.kind}  {bytes_text(self.bytes)}"
        if self.left_out:
            yield f"  left out: {', '.join(self.left_out)}"


@dataclass(frozen=True, slots=True)
class MigrationStep(Report):
    """A migration, tried on a state.

    Args:
        step: the function, with its versions.
        state: on which state.
        ok: whether it holds.
        problem: why it does not; empty where it does.
        dropped: fields that its result lacks.
        undeclared: of those, what no way back brings again and the migration does not declare.
        round_trip: whether the way back gave the same state; null where there is none.
        irreversible: whether the migration says that there is no way back.
    """

    step: str
    state: str
    ok: bool
    problem: str
    dropped: tuple[str, ...]
    undeclared: tuple[str, ...]
    round_trip: bool | None
    irreversible: bool

    def lines(self) -> Iterator[str]:
        back = {True: "round trip", False: "no round trip", None: "no way back"}[self.round_trip]
        step, state = clean(self.step, 120), clean(self.state, 400)
        yield f"{'ok' if self.ok else 'NO'}  {step}  {state}  {'irreversible' if self.irreversible else back}"
        if self.problem:
            yield f"  {clean(self.problem)}"
        if self.dropped:
            yield f"  dropped: {clean(', '.join(self.dropped), 1_000)}"
