"""ABTest: each round has its strategy, each strategy half the capital, and the evidence is by return, not by size."""

from decimal import Decimal

import pytest

from console.agent.experiment import ABTest
from console.domain.errors import Refused, UsageError
from console.domain.experiment import Arm, Experiment, ExperimentVerdict
from console.domain.statistics import Settings

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
