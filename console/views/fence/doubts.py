"""Actions whose outcome nobody knows, as `agent-console doubts list` lists them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from console.domain.document import FORM, Report
from console.domain.fence.claims import OpenClaim
from console.domain.fence.sent import Sending
from console.domain.text import clean


def _shortest(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


@dataclass(frozen=True, slots=True)
class DoubtReport(Report):
    """An action whose outcome nobody knows.

    Args:
        key: its idempotency key; `doubts resolve` takes it.
        claim_id: of its claim.
        instance: the agent that claimed it.
        slot: of that agent.
        epoch: that it was claimed in.
        claimed_ms: when, in milliseconds since 1970.
        deadline_ms: until when it may have been sent, in milliseconds since 1970.
        amount: of money that it moves.
        currency: of the amount.
        direction: what it does to the risk.
        action: what it is.
        first_sent_ms: when its key was sent first at the earliest, in milliseconds since 1970; 0 where nobody knows.
        again_until_ms: until when its key may be sent again, once it was resolved as not executed, in milliseconds
            since 1970; null where not every living agent was told for how long the venue knows a key.
        never_again: whether it came past that window: it was never granted, and *not executed* uses its key up.
    """

    key: str
    claim_id: str
    instance: str
    slot: str
    epoch: int
    claimed_ms: int
    deadline_ms: int
    amount: Decimal = field(metadata={FORM: _shortest})
    currency: str
    direction: str
    action: str
    first_sent_ms: int
    again_until_ms: int | None
    never_again: bool

    @classmethod
    def of(cls, claim: OpenClaim, sent: Sending) -> DoubtReport:
        """The report of a claim, and of its key's sendings."""
        return cls(
            key=clean(claim.key, 200),
            claim_id=clean(claim.claim_id, 64),
            instance=clean(claim.instance, 64),
            slot=clean(claim.slot, 8),
            epoch=claim.epoch,
            claimed_ms=claim.claimed_ms,
            deadline_ms=claim.deadline_ms,
            amount=claim.amount,
            currency=clean(claim.currency, 8),
            direction=str(claim.direction),
            action=clean(claim.action, 256),
            first_sent_ms=sent.first_ms,
            again_until_ms=sent.until_ms,
            never_again=sent.never,
        )

    def lines(self) -> Iterator[str]:
        since = datetime.fromtimestamp(self.claimed_ms / 1000, UTC)
        holder = f"{self.slot} {clean(self.instance, 40)}"
        yield (
            f"{clean(self.key, 60)}  {_shortest(self.amount)} {self.currency} {self.direction}  {holder}  "
            f"since {since:%Y-%m-%d %H:%M:%S}Z  {clean(self.action, 80)}"
        )
