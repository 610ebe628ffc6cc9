"""Gates with real fenced agents: what they owe, what they watch, what they left in doubt."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import redis

from console.agent import Commitment, Kind
from tests.cli.agents import Two
from tests.cli.conftest import Cli
from tests.cli.test_gates import KEYS, OVER, closed
from tests.waiting import until


def escrow(minutes: float, **detail: str) -> Commitment:
    due = datetime.now(UTC) + timedelta(minutes=minutes)
    return Commitment("esc_1", Kind.ESCROW, Decimal(12), "USD", due=due, detail=json.dumps(detail))


def test_living_agents_that_watch_all_and_owe_nothing_soon_may_be_switched(cli: Cli, two: Two) -> None:
    two.blue.commitments.put(escrow(120))
    two.green.commitments.watch(["esc_1"])
    told = cli("switch", "green")
    assert "all 1 watched" in told.err
    assert "none of 1 escrows within 30 min, the next in 120 min" in told.err
    assert cli("switch", "green", "--yes").code == 0
    until(lambda: two.green.active, "green to be active")


def test_the_new_side_has_to_watch_what_it_will_own(cli: Cli, two: Two) -> None:
    two.blue.commitments.put(escrow(120))
    refused = closed(cli("switch", "green", "--yes", "--json"))
    assert refused == {"superset": "green does not watch 1 of 1: esc_1"}
    two.green.commitments.watch(["esc_1"])
    assert cli("switch", "green", "--yes").code == 0


def test_an_escrow_that_is_released_soon_and_one_in_dispute_block_and_a_roll_back_passes(cli: Cli, two: Two) -> None:
    two.blue.commitments.put(escrow(20, status="disputed"))
    two.green.commitments.watch(["esc_1"])
    assert set(closed(cli("switch", "green", "--yes", "--json"))) == {"auto-release", "disputes"}
    assert cli("switch", "green", "--yes", *OVER).code == 0
    until(lambda: two.green.active, "green to be active")
    assert cli("rollback").code == 0
    until(lambda: two.blue.active, "blue to be active")


def test_a_commitment_that_can_t_be_read_closes_what_goes_by_it(cli: Cli, two: Two, valkey_sync: redis.Redis) -> None:
    valkey_sync.hset(KEYS.owed, "esc_x", "torn")
    assert cli("halt").code == 0, "the store would halt over it too, at the protocol's next step"
    refused = closed(cli("resume", "blue", "--yes", "--reason", "x", "--json"))
    assert "error: 1 of 1 commitments can't be read" in refused["auto-release"]
    assert set(refused) >= {"auto-release", "disputes", "rounds", "superset"}
    assert cli("halt").code == 0


def test_the_checklist_after_a_switch_names_who_stands_by(cli: Cli, two: Two) -> None:
    assert cli("switch", "green", "--yes").code == 0
    until(lambda: two.green.active, "green to be active")
    items = {item["item"]: item for item in cli("checklist", "--phase", "all", "--json").json["items"]}
    assert items["standby"]["evidence"] == "1 of green beat and are ready (2.5.0)"
    assert items["switched"]["state"] == "open"
    assert items["kept-warm"]["evidence"].startswith("1 of blue beat and are ready (2.4.0)")
    assert items["kept-warm"]["state"] == "unknown", "24 hours are not over"
