"""The newcomer's test: a verb is one file and one line, and palette, `:` line and command line have it from then on."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests import ROOT

FILE = '''"""`flag history`: what a flag was set to, when, and by whom."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from console.commands.base import Call, Query
from console.commands.context import Context
from console.commands.flag.set import NAME
from console.domain.document import document
from console.domain.operator.command import Answer, CommandInfo


class Was(NamedTuple):
    """What a flag was set to.

    Args:
        at: when.
        before: its text until then.
        after: its text from then on.
        who: by whom.
    """

    at: datetime
    before: str | None
    after: str | None
    who: str


class FlagHistory(Query):
    """What a flag was set to, newest last."""

    info = CommandInfo(
        name="flag history",
        title="History of a flag",
        summary="What a flag was set to, when, and by whom; newest last.",
        params=(NAME,),
        reads=True,
    )

    def shape(self) -> Any:
        """The changes, oldest first."""
        return list[Was]

    async def answer(self, ctx: Context, call: Call) -> Answer:
        """One line a change."""
        what = f"flag:{call.require('name')}"
        changes = [
            Was(entry.at, change.before, change.after, str(entry.who))
            for entry in await ctx.gateway.audit(1000)
            for change in entry.changes
            if change.what == what
        ]
        lines = tuple(f"{at:%H:%M:%S}Z  {before or '-'} -> {after or '-'}  {who}" for at, before, after, who in changes)
        return Answer([document(change) for change in changes], lines, yes=bool(changes))
'''
LINE = '    "flag history": "console.commands.flag.history:FlagHistory",\n'


def test_a_verb_is_one_file_and_one_line(store_url: str, tmp_path: Path) -> None:
    for package in ("console", "widgets", "themes"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "console/commands/flag/history.py").write_text(FILE, "utf-8")
    catalogue = tmp_path / "console/commands/catalogue.py"
    before = catalogue.read_text("utf-8")
    catalogue.write_text(before.replace('    "flag set":', LINE + '    "flag set":', 1), "utf-8")
    assert len(catalogue.read_text("utf-8").splitlines()) == len(before.splitlines()) + 1

    def verb(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "console", "--url", store_url, *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert verb("flag", "set", "game", "dice", "--new").returncode == 0
    assert verb("flag", "set", "game", "crash").returncode == 0
    told = verb("flag", "history", "game", "--json")
    assert [change["after"] for change in json.loads(told.stdout)] == ["dice", "crash"], told.stderr
    assert "flag set" not in verb("flag", "history", "game").stdout
    assert verb("flag", "history", "nobody").returncode == 1
    assert "history" in verb("flag", "--help").stdout

    program = (
        "from console.commands.catalogue import commands\n"
        "from console.screens.command.grammar import parse\n"
        "catalogue = [command.info for command in commands()]\n"
        "print(parse('flag history game', catalogue).info.title)\n"
    )
    typed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert typed.stdout == "History of a flag\n"
