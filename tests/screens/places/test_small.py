"""Terminals as small as a phone's: every list still shows a row, whatever stands above it."""

from __future__ import annotations

import pytest

from tests.screens.doubles import console, drawn


@pytest.mark.parametrize("size", [(40, 10), (40, 12), (80, 24)], ids=str)
async def test_the_receipts_keep_a_line_below_the_alerts_at_any_size(size: tuple[int, int]) -> None:
    app = console("tripped")
    async with app.run_test(size=size) as pilot:
        await pilot.press("8")
        await pilot.pause()
        below = drawn(app).split("Audit")[1]
        assert sum(":" in line.split()[1] for line in below.splitlines() if len(line.split()) > 2) >= 1
