"""What is being proven stands on the overview, at every size: allocation, divergences, the course of the money."""

from __future__ import annotations

import re

import pytest

from console.screens.places.divergence import DivergenceScreen
from console.views.canary.told import canary_line
from tests.scenarios import observation
from tests.screens.doubles import NARROW, WIDE, console, drawn, source_of

SIZES = [(80, 24), (100, 30), (120, 40), (160, 48), (250, 70)]


@pytest.mark.parametrize("size", SIZES)
async def test_both_sides_show_their_money_its_course_and_their_share(size: tuple[int, int]) -> None:
    app = console("canary-undecided")
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        text = drawn(app)
        for part in ("ACTIVE 80 %", "CANARY 20 %", "[20]", "+123.40 USD", "+18.02 USD"):
            assert part in text, part
        assert len(re.findall(r"USD.*?[▁▂▃▄▅▆▇]{2,}█", text.split("PnL ─")[0])) >= 1
        budget = re.search(r"budget (\S+(?: of )?\S*)", text)
        assert budget is not None
        assert budget.group(1) in ("−14.25/−60.00", "−14.25 of −60.00")


@pytest.mark.parametrize("size", SIZES)
async def test_divergences_of_shadows_stand_on_the_overview(size: tuple[int, int]) -> None:
    app = console("shadow-diverging")
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert "3.2 % of 1,204 rounds diverged" in drawn(app)
        assert "action +2" in drawn(app)


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_enter_on_a_divergence_shows_both_sides(size: tuple[int, int]) -> None:
    app = console("shadow-diverging")
    async with app.run_test(size=size) as pilot:
        while app.focused is None or app.focused.id != "shadow-grid":
            await pilot.press("tab")
            await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, DivergenceScreen)


async def test_without_a_shadow_there_is_no_panel_and_the_keys_leave_it_with_the_last_one() -> None:
    app = console("shadow-diverging")
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("shift+tab")
        await pilot.pause()
        assert app.focused is not None
        assert app.focused.id == "shadow-grid"
        source_of(app).say(observation("blue-active"))
        await pilot.pause(0.3)
        assert app.focused.id == "decisions-feed"
        assert "Shadow" not in drawn(app)


@pytest.mark.parametrize("room", range(60, 200, 7))
def test_a_figure_of_the_canary_that_has_no_room_goes_as_a_whole(room: int) -> None:
    seen = observation("canary-undecided")
    whole = canary_line(seen)
    words = canary_line(seen, room=room)
    assert [word for word in whole if word in words] == list(words)
    figures = [text.strip() for text, tone in whole if tone.name == "TEXT" and "→" not in text]
    if sum(len(text) for text, _ in words) > room:
        assert not any(text.strip() in figures[:3] for text, _ in words)
