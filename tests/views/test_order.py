"""Rows are sorted by values: what is not known stands last either way, alike ones stay, kinds are never mixed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from console.views.order import in_order, money_value, text_value


@pytest.mark.parametrize("falls", [True, False])
@pytest.mark.parametrize("nothing", [None, float("nan"), Decimal("NaN"), Decimal("sNaN")])
def test_what_is_not_known_stands_last_whatever_the_direction(nothing: Any, falls: bool) -> None:
    ranked = in_order([nothing, Decimal(2), nothing, Decimal(-1)], lambda one: one, falls=falls)
    assert ranked[:2] == ((Decimal(2), Decimal(-1)) if falls else (Decimal(-1), Decimal(2)))
    assert ranked[2] is nothing
    assert ranked[3] is nothing


@pytest.mark.parametrize("falls", [True, False])
def test_rows_that_are_alike_stay_in_the_order_of_the_list(falls: bool) -> None:
    rows = [("b", 1), ("a", 1), ("c", 1)]
    assert in_order(rows, lambda one: one[1], falls=falls) == tuple(rows)


def test_values_of_several_kinds_are_each_sorted_by_themselves() -> None:
    ranked = in_order(["b", 2, "a", 1], lambda one: one, falls=False)
    assert [one for one in ranked if isinstance(one, int)] == [1, 2]
    assert [one for one in ranked if isinstance(one, str)] == ["a", "b"]


def test_money_of_two_currencies_is_never_compared_and_no_amount_is_not_known() -> None:
    amounts = [(Decimal(1), "USD"), (Decimal(900), "JPY"), (None, "USD"), (Decimal(-5), "USD")]
    ranked = in_order(amounts, lambda one: money_value(*one), falls=False)
    assert ranked == ((Decimal(900), "JPY"), (Decimal(-5), "USD"), (Decimal(1), "USD"), (None, "USD"))


def test_a_cell_without_a_value_is_sorted_by_its_letters_and_one_that_says_nothing_by_none() -> None:
    assert [text_value(text) for text in ("Bree", " atlas ", "", "–")] == ["bree", "atlas", None, None]
