"""`decisions show` with a store beside it: what was in force, and the action that a decision led to."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import redis

from console.domain.fence.claims import Direction, Outcome
from console.store.fence.blocking import Fence
from console.store.fence.claims import Intent
from console.store.keys import Keys
from tests.cli.conftest import Cli


def shown(cli: Cli, home: Path, **other: Any) -> Any:
    log = home / "decisions.jsonl"
    record = {
        "timestamp": datetime.now(UTC).isoformat(),
        "agent_version": "2.4.0",
        "decision_type": "bet",
        "output": {"action": "BET", "pnl": "1.10", "currency": "USD"},
        "reasoning": "why",
        **other,
    }
    log.write_text(json.dumps(record) + "\n")
    return lambda: cli("--decisions", str(log), "decisions", "show", "decisions.jsonl:0", "--json").json["then"]


def test_flags_and_side_are_those_of_its_moment_and_not_of_now(cli: Cli, home: Path) -> None:
    assert cli("switch", "blue", "--yes").code == 0
    assert cli("flag", "set", "crash_target", "2.5", "--yes").code == 0
    time.sleep(0.01)
    look = shown(cli, home)
    time.sleep(0.01)
    assert cli("flag", "set", "crash_target", "3", "--yes").code == 0
    assert cli("switch", "green", "--yes", "--override", "a test", "--confirm", "agent").code == 0
    then = look()
    assert then["active"] == "blue"
    flags = {flag["name"]: flag for flag in then["flags"]}
    assert flags["crash_target"]["value"] == "2.5"
    assert flags["crash_target"]["since"] is not None


def test_what_no_change_is_on_record_of_is_not_known_and_never_today_s(
    cli: Cli, home: Path, valkey_sync: redis.Redis
) -> None:
    valkey_sync.set("agent:active_version", "green")  # by hand: nobody can say since when
    valkey_sync.set("flag:crash_target", "9.99")
    then = shown(cli, home)()
    flag = next(one for one in then["flags"] if one["name"] == "crash_target")
    assert (flag["value"], flag["since"], then["active"]) == (None, None, "")
    assert flag["problem"]
    assert any(one.startswith("active:") for one in then["missing"])


def test_the_action_is_matched_by_the_key_that_the_record_names(cli: Cli, home: Path, valkey_sync: redis.Redis) -> None:
    assert cli("switch", "blue", "--yes").code == 0
    fence = Fence(valkey_sync, Keys.of())
    authority = fence.authority()
    assert authority is not None
    intent = Intent(
        key="bet-7",
        claim_id="c-7",
        slot="blue",
        epoch=authority.epoch,
        instance="blue-1",
        amount=Decimal("5"),
        currency="USD",
        direction=Direction.ENTER,
        action="bet on red",
        lease_ms=60_000,
        seen=authority.epoch,
    )
    assert fence.claim(intent).granted
    fence.settle(intent, Outcome.OK, pnl=Decimal("1.10"))
    then = shown(cli, home, order={"id": "bet-7"})()
    assert [(one["did"], one["outcome"], one["key"], one["named_at"]) for one in then["action"]] == [
        ("claim", "", "bet-7", "order.id"),
        ("settle", "ok", "bet-7", "order.id"),
    ]
    assert Decimal(then["action"][1]["amount"]) == Decimal("1.10")


def test_what_can_not_be_matched_or_asked_is_said(cli: Cli, home: Path) -> None:
    then = shown(cli, home)()
    assert then["action"] == []
    assert any("idempotency key" in one for one in then["missing"])
    log = home / "decisions.jsonl"
    alone = cli("--decisions", str(log), "decisions", "show", "decisions.jsonl:0", "--json", url="redis://127.0.0.1:1")
    assert alone.code == 0
    assert any("No store was asked" in one for one in alone.json["then"]["missing"])
