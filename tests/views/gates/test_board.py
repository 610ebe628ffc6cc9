"""The checklist on screen: what binds first stands on top, in numbers, with clocks that go on and ages that tell."""

from __future__ import annotations

from datetime import timedelta

from console.domain.fence.deployment import Slot
from console.domain.gates.gate import CheckPhase
from console.views.gates.board import check_facts, checks_view, is_manual, no_plans, plan_rows
from tests.scenarios import NOW
from tests.scenarios.boards import checks, plan


def test_in_each_phase_what_forbids_stands_first_then_what_is_shut_then_what_is_to_be_ticked() -> None:
    view = checks_view(checks(), NOW)
    ranks: list[int] = []
    for row in view.rows:
        if row.rank < 0:
            ranks = []
        assert not ranks or ranks[-1] <= row.rank
        ranks.append(row.rank)
    assert [row.item for row in view.rows[1:4]] == ["disputes", "auto-release", "venue-balance"]
    assert view.verdict == "a switch is forbidden by 3 gates"
    assert view.binding[1] == ("auto-release", "1 of 2 escrows: esc_91ab is released in 19 min")


def test_a_gate_that_was_not_checked_is_never_counted_as_open() -> None:
    seen = checks()
    lines = tuple(line._replace(forbids=False) for line in seen.checked.lines)
    view = checks_view(seen._replace(checked=seen.checked._replace(lines=lines)), NOW)
    assert view.verdict.startswith("no gate forbids a switch; ")
    assert view.verdict.endswith(" that could were not checked")
    assert view.tone.value == "warn"


def test_every_item_of_every_phase_is_there_once_with_evidence_age_and_source() -> None:
    seen = checks()
    rows = [row for row in checks_view(seen, NOW).rows if row.item]
    assert sorted(row.item for row in rows) == sorted(line.item.id for line in seen.checked.lines)
    assert all(row.value and row.age and row.source for row in rows)


def test_phases_whose_clocks_run_stand_first_and_their_time_goes_on_between_readings() -> None:
    seen = checks(target=Slot.BLUE, switched_s=730)
    order = [row.key for row in checks_view(seen, NOW).rows if not row.item]
    assert order == ["phase:during", "phase:after", "phase:warm", "phase:before"]
    clocks = {clock.phase: clock.text for clock in checks_view(seen, NOW).clocks}
    assert clocks == {"before": "over", "during": "0:17:50 left", "after": "0:17:50 left", "warm": "23:47:50 left"}
    later = checks_view(seen, NOW + timedelta(seconds=1_071))
    assert {clock.phase: clock.text for clock in later.clocks}["after"] == "over"


def test_evidence_grows_old_between_readings() -> None:
    seen = checks()
    rows = {row.item: row.age for row in checks_view(seen, NOW).rows}
    later = {row.item: row.age for row in checks_view(seen, NOW + timedelta(seconds=30)).rows}
    assert (rows["venue-key"], later["venue-key"]) == ("3.0 s", "33 s")


def test_manual_items_say_who_ticked_them_and_others_that_somebody_has_to() -> None:
    rows = {row.item: row for row in checks_view(checks(), NOW).rows}
    assert rows["plan-read"].state == "ticked"
    assert rows["plan-read"].value.startswith("ben@laptop")
    assert rows["first-ten"].state == "TO TICK"
    assert is_manual(checks(), "first-ten")
    assert not is_manual(checks(), "guard")
    assert not is_manual(None, "first-ten")


def test_a_detail_names_what_it_demands_and_what_to_do() -> None:
    facts = dict(check_facts(checks(), "auto-release", NOW))
    assert facts["state"] == "✖ CLOSED, which forbids a switch"
    assert facts["source"] == "commitments"
    assert "x ticks it" in dict(check_facts(checks(), "first-ten", NOW))["what next"]
    assert check_facts(checks(), "phase:before", NOW) == []


def test_plans_that_wait_for_somebody_stand_first_and_one_of_another_epoch_is_void() -> None:
    waiting, void = plan(), plan(("guard",))
    void = type(void)(**{**{name: getattr(void, name) for name in void.__slots__}, "expected_epoch": 1})
    rows = plan_rows(checks(plans=(void, waiting)), NOW)
    assert [row.state for row in rows] == ["waits", "void"]
    assert "2 people" in no_plans(checks(plans=()), "")


def test_only_known_phases_have_clocks() -> None:
    assert [clock.phase for clock in checks_view(checks(), NOW).clocks] == [phase.value for phase in CheckPhase]
