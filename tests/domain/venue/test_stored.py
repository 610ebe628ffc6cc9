"""A look at the venue opens gates only while it is fresh and nothing in it is unknown, whatever its record holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console.domain.text import Safe
from console.domain.venue.judge import Item
from console.domain.venue.reading import Why
from console.domain.venue.stored import VenueSeen, seen_from

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FINE = Item(Safe("balance"), None, Safe(""), NOW)
SHUT = Item(Safe("positions"), Why.STALE_SOURCE, Safe("it comes from 'database'"), NOW)


def seen(*items: Item, age_s: float = 1.0) -> VenueSeen:
    closed = sum(item.why is not None for item in items)
    return VenueSeen(Safe("v"), NOW - timedelta(seconds=age_s), Safe("g1"), 15.0, closed, items)


@pytest.mark.parametrize(("age_s", "is_open"), [(1, True), (75, True), (75.1, False), (-5, True), (-5.1, False)])
def test_an_old_look_and_one_from_the_future_close_every_gate(age_s: float, is_open: bool) -> None:
    assert (seen(FINE, age_s=age_s).why_closed(NOW) == "") is is_open


def test_what_is_unknown_closes_them_with_its_reason() -> None:
    assert seen(FINE, SHUT).why_closed(NOW) == "positions: stale source: it comes from 'database'"


def test_a_record_comes_back_as_it_was() -> None:
    assert seen_from(seen(FINE, SHUT).document()) == seen(FINE, SHUT)


@pytest.mark.parametrize(
    "other",
    [{"closed": -1}, {"closed": True}, {"closed": "0"}, {"at": "2026-03-01"}, {"every_s": 0}, {"every_s": "NaN"}],
)
def test_a_record_whose_figures_are_none_is_no_record(other: dict[str, Any]) -> None:
    assert seen_from({**seen(FINE).document(), **other}) is None


def test_items_that_are_none_are_left_out_and_open_nothing() -> None:
    spoilt = {**seen(SHUT).document(), "items": [5, {"at": "x"}, {"at": NOW.isoformat(), "why": "never heard of"}]}
    record = seen_from(spoilt)
    assert record is not None
    assert record.items == ()
    assert record.why_closed(NOW) == "1 things are unknown"
