"""`guard status`, `guard set`, `guard ack`: what operators see of the guards and tell them."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis

from console.domain.guard.alerts import Alert, AlertKind, alert_id
from console.domain.text import Safe
from console.domain.triggers.finding import Severity
from console.store.keys import GuardKeys, Keys
from console.store.records.guards import FLEET
from tests.cli.conftest import Cli
from tests.guard.records import record, write

NAMES = GuardKeys.of(Keys.of())
ALERT = Alert(
    alert_id("agent", "x"),
    datetime(2026, 3, 1, tzinfo=UTC),
    Safe("agent"),
    AlertKind.ROLLED_BACK,
    Severity.CRITICAL,
    Safe("pnl"),
    Safe("pnl: lost 250 USD"),
    7,
)


def beat(age_s: float, **more: Any) -> str:
    finding = {
        "trigger": "pnl",
        "verdict": "UNDECIDED",
        "arming": "dry",
        "response": "alert",
        "reason": "4 of 10 rounds",
        "value": -1.5,
        "threshold": -3.0,
        "unit": "σ",
        "n": 4,
        "samples": [],
    }
    return json.dumps({"ms": int((time.time() - age_s) * 1000), "watching": "green", "triggers": [finding], **more})


def test_no_guard_running_is_said_and_is_a_no(cli: Cli, valkey_sync: redis.Redis) -> None:
    result = cli("guard", "status")
    assert (result.code, "NO GUARD RUNNING" in result.out) == (1, True)
    valkey_sync.hset(NAMES.guards, "g1", beat(60))
    result = cli("guard", "status")
    assert (result.code, "NO GUARD RUNNING" in result.out, "g1: SILENT" in result.out) == (1, True, True)


def test_a_running_guard_shows_value_threshold_n_and_arming_of_each_trigger(cli: Cli, valkey_sync: redis.Redis) -> None:
    valkey_sync.hset(NAMES.guards, "g1", beat(0))
    valkey_sync.hset(NAMES.alerts, ALERT.id, json.dumps(ALERT.document()))
    result = cli("guard", "status")
    assert result.code == 0
    assert "g1: running" in result.out
    assert "-1.5 of -3" in result.out
    assert f"ALERT {ALERT.id}" in result.out
    document = cli("guard", "status", "--json").json
    assert (document["running"], document["guards"][0]["triggers"][0]["arming"]) == (1, "dry")
    assert document["alerts"] == [ALERT.document()]


def test_alerts_are_acknowledged_with_who_and_when_and_it_is_in_the_audit(cli: Cli, valkey_sync: redis.Redis) -> None:
    valkey_sync.hset(NAMES.alerts, ALERT.id, json.dumps(ALERT.document()))
    (seen,) = cli("guard", "ack", "--who", "ann", "--json").json
    assert (seen["acknowledged_by"], seen["acknowledged_at"] is None) == ("ann", False)
    assert cli("guard", "status", "--json").json["alerts"] == []
    assert cli("guard", "ack", ALERT.id).code == 1, "it was acknowledged before"
    assert "guard ack" in cli("audit").out


def test_thresholds_are_set_for_one_agent_with_a_receipt_and_removed_again(cli: Cli, valkey_sync: redis.Redis) -> None:
    assert cli("guard", "set", "latency.arming=dry", "pnl.sigmas=4", "--reason", "noisy").code == 0
    assert valkey_sync.hgetall(NAMES.triggers) == {b"latency.arming": b"dry", b"pnl.sigmas": b"4"}
    assert "noisy" in cli("audit").out
    assert cli("guard", "set", "pnl.sigmas=").code == 0
    assert valkey_sync.hgetall(NAMES.triggers) == {b"latency.arming": b"dry"}


def test_a_threshold_that_cannot_be_changes_nothing(cli: Cli, valkey_sync: redis.Redis) -> None:
    result = cli("guard", "set", "latency.arming=dry", "pnl.sigma=4")
    assert (result.code, "Did you mean pnl.sigmas?" in result.err) == (2, True)
    assert valkey_sync.exists(NAMES.triggers) == 0


def test_a_read_only_console_neither_guards_nor_sets_nor_acknowledges(cli: Cli) -> None:
    for arguments in (("guard", "--once"), ("guard", "set", "pnl.sigmas=4"), ("guard", "ack")):
        assert cli("--read-only", *arguments).code == 4


def test_without_a_store_the_guard_ends_with_its_own_exit_code(cli: Cli) -> None:
    result = cli("guard", "--once", url="unix:///nowhere/at/all")
    assert (result.code, "unreachable" in result.err.lower()) == (3, True)


def test_of_many_agents_a_log_without_a_name_in_it_is_refused_and_so_is_a_state_file(cli: Cli) -> None:
    for arguments in (("--decisions", "/tmp/all.jsonl"), ("--state-file", "/tmp/state.json")):
        result = cli(*arguments, "guard", "--all", "--once")
        assert (result.code, "/var/log/{agent}/*.jsonl" in result.err) == (2, True)


def test_all_agents_are_looked_at_once_and_the_exit_code_says_whether_anything_was_done(
    cli: Cli, valkey_sync: redis.Redis, tmp_path: Path
) -> None:
    logs = str(tmp_path / "{agent}" / "*.jsonl")
    for agent in ("atlas", "zeus"):
        (tmp_path / agent).mkdir()
        valkey_sync.set(f"{agent}:active_version", "green")
        write(tmp_path / agent / "d.jsonl", [record(time.time(), slot) for slot in ("blue", "green")])
    assert cli("--decisions", logs, "guard", "--all", "--once").code == 0
    write(tmp_path / "zeus" / "d.jsonl", [record(time.time(), "green", decision_type="exception", pnl=None)])
    assert cli("--decisions", logs, "guard", "--all", "--once").code == 1
    assert [valkey_sync.get(f"{agent}:active_version") for agent in ("atlas", "zeus")] == [b"green", b"blue"]
    valkey_sync.hset(Keys.of("atlas").ctl, "ep", "many")
    result = cli("--decisions", logs, "guard", "--all", "--once")
    assert (result.code, "watch failed" in result.err) == (1, True)


def test_the_status_of_all_says_who_guards_and_who_is_watched_by_fewer_than_two(
    cli: Cli, valkey_sync: redis.Redis
) -> None:
    now_ms = int(time.time() * 1000)
    for agent, guards in (("atlas", ("g1", "g2")), ("hera", ("g1",)), ("zeus", ())):
        keys = Keys.of(agent)
        valkey_sync.set(keys.active, "green")
        for name in guards:
            valkey_sync.hset(GuardKeys.of(keys).guards, name, beat(0))
        valkey_sync.hset(GuardKeys.of(keys).guards, "dead", beat(60))
    valkey_sync.hset(GuardKeys.of(Keys.of("hera")).guards, "g1", beat(0, problem="is lost"))
    valkey_sync.hset(GuardKeys.of(Keys.of("zeus")).alerts, ALERT.id, json.dumps(ALERT.document()))
    valkey_sync.hset(FLEET, "g1", json.dumps({"ms": now_ms, "watching": 2, "known": 3, "failing": 1, "why": ["x: y"]}))
    valkey_sync.hset(FLEET, "g0", json.dumps({"ms": now_ms - 60_000, "scope": "atlas"}))
    result = cli("guard", "status", "--all")
    assert result.code == 1, "zeus is watched by nobody"
    for line in (
        "g1: running, heard",
        "knows 3 agents; watches 2, CAN'T JUDGE 1",
        "g0: SILENT",
        "started for atlas alone",
        "3 agents: 1 watched by two guards or more, 1 by one, 1 by NONE",
        "zeus: 0 of 2",
        "hera, says g1: is lost",
        f"ALERT agent  {ALERT.id}",
    ):
        assert line in result.out
    document = cli("guard", "status", "--all", "--json").json
    assert (document["running"], document["watched"]) == (1, {"by_two": 1, "by_one": 1, "by_none": 1})
    assert document["under_watched"] == [{"agent": "zeus", "guards": 0}, {"agent": "hera", "guards": 1}]
    assert [one["name"] for one in document["guards"]] == ["g0", "g1"]
    for name in ("g1", "g2"):
        valkey_sync.hset(GuardKeys.of(Keys.of("zeus")).guards, name, beat(0))
    assert cli("guard", "status", "--all").code == 0


def test_without_any_guard_the_status_of_all_is_a_no(cli: Cli) -> None:
    result = cli("guard", "status", "--all")
    assert (result.code, "NO GUARD RUNNING" in result.out, "0 agents" in result.out) == (1, True, True)
