"""Files that are named on the command line: whatever stands there, a documented exit code, no hang, no traceback; and
nothing that is somebody's is written over."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import click
import pytest

from console.cli.main import cli as program
from tests.cli.conftest import Cli

DOCUMENTED = {0, 1, 2, 3, 4, 5, 130}
WORDS = {"path", "file", "config", "decisions", "divergences", "state_file", "triggers", "output", "head", "plan"}
"""What parameters are called, and metavars say, that take a file."""


def verbs(group: click.Group, *before: str) -> list[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    listed: list[tuple[tuple[str, ...], click.Command]] = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            listed += verbs(command, *before, name)
        else:
            listed.append(((*before, name), command))
    return listed


def is_file(parameter: click.Parameter) -> bool:
    words = {*(parameter.name or "").lower().split("_"), str(parameter.metavar or "").lower().partition(".")[0]}
    return isinstance(parameter.type, click.Path | click.File) or bool(WORDS & ({parameter.name} | words))


COMMON = ("config", "decisions", "divergences", "state_file")
SKIPPED = {("demo",), ("serve",), ("store", "start"), ("store", "stop"), ("guard",)}


def file_arguments() -> list[tuple[str, ...]]:
    """Command lines in which one argument is a file, `FILE`, and others are words."""
    lines: list[tuple[str, ...]] = [("status", "--config", "FILE"), ("status", "--decisions", "FILE")]
    lines += [("status", "--divergences", "FILE"), ("snapshot", "take", "--yes", "--state-file", "FILE")]
    lines += [("guard", "--once", "--triggers", "FILE")]
    for words, command in verbs(program):  # type: ignore[arg-type]
        own = [p for p in command.params if p.name not in COMMON]
        positional = [p for p in own if isinstance(p, click.Argument)]
        for parameter in own:
            if words in SKIPPED or not is_file(parameter):
                continue
            if isinstance(parameter, click.Argument):
                lines.append(
                    (
                        *words,
                        *("FILE" if p is parameter else "word" for p in positional if p.required or p is parameter),
                    )
                )
            else:
                option = max(parameter.opts, key=len)
                lines.append((*words, *("word" for p in positional if p.required), option, "FILE"))
    return sorted(set(lines))


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bad")
    os.mkfifo(folder / "fifo")
    (folder / "folder").mkdir()
    (folder / "deep.toml").write_text("a = " + "[" * 20_000 + "]" * 20_000 + "\n")
    (folder / "deep.json").write_text("[" * 100_000 + "]" * 100_000)
    (folder / "empty").write_text("")
    (folder / "binary").write_bytes(bytes(range(256)))
    names = ("fifo", "folder", "deep.toml", "deep.json", "empty", "binary", "missing")
    return {name: folder / name for name in names} | {"endless": Path("/dev/zero")}


def test_the_rule_knows_the_files_that_verbs_take() -> None:
    lines = {" ".join(line) for line in file_arguments()}
    for known in ("experiment define word FILE", "canary plan FILE", "backtest FILE", "export --output FILE"):
        assert any(line.startswith(known.split(" FILE")[0]) for line in lines), (known, lines)
    assert len(lines) > 10


@pytest.mark.parametrize("line", file_arguments(), ids=" ".join)
def test_whatever_stands_at_a_file_s_place_no_verb_hangs_or_breaks(
    line: tuple[str, ...], bad: dict[str, Path], store_url: str, home: Path
) -> None:
    program = (
        "import sys, json; from console.cli.main import run\n"
        "for words in json.loads(sys.argv[1]):\n"
        "    sys.stdout.flush(); print('CODE', run(words), flush=True)\n"
    )
    lines = [["--url", store_url, *(str(file) if word == "FILE" else word for word in line)] for file in bad.values()]
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(lines)],
        capture_output=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
        cwd=home,
        check=False,
    )
    said = done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")
    assert "Traceback" not in said and "Error: maximum" not in said, said[-2000:]
    codes = [
        int(text.split()[1]) for text in done.stdout.decode(errors="replace").split("\n") if text.startswith("CODE ")
    ]
    assert len(codes) == len(lines), said[-2000:]
    assert set(codes) <= DOCUMENTED
    assert stat.S_ISCHR(Path("/dev/zero").stat().st_mode) and bad["fifo"].is_fifo() and bad["folder"].is_dir()


@pytest.mark.parametrize("words", [("export", "--format", "txt", "-o"), ("snapshot", "take", "--yes", "--output")])
def test_nothing_is_written_over_a_file_that_is_there(words: tuple[str, ...], cli: Cli, home: Path) -> None:
    file = home / "mine"
    file.write_text("mine")
    done = cli(*words, str(file))
    assert done.code == 4
    assert "is there already" in done.err
    assert file.read_text() == "mine"


def test_export_writes_over_a_file_with_force_but_over_no_device(cli: Cli, home: Path) -> None:
    file = home / "picture.txt"
    file.write_text("old")
    assert cli("export", "--format", "txt", "-o", str(file), "--force").code == 0
    assert file.read_text() != "old"
    os.mkfifo(home / "fifo")
    assert cli("export", "--format", "txt", "-o", str(home / "fifo"), "--force").code == 4
    assert (home / "fifo").is_fifo()


@pytest.mark.parametrize("name", ["../../outside", "a/b", "..", "/tmp/x", "a\x00b"])
def test_an_agent_s_name_leads_no_file_elsewhere(name: str, cli: Cli, home: Path) -> None:
    before = set(home.parent.iterdir())
    cli("--agent", name, "snapshot", "take", "--yes")
    inside = home / "data"
    written = [path for path in home.rglob("*") if path.is_file()]
    assert [path for path in written if not path.is_relative_to(inside)] == []
    assert set(home.parent.iterdir()) == before
