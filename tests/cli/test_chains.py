"""`audit verify` and `archive …`: whoever reads their answer knows what is missing and what was changed."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
import redis

from console.agent.decisions import DecisionLog
from console.domain.fence.chain import link
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from tests.cli.conftest import Cli

KEYS = Keys.of()


@pytest.fixture
def busy(cli: Cli, valkey_sync: redis.Redis) -> Cli:
    """A store on which somebody has worked: six control events, and a receipt."""
    fence = Fence(valkey_sync, KEYS)
    for target in ("blue", "green", "blue", "green", "blue"):
        fence.switch(SwitchRequest(target, expected_epoch="any" if fence.authority() else 0, by="op", mode="now"))
    assert cli("flag", "set", "ready", "True", "--reason", "a test").code == 0
    return cli


def entries_of(client: redis.Redis) -> Any:
    """The control events."""
    return client.xrange(KEYS.log)


def test_whole_chains_are_whole(busy: Cli) -> None:
    answer = busy("audit", "verify")
    assert answer.code == 0
    assert [line.split()[:3] for line in answer.out.splitlines()] == [
        ["✔", "acts", "whole:"],
        ["✔", "log", "whole:"],
        ["✔", "audit", "whole:"],
    ]
    assert "flag set" in busy("audit").out
    assert busy("audit", "--last", "1", "--json").code == 0


def test_an_entry_that_was_deleted_is_a_hole_with_its_size(busy: Cli, valkey_sync: redis.Redis) -> None:
    entries = entries_of(valkey_sync)
    valkey_sync.xdel(KEYS.log, entries[1][0], entries[2][0])
    answer = busy("audit", "verify")
    assert answer.code == 1
    assert f"✖ log   HOLE: 2 entries are missing before entry {entries[3][0].decode()}" in answer.out
    document = busy("audit", "verify", "--json").json
    assert [one["whole"] for one in document] == [True, False, True]
    assert document[1]["findings"][0]["kind"] == "hole"
    assert document[1]["findings"][0]["missing"] == 2


def test_a_halt_that_was_deleted_is_a_cut_tail(busy: Cli, valkey_sync: redis.Redis) -> None:
    busy("halt", "--reason", "stop")
    valkey_sync.xdel(KEYS.log, entries_of(valkey_sync)[-1][0])
    answer = busy("audit", "verify")
    assert answer.code == 1
    assert "CUT: 1 entry is missing at the end" in answer.out


def rewrite(client: redis.Redis, length: int | None = None) -> None:
    """What somebody can do who may write everything: another history, with its heads."""
    entries = entries_of(client)[:length]
    client.delete(KEYS.log)
    head = ""
    for entry_id, fields in entries:
        told = {name: value for name, value in fields.items() if name != b"h"} | {b"by": b"somebody else"}
        head = link(head, told.items())
        client.xadd(KEYS.log, {b"h": head.encode()} | told, id=entry_id)
    client.hset(KEYS.ctl, mapping={"ln": len(entries), "lh": head})


@pytest.mark.parametrize("length", [None, 4])
def test_a_chain_written_anew_shows_against_a_head_kept_elsewhere_and_nowhere_else(
    busy: Cli, valkey_sync: redis.Redis, tmp_path: Path, length: int | None
) -> None:
    heads = tmp_path / "elsewhere" / "heads.json"
    first = busy("audit", "verify", "--head", str(heads))
    assert first.code == 0
    assert "nothing to compare with" in first.err
    busy("halt", "--reason", "stop")
    assert busy("audit", "verify", "--head", str(heads)).code == 0
    assert stat.S_IMODE(heads.stat().st_mode) == 0o600
    rewrite(valkey_sync, length)
    assert busy("audit", "verify").code == 0
    remembered = heads.read_bytes()
    for _ in range(2):
        answer = busy("audit", "verify", "--head", str(heads))
        assert answer.code == 1
        assert "✖ log   REWRITTEN: the chain fits in itself" in answer.out
        assert heads.read_bytes() == remembered, "the evidence stays"


def test_a_tail_that_was_cut_with_its_head_put_back_shows_against_a_head_kept_elsewhere(
    busy: Cli, valkey_sync: redis.Redis, tmp_path: Path
) -> None:
    heads = ("--head", str(tmp_path / "heads.json"))
    assert busy("audit", "verify", *heads).code == 0
    entries = entries_of(valkey_sync)
    valkey_sync.xdel(KEYS.log, entries[-1][0], entries[-2][0])
    valkey_sync.hset(KEYS.ctl, mapping={"ln": len(entries) - 2, "lh": entries[-3][1][b"h"]})
    assert busy("audit", "verify").code == 0
    answer = busy("audit", "verify", *heads)
    assert answer.code == 1
    assert "CUT: 2 entries are missing at the end" in answer.out
    assert busy("audit", "verify", *heads, "--since", "2099-01-01").code == 1


def test_heads_that_are_damaged_or_anothers_are_refused(busy: Cli, tmp_path: Path) -> None:
    heads = tmp_path / "heads.json"
    heads.write_text("{")
    assert busy("audit", "verify", "--head", str(heads)).code == 4
    heads.write_text(json.dumps({"agent": "atlas"}))
    answer = busy("audit", "verify", "--head", str(heads))
    assert answer.code == 4
    assert "atlas" in answer.err


def test_only_what_is_younger_is_looked_at(busy: Cli, valkey_sync: redis.Redis) -> None:
    entries = entries_of(valkey_sync)
    valkey_sync.xdel(KEYS.log, entries[0][0])
    assert busy("audit", "verify", "--since", "1h").code == 1
    assert busy("audit", "verify", "--since", "2099-01-01").code == 0
    assert busy("audit", "verify", "--since", "yesterday").code == 2


def test_decision_logs_are_verified_too(busy: Cli, tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "d.jsonl", version="1", max_bytes=700)
    heads, given = tmp_path / "heads.json", ("--decisions", str(tmp_path / "*.jsonl*"))
    for number in range(8):
        log.write("bet", inputs={}, output={"n": number}, reasoning="")
    log.close()
    plain = tmp_path / "plain.jsonl"
    plain.write_text('{"agent_version": "1"}\n')
    assert (tmp_path / "d.jsonl.2").exists()
    answer = busy("audit", "verify", *given, "--head", str(heads), "--json")
    assert answer.code == 0
    assert [(one["chain"], one["entries"], one["unchained"]) for one in answer.json[3:]] == [
        (str(log.path), 8, 0),
        (str(plain), 1, 1),
    ]
    whole = log.path.read_bytes()
    log.path.write_bytes(b"".join(whole.splitlines(keepends=True)[:-1]))
    assert busy("audit", "verify", *given).code == 0
    cut = busy("audit", "verify", *given, "--head", str(heads))
    assert cut.code == 1
    assert "CUT: the newest lines are missing: there were 8, not 7" in cut.out
    log.path.write_bytes(whole.replace(b'"n":7', b'"n":9'))
    assert "CHANGED: line 8" in busy("audit", "verify", *given).out


def test_an_archive_run_bounds_the_streams_and_is_verified_and_restored(
    busy: Cli, valkey_sync: redis.Redis, tmp_path: Path
) -> None:
    folder = ("--folder", str(tmp_path / "archive"))
    ran = busy("archive", "run", *folder, "--keep", "2", "--reason", "cron")
    assert ran.code == 0, ran.err
    assert valkey_sync.xlen(KEYS.log) == 2
    assert busy("audit", "verify").code == 0
    assert busy("archive", "verify", str(tmp_path / "archive")).code == 0
    assert busy("audit", "--json").json[-1]["command"] == "archive run"
    refused = busy("archive", "restore", str(tmp_path / "archive"), "--yes")
    assert refused.code == 4
    assert "restored into a store without" in refused.err
    valkey_sync.flushall()
    restored = busy("archive", "restore", str(tmp_path / "archive"), "--yes")
    assert restored.code == 0, restored.err
    assert valkey_sync.xlen(KEYS.log) == 6
    assert busy("audit", "verify").code == 0
    assert busy("archive", "run", *folder, "--keep", "many").code == 2


def test_an_archive_that_was_edited_is_told(busy: Cli, tmp_path: Path) -> None:
    busy("archive", "run", "--folder", str(tmp_path / "archive"), "--keep", "2")
    file = tmp_path / "archive" / "agent-log.jsonl"
    file.write_bytes(file.read_bytes().replace(b"green", b"ocean", 1))
    answer = busy("archive", "verify", str(tmp_path / "archive"))
    assert answer.code == 1
    assert "✖ log   CHANGED" in answer.out
    file.write_bytes(b"{}\n")
    assert busy("archive", "verify", str(tmp_path / "archive")).code == 4


def test_nothing_is_archived_from_a_chain_that_does_not_verify_nor_by_who_may_only_look(
    busy: Cli, valkey_sync: redis.Redis, tmp_path: Path
) -> None:
    folder = ("--folder", str(tmp_path / "archive"), "--keep", "0")
    assert busy("archive", "run", *folder, "--read-only").code == 4
    valkey_sync.xdel(KEYS.log, entries_of(valkey_sync)[2][0])
    answer = busy("archive", "run", *folder)
    assert answer.code == 4
    assert "1 entry is missing" in answer.err
    assert valkey_sync.xlen(KEYS.log) == 5
