"""Enter opens one dialog, so that one escape closes it: two handlers of one message once opened two."""

from __future__ import annotations

import pytest

from tests.screens.doubles import NARROW, console

PLACES = [("f",), *(pytest.param((key, "tab"), marks=pytest.mark.long) for key in "1234567890")]


@pytest.mark.parametrize("keys", PLACES, ids="-".join)
async def test_enter_on_a_row_opens_one_dialog(keys: tuple[str, ...]) -> None:
    app = console("tripped")
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press(*keys)
        await pilot.pause()
        below = len(app.screen_stack)
        await pilot.press("enter")
        await pilot.pause()
        assert len(app.screen_stack) - below in ((1,) if keys == ("f",) else (0, 1))
