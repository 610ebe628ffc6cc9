"""Many agents are read in bounded batches: each line says what its store says, and what can't be read says so."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from console.domain.fence.claims import Direction, Level, Outcome
from console.domain.fence.deployment import Phase
from console.domain.fleet.agents import CanaryShare, FleetAgent, Standing
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import Heartbeat, SwitchRequest
from console.store.fence.claims import Intent
from console.store.fence.ids import new_id
from console.store.keys import GuardKeys, Keys, ProofKeys
from console.store.reading.fleet import ALERTS_AGAIN, FleetReader

if TYPE_CHECKING:
    import redis.asyncio


async def fenced(client: redis.asyncio.Redis, agent: str) -> AsyncFence:
    """Blue is active, and a fenced instance of it speaks."""
    fence = AsyncFence(client, Keys.of(agent))
    done = await fence.switch(SwitchRequest("blue", expected_epoch=0, mode="now", by="op"))
    await fence.beat(Heartbeat("blue-1", "blue"), epoch=done.epoch, seen=done.epoch)
    return fence


async def one(client: redis.asyncio.Redis, agent: str) -> tuple[FleetAgent, Standing]:
    _at, (read,) = await FleetReader(client).read([agent])
    return read, read.standing


async def test_a_fenced_agent_has_its_epoch_its_doubts_its_age_and_what_it_settled(
    valkey: redis.asyncio.Redis,
) -> None:
    fence = await fenced(valkey, "atlas")
    await valkey.hset(Keys.of("atlas").ctl, "cur", "USD")
    epoch = (await fence.authority()).epoch  # type: ignore[union-attr]
    for key, pnl in (("bet-1", "12.5"), ("bet-2", None)):
        intent = Intent(key, new_id(), "blue", epoch, "blue-1", Decimal(1), "USD", Direction.ENTER, "bet", 5000, epoch)
        assert (await fence.claim(intent)).granted
        if pnl:
            await fence.settle(intent, Outcome.OK, pnl=Decimal(pnl))
    read, standing = await one(valkey, "atlas")
    assert standing is Standing.ACTIVE
    assert (read.phase, read.epoch, read.in_flight, read.instances) == (Phase.RUN, epoch, 1, 1)
    assert (read.pnl, read.currency) == (Decimal("12.5"), "USD")
    assert read.heartbeat_at is not None
    await fence.halt(by="op", why="x", level=Level.HALT)
    assert (await one(valkey, "atlas"))[1] is Standing.HALTED


async def test_a_plain_agent_has_no_epoch_and_what_it_earned_is_not_known(valkey: redis.asyncio.Redis) -> None:
    await valkey.set("plain:active_version", "green")
    read, standing = await one(valkey, "plain")
    assert (standing, read.phase, read.pnl, read.heartbeat_at) == (Standing.ACTIVE, None, None, None)


async def test_a_side_that_fell_silent_and_one_that_is_gone_are_told_apart(valkey: redis.asyncio.Redis) -> None:
    await fenced(valkey, "atlas")
    beat = json.dumps({"slot": "blue", "version": "2.4.0", "epoch": 1, "ms": 1_700_000_000_000})
    await valkey.hset(Keys.of("atlas").instances, "blue-1", beat)
    assert (await one(valkey, "atlas"))[1] is Standing.SILENT
    assert (await one(valkey, "nobody"))[1] is Standing.GONE


async def test_a_canary_shows_what_was_wanted_and_what_it_got(valkey: redis.asyncio.Redis) -> None:
    await fenced(valkey, "atlas")
    run = ProofKeys.of(Keys.of("atlas"))
    await valkey.hset(run.run, mapping={"state": "RUNNING", "share": "0.2", "step": "2", "slot": "green"})
    await valkey.hset(run.book, "report", json.dumps({"step": 2, "routed": 0.187}))
    read, standing = await one(valkey, "atlas")
    assert standing is Standing.CANARY
    assert read.canary == CanaryShare("green", Decimal("0.2"), 0.187, 3)
    await valkey.hset(run.book, "report", json.dumps({"step": 1, "routed": 0.05}))
    assert (await one(valkey, "atlas"))[0].canary == CanaryShare("green", Decimal("0.2"), None, 3)


async def test_alerts_are_counted_once_they_change_and_now_and_then(valkey: redis.asyncio.Redis) -> None:
    await fenced(valkey, "atlas")
    alerts, reader = GuardKeys.of(Keys.of("atlas")).alerts, FleetReader(valkey)
    kept = {"at": "2026-03-14T14:03:11+00:00", "kind": "warning", "severity": "low"}
    await valkey.hset(alerts, "a1", json.dumps(kept))

    async def open_ones() -> int | None:
        return (await reader.read(["atlas"]))[1][0].alerts

    first = await open_ones()
    assert first == 1
    await valkey.hset(alerts, "a1", json.dumps({**kept, "acknowledged_at": "2026-03-14T14:05:00+00:00"}))
    assert [await open_ones() for _ in range(ALERTS_AGAIN + 1)][-1] == 0
    await valkey.hset(alerts, "a2", json.dumps(kept))
    assert await open_ones() == 1


async def test_keys_of_wrong_types_and_huge_ones_spoil_their_own_line_and_no_other(
    valkey: redis.asyncio.Redis,
) -> None:
    await fenced(valkey, "sound")
    names = ["sound"]
    for number, place in enumerate(Keys.of("x").beside(name) for name in ("ctl", "inst", "open", "infl", "alerts")):
        name = f"odd{number}"
        await fenced(valkey, name)
        await valkey.set(place.replace("{x:", f"{{{name}:"), "text")
        names.append(name)
    await fenced(valkey, "huge")
    await valkey.hset(Keys.of("huge").instances, "blue-1", "x" * 2_000_000)
    await fenced(valkey, "torn")
    await valkey.hset(Keys.of("torn").ctl, "ep", "NaN")
    await valkey.delete("list:active_version")
    await valkey.rpush("list:active_version", "blue")
    _at, read = await FleetReader(valkey).read([*names, "huge", "torn", "list"])
    assert [agent.standing for agent in read] == [Standing.ACTIVE, *[Standing.UNREADABLE] * 8]
    assert all(agent.problem for agent in read[1:])
    assert "too large" in read[-3].problem


async def test_what_a_server_does_not_permit_is_done_without(valkey: redis.asyncio.Redis, store_url: str) -> None:
    await fenced(valkey, "atlas")
    valkey_any: Any = valkey
    await valkey_any.execute_command("ACL", "SETUSER", "thin", "on", ">x", "~*", "+@all", "-memory")
    try:
        client: Any = valkey.client()
        async with client:
            await client.execute_command("AUTH", "thin", "x")
            read, standing = await one(client, "atlas")
        assert (standing, read.instances, read.alerts) == (Standing.ACTIVE, 1, 0)
    finally:
        await valkey_any.execute_command("ACL", "DELUSER", "thin")
