"""A fresh snapshot counts on whichever host it was taken; the evidence names that host."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis

from console.store.keys import Keys
from console.store.records.snapshots import MOST
from tests.cli.conftest import Cli

KEY = Keys.of().snapshots


@pytest.fixture
def elsewhere(cli: Cli, home: Path, valkey_sync: redis.Redis) -> redis.Redis:
    """A snapshot that was taken on another host: its file is not here, its note is."""
    assert cli("switch", "blue", "--yes").code == 0
    assert cli("snapshot", "take").code == 0
    shutil.rmtree(home / "data" / "snapshots")
    change(valkey_sync, host="ops-2")
    return valkey_sync


def change(store: redis.Redis, *, age_s: float = 0.0, **fields: Any) -> None:
    """Change what the one note says."""
    (name, raw) = next(iter(store.hgetall(KEY).items()))
    note = json.loads(raw)
    if age_s:
        note["noted_at"] = (datetime.fromisoformat(note["noted_at"]) - timedelta(seconds=age_s)).isoformat()
    store.hset(KEY, name, json.dumps({**note, **fields}))


def gate(cli: Cli) -> tuple[str, str]:
    items = {item["item"]: item for item in cli("checklist", "--phase", "before", "--json").json["items"]}
    return items["snapshot"]["state"], items["snapshot"]["evidence"]


def test_a_fresh_snapshot_of_another_host_counts_and_that_host_is_named(cli: Cli, elsewhere: redis.Redis) -> None:
    state, evidence = gate(cli)
    assert state == "open"
    assert " parsed back on ops-2, " in evidence


def test_a_note_of_this_host_counts_only_with_its_file(cli: Cli, home: Path, valkey_sync: redis.Redis) -> None:
    assert cli("snapshot", "take").code == 0
    assert gate(cli)[0] == "open"
    shutil.rmtree(home / "data" / "snapshots")
    assert gate(cli) == ("unknown", "missing: none was taken on this host, and none is known of another")


@pytest.mark.parametrize(
    ("spoil", "state"),
    [
        ({"age_s": 301.0}, "closed"),  # its host's clock says that it was just now, the store's that it was not
        ({"taken_at": "2020-01-01T00:00:00+00:00"}, "closed"),
        ({"taken_at": "2099-01-01T00:00:00+00:00"}, "unknown"),
        ({"sha256": "0" * 64}, "unknown"),
        ({"sha256": 7}, "unknown"),
        ({"host": ""}, "unknown"),
        ({"taken_at": None}, "unknown"),
    ],
)
def test_a_note_that_is_old_or_can_not_be_believed_is_no_snapshot(
    cli: Cli, elsewhere: redis.Redis, spoil: dict[str, Any], state: str
) -> None:
    change(elsewhere, **spoil)
    assert gate(cli)[0] == state


def test_a_damaged_snapshot_here_closes_it_whatever_another_host_tells(
    cli: Cli, elsewhere: redis.Redis, home: Path
) -> None:
    folder = home / "data" / "snapshots" / "agent"
    folder.mkdir(parents=True)
    (folder / "20990101T000000000000Z-00000000.json").write_text("{")
    assert gate(cli)[0] == "unknown"


def test_a_list_of_another_type_is_told_and_keeps_nobody_from_taking_one(cli: Cli, valkey_sync: redis.Redis) -> None:
    valkey_sync.set(KEY, "text")
    taken = cli("snapshot", "take", "--json")
    assert taken.code == 0
    assert "other hosts are not told of it" in taken.json["note"]
    assert gate(cli)[0] == "unknown"


def test_the_list_is_bounded_and_forgets_what_is_pruned(cli: Cli, valkey_sync: redis.Redis) -> None:
    valkey_sync.hset(KEY, mapping={f"20200101T000000{number:06}Z-{number:08x}": "torn" for number in range(MOST + 9)})
    for _ in range(3):
        assert cli("snapshot", "take").code == 0
    assert valkey_sync.hlen(KEY) == MOST
    assert sum(raw != b"torn" for raw in valkey_sync.hvals(KEY)) == 3, "the oldest went, and what nobody can read"
    assert cli("snapshot", "prune", "--keep", "1", "--yes").code == 0
    assert sum(raw != b"torn" for raw in valkey_sync.hvals(KEY)) == 1
