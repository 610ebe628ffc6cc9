"""A commitment as `agent-console commitments list` lists it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from console.domain.board.whole import Gap, Whole, owner_of
from console.domain.commitments.commitment import DEFAULT_HAND_OVER, Kind, Superset
from console.domain.commitments.left import Left
from console.domain.commitments.listing import Outstanding
from console.domain.document import FORM, Record, Report
from console.domain.fence.deployment import Authority, Slot
from console.domain.text import Safe, clean
from console.domain.venue.terms import EscrowTerms


def _shortest(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


@dataclass(frozen=True, slots=True)
class SeenIn(Record):
    """A place that lists something.

    Args:
        place: store, state file or venue.
        at: when that was so: read just now, or written then.
        age_s: seconds since then.
    """

    place: str
    at: datetime | None
    age_s: float | None


@dataclass(frozen=True, slots=True)
class CommitmentReport(Report):
    """Something that is owed; or, of kind `unknown`, a place of which can't be told what it lists.

    Args:
        id: of the thing at the venue.
        kind: what it is.
        owner: the slot that brings it to its end; null where nobody ever was active.
        pinned: whether it stays with that slot when another becomes active.
        hand_over: what a switch does with it.
        taken: whether a living instance of its owner says that it watches it; of a plain agent, whether its state
            file lists it.
        due: when it ends by itself, or must be ended; null for never.
        due_in_s: seconds until then, negative once it is over; null for never.
        flow: which way the money goes; null where nobody says.
        amount: how much is at stake; null where nobody says.
        currency: of the amount.
        slot: who opened it; null where nobody knows.
        version: which version did; empty where nobody knows.
        opened_at: when; null where nobody knows.
        claim: the key of a claim without an end that names it; empty for none.
        detail: what its author wrote for the next owner.
        seen: the places that list it.
        apart: how they differ over it.
        unknown: what can't be told of it, and why.
        disputed: whether a place says that it is in dispute.
        time_out: of an escrow, who is paid at its time-out, and who said so; null where no venue's document is known.
    """

    id: str
    kind: str
    owner: str | None
    pinned: bool
    hand_over: str
    taken: bool
    due: datetime | None
    due_in_s: int | None
    flow: str | None
    amount: Decimal | None = field(metadata={FORM: _shortest})
    currency: str
    slot: str | None
    version: str
    opened_at: datetime | None
    claim: str
    detail: str
    seen: tuple[SeenIn, ...] = ()
    apart: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    disputed: bool = False
    time_out: str | None = None

    @classmethod
    def of(cls, row: Outstanding, authority: Authority | None, whole: Whole) -> CommitmentReport:
        """The report of something outstanding.

        Args:
            row: what all places say of it.
            authority: who is active.
            whole: everything of which it is a part.
        """
        thing, one, now = row.thing, row.owed, whole.now
        what = one.commitment if one is not None else None
        owner = owner_of(row, authority)
        return cls(
            id=clean(thing.id, 200),
            kind=(what.kind if what is not None else thing.kind).value,
            owner=owner.value if owner else None,
            pinned=one is not None and one.pin is not None,
            hand_over=(what.policy if what is not None else DEFAULT_HAND_OVER[thing.kind]).value,
            taken=whole.taken(row, owner),
            due=thing.due,
            due_in_s=None if thing.due is None else round((thing.due - now).total_seconds()),
            flow=what.flow.value if what is not None else None,
            amount=thing.amount,
            currency=clean(thing.currency, 32),
            slot=one.slot.value if one is not None and one.slot else None,
            version=clean(one.version, 64) if one is not None else "",
            opened_at=one.opened_at if one is not None else None,
            claim=clean(one.claim, 200) if one is not None else "",
            detail=clean(what.detail, 4096) if what is not None else "",
            seen=tuple(SeenIn(place.value, at, _age_s(at, now)) for place, at in row.seen),
            apart=tuple(clean(line) for line in row.apart),
            unknown=tuple(clean(line) for line in row.unknown),
            disputed=thing.id in whole.disputed,
            time_out=paid(whole.terms) if thing.kind is Kind.ESCROW else None,
        )

    @classmethod
    def gap(cls, gap: Gap, now: datetime) -> CommitmentReport:
        """The report of what can't be told of a place: it stands in the list, so that no list with a gap is empty."""
        place, what = gap
        return cls(
            id=clean(what.what, 200),
            kind="unknown",
            owner=None,
            pinned=False,
            hand_over="",
            taken=False,
            due=None,
            due_in_s=None,
            flow=None,
            amount=None,
            currency="",
            slot=None,
            version="",
            opened_at=None,
            claim="",
            detail="",
            seen=(SeenIn(place.place.value, place.at, _age_s(place.at, now)),),
            unknown=(clean(what.why),),
        )

    @property
    def fine(self) -> bool:
        """Whether somebody has it, and all that list it agree."""
        return self.taken and not self.apart and not self.unknown

    def lines(self) -> Iterator[str]:
        places = ", ".join(one.place if one.age_s is None else f"{one.place} {one.age_s:.0f} s" for one in self.seen)
        if self.kind == "unknown":
            yield f"{'UNKNOWN':<14} {places}: {clean(self.id, 60)}: {'; '.join(self.unknown)}"
            return
        due = "no deadline" if self.due_in_s is None else countdown(self.due_in_s)
        owner = f"{self.owner or 'nobody'}{' (pinned)' if self.pinned else ''}"
        watched = "" if self.taken else "  NOT WATCHED"
        named = f"  claim {clean(self.claim, 40)}" if self.claim else ""
        money = "" if self.amount is None else f"{_shortest(self.amount)} {self.currency}".rstrip()
        flow = f" {self.flow}" if self.flow else ""
        disputed = "  IN DISPUTE" if self.disputed else ""
        told = f"{due:<14} {self.kind:<15} {clean(self.id, 40)}  {money}{flow}  {owner}{watched}{disputed}{named}"
        yield told if places == "store 0 s" else f"{told}  [{places}]"
        for line in (*self.apart, *self.unknown):
            yield f"{'':<14} {'UNKNOWN ' if line in self.unknown else 'DIFFERS '}{line}"
        if self.time_out is not None:
            yield f"{'':<14} {self.time_out}"


def reports(whole: Whole, authority: Authority | None) -> list[CommitmentReport]:
    """Everything outstanding, what can't be told of it first, then by deadline."""
    gaps = [CommitmentReport.gap(one, whole.now) for one in whole.gaps]
    return gaps + [CommitmentReport.of(one, authority, whole) for one in whole.rows]


def paid(terms: tuple[EscrowTerms, ...] | None) -> Safe | None:
    """Who is paid at an escrow's time-out, by every document that is known; None where none is."""
    if terms is None:
        return None
    told = tuple(dict.fromkeys(one.words() for one in terms))
    return clean("; but also: ".join(told) if told else "who is paid at its time-out is unknown", 600)


def _age_s(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else round((now - at).total_seconds(), 1)


def countdown(seconds: int) -> str:
    """`in 4 min 10 s`, `2 h ago`: the two largest parts."""
    parts: list[str] = []
    rest = abs(seconds)
    for size, name in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        if rest >= size or (size == 1 and not parts):
            parts.append(f"{rest // size} {name}")
            rest %= size
    text = " ".join(parts[:2])
    return f"in {text}" if seconds >= 0 else f"{text} ago"


def side_note(slot: Slot, proof: Superset, left: Left) -> list[str]:
    """What there is to say of a side that doesn't watch all that it owns."""
    if proof.proved:
        return []
    who = "does not say that it watches" if left.living(slot) else "has no living instance; it owns"
    return [f"{slot.value} {who} {proof.missing}."]
