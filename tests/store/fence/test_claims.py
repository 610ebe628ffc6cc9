"""Claim, settle and resolve on a real server: at most once for each key, nothing lost in silence."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from console.domain.errors import UsageError
from console.domain.fence.chain import verify_chain
from console.domain.fence.claims import Direction, Level, Outcome, parse_done
from console.domain.fence.deployment import Phase, Slot
from console.store.fence.blocking import Fence
from console.store.fence.calls import Heartbeat, Limits, SwitchRequest
from console.store.fence.claims import ClaimCode, Intent, Proof, Resolution, ResolveCode, SettleCode
from console.store.fence.replies import BeatCode, SwitchCode
from tests.waiting import until

if TYPE_CHECKING:
    from redis import Redis

    from console.store.keys import Keys

LONG = 600_000


@pytest.fixture(params=[True, False], ids=["functions", "scripts"])
def fence(valkey_sync: Redis, keys: Keys, request: pytest.FixtureRequest) -> Fence:
    fence = Fence(valkey_sync, keys, functions=request.param)
    fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    return fence


def epoch(fence: Fence) -> int:
    authority = fence.authority()
    assert authority is not None
    return authority.epoch


def intent(fence: Fence, key: str = "bet-1", **changes: Any) -> Intent:
    now = epoch(fence)
    wanted = Intent(
        key, uuid.uuid4().hex, "blue", now, "blue-1", Decimal(5), "USD", Direction.ENTER, '{"game":"dice"}', LONG, now
    )
    return wanted._replace(**changes)


def granted(fence: Fence, key: str = "bet-1", **changes: Any) -> Intent:
    wanted = intent(fence, key, **changes)
    assert fence.claim(wanted).code is ClaimCode.GRANTED
    return wanted


def in_doubt(fence: Fence, key: str = "bet-1", **changes: Any) -> Intent:
    wanted = granted(fence, key, **changes)
    assert fence.settle(wanted, Outcome.UNKNOWN).code is SettleCode.DOUBT
    return wanted


def events(fence: Fence) -> list[dict[str, str]]:
    entries: Any = fence.client.xrange(fence.keys.log)
    return [{k.decode(): v.decode() for k, v in fields.items()} for _id, fields in entries]


def actions(fence: Fence) -> list[list[str]]:
    entries: Any = fence.client.xrange(fence.keys.actions)
    return [fields[b"d"].decode().split("\n") for _id, fields in entries]


def server_ms(fence: Fence) -> int:
    """The store's clock, by which claims end."""
    seconds, micros = fence.client.time()  # type: ignore[misc]
    return int(seconds) * 1000 + int(micros) // 1000


def wait_beyond(fence: Fence, deadline_ms: int) -> None:
    until(lambda: server_ms(fence) > deadline_ms, f"{deadline_ms} by the store's clock")


# -- claim: the key ---------------------------------------------------------------------------------------------------


def test_a_claim_is_recorded_before_anything_is_sent(fence: Fence) -> None:
    wanted = granted(fence)
    [claim] = fence.open_claims()
    assert (claim.key, claim.claim_id, claim.instance, claim.slot, claim.epoch) == (
        "bet-1",
        wanted.claim_id,
        "blue-1",
        "blue",
        wanted.epoch,
    )
    assert (claim.amount, claim.currency, claim.direction, claim.action) == (
        Decimal(5),
        "USD",
        "enter",
        '{"game":"dice"}',
    )
    assert claim.deadline_ms == claim.claimed_ms + LONG and not claim.in_doubt
    assert actions(fence)[-1][0] == "claim"


def test_our_own_call_again_is_the_same_claim(fence: Fence) -> None:
    wanted = granted(fence)
    assert fence.claim(wanted).code is ClaimCode.DUP
    assert len(actions(fence)) == 1


def test_a_key_held_by_another_is_busy(fence: Fence) -> None:
    granted(fence)
    reply = fence.claim(intent(fence, instance="blue-2"))
    assert (reply.code, reply.detail) == (ClaimCode.BUSY, "blue-1")


def test_a_key_that_is_done_answers_with_its_result(fence: Fence) -> None:
    fence.settle(granted(fence), Outcome.OK, result="won", pnl=Decimal("1.25"))
    reply = fence.claim(intent(fence, instance="blue-2"))
    assert reply.code is ClaimCode.DONE
    assert reply.done is not None and (reply.done.result, reply.done.outcome) == ("won", Outcome.OK)


def test_a_refusal_of_the_venue_uses_the_key_up_too(fence: Fence) -> None:
    fence.settle(granted(fence), Outcome.FAIL, result="no funds")
    reply = fence.claim(intent(fence))
    assert reply.code is ClaimCode.DONE
    assert reply.done is not None and reply.done.outcome is Outcome.FAIL


@pytest.mark.parametrize(
    "change",
    [{"amount": Decimal(6)}, {"currency": "EUR"}, {"direction": Direction.REDUCE}, {"action": "other"}],
    ids=lambda change: next(iter(change)),
)
def test_the_same_key_with_other_parameters_is_an_error(fence: Fence, change: dict[str, Any]) -> None:
    wanted = granted(fence)
    assert fence.claim(intent(fence, **change)).code is ClaimCode.MISMATCH
    fence.settle(wanted, Outcome.OK)
    assert fence.claim(intent(fence, **change)).code is ClaimCode.MISMATCH


def test_a_key_in_doubt_is_not_given_out_again(fence: Fence) -> None:
    wanted = in_doubt(fence)
    assert fence.claim(intent(fence)).code is ClaimCode.IN_DOUBT
    assert fence.claim(wanted).code is ClaimCode.IN_DOUBT


def test_a_claim_whose_lease_ended_is_in_doubt(fence: Fence) -> None:
    wanted = intent(fence, lease_ms=1)
    deadline = fence.claim(wanted).deadline_ms
    wait_beyond(fence, deadline)
    assert fence.claim(intent(fence)).code is ClaimCode.IN_DOUBT
    assert actions(fence)[-1][0] == "doubt"
    assert fence.authority().in_doubt == 1  # type: ignore[union-attr]


def test_housekeeping_puts_ended_leases_in_doubt(fence: Fence) -> None:
    deadline = fence.claim(intent(fence, lease_ms=1)).deadline_ms
    wait_beyond(fence, deadline)
    reply = fence.tend()
    assert (reply.in_flight, reply.in_doubt) == (0, 1)
    assert fence.open_claims()[0].in_doubt


def test_a_running_lease_is_left_alone_by_housekeeping(fence: Fence) -> None:
    granted(fence)
    reply = fence.tend()
    assert (reply.code, reply.in_flight, reply.in_doubt) == (BeatCode.OK, 1, 0)


def test_a_repeated_claim_never_releases_the_key(fence: Fence) -> None:
    wanted = granted(fence)
    fence.switch(SwitchRequest("green", expected_epoch="any", mode="now", by="op"))
    assert fence.claim(wanted).code is ClaimCode.STALE_HELD
    assert len(fence.open_claims()) == 1
    assert fence.claim(intent(fence, slot="green", instance="green-1")).code is ClaimCode.BUSY


def test_a_key_with_control_characters_is_refused_by_client_and_server(fence: Fence) -> None:
    with pytest.raises(UsageError):
        fence.claim(intent(fence, "bet\n1"))
    for change in ({"instance": "a\nb"}, {"currency": "U\nD"}, {"claim_id": "x\ny"}):
        assert fence.claim(intent(fence, **change)).code is ClaimCode.BADARG
    assert fence.open_claims() == []


def test_free_text_may_hold_anything(fence: Fence) -> None:
    text = 'line\nline\r\n\x00 {"a": "ü⚡"}'
    wanted = granted(fence, action=text)
    assert fence.open_claims()[0].action == text
    fence.settle(wanted, Outcome.OK, result=text)
    assert fence.claim(intent(fence, action=text)).done.result == text  # type: ignore[union-attr]


# -- claim: who may act -----------------------------------------------------------------------------------------------


def test_the_standby_side_may_not_act(fence: Fence) -> None:
    reply = fence.claim(intent(fence, slot="green"))
    assert (reply.code, reply.detail) == (ClaimCode.NOT_ACTIVE, "blue")


def test_an_old_epoch_may_not_act_even_when_its_side_is_active_again(fence: Fence) -> None:
    old = intent(fence)
    fence.switch(SwitchRequest("green", expected_epoch="any", by="op"))
    fence.switch(SwitchRequest("blue", expected_epoch="any", by="op"))
    reply = fence.claim(old)
    assert (reply.code, reply.epoch) == (ClaimCode.STALE, epoch(fence))


def test_nobody_may_act_while_halted(fence: Fence) -> None:
    fence.halt("op", "stop")
    assert fence.claim(intent(fence)).code is ClaimCode.HALTED
    assert fence.claim(intent(fence, direction=Direction.REDUCE)).code is ClaimCode.HALTED


def test_nobody_may_act_while_a_switch_drains(fence: Fence) -> None:
    held = granted(fence)
    fence.switch(SwitchRequest("green", expected_epoch="any", drain_ms=LONG, by="op"))
    for slot in ("blue", "green"):
        reply = fence.claim(intent(fence, "bet-2", slot=slot))
        assert (reply.code, reply.detail) == (ClaimCode.DRAINING, "green")
    fence.settle(held, Outcome.OK)
    assert fence.claim(intent(fence, "bet-2", slot="green")).code is ClaimCode.GRANTED


def test_nobody_may_act_while_the_plain_key_says_otherwise(fence: Fence) -> None:
    fence.client.set(fence.keys.active, "green")
    for slot in ("blue", "green"):
        assert fence.claim(intent(fence, slot=slot)).code in (ClaimCode.DIVERGED, ClaimCode.NOT_ACTIVE)
    fence.client.delete(fence.keys.active)
    assert fence.claim(intent(fence)).code is ClaimCode.DIVERGED
    fence.client.rpush(fence.keys.active, "x")
    reply = fence.claim(intent(fence))
    assert (reply.code, reply.detail) == (ClaimCode.DIVERGED, "a list")


def test_a_store_without_authority_grants_nothing(fence: Fence) -> None:
    wanted = intent(fence)
    fence.client.flushdb()
    assert fence.claim(wanted).code is ClaimCode.NOINIT


def test_a_store_that_went_back_in_time_halts_at_the_next_claim(fence: Fence) -> None:
    wanted = intent(fence)
    assert fence.claim(wanted._replace(seen=wanted.epoch + 3)).code is ClaimCode.REGRESSED
    authority = fence.authority()
    assert authority is not None and authority.phase is Phase.HALT and authority.epoch > wanted.epoch + 3
    assert "regression" in events(fence)[-1]["why"]


def test_an_epoch_far_in_the_future_changes_nothing(fence: Fence) -> None:
    wanted = intent(fence)
    assert fence.claim(wanted._replace(seen=wanted.epoch + 10**9)).code is ClaimCode.BADEPOCH
    assert epoch(fence) == wanted.epoch


@pytest.mark.parametrize(
    ("level", "allowed"),
    [
        (Level.NO_NEW_ENTRIES, {Direction.ADJUST, Direction.REDUCE}),
        (Level.REDUCE_ONLY, {Direction.REDUCE}),
    ],
)
def test_a_level_allows_what_its_name_says(fence: Fence, level: Level, allowed: set[Direction]) -> None:
    fence.halt("op", "careful", level=level)
    for direction in Direction:
        code = fence.claim(intent(fence, f"k-{direction}", direction=direction)).code
        assert code is (ClaimCode.GRANTED if direction in allowed else ClaimCode.LEVEL)


def test_a_level_is_still_in_force_after_a_switch(fence: Fence) -> None:
    fence.halt("op", "careful", level=Level.REDUCE_ONLY)
    fence.switch(SwitchRequest("green", expected_epoch="any", by="op"))
    assert fence.claim(intent(fence, slot="green")).code is ClaimCode.LEVEL


# -- claim: money -----------------------------------------------------------------------------------------------------


def test_caps_hold_and_reducing_is_never_capped(fence: Fence) -> None:
    fence.set_limits(Limits(currency="USD", cap_open=2), by="op")
    granted(fence, "a")
    granted(fence, "b")
    assert fence.claim(intent(fence, "c")).detail == "open"
    assert fence.claim(intent(fence, "d", direction=Direction.REDUCE)).granted


def test_the_amount_of_a_tenure_is_capped_to_the_millionth(fence: Fence) -> None:
    fence.set_limits(Limits(currency="USD", cap_amount=Decimal("0.3")), by="op")
    for key in ("a", "b", "c"):
        granted(fence, key, amount=Decimal("0.1"))
    reply = fence.claim(intent(fence, "d", amount=Decimal("0.000001")))
    assert (reply.code, reply.detail) == (ClaimCode.LIMIT, "amount")


def test_the_amount_of_a_day_is_capped_over_both_sides(fence: Fence) -> None:
    fence.set_limits(Limits(currency="USD", cap_day=Decimal(10)), by="op")
    granted(fence, "a", amount=Decimal(6))
    fence.switch(SwitchRequest("green", expected_epoch="any", mode="now", by="op"))
    reply = fence.claim(intent(fence, "b", slot="green", amount=Decimal(5)))
    assert (reply.code, reply.detail) == (ClaimCode.LIMIT, "day")
    assert fence.claim(intent(fence, "b", slot="green", amount=Decimal(4))).granted


def test_a_new_day_has_a_new_cap(fence: Fence) -> None:
    fence.set_limits(Limits(currency="USD", cap_day=Decimal(10)), by="op")
    granted(fence, "a", amount=Decimal(10))
    fence.client.hset(fence.keys.ctl, "b_day", "1")
    granted(fence, "b", amount=Decimal(10))


def test_an_aborted_claim_gives_its_amount_back(fence: Fence) -> None:
    fence.set_limits(Limits(currency="USD", cap_amount=Decimal(10), cap_day=Decimal(10)), by="op")
    wanted = granted(fence, "a", amount=Decimal(10))
    assert fence.settle(wanted, Outcome.ABORT).code is SettleCode.RELEASED
    granted(fence, "b", amount=Decimal(10))


def test_another_currency_is_refused_while_a_money_limit_can_not_count_it(fence: Fence) -> None:
    fence.set_limits(Limits(currency="USD", cap_amount=Decimal(10)), by="op")
    assert fence.claim(intent(fence, currency="EUR")).detail == "currency"
    fence.set_limits(Limits(currency="USD"), by="op")
    assert fence.claim(intent(fence, currency="EUR")).granted


@pytest.mark.parametrize("amount", ["1e-19", "1e18", "NaN", "Infinity", "-1"])
def test_an_amount_that_can_not_be_counted_exactly_is_refused(fence: Fence, amount: str) -> None:
    with pytest.raises(UsageError):
        fence.claim(intent(fence, amount=Decimal(amount)))


def test_money_adds_up_exactly_where_doubles_would_not(fence: Fence) -> None:
    fence.set_limits(Limits(currency="USD"), by="op")
    for n in range(10):
        fence.settle(granted(fence, f"k{n}", amount=Decimal("0.1")), Outcome.OK, pnl=Decimal("-0.1"))
    assert fence.client.hmget(fence.keys.ctl, "c_amt", "c_pnl", "b_amt") == [b"1000000", b"-1000000", b"1000000"]


# -- settle -----------------------------------------------------------------------------------------------------------


def test_a_result_may_be_reported_in_any_phase_and_epoch(fence: Fence) -> None:
    first, second = granted(fence, "a"), granted(fence, "b")
    fence.switch(SwitchRequest("green", expected_epoch="any", mode="now", by="op"))
    assert fence.settle(first, Outcome.OK).code is SettleCode.SETTLED
    fence.halt("op", "stop")
    assert fence.settle(second, Outcome.OK).code is SettleCode.SETTLED


def test_a_repeated_result_is_recorded_once(fence: Fence) -> None:
    wanted = granted(fence)
    assert fence.settle(wanted, Outcome.OK).code is SettleCode.SETTLED
    assert fence.settle(wanted, Outcome.OK).code is SettleCode.ALREADY
    assert [a[0] for a in actions(fence)] == ["claim", "settle"]


def test_an_aborted_key_is_free_again(fence: Fence) -> None:
    fence.settle(granted(fence), Outcome.ABORT)
    assert fence.open_claims() == []
    granted(fence)


def test_the_holder_may_settle_what_is_in_doubt(fence: Fence) -> None:
    wanted = in_doubt(fence)
    assert fence.settle(wanted, Outcome.OK, result="it did happen").code is SettleCode.SETTLED
    assert fence.open_claims() == []


def test_unknown_said_twice_is_one_doubt(fence: Fence) -> None:
    wanted = in_doubt(fence)
    assert fence.settle(wanted, Outcome.UNKNOWN).code is SettleCode.DOUBT
    assert [a[0] for a in actions(fence)] == ["claim", "doubt"]


def test_results_expire_after_their_retention_and_never_with_zero(fence: Fence) -> None:
    fence.settle(granted(fence, "a"), Outcome.OK, retention_ms=50_000)
    fence.settle(granted(fence, "b"), Outcome.OK, retention_ms=0)
    assert 0 < fence.client.pttl(fence.keys.done("a")) <= 50_000  # type: ignore[operator]
    assert fence.client.pttl(fence.keys.done("b")) == -1


def test_the_last_result_ends_a_drain(fence: Fence) -> None:
    first, second = granted(fence, "a"), granted(fence, "b")
    fence.switch(SwitchRequest("green", expected_epoch="any", drain_ms=LONG, by="op"))
    fence.settle(first, Outcome.OK)
    assert fence.authority().phase is Phase.DRAIN  # type: ignore[union-attr]
    fence.settle(second, Outcome.UNKNOWN)
    authority = fence.authority()
    assert authority is not None and (authority.phase, authority.active) == (Phase.RUN, Slot.GREEN)


def test_the_deadline_of_a_drain_puts_the_rest_in_doubt(fence: Fence) -> None:
    granted(fence)
    reply = fence.switch(SwitchRequest("green", expected_epoch="any", drain_ms=1, by="op"))
    assert reply.code is SwitchCode.DRAINING
    wait_beyond(fence, reply.deadline_ms)
    done = fence.tend()
    assert (done.phase, done.active, done.in_doubt) == (Phase.RUN, Slot.GREEN, 1)
    assert events(fence)[-1]["why"] == "deadline"


def test_a_drain_is_finished_by_whoever_claims_next(fence: Fence) -> None:
    granted(fence)
    reply = fence.switch(SwitchRequest("green", expected_epoch="any", drain_ms=1, by="op"))
    wait_beyond(fence, reply.deadline_ms)
    fence.claim(intent(fence, "bet-2", slot="green"))
    assert fence.authority().active is Slot.GREEN  # type: ignore[union-attr]


def test_a_late_result_for_a_key_in_other_hands_is_a_double_spend(fence: Fence) -> None:
    wanted = in_doubt(fence)
    fence.resolve(
        Resolution(wanted.key, wanted.claim_id, executed=False, proof=Proof.BURNED, by="op", evidence="said so")
    )
    other = granted(fence, instance="blue-2")
    reply = fence.settle(wanted, Outcome.OK, result="it did happen")
    assert (reply.code, reply.tripped) == (SettleCode.LATE, "halt")
    assert actions(fence)[-1][0] == "late"
    assert "double spend" in events(fence)[-1]["why"]
    assert [c.claim_id for c in fence.open_claims()] == [other.claim_id]


def test_a_late_result_for_a_key_that_is_done_by_another_is_a_double_spend(fence: Fence) -> None:
    wanted = in_doubt(fence)
    fence.resolve(
        Resolution(wanted.key, wanted.claim_id, executed=False, proof=Proof.BURNED, by="op", evidence="said so")
    )
    fence.settle(granted(fence, instance="blue-2"), Outcome.OK, result="second")
    assert fence.settle(wanted, Outcome.OK).tripped == "halt"
    assert parse_done(fence.client.get(fence.keys.done("bet-1"))).result == "second"  # type: ignore[arg-type]


def test_a_late_result_for_a_free_key_is_recorded_so_that_it_can_not_happen_twice(fence: Fence) -> None:
    wanted = in_doubt(fence)
    fence.resolve(
        Resolution(wanted.key, wanted.claim_id, executed=False, proof=Proof.BURNED, by="op", evidence="said so")
    )
    reply = fence.settle(wanted, Outcome.OK, result="it did happen")
    assert (reply.code, reply.tripped) == (SettleCode.LATE, "")
    again = fence.claim(intent(fence))
    assert again.code is ClaimCode.DONE and again.done.result == "it did happen"  # type: ignore[union-attr]


def test_a_late_abort_is_nothing_to_be_loud_about(fence: Fence) -> None:
    wanted = granted(fence)
    fence.settle(wanted, Outcome.ABORT)
    granted(fence, instance="blue-2")
    assert fence.settle(wanted, Outcome.ABORT).code is SettleCode.LATE
    assert "late" not in [a[0] for a in actions(fence)]


def test_a_result_on_a_store_that_lost_everything_is_told_so(fence: Fence) -> None:
    wanted = granted(fence)
    fence.client.flushdb()
    assert fence.settle(wanted, Outcome.OK).code is SettleCode.NOINIT


# -- trip-wires -------------------------------------------------------------------------------------------------------


def healthy(fence: Fence, slot: str) -> None:
    now = epoch(fence)
    fence.beat(Heartbeat(f"{slot}-1", slot), epoch=now, seen=now)


@pytest.fixture
def on_green(fence: Fence) -> Fence:
    """Green is active and blue, known healthy, stands by."""
    fence.switch(SwitchRequest("green", expected_epoch="any", by="op"))
    healthy(fence, "blue")
    return fence


def test_a_loss_beyond_the_budget_rolls_back_with_the_result_that_shows_it(on_green: Fence) -> None:
    on_green.set_limits(Limits(currency="USD", loss=Decimal(10)), by="op")
    first = granted(on_green, "a", slot="green")
    second = granted(on_green, "b", slot="green")
    assert on_green.settle(first, Outcome.OK, pnl=Decimal("-9.999999")).tripped == ""
    assert on_green.settle(second, Outcome.OK, pnl=Decimal("-0.000001")).tripped == "rollback"
    authority = on_green.authority()
    assert authority is not None and (authority.active, authority.previous) == (Slot.BLUE, Slot.GREEN)
    assert authority.automatic_rollback_used


def test_a_loss_in_another_currency_is_not_counted(on_green: Fence) -> None:
    on_green.set_limits(Limits(currency="USD", loss=Decimal(10)), by="op")
    wanted = granted(on_green, slot="green", currency="EUR", amount=Decimal(0))
    assert on_green.settle(wanted, Outcome.OK, pnl=Decimal(-99)).tripped == ""


def test_failures_in_a_row_roll_back_and_a_success_between_them_counts_anew(on_green: Fence) -> None:
    on_green.set_limits(Limits(streak=2), by="op")
    for n, outcome in enumerate((Outcome.FAIL, Outcome.OK, Outcome.FAIL)):
        assert on_green.settle(granted(on_green, f"k{n}", slot="green"), outcome).tripped == ""
    assert on_green.settle(granted(on_green, "k9", slot="green"), Outcome.FAIL).tripped == "rollback"


def test_claims_in_doubt_roll_back(on_green: Fence) -> None:
    on_green.set_limits(Limits(doubts=2), by="op")
    in_doubt(on_green, "a", slot="green")
    assert on_green.settle(granted(on_green, "b", slot="green"), Outcome.UNKNOWN).tripped == "rollback"


def test_leases_that_end_in_silence_trip_at_the_next_heartbeat(on_green: Fence) -> None:
    on_green.set_limits(Limits(doubts=1), by="op")
    deadline = on_green.claim(intent(on_green, slot="green", lease_ms=1)).deadline_ms
    wait_beyond(on_green, deadline)
    assert on_green.tend().active is Slot.BLUE


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.FAIL, Outcome.UNKNOWN])
def test_a_critical_trigger_rolls_back_with_the_result_that_shows_it(on_green: Fence, outcome: Outcome) -> None:
    wanted = granted(on_green, slot="green")
    assert on_green.settle(wanted, outcome, trigger="authentication failure").tripped == "rollback"
    assert events(on_green)[-1]["why"].startswith("authentication failure")


def test_the_second_trip_halts(on_green: Fence) -> None:
    on_green.settle(granted(on_green, slot="green"), Outcome.FAIL, trigger="exception")
    healthy(on_green, "green")
    reply = on_green.settle(granted(on_green, "b", slot="blue"), Outcome.FAIL, trigger="exception")
    assert reply.tripped == "halt"
    assert on_green.authority().phase is Phase.HALT  # type: ignore[union-attr]


def test_an_operators_switch_gives_a_new_automatic_roll_back(on_green: Fence) -> None:
    on_green.settle(granted(on_green, slot="green"), Outcome.FAIL, trigger="exception")
    on_green.switch(SwitchRequest("green", expected_epoch="any", by="op"))
    healthy(on_green, "blue")
    assert on_green.settle(granted(on_green, "b", slot="green"), Outcome.FAIL, trigger="x").tripped == "rollback"


def test_a_trip_without_a_healthy_other_side_halts(fence: Fence) -> None:
    fence.switch(SwitchRequest("green", expected_epoch="any", by="op"))
    assert fence.settle(granted(fence, slot="green"), Outcome.FAIL, trigger="exception").tripped == "halt"


def test_a_side_whose_heartbeat_is_old_is_not_healthy(on_green: Fence) -> None:
    on_green.set_limits(Limits(heartbeat_ms=1), by="op")
    wait_beyond(on_green, server_ms(on_green) + 2)
    assert on_green.settle(granted(on_green, slot="green"), Outcome.FAIL, trigger="exception").tripped == "halt"
    assert "no fresh heartbeat" in events(on_green)[-1]["why"]


def test_results_of_an_earlier_tenure_do_not_trip_the_running_one(on_green: Fence) -> None:
    on_green.set_limits(Limits(currency="USD", loss=Decimal(1), streak=1, doubts=1), by="op")
    for n, outcome in enumerate((Outcome.OK, Outcome.FAIL, Outcome.UNKNOWN)):
        old = granted(on_green, f"k{n}", slot="green")
        on_green.switch(SwitchRequest("blue", expected_epoch="any", mode="now", by="op"))
        on_green.switch(SwitchRequest("green", expected_epoch="any", mode="now", by="op"))
        assert on_green.settle(old, outcome, pnl=Decimal(-5), trigger="exception").tripped == ""


def test_raising_a_level_keeps_the_tenure_and_its_counters(on_green: Fence) -> None:
    on_green.set_limits(Limits(streak=2), by="op")
    on_green.settle(granted(on_green, "a", slot="green"), Outcome.FAIL)
    held = granted(on_green, "b", slot="green")
    on_green.halt("op", "careful", level=Level.REDUCE_ONLY)
    assert on_green.settle(held, Outcome.FAIL).tripped == "rollback"


# -- resolve ----------------------------------------------------------------------------------------------------------


def resolve(fence: Fence, wanted: Intent, **changes: Any) -> ResolveCode:
    arguments: dict[str, Any] = {
        "executed": False,
        "proof": Proof.GONE,
        "by": "op",
        "evidence": "pid gone",
        "quarantine_ms": 0,
    } | changes
    return fence.resolve(Resolution(wanted.key, wanted.claim_id, **arguments)).code


def test_executed_needs_only_evidence_and_records_the_result(fence: Fence) -> None:
    wanted = in_doubt(fence)
    assert resolve(fence, wanted, executed=True, proof=None, evidence="") is ResolveCode.NEEDS_EVIDENCE
    assert resolve(fence, wanted, executed=True, proof=None, result="won") is ResolveCode.RESOLVED
    assert fence.claim(intent(fence)).done.result == "won"  # type: ignore[union-attr]
    assert resolve(fence, wanted, executed=True, proof=None) is ResolveCode.ALREADY


def test_not_executed_frees_the_key(fence: Fence) -> None:
    wanted = in_doubt(fence, lease_ms=1)
    wait_beyond(fence, fence.open_claims()[0].deadline_ms)
    assert resolve(fence, wanted) is ResolveCode.RESOLVED
    granted(fence)
    assert [a[0] for a in actions(fence)] == ["claim", "doubt", "resolve", "claim"]


def test_not_executed_needs_proof_that_the_holder_can_not_send_any_more(fence: Fence) -> None:
    wanted = in_doubt(fence, lease_ms=1)
    wait_beyond(fence, fence.open_claims()[0].deadline_ms)
    assert resolve(fence, wanted, proof=None) is ResolveCode.HOLDER_ALIVE
    healthy(fence, "blue")
    assert resolve(fence, wanted, proof=Proof.SILENT, wake_ms=LONG) is ResolveCode.HOLDER_ALIVE
    assert resolve(fence, wanted, proof=Proof.BURNED) is ResolveCode.RESOLVED


@pytest.mark.parametrize("own", ["", "0123456789abcdef", "short"])
def test_the_holder_itself_is_known_by_its_claim_and_not_by_its_name(fence: Fence, own: str) -> None:
    wanted = in_doubt(fence, lease_ms=1)
    wait_beyond(fence, fence.open_claims()[0].deadline_ms)
    if own == "short":
        own = wanted.claim_id[:7]
    assert resolve(fence, wanted, proof=Proof.SELF, by=wanted.instance, own=own) is ResolveCode.HOLDER_ALIVE
    assert resolve(fence, wanted, proof=Proof.SELF, by="op", own=wanted.claim_id[:16]) is ResolveCode.RESOLVED


def test_nobody_is_gone_beside_a_fresh_heartbeat(fence: Fence) -> None:
    healthy(fence, "blue")
    wanted = in_doubt(fence, lease_ms=1)
    wait_beyond(fence, fence.open_claims()[0].deadline_ms)
    assert resolve(fence, wanted, proof=Proof.GONE) is ResolveCode.HOLDER_ALIVE
    until(lambda: resolve(fence, wanted, proof=Proof.GONE) is ResolveCode.RESOLVED, "three heartbeats were missed")


def test_a_holder_that_is_silent_for_longer_than_any_pause_is_dead(fence: Fence) -> None:
    healthy(fence, "blue")
    wanted = in_doubt(fence, lease_ms=1)
    wait_beyond(fence, fence.open_claims()[0].deadline_ms + 5)
    assert resolve(fence, wanted, proof=Proof.SILENT, wake_ms=1) is ResolveCode.RESOLVED


def test_not_executed_waits_out_the_quarantine_unless_the_venue_burned_the_key(fence: Fence) -> None:
    wanted = in_doubt(fence)
    reply = fence.resolve(
        Resolution(
            wanted.key, wanted.claim_id, executed=False, proof=Proof.GONE, by="op", evidence="gone", quarantine_ms=0
        )
    )
    assert reply.code is ResolveCode.TOO_EARLY and 0 < int(reply.detail) <= LONG
    assert resolve(fence, wanted, proof=Proof.BURNED) is ResolveCode.RESOLVED


def test_the_quarantine_is_counted_from_the_end_of_the_lease(fence: Fence) -> None:
    wanted = in_doubt(fence, lease_ms=1)
    wait_beyond(fence, fence.open_claims()[0].deadline_ms)
    assert resolve(fence, wanted, quarantine_ms=LONG) is ResolveCode.TOO_EARLY


def test_what_was_looked_up_before_a_wait_was_over_says_nothing_of_what_came_after(fence: Fence) -> None:
    healthy(fence, "blue")
    looked = fence.tend().steady_ms
    wanted = in_doubt(fence, lease_ms=1)
    wait_beyond(fence, fence.open_claims()[0].deadline_ms + 40)
    early = {"quarantine_ms": 20, "looked_ms": looked, "proof": Proof.SELF, "own": wanted.claim_id[:16]}
    assert resolve(fence, wanted, **early) is ResolveCode.TOO_EARLY
    assert resolve(fence, wanted, proof=Proof.SILENT, wake_ms=20, looked_ms=looked) is ResolveCode.HOLDER_ALIVE
    later = fence.tend().steady_ms
    assert resolve(fence, wanted, **early | {"looked_ms": later}) is ResolveCode.RESOLVED


def test_what_is_not_in_doubt_can_not_be_resolved(fence: Fence) -> None:
    wanted = granted(fence)
    assert resolve(fence, wanted) is ResolveCode.NOT_IN_DOUBT
    in_doubt(fence, "bet-2")
    assert resolve(fence, wanted._replace(key="bet-2")) is ResolveCode.NOT_IN_DOUBT
    assert resolve(fence, wanted._replace(key="bet-9")) is ResolveCode.NOT_IN_DOUBT


def test_a_claim_whose_lease_ended_can_be_resolved_before_anybody_swept_it(fence: Fence) -> None:
    wanted = intent(fence, lease_ms=1)
    wait_beyond(fence, fence.claim(wanted).deadline_ms)
    assert resolve(fence, wanted, executed=True, proof=None) is ResolveCode.RESOLVED


def test_not_executed_gives_the_amount_back_and_executed_does_not(fence: Fence) -> None:
    fence.set_limits(Limits(currency="USD", cap_amount=Decimal(10), cap_day=Decimal(10)), by="op")
    wanted = in_doubt(fence, "a", amount=Decimal(10))
    assert resolve(fence, wanted, proof=Proof.BURNED) is ResolveCode.RESOLVED
    again = in_doubt(fence, "b", amount=Decimal(10))
    assert resolve(fence, again, executed=True, proof=None) is ResolveCode.RESOLVED
    assert fence.claim(intent(fence, "c")).code is ClaimCode.LIMIT


def test_a_loss_that_comes_to_light_by_resolving_trips(on_green: Fence) -> None:
    on_green.set_limits(Limits(currency="USD", loss=Decimal(1)), by="op")
    wanted = in_doubt(on_green, slot="green")
    resolve(on_green, wanted, executed=True, proof=None, pnl=Decimal(-2))
    assert on_green.authority().active is Slot.BLUE  # type: ignore[union-attr]


# -- the chain, memory, leases ----------------------------------------------------------------------------------------


def test_every_action_is_in_a_chain_that_shows_edits_and_cuts(fence: Fence) -> None:
    fence.settle(granted(fence, "a"), Outcome.OK, result="ü⚡")
    wanted = in_doubt(fence, "b")
    resolve(fence, wanted, proof=Proof.BURNED)
    fence.settle(wanted, Outcome.OK)
    entries: Any = fence.client.xrange(fence.keys.actions)
    head = fence.authority().action_head  # type: ignore[union-attr]
    verdict = verify_chain(entries, head=head)
    assert verdict.ok and verdict.entries == 6
    assert not verify_chain(entries[:-1], head=head).ok
    assert not verify_chain([entries[0], *entries[2:]]).ok
    assert [line[0] for line in actions(fence)] == ["claim", "settle", "claim", "doubt", "resolve", "late"]


def test_a_server_out_of_memory_refuses_new_claims_and_takes_results_switches_and_halts(fence: Fence) -> None:
    from console.domain.errors import ConsoleError

    wanted = granted(fence)
    fresh = intent(fence, "bet-2")
    before = fence.client.config_get("maxmemory")["maxmemory"]
    fence.client.config_set("maxmemory", "1")
    try:
        with pytest.raises(ConsoleError):
            fence.claim(fresh)
        assert fence.settle(wanted, Outcome.OK).code is SettleCode.SETTLED
        assert fence.switch(SwitchRequest("green", expected_epoch="any", by="op")).code is SwitchCode.SWITCHED
        assert fence.halt("op", "stop").phase is Phase.HALT
    finally:
        fence.client.config_set("maxmemory", before)
    assert fence.open_claims() == []


def test_one_holder_has_a_lease_and_every_term_has_a_higher_token(fence: Fence) -> None:
    first = fence.lease("notify", "a", ttl_ms=LONG)
    assert (first.held, first.token) == (True, 1)
    other = fence.lease("notify", "b", ttl_ms=LONG)
    assert (other.held, other.holder) == (False, "a")
    assert fence.lease("notify", "a", ttl_ms=LONG).token == 1
    fence.lease("notify", "a", ttl_ms=LONG, release=True)
    assert fence.lease("notify", "b", ttl_ms=1).token == 2
    began_ms = server_ms(fence)
    wait_beyond(fence, began_ms + 2)
    assert fence.lease("notify", "b", ttl_ms=1).token == 3
    wait_beyond(fence, began_ms // 1000 * 1000 + 1000)
    assert fence.lease("notify", "c", ttl_ms=1).held
