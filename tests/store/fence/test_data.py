"""What the scripts do where their data is not what it was: lost, put back, damaged, counted to the last digit, and
timed by a clock that somebody sets."""

from __future__ import annotations

import json
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from console.domain.fence.chain import verify_chain
from console.domain.fence.claims import Outcome, from_store, to_store
from console.domain.fence.deployment import Phase
from console.store import scripts
from console.store.fence.blocking import Fence
from console.store.fence.calls import Heartbeat, Limits, SwitchRequest
from console.store.fence.claims import ClaimCode, Intent, Proof, Resolution, ResolveCode, SettleCode
from console.store.fence.ids import boot_id
from console.store.fence.replies import BeatCode, HaltCode, Mark, Seen
from tests.store.fence.test_claims import events, fence, granted, in_doubt, intent, server_ms

__all__ = ["fence"]

HOUR_MS = 3_600_000
MONEY = st.decimals(allow_nan=False, allow_infinity=False, places=18, min_value=-(10**17), max_value=10**17)


def ctl(fence: Fence, field: str) -> str:
    value: Any = fence.client.hget(fence.keys.ctl, field)
    return "" if value is None else value.decode()


def seen(fence: Fence) -> Seen:
    """What a client remembers of the store as it is."""
    return fence.tend().seen


# -- what was seen ----------------------------------------------------------------------------------------------------


def test_a_store_of_another_lineage_grants_nothing(fence: Fence) -> None:
    assert fence.claim(intent(fence, lineage="0f" * 20)).code is ClaimCode.STALE
    assert fence.claim(intent(fence, lineage=seen(fence).lineage)).code is ClaimCode.GRANTED


def test_a_store_with_fewer_actions_than_were_seen_grants_nothing(fence: Fence) -> None:
    newest = fence.claim(intent(fence, "k1")).newest
    assert newest == 1
    assert fence.claim(intent(fence, "k2", newest=newest + 1)).code is ClaimCode.STALE
    assert fence.claim(intent(fence, "k2", newest=newest)).code is ClaimCode.GRANTED


@pytest.mark.parametrize("what", ["actions", "events", "lineage"])
def test_a_store_that_is_behind_what_was_seen_halts_and_says_what_is_missing(fence: Fence, what: str) -> None:
    granted(fence)
    known = seen(fence)
    ahead = {
        "actions": known._replace(actions=known.actions._replace(number=known.actions.number + 3)),
        "events": known._replace(events=known.events._replace(number=known.events.number + 3)),
        "lineage": known._replace(lineage="0f" * 20),
    }[what]
    reply = fence.tend(ahead)
    assert (reply.code, reply.phase) == (BeatCode.REGRESSED, Phase.HALT)
    assert {"actions": "actions of", "events": "control events of", "lineage": "another authority"}[
        what
    ] in reply.detail
    assert "the store went back" in events(fence)[-1]["why"]


def test_an_operator_who_resumes_begins_anew_and_whoever_remembers_the_old_goes_along(fence: Fence) -> None:
    known = seen(fence)
    ahead = known._replace(actions=Mark(9, "", ""))
    fence.tend(ahead)
    fence.switch(SwitchRequest("blue", expected_epoch="any", by="op", why="looked at", mode="now", resume=True))
    reply = fence.tend(ahead)
    assert (reply.code, reply.phase) == (BeatCode.OK, Phase.RUN)
    assert reply.seen.lineage != known.lineage and known.lineage in reply.before.split()


# -- damage -----------------------------------------------------------------------------------------------------------


def test_a_claim_is_refused_where_open_claims_have_vanished(fence: Fence) -> None:
    granted(fence, "k1")
    fence.client.delete(fence.keys.open)
    assert fence.claim(intent(fence, "k1", instance="blue-2")).code is ClaimCode.DAMAGED


def test_open_claims_that_vanished_come_back_as_doubts_and_everything_halts(fence: Fence) -> None:
    kept = granted(fence, "k1")
    fence.settle(granted(fence, "k2"), Outcome.OK)
    fence.client.delete(fence.keys.open, fence.keys.in_flight)
    reply = fence.tend()
    assert (reply.code, reply.phase) == (BeatCode.DAMAGED, Phase.HALT)
    [claim] = fence.open_claims()
    assert (claim.key, claim.claim_id, claim.in_doubt, claim.amount) == ("k1", kept.claim_id, True, Decimal(5))


def test_leases_that_vanished_are_put_back_and_everything_halts(fence: Fence) -> None:
    granted(fence, "k1")
    fence.client.delete(fence.keys.in_flight)
    reply = fence.tend()
    assert (reply.code, reply.in_flight) == (BeatCode.DAMAGED, 1)


@pytest.mark.parametrize("name", ["actions", "log"])
def test_a_cut_tail_halts(fence: Fence, name: str) -> None:
    granted(fence)
    stream = getattr(fence.keys, name)
    newest: Any = fence.client.xrevrange(stream, count=1)
    fence.client.xdel(stream, newest[0][0])
    reply = fence.tend()
    assert (reply.code, reply.phase) == (BeatCode.DAMAGED, Phase.HALT) and "newest" in reply.detail


@pytest.mark.parametrize("name", ["ctl", "open", "in_flight", "actions", "log", "instances"])
def test_halting_works_whatever_a_key_holds_and_keeps_what_it_held(fence: Fence, name: str) -> None:
    granted(fence)
    key = getattr(fence.keys, name)
    fence.client.delete(key)
    fence.client.lpush(key, "x")
    reply = fence.halt("op", "damaged")
    assert (reply.code, reply.phase) == (HaltCode.HALTED, Phase.HALT)
    assert fence.client.get(fence.keys.active) == b"halted"
    assert len(fence.client.keys(f"{key}:damaged:*")) == 1  # type: ignore[arg-type]


def test_housekeeping_on_a_key_of_another_type_halts(fence: Fence) -> None:
    fence.client.delete(fence.keys.open)
    fence.client.set(fence.keys.open, "x")
    reply = fence.tend()
    assert (reply.code, reply.phase, reply.detail) == (BeatCode.DAMAGED, Phase.HALT, "open was a string")


def test_a_recorded_end_that_is_no_record_is_damage_and_no_permission(fence: Fence) -> None:
    fence.client.hset(fence.keys.done("bet-1"), "a", "b")
    assert fence.claim(intent(fence)).code is ClaimCode.DAMAGED
    fence.client.set(fence.keys.done("bet-2"), "garbage")
    assert fence.claim(intent(fence, "bet-2")).code is ClaimCode.DAMAGED


def test_a_key_of_the_authority_that_is_to_expire_is_kept(fence: Fence) -> None:
    fence.client.expire(fence.keys.ctl, 60)
    assert fence.tend().code is BeatCode.OK
    assert fence.client.ttl(fence.keys.ctl) == -1
    assert events(fence)[-1]["k"] == "kept"


# -- late reports -----------------------------------------------------------------------------------------------------


def taken_for_not_executed(fence: Fence) -> Intent:
    wanted = in_doubt(fence)
    wrong = Resolution(wanted.key, wanted.claim_id, executed=False, proof=Proof.BURNED, by="op", evidence="said so")
    assert fence.resolve(wrong).code is ResolveCode.RESOLVED
    return wanted


def test_a_late_unknown_puts_the_key_back_into_doubt(fence: Fence) -> None:
    wanted = taken_for_not_executed(fence)
    assert fence.settle(wanted, Outcome.UNKNOWN).code is SettleCode.LATE
    [claim] = fence.open_claims()
    assert (claim.claim_id, claim.in_doubt, claim.amount, claim.currency) == (wanted.claim_id, True, Decimal(5), "USD")
    assert fence.claim(intent(fence, instance="blue-2")).code is ClaimCode.IN_DOUBT
    assert (fence.tend().late, events(fence)[-1]["k"]) == (1, "late")


@pytest.mark.parametrize("ended", [True, False], ids=["executed by another", "claimed by another"])
def test_a_late_unknown_beside_another_claim_is_perhaps_a_double_spend(fence: Fence, ended: bool) -> None:
    wanted = taken_for_not_executed(fence)
    other = granted(fence, instance="blue-2")
    if ended:
        fence.settle(other, Outcome.OK)
    reply = fence.settle(wanted, Outcome.UNKNOWN)
    assert (reply.code, reply.tripped) == (SettleCode.LATE, "halt")
    assert "perhaps a double spend" in events(fence)[-1]["why"]


def test_a_doubt_that_was_settled_no_longer_counts_towards_a_trip(fence: Fence) -> None:
    fence.set_limits(Limits(doubts=2), by="op")
    for number in range(4):
        fence.settle(in_doubt(fence, f"k{number}"), Outcome.OK)
    assert ctl(fence, "c_doubt") == "0" and fence.tend().phase is Phase.RUN


# -- money ------------------------------------------------------------------------------------------------------------


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=MONEY, other=MONEY)
@example(one=Decimal(1), other=Decimal("-0.000000000000000001"))
def test_money_is_added_in_the_scripts_to_the_last_of_eighteen_decimals(
    fence: Fence, one: Decimal, other: Decimal
) -> None:
    adds = scripts._read("base") + "return { sum(ARGV[1], ARGV[2]), over(ARGV[1], ARGV[2]) and 1 or 0 }"
    total, over = fence.client.eval(adds, 0, to_store(one), to_store(other))  # type: ignore[misc]
    with localcontext(prec=80):
        assert from_store(total.decode()) == one + other
    assert over == (one > other)


def test_a_cap_and_a_loss_of_a_wei_are_counted(fence: Fence) -> None:
    wei = Decimal("0.000000000000000001")
    fence.set_limits(Limits(currency="ETH", cap_amount=Decimal(1) + wei, loss=2 * wei), by="op")
    claim = granted(fence, "k1", amount=Decimal(1), currency="ETH")
    assert fence.claim(intent(fence, "k2", amount=2 * wei, currency="ETH")).code is ClaimCode.LIMIT
    other = granted(fence, "k3", amount=wei, currency="ETH")
    assert fence.settle(claim, Outcome.OK, pnl=-wei).tripped == ""
    assert fence.settle(other, Outcome.OK, pnl=-wei).tripped == "halt"


def test_a_day_that_comes_back_has_the_cap_that_it_had(fence: Fence) -> None:
    fence.set_limits(Limits(currency="USD", cap_day=Decimal(10)), by="op")
    today = server_ms(fence) // 86_400_000
    fence.settle(granted(fence, "k1", amount=Decimal(8)), Outcome.OK)
    # Tomorrow has begun meanwhile, by a clock that was set back since: the newer day stands in one place, today in the
    # other.
    fence.client.hset(fence.keys.ctl, mapping={"b_day": today + 1, "b_amt": 0, "d_day": today, "d_amt": 8_000_000})
    assert fence.claim(intent(fence, "k2", amount=Decimal(5))).code is ClaimCode.LIMIT
    granted(fence, "k3", amount=Decimal(2))
    assert (ctl(fence, "b_amt"), ctl(fence, "d_amt")) == ("0", "10000000")


# -- the server's clock -----------------------------------------------------------------------------------------------


def server_clock_moves(fence: Fence, by_ms: int) -> None:
    """As if the server's clock had been moved since the last heartbeat."""
    fence.client.hincrby(fence.keys.ctl, "stw", -by_ms)


def alive(fence: Fence) -> None:
    fence.beat(Heartbeat("blue-1", "blue"), epoch=0, seen=0)


@pytest.mark.parametrize("by_ms", [HOUR_MS, -HOUR_MS], ids=["forward", "back"])
def test_a_clock_that_was_moved_is_named_and_leases_move_with_it(fence: Fence, by_ms: int) -> None:
    alive(fence)
    granted(fence, lease_ms=3 * HOUR_MS)
    deadline = fence.open_claims()[0].deadline_ms
    server_clock_moves(fence, by_ms)
    alive(fence)
    assert abs(fence.open_claims()[0].deadline_ms - deadline - by_ms) < 5_000
    [(_key, score)] = fence.client.zrange(fence.keys.in_flight, 0, -1, withscores=True)  # type: ignore[misc]
    assert int(score) == fence.open_claims()[0].deadline_ms
    assert [event["k"] for event in events(fence)][-1] == "clock"


@pytest.mark.parametrize("same_host", [True, False], ids=["by its own host", "by another host"])
def test_nobody_is_silent_because_the_servers_clock_was_moved(fence: Fence, same_host: bool) -> None:
    alive(fence)
    wanted = in_doubt(fence, lease_ms=1)
    server_clock_moves(fence, HOUR_MS)
    if not same_host:
        fence.client.hset(fence.keys.ctl, "stb", f"another-{boot_id()}:1")
    for proof in (Proof.SILENT, Proof.GONE):
        reply = fence.resolve(
            Resolution(
                wanted.key,
                wanted.claim_id,
                executed=False,
                proof=proof,
                by="op",
                evidence="not there",
                quarantine_ms=0,
                wake_ms=60_000,
            )
        )
        assert reply.code is ResolveCode.HOLDER_ALIVE


def test_a_quarantine_is_not_over_because_the_servers_clock_was_moved(fence: Fence) -> None:
    alive(fence)
    wanted = in_doubt(fence, lease_ms=1)
    server_clock_moves(fence, HOUR_MS)
    reply = fence.resolve(
        Resolution(
            wanted.key,
            wanted.claim_id,
            executed=False,
            proof=Proof.SELF,
            by="op",
            evidence="not there",
            quarantine_ms=60_000,
            own=wanted.claim_id,
        )
    )
    assert reply.code is ResolveCode.TOO_EARLY


def test_a_side_is_not_healthy_because_nobody_has_looked_since(fence: Fence) -> None:
    """Where nobody beats, the steady clock stands still: then the server's clock counts."""
    fence.beat(Heartbeat("green-1", "green"), epoch=0, seen=0)
    fence.client.hincrby(fence.keys.ctl, "stw", -HOUR_MS)
    beat: Any = json.loads(fence.client.hget(fence.keys.instances, "green-1"))  # type: ignore[arg-type]
    fence.client.hset(fence.keys.instances, "green-1", json.dumps(beat | {"ms": beat["ms"] - HOUR_MS}))
    request = SwitchRequest("green", expected_epoch="any", by="op", mode="now", require_healthy=True)
    assert fence.switch(request).code.value == "UNHEALTHY"


# -- the chains -------------------------------------------------------------------------------------------------------


def test_every_receipt_is_in_a_chain(fence: Fence) -> None:
    for slot in ("green", "blue"):
        fence.switch(SwitchRequest(slot, expected_epoch="any", by="op", mode="now", audit={"id": slot, "who": "ann"}))
    fence.receipt({"id": "r3", "command": "snapshot take", "who": "ann"})
    entries: Any = fence.client.xrange(fence.keys.audit)
    assert len(entries) == 3
    assert verify_chain(entries, head=ctl(fence, "xh")).ok
    assert not verify_chain(entries[:1] + entries[2:], head=ctl(fence, "xh")).ok
