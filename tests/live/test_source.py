"""The live source: what it publishes, and what happens when the store goes away and comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import redis.asyncio

from console.cli.options import Session
from console.cli.runtime import reader_on
from console.domain.fence.claims import Direction, Outcome
from console.domain.fence.deployment import Slot
from console.domain.fence.sent import Sending
from console.domain.seen.observation import LinkState, Observation
from console.live.source import Identity, LiveSource, OpenReader
from console.logs.divergences import DivergenceSet
from console.logs.follower import LogSet
from console.logs.options import LogOptions
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import Heartbeat, SwitchRequest
from console.store.fence.claims import Intent
from console.store.keys import Keys
from console.store.reading.reader import StoreReader
from console.store.server.connect import connect
from console.views.fence.instances import doubt_facts, doubt_rows
from console.views.fence.link import header_view
from console.views.health import health_view
from console.views.tone import Tone
from tests.servers import Server, free_port
from tests.waiting import until_async

Servers = Callable[..., Server]
HOUR_MS = 3_600_000

ENOUGH_S = 30


class Watch:
    """Collects what is published and waits for what is expected."""

    def __init__(self) -> None:
        self.seen: list[Observation] = []

    def publish(self, observation: Observation) -> None:
        self.seen.append(observation)

    async def until(self, test: Callable[[Observation], bool]) -> Observation:
        await until_async(lambda: self.seen and test(self.seen[-1]))
        return self.seen[-1]


def source_on(url: str, logs: LogSet | None = None, **more: object) -> LiveSource:
    async def open_reader() -> OpenReader:
        client = await connect(url, timeout_s=1.0)
        return OpenReader(StoreReader(client, Keys.of(), {}), client.aclose)

    return LiveSource(Identity("agent", url), open_reader, logs, hz=10, **more)  # type: ignore[arg-type]


async def test_the_first_observation_is_one_of_the_store_where_it_answers(store_url: str) -> None:
    watch = Watch()
    source = source_on(store_url)
    source._turn_s = ENOUGH_S  # however slow this machine is
    task = asyncio.create_task(source.run(watch.publish))
    await watch.until(lambda _o: True)
    assert watch.seen[0].link.state is LinkState.LIVE
    assert watch.seen[0].store is not None
    task.cancel()


async def test_a_store_that_hangs_is_not_waited_for_longer_than_a_turn(valkey_server: Callable[..., Server]) -> None:
    server = valkey_server()
    server.hang()
    watch = Watch()
    task = asyncio.create_task(source_on(server.url).run(watch.publish))
    first = await watch.until(lambda _o: True)
    assert (first.link.state, first.store) == (LinkState.CONNECTING, None)
    server.wake()
    live = await watch.until(lambda o: o.link.state is LinkState.LIVE)
    assert live.store is not None
    task.cancel()


async def test_a_change_made_by_anybody_is_published(valkey: redis.asyncio.Redis, store_url: str) -> None:
    watch = Watch()
    task = asyncio.create_task(source_on(store_url).run(watch.publish))
    await watch.until(lambda o: o.store is not None)
    await valkey.set("agent:active_version", "green")
    seen = await watch.until(lambda o: o.store is not None and o.store.deployment.active.slot is Slot.GREEN)
    assert seen.link.state is LinkState.LIVE
    task.cancel()


async def test_the_store_may_go_away_and_come_back(valkey_server: Callable[..., Server]) -> None:
    server = valkey_server()
    watch = Watch()
    task = asyncio.create_task(source_on(server.url).run(watch.publish))
    before = await watch.until(lambda o: o.link.state is LinkState.LIVE and o.store is not None)
    server.kill()
    gone = await watch.until(lambda o: o.link.state is LinkState.RECONNECTING)
    assert gone.link.error
    assert gone.store is not None, "the last reading is kept, with its age"
    assert before.store is not None
    assert gone.store.at >= before.store.at
    away = await watch.until(lambda o: o.link.state is LinkState.OFFLINE)
    assert away.link.attempts >= 5
    server.start()
    back = await watch.until(lambda o: o.link.state is LinkState.LIVE)
    assert back.store is not None
    assert back.store.at > gone.store.at
    assert not task.done()
    task.cancel()


async def test_a_key_written_from_outside_is_adopted_by_a_console_that_may_write(
    valkey: redis.asyncio.Redis, store_url: str
) -> None:
    fence = AsyncFence(valkey, Keys.of())
    await fence.switch(SwitchRequest("blue", expected_epoch=0, by="test"))

    async def tend() -> None:
        await fence.tend()

    watch = Watch()
    task = asyncio.create_task(source_on(store_url, tend=tend).run(watch.publish))
    await watch.until(lambda o: o.store is not None)
    await valkey.set("agent:active_version", "green")
    await watch.until(
        lambda o: (
            o.store is not None
            and o.store.deployment.authority is not None
            and o.store.deployment.authority.active is Slot.GREEN
        )
    )
    assert any(e.command == "adopted" for e in watch.seen[-1].store.audit)  # type: ignore[union-attr]
    task.cancel()


async def test_a_read_only_console_leaves_it_as_it_is_and_says_so(valkey: redis.asyncio.Redis, store_url: str) -> None:
    fence = AsyncFence(valkey, Keys.of())
    await fence.switch(SwitchRequest("blue", expected_epoch=0, by="test"))
    watch = Watch()
    task = asyncio.create_task(source_on(store_url).run(watch.publish))
    await valkey.set("agent:active_version", "green")
    seen = await watch.until(lambda o: o.store is not None and o.store.deployment.written_from_outside)
    assert seen.store is not None
    authority = await fence.authority()
    assert authority is not None
    assert authority.active is Slot.BLUE
    task.cancel()


async def test_a_new_line_in_a_log_is_published(store_url: str, tmp_path: Path) -> None:
    log = tmp_path / "d.jsonl"
    log.write_text("")
    watch = Watch()
    task = asyncio.create_task(source_on(store_url, LogSet([log], options=LogOptions())).run(watch.publish))
    await watch.until(lambda o: o.logs is not None)
    with log.open("a") as file:
        file.write(json.dumps({"agent_version": "blue", "timestamp": 1.0, "decision_type": "bet"}) + "\n")
    seen = await watch.until(lambda o: o.logs is not None and o.logs.total == 1)
    assert seen.logs is not None
    assert seen.logs.recent[-1].kind == "bet"
    task.cancel()


async def test_a_quiet_store_is_published_at_most_once_a_second(store_url: str) -> None:
    watch = Watch()
    task = asyncio.create_task(source_on(store_url).run(watch.publish))
    await watch.until(lambda o: o.store is not None)
    first = len(watch.seen)
    start = watch.seen[-1].now
    await watch.until(lambda o: (o.now - start).total_seconds() >= 2)
    ticks = [o.now for o in watch.seen[first - 1 :]]
    assert all((b - a).total_seconds() >= 0.9 for a, b in pairwise(ticks[1:]))
    task.cancel()


async def test_each_instances_own_claims_are_counted_and_the_doubts_are_seen(
    valkey: redis.asyncio.Redis, store_url: str
) -> None:
    fence = AsyncFence(valkey, Keys.of())
    epoch = (await fence.switch(SwitchRequest("blue", expected_epoch=0, by="test"))).epoch
    await fence.beat(Heartbeat(instance="blue-1", slot="blue", version="1"), epoch=epoch, seen=epoch)
    for key, lease_ms in (("bet-1", 60_000), ("bet-2", 1)):
        intent = Intent(
            key=key,
            claim_id=f"c-{key}",
            slot="blue",
            epoch=epoch,
            instance="blue-1",
            amount=Decimal("2.50"),
            currency="USD",
            direction=Direction.ENTER,
            action="a bet \x1b[31m",
            lease_ms=lease_ms,
            seen=epoch,
        )
        assert (await fence.claim(intent)).granted
    await asyncio.sleep(0.01)
    await fence.tend()
    watch = Watch()
    task = asyncio.create_task(source_on(store_url).run(watch.publish))
    seen = await watch.until(lambda o: o.store is not None)
    assert seen.store is not None
    (instance,) = seen.store.deployment.instances
    assert (instance.in_flight, instance.in_doubt) == (1, 1)
    assert [(c.key, c.in_doubt, c.amount) for c in seen.store.open_claims] == [
        ("bet-1", False, Decimal("2.5")),
        ("bet-2", True, Decimal("2.5")),
    ]
    assert "\x1b" not in seen.store.open_claims[0].action
    assert {key: sent.until_ms for key, sent in seen.store.sendings.items()} == {"bet-2": None}
    task.cancel()


async def test_until_when_the_key_of_a_doubt_may_be_sent_again_is_seen_whatever_its_mark_is(
    valkey: redis.asyncio.Redis, store_url: str
) -> None:
    fence, keys = AsyncFence(valkey, Keys.of()), Keys.of()
    epoch = (await fence.switch(SwitchRequest("blue", expected_epoch=0, by="test"))).epoch
    await fence.beat(Heartbeat("blue-1", "blue", "1", window_ms=HOUR_MS), epoch=epoch, seen=epoch)
    for key in ("marked", "of another type", "too long", "unmarked"):
        intent = Intent(key, f"c-{key}", "blue", epoch, "blue-1", Decimal(5), "USD", Direction.ENTER, "", 1, epoch)
        assert (await fence.claim(intent)).granted
        await fence.settle(intent, Outcome.UNKNOWN)
    await valkey.set(keys.sent("marked"), "1700000000000\n0\n0\nc-marked")
    await valkey.sadd(keys.sent("of another type"), "x")
    await valkey.set(keys.sent("too long"), "1700000000000\n0\n0\n" + "c" * 1_000_000)
    watch = Watch()
    task = asyncio.create_task(source_on(store_url).run(watch.publish))
    seen = await watch.until(lambda o: o.store is not None)
    assert seen.store is not None
    told = seen.store.sendings
    assert told["marked"] == Sending(1_700_000_000_000, 1_700_000_000_000 + HOUR_MS, True)
    assert told["of another type"] == Sending(0, HOUR_MS)
    assert told["too long"].first_ms == 1_700_000_000_000 and not told["too long"].never
    (unmarked,) = (claim for claim in seen.store.open_claims if claim.key == "unmarked")
    assert told["unmarked"] == Sending(unmarked.claimed_ms, unmarked.claimed_ms + HOUR_MS)
    rows = doubt_rows(seen)
    assert ["never sent again" in row.sent for row in rows].count(True) == 3
    assert all(("sendings", row.sent) in doubt_facts(row) for row in rows)
    task.cancel()


async def test_a_source_ends_when_it_is_cancelled_at_any_moment(store_url: str) -> None:
    for turn in range(60):
        watch = Watch()
        task = asyncio.create_task(source_on(store_url).run(watch.publish))
        await watch.until(lambda o: o.store is not None)
        for _ in range(turn):
            await asyncio.sleep(0)
        task.cancel()
        async with asyncio.timeout(ENOUGH_S):
            await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()


async def test_a_dead_instances_last_word_on_its_own_claims_does_not_stand(
    valkey: redis.asyncio.Redis, store_url: str
) -> None:
    fence = AsyncFence(valkey, Keys.of())
    epoch = (await fence.switch(SwitchRequest("blue", expected_epoch=0, by="test"))).epoch
    await fence.beat(Heartbeat("blue-1", "blue", "1", in_flight=1, in_doubt=2), epoch=epoch, seen=epoch)
    watch = Watch()
    task = asyncio.create_task(source_on(store_url).run(watch.publish))
    seen = await watch.until(lambda o: o.store is not None)
    assert seen.store is not None
    (instance,) = seen.store.deployment.instances
    assert (instance.in_flight, instance.in_doubt) == (0, 0)
    task.cancel()


async def test_a_new_line_in_a_file_of_divergences_is_published(store_url: str, tmp_path: Path) -> None:
    file = tmp_path / "divergences.jsonl"
    file.write_text("")
    watch = Watch()
    task = asyncio.create_task(source_on(store_url, divergences=DivergenceSet([file])).run(watch.publish))
    await watch.until(lambda o: o.divergences is not None)
    with file.open("a") as opened:
        opened.write(json.dumps({"state": 1, "live": {"amount": 1}, "shadow": {"amount": 2}, "timestamp": 1.0}) + "\n")
    seen = await watch.until(lambda o: o.divergences is not None and o.divergences.total == 1)
    assert seen.divergences is not None
    assert seen.divergences.recent[-1].money
    with file.open("a") as opened:
        opened.write("nonsense\n")
    await watch.until(lambda o: o.divergences is not None and o.divergences.rejected == {"not JSON": 1})
    task.cancel()


async def test_a_primary_that_becomes_a_replica_is_never_shown_live_or_writable(valkey_server: Servers) -> None:
    server, other = valkey_server(port=str(free_port())), valkey_server(port=str(free_port()))
    watch, url = Watch(), server.tcp_url
    source = LiveSource(
        Identity("agent", url), reader_on(Session({"url": url}).settings(environ={}), url, "view"), hz=10
    )
    task = asyncio.create_task(source.run(watch.publish))
    await watch.until(lambda seen: seen.link.state is LinkState.LIVE and header_view(seen).mode == "RW")
    server.command("REPLICAOF", "127.0.0.1", str(other.port))
    await watch.until(lambda seen: seen.link.replica)
    header, store = header_view(watch.seen[-1]), health_view(watch.seen[-1])[0]
    assert (header.mode, header.link.state, header.link.fresh) == ("RO", LinkState.STALE, False)
    assert header.link.detail.startswith("replica") and "replica" in store.text and store.tone is Tone.BAD
    server.command("REPLICAOF", "NO", "ONE")
    await watch.until(lambda seen: seen.link.state is LinkState.LIVE and header_view(seen).mode == "RW")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
