"""The index of agents: heard of at once however many keys there are, never the truth alone, never missed for ever."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from redis.exceptions import NoPermissionError

from console.domain.seen.observation import Walk
from console.store import agents
from console.store.agents import SHARDS, Listing, index_key, index_keys, listed
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import FlagWrite, SwitchRequest
from console.store.keys import Keys
from console.store.reading import discovery, flag_cache, search_mark
from console.store.reading.discovery import Discovery
from console.store.reading.reader import StoreReader, read_store

if TYPE_CHECKING:
    import redis.asyncio


AT = datetime(2026, 3, 1, tzinfo=UTC)


async def authority(client: redis.asyncio.Redis, *names: str) -> None:
    for name in names:
        await AsyncFence(client, Keys.of(name)).switch(SwitchRequest("blue", expected_epoch=0, mode="now", by="op"))


async def commands(client: redis.asyncio.Redis) -> dict[str, int]:
    told = await client.info("commandstats")
    return {name.removeprefix("cmdstat_"): stats["calls"] for name, stats in told.items()}


async def test_whoever_commands_an_agent_writes_it_into_the_index_once_and_no_hot_call_waits_for_that(
    valkey: redis.asyncio.Redis,
) -> None:
    await valkey.config_resetstat()
    fence = AsyncFence(valkey, Keys.of("atlas"))
    assert fence.listing.due("claim", []) == ()
    for _ in range(3):
        await fence.switch(SwitchRequest("blue", expected_epoch="any", mode="now", by="op"))
    assert await valkey.zscore(index_key("atlas"), "atlas") is not None
    assert (await commands(valkey))["zadd"] == 1


async def test_every_agent_is_heard_of_from_the_index_without_one_step_through_the_keyspace(
    valkey: redis.asyncio.Redis,
) -> None:
    names = [f"a{number:03d}" for number in range(3 * SHARDS)]
    await authority(valkey, *names)
    await valkey.mset({f"other:{number}": "x" for number in range(5_000)})
    await valkey.config_resetstat()
    looking = Discovery(valkey)
    assert await looking.hear() == set(names)
    before = await commands(valkey)
    assert await looking.hear() == set(names)
    after = await commands(valkey)
    assert "scan" not in after
    assert after["zrange"] - before["zrange"] == SHARDS  # what is new alone


async def test_what_the_index_alone_says_is_no_agent_and_is_told_and_taken_off_once_it_is_old(
    valkey: redis.asyncio.Redis,
) -> None:
    await authority(valkey, "atlas")
    await valkey.execute_command(*listed("forged"))
    await valkey.zadd(index_key("old"), {"old": 1.0, "\x1b[31m": 5.0})
    await valkey.zadd(index_key("ahead"), {"ahead": float("inf")})
    looking = Discovery(valkey, keeps=True)
    assert await looking.hear() == {"atlas"}
    assert any(note.startswith("3 names in the index") for note in looking.notes)
    assert any("1 entries" in note for note in looking.notes)
    assert await valkey.zscore(index_key("old"), "old") is None
    assert await valkey.zscore(index_key("ahead"), "ahead") is None
    assert await valkey.zscore(index_key("forged"), "forged") is not None  # its authority may be about to come
    await valkey.set(Keys.of("forged").active, "blue")
    assert await looking.hear() == {"atlas", "forged"}


async def test_an_agent_whose_keys_are_gone_is_none_although_the_index_names_it(valkey: redis.asyncio.Redis) -> None:
    await authority(valkey, "atlas", "zeus")
    looking = Discovery(valkey)
    assert await looking.hear() == {"atlas", "zeus"}
    await valkey.delete(Keys.of("zeus").ctl, Keys.of("zeus").active)
    await looking.hear()
    assert await looking.hear() == {"atlas"}


@pytest.mark.parametrize("how", ["lost", "another type"])
async def test_an_index_that_is_lost_or_of_another_type_misses_nobody_for_ever(
    valkey: redis.asyncio.Redis, how: str
) -> None:
    await authority(valkey, "atlas")
    await valkey.delete(*index_keys())
    if how == "another type":
        await valkey.set(index_key("atlas"), "text")
    looking = Discovery(valkey, keeps=True)
    assert await looking.hear() == frozenset()
    assert await looking.look() == {"atlas"}
    assert any("WRONGTYPE" in note for note in looking.notes) is (how == "another type")
    assert (await valkey.type(index_key("atlas")) == b"zset") is (how == "lost")


async def test_a_flood_of_forged_names_hides_no_agent_for_ever_and_is_read_up_to_a_bound(
    valkey: redis.asyncio.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.store.reading.agents.MOST", 20)
    await authority(valkey, "atlas")
    now_ms, flood = int(time.time() * 1000), [f"atlas{number:04d}" for number in range(3_000)]  # one byte apart
    pipe = valkey.pipeline(transaction=False)
    for name in flood:
        pipe.zadd(index_key(name), {name: now_ms + 1_000_000})
    await pipe.execute()
    looking = Discovery(valkey, keeps=True)
    assert await looking.hear() <= {"atlas"}
    assert len(looking._index.entries) <= 20 * SHARDS
    assert await looking.look() == {"atlas"}
    assert await looking.hear() == {"atlas"}
    await valkey.zadd(index_key("atlas"), {"atlas": now_ms + 2_000_000})
    assert await Discovery(valkey).hear() == {"atlas"}


async def test_a_key_named_like_an_authority_is_told_of_whatever_it_holds_and_one_like_a_plain_key_by_its_value_alone(
    valkey: redis.asyncio.Redis,
) -> None:
    await valkey.set(Keys.of("text").ctl, "no hash")
    await valkey.rpush(Keys.of("list").active, "blue")
    await valkey.set(Keys.of("other").active, "purple")
    await valkey.set(Keys.of("plain").active, "green")
    looking = Discovery(valkey, keeps=True)
    assert await looking.look() == {"text", "plain"}  # what stands where an authority stands is somebody's to look at
    assert any(note.startswith("2 keys named like a plain agent's") for note in looking.notes)


async def test_an_index_that_is_deleted_and_one_that_is_poisoned_between_two_looks_take_nobody_away(
    valkey: redis.asyncio.Redis,
) -> None:
    await authority(valkey, "atlas", "zeus")
    looking = Discovery(valkey, keeps=True)
    assert await looking.hear() == {"atlas", "zeus"}
    await valkey.delete(*index_keys())
    assert await looking.hear() == {"atlas", "zeus"}
    await valkey.set(index_key("atlas"), "poison")
    assert await looking.hear() == {"atlas", "zeus"}
    assert any("WRONGTYPE" in note for note in looking.notes)
    assert await looking.look() == {"atlas", "zeus"}


async def test_an_entry_by_a_clock_that_is_behind_is_seen_and_one_that_was_taken_off_too(
    valkey: redis.asyncio.Redis,
) -> None:
    await valkey.mset({Keys.of(name).active: "blue" for name in ("now", "late")})
    await valkey.execute_command(*listed("now"))
    looking = Discovery(valkey)
    assert await looking.hear() == {"now"}
    await valkey.zadd(index_key("late"), {"late": 1.0})
    assert await looking.hear() == {"now", "late"}


async def test_a_search_that_one_process_left_is_gone_on_with_by_the_next_and_shown_to_the_others(
    valkey: redis.asyncio.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "BITE", 50)
    monkeypatch.setattr(discovery, "MARK_S", 0.0)
    await valkey.mset({f"other:{number}": "x" for number in range(3_000)})
    await valkey.mset({f"p{number}:active_version": "green" for number in range(40)})
    first = Discovery(valkey, keeps=True)
    await first.hear()
    for _ in range(70):
        assert not await first.bite()
    other = Discovery(valkey, keeps=True)
    await other.seek(60)
    assert other.elsewhere
    assert other.progress == first.progress
    assert other.agents == first.agents != frozenset()
    monkeypatch.setattr(search_mark, "HELD_MS", -1)  # who held it is dead
    await other.hear()
    left = 0
    while not await other.bite():
        left += 1
    assert left < 60
    assert len(other.agents) == 40
    reader = Discovery(valkey)
    await reader.hear()
    assert (reader.passes, len(reader.agents)) == (1, 40)


async def test_a_mark_that_somebody_forged_begins_a_search_anew_and_ends_none(valkey: redis.asyncio.Redis) -> None:
    await valkey.set("p:active_version", "green")
    run = await search_mark.run_of(valkey)
    for forged in ("x" * 10_000, "1\n2", "-1\n0\n0\n0\n0\n0\nme", "9\n0\n7\n0\n0\n0\nme", "٣\n0\n0\n0\n0\n0\nme"):
        await valkey.set(search_mark.mark_key(run), forged)
        looking = Discovery(valkey, keeps=True)
        assert await looking.look() == {"p"}
    await valkey.delete(search_mark.mark_key(run))
    await valkey.rpush(search_mark.mark_key(run), "list")
    assert await Discovery(valkey, keeps=True).look() == {"p"}


async def test_a_store_that_permits_no_index_is_asked_once_and_misses_nobody(valkey: redis.asyncio.Redis) -> None:
    await valkey.acl_setuser(
        "agent", enabled=True, nopass=True, categories=["+@all"], keys=["ac:{*", "*:active_version"]
    )
    await valkey.set("p:active_version", "green")
    await valkey.execute_command("AUTH", "agent", "")
    fence = AsyncFence(valkey, Keys.of("atlas"))
    assert (await fence.switch(SwitchRequest("blue", expected_epoch=0, mode="now", by="op"))).code == "SWITCHED"
    assert isinstance(fence.listing.refused, NoPermissionError)
    assert fence.listing.due("beat", [b"OK"]) == ()
    looking = Discovery(valkey, keeps=True)
    assert await looking.look() == {"atlas", "p"}


def test_an_index_that_was_lost_is_written_again_by_whoever_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    listing = Listing("atlas")
    assert listing.due("beat", [b"OK"])[:2] == ("ZADD", index_key("atlas"))
    listing.took()
    assert listing.due("beat", [b"OK"]) == ()
    now = time.monotonic()
    monkeypatch.setattr(agents.time, "monotonic", lambda: now + agents.AGAIN_S)
    assert listing.due("beat", [b"OK"])


# flags


async def test_every_flag_that_a_script_wrote_is_read_at_once_however_far_the_walk_through_the_keys_is(
    valkey: redis.asyncio.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flag_cache, "SCAN_COUNT", 1)
    monkeypatch.setattr(flag_cache, "FIRST_SCAN_COUNT", 1)
    keys = Keys.of("atlas")
    fence = AsyncFence(valkey, keys)
    await valkey.mset({f"other:{number}": "x" for number in range(2_000)})
    for number in range(40):
        assert (await fence.set_flag(FlagWrite(f"f{number}", value="1", expected=None))).code == "SET"
    await fence.set_flag(FlagWrite("f3", value=None, expected="1"))
    reader = StoreReader(valkey, keys, {}, flag_limit=30, scan_s=0.0)
    reading = await reader.read(AT)
    assert reading.flags_walk is not Walk.WHOLE
    assert (len(reading.flags), reading.flags_more) == (30, 9)
    await fence.set_flag(FlagWrite("a", value="2", expected=None))
    await reader.read(AT)
    assert (await StoreReader(valkey, keys, {}, scan_s=0.0).read(AT)).flags["a"].value == 2
    assert len((await read_store(valkey, keys, {}, now=AT)).flags) == 40


@pytest.mark.parametrize("how", ["stale", "forged", "another type", "lost"])
async def test_an_index_of_flags_that_is_wrong_shows_nothing_false_and_misses_nothing_for_ever(
    valkey: redis.asyncio.Redis, how: str
) -> None:
    keys = Keys.of("atlas")
    await AsyncFence(valkey, keys).set_flag(FlagWrite("real", value="1", expected=None))
    if how == "stale":
        await AsyncFence(valkey, keys).set_flag(FlagWrite("gone", value="1", expected=None))
        await valkey.delete(keys.flag("gone"))
    elif how == "forged":
        await valkey.sadd(keys.flags, "x" * 5_000, "\x1b[31m", "", *map(str, range(20_000)))
    else:
        await valkey.delete(keys.flags)
        if how == "another type":
            await valkey.hset(keys.flags, "a", "b")
            assert (await AsyncFence(valkey, keys).set_flag(FlagWrite("more", value="1", expected=None))).code == "SET"
            await AsyncFence(valkey, keys).set_flag(FlagWrite("more", value=None, expected="1"))
    reading = await read_store(valkey, keys, {}, now=AT)
    assert set(reading.flags) == {"real"}
