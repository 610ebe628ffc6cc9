"""A commitment as `agent-console commitments list` lists it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from console.domain.commitments.commitment import Owed, Superset
from console.domain.commitments.left import Left
from console.domain.document import FORM, Report
from console.domain.fence.deployment import Authority, Slot
from console.domain.text import clean


def _shortest(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


@dataclass(frozen=True, slots=True)
class CommitmentReport(Report):
    """Something that is owed.

    Args:
        id: of the thing at the venue.
        kind: what it is.
        owner: the slot that brings it to its end; null where nobody ever was active.
        pinned: whether it stays with that slot when another becomes active.
        hand_over: what a switch does with it.
        taken: whether a living instance of its owner says that it watches it.
        due: when it ends by itself, or must be ended; null for never.
        due_in_s: seconds until then, negative once it is over; null for never.
        flow: which way the money goes.
        amount: how much is at stake.
        currency: of the amount.
        slot: who opened it.
        version: which version did.
        opened_at: when.
        claim: the key of a claim without an end that names it; empty for none.
        detail: what its author wrote for the next owner.
    """

    id: str
    kind: str
    owner: str | None
    pinned: bool
    hand_over: str
    taken: bool
    due: datetime | None
    due_in_s: int | None
    flow: str
    amount: Decimal = field(metadata={FORM: _shortest})
    currency: str
    slot: str | None
    version: str
    opened_at: datetime
    claim: str
    detail: str

    @classmethod
    def of(cls, one: Owed, authority: Authority | None, left: Left) -> CommitmentReport:
        """The report of a commitment."""
        what, owner = one.commitment, one.owner(authority)
        due_in = None if what.due is None else round((what.due - left.now).total_seconds())
        return cls(
            id=clean(one.id, 200),
            kind=what.kind.value,
            owner=owner.value if owner else None,
            pinned=one.pin is not None,
            hand_over=what.policy.value,
            taken=owner is not None and one.id in left.eyes(owner),
            due=what.due,
            due_in_s=due_in,
            flow=what.flow.value,
            amount=what.amount,
            currency=clean(what.currency, 32),
            slot=one.slot.value if one.slot else None,
            version=clean(one.version, 64),
            opened_at=one.opened_at,
            claim=clean(one.claim, 200),
            detail=clean(what.detail, 4096),
        )

    def lines(self) -> Iterator[str]:
        due = "no deadline" if self.due_in_s is None else countdown(self.due_in_s)
        owner = f"{self.owner or 'nobody'}{' (pinned)' if self.pinned else ''}"
        watched = "" if self.taken else "  NOT WATCHED"
        named = f"  claim {clean(self.claim, 40)}" if self.claim else ""
        money = f"{_shortest(self.amount)} {self.currency}".rstrip()
        yield f"{due:<14} {self.kind:<15} {clean(self.id, 40)}  {money} {self.flow}  {owner}{watched}{named}"


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
