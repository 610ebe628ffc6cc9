"""Every screen at three sizes, and every theme on two screens, as text and as the digest of its picture.

The text tells where something moved, the digest that anything else did: a colour, a style, a sign. RECORD_LAYOUTS=1
writes both anew.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from console.picture import export
from console.screens.frame.names import SCREENS
from console.screens.frame.ui_settings import UiSettings
from tests.scenarios import observation
from tests.scenarios.boards import seen
from tests.screens.doubles import CATALOGUE
from themes.builtin import THEMES

pytestmark = pytest.mark.long

RECORDED = Path(__file__).parent / "snapshots"
SIZES = ((80, 24), (120, 40), (160, 48))
SHOWN = {"shadow": "shadow-diverging", "canary": "canary-undecided", "experiments": "experiments", "audit": "tripped"}
"""What there is to see on a screen; on all others an agent that plays for money beside one that stands by."""
BOARDS = {"state": "draining-version", "checklist": "blocked"}


async def picture(screen: str, size: tuple[int, int], theme: str, format: str) -> bytes:
    return await export(
        observation(SHOWN.get(screen, "fenced")),
        screen=screen,
        size=size,
        format=format,
        catalogue=CATALOGUE,
        settings=UiSettings(theme=theme),
        seen=seen(BOARDS.get(screen, "unread")),
    )


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("screen", [info.name for info in SCREENS])
async def test_every_screen_looks_as_recorded_at_three_sizes(screen: str, size: tuple[int, int]) -> None:
    text = (await picture(screen, size, "dark", "txt")).decode()
    drawn = await picture(screen, size, "dark", "svg")
    compare(f"{screen}-{size[0]}x{size[1]}", text, drawn)


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
@pytest.mark.parametrize("screen", ["overview", "canary"])
async def test_two_screens_look_as_recorded_under_every_theme(screen: str, theme: str) -> None:
    compare(f"{screen}-{theme}", "", await picture(screen, (120, 40), theme, "svg"))


async def test_a_picture_is_the_same_byte_for_byte_when_it_is_drawn_again() -> None:
    first = await picture("overview", (160, 48), "dark", "svg")
    assert await picture("overview", (160, 48), "dark", "svg") == first


def compare(name: str, text: str, drawn: bytes) -> None:
    """Hold it against what was recorded, or record it.

    Args:
        name: of the snapshot.
        text: as lines; empty where another snapshot has the same.
        drawn: the SVG.
    """
    digest = hashlib.sha256(drawn).hexdigest()
    digests = RECORDED / "digests.json"
    lines = RECORDED / f"{name}.txt"
    if os.environ.get("RECORD_LAYOUTS"):
        RECORDED.mkdir(exist_ok=True)
        known = json.loads(digests.read_text()) if digests.exists() else {}
        digests.write_text(json.dumps({**known, name: digest}, indent=1, sort_keys=True) + "\n")
        if text:
            lines.write_text(text, encoding="utf-8")
    if text:
        assert text.splitlines() == lines.read_text(encoding="utf-8").splitlines()
    assert digest == json.loads(digests.read_text())[name], f"{name} is drawn otherwise, in colours or signs"
