"""What a console's turn costs the store: bytes and commands, with nothing there and with much that does not change."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from console.live.source import HZ
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import Heartbeat, SwitchRequest
from console.store.keys import GuardKeys, Keys, ProofKeys
from console.store.reading.reader import StoreReader
from console.store.reading.sections import AGAIN_MOST_S, BYTES_A_S
from console.store.records.revisions import Part, moved
from console.store.server.connect import connect
from tests.bench.line import Line, at_most, beside
from tests.bench.stage import Stage

KEYS: Final = Keys.of("turns")
CONSOLES: Final = 100
INSTANCES, DOUBTS, ALERTS, EXPERIMENTS = 512, 10_000, 400, 200
ALERT_B: Final = 480
"""Bytes of one of these alerts."""
BEAT_S: Final = 0.5
MORE_KIB: Final = 1.0
FIELDS: Final = ("total_net_input_bytes", "total_net_output_bytes", "total_commands_processed")


class Cost(NamedTuple):
    """Of one turn, on the server's side."""

    sent: float
    got: float
    commands: float
    server_ms: float


def measure(stage: Stage) -> Iterator[Line]:
    """Every line of this part."""
    yield from asyncio.run(_measured(stage.url, stage.few(200, 40)))


def again_share(size: int) -> float:
    """Bytes a turn for reading so many again unasked, as slowly as a console does."""
    return size / min(AGAIN_MOST_S, max(5.0, size / BYTES_A_S)) / HZ


async def _measured(url: str, turns: int) -> list[Line]:
    client, watched = await connect(url, timeout_s=30.0), await connect(url, timeout_s=30.0)
    lines: list[Line] = []
    try:
        await client.flushall()
        fence = AsyncFence(client, KEYS)
        await fence.switch(SwitchRequest("blue", 0, "bench"))
        await fence.beat(Heartbeat("i0", "blue", "1"), epoch=0, seen=0)

        async def cost(between: Callable[[int], Awaitable[object]] | None = None) -> Cost:
            return await cost_of(watched, StoreReader(client, KEYS, {}), turns, between)

        none = await cost()
        note = f"{none.commands:.0f} commands, {none.sent:.0f} bytes to the store, {none.server_ms:.3f} ms of its time"
        lines.append(beside("a turn, one instance: bytes from the store", none.got, "B", note=note))
        load = none.server_ms / 1000 * HZ * CONSOLES * 100
        lines.append(at_most(f"{CONSOLES} consoles at {HZ:g} Hz: of the server", load, "% core", 10.0))
        for what, fill, again in (
            (f"{ALERTS} unread alerts", unread, ALERTS * ALERT_B),
            (f"{EXPERIMENTS} experiments", _experiments, EXPERIMENTS * 510),
            (f"{DOUBTS:,} doubts", _doubts, 256 * 200),
        ):
            await fill(client)
            some = await cost()
            share = again_share(again)
            note = f"{some.got - none.got:.0f} B, and {share:.0f} B for reading it again unasked"
            lines.append(at_most(f"a turn: {what}", (some.got - none.got + share) / 1024, "KiB", MORE_KIB, note=note))
        load = some.server_ms / 1000 * HZ * CONSOLES * 100
        note = "all of that there"
        lines.append(at_most(f"{CONSOLES} consoles at {HZ:g} Hz: of the server", load, "% core", 15.0, note=note))
        await client.delete(KEYS.open)
        lines += await _instances(client, fence, cost)
    finally:
        await client.flushall()
        await client.aclose()
        await watched.aclose()
    return lines


async def _instances(client: Any, fence: AsyncFence, cost: Callable[..., Awaitable[Cost]]) -> list[Line]:
    """512 instances: silent, and each beating as often as the agent library does."""
    names = [f"inst-{number:04}" for number in range(INSTANCES)]

    async def beat(turn: int) -> None:
        each = round(INSTANCES / BEAT_S / HZ)
        for number in range(turn * each, (turn + 1) * each):
            await fence.beat(Heartbeat(names[number % INSTANCES], "blue", "1.2.3", host="h"), epoch=0, seen=0)

    for turn in range(3):
        await beat(turn)
    await asyncio.sleep(0.05)
    silent, before = await cost(), await client.info("all")
    for turn in range(5):
        await beat(turn)
    after = await client.info("all")
    own = (after[FIELDS[1]] - before[FIELDS[1]]) / 5
    beating = await cost(beat)
    whole = await client.memory_usage(KEYS.instances, samples=0)
    note, own = f"{whole / 1024:.0f} KiB in the store; {INSTANCES / BEAT_S / HZ:.0f} beat in a turn", own / 1024
    return [
        at_most(f"a turn: {INSTANCES} instances, silent: from the store", silent.got / 1024, "KiB", 2.0),
        at_most(f"a turn: {INSTANCES} instances, beating", beating.got / 1024 - own, "KiB", 12.0, note=note),
    ]


async def cost_of(
    watched: Any, reader: StoreReader, turns: int, between: Callable[[int], Awaitable[object]] | None = None
) -> Cost:
    """What a console's turn costs, on average.

    Args:
        watched: a connection of its own, which reads the store's counters.
        reader: the console's.
        turns: how many.
        between: done before each of them, its number given.
    """
    for _ in range(4):
        await reader.read(datetime.now(UTC))
        await asyncio.sleep(0.01)
    first = await watched.info("all")
    before = await watched.info("all")
    for turn in range(turns):
        if between is not None:
            await between(turn)
        await reader.read(datetime.now(UTC))
    after = await watched.info("all")
    sent, got, commands = ((after[name] - 2 * before[name] + first[name]) / turns for name in FIELDS)
    busy = [one["used_cpu_user"] + one["used_cpu_sys"] for one in (before, after)]
    return Cost(sent, got, commands, 1000 * (busy[1] - busy[0]) / turns)


async def unread(client: Any, keys: Keys = KEYS) -> None:
    """As many alerts as are kept, which nobody has acknowledged."""
    words = json.dumps({"at": "2026-03-01T12:00:00Z", "kind": "warning", "severity": "low", "reason": "slower " * 55})
    await client.hset(GuardKeys.of(keys).alerts, mapping={f"a{number}": words for number in range(ALERTS)})
    await client.execute_command(*moved(keys, Part.ALERTS))


async def _experiments(client: Any) -> None:
    words = "1\n" + "x" * 500
    kept = {f"e{number}": words for number in range(EXPERIMENTS)}
    await client.hset(ProofKeys.of(KEYS).experiments, mapping=kept)


async def _doubts(client: Any) -> None:
    line = "\n".join(("c", "i", "blue", "1", "1", "1", "D1", "f" * 16, "1000000", "USD", "enter", "a bet"))
    await client.hset(KEYS.open, mapping={f"key-{number:06}": line for number in range(DOUBTS)})
    await client.hset(KEYS.ctl, "on", DOUBTS)
