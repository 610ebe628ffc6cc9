"""A figure is called one of 24 hours only where all of them were read."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal

from console.domain.fence.deployment import Slot
from console.domain.seen.earned import Counted, EarnedTotal
from console.domain.seen.observation import Observation
from console.domain.text import Safe
from console.views.cover import day_text, since_text
from console.views.fence.slots import slot_view
from console.views.status.report import status_report
from console.views.status.text import status_text
from console.views.tone import Tone
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


def counted_for(seen: Observation, counted: Counted) -> Observation:
    assert seen.logs is not None
    return seen._replace(logs=seen.logs._replace(counted=counted))


def test_a_part_of_24_hours_is_said_to_be_counted_and_then_is_the_exact_sum() -> None:
    seen = read_for(2)
    counting = counted_for(seen, Counted(read_bytes=43, of_bytes=100))
    money = slot_view(counting, Slot.BLUE).pnl[0]
    assert (money.label, money.amount, money.tone) == ("PnL 24 h", "counting… 43 %", Tone.MUTED)
    assert "counting… 43 %" in "\n".join(status_text(counting))
    record = status_report(counting).document()["slots"]["blue"]["pnl"][0]
    assert (record["last_24h_cover"], record["counted"], record["since_switch"]) == ("counting", 0.43, None)
    total = EarnedTotal("blue", Safe(money.currency), False, 9, Decimal("-12.5"))
    sums = Counted(True, 100, 100, (total,), seen.now, (total._replace(amount=Decimal(3)),))
    exact = counted_for(seen, sums)
    money = slot_view(exact, Slot.BLUE).pnl[0]
    assert (money.label, money.amount, money.tone) == ("PnL 24 h", "−12.50", Tone.LOSS)
    assert "since the switch +3.00" in "\n".join(status_text(exact))
    record = status_report(exact).document()["slots"]["blue"]["pnl"][0]
    assert (record["last_24h_cover"], record["last_24h"], record["since_switch"]) == ("exact", "-12.5", "3")


def test_where_a_log_cannot_count_the_figure_says_what_it_covers() -> None:
    seen = counted_for(read_for(2), Counted(problem=Safe("b.jsonl: is a directory")))
    since = f"since {seen.now - timedelta(hours=2):%H:%M}"
    assert slot_view(seen, Slot.BLUE).pnl[0].label == f"PnL {since}"
    record = status_report(seen).document()["slots"]["blue"]["pnl"][0]
    assert record["last_24h_cover"] == "part"
