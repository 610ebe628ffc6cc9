"""What is done to the view: filter, pause, zoom, copy, panels, screens, themes, the `:` line and the palette."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from console.screens.command.palette import Palette
from console.screens.parts.dialogs import ConfirmScreen, TextScreen
from console.screens.terminal.clipboard import osc52
from tests.scenarios import observation
from tests.scenarios.parts import decisions
from tests.screens.doubles import NARROW, WIDE, console, drawn, operator_of, source_of, status_of
from widgets.frame.panel import Panel
from widgets.lists.feed import Feed
from widgets.lists.grid import Grid
from widgets.typing.command_line import CommandLine


async def test_a_filter_shows_only_what_matches_and_esc_ends_it() -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("slash", *"SKIP", "enter")
        await pilot.pause()
        feed = app.screen.query_one("#decisions-feed", Feed)
        assert "12 of 60" in status_of(app)
        assert "HOLD" not in "\n".join(line for line in drawn(app).splitlines() if "14:03:" in line and "blue" in line)
        assert app.focused is feed
        await pilot.press("escape")
        await pilot.pause()
        assert "HOLD" in drawn(app)


async def test_a_pattern_that_can_not_be_read_is_told_while_typing_and_changes_nothing() -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("slash", *"re:(", "enter")
        await pilot.pause()
        assert "doesn't compile" in status_of(app)


async def test_the_flags_can_be_filtered_too() -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("5", "slash", *"crash", "enter")
        await pilot.pause()
        assert [row.key for row in app.screen.query_one("#flags-grid", Grid).rows] == ["crash_target", "game"]


async def test_pause_holds_the_list_still_while_collecting_goes_on_and_is_counted_in_the_header() -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("p")
        await pilot.pause()
        seen = observation("blue-active")
        assert seen.logs is not None
        source_of(app).say(seen._replace(logs=seen.logs._replace(recent=decisions(150), total=2106)))
        await pilot.pause(0.3)
        feed = app.screen.query_one("#decisions-feed", Feed)
        assert (feed.total, feed.waiting) == (60, 90)
        assert "PAUSED +90" in drawn(app)
        await pilot.press("p")
        await pilot.pause()
        assert feed.total == 150
        assert "PAUSED" not in drawn(app)


async def test_decisions_that_came_faster_than_they_can_be_shown_are_counted_not_hidden() -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        seen = observation("blue-active")
        assert seen.logs is not None
        fast = tuple(d._replace(sequence=d.sequence + 5000) for d in decisions(300))
        source_of(app).say(seen._replace(logs=seen.logs._replace(recent=fast)))
        await pilot.pause(0.3)
        feed = app.screen.query_one("#decisions-feed", Feed)
        gap = feed.row_of(-5300)
        assert gap is not None
        assert "5,140 decisions went by faster" in gap.cells[-1]


async def test_tab_goes_through_the_panels_and_back() -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        seen = []
        for _ in range(5):
            await pilot.press("tab")
            seen.append(app.focused.id if app.focused else "")
        assert seen == ["actions-grid", "triggers-grid", "flags-grid", "decisions-feed", "actions-grid"]
        await pilot.press("shift+tab")
        assert app.focused is app.screen.query_one("#decisions-feed")


async def test_on_a_small_terminal_tab_shows_one_list_after_the_other() -> None:
    app = console()
    async with app.run_test(size=NARROW) as pilot:
        shown = []
        for _ in range(7):
            shown.append(
                [panel.id for panel in app.screen.query(Panel) if panel.has_class("zoomable") and panel.display]
            )
            await pilot.press("tab")
            await pilot.pause()
        assert shown == [["decisions"], ["actions"], ["flags"], ["pnl"], ["checks"], ["watch"], ["decisions"]]


async def test_z_gives_the_screen_to_the_panel_with_the_focus_and_back() -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("f", "z")
        await pilot.pause()
        assert app.screen.query_one("#flags-grid").size.height > 35
        assert not app.screen.query_one("#decisions").display
        await pilot.press("z")
        await pilot.pause()
        assert app.screen.query_one("#decisions").display


async def test_enter_shows_everything_about_a_decision_with_its_record() -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, TextScreen)
        assert '"multiplier": 1.62' in drawn(app)
        assert "multiplier 1.62 is below the target of 2.0" in drawn(app)


async def test_the_audit_shows_before_and_after_of_a_receipt() -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("8")
        await pilot.pause()
        assert "first hour of 2.4.0" in drawn(app)
        await pilot.press("up", "enter")
        await pilot.pause()
        assert "before  green" in drawn(app)
        assert "after   blue" in drawn(app)


@pytest.mark.parametrize(("digit", "title"), [("2", "Decisions"), ("5", "Flags"), ("8", "Alerts")])
async def test_digits_bring_screens_to_the_front_and_1_or_esc_go_back(digit: str, title: str) -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        for back in ("1", "escape"):
            await pilot.press(digit)
            await pilot.pause()
            assert len(app.screen_stack) == 2
            assert app.screen.query_one(Panel).title.startswith(title)
            await pilot.press(back)
            await pilot.pause()
            assert len(app.screen_stack) == 1


async def test_t_goes_through_every_theme_and_comes_back() -> None:
    app = console()
    async with app.run_test(size=NARROW) as pilot:
        first, seen = app.theme, []
        for _ in app.theme_names:
            await pilot.press("t")
            await pilot.pause()
            seen.append(app.theme)
        assert sorted(seen) == sorted(app.theme_names)
        assert app.theme == first


async def test_a_typed_command_goes_through_the_same_confirmation() -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("colon", *"switch green --reason review", "enter")
        await pilot.pause()
        assert isinstance(app.screen, ConfirmScreen)
        await pilot.press("y")
        await pilot.pause()
        assert operator_of(app).done == [("switch", {"slot": "green", "expect_epoch": "41"}, "review")]


async def test_a_typed_flag_is_set_after_a_y() -> None:
    app = console()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("colon", *"flag set crash_target 2.5", "enter")
        await pilot.pause()
        assert operator_of(app).done == []
        await pilot.press("y")
        await pilot.pause()
        assert [(name, args["value"]) for name, args, _why in operator_of(app).done] == [("flag set", "2.5")]


async def test_tab_completes_names_and_what_they_take() -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("colon", *"sw")
        await pilot.pause()
        await pilot.press("tab")
        await pilot.pause()
        line = app.screen.query_one(CommandLine)
        assert line.text == "switch "
        await pilot.press("g")
        await pilot.pause()
        await pilot.press("tab")
        assert line.text == "switch green "
        await pilot.press("escape")
        await pilot.pause()
        await pilot.press("colon", *"flag set cr")
        await pilot.pause()
        await pilot.press("tab")
        assert line.text == "flag set crash_target "


async def test_up_recalls_what_was_typed() -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("colon", *"snapshot take", "enter")
        await pilot.pause()
        await pilot.press("colon", "up")
        await pilot.pause()
        assert app.screen.query_one(CommandLine).text == "snapshot take"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("swich green", "There is no command 'swich green'."),
        ("switch red", "slot is one of blue, green"),
        ("flag set crash_target", "flag set needs VALUE."),
        ("switch green now", "doesn't take 'now'"),
        ("switch --fast", "has no option --fast"),
        ("flag set 'x", "Close the quote."),
    ],
)
async def test_a_line_that_can_not_be_understood_says_why_and_does_nothing(typed: str, said: str) -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("colon", *typed, "enter")
        await pilot.pause()
        assert said in status_of(app)
        assert operator_of(app).done == []


async def test_letters_typed_into_a_line_are_not_commands() -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("colon", *"sRHSLuq", "escape")
        await pilot.pause()
        await pilot.press("slash", *"sRHSLuq ", "escape")
        await pilot.pause()
        assert app.is_running
        assert operator_of(app).done == operator_of(app).previewed == []


async def test_the_palette_opens_again_while_it_is_still_on_its_way_out() -> None:
    app = console("both-decide")
    async with app.run_test() as pilot:
        await pilot.pause()
        app.action_command_palette()
        await pilot.pause()
        app.pop_screen()  # as esc does; two keys of one burst come before it is gone
        app.action_command_palette()
        await pilot.pause()
        assert isinstance(app.screen, Palette)


async def test_the_palette_finds_a_command_by_its_words() -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("ctrl+p")
        await pilot.pause()
        await pilot.press(*"roll back")
        await pilot.pause(0.5)
        await pilot.press("enter")
        await pilot.pause(0.3)
        assert isinstance(app.screen, ConfirmScreen)
        assert operator_of(app).previewed == [("rollback", {})]


async def test_e_writes_a_picture_of_the_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("e")
        await app.workers.wait_for_complete()
        await pilot.pause()
        (picture,) = tmp_path.glob("agent-console-*.svg")
        assert str(picture) in status_of(app)
        assert "<svg" in picture.read_text()


async def test_y_copies_the_row_and_says_what() -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("f", "y")
        await pilot.pause()
        assert status_of(app) == "Copied: ✔  accept_escrows  bool  True  True  Whether new escrows are accepted."


def test_what_is_copied_is_one_osc_52_sequence_also_through_tmux() -> None:
    coded = base64.b64encode("grün".encode()).decode()
    assert osc52("grün") == f"\x1b]52;c;{coded}\x07"
    assert osc52("grün", inside_tmux=True) == f"\x1bPtmux;\x1b\x1b]52;c;{coded}\x07\x1b\\"


async def test_a_hint_in_the_footer_can_be_clicked() -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.click("KeyBar", offset=(18, 0))
        await pilot.pause()
        assert isinstance(app.screen, ConfirmScreen)


@pytest.mark.parametrize(("digit", "many"), [("6", 8), ("7", 2), ("4", 3)])
async def test_where_one_panel_is_shown_at_a_time_its_title_says_which_of_how_many(digit: str, many: int) -> None:
    app = console("canary-undecided")
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press(digit)
        await pilot.pause()
        for number in range(1, many + 1):
            assert f"[{number}/{many}]" in drawn(app)
            await pilot.press("tab")
            await pilot.pause()
        assert f"[1/{many}]" in drawn(app)
        await pilot.resize_terminal(*WIDE)
        await pilot.pause()
        assert f"/{many}]" not in drawn(app)


@pytest.mark.parametrize("key", ["colon", "slash"])
@pytest.mark.parametrize("end", ["enter", "escape"])
async def test_a_line_that_was_typed_is_gone_and_the_screen_as_large_as_before(key: str, end: str) -> None:
    app = console("tripped")
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("8")
        await pilot.pause()
        bottom = app.screen.query_one("#bottom")
        before = bottom.size
        await pilot.press(key, *"live")
        await pilot.pause()
        assert "live" in drawn(app)
        await pilot.press(end)
        await pilot.pause()
        assert bottom.size == before
        assert [one.__class__.__name__ for one in bottom.children if one.display] == ["StatusLine", "KeyBar"]
