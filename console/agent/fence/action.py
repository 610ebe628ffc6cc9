"""One money action: claimed before it is sent, settled after; what is the same for blocking and asyncio agents."""

from __future__ import annotations

import hashlib
import logging
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from console.agent.fence.ending import Ending
from console.agent.fence.errors import LeaseEnded
from console.agent.fence.settings import Settings
from console.agent.fence.spool import CENTURY_MS, Settlement
from console.domain.errors import UsageError
from console.domain.fence.claims import MAX_KEY, MAX_TEXT, Direction, Outcome, as_money, described, to_store
from console.store.fence.claims import Intent, check_key

if TYPE_CHECKING:
    from console.domain.commitments.commitment import Commitment

ZERO: Final = Decimal(0)

_log: Final = logging.getLogger("console.agent")


class Proposal(NamedTuple):
    """What an author's `decide` wants to be done.

    Args:
        key: the idempotency key: all that makes this intent, never the version or a random number.
        amount, currency: what it risks.
        direction: what it does to the money at risk.
        action: description, free text; part of the key's parameters.
        kind: `decision_type` in the decision log; inputs and reasoning likewise.
        retention_ms: how long the result is kept; None for the controller's setting.
        opens, changes, closes: the one commitment that comes into being, is replaced, or is over once this was
            executed; by its id where it is over.
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
    opens: Commitment | None = None
    changes: Commitment | None = None
    closes: str = ""


def checked(wanted: Proposal) -> Proposal:
    """A proposal in which every value can be recorded; whatever is wrong with one is said here, before anything is
    sent.

    Raises:
        UsageError: something can't be recorded.
    """
    amount: Any = wanted.amount
    retention_ms: Any = wanted.retention_ms
    if isinstance(amount, int) and not isinstance(amount, bool):
        amount = Decimal(amount)
    if not isinstance(amount, Decimal):
        raise UsageError(f"An amount is a Decimal, not {described(amount)[:60]}.", 'Write Decimal("1.50").')
    to_store(amount)
    if amount < 0:
        raise UsageError("An amount is 0 or more; the direction says which way it goes.")
    texts: tuple[tuple[Any, str, int], ...] = (
        (wanted.key, "key", MAX_KEY),
        (wanted.currency, "currency", 32),
        (wanted.action, "action", MAX_TEXT),
    )
    for value, what, most in texts:
        if not isinstance(value, str):
            raise UsageError(f"An action's {what} is text, not {described(value)[:60]}.")
        if len(value) > most or value != encodable(value):
            raise UsageError(f"An action's {what} has at most {most} characters of valid Unicode.")
    check_key(wanted.key)
    if wanted.currency and not wanted.currency.isprintable():
        raise UsageError("A currency has no control characters.")
    if retention_ms is not None and not (
        isinstance(retention_ms, int) and not isinstance(retention_ms, bool) and 0 <= retention_ms <= CENTURY_MS
    ):
        raise UsageError(
            f"A result is kept for a whole number of milliseconds, not {described(retention_ms)[:60]}.", "0: for ever."
        )
    try:
        direction = Direction(wanted.direction)
    except ValueError:
        raise UsageError(
            f"{described(wanted.direction)[:60]} is no direction.", "Say enter, adjust or reduce."
        ) from None
    naming(wanted, "")
    return wanted._replace(amount=amount, direction=direction)


def naming(wanted: Proposal, version: str) -> str:
    """The commitment that a proposal names, as a claim says it; empty for none.

    Args:
        version: what opens it.

    Raises:
        UsageError: it names more than one, or one that can't be recorded.
    """
    opens, changes, closes = wanted.opens, wanted.changes, wanted.closes
    if opens is None and changes is None and not closes:
        return ""
    from console.domain.commitments.commitment import Op, checked_id, to_record  # here: not every agent names one

    if sum((opens is not None, changes is not None, bool(closes))) > 1:
        raise UsageError(f"{wanted.key} names more than one commitment.", "One action, one commitment.")
    if closes:
        return "\n".join((Op.CLOSE, checked_id(closes), version, ""))
    op, what = (Op.OPEN, opens) if opens is not None else (Op.CHANGE, changes)
    assert what is not None
    return "\n".join((op, checked_id(what.id), version, to_record(what)))


def encodable(text: str) -> str:
    """A text without what UTF-8 can't hold (half an emoji, say): a replacement character stands there."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace") if not text.isascii() else text


def as_text(result: object) -> str:
    """A result as the store keeps it: text as it is, anything else as JSON, cut to what can be recorded. Never fails:
    when this is asked, the venue has executed."""
    if isinstance(result, str):
        text = encodable(result)
        if len(text) > MAX_TEXT:
            cut = f"… (cut: {len(text)} characters)"
            text = text[: MAX_TEXT - len(cut)] + cut
        return text
    from console.agent.plain_values import as_json  # here: most results are short texts

    return as_json(result, max_bytes=MAX_TEXT)


def as_words(reason: object) -> str:
    """A reason as a control event keeps it: one line of valid Unicode, cut. Never fails: nothing stands in the way of a
    halt."""
    return " ".join(as_text(reason)[:500].split())


def provider_key(agent: str, key: str) -> str:
    """The idempotency key for a venue: readable, and unlike that of every other agent and key."""
    readable = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in f"{agent}-{key}")
    return f"ac-{readable[:40]}-{hashlib.sha256(f'{len(agent)}:{agent}{key}'.encode()).hexdigest()[:16]}"


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
        self._entered = False
        self.provider_key = provider_key(agent, intent.key)
        """What to send to a venue as its own idempotency key, where it has one: no other agent and key share it."""
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

    @property
    def entered(self) -> bool:
        """Whether it was claimed and granted, whatever became of it."""
        return self._ends_at > float("-inf")

    def attempt(self) -> None:
        """Begin its one attempt.

        Raises:
            UsageError: it was begun before. A second attempt is an action of its own, with a claim of its own.
        """
        if self._entered:
            raise UsageError(
                f"{self.key}: one Action is one attempt, and this one was made before.",
                "Ask for another: controller.action(…).",
            )
        self._entered = True

    def conclude(self, outcome: Outcome, result: object, pnl: object, trigger: object) -> Settlement:
        """The settlement for an ending. Whatever the values are, this gives one: the venue may have executed. A profit
        or loss that is no amount leaves the action in doubt, and is a critical trigger.

        Raises:
            UsageError: it was never begun, or ended before.
        """
        if not self._entered:
            raise UsageError(f"{self.key} was not claimed: there is nothing to settle.", "Enter its block first.")
        if self.settlement is not None:
            raise UsageError(f"{self.key} has been settled before ({self.settlement.outcome}).")
        text, why = as_text(result), as_text(trigger)[:200].replace("\n", " ")
        try:
            money = as_money(pnl)
        except ValueError as error:
            _log.error("%s: its result can't be counted: %s", self.key, error)
            outcome, money, why, text = (
                Outcome.UNKNOWN,
                ZERO,
                why or f"unhandled result: {error}",
                f"{error}; {text}"[:MAX_TEXT],
            )
        self.settlement = Settlement(self.intent, outcome, text, money, self._retention_ms, why)
        return self.settlement

    def conclude_with(self, end: Ending) -> Settlement:
        """The settlement for a block that was left without one."""
        return self.conclude(end.outcome, end.text, ZERO, end.trigger)
