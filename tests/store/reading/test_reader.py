"""Reading an agent's keys: complete, bounded, and never surprised by what they hold."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.errors import StoreUnreachable, WritesRefused
from console.domain.fence.deployment import ActiveState, Phase, Slot
from console.domain.seen.observation import StoreReading, Walk
from console.domain.state.flags import MAX_VALUE, USUAL_FLAGS, FlagType
from console.domain.text import is_clean
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from console.store.reading import decode
from console.store.reading.doctor import examine
from console.store.reading.reader import StoreReader, read_flag_key, read_store
from console.store.server.connect import connect, wrap_errors
from tests.servers import Server

if TYPE_CHECKING:
    from redis.asyncio import Redis

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
Servers = Callable[..., Server]


async def read(client: Redis, agent: str = "agent", **limits: int) -> StoreReading:
    return await read_store(client, Keys.of(agent), USUAL_FLAGS, now=NOW, **limits)


async def fill(client: Redis, pattern: str, count: int) -> None:
    """Write `count` keys named after the pattern, each holding 1."""
    script = "for i = 0, tonumber(ARGV[2]) - 1 do redis.call('SET', string.format(ARGV[1], i), '1') end"
    await client.eval(script, 0, pattern, count)


@pytest.fixture(params=["valkey", "redis"])
async def either(request: pytest.FixtureRequest, valkey_server: Servers) -> AsyncIterator[Redis]:
    """A client on Valkey, then one on the machine's own Redis, where it has one."""
    program = None
    if request.param == "redis":
        found = shutil.which("redis-server")
        if found is None:
            pytest.skip("no redis-server on this machine")
        program = Path(found)
    client = await connect(valkey_server(program).url, timeout_s=10.0)
    yield client
    await client.aclose()


async def test_an_empty_store_is_read_as_empty(either: Redis) -> None:
    seen = await read(either)
    assert seen.deployment.active.state is ActiveState.MISSING
    assert seen.deployment.authority is None
    assert seen.deployment.instances == ()
    assert seen.audit == ()
    assert seen.flags_more == 0
    assert set(seen.flags) == set(USUAL_FLAGS)
    assert all(flag.missing for flag in seen.flags.values())
    assert seen.server.split()[0] in ("valkey", "redis")
    assert seen.server.split()[1][0].isdigit()
    assert seen.latency_ms > 0
    assert seen.at >= NOW
    assert abs(seen.server_at - datetime.now(UTC)) < timedelta(hours=1)


async def test_active_version_and_flags_are_read_with_their_types(either: Redis) -> None:
    await either.mset(
        {
            "agent:active_version": "green",
            "flag:game": "dice",
            "flag:crash_target": "2.50",
            "flag:accept_escrows": "False",
            "flag:own": "anything",
        }
    )
    seen = await read(either)
    assert seen.deployment.active.slot is Slot.GREEN
    assert seen.flags["crash_target"].value == Decimal("2.50")
    assert seen.flags["accept_escrows"].value is False
    assert (seen.flags["own"].type, seen.flags["own"].spec) == (FlagType.STRING, None)
    assert seen.flags["bet_sizing"].missing
    assert list(seen.flags) == sorted(seen.flags)


async def test_another_agents_keys_are_apart(valkey: Redis) -> None:
    await valkey.mset({"agent:active_version": "blue", "atlas:active_version": "green", "atlas:flag:own": "1"})
    await valkey.set("flag:mine", "2")
    atlas = await read(valkey, "atlas")
    assert atlas.deployment.active.slot is Slot.GREEN
    assert "own" in atlas.flags
    assert "mine" not in atlas.flags
    assert "own" not in (await read(valkey)).flags


@pytest.mark.parametrize("kind", ["list", "hash", "set", "zset", "stream"])
async def test_keys_of_a_wrong_type_are_shown_as_what_they_are(either: Redis, kind: str) -> None:
    async def spoil(key: str) -> None:
        command: dict[str, tuple[Any, ...]] = {
            "list": ("RPUSH", key, "a"),
            "hash": ("HSET", key, "a", "b"),
            "set": ("SADD", key, "a"),
            "zset": ("ZADD", key, 1, "a"),
            "stream": ("XADD", key, "*", "a", "b"),
        }
        await either.execute_command(*command[kind])

    keys = Keys.of()
    own_types = {keys.ctl: "hash", keys.instances: "hash", keys.audit: "stream", keys.in_flight: "zset"}
    spoilt = [key for key, own in own_types.items() if own != kind]
    for key in (keys.active, "flag:game", "flag:own", *spoilt):
        await spoil(key)
    for _ in range(2):
        seen = await read(either)
        assert seen.deployment.active.state is ActiveState.WRONG_TYPE
        assert seen.deployment.active.raw == kind
        for name in ("game", "own"):
            assert seen.flags[name].type is None
            assert not seen.flags[name].missing
            assert kind in seen.flags[name].problem
        assert seen.deployment.authority is None
    told = [entry.problem for entry in seen.audit]
    assert len(told) >= len(spoilt)
    assert all("of another Redis type" in problem or "no receipt" in problem for problem in told)


async def test_a_flag_that_changes_its_type_is_followed(valkey: Redis) -> None:
    reader = StoreReader(valkey, Keys.of(), USUAL_FLAGS)
    await valkey.mset({"flag:game": "dice", "flag:own": "1"})
    assert (await reader.read(NOW)).flags["own"].value == Decimal(1)
    await valkey.delete("flag:own", "flag:game")
    await valkey.rpush("flag:own", "a")
    changed = await reader.read(NOW)
    assert "list" in changed.flags["own"].problem
    assert changed.flags["game"].missing
    await valkey.delete("flag:own")
    await valkey.set("flag:game", "crash")
    again = await reader.read(NOW)
    assert "own" not in again.flags
    assert again.flags["game"].raw == "crash"


async def test_a_new_flag_shows_in_the_very_next_reading(valkey: Redis) -> None:
    reader = StoreReader(valkey, Keys.of(), USUAL_FLAGS)
    await reader.read(NOW)
    await valkey.set("flag:brand_new", "")
    seen = await reader.read(NOW)
    assert seen.flags["brand_new"].type is FlagType.STRING
    assert seen.flags["brand_new"].raw == ""


async def test_hostile_names_and_values_come_out_safe(either: Redis) -> None:
    await either.set(b"flag:\x1b[31mred\xff\xfe", b"\x00\x1b]0;title\x07\xff")
    await either.set("flag:bidi", "a\u202eb")
    await either.set(Keys.of().active, b"\x1b[2Jblue\xff" * 1000)
    seen = await read(either)
    assert seen.deployment.active.state is ActiveState.UNKNOWN
    assert is_clean(seen.deployment.active.raw)
    assert len(seen.flags) == len(USUAL_FLAGS) + 2
    for name, flag in seen.flags.items():
        assert is_clean(name)
        assert is_clean(flag.raw)


async def test_two_names_that_look_the_same_once_safe_are_counted_and_not_merged(valkey: Redis) -> None:
    await valkey.mset({b"flag:\x80": "a", b"flag:\x81": "b"})
    seen = await read(valkey)
    assert len(seen.flags) == len(USUAL_FLAGS) + 1
    assert seen.flags_more == 1


async def test_of_a_huge_value_only_the_beginning_crosses_the_wire(valkey: Redis) -> None:
    await valkey.set("flag:huge", b"x" * 8_000_000)
    await valkey.set("agent:active_version", b"y" * 8_000_000)
    await valkey.hset(Keys.of().instances, "big", b"z" * 8_000_000)
    await valkey.hset(Keys.of().ctl, "ep", b"9" * 8_000_000)
    reader = StoreReader(valkey, Keys.of(), USUAL_FLAGS)
    before = int((await valkey.info("stats"))["total_net_output_bytes"])
    for _ in range(3):
        seen = await reader.read(NOW)
    assert int((await valkey.info("stats"))["total_net_output_bytes"]) - before < 200_000
    assert "longer than" in seen.flags["huge"].problem
    assert len(seen.flags["huge"].raw) <= 256
    assert sorted(entry.problem for entry in seen.audit) == [
        "the control hash holds more than 4 MiB and is not read",
        "the hash of heartbeats holds more than 4 MiB and is not read",
    ]


async def test_a_value_that_grows_huge_is_transferred_whole_once_at_most(valkey: Redis) -> None:
    await valkey.set("flag:grows", "small")
    reader = StoreReader(valkey, Keys.of(), USUAL_FLAGS)
    await reader.read(NOW)
    await reader.read(NOW)
    await valkey.set("flag:grows", b"x" * 1_000_000)
    await reader.read(NOW)
    before = int((await valkey.info("stats"))["total_net_output_bytes"])
    await reader.read(NOW)
    assert int((await valkey.info("stats"))["total_net_output_bytes"]) - before < 100_000


async def test_a_flag_of_any_allowed_length_is_read_whole(valkey: Redis) -> None:
    for text in ("x" * MAX_VALUE, "€" * MAX_VALUE, "🜲" * MAX_VALUE):
        await valkey.set("flag:long", text)
        flag = (await read(valkey)).flags["long"]
        assert flag.text == text
        assert not flag.problem


async def test_a_hundred_thousand_flags_are_bounded_and_counted(valkey: Redis) -> None:
    await fill(valkey, "flag:f%06d", 100_000)
    seen = await read(valkey, flag_limit=500)
    assert len(seen.flags) == 500 + len(USUAL_FLAGS)
    assert seen.flags_more == 100_000 - 500
    assert "f000000" in seen.flags
    assert "f000499" in seen.flags
    reader = StoreReader(valkey, Keys.of(), USUAL_FLAGS, scan_s=0.0)
    first = await reader.read(NOW)
    assert len(first.flags) <= 500 + len(USUAL_FLAGS)
    later = first
    for _ in range(250):
        if later.flags_more == 100_000 - 500:
            break
        later = await reader.read(NOW)
    assert later.flags_more == 100_000 - 500
    assert "f000499" in later.flags


async def test_a_flag_in_a_large_keyspace_is_found(valkey: Redis) -> None:
    await fill(valkey, "other:%d", 50_000)
    await valkey.set("flag:needle", "True")
    assert (await read(valkey)).flags["needle"].value is True


async def test_a_warm_reading_is_one_round_trip(valkey: Redis) -> None:
    await valkey.mset({"flag:game": "dice", "flag:own": "1", "agent:active_version": "blue"})
    reader = StoreReader(valkey, Keys.of(), USUAL_FLAGS)
    await reader.read(NOW)
    sent: list[int] = []
    original = reader._send

    async def counting(commands: Any) -> list[Any]:
        sent.append(len(commands))
        return await original(commands)

    reader._send = counting  # type: ignore[method-assign]
    await reader.read(NOW)
    assert len(sent) == 1
    assert sent[0] <= 42


async def test_the_authority_is_read_as_the_scripts_wrote_it(either: Redis) -> None:
    keys = Keys.of()
    await either.set(keys.active, "blue")
    fence = AsyncFence(either, keys)
    reply = await fence.switch(SwitchRequest("green", expected_epoch=0, mode="now", by="me@here", why="a test"))
    seen = await read(either)
    authority = seen.deployment.authority
    assert authority is not None
    assert (authority.phase, authority.active, authority.previous) == (Phase.RUN, Slot.GREEN, Slot.BLUE)
    assert authority.epoch == reply.epoch
    assert seen.deployment.active.slot is Slot.GREEN
    assert not seen.deployment.written_from_outside
    assert authority == await fence.authority()


async def test_a_key_written_by_hand_is_noticed(valkey: Redis) -> None:
    keys = Keys.of()
    await AsyncFence(valkey, keys).switch(SwitchRequest("green", expected_epoch=0, mode="now", by="me", why=""))
    await valkey.set(keys.active, "blue")
    assert (await read(valkey)).deployment.written_from_outside


@pytest.mark.parametrize("field", ["ep", "gen", "ph", "dl"])
async def test_a_control_hash_that_makes_no_sense_is_reported_and_not_believed(valkey: Redis, field: str) -> None:
    keys = Keys.of()
    await AsyncFence(valkey, keys).switch(SwitchRequest("green", expected_epoch=0, mode="now", by="me", why=""))
    await valkey.hset(keys.ctl, field, b"\x1b[31mno\xff")
    seen = await read(valkey)
    assert seen.deployment.authority is None
    assert "control hash can't be read" in seen.audit[0].problem
    assert is_clean(seen.audit[0].problem)


async def test_heartbeats_are_read_and_malformed_ones_are_shown_as_such(valkey: Redis) -> None:
    beats: dict[bytes | str, Any] = {
        "a-1": json.dumps({"ms": 1_700_000_000_000, "epoch": 7, "slot": "blue", "version": "2.4.0", "ready": True}),
        "b-1": json.dumps({"ms": 1, "epoch": "8", "slot": "green", "ready": False, "info": "flags don't parse"}),
        "old": json.dumps(["green", "9", "1700000000000", "from the lab"]),
        "bad": b"\xff\x00{",
        "deep": b"[" * 5000,
        "none": "null",
        "odd": json.dumps({"ms": 1e300, "epoch": -5, "slot": ["blue"], "version": {"a": 1}, "info": 5}),
        b"\x1b[31m\xff": "{}",
        "long": json.dumps({"info": "x" * 100_000}),
    }
    await valkey.hset(Keys.of().instances, mapping=beats)
    instances = {one.name: one for one in (await read(valkey)).deployment.instances}
    assert len(instances) == len(beats)
    assert (instances["a-1"].slot, instances["a-1"].version, instances["a-1"].epoch_seen) == (Slot.BLUE, "2.4.0", 7)
    assert instances["a-1"].heartbeat_at == datetime.fromtimestamp(1_700_000_000, UTC)
    assert instances["b-1"].acknowledged(8)
    assert instances["b-1"].info == "not ready: flags don't parse"
    assert (instances["old"].slot, instances["old"].epoch_seen) == (Slot.GREEN, 9)
    for name in ("bad", "deep", "none", "long"):
        assert instances[name].slot is None
        assert "unreadable heartbeat" in instances[name].info
    assert (instances["odd"].epoch_seen, instances["odd"].slot) == (0, None)
    assert all(is_clean(f"{one.name}{one.version}{one.info}") for one in instances.values())


async def test_more_instances_than_can_be_shown_are_counted(valkey: Redis) -> None:
    beat = json.dumps({"ms": 1, "epoch": 1, "slot": "blue"})
    await valkey.hset(Keys.of().instances, mapping={f"i{n}": beat for n in range(2000)})
    seen = await read(valkey)
    shown = len(seen.deployment.instances)
    assert 0 < shown <= 512
    assert seen.audit[0].problem == f"{2000 - shown} more instances are not shown"


async def test_losing_the_store_is_raised_and_the_same_reader_recovers_with_what_is_there_then(
    valkey_server: Servers,
) -> None:
    server = valkey_server(appendonly="no")
    client = await connect(server.url, timeout_s=5.0)
    reader = StoreReader(client, Keys.of(), USUAL_FLAGS)
    await client.set("flag:own", "1")
    await client.xadd(Keys.of().audit, {"id": "r1", "command": "switch"})
    assert len((await reader.read(NOW)).audit) == 1
    server.kill()
    with pytest.raises(StoreUnreachable):
        await reader.read(NOW)
    server.start()
    seen = await reader.read(NOW)
    assert "own" not in seen.flags
    assert seen.audit == ()
    await client.aclose()


async def test_a_hung_store_is_raised_as_unreachable(valkey_server: Servers) -> None:
    server = valkey_server()
    client = await connect(server.url, timeout_s=0.2)
    server.hang()
    with pytest.raises(StoreUnreachable, match="did not answer"):
        await read(client)
    server.wake()
    await client.aclose()


async def test_a_store_that_is_emptied_is_seen_as_empty(valkey: Redis) -> None:
    reader = StoreReader(valkey, Keys.of(), USUAL_FLAGS)
    await valkey.mset({"flag:own": "1", "agent:active_version": "blue"})
    await valkey.xadd(Keys.of().audit, {"id": "r1", "command": "switch"})
    assert (await reader.read(NOW)).audit
    await valkey.flushall()
    seen = await reader.read(NOW)
    assert "own" not in seen.flags
    assert seen.audit == ()
    assert seen.deployment.active.state is ActiveState.MISSING


async def test_only_new_receipts_are_fetched_and_the_newest_are_kept(valkey: Redis) -> None:
    key = Keys.of().audit
    reader = StoreReader(valkey, Keys.of(), USUAL_FLAGS, audit_limit=3)
    for number in range(5):
        await valkey.xadd(key, {"id": f"r{number}", "command": "flag set"})
    assert [entry.id for entry in (await reader.read(NOW)).audit] == ["r2", "r3", "r4"]
    await valkey.xadd(key, {"id": "r5", "command": "flag set"})
    assert [entry.id for entry in (await reader.read(NOW)).audit] == ["r3", "r4", "r5"]
    assert [entry.id for entry in (await reader.read(NOW)).audit] == ["r3", "r4", "r5"]


async def test_a_user_who_may_only_read_can_read(valkey_server: Servers) -> None:
    server = valkey_server()
    client = await connect(server.url, timeout_s=5.0)
    await client.set("agent:active_version", "blue")
    rights = ("~*", "+@read", "+@connection", "+@transaction", "+time")
    await client.execute_command("ACL", "SETUSER", "looker", "on", ">pw", *rights)
    looker = await connect(f"unix://looker:pw@{server.socket}", timeout_s=5.0)
    seen = await read(looker)
    assert seen.deployment.active.slot is Slot.BLUE
    assert seen.server == "unknown"
    await client.execute_command("ACL", "SETUSER", "looker", "-getrange")
    with pytest.raises(StoreUnreachable, match="does not permit"):
        await read(looker)
    await looker.aclose()
    await client.aclose()


async def test_a_walk_of_the_keys_that_is_not_through_is_a_state_of_its_own(valkey: Redis) -> None:
    await fill(valkey, "celery-task-meta-%d", 60_000)
    await valkey.set("flag:custom_limit", "1")
    reader = StoreReader(valkey, Keys.of(), USUAL_FLAGS, scan_s=0.0)
    seen = await reader.read(NOW)
    assert seen.flags_walk is Walk.BEGUN
    for _ in range(20):
        seen = await reader.read(NOW)
        if seen.flags_walk is Walk.WHOLE:
            break
    assert seen.flags_walk is Walk.WHOLE
    assert "custom_limit" in seen.flags
    assert (await reader.read(NOW)).flags_walk is Walk.WHOLE


@pytest.mark.parametrize("refused", ["memory|usage", "info", "ping", "scan"])
async def test_a_nicety_that_is_refused_stops_no_reading(valkey_server: Servers, refused: str) -> None:
    server = valkey_server()
    client = await connect(server.url, timeout_s=5.0)
    await client.mset({"agent:active_version": "blue", "flag:game": "dice"})
    await client.execute_command("ACL", "SETUSER", "looker", "on", ">pw", "~*", "+@all", f"-{refused}")
    looker = await connect(f"unix://looker:pw@{server.socket}", timeout_s=5.0)
    seen = await read(looker)
    assert seen.deployment.active.slot is Slot.BLUE
    assert seen.flags["game"].text == "dice"
    assert seen.flags_walk is (Walk.REFUSED if refused == "scan" else Walk.WHOLE)
    await looker.aclose()
    await client.aclose()


async def test_a_store_that_refuses_writes_is_read_as_long_as_it_reads(valkey_server: Servers) -> None:
    server = valkey_server(appendonly="no", save="1 1", enable_protected_configs="yes")
    client = await connect(server.url, timeout_s=5.0)
    await client.set("agent:active_version", "blue")
    assert (await read(client)).refuses == ""
    await client.config_set("dbfilename", "x" * 300)
    with pytest.raises(WritesRefused, match="can't save to its disk"), wrap_errors(server.url):
        while True:
            await client.set("a", "d")
            await asyncio.sleep(0.02)
    late = await connect(server.url, timeout_s=5.0)
    seen = await read(late)
    assert seen.deployment.active.slot is Slot.BLUE
    assert seen.refuses.startswith("MISCONF")
    checks = {check.name: check for check in await examine(late, Keys.of(), now=NOW)}
    assert "MISCONF" in checks["disk"].seen
    assert "BGSAVE" in checks["disk"].remedy
    with pytest.raises(WritesRefused) as caught:
        await AsyncFence(late, Keys.of()).halt("me@here", "a test")
    assert "halt_file" in caught.value.hint
    await late.aclose()
    await client.aclose()


async def test_one_flag_is_read_with_its_exact_text(valkey: Redis) -> None:
    keys = Keys.of()
    assert await read_flag_key(valkey, keys, "game") is None
    await valkey.set("flag:game", "dice ")
    flag = await read_flag_key(valkey, keys, "game", USUAL_FLAGS["game"])
    assert flag is not None
    assert flag.text == "dice "
    assert "not one of" in flag.problem
    await valkey.set("flag:bytes", b"\xffa")
    raw = await read_flag_key(valkey, keys, "bytes")
    assert raw is not None
    assert raw.text.encode("utf-8", "surrogateescape") == b"\xffa"
    await valkey.rpush("flag:list", "a")
    wrong = await read_flag_key(valkey, keys, "list")
    assert wrong is not None
    assert wrong.type is None


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_no_heartbeat_whatsoever_breaks_the_reading(name: bytes, value: bytes) -> None:
    one = decode.instance(name, value)
    assert is_clean(f"{one.name}{one.version}{one.info}")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=10,
)
FIELDS = st.sampled_from(["slot", "version", "epoch", "ms", "info", "ready", "in_flight", "in_doubt"])


@given(st.dictionaries(FIELDS, JSON) | st.lists(JSON, max_size=5))
def test_no_json_in_a_heartbeat_breaks_the_reading(beat: Any) -> None:
    one = decode.instance(b"i", json.dumps(beat).encode())
    assert one.epoch_seen >= 0
    assert one.heartbeat_at.tzinfo is not None
    assert is_clean(f"{one.version}{one.info}")
