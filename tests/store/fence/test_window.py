"""A key that was perhaps sent is sent again only while its venue surely knows it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from console.domain.commitments.commitment import Commitment, Flow, Kind
from console.domain.fence.chain import verify_chain
from console.domain.fence.claims import Direction, Outcome
from console.store.fence.blocking import Fence
from console.store.fence.calls import Heartbeat, Limits, SwitchRequest
from console.store.fence.claims import ClaimCode, Intent, Proof, Resolution, ResolveCode, SettleCode
from console.store.fence.owing import OweCode, Who, put
from console.store.fence.replies import BeatCode
from tests.store.fence.test_claims import LONG, actions, epoch, granted, in_doubt, intent, server_ms

if TYPE_CHECKING:
    from redis import Redis

    from console.store.keys import Keys

DAY_MS = 86_400_000
YEAR_MS = 366 * DAY_MS


@pytest.fixture(params=[True, False], ids=["functions", "scripts"])
def fence(valkey_sync: Redis, keys: Keys, request: pytest.FixtureRequest) -> Fence:
    fence = Fence(valkey_sync, keys, functions=request.param)
    fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    return fence


def resolve(fence: Fence, wanted: Intent, **changes: Any) -> tuple[ResolveCode, str]:
    arguments = {"executed": False, "proof": Proof.BURNED, "by": "op", "evidence": "not in the ledger"} | changes
    reply = fence.resolve(Resolution(wanted.key, wanted.claim_id, **arguments))
    return reply.code, reply.detail


def freed(fence: Fence, key: str = "bet-1", **changes: Any) -> Intent:
    """A key that was perhaps sent, and that somebody took for not executed."""
    wanted = in_doubt(fence, key, **changes)
    assert resolve(fence, wanted) == (ResolveCode.RESOLVED, "")
    return wanted


def again(fence: Fence, window_ms: int | None, **changes: Any) -> ClaimCode:
    return fence.claim(intent(fence, **changes), window_ms=window_ms).code


def past(fence: Fence) -> Intent:
    """A claim that came too late to send a key again."""
    freed(fence)
    wanted = intent(fence)
    assert fence.claim(wanted, window_ms=0).code is ClaimCode.PAST_WINDOW
    return wanted


def mark(fence: Fence, **changes: int) -> None:
    """Change the mark of the first sending."""
    name = fence.keys.sent("bet-1")
    text: Any = fence.client.get(name)
    first, since, span, claim = text.decode().split("\n")
    moments = {"first": int(first), "since": int(since), "span": int(span)} | changes
    fence.client.set(name, "\n".join((*map(str, moments.values()), claim)))


def first(fence: Fence) -> int:
    text: Any = fence.client.get(fence.keys.sent("bet-1"))
    return int(text.split(b"\n")[0])


def test_a_key_is_sent_again_while_the_venue_surely_knows_it(fence: Fence) -> None:
    freed(fence, lease_ms=1)
    assert again(fence, LONG, lease_ms=1) is ClaimCode.GRANTED


def test_a_key_is_never_sent_again_past_the_venues_window(fence: Fence) -> None:
    wanted = past(fence)
    [claim] = fence.open_claims()
    assert claim.in_doubt and (claim.claim_id, claim.amount) == (wanted.claim_id, Decimal(5))
    assert again(fence, LONG) is ClaimCode.IN_DOUBT
    assert fence.claim(wanted, window_ms=LONG).code is ClaimCode.IN_DOUBT  # its own call again, too
    assert [action[0] for action in actions(fence)] == ["claim", "doubt", "resolve", "claim", "doubt"]


def test_what_came_too_late_is_counted_as_every_doubt_is(fence: Fence) -> None:
    wanted = past(fence)
    assert fence.tend().code is BeatCode.OK  # no claim and no lease is missing
    authority = fence.authority()
    assert authority is not None and (authority.in_flight, authority.in_doubt) == (0, 1)
    assert resolve(fence, wanted)[0] is ResolveCode.RESOLVED
    assert fence.tend().code is BeatCode.OK
    entries: Any = fence.client.xrange(fence.keys.actions)
    assert verify_chain(entries, head=fence.authority().action_head).ok  # type: ignore[union-attr]


def test_the_window_is_told_when_the_key_was_sent_first(fence: Fence) -> None:
    claimed_ms = server_ms(fence)
    freed(fence)
    reply = fence.claim(intent(fence), window_ms=0)
    assert reply.code is ClaimCode.PAST_WINDOW and not reply.granted
    assert claimed_ms <= first(fence) <= reply.server_ms and reply.detail.startswith("at 20")


def test_the_window_is_counted_from_the_first_sending_whatever_came_after_it(fence: Fence) -> None:
    freed(fence)
    was = first(fence)
    wanted = intent(fence)
    assert fence.claim(wanted, window_ms=LONG * 3).code is ClaimCode.GRANTED
    fence.settle(wanted, Outcome.UNKNOWN)
    assert resolve(fence, wanted)[0] is ResolveCode.RESOLVED
    assert first(fence) == was


def test_what_was_never_sent_is_no_sending(fence: Fence) -> None:
    assert fence.settle(granted(fence), Outcome.ABORT).code is SettleCode.RELEASED
    wanted = in_doubt(fence)
    fence.settle(wanted, Outcome.ABORT)  # in doubt by its lease, and told after all that it never left
    assert again(fence, 0) is ClaimCode.GRANTED


def test_an_attempt_that_was_not_sent_leaves_the_first_sending_where_it_is(fence: Fence) -> None:
    freed(fence)
    wanted = intent(fence)
    assert fence.claim(wanted, window_ms=LONG * 3).code is ClaimCode.GRANTED
    fence.settle(wanted, Outcome.ABORT)
    assert again(fence, 0) is ClaimCode.PAST_WINDOW


def test_where_nobody_knows_the_window_nothing_is_checked(fence: Fence) -> None:
    freed(fence)
    assert again(fence, None) is ClaimCode.GRANTED


@pytest.mark.parametrize("window_ms", [0, LONG])
def test_a_key_that_was_never_sent_is_granted_whatever_the_window(fence: Fence, window_ms: int) -> None:
    assert again(fence, window_ms) is ClaimCode.GRANTED


def test_a_switch_does_not_forget_when_a_key_was_sent(fence: Fence) -> None:
    freed(fence)
    fence.switch(SwitchRequest("green", expected_epoch="any", by="op"))
    assert again(fence, 0, slot="green", epoch=epoch(fence), instance="green-1") is ClaimCode.PAST_WINDOW


def test_a_claim_that_closes_something_is_held_to_the_window_too(fence: Fence) -> None:
    freed(fence, direction=Direction.REDUCE)
    assert again(fence, 0, direction=Direction.REDUCE) is ClaimCode.PAST_WINDOW


# -- the clocks -------------------------------------------------------------------------------------------------------


def test_a_sending_that_lies_ahead_was_before_the_clock_was_set_back(fence: Fence) -> None:
    freed(fence, lease_ms=1)
    mark(fence, first=server_ms(fence) + DAY_MS)
    assert again(fence, 10 * DAY_MS) is ClaimCode.PAST_WINDOW


def test_a_key_gets_no_younger_by_a_clock_that_was_set_back(fence: Fence) -> None:
    fence.beat(Heartbeat("blue-1", "blue"), epoch=0, seen=0)
    freed(fence, lease_ms=1)
    mark(fence, first=server_ms(fence) - 1, since=fence.tend().steady_ms - DAY_MS)
    assert again(fence, DAY_MS) is ClaimCode.PAST_WINDOW


def test_a_key_gets_no_younger_while_the_steady_clock_stands_still(fence: Fence) -> None:
    freed(fence, lease_ms=1)
    mark(fence, first=server_ms(fence) - DAY_MS)
    assert again(fence, DAY_MS) is ClaimCode.PAST_WINDOW


def test_the_steady_clock_counts_from_the_beginning_of_the_lease(fence: Fence) -> None:
    freed(fence, lease_ms=1)
    mark(fence, first=server_ms(fence) - 1, since=fence.tend().steady_ms, span=DAY_MS)
    assert again(fence, DAY_MS, lease_ms=1) is ClaimCode.PAST_WINDOW


def test_a_lease_that_a_clock_has_shortened_is_as_long_as_the_next_one(fence: Fence) -> None:
    freed(fence, lease_ms=1)
    mark(fence, first=server_ms(fence) - 1, since=fence.tend().steady_ms, span=0)
    assert again(fence, LONG, lease_ms=LONG) is ClaimCode.PAST_WINDOW


# -- what is lost and damaged -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["garbage", "nan\n0\n0\n", "-5\n0\n0\n", "", "9\n9\n9", None])
def test_a_mark_that_can_not_be_read_is_damage_and_no_permission(fence: Fence, text: str | None) -> None:
    name = fence.keys.sent("bet-1")
    if text is None:
        fence.client.sadd(name, "x")
    else:
        fence.client.set(name, text)
    reply = fence.claim(intent(fence), window_ms=LONG)
    assert (reply.code, reply.detail) == (ClaimCode.DAMAGED, "sent")
    assert fence.open_claims() == [] and actions(fence) == []


@pytest.mark.parametrize("text", ["garbage", None])
def test_evidence_is_recorded_beside_a_damaged_mark_and_the_sending_is_the_longest_ago(
    fence: Fence, text: str | None
) -> None:
    wanted, name = in_doubt(fence, lease_ms=1), fence.keys.sent("bet-1")
    if text is None:
        fence.client.sadd(name, "x")
    else:
        fence.client.set(name, text)
    assert resolve(fence, wanted)[0] is ResolveCode.RESOLVED
    assert again(fence, YEAR_MS, lease_ms=1) is ClaimCode.PAST_WINDOW


def test_a_late_doubt_of_a_claim_that_the_store_has_lost_was_sent_nobody_knows_when(fence: Fence) -> None:
    wanted = intent(fence, lease_ms=1)
    assert fence.settle(wanted, Outcome.UNKNOWN).code is SettleCode.LATE
    assert resolve(fence, wanted)[0] is ResolveCode.RESOLVED
    reply = fence.claim(intent(fence, lease_ms=1), window_ms=YEAR_MS)
    assert (reply.code, reply.detail) == (ClaimCode.PAST_WINDOW, "nobody knows when")


@pytest.mark.parametrize("executed", [True, False])
def test_a_first_sending_is_known_for_longer_than_the_result_and_every_window(fence: Fence, executed: bool) -> None:
    wanted = in_doubt(fence)
    assert resolve(fence, wanted, executed=executed, retention_ms=DAY_MS)[0] is ResolveCode.RESOLVED
    left: Any = fence.client.pttl(fence.keys.sent("bet-1"))
    assert YEAR_MS < left <= YEAR_MS + DAY_MS


def test_a_result_that_is_kept_for_ever_keeps_the_first_sending_for_ever(fence: Fence) -> None:
    wanted = in_doubt(fence)
    resolve(fence, wanted, retention_ms=0)
    assert fence.client.pttl(fence.keys.sent("bet-1")) == -1
    assert again(fence, 0) is ClaimCode.PAST_WINDOW
    assert fence.client.pttl(fence.keys.sent("bet-1")) == -1


# -- the end of what came too late ------------------------------------------------------------------------------------


def test_what_came_too_late_and_was_not_executed_uses_its_key_up(fence: Fence) -> None:
    """It was never granted, so nothing has to be proved of its holder; and it ends: no doubt after each try."""
    wanted = past(fence)
    assert resolve(fence, wanted, proof=None, quarantine_ms=DAY_MS) == (ResolveCode.RESOLVED, "USED_UP")
    reply = fence.claim(intent(fence), window_ms=0)
    assert reply.code is ClaimCode.DONE and reply.done is not None and reply.done.outcome is Outcome.FAIL
    assert resolve(fence, wanted)[0] is ResolveCode.ALREADY


def test_what_came_too_late_and_was_executed_before_is_done(fence: Fence) -> None:
    wanted = past(fence)
    assert resolve(fence, wanted, executed=True, result="bet_17") == (ResolveCode.RESOLVED, "")
    reply = fence.claim(intent(fence), window_ms=0)
    assert reply.done is not None and (reply.done.outcome, reply.done.result) == (Outcome.OK, "bet_17")


def test_only_what_came_too_late_is_ended_without_a_proof(fence: Fence) -> None:
    wanted = past(fence)
    fence.settle(wanted, Outcome.ABORT)  # its caller had no answer
    mark(fence, first=server_ms(fence))
    later = intent(fence, lease_ms=1)
    assert fence.claim(later, window_ms=LONG * 3).code is ClaimCode.GRANTED
    fence.settle(later, Outcome.UNKNOWN)
    assert resolve(fence, later, proof=None)[0] is ResolveCode.HOLDER_ALIVE


@pytest.mark.parametrize("executed", [True, False])
def test_a_commitment_that_came_too_late_is_named_until_it_is_known_whether_it_is_over(
    fence: Fence, executed: bool
) -> None:
    name, who = "esc_1", Who("blue-1", "blue", "2.4.0", epoch(fence))
    assert fence.owe(who, [put(Commitment(name, Kind.ESCROW, Decimal(5), "USD", Flow.IN))]).code is OweCode.DONE
    closes = f"close\n{name}\n2.4.0\n"
    freed(fence, named=closes)
    wanted = intent(fence, named=closes)
    assert fence.claim(wanted, window_ms=0).code is ClaimCode.PAST_WINDOW
    assert again(fence, 0, key="bet-2", named=closes) is ClaimCode.NAMED
    assert fence.tend().code is BeatCode.OK
    resolve(fence, wanted, executed=executed)
    assert again(fence, 0, key="bet-2", named=closes) is (ClaimCode.NOT_OWED if executed else ClaimCode.GRANTED)


def test_money_that_came_too_late_counts_until_somebody_says_it_was_not_spent(fence: Fence) -> None:
    fence.set_limits(Limits(currency="USD", cap_amount=Decimal(10)), by="op")
    wanted = past(fence)
    assert again(fence, 0, key="bet-2", amount=Decimal(6)) is ClaimCode.LIMIT
    resolve(fence, wanted)
    assert again(fence, 0, key="bet-2", amount=Decimal(6)) is ClaimCode.GRANTED
