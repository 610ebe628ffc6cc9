"""What a guard has at hand of an agent becomes labels and ages only through a check."""

from __future__ import annotations

from decimal import Decimal

import pytest

from console.domain.triggers.rounds import PnlWindow
from console.domain.triggers.settings import TriggerSettings
from console.guard.metrics.gather import Gatherer
from console.guard.metrics.sight import Money, money_of
from tests.guard.stage import Stage


def window(*amounts: int) -> PnlWindow:
    made = PnlWindow(TriggerSettings())
    for number, amount in enumerate(amounts):
        made.add(float(number), Decimal(amount), str(number))
    return made


@pytest.mark.parametrize("hostile", ['U"} 1\nx', "US D", "€", "x" * 17, "\x00", "other", "none", "U\u202eSD"])
def test_what_is_no_name_of_a_currency_is_counted_under_other_without_an_amount(hostile: str) -> None:
    told = money_of({"USD": window(3, 4), hostile: window(1, 2)}, 5)
    assert told == (Money("USD", Decimal(7), 2), Money("other", None, 7))


def test_rounds_that_name_no_currency_are_told_by_themselves() -> None:
    assert money_of({"": window(3)}, 0) == (Money("none", Decimal(3), 1),)
    assert money_of({}, 0) == ()


async def test_a_clock_that_is_put_back_makes_nothing_young(stage: Stage) -> None:
    guard = await stage.guard()
    stage.write(stage.now(pnl=1.0))
    await guard.step()
    at_s = 1_000.0
    gatherer = Gatherer(guard, lambda: at_s)
    gatherer.sight([guard.ward])
    before = gatherer.gathered.sights["agent"]
    assert before.look is not None and before.look[1] <= 1_000.0
    stage.ahead_s, at_s = -7200.0, 1_500.0
    gatherer.sight([guard.ward])
    after = gatherer.gathered.sights["agent"]
    assert after.look == before.look
    assert after.decisions.newest_s == before.decisions.newest_s
