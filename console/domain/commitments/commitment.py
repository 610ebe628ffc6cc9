"""A commitment: something that was begun and must be brought to its end, whoever is active by then.

Who owns one is a function of its record and of who is active, and stands nowhere else: so nothing is without an owner
and nothing is owned twice, at whatever line anything stops. A record that is pinned belongs to the slot that it names;
one that isn't belongs to whoever is active, and moves with the very switch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, NamedTuple

from console.domain.errors import UsageError
from console.domain.fence.claims import from_store, to_store
from console.domain.fence.deployment import Authority, Slot
from console.domain.text import clean

MAX_ID: Final = 200
MAX_DETAIL: Final = 4_096
LINES: Final = 12
"""How many lines a record has; the last one is free text."""


class Kind(StrEnum):
    """What is owed."""

    POSITION = "position"
    LIMIT_ORDER = "limit order"
    STOP_ORDER = "stop order"
    ESCROW = "escrow"
    ROUND = "round"
    CHALLENGE = "challenge"
    WITHDRAWAL = "withdrawal"
    SWAP = "swap"
    UNKNOWN_OUTCOME = "unknown outcome"


class Flow(StrEnum):
    """Which way the money goes when it ends, or how it stands until then."""

    LONG = "long"
    SHORT = "short"
    IN = "in"
    """It is owed to us."""
    OUT = "out"
    """We owe it."""
    EITHER = "either"
    """Open: a bet, a dispute."""


class HandOver(StrEnum):
    """What becomes of it when another slot becomes active."""

    OLD_CLOSES = "old closes"
    """The slot that opened it brings it to its end, and may reduce it for that although it isn't active."""
    NEW_ADOPTS = "new adopts"
    """It belongs to whoever is active."""
    RUN_OFF = "run off"
    """Nobody acts on it; the slot that opened it answers for it until it ends by itself."""

    @property
    def pinned(self) -> bool:
        """Whether it stays with the slot that opened it."""
        return self is not HandOver.NEW_ADOPTS


DEFAULT_HAND_OVER: Final[Mapping[Kind, HandOver]] = {
    Kind.POSITION: HandOver.NEW_ADOPTS,
    Kind.LIMIT_ORDER: HandOver.NEW_ADOPTS,
    Kind.STOP_ORDER: HandOver.NEW_ADOPTS,
    Kind.ESCROW: HandOver.NEW_ADOPTS,
    Kind.ROUND: HandOver.OLD_CLOSES,
    Kind.CHALLENGE: HandOver.NEW_ADOPTS,
    Kind.WITHDRAWAL: HandOver.RUN_OFF,
    Kind.SWAP: HandOver.RUN_OFF,
    Kind.UNKNOWN_OUTCOME: HandOver.NEW_ADOPTS,
}
"""What is done where the author chooses nothing."""


class Op(StrEnum):
    """What a claim does to the commitment that it names, once it was executed."""

    OPEN = "open"
    """It comes into being; there must be none of that id."""
    CHANGE = "change"
    """It is replaced by what the claim says: an amended order, a position that grew or shrank."""
    CLOSE = "close"
    """It is over."""


class Commitment(NamedTuple):
    """Something that is owed.

    Args:
        id: of the thing at the venue, unlike every other of this agent: "esc_91ab", "BTC-PERP".
        kind: what it is.
        amount, currency: how much is at stake.
        flow: which way it goes.
        due: when it ends by itself, or must be ended (an escrow's auto-release, a round's end); None where never.
        hand_over: what a switch does with it; None for the default of its kind.
        detail: whatever else its next owner needs, as the author wrote it (JSON, say): role, counterparty, arbitrator,
            entry price. Free text of at most `MAX_DETAIL` characters.
    """

    id: str
    kind: Kind
    amount: Decimal = Decimal(0)
    currency: str = ""
    flow: Flow = Flow.EITHER
    due: datetime | None = None
    hand_over: HandOver | None = None
    detail: str = ""

    @property
    def policy(self) -> HandOver:
        """What a switch does with it."""
        return self.hand_over or DEFAULT_HAND_OVER[self.kind]


class Owed(NamedTuple):
    """A commitment as the store keeps it.

    Args:
        commitment: what it is.
        pin: the slot that it stays with; None where it belongs to whoever is active.
        slot, version, epoch: who opened it.
        opened_at: when, on the server's clock.
        claim: the idempotency key of a claim without an end that names it; empty where there is none.
    """

    commitment: Commitment
    pin: Slot | None
    slot: Slot | None
    version: str
    epoch: int
    opened_at: datetime
    claim: str = ""

    @property
    def id(self) -> str:
        """The commitment's id."""
        return self.commitment.id

    def owner(self, authority: Authority | None) -> Slot | None:
        """Whose it is: that of its pin; else of whoever is active, while a drain goes on or all is halted of who was
        last; None only where nobody ever was."""
        return self.pin or owner_of_the_rest(authority)

    def owner_after(self, target: Slot) -> Slot:
        """Whose it will be once `target` is active."""
        return self.pin or target

    def overdue(self, now: datetime) -> bool:
        """Whether the moment at which it ends is over."""
        return self.commitment.due is not None and self.commitment.due <= now


def owner_of_the_rest(authority: Authority | None) -> Slot | None:
    """Whose everything is that is not pinned."""
    return (authority.active or authority.previous) if authority else None


def checked_id(name: Any) -> str:
    """A commitment's id that can be recorded.

    Raises:
        UsageError: it can't.
    """
    if not isinstance(name, str) or not 0 < len(name) <= MAX_ID or not name.isprintable():
        raise UsageError(
            f"A commitment's id has 1 to {MAX_ID} printable characters, not {name!r:.60}.",
            "That of the thing at the venue.",
        )
    return name


def checked(commitment: Commitment) -> Commitment:
    """A commitment that can be recorded.

    Raises:
        UsageError: a value of it can't be.
    """
    currency: Any = commitment.currency
    amount: Any = commitment.amount
    due: Any = commitment.due
    detail: Any = commitment.detail
    checked_id(commitment.id)
    if not isinstance(currency, str) or len(currency) > 32 or (currency and not currency.isprintable()):
        raise UsageError(f"A commitment's currency has at most 32 printable characters, not {currency!r:.60}.")
    try:
        kind, flow = Kind(commitment.kind), Flow(commitment.flow)
        hand_over = None if commitment.hand_over is None else HandOver(commitment.hand_over)
    except ValueError as error:
        raise UsageError(f"A commitment can't be recorded: {error}.") from error
    if isinstance(amount, int) and not isinstance(amount, bool):
        amount = Decimal(amount)
    if not isinstance(amount, Decimal) or not amount.is_finite() or amount < 0:
        raise UsageError(f"A commitment's amount is a Decimal of 0 or more, not {amount!r:.60}.")
    to_store(amount)
    if due is not None and (not isinstance(due, datetime) or due.tzinfo is None):
        raise UsageError(f"A commitment is due at an aware time, not {due!r:.60}.", "datetime.now(UTC) is one.")
    if not isinstance(detail, str) or len(detail) > MAX_DETAIL or detail != detail.encode("utf-8", "replace").decode():
        raise UsageError(f"A commitment's detail is valid Unicode of at most {MAX_DETAIL} characters.")
    return commitment._replace(kind=kind, flow=flow, hand_over=hand_over, amount=amount)


def to_record(commitment: Commitment) -> str:
    """What an author says of it, as a script takes it: kind, policy, due, flow, amount, currency, detail.

    Raises:
        UsageError: a value can't be recorded.
    """
    whole = checked(commitment)
    due = 0 if whole.due is None else round(whole.due.timestamp() * 1000)
    money = to_store(whole.amount)
    return "\n".join((whole.kind, whole.policy, str(max(0, due)), whole.flow, money, whole.currency, whole.detail))


_KINDS: Final = {kind.value: kind for kind in Kind}
_FLOWS: Final = {flow.value: flow for flow in Flow}
_HAND_OVERS: Final = {policy.value: policy for policy in HandOver}
_SLOTS: Final[Mapping[str, Slot | None]] = {"": None} | {slot.value: slot for slot in Slot}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def parse_owed(id: bytes | str, raw: bytes | str, claim: str = "") -> Owed:
    """A field of the hash `…:owed`.

    Args:
        id: the field's name.
        raw: its value.
        claim: the key of the claim that names it.

    Raises:
        ValueError: it is no commitment's record.
    """
    parts = _text(raw).split("\n", LINES - 1)
    if len(parts) != LINES:
        raise ValueError(f"a commitment's record has {LINES} lines, not {len(parts)}")
    pin, slot, version, epoch, opened, kind, policy, due, flow, amount, currency, detail = parts
    try:
        ends = _moment(int(due)) if due != "0" else None
        what = Commitment(
            _text(id), _KINDS[kind], from_store(amount), currency, _FLOWS[flow], ends, _HAND_OVERS[policy], detail
        )
        return Owed(what, _SLOTS[pin], _SLOTS[slot], version, int(epoch), _moment(int(opened)), claim)
    except (ArithmeticError, LookupError) as error:
        raise ValueError(f"no commitment's record: {error}") from error


def read_owed(owed: Mapping[Any, Any], named: Mapping[Any, Any]) -> tuple[Owed, ...]:
    """Every commitment, by deadline (those without one last), then by id; what is no record is left out, and
    `len(owed)` tells how many there are.

    Args:
        owed: the hash `…:owed`.
        named: the hash `…:named`, which tells of the claims that name one.
    """
    claims = {_text(name): _text(key) for name, key in named.items()}
    commitments = []
    for raw, record in owed.items():
        name = _text(raw)  # once: there may be ten thousand
        with suppress(ValueError):
            commitments.append(parse_owed(name, record, claims.get("=" + name, "")))
    return tuple(sorted(commitments, key=by_deadline))


def by_deadline(owed: Owed) -> tuple[bool, datetime, str]:
    """The order in which people look at them."""
    due = owed.commitment.due
    return (due is None, due or owed.opened_at, owed.id)


def _text(raw: bytes | str) -> str:
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw


def _moment(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)


class Superset(NamedTuple):
    """Whether a side watches all that it owns.

    Args:
        owned: how many it owns.
        unwatched: ids that it owns and no living instance of it says that it watches.
    """

    owned: int
    unwatched: tuple[str, ...]

    @property
    def proved(self) -> bool:
        """Whether nothing is left out."""
        return not self.unwatched

    @property
    def missing(self) -> str:
        """The first of what is left out, safe to draw: `esc_1, esc_2, esc_3 and 7 more (10 of 12)`."""
        shown = ", ".join(clean(one, 40) for one in self.unwatched[:3])
        more = f" and {len(self.unwatched) - 3} more" if len(self.unwatched) > 3 else ""
        return f"{shown}{more} ({len(self.unwatched)} of {self.owned})"


def superset(owed: Iterable[Owed], watched: Iterable[str], side: Slot, *, target: Slot | None) -> Superset:
    """Whether a side watches what it owns, or will own once `target` is active.

    Args:
        owed: all that is owed.
        watched: ids that living instances of the side say that they watch.
        side: which.
        target: who is active, or will be.
    """
    eyes = frozenset(watched)
    mine = [one.id for one in owed if (one.pin or target) is side]
    return Superset(len(mine), tuple(one for one in mine if one not in eyes))
