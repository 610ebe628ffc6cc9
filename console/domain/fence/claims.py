"""Claims on money actions: what a claim, its outcome and the levels of a halt are, and how the store writes them down.

The store keeps records as lines parted by line feeds with the only free text last (`console/store/lua/base.lua`); this
is where they become values again. Money is a whole number of millionths there, and `Decimal` everywhere else.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from console.domain.errors import UsageError

SCALE: Final = 6
"""Money is counted in units of 10⁻⁶; a finer amount is refused, never rounded."""

MAX_MICROS: Final = 9_000_000_000_000_000
"""The most the store accepts and adds up to, in millionths (nine thousand million units): exact in a double."""

MAX_KEY: Final = 200
MAX_TEXT: Final = 65_536


class Level(StrEnum):
    """How much is stopped. Raising it always works; lowering it takes a switch that resumes, with a reason."""

    NONE = "none"
    NO_NEW_ENTRIES = "no new entries"
    """What is open may be adjusted and reduced."""
    REDUCE_ONLY = "reduce only"
    HALT = "halt"

    @property
    def rank(self) -> int:
        """0 to 3, as the store writes it."""
        return _LEVELS.index(self)

    @classmethod
    def of_rank(cls, rank: int) -> Level:
        """The level for a number from the store; what is out of range counts as the nearest level."""
        return _LEVELS[max(0, min(rank, 3))]


_LEVELS: Final = (Level.NONE, Level.NO_NEW_ENTRIES, Level.REDUCE_ONLY, Level.HALT)


class Direction(StrEnum):
    """What an action does to the money at risk; the level of a halt decides by it."""

    ENTER = "enter"
    """Takes on new exposure: a bet, an entry, accepting an escrow."""
    ADJUST = "adjust"
    """Changes what is open without adding to it: amending an order, moving a stop."""
    REDUCE = "reduce"
    """Takes exposure away: an exit, a cash-out, releasing an escrow. Caps never stand in its way."""


class Outcome(StrEnum):
    """How a claim ended."""

    OK = "ok"
    FAIL = "fail"
    """Definitely refused by the venue: it was not executed, and the key is used up."""
    ABORT = "abort"
    """Never sent: the key is free again and the amount is given back."""
    UNKNOWN = "unknown"
    """Nobody knows: in doubt until there is evidence."""


def to_micros(amount: Decimal) -> int:
    """The amount in millionths.

    Raises:
        UsageError: it is not finite, finer than a millionth, or larger than what can be added up exactly.
    """
    if not amount.is_finite():
        raise UsageError(f"{amount} is not an amount of money.")
    if amount.adjusted() > 16:
        raise UsageError(f"{amount:.3e} is more than can be counted exactly (9,000,000,000).")
    whole = int(amount.scaleb(SCALE))
    if from_micros(whole) != amount:  # comparing is exact, whatever the context rounds
        raise UsageError(f"{amount} is finer than a millionth.", "Round it where you know which way is safe.")
    if abs(whole) > MAX_MICROS:
        raise UsageError(f"{amount} is more than can be counted exactly (9,000,000,000).")
    return whole


def from_micros(micros: int | str) -> Decimal:
    """The amount for a number of millionths."""
    return Decimal(int(micros)).scaleb(-SCALE)


class OpenClaim(NamedTuple):
    """A claim that has no end yet.

    Args:
        key: the idempotency key.
        claim_id: unique to this claim; what tells a repeated call from another's.
        instance, slot, epoch: who holds it.
        claimed_ms, deadline_ms: server milliseconds; after the deadline it is in doubt.
        in_doubt: whether nobody knows its outcome.
        fingerprint: of its parameters.
        amount, currency, direction: what it risks.
        action: the author's description of it; free text.
    """

    key: str
    claim_id: str
    instance: str
    slot: str
    epoch: int
    claimed_ms: int
    deadline_ms: int
    in_doubt: bool
    fingerprint: str
    amount: Decimal
    currency: str
    direction: str
    action: str


class Done(NamedTuple):
    """The recorded end of an idempotency key; the fields are those of the claim, and `result` is the author's."""

    claim_id: str
    instance: str
    slot: str
    epoch: int
    claimed_ms: int
    ended_ms: int
    outcome: Outcome
    fingerprint: str
    amount: Decimal
    currency: str
    result: str


def _text(raw: bytes | str) -> str:
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw


def parse_open(key: bytes | str, raw: bytes | str) -> OpenClaim:
    """A field of the hash `…:open`.

    Raises:
        ValueError: it is not a claim's record.
    """
    parts = _text(raw).split("\n", 11)
    if len(parts) != 12:
        raise ValueError(f"a claim's record has 12 lines, not {len(parts)}")
    cid, instance, slot, epoch, claimed, deadline, state, fingerprint, amount, currency, direction, action = parts
    whose, when = (_text(key), cid, instance, slot, int(epoch)), (int(claimed), int(deadline))
    return OpenClaim(*whose, *when, state == "D", fingerprint, from_micros(amount), currency, direction, action)


def parse_done(raw: bytes | str) -> Done:
    """A string `…:done:KEY`.

    Raises:
        ValueError: it is not the record of an end.
    """
    parts = _text(raw).split("\n", 10)
    if len(parts) != 11:
        raise ValueError(f"the record of an end has 11 lines, not {len(parts)}")
    cid, instance, slot, epoch, claimed, ended, outcome, fingerprint, amount, currency, result = parts
    whose, when = (cid, instance, slot, int(epoch)), (int(claimed), int(ended))
    return Done(*whose, *when, Outcome(outcome), fingerprint, from_micros(amount), currency, result)
