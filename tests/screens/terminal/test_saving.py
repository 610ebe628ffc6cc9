"""Pictures: no host is named in them, and none is written over anything, nor by who may only look."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from console.picture import export
from console.screens.frame.names import SCREENS
from console.screens.terminal.saving import save_picture
from tests.scenarios import observation
from tests.screens.doubles import CATALOGUE, WIDE, console, status_of
from tests.screens.parts.test_dialogs import settled

FETCHED = re.compile(
    r"url\((?!#)|@import|@font-face|\b(?:src|href)\s*=|https?://(?!www\.w3\.org/2000/svg\")", re.IGNORECASE
)
"""Whatever makes a reader of the file ask somebody else, or names whom."""


@pytest.mark.parametrize("format", ["svg", "html", "txt"])
@pytest.mark.parametrize("screen", [info.name for info in SCREENS])
async def test_a_picture_names_no_host(screen: str, format: str) -> None:
    picture = (
        await export(observation("fenced"), screen=screen, size=(100, 30), format=format, catalogue=CATALOGUE)
    ).decode()
    assert ("fleet" if screen == "fleet" else "atlas") in picture
    assert FETCHED.findall(picture) == []


async def test_a_picture_taken_with_a_key_names_no_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = console("fenced")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("e")
        await settled(pilot)
    (picture,) = tmp_path.iterdir()
    assert FETCHED.findall(picture.read_text()) == []


async def test_a_picture_is_never_written_over_a_file(tmp_path: Path) -> None:
    file = tmp_path / "notes.svg"
    file.write_text("mine")
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        app.submit(f"export {file}")
        await settled(pilot)
        assert "is there already" in status_of(app)
    assert file.read_text() == "mine"
    with pytest.raises(FileExistsError):
        save_picture(str(file), "<svg/>")


@pytest.mark.parametrize(
    ("scenario", "way"), [("read-only", "`agent-console export` writes one."), ("protected", ":unlock lets it.")]
)
async def test_who_may_only_look_writes_no_file_and_is_told_the_way(
    scenario: str, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = console(scenario)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("e")
        app.submit("export there.svg")
        await settled(pilot)
        assert status_of(app).endswith(way)
    assert list(tmp_path.iterdir()) == []
