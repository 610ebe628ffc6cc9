"""A screen on which nothing changes draws nothing: not even a frame without a change in it."""

from __future__ import annotations

from typing import Any

import pytest
from textual.widget import Widget

from console.screens.frame.names import SCREENS, ScreenName
from tests.screens.doubles import NARROW, WIDE, console
from tests.screens.parts.test_dialogs import settled


@pytest.mark.parametrize("scenario", ["read-only", pytest.param("canary-undecided", marks=pytest.mark.long)])
@pytest.mark.parametrize("size", [WIDE, pytest.param(NARROW, marks=pytest.mark.long)])
@pytest.mark.parametrize("info", SCREENS, ids=lambda info: info.name)
async def test_what_was_shown_already_is_not_drawn_again(
    info: ScreenName, size: tuple[int, int], scenario: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Widget] = []
    app = console(scenario)
    async with app.run_test(size=size) as pilot:
        await pilot.press(info.digit)
        await settled(pilot)
        refresh = Widget.refresh

        def counted(widget: Widget, *regions: Any, **how: Any) -> Any:
            drawn.append(widget)
            return refresh(widget, *regions, **how)

        screen, seen = app.console_screen, app.observation
        assert screen is not None and seen is not None
        screen.show(seen)  # what the first one has led to
        monkeypatch.setattr(Widget, "refresh", counted)
        screen.show(seen)
        screen.show(seen)
        assert drawn == []
        monkeypatch.setattr(Widget, "refresh", refresh)
