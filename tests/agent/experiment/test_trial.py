"""ABTest: each round has its strategy, each strategy half the capital, and the evidence is by return, not by size."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.agent.experiment.trial import ABTest
from console.domain.errors import Refused, UsageError
from console.domain.experiment.trial import Arm, Experiment, ExperimentVerdict
from console.domain.statistics.evidence import Settings

SIZING = Experiment(
    "sizing", "bet_sizing", "kelly_floor", "flat", Settings(margin=0.3, sigma=1.0, lowest=-1.5, highest=1.5)
)


def unit_of(arm: Arm, skip: int = 0) -> str:
    return [f"u{at}" for at in range(200) if SIZING.assign(f"u{at}") is arm][skip]


def test_a_round_always_plays_the_same_strategy() -> None:
    test = ABTest(SIZING, capital=Decimal(1000))
    assert {test.value(unit_of(Arm.A)), test.value(unit_of(Arm.B))} == {"kelly_floor", "flat"}
    assert test.value("u1") == ABTest(SIZING, capital=Decimal(1)).value("u1")


def test_each_arm_has_half_of_the_capital_and_not_a_cent_more() -> None:
    test = ABTest(SIZING, capital=Decimal("100.02"))
    assert test.stake(unit_of(Arm.A), Decimal("50.01")) is Arm.A
    with pytest.raises(Refused, match=r"50\.01 of 50\.01"):
        test.stake(unit_of(Arm.A, 1), Decimal("0.01"))
    assert test.stake(unit_of(Arm.B), Decimal("50.01")) is Arm.B
    test.record(unit_of(Arm.A), pnl=Decimal(0), at_risk=Decimal("50.01"))
    test.stake(unit_of(Arm.A, 1), Decimal("50.01"))


def test_a_stake_asked_for_twice_is_taken_once() -> None:
    test = ABTest(SIZING, capital=Decimal(100))
    for _ in range(3):
        test.stake("u1", Decimal(30))
    with pytest.raises(Refused, match="a stake of 30, not 31"):
        test.stake("u1", Decimal(31))


def test_the_verdict_is_by_return_on_the_money_at_risk() -> None:
    test = ABTest(SIZING, capital=Decimal(10_000))
    for at in range(3000):
        arm = SIZING.assign(f"r{at}")
        size = Decimal(1000) if arm is Arm.A else Decimal(1)
        swing = Decimal("0.8") if at % 3 == 0 else Decimal("-0.4")
        test.record(f"r{at}", pnl=size * (swing - (Decimal("0.5") if arm is Arm.A else 0)), at_risk=size)
    reading = test.reading()
    assert reading.verdict is ExperimentVerdict.B_BETTER
    assert reading.estimate == pytest.approx(0.5, abs=0.1)
    assert test.money()[0] < -500_000


@pytest.mark.parametrize("at_risk", ["0", "-1", "NaN"])
def test_a_round_without_money_at_risk_is_no_round(at_risk: str) -> None:
    with pytest.raises(UsageError):
        ABTest(SIZING, capital=Decimal(1)).record("u", pnl=Decimal(1), at_risk=Decimal(at_risk))


def kept(test: ABTest) -> Any:
    return json.loads(json.dumps(test.state(), allow_nan=False))


played = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 40), st.integers(-9, 9), st.booleans()), max_size=40)


def play(test: ABTest, round_: tuple[int, int, int, bool], at: int) -> object:
    unit, amount, pnl, ends = f"u{round_[0]}-{at}", Decimal(round_[1]), Decimal(round_[2]) / 7, round_[3]
    try:
        arm = test.stake(unit, amount)
    except Refused as refused:
        return str(refused)
    if ends:
        test.record(unit, pnl=pnl.quantize(Decimal("0.000001")), at_risk=amount)
    return arm


@given(played, played)
def test_a_test_that_was_killed_goes_on_with_the_same_money_stakes_and_evidence(
    before: list[tuple[int, int, int, bool]], after: list[tuple[int, int, int, bool]]
) -> None:
    lived, restored = (ABTest(SIZING, capital=Decimal(200)) for _ in range(2))
    for at, round_ in enumerate(before):
        play(lived, round_, at)
    restored.restore(kept(lived))
    assert restored.state() == lived.state()
    for at, round_ in enumerate(after, len(before)):
        assert play(restored, round_, at) == play(lived, round_, at)
        assert (restored.reading(), restored.money()) == (lived.reading(), lived.money())


def test_a_state_of_another_test_or_that_is_none_is_refused_and_changes_nothing() -> None:
    lived = ABTest(SIZING, capital=Decimal(200))
    play(lived, (1, 10, 3, True), 1)
    state = kept(lived)
    other = ABTest(replace(SIZING, settings=replace(SIZING.settings, margin=0.4)), capital=Decimal(200))
    fresh = ABTest(SIZING, capital=Decimal(200))
    for test, wrong in (
        (other, state),
        (fresh, None),
        (fresh, {}),
        (fresh, {**state, "money": {"A": "NaN", "B": "0"}}),
        (fresh, {**state, "stakes": {"u": "x"}}),
        (fresh, {**state, "judge": None}),
    ):
        before = test.state()
        with pytest.raises(UsageError):
            test.restore(wrong)
        assert test.state() == before


BY_CUSTOMER = replace(SIZING, cluster="inputs.customer")


def test_all_rounds_of_a_cluster_play_the_same_strategy_and_one_that_names_none_is_refused() -> None:
    test = ABTest(BY_CUSTOMER, capital=Decimal(1000))
    assert len({test.value(f"r{at}", "c7") for at in range(40)}) == 1
    assert {test.value("r1", f"c{at}") for at in range(40)} == {"kelly_floor", "flat"}
    for ask in (
        lambda: test.value("r1"),
        lambda: test.stake("r1", Decimal(1)),
        lambda: test.record("r1", pnl=Decimal(1), at_risk=Decimal(1)),
    ):
        with pytest.raises(UsageError, match=r"counts by inputs\.customer"):
            ask()
    assert test.money() == (0, 0)


def test_a_stake_keeps_its_cluster_over_a_restart_and_frees_that_arms_half() -> None:
    lived, restored = (ABTest(BY_CUSTOMER, capital=Decimal(100)) for _ in range(2))
    arm = lived.stake("r1", Decimal(30), "c7")
    restored.restore(kept(lived))
    assert restored.state() == lived.state()
    assert restored.stake("r1", Decimal(30), "c7") is arm
    restored.record("r1", pnl=Decimal(-30), at_risk=Decimal(30))
    assert restored.money()[list(Arm).index(arm)] == -30
    assert sum(restored.reading().clusters or ()) == 1
    restored.stake("r2", Decimal(50), "c7")


def test_what_was_known_before_counts_for_the_cluster_it_is_of() -> None:
    before = {f"c{at}": 0.1 * (at % 7) for at in range(100)}
    test = ABTest(BY_CUSTOMER, capital=Decimal(10_000), before=before)
    for at in range(240):
        who = at % 120
        pnl = Decimal(str(round(0.1 * (who % 7) + 0.01 * (at % 5), 3)))
        test.record(f"r{at}", pnl=pnl, at_risk=Decimal(1), cluster=f"c{who}")
    reading = test.reading()
    assert reading.known_before == 100
    assert reading.reduction > 0.5
