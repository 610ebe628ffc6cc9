"""What is no store to work on is refused, what only reads starts none, and what can't be written is an exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from console.commands.catalogue import commands
from console.domain.operator.command import CommandInfo, Risk
from console.store.server.connect import connect_sync
from tests.cli.conftest import Cli
from tests.servers import Server

READS = [("status",), ("flag", "list"), ("flag", "get", "game"), ("audit",), ("doctor",), ("doubts", "list")]
VERBS = [
    *READS,
    ("switch", "blue", "--yes"),
    ("halt",),
    ("rollback",),
    ("flag", "set", "game", "dice"),
    ("export",),
    ("guard",),
]


@pytest.fixture
def own_data(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AGENT_CONSOLE_DATA_DIR", str(short_dir))
    return short_dir


@pytest.mark.parametrize(
    "verb", [*READS, ("canary", "show"), ("guard", "status"), ("experiment", "show")], ids=" ".join
)
def test_what_only_reads_starts_no_server(cli: Cli, own_data: Path, verb: tuple[str, ...]) -> None:
    assert cli(*verb, url=None).code == 3
    assert cli("store", "status", url=None).code == 1


@pytest.mark.parametrize("verb", [("halt", "--yes"), ("rollback", "--yes"), ("canary", "abort")], ids=" ".join)
def test_who_names_no_store_and_stops_nobody_is_told_so(cli: Cli, own_data: Path, verb: tuple[str, ...]) -> None:
    refused = cli(*verb, url=None)
    assert refused.code == 4
    assert "would stop nobody" in refused.err


WORDS = {"value": "dice", "file": "/dev/null", "key": "k"}


def line_of(info: CommandInfo) -> list[str]:
    """A command line of this verb, in which everything that is needed stands."""
    words = info.name.split()
    for param in info.params:
        if param.required and not param.flag:
            value = param.choices[0] if param.choices else WORDS.get(param.name, "latest")
            words += [f"--{param.name.replace('_', '-')}", value] if param.option else [value]
    return [*words, *(("--reason", "why") if info.needs_reason else ())]


@pytest.mark.parametrize("info", [command.info for command in commands()], ids=lambda info: info.name)
def test_no_verb_starts_or_changes_an_embedded_store_that_nobody_named_unless_it_was_confirmed(
    info: CommandInfo, cli: Cli, own_data: Path
) -> None:
    assert cli(*line_of(info), url=None).code in (2, 3, 4)
    if info.risk is not Risk.REDUCES:
        assert cli("store", "status", url=None).code == 1
    if info.reads:
        return
    cli("store", "start", url=None)
    try:
        url = cli("store", "status", "--json", url=None).json["url"]
        cli(*line_of(info), url=None)
        with connect_sync(url, name="test") as client:
            assert [key for key in client.scan_iter() if not key.startswith(b"ac:{agent:active_version}:server")] == []
    finally:
        cli("store", "stop", url=None)


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_verb_refuses_a_replica(cli: Cli, valkey_server: Callable[..., Server], verb: tuple[str, ...]) -> None:
    server = valkey_server()
    with connect_sync(server.url, name="test") as client:
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
    refused = cli(*verb, url=server.url)
    assert refused.code == 4
    assert "replica of 127.0.0.1:1" in refused.err


def in_a_shell(store_url: str, command: str, home: Path) -> subprocess.CompletedProcess[str]:
    program = f"{sys.executable} -m console --url {store_url}"
    return subprocess.run(
        ["bash", "-c", command.replace("AC", program)], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("verb", ["status", "status --json", "flag list", "--help"])
def test_a_full_disk_is_a_failure_and_a_closed_pipe_is_none(store_url: str, home: Path, verb: str) -> None:
    full = in_a_shell(store_url, f"AC {verb} > /dev/full", home)
    assert (full.returncode, "Traceback" in full.stderr) == (1, False)
    assert in_a_shell(store_url, f"AC {verb} > /dev/full 2> /dev/full", home).returncode == 1
    closed = in_a_shell(store_url, f"AC {verb} | true; exit ${{PIPESTATUS[0]}}", home)
    assert (closed.returncode, closed.stderr) == (0, "")


@pytest.mark.parametrize("kind", ["", "dumb", "unknown"])
def test_a_terminal_that_obeys_nothing_is_refused_with_the_verb_that_needs_none(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from console.cli.attach import require_terminal
    from console.domain.errors import UsageError

    master, slave = os.openpty()
    with os.fdopen(slave, "r+b", buffering=0) as stream, os.fdopen(master, "rb"):
        for name in ("stdin", "stdout", "stderr"):
            monkeypatch.setattr(sys, name, stream)
        monkeypatch.setenv("TERM", kind)
        with pytest.raises(UsageError) as raised:
            require_terminal()
    assert "status --json" in raised.value.hint
