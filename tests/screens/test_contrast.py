"""Whatever is drawn can be read: each text on the ground that it really stands on, under every theme."""

from __future__ import annotations

import re

import pytest
from rich.color import Color, ColorSystem
from textual.color import Color as Drawn

from tests.screens.doubles import console
from tests.themes.test_themes import HEX_THEMES, contrast

LETTERS = re.compile(r"[^\W_]|[+−✔✖▲·■□●◌]")
"""What is read; the rest are frames, bars and curves."""
WHERE = (
    ("tripped", "1"),
    ("canary-undecided", "4"),
    ("shadow-diverging", "3"),
    ("in-doubt", "6"),
    ("fenced", "8"),
    ("fenced", "ctrl+p"),
)


def in_256(color: str) -> str:
    return Color.from_rgb(*Drawn.parse(color).rgb).downgrade(ColorSystem.EIGHT_BIT).get_truecolor().hex


@pytest.mark.parametrize(
    ("name", "digit"), [WHERE[0], *(pytest.param(*one, marks=pytest.mark.long) for one in WHERE[1:])]
)
async def test_every_text_reaches_a_contrast_of_4_5_on_the_ground_that_it_is_drawn_on(name: str, digit: str) -> None:
    app = console(name)
    low: set[str] = set()
    pairs = 0
    async with app.run_test(size=(160, 48)) as pilot:
        for theme in HEX_THEMES:
            app.use_theme(theme.name)
            await pilot.press("escape", digit)
            await pilot.pause()
            drawn = {
                (style.color.get_truecolor().hex, style.bgcolor.get_truecolor().hex, bool(style.reverse))
                for strip in app.screen._compositor.render_strips()
                for text, style, _ in strip
                if style is not None and style.color and style.bgcolor and LETTERS.search(text)
            }
            pairs += len(drawn)
            for text, ground, _ in drawn:
                for ratio in (contrast(text, ground), contrast(in_256(text), in_256(ground))):
                    if ratio < 4.5:
                        low.add(f"{theme.name}: {text} on {ground}: {ratio:.2f}")
    assert pairs > 4 * len(HEX_THEMES)
    assert low == set()
