"""Where there is nothing to show, every panel of every screen says why, and what to do."""

from __future__ import annotations

import pytest

from console.domain.board.boards import NoBoards
from console.domain.seen.observation import Observation
from console.screens.frame.names import SCREENS
from tests.scenarios.boards import seen
from tests.scenarios.parts import deployment, observed, store
from tests.screens.doubles import WIDE, console, drawn
from widgets.frame.panel import Panel
from widgets.lists.line_list import LineList


def nothing() -> Observation:
    """A store without a key, no guard, no log."""
    return observed(store(deployment(None), readings={}, receipts=())._replace(guards=()), None)


def parts(text: str) -> list[str]:
    return [part for line in text.splitlines() for part in line.replace("; ", ". ").split(". ") if part.strip()]


@pytest.mark.parametrize("info", SCREENS, ids=lambda info: info.name)
async def test_every_empty_panel_says_why_it_is_empty_and_what_to_do(info: tuple[str, ...]) -> None:
    app = console(nothing())
    app.boards = NoBoards(seen("blocked" if info[1] == "checklist" else "nothing-held"))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press(info[0])
        await pilot.pause()
        lists = [one for one in app.screen.query(LineList) if not list(one.in_sight()) and one.region.height > 1]
        silent = [one.id for one in lists if len(parts(one.empty)) < 2]
        assert silent == []
        text = drawn(app)
        for one in lists:
            assert parts(one.empty)[0].split()[0] in text
        full = [panel for panel in app.screen.query(Panel) if panel.region.height > 2]
        assert [panel.id for panel in full if blank(panel, text)] == []


def blank(panel: Panel, text: str) -> bool:
    area = panel.content_region
    return not any(line[area.x : area.right].strip() for line in text.splitlines()[area.y : area.bottom])
