"""Where things stand on the overview, as text: a change of layout is seen here before an operator sees it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from console.screens.export import export
from tests.scenarios import observation
from tests.screens.doubles import CATALOGUE

RECORDED = Path(__file__).parent / "layouts"


@pytest.mark.parametrize(
    ("name", "size"),
    [("fenced", (160, 48)), ("store-gone", (160, 48)), ("both-decide", (80, 24)), ("wrong-types", (80, 24))],
)
async def test_the_overview_is_laid_out_as_recorded(name: str, size: tuple[int, int]) -> None:
    text = (await export(observation(name), size=size, format="txt", catalogue=CATALOGUE)).decode()
    recorded = RECORDED / f"{name}-{size[0]}x{size[1]}.txt"
    if os.environ.get("RECORD_LAYOUTS"):
        RECORDED.mkdir(exist_ok=True)
        recorded.write_text(text, encoding="utf-8")
    assert text.splitlines() == recorded.read_text(encoding="utf-8").splitlines()
