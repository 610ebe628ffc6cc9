"""Claims on money actions: what a claim, its outcome and the levels of a halt are, and how the store writes them down.

The store keeps records as lines parted by line feeds with the only free text last (`console/store/lua/base.lua`); this
is where they become values again. Money is a number of millionths with up to twelve decimals there, as text, added
exactly; it is `Decimal` everywhere else.
"""

from __future__ import annotations

import re
from decimal import ROUND_FLOOR, Context, Decimal, Inexact
from enum import StrEnum
from typing import Final, NamedTuple

from console.domain.errors import UsageError

SCALE: Final = 6
"""The store writes money in millionths; a canary's shares of it are whole ones."""

DECIMALS: Final = 18
"""The finest amount of money is 10⁻¹⁸ of a unit (a wei); BTC has 8 decimals."""

MAX_MONEY: Final = Decimal(10) ** 18
"""Every amount is less than this many units."""

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

    @property
    def allowed(self) -> str:
        """What is allowed at this level, as receipts, audit and scripts say it."""
        return _ALLOWED.get(self, self.value)

    @classmethod
    def of_rank(cls, rank: int) -> Level:
        """The level for a number from the store; what is out of range counts as the nearest level."""
        return _LEVELS[max(0, min(rank, 3))]


_LEVELS: Final = (Level.NONE, Level.NO_NEW_ENTRIES, Level.REDUCE_ONLY, Level.HALT)
_ALLOWED: Final = {Level.NONE: "everything", Level.HALT: "nothing"}


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
    """The amount for a whole number of millionths."""
    return Decimal(int(micros)).scaleb(-SCALE)


_EXACT: Final = Context(prec=60, traps=[Inexact])
_ROUNDING: Final = Context(prec=200)
_MONEY: Final = re.compile(r"-?\d{1,24}(\.\d{1,12})?", re.ASCII)


def to_store(amount: Decimal) -> str:
    """An amount as the scripts take it: a number of millionths, exactly.

    Raises:
        UsageError: it is no finite number, finer than 10⁻¹⁸, or too large.
    """
    if not amount.is_finite():
        raise UsageError(f"{amount} is not an amount of money.")
    if amount.adjusted() >= 18:
        raise UsageError(f"{amount:.3e} is more than an amount of money can be (10¹⁸).")
    try:
        millionths = amount.scaleb(SCALE, _EXACT)
        whole = int(millionths)
        if whole == millionths:
            return str(whole)
        short = millionths.normalize(_EXACT)
        if int(short.as_tuple().exponent) >= SCALE - DECIMALS:
            return f"{short:f}"
    except Inexact:
        pass  # it has more digits than an amount of money can have
    raise UsageError(f"{amount:.30g} is finer than 10⁻¹⁸ of a unit.", "Round it where you know which way is safe.")


def from_store(text: str) -> Decimal:
    """The amount that the scripts wrote.

    Raises:
        ValueError: the text is no such amount.
    """
    if not _MONEY.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no amount of money")
    return Decimal(text).scaleb(-SCALE, _EXACT)


def rounded_down(amount: Decimal) -> Decimal:
    """A result with at most 18 decimals; what is finer makes a gain smaller and a loss larger."""
    return amount if -int(amount.as_tuple().exponent) <= DECIMALS else amount.quantize(_FINEST, ROUND_FLOOR, _ROUNDING)


_FINEST: Final = Decimal(1).scaleb(-DECIMALS)
_MILLIONTH: Final = Decimal(1).scaleb(-SCALE)


def described(value: object) -> str:
    """Any object in words."""
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - an object that can't even be shown is named by its type
        return f"<{type(value).__name__}>"


def as_money(value: object) -> Decimal:
    """A profit or loss as it is counted: numbers of every kind become the decimal that they are written as; what is
    finer than 10⁻¹⁸ makes a gain smaller and a loss larger.

    Raises:
        ValueError: it is no amount of money.
    """
    try:
        amount = value if isinstance(value, Decimal) else Decimal(str(value))
        counts = not isinstance(value, bool) and amount.is_finite() and abs(amount) < MAX_MONEY
    except Exception as error:
        raise ValueError(f"{described(value)[:60]} is no amount of money") from error
    if not counts:
        raise ValueError(f"{described(value)[:60]} is no amount of money")
    return rounded_down(amount)


def floor_micros(result: object) -> int:
    """A profit or loss in whole millionths; what is finer makes a gain smaller and a loss larger.

    Raises:
        UsageError: it is no amount of money, or more than can be counted.
    """
    try:
        amount = as_money(result)
    except ValueError as error:
        raise UsageError(f"{error}.", "The round stays open: its result is not known.") from error
    return to_micros(amount.quantize(_MILLIONTH, ROUND_FLOOR, _ROUNDING))


def counted(result: object) -> Decimal:
    """A profit or loss as `floor_micros` counts it, as a Decimal."""
    return from_micros(floor_micros(result))


QUARANTINE_MS: Final = 60_000
"""Longer than a venue takes to show what it has done, where nobody says otherwise."""


class OpenClaim(NamedTuple):
    """A claim that has no end yet.

    Args:
        key: the idempotency key.
        claim_id: unique to this claim; what tells a repeated call from another's.
        instance, slot, epoch: who holds it.
        claimed_ms, deadline_ms: server milliseconds; after the deadline it is in doubt.
        in_doubt: whether somebody has noted that nobody knows its outcome; `is_doubt` goes by the lease too.
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

    def early_ms(self, server_ms: int, quarantine_ms: int = QUARANTINE_MS) -> int:
        """For about how long *not executed* is refused still, since the venue might yet show it; 0 for no longer.

        It is for people: the store itself counts on its steady clock, from when the doubt was noted.
        """
        return max(0, self.deadline_ms + quarantine_ms - server_ms)

    def is_doubt(self, server_ms: int) -> bool:
        """Whether nobody knows its outcome by now: noted as such, or its lease has ended without a word."""
        return self.in_doubt or self.deadline_ms <= server_ms


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
    in_doubt = state[:1] == "D"
    return OpenClaim(*whose, *when, in_doubt, fingerprint, from_store(amount), currency, direction, action)


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
    return Done(*whose, *when, Outcome(outcome), fingerprint, from_store(amount), currency, result)
