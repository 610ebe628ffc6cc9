"""States in the store: the active side keeps them, the next side takes them, and nobody else changes anything."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import redis

from console.domain.errors import Refused
from console.domain.fence.claims import Direction
from console.domain.state.kept import KeptState, record_rest
from console.domain.state.pieces import Cutter, joined
from console.domain.state.state import State
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.fence.claims import Intent
from console.store.keys import Keys, StateKeys
from console.store.records import states
from console.store.records.states import Keeping, StateCode, StateReply

STATE = State(version="2.4.0", timestamp=Decimal("1.50"), signals=[{"n": n, "x": "y" * 60} for n in range(400)])


@pytest.fixture
def fence(valkey_sync: redis.Redis, keys: Keys) -> Fence:
    fence = Fence(valkey_sync, keys)
    fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    return fence


def epoch_of(fence: Fence) -> int:
    authority = fence.authority()
    assert authority is not None
    return authority.epoch


def keep(
    fence: Fence,
    state: State = STATE,
    *,
    slot: str = "blue",
    epoch: int = -1,
    action: int = 0,
    names: set[str] | None = None,
    **options: Any,
) -> StateReply:
    """Keep a state as an agent does, with all its pieces or those that are named."""
    cut = Cutter().cut(state)
    rest = record_rest(state, cut.pieces, state.timestamp or 0, "")
    known = epoch_of(fence) if epoch < 0 else epoch
    keeping = Keeping(cut, rest, options.pop("instance", f"{slot}-1"), slot, known, action, **options)
    return fence.call(states.keep(fence.keys, keeping, states.packed(cut, cut.texts if names is None else names)))


def listed(fence: Fence) -> tuple[KeptState, ...]:
    kept, problems = states.read_list(fence.client.hgetall(StateKeys.of(fence.keys).states))
    assert problems == ()
    return kept


def content(fence: Fence, kept: KeptState) -> State:
    names = kept.pieces.hashes
    raw = fence.client.hmget(StateKeys.of(fence.keys).pieces, names)
    return joined(kept.pieces, states.unpacked(names, raw, 10**7), kept.timestamp, "x")


def take(fence: Fence, slot: str = "green", instance: str = "green-1", number: int = 1) -> StateReply:
    return fence.call(states.take(fence.keys, instance=instance, slot=slot, epoch=epoch_of(fence), number=number))


def switch(fence: Fence, target: str) -> int:
    return fence.switch(SwitchRequest(target, expected_epoch="any", by="op", mode="now")).epoch


def test_what_is_kept_reads_back_as_it_was_with_who_when_and_what_it_knew(fence: Fence) -> None:
    assert keep(fence).code is StateCode.KEPT
    (kept,) = listed(fence)
    assert content(fence, kept) == STATE
    assert (kept.number, kept.slot, kept.instance, kept.epoch) == (1, "blue", "blue-1", epoch_of(fence))
    assert (kept.schema, kept.version, kept.timestamp, kept.taken) == (1, "2.4.0", Decimal("1.50"), None)
    assert kept.size == len(b"".join(Cutter().cut(STATE).texts.values()))


def test_the_standby_side_changes_nothing_of_what_the_active_one_kept(fence: Fence) -> None:
    keep(fence)
    reply = keep(fence, replace(STATE, version="3"), slot="green")
    assert (reply.code, reply.detail) == (StateCode.NOT_ACTIVE, "blue")
    assert [kept.version for kept in listed(fence)] == ["2.4.0"]


def test_an_old_tenure_changes_nothing_even_when_its_side_is_active_again(fence: Fence) -> None:
    before = epoch_of(fence)
    switch(fence, "green")
    now = switch(fence, "blue")
    reply = keep(fence, epoch=before)
    assert (reply.code, reply.detail) == (StateCode.STALE, str(now))
    assert listed(fence) == ()


def test_an_epoch_that_is_not_yet_is_refused(fence: Fence) -> None:
    assert keep(fence, epoch=epoch_of(fence) + 1).code is StateCode.STALE


def test_who_acted_last_may_still_keep_while_halted_and_nobody_takes(fence: Fence) -> None:
    fence.halt("op", "stop")
    assert keep(fence).code is StateCode.KEPT
    assert keep(fence, replace(STATE, version="3"), slot="green").code is StateCode.NOT_ACTIVE
    assert take(fence, "blue", "blue-1").code is StateCode.NOT_ACTIVE


def test_who_is_to_stop_acting_may_keep_until_a_drain_is_over(fence: Fence) -> None:
    now = epoch_of(fence)
    fence.claim(Intent("a", f"{1:0>32}", "blue", now, "blue-1", Decimal(5), "USD", Direction.ENTER, "{}", 60_000, now))
    fence.switch(SwitchRequest("green", expected_epoch="any", by="op", mode="drain"))
    assert keep(fence, replace(STATE, version="3"), slot="green").code is StateCode.NOT_ACTIVE
    assert keep(fence).code is StateCode.KEPT
    assert take(fence).code is StateCode.NOT_ACTIVE


def test_a_store_without_authority_keeps_nothing(fence: Fence) -> None:
    fence.client.flushall()
    assert keep(fence, slot="", epoch=0).code is StateCode.NOINIT


def test_only_pieces_that_the_store_lacks_are_asked_for(fence: Fence) -> None:
    keep(fence)
    there = {name for kept in listed(fence) for name in kept.pieces.hashes}
    changed = replace(STATE, signals=[*(STATE.signals or ()), {"n": -1}])
    reply = keep(fence, changed, names=set())
    assert reply.code is StateCode.MISSING
    assert set(reply.missing) == set(Cutter().cut(changed).pieces.hashes) - there
    assert keep(fence, changed, names=set(reply.missing)).code is StateCode.KEPT
    assert [content(fence, kept) for kept in listed(fence)] == [changed, STATE]


def test_pieces_that_somebody_took_away_are_asked_for_again(fence: Fence) -> None:
    keep(fence)
    gone = listed(fence)[0].pieces.hashes[1]
    fence.client.hdel(StateKeys.of(fence.keys).pieces, gone)
    with pytest.raises(Refused, match="is missing"):
        content(fence, listed(fence)[0])
    changed = replace(STATE, version="3")
    assert gone in keep(fence, changed, names=set()).missing
    keep(fence, changed)
    assert content(fence, listed(fence)[0]) == changed


def test_the_same_again_is_as_new_as_now_and_nothing_travels(fence: Fence) -> None:
    keep(fence)
    before = listed(fence)[0].at
    later = replace(STATE, timestamp=9)
    assert keep(fence, later, names=set()).code is StateCode.AGAIN
    (kept,) = listed(fence)
    assert (kept.timestamp, kept.at >= before) == (9, True)


def test_the_same_content_from_the_other_side_is_a_state_of_its_own(fence: Fence) -> None:
    keep(fence)
    switch(fence, "green")
    take(fence)
    assert keep(fence, slot="green").code is StateCode.KEPT
    assert [kept.slot for kept in listed(fence)] == ["green", "blue"]


def test_the_action_counter_is_what_the_state_knows_of(fence: Fence) -> None:
    for key in ("a", "b"):
        now = epoch_of(fence)
        fence.claim(
            Intent(key, f"{key:0>32}", "blue", now, "blue-1", Decimal(5), "USD", Direction.ENTER, "{}", 60_000, now)
        )
    keep(fence, action=1)
    keep(fence, replace(STATE, version="3"), action=99)
    assert [kept.action for kept in listed(fence)] == [2, 1]


def test_the_list_is_bounded_and_so_are_the_pieces(fence: Fence) -> None:
    for number in range(8):
        signals = [{"n": n, "x": "y" * 60} for n in range(number * 10, 400 + number * 10)]
        keep(fence, replace(STATE, signals=signals), kept=3)
    kept = listed(fence)
    assert [one.number for one in kept] == [8, 7, 6]
    where = StateKeys.of(fence.keys)
    wanted = {name for one in kept for name in one.pieces.hashes}
    assert {name.decode() for name in fence.client.hkeys(where.pieces)} == wanted
    assert {name.decode() for name in fence.client.hkeys(where.uses)} == wanted
    assert int(fence.client.hget(where.states, "b")) == sum(len(one) for one in fence.client.hvals(where.pieces))
    for one in kept:
        content(fence, one)


def test_older_states_make_room_for_the_newest(fence: Fence) -> None:
    noise = [replace(STATE, extra={"x": random.Random(n).randbytes(3_000).hex()}, signals=None) for n in range(5)]
    sizes = [len(b"".join(states.packed(cut := Cutter().cut(one), cut.texts).values())) for one in noise]
    for one in noise:
        assert keep(fence, one, most=sum(sizes[:3])).code is StateCode.KEPT
    assert 1 <= len(listed(fence)) <= 3
    assert content(fence, listed(fence)[0]) == noise[-1]


def test_what_is_too_much_for_the_store_is_refused_and_the_old_ones_stay(fence: Fence) -> None:
    for version in ("1", "2", "3"):
        keep(fence, replace(STATE, version=version))
    reply = keep(fence, replace(STATE, signals=[{"n": str(n) * 50} for n in range(999)]), most=400)
    assert reply.code is StateCode.FULL
    assert [kept.version for kept in listed(fence)] == ["3", "2", "1"]


def test_a_state_is_handed_over_once_and_whoever_comes_later_is_told_to_whom(fence: Fence) -> None:
    keep(fence)
    assert take(fence).code is StateCode.NOT_ACTIVE
    switch(fence, "green")
    first, again, second = take(fence), take(fence), take(fence, instance="green-2")
    assert (first.code, again.code, second.code) == (StateCode.TAKEN, StateCode.TAKEN, StateCode.BEFORE)
    assert content(fence, second.state()) == STATE
    taken = second.state().taken
    assert taken is not None
    assert (taken.instance, taken.slot) == ("green-1", "green")
    assert take(fence, number=7).code is StateCode.NONE


def test_pruning_drops_what_is_named_and_never_the_newest(fence: Fence) -> None:
    for version in ("1", "2", "3"):
        keep(fence, replace(STATE, version=version))
    reply = fence.call(states.prune(fence.keys, [1, 3, 77], by="op"))
    assert reply.code is StateCode.PRUNED
    assert [kept.version for kept in listed(fence)] == ["3", "2"]
    assert content(fence, listed(fence)[1]).version == "2"


def test_an_operator_puts_a_state_back_only_while_halted(fence: Fence) -> None:
    keep(fence)
    back = replace(STATE, version="back")
    assert keep(fence, back, slot="green", back=True, instance="ann").code is StateCode.NOT_HALTED
    fence.halt("op", "stop")
    assert keep(fence, back, slot="green", back=True, instance="ann").code is StateCode.KEPT
    assert listed(fence)[0].instance == "ann"


def test_a_record_that_could_not_be_read_back_is_refused(fence: Fence) -> None:
    assert keep(fence, instance="blue\n1").code is StateCode.BADARG


def test_a_piece_that_grows_without_end_is_not_read() -> None:
    import zlib

    with pytest.raises(Refused, match="more than 1000 bytes"):
        states.unpacked(["x"], [zlib.compress(b"0" * 10**8)], 1000)
    with pytest.raises(Refused, match="damaged"):
        states.unpacked(["x"], [b"no zlib"], 1000)


@pytest.mark.parametrize("record", ["", "a\nb", "r\n1\nblue\ni\nx\n0\n1\n1\n\nhead:1\n1\n"])
def test_a_damaged_record_is_named_and_the_others_are_listed(fence: Fence, record: str) -> None:
    keep(fence)
    fence.client.hset(StateKeys.of(fence.keys).states, "s:9", record)
    kept, problems = states.read_list(fence.client.hgetall(StateKeys.of(fence.keys).states))
    assert [one.number for one in kept] == [1]
    assert "state 9 is damaged" in problems[0]


OTHER = replace(STATE, version="3")


def test_what_the_other_side_left_is_taken_over_before_anything_is_kept_on_top_of_it(fence: Fence) -> None:
    keep(fence)
    switch(fence, "green")
    reply = keep(fence, OTHER, slot="green")
    assert (reply.code, reply.number, reply.detail) == (StateCode.UNTAKEN, 1, "blue")
    assert [kept.slot for kept in listed(fence)] == ["blue"], "it is still what is handed over"
    assert take(fence).code is StateCode.TAKEN
    assert keep(fence, OTHER, slot="green").code is StateCode.KEPT
    assert keep(fence, OTHER, slot="green", instance="green-2").code is StateCode.AGAIN


@pytest.mark.parametrize(("age_ms", "code"), [(250_000, "UNTAKEN"), (301_000, "KEPT"), (-60_000, "KEPT")])
def test_what_is_too_old_to_be_taken_over_or_from_the_future_keeps_nobody_from_keeping(
    fence: Fence, age_ms: int, code: str
) -> None:
    keep(fence)
    switch(fence, "green")
    where = StateKeys.of(fence.keys).states
    raw = fence.client.hget(where, "s:1")
    assert isinstance(raw, bytes)
    root, ms, rest = raw.decode().split("\n", 2)
    fence.client.hset(where, "s:1", f"{root}\n{int(ms) - age_ms}\n{rest}")
    assert keep(fence, OTHER, slot="green").code is StateCode(code)


def test_a_side_that_is_active_again_needs_to_take_nothing_of_its_own(fence: Fence) -> None:
    keep(fence)
    switch(fence, "green")
    switch(fence, "blue")
    assert keep(fence, OTHER).code is StateCode.KEPT


def test_what_an_operator_put_back_is_taken_over_before_the_same_side_keeps_on_top_of_it(fence: Fence) -> None:
    keep(fence)
    fence.halt("op", "stop")
    assert keep(fence, OTHER, instance="ada", back=True).code is StateCode.KEPT
    fence.switch(SwitchRequest("blue", expected_epoch="any", by="op", mode="now", resume=True, why="put back"))
    assert keep(fence).code is StateCode.UNTAKEN
    assert take(fence, "blue", "blue-1", 2).code is StateCode.TAKEN
    assert keep(fence).code is StateCode.KEPT
