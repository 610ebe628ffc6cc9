"""Fenced agents on the screens: by name, what each holds, what is in doubt, and what a switch waits for, live."""

from __future__ import annotations

import asyncio

import pytest

from console.screens.parts.dialogs import AskScreen, ChoiceScreen, ConfirmScreen, TextScreen
from tests.scenarios import observation
from tests.screens.doubles import NARROW, WIDE, console, drawn, operator_of, source_of, status_of
from widgets.frame.panel import Panel
from widgets.lists.grid import Grid


async def test_instances_are_a_panel_of_the_overview_while_there_are_any() -> None:
    app = console("unacknowledged")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        panel = app.screen.query_one("#instances", Panel)
        assert panel.display
        assert panel.title == "Instances: blue 1/2 acknowledged · green 1/2 acknowledged"
        rows = {row.key: row.cells for row in app.screen.query_one("#instances-grid", Grid).rows}
        assert rows["blue-1"] == ("■", "blue-1", "2.4.0", "✔ current", "0.2 s", "1", "0")
        assert rows["green-2"][3] == "✖ behind"
        source_of(app).say(observation("blue-active"))
        await pilot.pause(0.3)
        assert not panel.display


async def test_who_has_not_acknowledged_is_named_in_the_header_and_below_it_where_that_is_narrow() -> None:
    app = console("unacknowledged")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        assert "▲ not acknowledged: blue-2, green-2" in drawn(app).splitlines()[0]
        await pilot.resize_terminal(*NARROW)
        await pilot.pause()
        header, *below = drawn(app).splitlines()
        assert "■ BLUE v2.4.0 ACTIVE" in header
        assert "blue-2 has not acknowledged; 1 of 2 did   and 1 more" in below[4]


async def test_when_the_last_instance_goes_its_panel_gives_the_keys_back() -> None:
    app = console("fenced")
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("shift+tab")
        await pilot.pause()
        assert app.focused is app.screen.query_one("#instances-grid")
        source_of(app).say(observation("blue-active"))
        await pilot.pause(0.3)
        assert app.focused is app.screen.query_one("#decisions-feed")
        assert app.screen.query_one("#decisions").display


async def test_on_a_small_terminal_tab_reaches_the_instances_too() -> None:
    app = console("fenced")
    async with app.run_test(size=NARROW) as pilot:
        shown = []
        for _ in range(8):
            await pilot.pause()
            shown += [panel.id for panel in app.screen.query(Panel) if panel.has_class("zoomable") and panel.display]
            await pilot.press("tab")
        assert shown == ["decisions", "actions", "flags", "pnl", "checks", "watch", "instances", "decisions"]


async def test_only_the_zoomed_panel_is_shown_when_there_are_instances() -> None:
    app = console("fenced")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("f", "z")
        await pilot.pause()
        assert [panel.id for panel in app.screen.query(Panel) if panel.has_class("zoomable") and panel.display] == [
            "flags"
        ]


async def test_enter_on_an_instance_shows_which_epoch_it_saw() -> None:
    app = console("unacknowledged")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("6")
        await pilot.pause()
        app.screen.query_one("#instances-grid", Grid).focus()
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, TextScreen)
        assert "✔ current: saw epoch 1773490000041, running is 1773490000041" in drawn(app)


async def to_the_doubts(pilot, app) -> Grid:  # type: ignore[no-untyped-def]
    await pilot.press("6")
    await pilot.pause()
    grid = app.screen.query_one("#doubts-grid", Grid)
    grid.focus()
    await pilot.pause()
    return grid  # type: ignore[no-any-return]


async def test_doubts_are_listed_with_what_is_at_risk_who_holds_it_and_since_when() -> None:
    app = console("in-doubt")
    async with app.run_test(size=WIDE) as pilot:
        grid = await to_the_doubts(pilot, app)
        assert [row.cells for row in grid.rows] == [
            ("bet-8841", "5.00 USD", "blue-1", "13:57:59", "crash: bet 5.00 at 2.1x"),
            ("escrow-117", "1,250.50 USD", "blue-1", "14:01:36", "release escrow 117 to the buyer"),
        ]
        await pilot.press("enter")  # on the newest
        await pilot.pause()
        assert ":doubts resolve escrow-117 executed --evidence TEXT" in drawn(app)


async def test_d_resolves_the_doubt_under_the_cursor_after_verdict_evidence_and_dialog() -> None:
    app = console("in-doubt")
    async with app.run_test(size=WIDE) as pilot:
        await to_the_doubts(pilot, app)
        await pilot.press("down", "d")
        await pilot.pause()
        assert isinstance(app.screen, ChoiceScreen)
        assert "what does the venue say?" in drawn(app)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, AskScreen)
        await pilot.press(*"ledger", "enter")
        await pilot.pause()
        assert isinstance(app.screen, ConfirmScreen)
        assert operator_of(app).done == []
        await pilot.press("y")
        await pilot.pause()
        name, args, _reason = operator_of(app).done[0]
        assert (name, args["key"], args["verdict"], args["evidence"]) == (
            "doubts resolve",
            "escrow-117",
            "executed",
            "ledger",
        )


async def test_not_executed_asks_why_its_holder_can_not_send_it_any_more() -> None:
    app = console("in-doubt")
    async with app.run_test(size=WIDE) as pilot:
        await to_the_doubts(pilot, app)
        await pilot.press("d")
        await pilot.pause()
        await pilot.press("down", "enter")
        await pilot.pause()
        await pilot.press(*"none", "enter")
        await pilot.pause()
        assert "why can its holder not send it any more?" in drawn(app)
        await pilot.press("escape")
        await pilot.pause()
        assert operator_of(app).previewed == []
        assert "nothing was changed" in status_of(app)


async def test_d_elsewhere_asks_which_doubt_is_meant() -> None:
    app = console("in-doubt")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("d")
        await pilot.pause()
        assert isinstance(app.screen, ChoiceScreen)
        assert "which doubt?" in drawn(app)


async def test_a_doubt_can_be_resolved_by_a_typed_line() -> None:
    app = console("in-doubt")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("colon")
        await pilot.press(*'doubts resolve bet-8841 executed --evidence "venue bet_17"', "enter")
        await pilot.pause()
        assert isinstance(app.screen, ConfirmScreen)
        await pilot.press("y")
        await pilot.pause()
        name, args, _reason = operator_of(app).done[0]
        assert (name, args["key"], args["evidence"]) == ("doubts resolve", "bet-8841", "venue bet_17")


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_while_a_switch_runs_the_status_line_says_what_it_waits_for(size: tuple[int, int]) -> None:
    app = console("fenced")
    operator_of(app).hold = asyncio.Event()
    async with app.run_test(size=size) as pilot:
        await pilot.press("s", "y")
        await pilot.pause(0.5)
        assert status_of(app).startswith("Switch: looking which plain agents read the key (")
        source_of(app).say(observation("quiescing"))
        await pilot.pause(0.5)
        assert "DRAINING → green, 0 in flight, nobody acts" in drawn(app)
        assert status_of(app).startswith("Switch: draining to green: waiting for plain agents to read the key")
        operator_of(app).hold.set()
        await pilot.pause(0.3)
        assert status_of(app) == "Switch: active version blue → green · 1.4 ms · u undoes"


async def test_what_another_command_said_meanwhile_is_left_standing() -> None:
    app = console("fenced")
    operator_of(app).hold = asyncio.Event()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("s", "y")
        await pilot.pause(0.5)
        app.say("Halt: active version blue → halted", "ok")
        await pilot.pause(0.6)
        assert status_of(app) == "Halt: active version blue → halted"
        operator_of(app).hold.set()
        await pilot.pause()


async def test_a_trip_stands_first_among_what_is_wrong_and_apart_from_receipts() -> None:
    app = console("rolled-back")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        assert app.screen.query_one("#health", Panel).title == "Health: bad"
        lines = [line for line in drawn(app).splitlines() if "trip" in line]
        assert "✖ trip      14:02:30 rolled back" in lines[0]
        rows = app.screen.query_one("#actions-grid", Grid).rows
        assert (rows[-1].cells[1], rows[-1].tone) == ("✖ auto rollback", "bad")
        assert (rows[-2].cells[1], rows[-2].tone) == ("switch", "")
        await pilot.press("8")
        await pilot.pause()
        assert "loss -60.5 USD" in drawn(app)
