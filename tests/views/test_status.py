"""What `status` says: the same in words and as a document, whatever the store and the logs hold."""

from __future__ import annotations

import json
import re

import pytest

from console.domain.fence.deployment import Slot
from console.domain.state.flags import read_flag
from console.views.fence.link import link_view
from console.views.fence.slots import slot_view
from console.views.health import health_view
from console.views.status.report import status_report
from console.views.status.text import status_text
from console.views.tone import Tone
from tests.scenarios import NAMES, observation


@pytest.mark.parametrize("name", NAMES)
def test_every_scenario_is_a_document_with_the_promised_shape(name: str) -> None:
    document = json.loads(json.dumps(status_report(observation(name)).document()))
    assert {"agent", "active", "slots", "flags", "store", "decisions"} <= document.keys()
    assert document["slots"].keys() == {"blue", "green"}
    assert {"url", "latency_ms"} <= document["store"].keys()
    assert {"total", "rejected", "by_version"} <= document["decisions"].keys()
    assert all({"value", "type", "raw"} <= flag.keys() for flag in document["flags"].values())


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("name", NAMES)
def test_a_line_goes_on_below_where_the_terminal_ends_and_nothing_of_it_is_lost(name: str, width: int) -> None:
    whole, shown = status_text(observation(name)), status_text(observation(name), width)
    assert "".join("".join(shown).split()) == "".join("".join(whole).split())
    for line in shown:
        assert len(line) <= width or len(line.split()) == 1 or max(map(len, line.split())) + 12 > width


def test_an_amount_and_its_currency_stay_together_at_any_width() -> None:
    for width in range(40, 140):
        for line in status_text(observation("both-decide"), width):
            assert not re.match(r"\s*(USD|ms|%)\b", line)


@pytest.mark.parametrize(
    ("name", "active", "state"),
    [
        ("blue-active", "blue", "slot"),
        ("green-active", "green", "slot"),
        ("never-switched", None, "missing"),
        ("unknown-slot", None, "unknown"),
        ("wrong-types", None, "wrong type"),
        ("draining", "draining", "draining"),
        ("halted", "halted", "halted"),
    ],
)
def test_the_active_version_is_what_the_key_says_and_null_where_it_says_no_slot(
    name: str, active: str | None, state: str
) -> None:
    document = status_report(observation(name)).document()
    assert document["active"] == active
    assert document["active_key"]["state"] == state


def test_values_keep_their_types_and_numbers_their_digits() -> None:
    flags = status_report(observation("wrong-types")).document()["flags"]
    assert flags["max_session_bets"] == {
        "value": 50,
        "type": "number",
        "raw": "50",
        "default": "50",
        "missing": False,
        "problem": None,
    }
    assert flags["bet_sizing"]["type"] is None
    assert flags["bet_sizing"]["raw"] == "hash"
    assert flags["accept_escrows"]["problem"] == "registered as bool, but the text is a string"


def test_a_number_that_json_can_not_hold_is_text() -> None:
    seen = observation("blue-active")
    assert seen.store is not None
    huge = seen._replace(store=seen.store._replace(flags={"x": read_flag("x", "1e999"), "y": read_flag("y", "2.5")}))
    document = json.loads(json.dumps(status_report(huge).document(), allow_nan=False))
    assert document["flags"]["x"]["value"] == "1E+999"
    assert document["flags"]["y"]["value"] == 2.5


def test_a_flag_that_is_not_set_has_no_value_and_says_its_default() -> None:
    flag = status_report(observation("blue-active")).document()["flags"]["stop_loss_pct"]
    assert (flag["missing"], flag["value"], flag["raw"], flag["default"]) == (True, None, None, "0.20")


def test_dry_and_live_and_two_currencies_stay_apart() -> None:
    pnl = status_report(observation("dry-and-live")).document()["slots"]["blue"]["pnl"]
    assert [(p["currency"], p["dry"], p["last_24h"]) for p in pnl] == [
        ("USD", False, "-23.40"),
        ("BTC", False, "0.0009"),
        ("USD", True, "12.00"),
    ]


def test_refused_lines_are_counted_by_reason() -> None:
    decisions = status_report(observation("rejected-lines")).document()["decisions"]
    assert decisions["rejected"] == 16
    assert decisions["rejected_by_reason"] == {"not JSON": 12, "missing field": 3, "line too long": 1}
    assert decisions["by_version"] == {"2.4.0": 1604, "2.5.0": 412}


@pytest.mark.parametrize("name", ["store-gone", "offline", "silently-stale"])
def test_old_data_is_never_called_live_or_healthy(name: str) -> None:
    seen = observation(name)
    document = status_report(seen).document()
    assert not document["fresh"]
    assert not document["healthy"]
    assert document["store"]["state"] != "LIVE"
    assert "LIVE" not in "\n".join(status_text(seen))
    assert not link_view(seen).fresh
    for slot in Slot:
        assert slot_view(seen, slot).role_tone is Tone.STALE
    rested = {check.name: check.tone for check in health_view(seen)}
    assert Tone.GOOD not in {rested[name] for name in ("active", "agent", "flags")}


def test_a_healthy_deployment_is_called_so() -> None:
    assert status_report(observation("blue-active")).document()["healthy"]
    assert status_report(observation("fenced")).document()["healthy"]


@pytest.mark.parametrize(
    ("name", "check", "tone"),
    [
        ("written-from-outside", "active", Tone.WARN),
        ("unknown-slot", "active", Tone.BAD),
        ("unacknowledged", "agent", Tone.WARN),
        ("in-doubt", "in doubt", Tone.BAD),
        ("halted", "active", Tone.BAD),
        ("draining", "active", Tone.WARN),
        ("rejected-lines", "lines", Tone.WARN),
        ("wrong-types", "flags", Tone.WARN),
        ("no-file", "log", Tone.WARN),
    ],
)
def test_what_is_wrong_is_found_by_its_check(name: str, check: str, tone: Tone) -> None:
    health = {one.name: one for one in health_view(observation(name))}
    assert health[check].tone is tone
    assert not status_report(observation(name)).document()["healthy"]
