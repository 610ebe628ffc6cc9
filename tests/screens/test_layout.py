"""Where things stand on a screen, as text: a change of layout is seen here before an operator sees it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from console.picture import export
from tests.scenarios import observation
from tests.screens.doubles import CATALOGUE

RECORDED = Path(__file__).parent / "layouts"


@pytest.mark.parametrize(
    ("name", "screen", "size"),
    [
        ("fenced", "overview", (160, 48)),
        ("store-gone", "overview", (160, 48)),
        ("rolled-back", "overview", (160, 48)),
        ("in-doubt", "state", (160, 48)),
        ("tripped", "overview", (160, 48)),
        ("tripped", "overview", (80, 24)),
        ("tripped", "audit", (160, 48)),
        ("both-decide", "overview", (80, 24)),
        ("wrong-types", "overview", (80, 24)),
        ("unacknowledged", "overview", (80, 24)),
        ("draining", "overview", (80, 24)),
        *[
            (name, screen, size)
            for name, screen in (
                ("canary-undecided", "canary"),
                ("canary-harm", "canary"),
                ("shadow-diverging", "shadow"),
                ("experiments", "experiments"),
                ("canary-undecided", "overview"),
                ("upgrade-blocked", "overview"),
                ("upgrade-review", "overview"),
            )
            for size in ((160, 48), (80, 24))
        ],
    ],
)
async def test_a_screen_is_laid_out_as_recorded(name: str, screen: str, size: tuple[int, int]) -> None:
    text = (await export(observation(name), screen=screen, size=size, format="txt", catalogue=CATALOGUE)).decode()
    recorded = RECORDED / f"{name}-{'' if screen == 'overview' else screen + '-'}{size[0]}x{size[1]}.txt"
    if os.environ.get("RECORD_LAYOUTS"):
        RECORDED.mkdir(exist_ok=True)
        recorded.write_text(text, encoding="utf-8")
    assert text.splitlines() == recorded.read_text(encoding="utf-8").splitlines()
