"""Actions in doubt: seen, and ended only on evidence."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest
import redis

from console.domain.fence.claims import Direction, Outcome
from console.store.fence.blocking import Fence
from console.store.fence.calls import Heartbeat
from console.store.fence.claims import ClaimCode, Intent
from console.store.keys import Keys
from tests.cli.conftest import Cli


@pytest.fixture
def fence(valkey_sync: redis.Redis) -> Fence:
    """The protocol, on the same store."""
    return Fence(valkey_sync, Keys.of())


def doubt(fence: Fence, key: str, lease_ms: int = 1) -> Intent:
    """A claim whose outcome its holder reports as unknown."""
    authority = fence.authority()
    assert authority is not None
    intent = Intent(
        key=key,
        claim_id=f"c-{key}",
        slot="blue",
        epoch=authority.epoch,
        instance="blue-1",
        amount=Decimal("5"),
        currency="USD",
        direction=Direction.ENTER,
        action="bet on red",
        lease_ms=lease_ms,
        seen=authority.epoch,
    )
    assert fence.claim(intent).granted
    time.sleep(0.005)
    fence.settle(intent, Outcome.UNKNOWN)
    return intent


def test_a_doubt_is_listed_and_the_answer_is_no_while_there_is_one(cli: Cli, fence: Fence) -> None:
    cli("switch", "blue", "--yes")
    assert cli("doubts", "list").code == 0
    doubt(fence, "bet-1")
    result = cli("doubts", "list", "--json")
    assert result.code == 1
    (listed,) = result.json
    assert (listed["key"], listed["amount"], listed["currency"], listed["action"]) == (
        "bet-1",
        "5",
        "USD",
        "bet on red",
    )


def test_executed_ends_a_doubt_on_evidence_and_is_audited(cli: Cli, fence: Fence) -> None:
    cli("switch", "blue", "--yes")
    doubt(fence, "bet-1")
    assert cli("doubts", "resolve", "bet-1", "executed", "--yes").code == 2
    result = cli("doubts", "resolve", "bet-1", "executed", "--evidence", "venue bet_17", "--pnl", "-1.25", "--yes")
    assert result.code == 0
    assert cli("doubts", "list").code == 0
    assert cli("audit", "--json").json[-1]["command"] == "doubts resolve"
    assert cli("doubts", "resolve", "bet-1", "executed", "--evidence", "x", "--yes").code == 4


def test_not_executed_is_refused_while_its_holder_might_still_send(cli: Cli, fence: Fence) -> None:
    cli("switch", "blue", "--yes")
    doubt(fence, "bet-1")
    result = cli("doubts", "resolve", "bet-1", "not-executed", "--evidence", "venue has none", "--yes")
    assert result.code == 4
    assert "might still send" in result.err
    early = cli("doubts", "resolve", "bet-1", "not-executed", "--evidence", "none", "--proof", "gone", "--yes")
    assert early.code == 4
    assert "might still show it. It can be resolved in 60 s." in early.err
    assert cli("doubts", "resolve", "bet-1", "not-executed", "--evidence", "n", "--proof", "burned", "--yes").code == 0
    assert cli("doubts", "list").code == 0


def told_a_window(fence: Fence, window_ms: int | None) -> None:
    """A heartbeat of an instance that goes by a venue's window."""
    authority = fence.authority()
    assert authority is not None
    fence.beat(Heartbeat("blue-2", "blue", "1", window_ms=window_ms), epoch=authority.epoch, seen=authority.epoch)


@pytest.mark.parametrize(
    ("window_ms", "words"),
    [
        (3_600_000, "may be sent again until 20"),
        (0, "the venue may have forgotten its key, never sent again"),
        (None, "not every living agent was told"),
    ],
)
def test_a_doubt_says_for_how_long_its_key_may_be_sent_again(
    cli: Cli, fence: Fence, window_ms: int | None, words: str
) -> None:
    cli("switch", "blue", "--yes")
    doubt(fence, "bet-1")
    told_a_window(fence, window_ms)
    assert words in cli("doubts", "list").out
    (listed,) = cli("doubts", "list", "--json").json
    assert listed["first_sent_ms"] == listed["claimed_ms"] and listed["never_again"] is False
    until_ms = None if window_ms is None else listed["claimed_ms"] + window_ms
    assert listed["again_until_ms"] == until_ms


def test_what_came_past_the_window_is_shown_as_such_and_uses_its_key_up(cli: Cli, fence: Fence) -> None:
    cli("switch", "blue", "--yes")
    first = doubt(fence, "bet-1")
    (before,) = cli("doubts", "list", "--json").json
    assert cli("doubts", "resolve", "bet-1", "not-executed", "--evidence", "n", "--proof", "burned", "--yes").code == 0
    assert fence.claim(first._replace(claim_id="c-2"), window_ms=0).code is ClaimCode.PAST_WINDOW
    assert "past the venue's window" in cli("doubts", "list").out
    (listed,) = cli("doubts", "list", "--json").json
    assert listed["never_again"] is True and listed["first_sent_ms"] == before["first_sent_ms"] < listed["claimed_ms"]
    result = cli("doubts", "resolve", "bet-1", "not-executed", "--evidence", "the ledger has none", "--json", "--yes")
    assert result.code == 0
    assert result.json["changes"][0]["after"] == "not executed, its key is used up"
    assert fence.claim(first._replace(claim_id="c-3")).code is ClaimCode.DONE


def test_a_halt_may_stop_less_than_everything(cli: Cli, valkey_sync: redis.Redis) -> None:
    cli("switch", "blue", "--yes")
    assert cli("halt", "--level", "reduce-only").code == 0
    assert valkey_sync.get("agent:active_version") == b"blue"
    assert cli("halt").code == 0
    assert valkey_sync.get("agent:active_version") == b"halted"


def beat(fence: Fence, slot: str) -> None:
    """A heartbeat of a ready instance."""
    authority = fence.authority()
    assert authority is not None
    fence.beat(Heartbeat(f"{slot}-1", slot, "1"), epoch=authority.epoch, seen=authority.epoch)


def test_a_roll_back_of_fenced_agents_goes_to_a_side_known_healthy(
    cli: Cli, fence: Fence, valkey_sync: redis.Redis
) -> None:
    cli("switch", "blue", "--yes")
    beat(fence, "blue")
    beat(fence, "green")
    cli("switch", "green", "--yes", "--now")
    beat(fence, "blue")
    assert cli("rollback").code == 0
    assert valkey_sync.get("agent:active_version") == b"blue"


def test_a_roll_back_to_a_side_that_is_not_known_healthy_halts(
    cli: Cli, fence: Fence, valkey_sync: redis.Redis
) -> None:
    cli("switch", "blue", "--yes")
    cli("switch", "green", "--yes", "--now")
    beat(fence, "green")
    result = cli("rollback", "--json")
    assert result.code == 0
    assert "halted instead: blue is not known to be healthy" in result.json["note"]
    assert valkey_sync.get("agent:active_version") == b"halted"
