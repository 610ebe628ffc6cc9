"""`export`: every screen in every format, the same each time, from cron too, and nothing fetched."""

from __future__ import annotations

import csv
import io
import os
import struct
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from console.cli.export import FORMATS
from console.cli.export import SCREENS as EXPORTED
from console.domain.errors import ConsoleError
from console.raster import to_png, with_braille
from console.screens.frame.names import SCREENS
from tests.cli.conftest import Cli
from tests.cli.test_evidence import line

BRAILLE = "\u2840\u2824"
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 60"><rect width="200" height="60" fill="#000"/>'
    '<text class="a" x="12.2" y="30" textLength="61" fill="#fff" clip-path="url(#l)">&#160;{}&lt;b</text></svg>'
)


@pytest.fixture
def log(home: Path) -> Path:
    path = home / "decisions.jsonl"
    start = datetime.now(UTC) - timedelta(minutes=20)
    path.write_text("".join(line(start + timedelta(seconds=20 * n), n) + "\n" for n in range(40)))
    return path


def test_every_screen_that_one_can_go_to_can_be_exported() -> None:
    assert tuple(screen.name for screen in SCREENS) == EXPORTED
    assert set(FORMATS) == {"svg", "png", "html", "txt", "json", "csv"}


def test_a_screen_is_the_same_each_time_it_is_drawn_of_one_moment(cli: Cli, log: Path) -> None:
    assert cli("flag", "set", "odd", "a,b", "--new").code == 0
    at = datetime.now(UTC).isoformat()
    words = ("--decisions", str(log), "export", "--screen", "decisions", "--size", "80x24", "--at", at)
    first, again = (cli(*words) for _ in range(2))
    assert first.code == 0 and first.out == again.out
    assert "http" not in first.out.replace("http://www.w3.org/2000/svg", "")


def test_the_list_of_a_screen_is_a_csv(cli: Cli, log: Path) -> None:
    assert cli("flag", "set", "odd", "=1,2", "--new").code == 0
    rows: dict[str, list[dict[str, Any]]] = {}
    for screen in EXPORTED:
        if screen == "fleet":
            continue
        result = cli("--decisions", str(log), "export", "--screen", screen, "--format", "csv")
        assert result.code == 0, (screen, result.err)
        rows[screen] = list(csv.DictReader(io.StringIO(result.out)))
    assert [row["command"] for row in rows["audit"]] == ["flag set"]
    assert {row["name"]: row["value"] for row in rows["flags"]}["odd"] == "'=1,2"
    assert len(rows["decisions"]) == 40 and rows["decisions"][0]["pnl"] == "1.10"
    assert rows["checklist"]


@pytest.mark.parametrize("words", [("--size", "80"), ("--format", "bmp"), ("--screen", "nowhere")])
def test_what_can_not_be_drawn_is_refused(cli: Cli, words: tuple[str, str]) -> None:
    assert cli("export", *words).code == 2


def test_png_holds_text_and_dots_each_in_its_column() -> None:
    parted = with_braille(SVG.format(BRAILLE), "Dots")
    assert parted.count("<text") == 2
    assert 'x="24.400" y="30" textLength="24.400"' in parted and 'font-family="Dots"' in parted
    assert 'x="48.800" y="30" textLength="24.400"' in parted and ">&lt;b</text>" in parted
    pytest.importorskip("resvg_py")
    try:
        drawn = to_png(SVG.format(BRAILLE))
    except ConsoleError as error:
        pytest.skip(str(error))
    assert drawn[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", drawn[16:24]) == (200, 60)
    assert drawn != to_png(SVG.format("ab")) != to_png(SVG.format("  "))


def test_what_png_needs_is_said_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.raster._FOLDERS", ())
    pytest.importorskip("resvg_py")
    with pytest.raises(ConsoleError, match="font"):
        to_png(SVG.format("x"))
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(ConsoleError) as missing:
        to_png(SVG.format("x"))
    assert "agent-console[png]" in missing.value.hint


def test_cron_can_export_without_a_terminal_or_a_home(store_url: str, home: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "AGENT_CONSOLE_DATA_DIR": str(home / "data"), "LC_ALL": "C"}
    out = home / "out.txt"
    words = ["export", "--url", store_url, "--format", "txt", "--size", "80x24", "-o", str(out)]
    done = subprocess.run(
        [sys.executable, "-m", "console", *words],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=os.fspath(home),
        start_new_session=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "agent" in out.read_text("utf-8")
