"""What a guard saw of the venue closes gates, or opens them; a look that is old or failed is no answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from console.commands.gates.venue import ABOUT, facts_of
from console.domain.gates.fact import Lack
from console.domain.text import Safe
from console.domain.venue.judge import Item
from console.domain.venue.reading import Why
from console.domain.venue.stored import VenueSeen

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def item(what: str, why: Why | None = None) -> Item:
    return Item(Safe(what), why, Safe("as read"), NOW)


def seen(*items: Item, closed: int | None = None, age_s: float = 1.0) -> VenueSeen:
    shut = sum(one.why is not None for one in items)
    at = NOW - timedelta(seconds=age_s)
    return VenueSeen(Safe("casino"), at, Safe("guard-1"), 10.0, shut if closed is None else closed, items)


def test_what_was_read_well_is_known_and_what_was_not_asked_is_not_checked() -> None:
    facts = facts_of(seen(item("balance"), item("key")), NOW)
    assert facts.balance is not None and facts.balance.value is not None
    assert facts.key is not None and facts.key.value is not None
    assert facts.positions is None and facts.monitor is None


@pytest.mark.parametrize("why", [Why.TIMEOUT, Why.UNAUTHORISED])
def test_a_probe_that_failed_is_no_answer(why: Why) -> None:
    balance = facts_of(seen(item("balance", why), item("key")), NOW).balance
    assert balance is not None and balance.lack is Lack.ERROR and why.value in balance.why


def test_one_escrow_that_failed_among_many_fails_the_gate_of_escrows() -> None:
    escrows = facts_of(seen(item("escrow esc_1"), item("escrow esc_2", Why.TIMEOUT)), NOW).escrows
    assert escrows is not None and escrows.value is None and "esc_2" in escrows.why


def test_what_failed_and_is_not_listed_fails_every_gate() -> None:
    facts = facts_of(seen(item("balance"), closed=3), NOW)
    assert all(fact is not None and fact.value is None for fact in (facts.balance, facts.key, facts.escrows))


@pytest.mark.parametrize("age_s", [61.0, -6.0])
def test_a_look_that_is_old_or_from_the_future_is_stale_for_every_gate(age_s: float) -> None:
    facts = facts_of(seen(item("balance"), item("key"), age_s=age_s), NOW)
    assert all(fact is not None and fact.lack is Lack.STALE for fact in (facts.balance, facts.key, facts.monitor))


@pytest.mark.parametrize(
    ("what", "gates"),
    [
        ("order monitor", {"monitor"}),
        ("list of escrows", {"escrows"}),
        ("local books", {"balance", "positions", "escrows"}),
    ],
)
def test_everything_that_a_guard_judges_closes_the_gate_that_it_is_about(what: str, gates: set[str]) -> None:
    facts = facts_of(seen(item(what, Why.MALFORMED), item("key")), NOW)
    shut = {name for name in ABOUT if (fact := getattr(facts, name)) is not None and fact.value is None}
    assert shut == gates


def test_an_order_monitor_that_runs_is_an_answer() -> None:
    monitor = facts_of(seen(item("order monitor")), NOW).monitor
    assert monitor is not None and monitor.value is not None
