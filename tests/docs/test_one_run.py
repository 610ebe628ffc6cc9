"""The page on one run: every command on it is one, and a reader who types them against the demo sees what it says."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest

from console.cli.main import cli
from tests import ROOT
from tests.waiting import until

PAGE = (ROOT / "docs" / "operators.md").read_text("utf-8").split("### One run\n")[1].split("\n### ")[0]
AGENT_CONSOLE = Path(sys.executable).with_name("agent-console")


class Line(NamedTuple):
    """A command as the page shows it.

    Args:
        command: for a shell.
        code: the exit code that the page says it ends with.
    """

    command: str
    code: int


def lines() -> list[Line]:
    """The commands that the page has somebody type, in their order."""
    (block,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    told = []
    for text in block.splitlines():
        command, _, comment = text.partition("  #")
        code = re.match(r" exit (\d+):", comment)
        told.append(Line(command.strip(), int(code[1]) if code else 0))
    return told


def parsed(words: list[str]) -> str:
    """The verb that these words name, its options and arguments looked at as the command line does.

    Raises:
        click.UsageError: they name none.
    """
    command: click.Command = cli
    context: click.Context | None = None
    verb: list[str] = []
    while isinstance(command, click.Group):
        context = command.make_context(command.name, words, parent=context)
        words = [*context._protected_args, *context.args]
        if not words and command.invoke_without_command:
            return " ".join(verb)
        name, following, words = command.resolve_command(context, words)
        assert following is not None and name is not None
        command, verb = following, [*verb, name]
    command.make_context(command.name, words, parent=context).close()
    return " ".join(verb)


def test_every_command_of_the_page_is_a_verb_with_such_options() -> None:
    named = [shlex.split(line.command)[1:] for line in lines() if line.command.startswith("agent-console ")]
    verbs = [parsed(words) for words in named]
    spans = re.findall(r"`((?:upgrade|switch|resume|checklist|manifest)(?: [^`]*)?)`", PAGE)
    plain = [re.sub(r"\[(.*?)\]", r"\1", span.replace("…", "why")) for span in spans if " " in span]
    for span in plain:
        with contextlib.suppress(click.MissingParameter):  # in a sentence a verb may stand without its arguments
            verbs.append(parsed(shlex.split(span)))
    assert {"upgrade start", "upgrade go", "upgrade resume", "upgrade abort", "upgrade report"} <= {*verbs}


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a terminal beside the demo, as the demo says it."""
    serving = subprocess.Popen([AGENT_CONSOLE, "demo", "--serve"], stdout=subprocess.PIPE, text=True)
    try:
        assert serving.stdout is not None
        words = shlex.split(serving.stdout.readline())
        assert words[0] == "export"
        told = dict(word.split("=", 1) for word in words[1:])
        path = f"{AGENT_CONSOLE.parent}{os.pathsep}{os.environ['PATH']}"
        yield {**os.environ, **told, "PATH": path}
    finally:
        serving.send_signal(signal.SIGINT)
        serving.wait(30)
    assert not Path(told["AGENT_CONSOLE_DATA_DIR"]).exists()


class Reader:
    """Somebody who types what the page says, and waits as the page says."""

    def __init__(self, env: dict[str, str], folder: Path) -> None:
        self._env, self._folder = env, folder
        self.told: list[str] = []

    def says(self, command: str) -> int:
        """Type it; its exit code."""
        done = subprocess.run(
            ["bash", "-c", command], env=self._env, cwd=self._folder, capture_output=True, text=True, timeout=120
        )
        self.told.append(f"$ {command}\n{done.stdout}{done.stderr}-> {done.returncode}")
        return done.returncode

    def waits_for(self, step: str, state: str) -> bool:
        """Whether the run stands there; where it doesn't yet, `upgrade go` is said again, as the page has it."""
        shown = subprocess.run(
            ["bash", "-c", "agent-console upgrade show --json"],
            env=self._env,
            capture_output=True,
            text=True,
            timeout=60,
        )

        run: Any = json.loads(shown.stdout)["run"]
        stands = {one["name"]: one["state"] for one in run["steps"]}[step] == state or run["state"] == state
        if not stands:
            self.says("agent-console upgrade go")
        return stands


@pytest.mark.long
@pytest.mark.timeout(400)
def test_whoever_types_the_page_against_the_demo_sees_what_it_says(demo: dict[str, str], tmp_path: Path) -> None:
    reader = Reader(demo, tmp_path)
    until(lambda: reader.says("agent-console commitments list | grep -q esc_soon.*venue") == 0, timeout_s=60)
    until(lambda: reader.says("agent-console balances") == 0, timeout_s=60)
    for line in lines():
        if line.command.startswith("agent-console upgrade review"):
            until(lambda: reader.waits_for("review", "blocked"), "\n".join(reader.told[-4:]), timeout_s=120)
        code = reader.says(line.command)
        assert code == line.code, "\n".join(reader.told)
    assert (tmp_path / "report.md").read_text().count("## ✓ ") == 10
    assert "| code | changed |" in (tmp_path / "report.md").read_text()
    assert "GREEN acts, rolled back" in reader.told[-1]
