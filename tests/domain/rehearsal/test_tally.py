"""What differs from the record counts, what a version does to itself is taken off, money is never taken off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from console.domain.errors import UsageError
from console.domain.rehearsal.answer import Answer, Fault, read_answer
from console.domain.rehearsal.chance import EXACT_UP_TO, beyond_noise
from console.domain.rehearsal.compared import Compared, Recorded
from console.domain.rehearsal.evidence import Limits, figures, why_not
from console.domain.rehearsal.money import MAX_CURRENCIES, Money, Paths, money_in, parse_money
from console.domain.rehearsal.tally import MAX_SETS, Tally
from console.domain.shadow.compare import Kind, Rules
from console.domain.shadow.rates import MAX_PATHS

BEGAN = datetime(2026, 3, 13, 9, 0, tzinfo=UTC)
PATHS = Paths()


def recorded(number: int, output: Any) -> Recorded:
    document = {"output": output}
    at = BEGAN + timedelta(seconds=number)
    return Recorded(number, at, "bet", "2.4.0", document, money_in(document, PATHS))


def answer(output: Any, **more: Any) -> Answer:
    read = read_answer({"round": 1, "output": output, **more}, "", PATHS)
    assert isinstance(read, Answer), read
    return read


def compared(rounds: Sequence[tuple[Any, ...]], rules: Rules | None = None) -> Compared:
    """Rounds of (recorded output, first run's output, second run's output …)."""
    tally = Tally(rules or Rules(), PATHS)
    for number, (was, *outputs) in enumerate(rounds, 1):
        tally.add(recorded(number, was), [answer(output) for output in outputs])
    return tally.end()


def test_the_same_decisions_are_the_same() -> None:
    outcome = compared([({"bet": "1", "pnl": Decimal("0.5"), "currency": "USD"}, {"bet": "1"}, {"bet": "1"})] * 3)
    assert (outcome.rounds, outcome.differing, outcome.unsteady, outcome.first) == (3, 0, 0, None)
    assert why_not(outcome, {}, Limits()) == ""


def test_the_first_differing_round_is_named_with_its_time_type_and_both_outputs() -> None:
    outcome = compared([({"bet": "1"}, {"bet": "1"}), ({"bet": "1.50"}, {"bet": "2"}), ({"bet": "1"}, {"bet": "3"})])
    first = outcome.first
    assert first is not None
    assert (first.round, first.at, first.decision_type, first.version) == (
        2,
        BEGAN + timedelta(seconds=2),
        "bet",
        "2.4.0",
    )
    assert (first.recorded, first.rehearsed) == ('{"bet": "1.50"}', '{"bet": "2"}')
    assert first.fields == ("output.bet (value): 1.50 -> 2",)
    assert why_not(outcome, {}, Limits()) == "2 of 3 rounds differ, by more than noise"


def test_what_a_version_does_to_itself_is_taken_off() -> None:
    words = ["a", "b", "c"]
    noisy = [({"note": words[n % 3]}, {"note": words[(n // 3) % 3]}, {"note": words[(n // 9) % 3]}) for n in range(270)]
    outcome = compared(noisy)
    assert outcome.unsteady == 180
    assert (outcome.differing, outcome.first) == (0, None)
    (field,) = outcome.fields
    assert (field.rounds, field.noise, field.counts) == (180, 180, False)


def test_noise_in_one_field_hides_nothing_in_another() -> None:
    rounds = [
        ({"note": "x", "game": "dice"}, {"note": f"{n}", "game": "dice"}, {"note": f"{n}!", "game": "dice"})
        for n in range(50)
    ]
    rounds[30] = ({"note": "x", "game": "dice"}, {"note": "y", "game": "crash"}, {"note": "z", "game": "crash"})
    outcome = compared(rounds)
    assert outcome.differing == 1
    assert outcome.first is not None and outcome.first.round == 31


def test_a_field_that_differs_more_often_than_it_wavers_counts_in_spite_of_its_noise() -> None:
    rounds = [({"note": "x"}, {"note": "y"}, {"note": "y"})] * 40 + [({"note": "x"}, {"note": "x"}, {"note": "y"})] * 2
    outcome = compared(rounds)
    assert (outcome.differing, outcome.unsteady) == (40, 2)
    assert outcome.first is not None and outcome.first.round == 1


def test_a_steady_field_counts_from_one_round_on() -> None:
    assert (
        compared(
            [({"note": "x"}, {"note": "x"}, {"note": "x"})] * 99 + [({"note": "x"}, {"note": "y"}, {"note": "y"})]
        ).differing
        == 1
    )


def test_no_noise_is_taken_off_what_moves_money_and_every_run_is_held_against_the_record() -> None:
    same = ({"amount": "1"}, {"amount": "1"}, {"amount": "1"})
    outcome = compared([same, ({"amount": "1"}, {"amount": "1"}, {"amount": "9"}), same])
    assert (outcome.differing, outcome.unsteady) == (1, 1)
    assert outcome.first is not None and outcome.first.rehearsed == '{"amount": "9"}'
    assert compared([({"bet": "1"}, {"bet": "1"}, {"bet": "9"})], Rules(money=frozenset({"bet"}))).differing == 1


def test_a_version_that_raises_now_and_then_is_excused_by_no_noise() -> None:
    tally = Tally(Rules(), PATHS)
    failed = read_answer({"round": 1, "error": "ValueError: no price"}, "", PATHS)
    assert isinstance(failed, Answer)
    for number in range(1, 20):
        tally.add(
            recorded(number, {"bet": "1"}), [failed if number == 7 else answer({"bet": "1"}), answer({"bet": "1"})]
        )
    outcome = tally.end()
    assert [(one.kind, one.counts) for one in outcome.fields] == [(Kind.RAISED, True)]


def test_another_decision_type_differs() -> None:
    tally = Tally(Rules(), PATHS)
    tally.add(recorded(1, {"bet": "1"}), [answer({"bet": "1"}, decision_type="hold")])
    assert [one.path for one in tally.end().fields] == ["decision_type"]


def test_a_tolerance_is_accepted_and_none_for_money() -> None:
    rules = Rules(absolute={"output.*": 0.5}, ignore=("output.id",))
    assert compared([({"x": Decimal("1.2"), "id": 1}, {"x": Decimal("1.5"), "id": 2})], rules).differing == 0
    assert compared([({"amount": Decimal("1.2")}, {"amount": Decimal("1.5")})], rules).differing == 1


@pytest.mark.parametrize("pattern", ["*", "output", "output.*"])
def test_where_all_is_ignored_nothing_was_compared_which_is_no_success(pattern: str) -> None:
    outcome = compared([({"x": 1}, {"x": 2}, {"x": 3})] * 60, Rules(ignore=(pattern,)))
    assert outcome.rounds == 0
    assert why_not(outcome, {}, Limits(1.0)) == "nothing was compared"
    money = compared([({"x": 1, "amount": 1}, {"x": 2, "amount": 2})] * 60, Rules(ignore=(pattern,)))
    assert (money.rounds, money.differing) == (60, 60)


def test_a_difference_is_priced_where_both_sides_state_it_and_is_else_not_priced_never_zero() -> None:
    usd = {"currency": "USD"}
    outcome = compared(
        [
            ({"bet": 1, "pnl": "0.10", **usd}, {"bet": 2, "pnl": "-0.20", **usd}),
            ({"bet": 1, "pnl": "0.70", **usd}, {"bet": 2}),
            ({"bet": 1, "pnl": "9", **usd}, {"bet": 1}),
            ({"bet": 1, "pnl": "3", "currency": "EUR"}, {"bet": 2, "pnl": "5", "currency": "EUR"}),
            ({"bet": 1, "pnl": "NaN", **usd}, {"bet": 2, "pnl": "1", **usd}),
            ({"bet": 1, "pnl": "1", "dry": True, **usd}, {"bet": 2, "pnl": "1", **usd}),
        ]
    )
    assert {name: one.difference for name, one in outcome.priced.items()} == {
        "EUR": Decimal(2),
        "USD": Decimal("-0.30"),
    }
    assert (outcome.differing, outcome.unpriced) == (5, 3)
    assert outcome.earned == {"USD": Decimal("0.80"), "EUR": Decimal(3)}
    assert "3 not priced" in figures(outcome, {}, 1)


@pytest.mark.parametrize(
    ("would", "limit", "why"),
    [
        ("0.10", "5 USD", ""),
        ("-4.90", "5 USD", ""),
        ("-5.00", "5 USD", "-5.10 USD"),
        ("-4.90", "5 EUR", "-5.00 USD"),
        (None, "5 USD", "no price"),
    ],
)
def test_a_limit_in_money_is_kept_in_its_currency_and_closed_where_a_price_is_missing(
    would: str | None, limit: str, why: str
) -> None:
    own = {"bet": 2} if would is None else {"bet": 2, "pnl": would, "currency": "USD"}
    outcome = compared([({"bet": 1, "pnl": "0.10", "currency": "USD"}, own)])
    told = why_not(outcome, {}, Limits(1.0, parse_money(limit)))
    assert (why in told) if why else told == ""


def test_a_share_that_is_no_number_lets_nothing_through() -> None:
    outcome = compared([({"bet": 1}, {"bet": 2})])
    assert why_not(outcome, {}, Limits(1.0)) == ""
    assert why_not(outcome, {}, Limits(float("nan")))


@pytest.mark.parametrize("fault", list(Fault))
def test_no_failure_to_answer_is_success(fault: Fault) -> None:
    outcome = compared([({"bet": 1}, {"bet": 1})])
    assert fault.value in why_not(outcome, {fault: 1}, Limits(1.0))
    assert why_not(compared([]), {}, Limits(1.0))


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ({}, Fault.MALFORMED),
        ({"output": 1, "error": "x"}, Fault.MALFORMED),
        ({"output": 1, "decision_type": 5}, Fault.MALFORMED),
        ({"output": {"bet": Decimal("NaN")}}, Fault.NOT_FINITE),
        ({"output": {"bet": [Decimal("-Infinity")]}}, Fault.NOT_FINITE),
        ({"output": Decimal("1e999")}, Fault.NOT_FINITE),
        ({"output": 10**999}, Fault.NOT_FINITE),
        ({"output": 1, "agent_version": "2.4.0"}, Fault.OTHER_VERSION),
        ({"output": 1, "agent_version": "2.5.0"}, None),
        ({"output": None}, None),
        ({"error": "x" * 9999}, None),
    ],
)
def test_each_way_to_fail_an_answer_has_its_class(document: dict[str, Any], fault: Fault | None) -> None:
    read = read_answer(document, "2.5.0", PATHS)
    assert (None if isinstance(read, Answer) else read[0]) is fault


def test_what_is_nested_too_deeply_is_no_answer() -> None:
    deep: Any = 1
    for _ in range(200):
        deep = {"a": deep}
    read = read_answer({"output": deep}, "", PATHS)
    assert not isinstance(read, Answer) and read[0] is Fault.MALFORMED


def test_hostile_fields_sets_and_currencies_cost_no_memory_and_all_count() -> None:
    tally = Tally(Rules(), PATHS)
    rounds = MAX_SETS + 200
    for number in range(1, rounds + 1):
        own = {f"f{number % 997}": 1, f"g{number % 61}": 1, "pnl": "1", "currency": f"C{number}"}
        tally.add(recorded(number, {"pnl": "2", "currency": f"C{number}"}), [answer(own)])
    outcome = tally.end()
    assert outcome.differing == rounds
    assert len(outcome.fields) <= MAX_PATHS + len(Kind)
    assert len(outcome.priced) <= MAX_CURRENCIES
    assert outcome.unpriced == rounds - MAX_CURRENCIES


@pytest.mark.parametrize("text", ["5", "-5 USD", "NaN USD", "USD 5", "5 USD x", "", "1e999 USD"])
def test_a_limit_without_currency_or_that_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no amount"):
        parse_money(text)
    assert parse_money("5 USD") == Money(Decimal(5), "USD")


def test_the_sign_test_is_exact_and_goes_on_where_it_is_approximated() -> None:
    assert not beyond_noise(0, 0)
    assert (beyond_noise(4, 0), beyond_noise(5, 0)) == (False, True)
    assert (beyond_noise(58, 42), beyond_noise(59, 41)) == (False, True)  # 0.067 and 0.044
    turns = [next(apart for apart in range(90, n) if beyond_noise(apart, n - apart)) for n in (EXACT_UP_TO, 202, 400)]
    assert turns == [113, 114, 217]  # of which the last two are those of the exact test too
    assert (beyond_noise(501_000, 499_000), beyond_noise(500_500, 499_500)) == (True, False)
