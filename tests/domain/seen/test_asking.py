"""What an operator types to find rounds means one thing, or is refused by name."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from console.domain.errors import UsageError
from console.domain.seen.asking import Ask, Bound, parse_ask

NOW = datetime(2026, 3, 14, 14, 5, tzinfo=UTC)


def pattern(text: str) -> Callable[[str], bool]:
    return lambda line: re.search(text, line) is not None


def ask(text: str) -> Ask:
    return parse_ask(text, NOW, pattern)


def test_words_and_terms_are_joined_and_each_may_be_turned_round() -> None:
    terms = ask('slot:GREEN !type:bet version:2.5.0 "two words" !re pnl<=-5').terms
    assert [(one.name, one.value, one.negated) for one in terms] == [
        ("slot", "green", False),
        ("type", "bet", True),
        ("version", "2.5.0", False),
        ("word", "two words", False),
        ("word", "re", True),
        ("pnl", "", False),
    ]
    assert terms[-1].bound == Bound("<=", Decimal(-5))


@pytest.mark.parametrize(("text", "amount"), [("pnl<-2.4", "-2.4"), ("pnl<−2.4", "-2.4"), ("pnl>1,139.85", "1139.85")])
def test_an_amount_is_read_as_it_stands_on_a_screen(text: str, amount: str) -> None:
    (term,) = ask(text).terms
    assert term.bound is not None and term.bound.amount == Decimal(amount)


def test_a_pattern_takes_the_rest_of_the_line() -> None:
    (slot, found) = ask("slot:blue !re:a b  c$").terms
    assert (found.name, found.value, found.negated) == ("pattern", "a b  c$", True)
    assert found.test is not None and found.test("xa b  c") and slot.name == "slot"


def test_a_time_bounds_the_whole_question() -> None:
    asked = ask("since:5m until:2026-03-14T14:04 loss")
    assert asked.since == NOW - timedelta(minutes=5)
    assert asked.until == datetime(2026, 3, 14, 14, 4, tzinfo=UTC)
    assert [one.value for one in asked.terms] == ["loss"]


def test_a_colon_in_a_word_is_no_term() -> None:
    assert [(one.name, one.value) for one in ask("esc:12 http://x").terms] == [("word", "esc:12"), ("word", "http://x")]


@pytest.mark.parametrize(
    "wrong",
    [
        "slot:purple",
        "type:",
        "pnl<much",
        "pnl<NaN",
        "pnl<1e999999999",
        "since:yesterday",
        "!since:5m",
        "re:",
        "x " * 17,
    ],
)
def test_what_can_not_be_understood_is_refused(wrong: str) -> None:
    with pytest.raises(UsageError):
        ask(wrong)


def test_nothing_asks_for_everything() -> None:
    assert ask("  ") == Ask()


@pytest.mark.parametrize(
    ("sign", "inside", "outside"),
    [("<", "4", "5"), ("<=", "5", "6"), ("=", "5", "4"), (">=", "5", "4"), (">", "6", "5")],
)
def test_a_bound_holds_for_what_it_says(sign: str, inside: str, outside: str) -> None:
    bound = Bound(sign, Decimal(5))
    assert bound.holds(Decimal(inside)) and not bound.holds(Decimal(outside)) and not bound.holds(None)
    assert bound.possible(Decimal(inside), Decimal(inside)) and not bound.possible(Decimal(outside), Decimal(outside))
    assert bound.possible(Decimal(0), Decimal(10))
