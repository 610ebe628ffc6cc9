"""The demo's venue has what its agents owe, serves it in a venue's shape, and the demo's document reads all of it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from console.demo.document import write_document
from console.demo.limit import WINDOW_S, Limit
from console.demo.owed import ESCROWS, ORDER, POSITION, ROUND, ROUND_LASTS, SOON, Thing, ask, plain_state
from console.demo.venue import Venue, converse
from console.domain.gates.plain_state import plain_state as read_state
from console.domain.text import Safe
from console.domain.venue.books import Books
from console.domain.venue.judge import closed, judge
from console.domain.venue.things import Look
from console.venue.prober import Prober
from console.venue.setup import load

IDS = {*ESCROWS, ROUND, POSITION, ORDER}


class Account:
    """The agent's side of the venue, without the wire."""

    def __init__(self, began_s: float) -> None:
        self.venue = Venue("k", 7, began_s)

    def call(self, method: str, path: str) -> tuple[int, dict[str, Any]]:
        status, answer = self.venue.answer(method, path, {"authorization": "Bearer k"}, b"{}")
        return status, dict(answer)

    def owed(self) -> dict[str, Thing]:
        """What the venue says is not over, by id."""
        things = ask(self.call)
        assert things is not None
        return {one.id: one for one in things}


@pytest.fixture
def account() -> Account:
    return Account(time.time())


def test_the_venue_has_all_that_its_agents_owe_and_says_when_each_ends(account: Account) -> None:
    owed = account.owed()
    assert {*owed} == IDS
    due = owed["esc_soon"].due
    assert due is not None and timedelta(minutes=19) < due - datetime.now(UTC) <= SOON
    assert (owed["esc_later"].amount, owed["esc_later"].status) == (Decimal("40.0"), "funded")


def test_what_is_paid_out_is_paid_once_and_is_over(account: Account) -> None:
    assert account.call("POST", "/escrow/release/esc_soon")[0] == 200
    assert account.call("POST", "/escrow/release/esc_soon")[0] == 409
    assert account.call("POST", f"/games/crash/cash-out/{ROUND}")[0] == 200
    assert account.call("POST", f"/games/crash/cash-out/{ROUND}")[0] == 409
    assert {*account.owed()} == IDS - {"esc_soon", ROUND}
    counted = account.call("GET", "/executions")[1]["owed"]
    assert counted == {"release esc_soon": 1, f"cash-out {ROUND}": 1}


def test_a_disputed_escrow_is_locked_and_still_owed(account: Account) -> None:
    assert account.call("POST", "/escrow/dispute/esc_later")[0] == 200
    assert account.owed()["esc_later"].status == "disputed"
    assert account.call("POST", "/escrow/release/esc_later")[0] == 409


def test_the_history_is_asked_for_as_a_venues_is_and_a_query_that_is_none_is_refused(account: Account) -> None:
    for game, bet in (("coin-flip", b'{"side": "heads", "amount": 1}'), ("dice", b'{"call": "low", "amount": 1}')):
        for _ in range(130):
            account.venue.answer("POST", f"/games/{game}", {"authorization": "Bearer k"}, bet)
    every = account.call("GET", "/api/v1/bets/history?limit=200")[1]["bets"]
    assert len(every) == 200 and every[0]["game"] == "dice"
    some = account.call("GET", "/api/v1/bets/history?game=dice&outcome=won&limit=5&offset=1")[1]["bets"]
    assert len(some) == 5 and {(one["game"], one["won"]) for one in some} == {("dice", True)}
    assert account.call("GET", "/api/v1/bets/history?since=2999-01-01T00:00:00%2B00:00")[1]["bets"] == []
    lines = account.call("GET", "/api/v1/auth/ledger")[1]["entries"]
    assert len(lines) == 50 and lines[0]["reference"] == every[0]["bet_id"]
    for spoilt in ("limit=0", "limit=201", "limit=x", "offset=-1", "since=now", "since=2026-01-01"):
        assert account.call("GET", f"/api/v1/bets/history?{spoilt}")[0] == 400, spoilt


def test_what_has_passed_its_time_is_over_by_the_venues_own_word() -> None:
    long_ago = time.time() - (SOON + ROUND_LASTS).total_seconds() - 600
    assert {*Account(long_ago).owed()} == IDS - {"esc_soon", ROUND}


def test_an_answer_that_fails_is_unknown_and_not_nothing(account: Account) -> None:
    def half(method: str, path: str) -> tuple[int, dict[str, Any]]:
        return (429, {}) if path == "/v1/trade/positions" else account.call(method, path)

    assert ask(half) is None


def test_the_state_file_of_a_demo_agent_lists_what_the_venue_has(account: Account) -> None:
    document = {"timestamp": time.time(), **plain_state(tuple(account.owed().values()))}
    state = read_state(json.loads(json.dumps(document)), datetime.now(UTC))
    assert state is not None and not state.unread
    assert {one.id for one in state.listing("state").things} == IDS


def test_a_request_too_many_is_refused_until_the_minute_is_over() -> None:
    limit = Limit(2)
    assert [limit.take(1000.0) for _ in range(3)] == [True, True, False]
    assert limit.headers() == {
        "X-RateLimit-Reset": "1060",
        "X-RateLimit-Limit": "2",
        "X-RateLimit-Remaining": "0",
    }
    status, refusal = limit.refusal()
    assert (status, refusal["reset_at"]) == (429, "1970-01-01T00:17:40+00:00")
    assert limit.take(1000.0 + WINDOW_S)


@asynccontextmanager
async def serving(venue: Venue) -> AsyncIterator[int]:
    """The venue over real HTTP; its port."""
    server = await asyncio.start_server(lambda reader, writer: converse(venue, reader, writer), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def looked(folder: Path, venue: Venue, books: Books) -> tuple[Look, list[str]]:
    """A look by the demo's document, and what of it nobody may rely on."""
    async with serving(venue) as port:
        write_document(folder, port, "k")
        file = folder / "venue.toml"
        file.write_text(re.sub(r"(timeout|look)_s = [25]\.0\n", r"\1_s = 30.0\n", file.read_text()))
        prober = Prober(load(folder / "venue.toml"), "agent")
        try:
            look = await prober.look(datetime.now(UTC), ESCROWS)
        finally:
            await prober.aclose()
    items = judge(look, books, prober.venue.rules, datetime.now(UTC))
    return look, [one.line() for one in closed(items)]


@contextmanager
def own_umask() -> Iterator[None]:
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)


async def test_the_demos_document_reads_all_of_the_venue_and_says_who_is_paid_and_who_said_so(tmp_path: Path) -> None:
    venue = Venue("k", 7, time.time())
    books = Books(datetime.now(UTC), Safe("state"), Decimal(1000), (POSITION,), (ORDER,), tuple(ESCROWS))
    with own_umask():
        look, wrong = await looked(tmp_path, venue, books)
    assert wrong == []
    limits = look.limits.value if look.limits is not None else None
    assert limits and limits[0].remaining is not None and limits[0].remaining < 6000
    made = load(tmp_path / "venue.toml")
    terms = made.rules.escrow
    assert (terms.payee.value, terms.said_by, terms.said_on) == (
        "counterparty",
        "demo",
        f"{datetime.now(UTC):%Y-%m-%d}",
    )
    assert made.document.deadman is not None and made.document.deadman.armed
    assert (tmp_path / "venue.key").stat().st_mode & 0o777 == 0o600


async def test_a_balance_that_drifts_and_an_escrow_that_pays_the_other_side_are_seen(tmp_path: Path) -> None:
    venue = Venue("k", 7, time.time() - SOON.total_seconds() - 400)
    venue.holdings.pays, venue.holdings.balance = "creator", Decimal("1020.00")
    books = Books(datetime.now(UTC), Safe("state"), Decimal(1000), (POSITION,), (ORDER,), tuple(ESCROWS))
    _look, wrong = await looked(tmp_path, venue, books)
    assert any(line.startswith("balance: books differ") for line in wrong)
    assert any(line.startswith("escrow esc_soon: payee wrong") for line in wrong)
