"""Realised volatility against its own trailing median; what can't be measured is never called calm."""

from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.gates.fact import known
from console.domain.gates.facts import VolatilitySeen
from console.domain.gates.gate import State
from console.domain.gates.one_rule import volatility
from console.domain.gates.rules import VolatilityRules
from console.domain.gates.volatility import measured
from tests.domain.gates.stage import NOW, asked, at, facts, prices

RULES = VolatilityRules()


def state(seen: VolatilitySeen, **rules: float) -> State:
    given = asked(volatility=VolatilityRules(**rules))  # type: ignore[arg-type]
    return volatility(facts(volatility=known("v", NOW, seen)), given).state


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([1.0] * 9, State.OPEN),
        ([1.0] * 8, State.CLOSED),
        ([1.0] * 20 + [1.99], State.OPEN),
        ([1.0] * 20 + [2.0], State.CLOSED),
        ([0.0] * 20, State.OPEN),
        ([0.0] * 20 + [0.1], State.CLOSED),
        ([nan] * 20, State.CLOSED),
        ([1.0] * 20 + [inf], State.CLOSED),
        ([-1.0] * 20, State.CLOSED),
        ([], State.CLOSED),
    ],
)
def test_it_is_high_from_twice_its_median_on_and_where_there_is_none(values: list[float], wanted: State) -> None:
    assert state(prices(*values)) is wanted


def test_a_single_figure_is_held_against_a_limit_or_counts_as_high() -> None:
    assert state(prices(1.0)) is State.CLOSED
    assert state(prices(1.0), limit=2.0) is State.OPEN
    assert state(prices(2.0), limit=2.0) is State.CLOSED


@pytest.mark.parametrize(("newest_s", "wanted"), [(120, State.OPEN), (120.1, State.CLOSED), (-121, State.CLOSED)])
def test_a_silent_source_and_one_from_the_future_count_as_high(newest_s: float, wanted: State) -> None:
    assert state(prices(*[1.0] * 20, newest_s=newest_s)) is wanted


def test_prices_are_measured_in_windows_counted_back_from_the_newest() -> None:
    calm = [100.0, 100.1] * 60
    points = tuple((at(-2.0 * (120 - n)), price) for n, price in enumerate(calm))
    rules = VolatilityRules(window_s=20)
    seen = measured(points, rules, prices=True)
    assert seen is not None
    assert seen.behind == 11
    assert seen.high(rules) is False
    wild = points[:-5] + tuple((when, price * (1 + 0.01 * n)) for n, (when, price) in enumerate(points[-5:]))
    again = measured(wild, rules, prices=True)
    assert again is not None
    assert again.high(rules) is True


def test_two_prices_in_the_newest_window_make_no_figure() -> None:
    points = [*((at(-1000.0 + n), 100.0) for n in range(100)), (at(-2), 100.0), (at(-1), 100.0)]
    assert measured(points, VolatilityRules(window_s=50), prices=True) is None


FLOATS = st.floats(allow_nan=True, allow_infinity=True)


@given(values=st.lists(FLOATS, max_size=60), as_prices=st.booleans())
def test_whatever_a_source_says_is_answered_without_an_error(values: list[float], as_prices: bool) -> None:
    points = tuple((at(-10.0 * n), value) for n, value in enumerate(values))
    seen = measured(points, VolatilityRules(window_s=40, windows=2), prices=as_prices)
    assert seen is None or seen.high(RULES) in (True, False, None)
