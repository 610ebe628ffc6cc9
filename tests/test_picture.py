"""A picture of a screen is what the operator would see, in every format and at the size asked for."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

from console.domain.errors import UsageError
from console.picture import export
from console.screens.frame.names import SCREENS
from console.screens.frame.ui_settings import UiSettings
from tests.scenarios import observation
from tests.scenarios.hostile import RAW
from tests.screens.doubles import CATALOGUE
from themes.builtin import THEMES


@pytest.mark.parametrize("size", [(160, 48), (80, 24)])
@pytest.mark.parametrize("screen", [info.name for info in SCREENS])
async def test_every_screen_can_be_drawn_as_text_of_exactly_that_size(screen: str, size: tuple[int, int]) -> None:
    text = (await export(observation("fenced"), screen=screen, size=size, format="txt", catalogue=CATALOGUE)).decode()
    lines = text.splitlines()
    assert len(lines) == size[1]
    assert max(len(line) for line in lines) <= size[0]
    assert ("fleet" if screen == "fleet" else "■ BLUE v2.4.0 ACTIVE") in lines[0]
    assert any(hint in lines[-1] for hint in ("s switch", "c promote", ": command", "R roll back"))


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
async def test_every_theme_draws_well_formed_svg_also_of_hostile_text(theme: str) -> None:
    svg = await export(observation("hostile-text"), settings=UiSettings(theme=theme))
    words = "".join(ET.fromstring(svg).itertext())
    assert "[@click=app.quit]" in words.replace("\xa0", " ")
    assert not any(ord(char) < 0x20 and char not in "\n\t\r" for char in words)


async def test_html_holds_the_picture_and_nothing_that_acts() -> None:
    html = (await export(observation("hostile-text"), format="html")).decode()
    assert "<svg" in html
    assert "<script" not in html
    assert RAW[0] not in html


async def test_json_is_the_status_document() -> None:
    document = json.loads(await export(observation("blue-active"), format="json"))
    assert document["active"] == "blue"
    assert document["slots"]["blue"]["pnl"][0]["last_24h"] == "123.40"


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"screen": "fleets"}, "There is no screen 'fleets'."),
        ({"format": "gif"}, "There is no format 'gif'."),
        ({"size": (10, 3)}, "10x3 is out of range."),
        ({"settings": UiSettings(theme="nice")}, "There is no theme 'nice'."),
    ],
)
async def test_what_can_not_be_drawn_is_refused_with_what_can(named: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        await export(observation("blue-active"), **named)  # type: ignore[arg-type]
    assert refused.value.message == said
    assert refused.value.hint


async def test_a_picture_in_ascii_is_ascii() -> None:
    from widgets.text.glyphs import set_ascii

    try:
        data = await export(observation("fenced"), format="txt", settings=UiSettings(ascii=True))
        assert data.isascii()
    finally:
        set_ascii(False)
