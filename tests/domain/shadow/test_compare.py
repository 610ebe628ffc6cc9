"""Comparing decisions: kinds of difference, rules, noise, and that money is never allowed for."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.errors import UsageError
from console.domain.shadow.compare import MAX_FIELDS, Kind, Raised, Rules, compare
from console.domain.shadow.rates import MAX_PATHS, OTHER, Tally, parse_divergence

LIVE = {"action": "bet", "amount": "10.00", "side": "heads", "reasoning": "edge", "legs": [{"id": 1}, {"id": 2}]}


def kinds(live: object, shadow: object, rules: Rules | None = None) -> list[tuple[str, Kind]]:
    return [(str(mismatch.path), mismatch.kind) for mismatch in compare(live, shadow, rules).mismatches]


@pytest.mark.parametrize(
    ("live", "shadow", "expected"),
    [
        ({"x": 1}, {"x": 2}, [("x", Kind.VALUE)]),
        ({"x": 1}, {"x": "1"}, [("x", Kind.TYPE)]),
        ({"x": 1}, {"x": True}, [("x", Kind.TYPE)]),
        ({"x": None}, {"x": 0}, [("x", Kind.TYPE)]),
        ({"x": 1, "y": 2}, {"x": 1}, [("y", Kind.MISSING)]),
        ({"x": 1}, {"x": 1, "y": 2}, [("y", Kind.EXTRA)]),
        ({"x": [1, 2]}, {"x": [2, 1]}, [("x", Kind.ORDER)]),
        ({"x": [1, 2]}, {"x": [1, 3]}, [("x.1", Kind.VALUE)]),
        ({"x": [1, 2]}, {"x": [1]}, [("x.1", Kind.MISSING)]),
        ({"a": {"b": [{"c": 1}]}}, {"a": {"b": [{"c": 2}]}}, [("a.b.0.c", Kind.VALUE)]),
        (Raised("TimeoutError"), {"x": 1}, [("", Kind.RAISED)]),
        ({"x": 1}, Raised("ValueError"), [("", Kind.RAISED)]),
        (Raised("ValueError"), Raised("KeyError"), [("", Kind.RAISED)]),
        ("hold", "bet", [("", Kind.VALUE)]),
        ([1], {"0": 1}, [("", Kind.TYPE)]),
    ],
)
def test_every_kind_of_difference_is_named(live: object, shadow: object, expected: list[tuple[str, Kind]]) -> None:
    assert kinds(live, shadow) == expected


@pytest.mark.parametrize(
    ("live", "shadow"),
    [
        (1, 1.0),
        (0.1, Decimal("0.1")),
        (float("nan"), float("nan")),
        ([], ()),
        ({}, {}),
        ([1, 2], (1, 2)),
        (Raised("E", "a"), Raised("E", "b")),
        (10**30, Decimal(10) ** 30),
    ],
)
def test_what_an_operator_would_call_the_same_is_the_same(live: object, shadow: object) -> None:
    assert compare(live, shadow).equal


def test_a_large_integer_is_not_rounded_before_it_is_compared() -> None:
    assert kinds({"x": 2**53 + 1}, {"x": float(2**53)}) == [("x", Kind.VALUE)]


def test_an_ignored_field_is_counted_and_never_as_matched() -> None:
    comparison = compare(LIVE, LIVE | {"reasoning": "other words"}, Rules(ignore=("reasoning",)))
    assert (comparison.matched, comparison.ignored, comparison.equal) == (5, 1, True)


def test_nothing_but_ignored_fields_is_not_equality() -> None:
    comparison = compare({"reasoning": "a"}, {"reasoning": "a"}, Rules(ignore=("*",)))
    assert (comparison.matched, comparison.ignored, comparison.equal) == (0, 1, False)


def test_numbers_within_a_tolerance_are_tolerated_and_not_matched() -> None:
    rules = Rules(absolute={"*.price": 0.01}, relative={"score": 0.1})
    comparison = compare({"leg": {"price": 1.005}, "score": 100}, {"leg": {"price": 1.01}, "score": 91}, rules)
    assert (comparison.matched, comparison.tolerated, comparison.equal) == (0, 2, True)
    assert kinds({"leg": {"price": 1.0}}, {"leg": {"price": 1.02}}, rules) == [("leg.price", Kind.VALUE)]
    assert kinds({"score": 1.0}, {"score": float("inf")}, rules) == [("score", Kind.VALUE)]


def test_order_means_nothing_where_the_author_says_so() -> None:
    assert compare({"tags": ["a", "b"]}, {"tags": ["b", "a"]}, Rules(unordered=("tags",))).equal


@pytest.mark.parametrize("name", ["amount", "side", "asset", "recipient", "Amount", "legs.*.amount", "amount.value"])
def test_no_rule_may_name_a_field_that_moves_money(name: str) -> None:
    for rules in ({"ignore": (name,)}, {"absolute": {name: 0.1}}, {"relative": {name: 0.1}}):
        with pytest.raises(UsageError, match="moves money"):
            Rules(**rules)


def test_a_wildcard_does_not_reach_a_field_that_moves_money() -> None:
    rules = Rules(ignore=("*",), absolute={"*": 100.0}, relative={"*": 1.0})
    assert kinds(LIVE, LIVE | {"amount": "10.01"}, rules) == [("amount", Kind.VALUE)]
    assert kinds({"amount": 10.0}, {"amount": 10.01}, rules) == [("amount", Kind.VALUE)]
    assert kinds({"order": {"amount": 10}}, {"order": {"amount": 11}}, rules) == [("order.amount", Kind.VALUE)]
    assert kinds({"order": {"amount": 10}}, {}, rules) == [("order", Kind.MISSING)]


def test_an_author_may_add_names_that_move_money() -> None:
    with pytest.raises(UsageError):
        Rules(ignore=("leverage",), money=frozenset({"leverage"}))


def test_too_many_fields_are_said_to_be_too_many_and_never_called_equal() -> None:
    big = {str(at): at for at in range(MAX_FIELDS + 5)}
    comparison = compare(big, dict(big))
    assert [mismatch.kind for mismatch in comparison.mismatches] == [Kind.TOO_LARGE]
    deep: object = 1
    for _ in range(200):
        deep = [deep]
    assert not compare(deep, deep).equal


def test_one_sided_fields_beyond_the_bound_are_too_many_too() -> None:
    comparison = compare({}, {str(at): at for at in range(MAX_FIELDS + 5)})
    assert comparison.mismatches[-1].kind is Kind.TOO_LARGE


def test_what_is_shown_of_a_difference_is_safe_to_draw() -> None:
    mismatch = compare({"x": "\x1b[31m" + "a" * 9999}, {"x": "[/b]"}).mismatches[0]
    assert "\x1b" not in mismatch.live
    assert len(mismatch.live) <= 200


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=4), below, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_a_decision_equals_itself(value: object) -> None:
    assert compare(value, value).equal


@given(json_values, json_values)
def test_difference_is_symmetrical_and_counts_every_field_once(left: object, right: object) -> None:
    there, back = compare(left, right), compare(right, left)
    assert there.equal == back.equal
    assert len(there.mismatches) == len(back.mismatches)
    assert there.matched == back.matched


def test_noise_is_taken_off_the_raw_rate_but_never_off_money() -> None:
    tally = Tally()
    for at in range(100):
        tally.add(compare(LIVE, LIVE | {"reasoning": "x"} if at < 30 else LIVE))
        tally.add(compare(LIVE, LIVE | {"amount": "11"} if at < 10 else LIVE))
    for at in range(50):
        tally.add_noise(compare(LIVE, LIVE | {"reasoning": "y", "amount": "12"} if at < 5 else LIVE))
    by_path = {rate.path: rate for rate in tally.fields()}
    assert (tally.rounds, tally.diverged, tally.noise_rounds, tally.noise_diverged) == (200, 40, 50, 5)
    assert by_path["reasoning"].rate == 0.15
    assert by_path["reasoning"].noise == 0.1
    assert by_path["reasoning"].excess == pytest.approx(0.05)
    assert by_path["amount"].excess == by_path["amount"].rate == 0.05


def test_positions_in_lists_are_counted_as_one_field() -> None:
    tally = Tally()
    tally.add(compare({"legs": [{"p": 1}, {"p": 2}]}, {"legs": [{"p": 3}, {"p": 4}]}))
    assert [(rate.path, rate.rounds) for rate in tally.fields()] == [("legs.*.p", 1)]


def test_hostile_names_do_not_grow_the_tally_without_bound() -> None:
    tally = Tally()
    for at in range(3 * MAX_PATHS):
        tally.add(compare({f"x{at}": 1}, {f"x{at}": 2}))
    assert len(tally.fields()) == MAX_PATHS + 1
    assert sum(rate.rounds for rate in tally.fields() if rate.path == OTHER) == 2 * MAX_PATHS


def test_a_divergence_survives_its_own_record() -> None:
    record = {"state": {"r": 1}, "live": "HOLD", "shadow": "CASH_OUT", "timestamp": 1767000000.25}
    assert parse_divergence(record).as_record() == record


@pytest.mark.parametrize(
    "record",
    [
        [],
        {"state": 1, "live": 2, "shadow": 3},
        {"state": 1, "live": 2, "shadow": 3, "timestamp": "now"},
        {"state": 1, "live": 2, "shadow": 3, "timestamp": 1e300},
        {"state": 1, "live": 2, "shadow": 3, "timestamp": True},
        {"state": 1, "live": 2, "shadow": 3, "timestamp": float("nan")},
    ],
)
def test_a_record_that_is_no_divergence_is_refused(record: object) -> None:
    with pytest.raises(ValueError, match=r"missing|timestamp|object"):
        parse_divergence(record)
