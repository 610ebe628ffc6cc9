"""A store that lost data, or is damaged: what every verb says, and that nobody begins anew without an operator who saw
it."""

from __future__ import annotations

import os
import socket
import time

import pytest
import redis

from console.domain.fence.claims import Outcome
from console.store.fence.blocking import Fence
from console.store.fence.calls import Heartbeat, SwitchRequest
from console.store.fence.hosts import host_name, started_at
from console.store.keys import Keys
from tests.cli.conftest import Cli
from tests.cli.test_doubts import doubt
from tests.waiting import until

ACTIVE = "agent:active_version"


@pytest.fixture
def fence(valkey_sync: redis.Redis) -> Fence:
    """The protocol, on the same store."""
    return Fence(valkey_sync, Keys.of())


def test_a_store_without_the_authority_that_was_seen_is_a_cross_and_a_switch_is_refused(
    cli: Cli, valkey_sync: redis.Redis
) -> None:
    cli("switch", "blue", "--yes")
    assert cli("status").code in (0, 1)
    valkey_sync.flushall()
    status = cli("status")
    assert status.code == 1 and "the store went back: no authority" in status.out
    refused = cli("switch", "blue", "--yes")
    assert refused.code == 4 and "the store went back" in refused.err
    assert valkey_sync.get(ACTIVE) == b"halted"


def test_only_a_resume_with_a_reason_begins_anew(cli: Cli, valkey_sync: redis.Redis) -> None:
    cli("switch", "blue", "--yes")
    cli("status")
    valkey_sync.flushall()
    cli("switch", "blue", "--yes")
    assert cli("resume", "blue", "--yes", "--reason", "the store was set up anew, nothing was open").code == 0
    assert "went back" not in cli("status").out
    assert cli("switch", "green", "--yes").code == 0


@pytest.mark.parametrize("name", ["open", "in_flight", "actions", "log", "ctl"])
def test_a_key_of_another_type_is_a_cross_and_halt_works_all_the_same(
    cli: Cli, valkey_sync: redis.Redis, name: str
) -> None:
    cli("switch", "blue", "--yes")
    key = getattr(Keys.of(), name)
    valkey_sync.delete(key)
    valkey_sync.rpush(key, "x") if name != "open" else valkey_sync.set(key, "x")
    status = cli("status")
    assert status.code == 1 and "can't be read" in status.out
    assert cli("doctor").code == 1
    halted = cli("halt", "--reason", "damaged", "--json")
    assert halted.code == 0 and halted.json["changes"]
    assert valkey_sync.get(ACTIVE) == b"halted"
    assert valkey_sync.hget(Keys.of().ctl, "ph") == b"HALT"


@pytest.mark.parametrize("name", ["actions", "log"])
def test_a_cut_tail_is_a_cross(cli: Cli, valkey_sync: redis.Redis, fence: Fence, name: str) -> None:
    cli("switch", "blue", "--yes")
    fence.settle(doubt(fence, "bet-1"), Outcome.OK)
    stream = getattr(Keys.of(), name)
    valkey_sync.xdel(stream, valkey_sync.xrevrange(stream, count=1)[0][0])  # type: ignore[index]
    status = cli("status")
    assert status.code == 1 and "newest" in status.out


def test_a_claim_whose_lease_has_ended_is_a_doubt_wherever_it_is_read_swept_or_not(
    cli: Cli, fence: Fence, valkey_sync: redis.Redis
) -> None:
    cli("switch", "blue", "--yes")
    doubt(fence, "bet-1", lease_ms=1)  # settled as unknown
    intent = doubt(fence, "bet-2", lease_ms=60_000)
    fence.settle(intent, Outcome.OK)
    claim = intent._replace(key="bet-3", claim_id="c-bet-3", lease_ms=1)
    assert fence.claim(claim).granted
    time.sleep(0.01)
    [*_, swept] = valkey_sync.hget(Keys.of().open, "bet-3").split(b"\n")[6:7]  # type: ignore[union-attr]
    assert swept == b"C"  # nobody has noted it yet
    assert [one["key"] for one in cli("doubts", "list", "--json").json] == ["bet-1", "bet-3"]
    assert cli("status", "--json").json["authority"]["in_doubt"] == 2


def test_what_a_killed_verb_left_is_finished_by_status_repair(cli: Cli, fence: Fence, valkey_sync: redis.Redis) -> None:
    cli("switch", "blue", "--yes")
    request = SwitchRequest("green", expected_epoch="any", by="op", drain_ms=20, hold_ms=20)
    fence.switch(request)
    assert valkey_sync.get(ACTIVE) == b"draining"
    time.sleep(0.05)
    status = cli("status")
    assert status.code == 1 and "overdue" in status.out
    assert cli("status", "--repair").code in (0, 1)
    assert valkey_sync.get(ACTIVE) == b"green"


def test_a_holder_that_lives_on_this_host_is_not_gone_however_long_it_is_silent(cli: Cli, fence: Fence) -> None:
    cli("switch", "blue", "--yes")
    here = Heartbeat("blue-1", "blue", host=host_name(), pid=os.getpid(), started=started_at(), every_ms=1)
    fence.beat(here, epoch=0, seen=0)
    doubt(fence, "bet-1")
    time.sleep(0.05)
    words = (
        "doubts",
        "resolve",
        "bet-1",
        "not-executed",
        "--evidence",
        "not in the ledger",
        "--proof",
        "gone",
        "--yes",
    )
    refused = cli(*words)
    assert refused.code == 4 and "lives" in refused.err
    fence.beat(here._replace(host=f"{socket.gethostname()}/elsewhere"), epoch=0, seen=0)
    until(lambda: "might still send" not in cli(*words).err, "its heartbeats were missed")


def test_a_late_report_is_a_cross_in_status_and_told_by_doctor(cli: Cli, fence: Fence) -> None:
    from console.store.fence.claims import Proof, Resolution

    cli("switch", "blue", "--yes")
    intent = doubt(fence, "bet-1")
    fence.resolve(
        Resolution("bet-1", intent.claim_id, executed=False, by="op", evidence="not there", proof=Proof.BURNED)
    )
    assert cli("doubts", "list").code == 0
    fence.settle(intent, Outcome.UNKNOWN, result="the venue did not answer")
    listed = cli("doubts", "list", "--json")
    assert [one["key"] for one in listed.json] == ["bet-1"]
    words = cli("doubts", "list")
    assert "1 reports of this tenure came late" in words.out + words.err
    status = cli("status")
    assert status.code == 1 and "came late" in status.out
    assert "late reports" in cli("doctor").out
    assert "late report" in cli("audit").out
