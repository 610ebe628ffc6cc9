"""What a venue's terms are: settings with their provenance, never constants; what nobody has set blocks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from console.domain.errors import UsageError
from console.domain.text import Safe, clean


class Payee(StrEnum):
    """Who gets the money when an escrow's time is over."""

    COUNTERPARTY = "counterparty"
    CREATOR = "creator"
    UNSET = "unset"
    """Nobody has said; whatever depends on it blocks."""


@dataclass(frozen=True, slots=True)
class EscrowTerms:
    """What becomes of an escrow.

    Args:
        payee: who gets the money when its time is over: counterparty, creator, or unset, which blocks.
        provenance: where that is known from (a page, a support ticket, a test with a small amount); required with it.
        said_by: who said so.
        said_on: when, as a date: 2026-03-01.
        sweep_s: seconds after its time within which the venue moves the money; later is overdue.
        fee: the share that is kept when the time is over, 0.01 for one per cent; None where that is not known.
    """

    payee: Payee = Payee.UNSET
    provenance: str = ""
    said_by: str = ""
    said_on: str = ""
    sweep_s: float = 300.0
    fee: Decimal | None = None

    def __post_init__(self) -> None:
        if self.payee is not Payee.UNSET and not self.provenance:
            raise UsageError(
                "Who gets an escrow's money at its time-out is said without where that is known from.",
                "Say provenance, or leave payee unset.",
            )
        if self.said_on and not _is_date(self.said_on):
            raise UsageError("said_on is a date, like 2026-03-01.")
        if not 0 <= self.sweep_s <= 86_400:
            raise UsageError("sweep_s is 0 to 86400 seconds.")
        if self.fee is not None and not 0 <= self.fee < 1:
            raise UsageError("An escrow's fee is a share of 0 or more, below 1.")

    def words(self) -> Safe:
        """Who is paid, and who said so, when, and where that is known from."""
        if self.payee is Payee.UNSET:
            return Safe("nobody said who is paid at its time-out")
        who = f"; {self.said_by} said so" if self.said_by else ""
        when = f" on {self.said_on}" if self.said_on else ""
        return clean(f"at its time-out the {self.payee.value} is paid ({self.provenance}{who}{when})", 300)


def _is_date(text: str) -> bool:
    try:
        return len(text) == 10 and bool(date.fromisoformat(text))
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Tolerances:
    """How far things may be from each other, and how old they may be.

    Args:
        amount: by which local books and the venue's may differ, in the venue's currency.
        balance_fresh_s: how old a read of the balance may be, in seconds.
        fresh_s: how old any other read may be, in seconds.
        clock_s: by how many seconds the venue's clock may differ from ours.
        monitor_s: how many seconds ago the order monitor may have looked last.
    """

    amount: Decimal = Decimal("0.01")
    balance_fresh_s: float = 60.0
    fresh_s: float = 60.0
    clock_s: float = 30.0
    monitor_s: float = 300.0

    def __post_init__(self) -> None:
        if self.amount < 0:
            raise UsageError("A tolerance is an amount of 0 or more.")
        if not 0 < self.balance_fresh_s <= 60:
            raise UsageError("balance_fresh_s is above 0 and at most 60: an older balance is none.")
        for name in ("fresh_s", "clock_s", "monitor_s"):
            if not 0 < getattr(self, name) <= 86_400:
                raise UsageError(f"{name} is above 0 and at most 86400 seconds.")


@dataclass(frozen=True, slots=True)
class KeyTerms:
    """What the venue does with idempotency keys.

    Args:
        window_s: seconds for which the venue refuses to do a key twice, counted from the first time it was sent (where
            it counts from a later moment, it is longer than that, which is safe); 0 where it keeps none at all, and a
            key must never be sent again.
        provenance: where that is known from; required where `window_s` is not 0.
        visible_s: seconds until the venue's history surely shows what it has done.
    """

    window_s: float = 0.0
    provenance: str = ""
    visible_s: float = 60.0

    def __post_init__(self) -> None:
        for name in ("window_s", "visible_s"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or isinstance(value, bool):
                raise UsageError(f"{name} is a number of seconds, not {value!r:.40}.")
        if not 0 <= self.window_s <= 366 * 86_400 or not 0 < self.visible_s <= 86_400:
            raise UsageError("window_s is 0 to 366 days, visible_s above 0 and at most a day.")
        if self.window_s and not self.provenance:
            raise UsageError("A venue's idempotency window needs its provenance: who trusts a wrong one pays twice.")


class Goodbye(StrEnum):
    """What a graceful goodbye (closing the connection, logging out) does to a dead man's switch."""

    NOTHING = "nothing"
    """It goes on counting, and falls."""
    FIRES = "fires"
    DISARMS = "disarms"
    """Orders stay: a process that ends politely leaves them behind without protection."""
    UNKNOWN = "unknown"


class Takes(StrEnum):
    """Which orders a dead man's switch cancels when it falls."""

    ALL = "all"
    """Every order, protective stops too: positions are naked afterwards."""
    NOT_PROTECTIVE = "all but protective stops"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DeadmanTerms:
    """What a venue's dead man's switch does.

    Args:
        timeout_s: seconds without a sign of life after which it falls.
        every_s: seconds between two signs of life; at most half of `timeout_s`.
        takes: which orders it cancels.
        goodbye: what a graceful goodbye does to it.
        per_day: how often it may fall a day (UTC); 0 for as often as it likes.
        provenance: where all that is known from.
    """

    timeout_s: float
    every_s: float
    takes: Takes = Takes.UNKNOWN
    goodbye: Goodbye = Goodbye.UNKNOWN
    per_day: int = 0
    provenance: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.timeout_s <= 86_400 or not 0.2 <= self.every_s <= self.timeout_s / 2:
            raise UsageError(
                "A dead man's switch falls after 1 to 86400 seconds, and every_s is 0.2 at the least and half of that "
                "at the most: one sign of life may be lost."
            )
        if not 0 <= self.per_day <= 100_000:
            raise UsageError("per_day is 0 or more.")

    @property
    def open_questions(self) -> tuple[str, ...]:
        """What nobody has found out about it yet."""
        asked = {
            "which orders it takes (takes)": self.takes is Takes.UNKNOWN,
            "whether a goodbye counts (goodbye)": self.goodbye is Goodbye.UNKNOWN,
            "where that is known from (provenance)": not self.provenance,
        }
        return tuple(question for question, is_open in asked.items() if is_open)
