"""Finding agents and other guards in a store."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from console.domain.errors import Refused
from console.domain.guard.members import ALIVE_S, Member, member_document, member_from, sharers
from console.domain.text import Safe
from console.guard.fleet.membership import FORGOTTEN_MS, Membership, call_roll
from console.guard.setup import pace
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import SwitchRequest
from console.store.fence.replies import text
from console.store.keys import Keys
from console.store.reading import discovery
from console.store.reading.discovery import Discovery
from console.store.records.guards import FLEET

if TYPE_CHECKING:
    import redis.asyncio

AT = datetime(2026, 3, 1, tzinfo=UTC)


async def test_every_agent_is_found_among_many_other_keys(
    valkey: redis.asyncio.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "BITE", 10)
    pipe = valkey.pipeline(transaction=False)
    for number in range(500):
        pipe.set(f"other:{number}", "x")
        pipe.set(f"ac:{{zeus:active_version}}:done:{number}", "x")
    await pipe.execute()
    await valkey.set("agent:active_version", "blue")
    await valkey.set("atlas:active_version", "halted")
    await valkey.set("soon:active_version", "purple")
    await AsyncFence(valkey, Keys.of("zeus")).switch(SwitchRequest("blue", expected_epoch=0, mode="now", by="op"))
    await valkey.delete("zeus:active_version")
    assert await Discovery(valkey).look() == {"agent", "atlas", "zeus"}


async def test_who_is_missing_from_one_pass_is_given_another(valkey: redis.asyncio.Redis) -> None:
    await valkey.set("atlas:active_version", "blue")
    looking = Discovery(valkey)
    assert await looking.look() == {"atlas"}
    await valkey.delete("atlas:active_version")
    assert await looking.look() == {"atlas"}
    assert await looking.look() == frozenset()


async def test_there_is_a_bound_on_agents_and_it_is_said(
    valkey: redis.asyncio.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "MAX_AGENTS", 3)
    for number in range(5):
        await valkey.set(f"a{number}:active_version", "blue")
    looking = Discovery(valkey)
    assert len(await looking.look()) == 3
    assert looking.notes == ("2 more agents than the 3 that can be known: left out",)


async def test_guards_hear_of_each_other_and_the_dead_leave_the_list(valkey: redis.asyncio.Redis) -> None:
    one, two = Membership(valkey), Membership(valkey)
    await valkey.hset(FLEET, "gone", json.dumps({"ms": 1_700_000_000_000}))
    await one.beat(Member(Safe("g1"), AT, watching=3))
    roll = await two.beat(Member(Safe("g2"), AT))
    assert roll.sharers == ("g1", "g2")
    assert [member.watching for member in roll.members] == [3, 0]
    assert {text(name) for name in await valkey.hkeys(FLEET)} == {"g1", "g2"}
    await one.leave("g1")
    assert (await call_roll(valkey)).sharers == ("g2",)
    assert FORGOTTEN_MS > 1000 * ALIVE_S


async def test_a_list_that_is_no_hash_is_refused_by_name(valkey: redis.asyncio.Redis) -> None:
    await valkey.set(FLEET, "text")
    with pytest.raises(Refused, match="ac:guards"):
        await Membership(valkey).beat(Member(Safe("g1"), AT))
    with pytest.raises(Refused, match="ac:guards"):
        await call_roll(valkey)


def test_only_the_living_without_an_agent_of_their_own_share() -> None:
    fresh = AT.replace(second=1)
    members = [
        Member(Safe("alive"), fresh),
        Member(Safe("dead"), AT),
        Member(Safe("one"), fresh, scope=Safe("atlas")),
    ]
    assert sharers(members, AT.replace(second=4)) == ("alive",)


def test_a_member_survives_being_written_and_read_and_hostile_ones_are_none() -> None:
    member = Member(Safe("g1"), AT, AT, Safe("host"), 7, Safe(""), 10, 2, 1, (Safe("x: y"),), 13, (Safe("note"),))
    assert member_from("g1", member_document(member, int(AT.timestamp() * 1000))) == member
    for document in ({}, {"ms": True}, {"ms": 1e3}, {"ms": 1 << 60}):
        assert member_from("x", document) is None
    odd = member_from("\x1b[31mx", {"ms": 1, "why": ["\x1b]0;", 5], "watching": -1, "started_at": 5, "host": {}})
    assert odd is not None
    assert (odd.watching, odd.started_at, "\x1b" in repr(odd)) == (0, None, False)


@pytest.mark.parametrize("rate", [pace.look_s, pace.beat_s, pace.tend_s, pace.tell_s, pace.log_s, pace.look_up_s])
def test_housekeeping_slows_with_the_number_of_agents_and_never_below_its_floor(rate: object) -> None:
    assert callable(rate)
    figures = [rate(agents) for agents in (0, 1, 100, 1000, 10_000, 1_000_000)]
    assert figures == sorted(figures)
    assert figures[0] == figures[1]
    assert figures[-1] == figures[-2] or rate is pace.log_s


def test_a_guard_is_never_so_slow_that_a_console_takes_it_for_silent_or_a_limit_passes_unseen() -> None:
    assert pace.beat_s(1_000_000) < 5.0
    assert pace.look_s(1_000_000) < 10.0
    assert pace.log_s(1_000_000) < 1.0
