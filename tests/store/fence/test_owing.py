"""What is owed, on a real server: never without an owner, never owned twice, nothing lost or doubled at any line."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from console.domain.commitments.commitment import Commitment, Flow, HandOver, Kind, Op, Owed, to_record
from console.domain.errors import Refused
from console.domain.fence.chain import verify_chain
from console.domain.fence.claims import Direction, Level, Outcome
from console.domain.fence.deployment import Slot
from console.store.fence.blocking import Fence
from console.store.fence.calls import Heartbeat, SwitchRequest
from console.store.fence.claims import ClaimCode, ClaimReply, Intent, Proof, Resolution, ResolveCode, SettleCode
from console.store.fence.owing import OweCode, Step, Who, give, over, put
from console.store.fence.replies import BeatCode

if TYPE_CHECKING:
    from redis import Redis

    from console.store.keys import Keys

LONG = 600_000
DUE = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ESCROW = Commitment("esc_1", Kind.ESCROW, Decimal("12.5"), "USD", Flow.IN, DUE, detail='{"role":"creator"}')
ROUND = Commitment("round_7", Kind.ROUND, Decimal(1), "USD")
BLUE = Who("blue-1", "blue", "2.4.0", 1)
OPERATOR = Who("bob")


@pytest.fixture(params=[True, False], ids=["functions", "scripts"])
def fence(valkey_sync: Redis, keys: Keys, request: pytest.FixtureRequest) -> Fence:
    fence = Fence(valkey_sync, keys, functions=request.param)
    fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    return fence


def naming(op: Op, what: Commitment | str, version: str = "2.4.0") -> str:
    about, record = (what, "") if isinstance(what, str) else (what.id, to_record(what))
    return f"{op}\n{about}\n{version}\n{record}"


def intent(fence: Fence, key: str, named: str, **changes: Any) -> Intent:
    authority = fence.authority()
    assert authority is not None
    now = authority.epoch
    wanted = Intent(
        key, uuid.uuid4().hex, "blue", now, "blue-1", Decimal(5), "USD", Direction.ENTER, "", LONG, now, named=named
    )
    return wanted._replace(**changes)


def granted(fence: Fence, key: str, named: str, **changes: Any) -> Intent:
    wanted = intent(fence, key, named, **changes)
    assert fence.claim(wanted).code is ClaimCode.GRANTED
    return wanted


def refused(fence: Fence, key: str, named: str, **changes: Any) -> ClaimReply:
    reply = fence.claim(intent(fence, key, named, **changes))
    assert not reply.granted
    assert not [claim for claim in fence.open_claims() if claim.key == key]
    return reply


def the(fence: Fence, name: str) -> Owed:
    assert name in listed(fence)
    return listed(fence)[name]


def switch(fence: Fence, to: str) -> None:
    fence.switch(SwitchRequest(to, expected_epoch="any", by="op", mode="now"))


def listed(fence: Fence) -> dict[str, Owed]:
    return {one.id: one for one in fence.owed()}


def counted(fence: Fence) -> list[int]:
    """How many commitments and marks there are, by the authority and by the keys."""
    raw: Any = fence.client.hmget(fence.keys.ctl, "wn", "nn")
    client: Any = fence.client
    return [int(raw[0] or 0), client.hlen(fence.keys.owed), int(raw[1] or 0), client.hlen(fence.keys.named)]


def sound(fence: Fence) -> None:
    owed, are, marks, marked = counted(fence)
    assert owed == are and marks == marked
    raw: Any = fence.client.xrange(fence.keys.actions)
    assert verify_chain(raw, head=fence.authority().action_head).ok  # type: ignore[union-attr]


# -- a claim names what it opens, changes, closes ---------------------------------------------------------------------


def test_what_a_claim_opens_is_owed_from_the_very_step_of_its_result(fence: Fence) -> None:
    wanted = granted(fence, "create-1", naming(Op.OPEN, ESCROW))
    assert listed(fence) == {}
    fence.settle(wanted, Outcome.OK)
    owed = the(fence, "esc_1")
    assert owed.commitment == ESCROW._replace(hand_over=HandOver.NEW_ADOPTS)
    assert (owed.slot, owed.version, owed.epoch, owed.pin, owed.claim) == (Slot.BLUE, "2.4.0", wanted.epoch, None, "")
    sound(fence)


@pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.ABORT])
def test_what_was_not_executed_leaves_the_list_as_it_was_and_names_nothing_any_more(
    fence: Fence, outcome: Outcome
) -> None:
    fence.owe(BLUE, [put(ESCROW)])
    before = listed(fence)
    fence.settle(granted(fence, "create-2", naming(Op.OPEN, ROUND)), outcome)
    fence.settle(granted(fence, "release-1", naming(Op.CLOSE, "esc_1")), outcome)
    assert listed(fence) == before
    assert counted(fence)[2:] == [0, 0]


def test_while_nobody_knows_whether_it_was_closed_it_is_owed_and_the_claim_is_named(fence: Fence) -> None:
    fence.owe(BLUE, [put(ESCROW)])
    fence.settle(granted(fence, "release-1", naming(Op.CLOSE, "esc_1")), Outcome.UNKNOWN)
    assert the(fence, "esc_1").claim == "release-1"
    assert refused(fence, "release-2", naming(Op.CLOSE, "esc_1")).code is ClaimCode.NAMED


@pytest.mark.parametrize("executed", [True, False])
def test_evidence_about_a_doubt_ends_what_it_named(fence: Fence, executed: bool) -> None:
    fence.owe(BLUE, [put(ESCROW)])
    closing = granted(fence, "release-1", naming(Op.CLOSE, "esc_1"))
    opening = granted(fence, "play-1", naming(Op.OPEN, ROUND))
    for wanted in (closing, opening):
        fence.settle(wanted, Outcome.UNKNOWN)
        resolution = Resolution(wanted.key, wanted.claim_id, executed, "bob", "looked", Proof.BURNED)
        assert fence.resolve(resolution).code is ResolveCode.RESOLVED
    assert set(listed(fence)) == ({"round_7"} if executed else {"esc_1"})
    sound(fence)


def test_of_two_claims_that_close_the_same_commitment_one_is_granted(fence: Fence) -> None:
    fence.owe(BLUE, [put(ESCROW)])
    granted(fence, "release-1", naming(Op.CLOSE, "esc_1"))
    reply = refused(fence, "refund-1", naming(Op.CLOSE, "esc_1"))
    assert (reply.code, reply.detail) == (ClaimCode.NAMED, "release-1")


def test_of_two_claims_that_open_the_same_commitment_one_is_granted(fence: Fence) -> None:
    granted(fence, "create-1", naming(Op.OPEN, ESCROW))
    assert refused(fence, "create-2", naming(Op.OPEN, ESCROW)).code is ClaimCode.NAMED


def test_what_is_over_is_never_closed_a_second_time(fence: Fence) -> None:
    fence.owe(BLUE, [put(ESCROW)])
    fence.settle(granted(fence, "release-1", naming(Op.CLOSE, "esc_1")), Outcome.OK)
    assert listed(fence) == {}
    assert refused(fence, "release-2", naming(Op.CLOSE, "esc_1")).code is ClaimCode.NOT_OWED


def test_what_is_owed_is_not_opened_again(fence: Fence) -> None:
    fence.owe(BLUE, [put(ESCROW)])
    assert refused(fence, "create-1", naming(Op.OPEN, ESCROW)).code is ClaimCode.OWED


def test_a_change_keeps_who_opened_it_and_since_when(fence: Fence) -> None:
    fence.owe(BLUE, [put(ESCROW)])
    before = the(fence, "esc_1")
    switch(fence, "green")
    changed = ESCROW._replace(amount=Decimal(3))
    named = naming(Op.CHANGE, changed, "2.5.0")
    fence.settle(granted(fence, "split-1", named, slot="green", instance="green-1"), Outcome.OK)
    after = the(fence, "esc_1")
    assert after.commitment.amount == Decimal(3)
    assert (after.slot, after.version, after.epoch, after.opened_at) == (
        before.slot,
        before.version,
        before.epoch,
        before.opened_at,
    )


def test_the_same_key_for_another_commitment_is_another_intent(fence: Fence) -> None:
    fence.owe(BLUE, [put(ESCROW), put(ROUND)])
    granted(fence, "release", naming(Op.CLOSE, "esc_1"))
    assert refused_mismatch(fence, "release", naming(Op.CLOSE, "round_7"))


def refused_mismatch(fence: Fence, key: str, named: str) -> bool:
    return fence.claim(intent(fence, key, named)).code is ClaimCode.MISMATCH


def test_our_own_call_again_names_it_once(fence: Fence) -> None:
    wanted = granted(fence, "create-1", naming(Op.OPEN, ESCROW))
    assert fence.claim(wanted).code is ClaimCode.DUP
    fence.settle(wanted, Outcome.OK)
    assert fence.settle(wanted, Outcome.OK).code is SettleCode.ALREADY
    assert set(listed(fence)) == {"esc_1"}
    sound(fence)


def test_a_late_report_that_it_was_executed_lists_what_it_opened(fence: Fence) -> None:
    wanted = granted(fence, "create-1", naming(Op.OPEN, ESCROW))
    fence.settle(wanted, Outcome.UNKNOWN)
    fence.resolve(Resolution("create-1", wanted.claim_id, False, "bob", "not there", Proof.BURNED))
    assert listed(fence) == {}
    assert fence.settle(wanted, Outcome.OK).code is SettleCode.LATE
    assert the(fence, "esc_1").version == "2.4.0"
    sound(fence)


@pytest.mark.parametrize(
    "named",
    [
        "steal\nesc_1\n2\nescrow\nnew adopts\n0\nin\n1\nUSD\n",
        "open\n\n2\nescrow\nnew adopts\n0\nin\n1\nUSD\n",
        "open\nesc\t1\n2\nescrow\nnew adopts\n0\nin\n1\nUSD\n",
        "open\nesc_1\n2\nescrow\nnew adopts\n0\nin\n-1\nUSD\n",
        "open\nesc_1\n2\nescrow\nnew adopts\n0\nin\nmuch\nUSD\n",
        "open\nesc_1\n2\nescrow",
        "open\nesc_1\n2\n",
    ],
)
def test_a_claim_that_names_what_can_not_be_recorded_is_refused_before_anything_is_sent(
    fence: Fence, named: str
) -> None:
    assert refused(fence, "k", named).code is ClaimCode.BADARG
    assert counted(fence) == [0, 0, 0, 0]


# -- owners -----------------------------------------------------------------------------------------------------------


def test_what_is_not_pinned_is_handed_over_by_the_switch_itself_and_the_event_says_how_many(fence: Fence) -> None:
    fence.owe(BLUE, [put(ESCROW), put(ROUND)])
    switch(fence, "green")
    authority = fence.authority()
    assert {one.id: one.owner(authority) for one in fence.owed()} == {"esc_1": Slot.GREEN, "round_7": Slot.BLUE}
    newest: Any = fence.client.xrevrange(fence.keys.log, count=1)
    assert newest[0][1][b"owed"] == b"2"


def test_the_side_that_an_open_round_is_pinned_to_ends_it_although_it_stands_by(fence: Fence) -> None:
    fence.owe(BLUE, [put(ROUND)])
    switch(fence, "green")
    cash_out = granted(fence, "cash-out-7", naming(Op.CLOSE, "round_7"), direction=Direction.REDUCE)
    fence.settle(cash_out, Outcome.OK)
    assert listed(fence) == {}


@pytest.mark.parametrize("direction", [Direction.ENTER, Direction.ADJUST])
def test_a_side_that_stands_by_only_ever_reduces(fence: Fence, direction: Direction) -> None:
    fence.owe(BLUE, [put(ROUND)])
    switch(fence, "green")
    reply = refused(fence, "double-up", naming(Op.CHANGE, ROUND), direction=direction)
    assert reply.code is ClaimCode.NOT_ACTIVE


def test_a_side_that_stands_by_may_not_reduce_what_is_no_longer_its_own(fence: Fence) -> None:
    fence.owe(BLUE, [put(ESCROW)])
    switch(fence, "green")
    named = naming(Op.CLOSE, "esc_1")
    assert refused(fence, "release-1", named, direction=Direction.REDUCE).code is ClaimCode.NOT_ACTIVE


def test_a_side_that_stands_by_opens_nothing_under_a_pinned_name(fence: Fence) -> None:
    fence.owe(BLUE, [put(ROUND)])
    switch(fence, "green")
    named = naming(Op.OPEN, ROUND)
    assert refused(fence, "again", named, direction=Direction.REDUCE).code is ClaimCode.NOT_ACTIVE


def test_the_active_side_may_not_end_what_is_pinned_to_the_other(fence: Fence) -> None:
    fence.owe(BLUE, [put(ROUND)])
    switch(fence, "green")
    reply = refused(fence, "cash-out-7", naming(Op.CLOSE, "round_7"), slot="green", direction=Direction.REDUCE)
    assert (reply.code, reply.detail) == (ClaimCode.NOT_OWNER, "blue")


@pytest.mark.parametrize("level", [Level.HALT])
def test_a_halt_stops_the_side_that_ends_its_own_too(fence: Fence, level: Level) -> None:
    fence.owe(BLUE, [put(ROUND)])
    switch(fence, "green")
    fence.halt("op", "stop", level=level)
    named = naming(Op.CLOSE, "round_7")
    assert refused(fence, "cash-out-7", named, direction=Direction.REDUCE).code is ClaimCode.HALTED


def test_an_old_epoch_ends_nothing_even_of_its_own(fence: Fence) -> None:
    fence.owe(BLUE, [put(ROUND)])
    authority = fence.authority()
    assert authority is not None
    switch(fence, "green")
    named = naming(Op.CLOSE, "round_7")
    reply = refused(fence, "cash-out-7", named, direction=Direction.REDUCE, epoch=authority.epoch, seen=1)
    assert reply.code is ClaimCode.STALE


def test_an_operator_gives_what_a_dead_side_owns_to_the_other(fence: Fence) -> None:
    fence.owe(BLUE, [put(ROUND)])
    switch(fence, "green")
    reply = fence.owe(OPERATOR, [give("round_7", Slot.GREEN, HandOver.OLD_CLOSES)], {"command": "commitments give"})
    assert reply.code is OweCode.DONE
    assert the(fence, "round_7").pin is Slot.GREEN
    assert the(fence, "round_7").slot is Slot.BLUE, "who opened it stays known"
    newest: Any = fence.client.xrevrange(fence.keys.audit, count=1)
    assert newest[0][1][b"command"] == b"commitments give"
    granted(fence, "cash-out-7", naming(Op.CLOSE, "round_7"), slot="green")


def test_what_a_claim_in_flight_names_is_not_given_away_under_its_feet(fence: Fence) -> None:
    fence.owe(BLUE, [put(ESCROW)])
    granted(fence, "release-1", naming(Op.CLOSE, "esc_1"))
    assert fence.owe(OPERATOR, [give("esc_1", Slot.GREEN, HandOver.NEW_ADOPTS)]).code is OweCode.NAMED
    assert fence.owe(BLUE, [put(ESCROW._replace(amount=Decimal(1)))]).code is OweCode.NAMED


def test_that_something_is_over_is_a_fact_whoever_reports_it(fence: Fence) -> None:
    fence.owe(BLUE, [put(ESCROW)])
    wanted = granted(fence, "release-1", naming(Op.CLOSE, "esc_1"))
    assert fence.owe(Who("green-1", "green", "2.5.0"), [over("esc_1", "released by the venue")]).code is OweCode.DONE
    assert fence.settle(wanted, Outcome.OK).code is SettleCode.SETTLED
    assert listed(fence) == {}
    sound(fence)


def test_of_many_changes_all_are_carried_out_or_none(fence: Fence) -> None:
    reply = fence.owe(BLUE, [put(ESCROW), over("never", "x"), put(ROUND)])
    assert (reply.code, reply.at) == (OweCode.NOT_OWED, "never")
    assert listed(fence) == {}


WRONG = {
    "a negative amount": [Step("put", "a", "escrow\nnew adopts\n0\nin\n-1\nUSD\n")],
    "a line break": [Step("put", "a\nb", to_record(ESCROW))],
    "no id": [Step("put", "", to_record(ESCROW))],
    "no such change": [Step("eat", "a", to_record(ESCROW))],
    "twice the same": [put(ESCROW), put(ESCROW)],
}


@pytest.mark.parametrize("what", WRONG)
def test_a_change_that_can_not_be_recorded_changes_nothing(fence: Fence, what: str) -> None:
    assert fence.owe(BLUE, WRONG[what]).code is OweCode.BADARG
    assert listed(fence) == {}


def test_an_operator_puts_nothing_of_his_own(fence: Fence) -> None:
    assert fence.owe(OPERATOR, [put(ESCROW)]).code is OweCode.BADARG


@pytest.mark.parametrize("value", ["red\nnew adopts", "green\nnobody", "green", ""])
def test_nothing_is_given_to_a_side_that_there_is_not(fence: Fence, value: str) -> None:
    fence.owe(BLUE, [put(ESCROW)])
    assert fence.owe(OPERATOR, [Step("give", "esc_1", value)]).code is OweCode.BADARG
    assert the(fence, "esc_1").pin is None


# -- damage -----------------------------------------------------------------------------------------------------------


def beat(fence: Fence) -> BeatCode:
    authority = fence.authority()
    assert authority is not None
    return fence.beat(Heartbeat("blue-1", "blue"), epoch=authority.epoch, seen=authority.epoch).code


def test_commitments_that_vanish_halt_and_are_listed_again(fence: Fence) -> None:
    fence.owe(BLUE, [put(ESCROW), put(ROUND), put(ESCROW._replace(id="esc_2"))])
    fence.owe(BLUE, [over("esc_2", "released")])
    before = listed(fence)
    fence.client.delete(fence.keys.owed)
    assert beat(fence) is BeatCode.DAMAGED
    authority = fence.authority()
    assert authority is not None and authority.level is Level.HALT
    assert listed(fence) == before


def test_a_list_of_another_type_is_put_aside_and_written_anew(fence: Fence) -> None:
    fence.owe(BLUE, [put(ESCROW)])
    before = listed(fence)
    fence.client.delete(fence.keys.owed)
    fence.client.set(fence.keys.owed, "x")
    assert beat(fence) is BeatCode.DAMAGED
    assert listed(fence) == before


def test_a_result_is_recorded_with_what_it_opened_although_the_list_is_of_another_type(fence: Fence) -> None:
    wanted = granted(fence, "create-1", naming(Op.OPEN, ESCROW))
    fence.client.set(fence.keys.owed, "x")
    assert fence.settle(wanted, Outcome.OK).code is SettleCode.SETTLED
    assert set(listed(fence)) == {"esc_1"}


@pytest.mark.parametrize("lost", ["owed", "named"])
def test_nothing_may_name_a_commitment_while_a_part_of_the_list_is_lost(fence: Fence, lost: str) -> None:
    fence.owe(BLUE, [put(ESCROW), put(ROUND)])
    granted(fence, "release-1", naming(Op.CLOSE, "esc_1"))
    fence.client.delete(getattr(fence.keys, lost))
    reply = refused(fence, "refund-1", naming(Op.CLOSE, "esc_1"))
    assert (reply.code, reply.detail) == (ClaimCode.DAMAGED, lost)


def test_names_of_commitments_that_vanish_halt(fence: Fence) -> None:
    fence.owe(BLUE, [put(ESCROW)])
    granted(fence, "release-1", naming(Op.CLOSE, "esc_1"))
    fence.client.delete(fence.keys.named)
    assert beat(fence) is BeatCode.DAMAGED
    sound(fence)


@pytest.mark.parametrize("healed", [True, False])
def test_a_result_says_itself_what_it_named_where_the_store_has_lost_it(fence: Fence, healed: bool) -> None:
    wanted = granted(fence, "create-1", naming(Op.OPEN, ESCROW))
    fence.client.delete(fence.keys.named)
    if healed:
        assert beat(fence) is BeatCode.DAMAGED
    assert fence.settle(wanted, Outcome.OK).code is SettleCode.SETTLED
    assert set(listed(fence)) == {"esc_1"}


@pytest.mark.parametrize("key", ["owed", "named"])
def test_nothing_of_what_is_owed_may_expire(fence: Fence, key: str) -> None:
    fence.owe(BLUE, [put(ESCROW)])
    granted(fence, "release-1", naming(Op.CLOSE, "esc_1"))
    fence.client.expire(getattr(fence.keys, key), 100)
    assert beat(fence) is BeatCode.OK
    assert fence.client.ttl(getattr(fence.keys, key)) == -1


def test_half_a_list_is_none(fence: Fence) -> None:
    fence.owe(BLUE, [put(ESCROW), put(ROUND)])
    fence.client.hset(fence.keys.owed, "esc_1", "nonsense")
    with pytest.raises(Refused, match="1 of 2"):
        fence.owed()


def test_a_store_that_nobody_commands_owes_nothing_and_takes_nothing(fence: Fence) -> None:
    fence.client.flushall()
    assert fence.owed() == ()
    assert fence.owe(BLUE, [put(ESCROW)]).code is OweCode.NOINIT


def test_ten_thousand_commitments_are_put_listed_and_handed_over_without_touching_one_by_one(fence: Fence) -> None:
    many = [put(ESCROW._replace(id=f"esc_{number}", due=DUE + timedelta(seconds=number))) for number in range(1_000)]
    for begin in range(0, len(many), 100):
        assert fence.owe(BLUE, many[begin : begin + 100]).code is OweCode.DONE
    switch(fence, "green")
    authority = fence.authority()
    assert {one.owner(authority) for one in fence.owed()} == {Slot.GREEN}
    assert len(fence.owed()) == 1_000
