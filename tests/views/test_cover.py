"""A figure is called one of 24 hours only where all of them were read."""

from __future__ import annotations

import json
from datetime import timedelta

from console.domain.fence.deployment import Slot
from console.domain.seen.observation import Observation
from console.views.cover import day_text, since_text
from console.views.fence.slots import slot_view
from console.views.status.report import status_report
from console.views.status.text import status_text
from tests.scenarios.catalogue import observation


def read_for(hours: float) -> Observation:
    seen = observation("blue-active")
    assert seen.logs is not None
    since = seen.now - timedelta(hours=hours)
    by_slot = {name: one._replace(since=since, latencies=1000) for name, one in seen.logs.by_slot.items()}
    by_version = {name: one._replace(since=since) for name, one in seen.logs.by_version.items()}
    return seen._replace(logs=seen.logs._replace(by_slot=by_slot, by_version=by_version))


def test_24_hours_are_called_so_and_less_says_since_when() -> None:
    now = observation("blue-active").now
    assert day_text(now - timedelta(hours=24), now) == day_text(None, now) == "24 h"
    assert day_text(now - timedelta(hours=23), now) == f"since {now - timedelta(hours=23):%H:%M}"
    assert since_text(now - timedelta(days=5), now) == f"since {now - timedelta(days=5):%b %d %H:%M}"
    assert since_text(now + timedelta(hours=1), now) == f"since {now:%H:%M}"


def test_card_line_and_document_all_say_what_they_cover() -> None:
    seen = read_for(2)
    since = f"since {seen.now - timedelta(hours=2):%H:%M}"
    view = slot_view(seen, Slot.BLUE)
    assert (view.pnl[0].label, view.pnl[0].total_since) == (f"PnL {since}", since)
    assert any(fact.label == since for line in view.short for fact in line)
    facts = [fact.text for line in view.lines for fact in line]
    assert since in facts
    assert "of last 1,000" in facts
    text = "\n".join(status_text(seen))
    assert "24 h" not in text
    assert f"0 refused, {since}" in text
    document = json.loads(json.dumps(status_report(seen).document()))
    blue = document["slots"]["blue"]
    stamp = (seen.now - timedelta(hours=2)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert (blue["since"], blue["latencies"], blue["pnl"][0]["last_24h_since"]) == (stamp, 1000, stamp)


def test_where_more_than_24_hours_were_read_the_sum_of_24_hours_begins_24_hours_ago() -> None:
    seen = read_for(100)
    view = slot_view(seen, Slot.BLUE)
    assert view.pnl[0].label == "PnL 24 h"
    day = (seen.now - timedelta(hours=24)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert status_report(seen).document()["slots"]["blue"]["pnl"][0]["last_24h_since"] == day
