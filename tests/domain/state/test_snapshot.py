"""Snapshots: the round trip, staleness to the millisecond, and files that are never torn."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.errors import Refused, UsageError
from console.domain.operator.receipt import Change
from console.domain.state.snapshot import LogPosition, Snapshot, StateFile, check_restorable, restore_changes
from console.store.files import snapshots

TAKEN = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
EXAMPLE = Snapshot(
    agent="agent",
    taken_at=TAKEN,
    taken_by="ada@ops",
    why="before the upgrade",
    active="blue",
    epoch=41,
    flags={"crash_target": "2.0", "accept_escrows": "True"},
    version="2.4.0",
    escrow_ids=["esc_1", "esc_2"],
    open_positions={"BTC": {"size": Decimal("0.10000000000000000001"), "entry": Decimal("43000.5")}},
    last_action_time=Decimal("1772366400.123456789"),
    rate_limit_tokens={"orders": 12},
    decision_log=({"agent_version": "2.4.0", "timestamp": 1, "output": {"pnl": Decimal("0.10")}},),
    state_file=StateFile("/srv/agent/state.json", '{"rate_limit_tokens": {"orders": 12}}\n'),
    logs=(LogPosition("/var/log/agent/decisions.jsonl", 17, 4096, 8192),),
)

plain_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.decimals(allow_nan=False, allow_infinity=False, places=9)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | numbers | plain_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(plain_text, inner, max_size=3),
    max_leaves=8,
)


def test_a_round_trip_is_the_identity_on_every_field() -> None:
    assert snapshots.decode(snapshots.encode(EXAMPLE), name="x") == EXAMPLE


@given(json_values, json_values, json_values, json_values)
def test_a_round_trip_keeps_whatever_a_state_file_holds(a: object, b: object, c: object, d: object) -> None:
    taken = replace(EXAMPLE, escrow_ids=a, open_positions=b, last_action_time=c, rate_limit_tokens=d)
    assert snapshots.decode(snapshots.encode(taken), name="x") == taken


def test_the_file_carries_the_seven_fields_of_the_contract() -> None:
    document = json.loads(snapshots.encode(EXAMPLE))
    assert set(document) >= {
        "version",
        "timestamp",
        "escrow_ids",
        "open_positions",
        "last_action_time",
        "rate_limit_tokens",
        "decision_log",
    }


@pytest.mark.parametrize(
    ("age_s", "ok"), [("0", True), ("299.9", True), ("300.0", True), ("300.1", False), ("86400", False)]
)
def test_older_than_300_seconds_is_too_stale_to_restore(age_s: str, ok: bool) -> None:
    now = TAKEN + timedelta(milliseconds=int(Decimal(age_s) * 1000))
    if ok:
        check_restorable(EXAMPLE, agent="agent", now=now)
    else:
        with pytest.raises(Refused, match="300 s is the limit"):
            check_restorable(EXAMPLE, agent="agent", now=now)


def test_a_snapshot_from_the_future_is_refused() -> None:
    with pytest.raises(Refused, match="from the future"):
        check_restorable(EXAMPLE, agent="agent", now=TAKEN - timedelta(microseconds=1))


def test_another_agents_snapshot_is_refused() -> None:
    with pytest.raises(Refused, match="not of 'atlas'"):
        check_restorable(EXAMPLE, agent="atlas", now=TAKEN)


@pytest.mark.parametrize("edit", ["flag value", "cut off", "not json", "list", "schema", "format", "checksum gone"])
def test_a_damaged_file_is_refused(edit: str) -> None:
    data = snapshots.encode(EXAMPLE)
    document = json.loads(data)
    if edit == "flag value":
        damaged = data.replace(b'"2.0"', b'"9.0"')
    elif edit == "cut off":
        damaged = data[:-20]
    elif edit == "not json":
        damaged = b"\x00\xff"
    elif edit == "list":
        damaged = b"[]"
    elif edit == "schema":
        damaged = json.dumps({**document, "schema": 99}).encode()
    elif edit == "format":
        damaged = json.dumps({**document, "format": "other"}).encode()
    else:
        damaged = json.dumps({k: v for k, v in document.items() if k != "checksum"}).encode()
    with pytest.raises(Refused):
        snapshots.decode(damaged, name="x")


def test_a_restore_unsets_nothing_that_the_snapshot_can_not_vouch_for() -> None:
    state_text = EXAMPLE.state_file.text if EXAMPLE.state_file else None
    now = {**EXAMPLE.flags, "set_since": "1"}
    partial = snapshots.decode(snapshots.encode(EXAMPLE), name="x")
    assert restore_changes(partial, flags=now, active="blue", state_text=state_text) == ()
    whole = snapshots.decode(snapshots.encode(replace(EXAMPLE, flags_whole=True)), name="x")
    gone = Change("flag:set_since", "1", None)
    assert restore_changes(whole, flags=now, active="blue", state_text=state_text) == (gone,)


def test_restoring_lists_exactly_what_differs() -> None:
    changes = restore_changes(
        replace(EXAMPLE, flags_whole=True),
        flags={"crash_target": "3.0", "extra": "1", "accept_escrows": "True"},
        active="green",
        state_text=EXAMPLE.state_file.text if EXAMPLE.state_file else None,
    )
    assert changes == (
        Change("flag:crash_target", "3.0", "2.0"),
        Change("flag:extra", "1", None),
        Change("active version", "green", "blue"),
    )


def test_a_saved_file_is_private_and_found_again(tmp_path: Path) -> None:
    folder = tmp_path / "snapshots"
    identity, path = snapshots.save(EXAMPLE, folder)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stored.id for stored in snapshots.listing(folder)] == [identity]
    assert snapshots.resolve("latest", folder) == path
    assert snapshots.resolve(identity[:12], folder) == path
    assert snapshots.read(path) == EXAMPLE
    with pytest.raises(UsageError, match="no snapshot"):
        snapshots.resolve("nonesuch", folder)


def test_a_damaged_file_is_listed_with_its_problem(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{")
    (stored,) = snapshots.listing(tmp_path)
    assert stored.snapshot is None
    assert "not a snapshot" in stored.problem


_WRITER = """
import sys
from pathlib import Path
from console.store.files.private import write_private
path, n = Path(sys.argv[1]), 0
while True:
    n += 1
    write_private(path, (b"%d" % (n % 10)) * 200_000)
    if n == 1:
        print("ready", flush=True)
"""


def test_kill_9_at_any_moment_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for turn in range(12):
        writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        time.sleep(0.003 * turn)
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        data = path.read_bytes()
        assert len(data) == 200_000
        assert len(set(data)) == 1
