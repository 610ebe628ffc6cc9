"""What a person who reviews gets to see of each of the first decisions."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from console.commands.upgrade.seen import first_of
from console.domain.seen.decision import Money
from console.domain.text import Safe
from tests.scenarios.parts import ago, decision, logs
from tests.scenarios.upgrading import REVIEW


def test_a_first_decision_tells_when_what_the_money_and_why_and_nobody_else_s_are_among_them() -> None:
    run = replace(REVIEW, switched_at=ago(20))
    own = decision(7, 10, "green")._replace(
        kind=Safe("bet"), outcome=Safe("BET"), reasoning=Safe("odds"), pnl=Money(Decimal("-2.5"), Safe("USD"))
    )
    bare = decision(8, 5, "green")._replace(kind=Safe("bet"), outcome=Safe("HOLD"), reasoning=Safe(""), pnl=None)
    others = decision(9, 10, "blue"), decision(1, 30, "green")
    told = first_of(logs()._replace(recent=(bare, own, *others)), run)
    assert told == (f"{ago(10):%H:%M:%S}Z bet BET; -2.5 USD; odds", f"{ago(5):%H:%M:%S}Z bet HOLD")
    assert first_of(None, run) is None and first_of(logs(), replace(run, switched_at=None)) is None
