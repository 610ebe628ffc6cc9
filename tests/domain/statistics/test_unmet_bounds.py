"""A payoff beyond the declared bounds: from the round in which it is met on nothing is safe, and the money counts."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal

import pytest

from console.domain.statistics.evidence import Form, LossBudget, Settings, Verdict
from console.domain.statistics.judge import Judge

SETTINGS = Settings(margin=0.2, sigma=0.3, lowest=-1.0, highest=1.0, share=0.5, due_rounds=400, sigma_canary=0.3)


@pytest.mark.parametrize("beyond", [-20.0, 20.0], ids=["loss", "gain"])
def test_what_was_safe_before_a_payoff_beyond_the_bounds_was_met_is_not_safe_from_then_on(beyond: float) -> None:
    promoted_before = met_runs = 0
    for seed in range(8):
        chance, judge, budget = random.Random(seed), Judge(SETTINGS), LossBudget(Decimal(30))
        met, money = 0, Decimal(0)
        for _ in range(500):
            canary = chance.random() < 0.5
            odd = canary and chance.random() < 1 / 150
            value = beyond if odd else chance.uniform(-0.5, 0.5)
            judge.round(canary, value, 0.5)
            if canary:
                budget.add(Decimal(str(value)))
                money += Decimal(str(value))
            met += odd
            verdict = judge.evidence.verdict
            promoted_before += not met and verdict is Verdict.SAFE
            assert not met or verdict is not Verdict.SAFE
        met_runs += met > 0
        assert judge.evidence.outside == met
        assert budget.balance == money, "the budget counts what was lost, not the bound"
    assert met_runs >= 4
    assert promoted_before > 0, "until it is met nobody can know of it: the loss budget is what bounds that"


@pytest.mark.parametrize("whose", [0, 1], ids=["canary", "stable"])
@pytest.mark.parametrize("form", [Form.ADJUSTED, Form.BOUNDED])
def test_a_payoff_beyond_the_bounds_that_a_price_foretells_is_not_safe_before_it_is_met(whose: int, form: Form) -> None:
    chance, judge = random.Random(1), Judge(replace(SETTINGS, form=form))
    safe_before = 0
    for number in range(700):
        value = chance.uniform(-0.5, 0.5)
        priced = [value, value]
        if number == 600:
            priced[whose] = -20.0
        judge.round(chance.random() < 0.5, value, 0.5, priced=(priced[0], priced[1]))
        if number < 600:
            safe_before += judge.evidence.verdict is Verdict.SAFE
        else:
            assert judge.evidence.verdict is not Verdict.SAFE
    assert safe_before > 0 and judge.evidence.outside == 1
    again = Judge(replace(SETTINGS, form=form))
    again.restore(judge.state())
    assert again.evidence == judge.evidence
