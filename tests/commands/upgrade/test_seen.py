"""What a person who reviews gets to see of each of the first decisions."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from console.commands.upgrade.seen import first_of, moved_by
from console.domain.fence.deployment import Slot
from console.domain.fence.intent import Source
from console.domain.fence.way_back import SideEvent, SideHistory
from console.domain.seen.decision import Money
from console.domain.text import Safe
from console.domain.upgrade.advance import Moved
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


def test_a_switch_that_drained_was_made_by_whoever_began_the_drain_and_not_by_its_end() -> None:
    began = SideEvent("drain", ago(9), 41, None, Safe("bob@ops-2"), Safe("by hand"), "s-1", Source.OPERATOR)
    end = SideEvent("switched", ago(8), 42, Slot.BLUE, Safe("drain"), Safe(""), source=Source.DRAIN)
    moved = moved_by(SideHistory((began, end), {}, None), end)
    assert moved == Moved("bob@ops-2", Source.OPERATOR, f"switched blue at {ago(8):%H:%M:%S}Z")
    alone = moved_by(SideHistory((end,), {}, None), end)
    assert alone is not None and alone.by == "drain", "where the beginning is not recorded any more"
    assert moved_by(None, None) is None
