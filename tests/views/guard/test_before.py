"""Beside an alert stands what people changed shortly before it; the flag among that is where a key goes."""

from __future__ import annotations

from console.domain.guard.alerts import AlertKind
from console.domain.operator.receipt import Change
from console.domain.seen.observation import Observation
from console.domain.text import Safe
from console.views.guard.before import before_facts, changed_facts, newest_open, suspect
from tests.scenarios import observation
from tests.scenarios.guarded import alert
from tests.scenarios.parts import entry

ALERT = alert(AlertKind.WARNING, 60, "pnl: lost 250 USD")


def seen(*, seen_already: bool = False) -> Observation:
    """An alert a minute ago; flags changed long before it, shortly before it, and after it."""
    told = observation("fenced")
    assert told.store is not None
    audit = (
        entry(1, 60 + 16 * 60, "flag set", Change("flag:old", "1", "2")),
        entry(2, 300, "flag set", Change("flag:crash_target", "2.0", "9"), why="more variance"),
        entry(3, 200, "switch", Change("active version", "blue", "green")),
        entry(4, 150, "roll back", Change("flag:by_a_guard", "1", "2"))._replace(trigger=Safe("pnl")),
        entry(5, 30, "flag set", Change("flag:later", "1", "2")),
    )
    alerts = (alert(AlertKind.WARNING, 60, "pnl: lost 250 USD", seen=True) if seen_already else ALERT,)
    return told._replace(store=told.store._replace(audit=audit, alerts=alerts))


def test_what_people_changed_in_the_minutes_before_is_told_newest_first() -> None:
    assert before_facts(ALERT, seen()) == [
        ("before it", "active version blue → green, 2 min before, by ana@ops-1"),
        ("before it", "flag:crash_target 2.0 → 9, 4 min before, by ana@ops-1: more variance"),
    ]


def test_the_flag_is_the_one_that_was_changed_last_before_an_alert_that_nobody_has_seen() -> None:
    assert suspect(seen()) == "crash_target"
    assert newest_open(seen()) == ALERT
    assert (suspect(seen(seen_already=True)), newest_open(seen(seen_already=True))) == ("", None)
    assert suspect(seen()._replace(store=None)) == ""


def test_an_alert_from_before_the_audit_that_was_read_accuses_nothing() -> None:
    assert before_facts(ALERT, seen()._replace(store=None)) == []
    assert before_facts(alert(AlertKind.WARNING, 86_400, "pnl: lost 250 USD"), seen()) == []


def test_a_flag_says_who_changed_it_last_and_why() -> None:
    told = dict(changed_facts("crash_target", seen()))
    assert (told["changed"], told["why"]) == ("flag:crash_target 2.0 → 9 by ana@ops-1", "more variance")
    assert changed_facts("never", seen()) == []
