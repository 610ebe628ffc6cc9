"""Whatever goes wrong at a venue ends in *unknown* and a closed gate: never in zero, in flat, or in a long wait."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.demo.faulty import Fault, FaultyVenue
from console.domain.venue.judge import closed, judge
from console.domain.venue.reading import Why
from console.venue.http import Request
from console.venue.prober import Prober
from tests.venue.stage import books, configured, now

BALANCE = {"purple-flea": "/api/v1/auth/balance", "rest": "/v1/balance"}
PAYEE = '[escrow]\npayee = "counterparty"\nprovenance = "the terms of 2026"\n'

TABLE = {
    Fault.TIMEOUT_AFTER_COMMIT: ("balance", Why.TIMEOUT),
    Fault.CUT: ("balance", Why.UNREACHABLE),
    Fault.RESET_AT: ("balance", Why.RATE_LIMITED),
    Fault.RETRY_AFTER: ("balance", Why.RATE_LIMITED),
    Fault.UNAUTHORISED: ("balance", Why.UNAUTHORISED),
    Fault.SERVER_ERROR: ("balance", Why.SERVER_ERROR),
    Fault.SLOW: ("balance", Why.TIMEOUT),
    Fault.MALFORMED: ("balance", Why.MALFORMED),
    Fault.EMPTY: ("balance", Why.MALFORMED),
    Fault.NOT_A_NUMBER: ("balance", Why.MALFORMED),
    Fault.BIG_BODY: ("balance", Why.TOO_LARGE),
    Fault.BIG_LENGTH: ("balance", Why.TOO_LARGE),
    Fault.COMPRESSED: ("balance", Why.MALFORMED),
    Fault.REDIRECT: ("balance", Why.REDIRECTED),
    Fault.CACHED: ("balance", Why.STALE_SOURCE),
    Fault.ECHO: ("balance", Why.REFUSED),
    Fault.CLOCK_SKEW: ("balance", Why.CLOCK_SKEW),
    Fault.DRIFTED: ("balance", Why.BOOKS_DIFFER),
    Fault.STALE_SOURCE: ("positions", Why.STALE_SOURCE),
    Fault.NULL_POSITION: ("positions", Why.NOBODYS),
    Fault.MONITOR_STOPPED: ("order monitor", Why.MONITOR_STOPPED),
    Fault.UNHEALTHY: ("health of ", Why.UNHEALTHY),
    Fault.EARLY_SWEEP: ("escrow ", Why.EARLY),
    Fault.LATE_SWEEP: ("escrow ", Why.OVERDUE),
    Fault.REFUND: ("escrow ", Why.PAYEE_WRONG),
    Fault.RELEASE: ("escrow ", Why.BOOKS_DIFFER),
}
"""Fault → the item that is unknown by it, and why."""


@pytest.fixture
def venue() -> Iterator[FaultyVenue]:
    with FaultyVenue() as venue:
        venue.holdings.add_escrow("25.00", 24)
        venue.holdings.add_position("pos_1")
        venue.holdings.add_order("ord_1")
        yield venue


def test_every_switch_of_the_venue_has_its_row() -> None:
    assert set(TABLE) == set(Fault)


@pytest.mark.parametrize("preset", BALANCE)
async def test_without_a_fault_everything_is_known_and_every_gate_open(
    venue: FaultyVenue, tmp_path: Path, preset: str
) -> None:
    prober = Prober(configured(tmp_path, venue, preset, PAYEE), "agent")
    look = await prober.look(now(), tuple(venue.holdings.escrows))
    await prober.aclose()
    items = judge(look, books(venue), prober.venue.rules, now())
    assert len(items) >= 6
    assert not closed(items), [item.line() for item in closed(items)]


@pytest.mark.parametrize("preset", BALANCE)
@pytest.mark.parametrize("fault", TABLE, ids=lambda fault: fault.name.lower())
async def test_every_row_of_the_fault_table_ends_in_unknown_and_a_closed_gate(
    venue: FaultyVenue, tmp_path: Path, fault: Fault, preset: str
) -> None:
    what, why = TABLE[fault]
    ours = books(venue)
    venue.turn(fault, BALANCE[preset] if what == "balance" and fault is not Fault.CLOCK_SKEW else "/")
    prober = Prober(configured(tmp_path, venue, preset, PAYEE), "agent")
    began = time.monotonic()
    look = await prober.look(now(), tuple(venue.holdings.escrows))
    assert time.monotonic() - began < 3.0
    await prober.aclose()
    items = judge(look, ours, prober.venue.rules, now())
    assert (what, why) in {(item.what[: len(what)], item.why) for item in closed(items)}, [i.line() for i in items]
    for reading in look.readings():
        assert (reading.value is None) is not reading.known
    assert venue.key not in repr(look)
    assert venue.key not in " ".join(item.line() for item in items)


async def test_of_fifty_megabytes_no_more_is_read_than_is_allowed(venue: FaultyVenue, tmp_path: Path) -> None:
    venue.turn(Fault.BIG_BODY)
    prober = Prober(configured(tmp_path, venue), "agent")
    assert (await prober.balance(now())).why is Why.TOO_LARGE
    await prober.aclose()
    assert venue.sent_bytes < 16 * 1024 * 1024  # what the sockets hold beyond 64 KiB


async def test_a_redirect_is_not_followed(venue: FaultyVenue, tmp_path: Path) -> None:
    venue.turn(Fault.REDIRECT)
    prober = Prober(configured(tmp_path, venue), "agent")
    assert (await prober.balance(now())).why is Why.REDIRECTED
    await prober.aclose()
    assert not any("elsewhere" in request for request in venue.received)


@pytest.mark.parametrize("fault", [Fault.RESET_AT, Fault.RETRY_AFTER])
async def test_after_asking_too_often_nothing_is_asked_until_the_time_that_the_venue_named(
    venue: FaultyVenue, tmp_path: Path, fault: Fault
) -> None:
    venue.turn(fault)
    prober = Prober(configured(tmp_path, venue), "agent")
    first = await prober.balance(now())
    assert first.why is Why.RATE_LIMITED
    assert first.until is not None
    assert 80 < (first.until - now()).total_seconds() <= 91
    again = await prober.balance(now())
    await prober.aclose()
    assert again.why is Why.RATE_LIMITED
    assert venue.received["GET /api/v1/auth/balance"] == 1


async def test_a_venue_that_is_not_there_is_unreachable(venue: FaultyVenue, tmp_path: Path) -> None:
    prober = Prober(configured(tmp_path, venue), "agent")
    venue.__exit__()
    reading = await prober.balance(now())
    await prober.aclose()
    assert reading.why in (Why.UNREACHABLE, Why.TIMEOUT)
    venue.__enter__()


async def test_one_slow_probe_holds_up_no_other(venue: FaultyVenue, tmp_path: Path) -> None:
    venue.turn(Fault.SLOW, "/v1/order-monitor")
    prober = Prober(configured(tmp_path, venue), "agent")
    look = await prober.look(now())
    await prober.aclose()
    assert look.monitor is not None
    assert look.monitor.why is Why.TIMEOUT
    assert look.balance is not None
    assert look.balance.known


async def test_more_escrows_than_are_asked_for_in_a_look_are_unknown_and_not_forgotten(
    venue: FaultyVenue, tmp_path: Path
) -> None:
    ids = [venue.holdings.add_escrow("1.00", 5) for _ in range(5)]
    prober = Prober(configured(tmp_path, venue), "agent")
    object.__setattr__(prober.venue.document.pace, "most_escrows", 3)
    look = await prober.look(now(), ids)
    await prober.aclose()
    assert [reading.why for reading in look.escrows] == [None, None, None, Why.NOT_ASKED, Why.NOT_ASKED]


async def test_an_answer_without_a_body_is_enough_for_what_is_sent_and_nothing_for_what_is_asked(
    venue: FaultyVenue, tmp_path: Path
) -> None:
    prober = Prober(configured(tmp_path, venue, "rest"), "agent")
    venue.turn(Fault.EMPTY)
    assert (await prober.balance(now())).why is Why.MALFORMED
    answer = await prober.asker.ask(
        Request("api", "/v1/cancel-all-after", method="POST", body={"timeout_ms": 5}), now()
    )
    await prober.aclose()
    assert answer.why is None


async def test_what_a_list_has_told_is_not_asked_for_once_more(venue: FaultyVenue, tmp_path: Path) -> None:
    ids = [venue.holdings.add_escrow("1.00", 5) for _ in range(50)]
    prober = Prober(configured(tmp_path, venue, "rest"), "agent")
    look = await prober.look(now(), [*ids, "esc_gone"])
    await prober.aclose()
    assert [reading.known for reading in look.escrows] == [*[True] * 50, False]
    assert [path for path in venue.received if path.startswith("GET /v1/escrows/")] == ["GET /v1/escrows/esc_gone"]
