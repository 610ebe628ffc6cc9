"""`guard status`, `guard set`, `guard ack`: what operators see of the guards and tell them."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import redis

from console.domain.alerts import Alert, AlertKind, alert_document, alert_id
from console.domain.text import Safe
from console.domain.triggers import Severity
from console.store.guards import GuardKeys
from console.store.keys import Keys
from tests.cli.conftest import Cli

NAMES = GuardKeys.of(Keys.of())
ALERT = Alert(
    alert_id("agent", "x"), datetime(2026, 3, 1, tzinfo=UTC), Safe("agent"), AlertKind.ROLLED_BACK, Severity.CRITICAL,
    Safe("pnl"), Safe("pnl: lost 250 USD"), 7,
)  # fmt: skip


def beat(age_s: float, **more: Any) -> str:
    finding = {
        "trigger": "pnl", "verdict": "UNDECIDED", "arming": "dry", "response": "alert", "reason": "4 of 10 rounds",
        "value": -1.5, "threshold": -3.0, "unit": "σ", "n": 4, "samples": [],
    }  # fmt: skip
    return json.dumps({"ms": int((time.time() - age_s) * 1000), "watching": "green", "triggers": [finding], **more})


def test_no_guard_running_is_said_and_is_a_no(cli: Cli, valkey_sync: redis.Redis) -> None:
    found = cli("guard", "status")
    assert (found.code, "NO GUARD RUNNING" in found.out) == (1, True)
    valkey_sync.hset(NAMES.guards, "g1", beat(60))
    found = cli("guard", "status")
    assert (found.code, "NO GUARD RUNNING" in found.out, "g1: SILENT" in found.out) == (1, True, True)


def test_a_running_guard_shows_value_threshold_n_and_arming_of_each_trigger(cli: Cli, valkey_sync: redis.Redis) -> None:
    valkey_sync.hset(NAMES.guards, "g1", beat(0))
    valkey_sync.hset(NAMES.alerts, ALERT.id, json.dumps(alert_document(ALERT)))
    found = cli("guard", "status")
    assert found.code == 0
    assert "g1: running" in found.out
    assert "-1.5 of -3" in found.out
    assert f"ALERT {ALERT.id}" in found.out
    document = cli("guard", "status", "--json").json
    assert (document["running"], document["guards"][0]["triggers"][0]["arming"]) == (1, "dry")
    assert document["alerts"] == [alert_document(ALERT)]


def test_alerts_are_acknowledged_with_who_and_when_and_it_is_in_the_audit(cli: Cli, valkey_sync: redis.Redis) -> None:
    valkey_sync.hset(NAMES.alerts, ALERT.id, json.dumps(alert_document(ALERT)))
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
    found = cli("guard", "set", "latency.arming=dry", "pnl.sigma=4")
    assert (found.code, "Did you mean pnl.sigmas?" in found.err) == (2, True)
    assert valkey_sync.exists(NAMES.triggers) == 0


def test_a_read_only_console_neither_guards_nor_sets_nor_acknowledges(cli: Cli) -> None:
    for arguments in (("guard", "--once"), ("guard", "set", "pnl.sigmas=4"), ("guard", "ack")):
        assert cli("--read-only", *arguments).code == 4


def test_without_a_store_the_guard_ends_with_its_own_exit_code(cli: Cli) -> None:
    found = cli("guard", "--once", url="unix:///nowhere/at/all")
    assert (found.code, "unreachable" in found.err.lower()) == (3, True)
