"""What an operator sees in each situation: what is so, what is wrong, what to do; and old data never as live."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.app import ConsoleApp
from console.domain.seen.observation import LinkState
from tests.scenarios import NAMES, NOW, observation
from tests.scenarios.parts import link
from tests.screens.doubles import NARROW, WIDE, RecordingOperator, ScriptedSource, console, drawn, source_of
from widgets.frame.slot_card import SlotCard
from widgets.lists.grid import Grid

LARGE = pytest.param((300, 90), marks=pytest.mark.long)


@pytest.mark.parametrize("size", [WIDE, NARROW, (100, 30), (40, 10), (20, 5), LARGE])
@pytest.mark.parametrize("name", NAMES)
async def test_every_scenario_can_be_shown_at_every_size(name: str, size: tuple[int, int]) -> None:
    app = console(name)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        lines = drawn(app).splitlines()
        assert len(lines) == size[1]
        assert app.is_running


SAID = {
    "blue-active": ["● LIVE", "■ BLUE v2.4.0", "+123.40 USD", "14:03:10"],
    "green-active": ["■ GREEN v2.5.0 ACTIVE"],
    "never-switched": ["NOBODY: no key yet", "no active version was ever set"],
    "nothing-yet": ["↻ CONNECTING", "No decision log is followed."],
    "no-log": ["Start with --decisions PATH"],
    "no-file": ["No file matches --decisions yet."],
    "store-gone": ["↻ RECONNECTING 3 · 47 s", "BLUE v2.4.0 47 s ago", "no answer for 47 s: connection"],
    "offline": ["✖ OFFLINE 12 min"],
    "silently-stale": ["◌ STALE 12 s"],
    "unknown-slot": ["NOBODY: “purple” is no slot"],
    "wrong-types": ["NOBODY: the key is a list"],
    "unacknowledged": ["blue-2 has not acknowledged"],
    "in-doubt": ["2 actions whose outcome nobody knows"],
    "silent-instance": ["blue-2: no heartbeat for 47 s"],
    "draining": ["DRAINING → green, 2 in flight, nobody acts"],
    "quiescing": ["DRAINING → green, 0 in flight, nobody acts"],
    "adopted": ["14:02:30 agent:active_version was", "GREEN v2.5.0"],
    "rolled-back": ["14:02:30 rolled back automatically", "loss -60.5 USD"],
    "halted-by-trip": ["14:02:30 halted automatically"],
    "halted": ["HALTED", "halted; nobody acts until you say so"],
    "rejected-lines": ["16 refused: 12 not JSON, 3 missing"],
    "read-only": ["RO"],
    "protected": ["PROD", "RW:locked"],
}


@pytest.mark.parametrize("size", [WIDE, NARROW])
@pytest.mark.parametrize("name", SAID)
async def test_the_situation_is_said_in_words(name: str, size: tuple[int, int]) -> None:
    app = console(name)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        text = drawn(app)
        for words in SAID[name]:
            assert words in text


async def test_a_key_written_by_hand_is_named_so() -> None:
    app = console("written-from-outside")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        assert "▲ written from outside" in drawn(app)
        assert "written from outside: green, the" in drawn(app)
        assert "s or R puts it right." in drawn(app)


async def test_a_slot_without_decisions_says_how_to_map_a_version_to_it() -> None:
    app = console("unmapped-version")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        assert "--slot green=canary-7" in drawn(app)
        assert "--slot blue=canary-7" in drawn(app)


async def test_wrong_types_are_shown_as_what_they_are() -> None:
    app = console("wrong-types")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        rows = {row.key: row.cells for row in app.screen.query_one("#flags-grid", Grid).rows}
        assert rows["bet_sizing"][3] == "(hash)"
        assert rows["crash_target"][5] == "registered as number, but the text is a string"


async def test_two_currencies_and_dry_rounds_are_never_summed() -> None:
    app = console("dry-and-live")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        text = drawn(app)
        for words in ("−23.40 USD", "+0.000900 BTC", "dry 24 h", "+12.00 USD"):
            assert words in text


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_when_the_store_goes_away_the_last_frame_is_greyed_with_its_age_and_comes_back_by_itself(
    size: tuple[int, int],
) -> None:
    seen = observation("blue-active")
    now = NOW
    source = ScriptedSource(seen)
    app = ConsoleApp(source, RecordingOperator(), clock=lambda: now)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert "● LIVE" in drawn(app)
        assert not any(card.stale for card in app.screen.query(SlotCard))

        now = NOW + timedelta(seconds=20)
        source.say(seen._replace(link=link(LinkState.RECONNECTING, attempts=3, error="connection refused")))
        await pilot.pause(0.3)
        assert "↻ RECONNECTING 3 · 20 s" in drawn(app)
        assert "● LIVE" not in drawn(app)
        assert all(card.stale for card in app.screen.query(SlotCard))
        assert app.screen.query_one("#flags-grid", Grid).stale

        assert seen.store is not None
        source.say(seen._replace(store=seen.store._replace(at=now)))
        await pilot.pause(0.3)
        assert "● LIVE" in drawn(app)
        assert not any(card.stale for card in app.screen.query(SlotCard))


async def test_ages_go_on_counting_when_nothing_is_published_at_all() -> None:
    now = NOW
    app = ConsoleApp(ScriptedSource(observation("blue-active")), RecordingOperator(), clock=lambda: now)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        assert "● LIVE" in drawn(app)
        now = NOW + timedelta(seconds=31)
        await pilot.pause(1.5)
        assert "◌ STALE 31 s" in drawn(app)
        assert "● LIVE" not in drawn(app)


async def test_behind_a_dialog_the_screen_stays_of_the_present() -> None:
    now = NOW
    app = ConsoleApp(ScriptedSource(observation("blue-active")), RecordingOperator(), clock=lambda: now)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("s")
        await pilot.pause()
        now = NOW + timedelta(seconds=31)
        await pilot.pause(1.5)
        assert "switch?" in drawn(app)
        assert "◌ STALE 31 s" in drawn(app)


async def test_a_source_that_breaks_is_told_and_started_again() -> None:
    class Breaking(ScriptedSource):
        runs = 0

        async def run(self, publish) -> None:  # type: ignore[no-untyped-def]
            Breaking.runs += 1
            if Breaking.runs == 1:
                raise RuntimeError("the reader broke")
            await super().run(publish)

    app = ConsoleApp(Breaking(observation("blue-active")), RecordingOperator(), clock=lambda: NOW)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause(0.2)
        assert "the reader broke" in drawn(app)
        await pilot.pause(1.3)
        assert "● LIVE" in drawn(app)
    assert Breaking.runs == 2


async def test_resizing_goes_between_both_layouts() -> None:
    app = console("fenced")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        assert "╭─ Health" in drawn(app)
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "╭─ Health" not in drawn(app)
        assert "✔ health  nothing wrong in 9 checks" in drawn(app)
        await pilot.resize_terminal(160, 48)
        await pilot.pause()
        assert "╭─ Health" in drawn(app)


async def test_on_a_read_only_console_a_command_answers_with_the_refusal() -> None:
    from console.domain.errors import ReadOnly
    from tests.screens.doubles import operator_of, status_of

    app = console("read-only")
    operator_of(app).preview_error = ReadOnly("This console may look and not touch.", "Start it without --read-only.")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("s")
        await pilot.pause()
        assert status_of(app).startswith("Switch: read-only. This console may look and not touch.")
        assert source_of(app).refreshed == 0


async def test_ascii_means_ascii() -> None:
    from widgets.text.glyphs import set_ascii

    try:
        app = console("fenced", ascii=True)
        async with app.run_test(size=WIDE) as pilot:
            await pilot.pause()
            assert drawn(app).isascii()
    finally:
        set_ascii(False)
