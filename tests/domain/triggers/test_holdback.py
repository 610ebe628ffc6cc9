"""Where no priced shadow tells, the rounds that the old version still plays are what the new one is held against."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

from console.domain.errors import UsageError
from console.domain.triggers.facts import Tenure
from console.domain.triggers.finding import Trigger, Verdict
from console.domain.triggers.settings import TriggerSettings, changed
from tests.domain.triggers.test_rules import SWITCH, Case, row

HELD = changed(TriggerSettings(), {"pnl.holdback": "0.05"})


def played(
    *, worse: float, market: float, rounds: int = 1500, seed: int = 1, settings: TriggerSettings = HELD
) -> tuple[Case, bool]:
    """Green after blue, whose rounds were 1 ± 1: the market moves, every 20th round is blue's. Whether it tripped."""
    chance, case = random.Random(seed), Case(settings)
    for number in range(rounds):
        held = chance.random() < 0.05
        value = 1.0 + market + chance.gauss(0.0, 1.0) - (0.0 if held else worse)
        amount = Decimal(str(round(value, 6)))
        case.add(row(number + 1, "blue" if held else "green", amount=amount, currency="USD"))
        if not number % 50 and case.of(Trigger.PNL, number + 1).verdict is Verdict.HARM:
            return case, True
    return case, False


@pytest.mark.parametrize("market", [-0.3, -2.0, 1.0])
def test_a_market_that_moves_for_both_is_no_harm_from_the_first_round_on(market: float) -> None:
    assert sum(played(worse=0.0, market=market, seed=seed)[1] for seed in range(5)) == 0


def test_where_the_old_version_plays_less_than_its_share_the_past_stands_in_with_its_weakness() -> None:
    case = Case(HELD).rounds([-1.0, 0.0] * 100)
    assert "held against the past" in case.of(Trigger.PNL, 201).reason


def test_harm_beside_the_rounds_held_back_is_found_in_a_market_that_rises_over_it() -> None:
    case, tripped = played(worse=1.5, market=3.0)
    assert tripped
    reason = case.of(Trigger.PNL, 1500).reason
    assert "rounds that the old version still played meanwhile" in reason
    assert "; smaller wins: wins 99.1 % at +2.42, before 100 % at +4.11" in reason
    assert not played(worse=1.5, market=3.0, settings=TriggerSettings())[1], "held against the past it is hidden"


def test_without_a_holdback_the_other_sides_rounds_are_no_evidence_and_the_past_is_named() -> None:
    case, _ = played(worse=0.0, market=-2.0, rounds=200, settings=TriggerSettings())
    assert not case.facts.beside.pnl
    assert "held against the past" in case.of(Trigger.PNL, 201).reason


def test_what_the_old_version_had_claimed_before_the_switch_is_no_holdback() -> None:
    case = Case(HELD)
    case.facts.begin(Tenure("green", 7, SWITCH))
    case.add(row(5, "blue", amount=Decimal(1), currency="USD", epoch=6))
    case.add(row(-1, "blue", amount=Decimal(1), currency="USD"))
    assert not case.facts.beside.pnl
    case.add(row(1, "blue", amount=Decimal(1), currency="USD", dry=True), row(1, "green", currency="USD"))
    assert not case.facts.beside.pnl
    case.add(row(2, "blue", amount=Decimal(1), currency="USD", epoch=7))
    assert case.facts.beside.pnl["USD"].total == 1


@pytest.mark.parametrize("share", ["-0.1", "0.6", "nan", "much"])
def test_a_holdback_that_is_no_share_is_refused(share: str) -> None:
    with pytest.raises(UsageError):
        changed(TriggerSettings(), {"pnl.holdback": share})
