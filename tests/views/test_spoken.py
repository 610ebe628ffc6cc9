"""Lines for speech and for logs: everything once, then only what changed, in words that a voice can say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from console.views.spoken import changes, spoken, whole, worth
from tests.scenarios import NAMES, observation


@pytest.mark.parametrize("name", NAMES)
def test_every_situation_is_told_in_lines_without_boxes_or_signs(name: str) -> None:
    lines = [*whole(observation(name)), *worth(observation(name))]

    assert lines
    for line in lines:
        assert line == line.strip() and "  " not in line and len(line.splitlines()) == 1
        assert all(char.isascii() or char.isalnum() for char in line), line
        assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in line)


@pytest.mark.parametrize("name", NAMES)
def test_where_nothing_changed_nothing_is_told(name: str) -> None:
    seen = observation(name)

    assert list(changes(seen, seen)) == []


def test_time_alone_is_no_news() -> None:
    for name in ("fenced", "offline", "guarded", "canary-undecided", "upgrade-review"):
        seen = observation(name)
        assert list(changes(seen, seen._replace(now=seen.now + timedelta(milliseconds=200)))) == [], name


def test_a_loss_is_minus_and_no_dash() -> None:
    assert spoken("−44.59 USD → +1.00 USD · n 3") == "minus 44.59 USD to +1.00 USD, n 3"


def test_a_switch_a_trip_and_a_lost_store_are_told() -> None:
    assert any("Active: GREEN" in line for line in _between("blue-active", "green-active"))
    tripped = _between("guarded", "tripped")
    assert any(line.startswith("Alert: ") for line in tripped)
    lost = _between("fenced", "offline")
    assert "Store: offline." in lost and not any(line.startswith("Active") for line in lost)


def test_an_alert_is_told_again_when_somebody_has_seen_it() -> None:
    tripped, seen = observation("tripped"), observation("alert-acknowledged")
    assert tripped.store is not None and seen.store is not None
    by = next(alert for alert in seen.store.alerts if not alert.open)
    alerts = tuple(
        replace(alert, acknowledged_by=by.acknowledged_by, acknowledged_at=by.acknowledged_at)
        for alert in tripped.store.alerts
    )

    told = list(changes(tripped, tripped._replace(store=tripped.store._replace(alerts=alerts))))

    assert [line for line in told if line.startswith(f"Alert seen by {spoken(str(by.acknowledged_by))}")]


def test_hostile_words_say_nothing_that_a_terminal_obeys() -> None:
    for line in (*whole(observation("hostile-text")), *whole(observation("hostile-proofs"))):
        assert "\x1b" not in line and "\u202e" not in line


def _between(first: str, second: str) -> list[str]:
    return list(changes(observation(first), observation(second)))
