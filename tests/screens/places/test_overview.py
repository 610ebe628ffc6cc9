"""What the overview says before anything is read: who acts, with what share, what hangs, what is wrong."""

from __future__ import annotations

import pytest

from console.screens.frame.names import SCREENS
from tests.scenarios import observation
from tests.screens.doubles import NARROW, WIDE, console, drawn, source_of, status_of
from widgets.frame.footer import KeyBar
from widgets.frame.header import HeaderBar
from widgets.lists.feed import Feed


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (160, 48)])
@pytest.mark.parametrize("digit", [info.digit for info in SCREENS])
async def test_the_footer_of_every_screen_begins_with_help_and_ends_with_a_whole_hint(
    digit: str, size: tuple[int, int]
) -> None:
    app = console()
    async with app.run_test(size=size) as pilot:
        await pilot.press(digit)
        await pilot.pause()
        bar = app.screen.query_one(KeyBar)
        footer = drawn(app).splitlines()[-1]
        assert footer.startswith(" ? help  q quit  ")
        x, cells, hint = bar.hints_in(size[0])[-1]
        assert x + cells < size[0]
        assert footer.endswith(f"{hint.key} {hint.label}")


@pytest.mark.parametrize("key", ["f7", "Z"])
async def test_a_key_without_a_function_says_so(key: str) -> None:
    app = console()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press(key)
        await pilot.pause()
        assert status_of(app) == f"{key} has no function here; ? lists the keys."


async def test_decisions_are_those_of_whoever_plays_for_money_until_o_shows_both_sides() -> None:
    app = console("both-decide")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        feed = app.screen.query_one("#decisions-feed", Feed)
        assert {row.cells[1] for row in feed._rows} == {"blue"}
        assert "Decisions of blue (newest last, following)" in drawn(app)
        assert "o both sides" in drawn(app).splitlines()[-1]
        await pilot.press("o")
        await pilot.pause()
        assert {row.cells[1] for row in feed._rows} == {"blue", "green"}
        await pilot.press("o")
        await pilot.pause()
        assert {row.cells[1] for row in feed._rows} == {"blue"}


async def test_a_canary_with_capital_plays_for_money_too() -> None:
    app = console("canary-undecided")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        assert {row.cells[1] for row in app.screen.query_one("#decisions-feed", Feed)._rows} == {"blue", "green"}


async def test_who_is_active_stands_on_a_ground_of_its_own_with_its_share_and_a_halt_paints_the_line() -> None:
    app = console("canary-undecided")
    async with app.run_test(size=NARROW) as pilot:
        await pilot.pause()
        spans, band = app.screen.query_one(HeaderBar).spans_of_line(0, 80)
        assert (" ■ BLUE v2.4.0 ACTIVE 80 % ", "blue bold reverse") in spans
        assert band == "header"
        for part in ("atlas", "ops-1", "● LIVE", "guard ✔", "RW", "14:03:11Z"):
            assert part in "".join(text for text, _ in spans)
        for scenario, words in (("halted", "✖ HALTED: nobody acts"), ("never-switched", "✖ NOBODY: no key yet")):
            source_of(app).say(observation(scenario))
            await pilot.pause(0.3)
            spans, band = app.screen.query_one(HeaderBar).spans_of_line(0, 80)
            assert (f" {words} ", "bad bold reverse") in spans
            assert band == "bad"


async def test_at_80_columns_every_trigger_is_named_and_the_slots_stand_side_by_side() -> None:
    app = console("tripped")
    async with app.run_test(size=NARROW) as pilot:
        await pilot.pause()
        text = drawn(app)
        assert "exc ✔  auth ✔  dbl ✔  pnl ✖ −60.5 of −60 USD HARM  lat ✔  esc ✔  band ✔" in text
        assert any("■ BLUE" in line and "□ GREEN" in line for line in text.splitlines()[1:])
        assert "[Decisions of blue] Actions Flags PnL Health Triggers  " in text
        assert "newest last  tab 1/6" in text


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        ("store-gone", "band ✔   47 s ago"),
        ("halted", "Nobody is active: there is nothing to watch."),
        ("nothing-yet", "Not known until the store answers."),
    ],
)
async def test_at_80_columns_old_triggers_say_how_old_they_are_and_none_say_why(scenario: str, words: str) -> None:
    app = console(scenario)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.pause()
        assert words in drawn(app)


@pytest.mark.parametrize("scenario", ["both-decide", "canary-undecided", "fenced", "unacknowledged", "silently-stale"])
async def test_at_80_columns_no_tab_is_cut_and_the_order_is_told(scenario: str) -> None:
    app = console(scenario)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.pause()
        (tabs,) = [line for line in drawn(app).splitlines() if line.startswith(" [Decisions")]
        assert "…" not in tabs
        assert all(f" {name} " in tabs for name in ("Actions", "Flags", "PnL", "Health", "Triggers"))
        assert "newest last" in tabs
