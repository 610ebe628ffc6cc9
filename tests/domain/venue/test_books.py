"""Local books stand beside the venue's with difference and age; who is right where they differ is unknown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from console.domain.text import Safe
from console.domain.venue.books import Books, Standing, compare
from console.domain.venue.judge import Rules, closed, judge
from console.domain.venue.reading import Reading, Why, unknown
from console.domain.venue.terms import EscrowTerms, Payee, Tolerances
from console.domain.venue.things import Balance, Escrow, Look, Monitor, Position

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def known(probe: str, value: Any, age_s: float = 1.0) -> Reading[Any]:
    return Reading(Safe(probe), NOW - timedelta(seconds=age_s), Safe("GET x"), value)


def look(**readings: Any) -> Look:
    return Look(Safe("v"), NOW, **readings)


def balance(amount: str, age_s: float = 1.0) -> Reading[Any]:
    return known("balance", Balance(Decimal(amount), "USD"), age_s)


@pytest.mark.parametrize(
    ("amount", "standing"), [("100.01", "agrees"), ("99.99", "agrees"), ("100.0101", "differs"), ("0", "differs")]
)
def test_a_difference_beyond_one_cent_is_told(amount: str, standing: str) -> None:
    ours = Books(NOW - timedelta(seconds=7), Safe("state"), Decimal(100))
    (one,) = compare(ours, look(balance=balance(amount)), Tolerances(), NOW)
    assert one.standing == Standing(standing)
    assert one.difference == Decimal(amount) - 100
    assert (one.ours_age_s, one.venue_age_s) == (7.0, 1.0)


def test_a_balance_that_could_not_be_read_is_no_difference_and_no_zero() -> None:
    failed = look(balance=unknown(Safe("balance"), NOW, Safe(""), Why.TIMEOUT))
    (one,) = compare(Books(NOW, Safe("s"), Decimal(0)), failed, Tolerances(), NOW)
    assert (one.standing, one.venue, one.difference) == (Standing.UNKNOWN, None, None)


def test_a_balance_of_a_minute_ago_is_unknown() -> None:
    (item,) = judge(look(balance=balance("100", 60.1)), Books(NOW, Safe("s"), Decimal(100)), Rules(), NOW)
    assert item.why is Why.TOO_OLD


def test_books_from_the_future_are_held_against_nothing() -> None:
    ours = Books(NOW + timedelta(minutes=5), Safe("s"), Decimal(100))
    (item,) = judge(look(balance=balance("100")), ours, Rules(), NOW)
    assert item.why is Why.CLOCK_SKEW


def test_what_only_one_of_both_has_is_named() -> None:
    ours = Books(NOW, Safe("s"), positions=("a", "b"))
    held = (
        Position(Safe("b"), Safe("BTC"), Safe("long"), Decimal(1)),
        Position(Safe("c"), Safe("X"), Safe(""), Decimal(2)),
    )
    (one,) = compare(ours, look(positions=known("positions", held)), Tolerances(), NOW)
    assert one.difference == 2
    assert "only at the venue: c" in one.detail
    assert "only in our books: a" in one.detail


def test_a_position_without_an_id_is_nobodys_until_it_is_excluded() -> None:
    held = (Position(None, Safe("DOGE"), Safe("long"), Decimal(1)),)
    (item,) = judge(look(positions=known("positions", held)), None, Rules(), NOW)
    assert item.why is Why.NOBODYS
    assert not closed(judge(look(positions=known("positions", held)), None, Rules(excluded=frozenset({"DOGE"})), NOW))


def escrow(status: str = "funded", *, hours: float = 1.0, **more: Any) -> Reading[Any]:
    at = NOW + timedelta(hours=hours)
    made = Escrow(Safe("e1"), Safe(status), Decimal(5), "USD", status == "funded", release_at=at)
    return known("escrow e1", made._replace(**more))


@pytest.mark.parametrize(
    ("reading", "payee", "why"),
    [
        (escrow(), Payee.UNSET, Why.PAYEE_UNSET),
        (escrow(), Payee.CREATOR, None),
        (escrow(hours=-0.05), Payee.CREATOR, None),  # the sweep is on its way
        (escrow(hours=-0.1), Payee.CREATOR, Why.OVERDUE),
        (escrow(disputed=True), Payee.CREATOR, Why.DISPUTED),
        (escrow("released", paid_to="counterparty"), Payee.COUNTERPARTY, Why.EARLY),
        (escrow("released", hours=-1, paid_to="counterparty"), Payee.CREATOR, Why.PAYEE_WRONG),
        (escrow("released", hours=-1, paid_to="counterparty"), Payee.UNSET, Why.PAYEE_UNSET),
        (escrow("refunded", hours=-1, paid_to="creator"), Payee.CREATOR, Why.BOOKS_DIFFER),
        (escrow("refunded", hours=-1, paid_to="creator", ended_at=NOW - timedelta(hours=2)), Payee.CREATOR, Why.EARLY),
    ],
)
def test_an_escrow_is_fine_only_while_it_is_open_and_who_is_paid_at_its_end_is_said(
    reading: Reading[Any], payee: Payee, why: Why | None
) -> None:
    terms = EscrowTerms(payee, "the terms" if payee is not Payee.UNSET else "")
    (item,) = judge(look(escrows=(reading,)), None, Rules(escrow=terms), NOW)
    assert item.why is why, item


def test_an_escrow_that_only_the_venue_knows_is_unwatched() -> None:
    listed = known("list of escrows", (Escrow(Safe("e9"), Safe("funded"), Decimal(5), "USD", True),))
    for books in (None, Books(NOW, Safe("s"), escrows=())):
        (item,) = judge(look(listed=listed), books, Rules(), NOW)
        assert item.why is Why.UNWATCHED
    assert not closed(judge(look(listed=listed), Books(NOW, Safe("s"), escrows=("e9",)), Rules(), NOW))


@pytest.mark.parametrize(
    ("monitor", "why"),
    [
        (Monitor(True), None),
        (Monitor(True, NOW - timedelta(seconds=299)), None),
        (Monitor(True, NOW - timedelta(seconds=301)), Why.MONITOR_STOPPED),
        (Monitor(False, NOW, 3), Why.MONITOR_STOPPED),
    ],
)
def test_a_monitor_that_does_not_look_protects_nothing(monitor: Monitor, why: Why | None) -> None:
    (item,) = judge(look(monitor=known("order monitor", monitor)), None, Rules(), NOW)
    assert item.why is why
