"""One money action: claimed before it is sent, settled after; what is the same for blocking and asyncio agents."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import Final, NamedTuple

from console.agent.fence.ending import Ending
from console.agent.fence.errors import LeaseEnded
from console.agent.fence.settings import Settings
from console.agent.fence.spool import Settlement
from console.domain.errors import UsageError
from console.domain.fence.claims import Direction, Outcome
from console.store.fence.claims import Intent

ZERO: Final = Decimal(0)


class Proposal(NamedTuple):
    """What an author's `decide` wants to be done.

    Args:
        key: the idempotency key: all that makes this intent, never the version or a random number.
        amount, currency: what it risks.
        direction: what it does to the money at risk.
        action: description, free text; part of the key's parameters.
        kind: `decision_type` in the decision log; inputs and reasoning likewise.
        retention_ms: how long the result is kept; None for the controller's setting.
    """

    key: str
    amount: Decimal = ZERO
    currency: str = ""
    direction: Direction = Direction.ENTER
    action: str = ""
    kind: str = "action"
    inputs: object = None
    reasoning: str = ""
    retention_ms: int | None = None


def as_text(result: object) -> str:
    """A result as the store keeps it: text as it is, anything else as JSON."""
    return result if isinstance(result, str) else json.dumps(result, default=str, separators=(",", ":"))


class BaseAction:
    """What an author holds inside the block.

    Args:
        intent: what was asked for.
        settings: the controller's.
        agent: whose; part of the key for the venue.
        retention_ms: how long the result is kept.
    """

    def __init__(self, intent: Intent, settings: Settings, agent: str, retention_ms: int) -> None:
        self.intent = intent
        self._settings = settings
        self._retention_ms = retention_ms
        self._ends_at = float("-inf")
        self.provider_key = f"ac-{agent}-{intent.key}"
        """What to send to a venue as its own idempotency key, where it has one."""
        self.settlement: Settlement | None = None
        """How it ended; None until it did."""
        self.tripped = ""
        """What a trip-wire did with this result: "rollback", "halt", or nothing."""

    @property
    def key(self) -> str:
        """The idempotency key."""
        return self.intent.key

    @property
    def epoch(self) -> int:
        """The epoch in which it was claimed; a venue that checks sequencers can be given it."""
        return self.intent.epoch

    @property
    def remaining_s(self) -> float:
        """How much time is left in which it may be sent: the time-out for the call to the venue. Our own clock
        decides."""
        return self._ends_at - time.monotonic()

    def check(self) -> None:
        """To be called right before the bytes leave, after everything slow, like connecting, is done.

        Raises:
            LeaseEnded: too late; the action is aborted when the block is left.
        """
        if self.remaining_s <= 0:
            raise LeaseEnded(f"{self.key}: the lease is over, it may not be sent any more")

    def granted(self, asked_at: float) -> None:
        """Start the lease, counted from before the claim was sent: so it never outlasts the store's."""
        self._ends_at = asked_at + (self.intent.lease_ms - self._settings.margin_ms) / 1000

    def conclude(self, outcome: Outcome, result: object, pnl: Decimal, trigger: str) -> Settlement:
        """The settlement for an ending.

        Raises:
            UsageError: it ended before.
        """
        if self.settlement is not None:
            raise UsageError(f"{self.key} has been settled before ({self.settlement.outcome}).")
        self.settlement = Settlement(
            self.intent, outcome, as_text(result), pnl, self._retention_ms, trigger[:200].replace("\n", " ")
        )
        return self.settlement

    def conclude_with(self, end: Ending) -> Settlement:
        """The settlement for a block that was left without one."""
        return self.conclude(end.outcome, end.text, ZERO, end.trigger)
