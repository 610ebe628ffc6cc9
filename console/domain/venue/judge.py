"""What follows from a look at a venue: each thing is fine, or *unknown* with its reason, which closes gates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.domain.document import Record
from console.domain.text import Safe, clean
from console.domain.venue.books import Books, Comparison, Standing, compare
from console.domain.venue.reading import Reading, Why
from console.domain.venue.terms import EscrowTerms, Payee, Tolerances
from console.domain.venue.things import Escrow, Health, Look

_STANDING = {
    Standing.UNKNOWN: Why.CLOCK_SKEW,  # the venue was read: it is our own books that can't be used
    Standing.DIFFERS: Why.BOOKS_DIFFER,
    Standing.NO_BOOKS: Why.NO_BOOKS,
}


@dataclass(frozen=True, slots=True)
class Item(Record):
    """One thing at the venue.

    Args:
        what: which: "balance", "escrow esc_91ab", "positions".
        why: why nobody may rely on it; None where it is fine.
        detail: in words.
        at: when it was read.
    """

    what: Safe
    why: Why | None
    detail: Safe
    at: datetime

    @property
    def fine(self) -> bool:
        """Whether it may be relied on."""
        return self.why is None

    def line(self) -> str:
        """The item in one line."""
        return f"{self.what}: {'ok' if self.why is None else self.why.value}" + (
            f": {self.detail}" if self.detail else ""
        )


@dataclass(frozen=True, slots=True)
class Rules:
    """By what a look is judged.

    Args:
        tolerances: how far and how old.
        escrow: what becomes of escrows.
        excluded: positions without an id, by symbol, that an operator has excluded: they are not this agent's.
    """

    tolerances: Tolerances = Tolerances()  # noqa: RUF009 - a value
    escrow: EscrowTerms = EscrowTerms()  # noqa: RUF009 - a value
    excluded: frozenset[str] = frozenset()


def judge(look: Look, books: Books | None, rules: Rules, now: datetime) -> tuple[Item, ...]:
    """Every item of a look; gates are open only where all of them are fine.

    Args:
        look: what was read.
        books: ours; None for none.
        rules: by what it is judged.
        now: aware UTC; what is too old by now is unknown.
    """
    return tuple(_items(look, books, rules, now))


def closed(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """Those that close gates."""
    return tuple(item for item in items if item.why is not None)


def _items(look: Look, books: Books | None, rules: Rules, now: datetime) -> Iterator[Item]:
    tolerances = rules.tolerances
    for health in look.health:
        yield _plain(health, now, tolerances.fresh_s) or _health(health)
    for reading in (look.key, look.limits, look.history):
        if reading is not None:
            yield _plain(reading, now, tolerances.fresh_s) or _fine(reading)
    compared = {str(one.what): one for one in compare(books, look, tolerances, now)}
    if look.balance is not None:
        yield _plain(look.balance, now, tolerances.balance_fresh_s) or _compared(look.balance, compared["balance"])
    if look.positions is not None:
        yield _plain(look.positions, now, tolerances.fresh_s) or _positions(look, compared["positions"], rules)
    if look.orders is not None:
        yield _plain(look.orders, now, tolerances.fresh_s) or _compared(look.orders, compared["orders"])
    if look.monitor is not None:
        yield _plain(look.monitor, now, tolerances.fresh_s) or _monitor(look, tolerances, now)
    for escrow in look.escrows:
        yield _plain(escrow, now, tolerances.fresh_s) or _escrow(escrow, rules.escrow, now)
    if look.listed is not None:
        yield _plain(look.listed, now, tolerances.fresh_s) or _unwatched(look.listed, books)


def _plain(reading: Reading[object], now: datetime, fresh_s: float) -> Item | None:
    """The item of a reading that is unknown by now; None where it is known."""
    by_now = reading.at(now, fresh_s)
    if by_now.why is None:
        return None
    until = f"until {by_now.until.isoformat(timespec='seconds')}; " if by_now.until else ""
    return Item(by_now.probe, by_now.why, clean(f"{until}{by_now.detail}".removesuffix("; ")), by_now.taken_at)


def _fine(reading: Reading[object], detail: str = "") -> Item:
    return Item(reading.probe, None, clean(detail), reading.taken_at)


def _not(reading: Reading[object], why: Why, detail: str) -> Item:
    return Item(reading.probe, why, clean(detail), reading.taken_at)


def _health(reading: Reading[Health]) -> Item:
    health = reading.value
    assert health is not None
    gone = ", ".join(f"{one.name} is {one.says}" for one in health.dependencies if not one.there)
    if health.well:
        return _fine(reading)
    return _not(reading, Why.UNHEALTHY, gone or f"it says {health.says}")


def _compared(reading: Reading[object], comparison: Comparison) -> Item:
    why = _STANDING.get(comparison.standing)
    if why is Why.NO_BOOKS:  # nobody claims to know it better than the venue
        return _fine(
            reading, f"{comparison.venue} {comparison.currency}; our books say nothing of it".replace(" ;", ";")
        )
    if why is None:
        return _fine(reading, f"{comparison.venue} {comparison.currency}".strip())
    return _not(reading, why, f"ours {comparison.ours}, the venue's {comparison.venue}; {comparison.detail}")


def _positions(look: Look, comparison: Comparison, rules: Rules) -> Item:
    reading = look.positions
    assert reading is not None
    assert reading.value is not None
    orphans = [one for one in reading.value if one.id is None and one.symbol not in rules.excluded]
    if orphans:
        names = ", ".join(f"{one.symbol} {one.size:f}" for one in orphans[:5])
        return _not(reading, Why.NOBODYS, f"without an id, so nobody's until adopted or excluded: {names}")
    if comparison.standing in (Standing.DIFFERS, Standing.UNKNOWN) and all(one.id for one in reading.value):
        return _compared(reading, comparison)
    return _fine(reading, str(comparison.venue))


def _monitor(look: Look, tolerances: Tolerances, now: datetime) -> Item:
    reading = look.monitor
    assert reading is not None
    assert reading.value is not None
    monitor = reading.value
    if not monitor.running:
        pending = "" if monitor.pending is None else f"; {monitor.pending} orders wait for it"
        return _not(reading, Why.MONITOR_STOPPED, f"it does not run{pending}")
    if monitor.last_check is not None and (now - monitor.last_check).total_seconds() > tolerances.monitor_s:
        return _not(
            reading, Why.MONITOR_STOPPED, f"it says that it runs, and looked last at {monitor.last_check:%H:%M:%S}"
        )
    return _fine(reading)


def _escrow(reading: Reading[Escrow], terms: EscrowTerms, now: datetime) -> Item:
    escrow = reading.value
    assert escrow is not None
    if escrow.disputed:
        return _not(reading, Why.DISPUTED, f"{escrow.amount:f} {escrow.currency} are locked without a deadline")
    at = escrow.release_at
    if escrow.open:
        if at is not None and now > at + timedelta(seconds=terms.sweep_s):
            return _not(
                reading, Why.OVERDUE, f"its time was over at {at.isoformat(timespec='seconds')}, and it is open"
            )
        if terms.payee is Payee.UNSET:
            return _not(reading, Why.PAYEE_UNSET, "say in the venue's document who is paid at the time-out")
        return _fine(reading, f"at its time-out the {terms.payee.value} is paid")
    if at is not None and (escrow.ended_at or now) < at:
        return _not(reading, Why.EARLY, f"{escrow.status} before its time, {at.isoformat(timespec='seconds')}")
    if escrow.paid_to and terms.payee is Payee.UNSET:
        return _not(
            reading, Why.PAYEE_UNSET, f"{escrow.status}: the {escrow.paid_to} was paid, and nobody said who would"
        )
    if escrow.paid_to and escrow.paid_to != terms.payee.value:
        return _not(
            reading, Why.PAYEE_WRONG, f"{escrow.status}: the {escrow.paid_to} was paid, not the {terms.payee.value}"
        )
    return _not(reading, Why.BOOKS_DIFFER, f"{escrow.status}, and still on our list")


def _unwatched(reading: Reading[tuple[Escrow, ...]], books: Books | None) -> Item:
    watched = set(books.escrows or ()) if books else set()
    assert reading.value is not None
    missed = [one for one in reading.value if one.open and one.id not in watched]
    if not missed:
        return _fine(reading, f"{sum(one.open for one in reading.value)} open")
    names = ", ".join(f"{one.id} ({one.amount:f} {one.currency})" for one in missed[:5])
    return _not(reading, Why.UNWATCHED, f"nobody on our side watches {names}")
