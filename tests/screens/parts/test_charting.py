"""The chart never mixes currencies, and names what it leaves out."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from console.domain.seen.observation import PnlTotal
from console.domain.text import Safe
from console.screens.parts.charting import chart_data
from tests.scenarios import observation
from tests.screens.doubles import CATALOGUE


def total(currency: str, rounds: int, value: float, *, dry: bool = False) -> PnlTotal:
    amount = Decimal(str(value))
    start = datetime(2026, 3, 14, tzinfo=UTC)
    return PnlTotal(Safe(currency), dry, amount, amount, rounds, (0.0, value), start, 1.0)


def test_the_chart_draws_one_currency_and_names_the_others() -> None:
    seen = observation("both-decide")
    assert seen.logs is not None
    slots = {
        "blue": seen.logs.by_slot["blue"]._replace(pnl=(total("BTC", 40, -1e-7), total("USD", 9, 5.0, dry=True))),
        "green": seen.logs.by_slot["green"]._replace(pnl=(total("KRW", 41, 4e6),)),
    }
    data = chart_data(seen._replace(logs=seen.logs._replace(by_slot=slots)), CATALOGUE)
    assert [series.name for series in data.series] == ["green"]
    assert (data.unit, data.others) == ("KRW", ("BTC", "USD dry"))
    shared = {**slots, "green": slots["green"]._replace(pnl=(total("KRW", 99, 4e6), total("BTC", 1, 1e-8)))}
    data = chart_data(seen._replace(logs=seen.logs._replace(by_slot=shared)), CATALOGUE)
    assert [series.name for series in data.series] == ["blue", "green"]  # what both have goes first
    assert (data.unit, data.others) == ("BTC", ("KRW", "USD dry"))
