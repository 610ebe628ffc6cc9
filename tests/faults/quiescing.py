"""Switches with two plain agents that think: naive, and quiesced; how many actions of the old version came late."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from console.store.fence.aio import AsyncFence
from console.store.fence.calls import SwitchRequest
from console.store.fence.quiesce import Quiesced, Waiting, quiesced_switch
from console.store.keys import Keys
from console.store.server.connect import connect
from tests import ROOT
from tests.faults.venue import Venue
from tests.servers import Server

Flip = Callable[[AsyncFence, Any, str], Awaitable[Quiesced | None]]


async def naive(fence: AsyncFence, _watcher: Any, target: str) -> None:
    """What anybody would do: write the key."""
    await fence.client.set(fence.keys.active, target)


async def quiesced(fence: AsyncFence, watcher: Any, target: str) -> Quiesced:
    """Write `draining`, wait for everybody, write the target."""
    waiting = Waiting(watcher, poll_ms=100, expect=("plain-blue", "plain-green"))
    done = await quiesced_switch(fence, SwitchRequest(target, expected_epoch="any", by="op"), waiting)
    assert done.reply.active == target, done
    return done


async def run(
    server: Server, folder: Path, flip: Flip, *, flips: int, poll_s: float = 0.05, think_s: float = 0.15
) -> dict[str, Any]:
    """Flip so often and count. `server` listens on a port: on a Unix socket connections can't be told apart."""
    venue = Venue(folder)
    agents = [_start(server, venue, slot, poll_s, think_s) for slot in ("blue", "green")]
    client = await connect(server.tcp_url, timeout_s=5)
    watcher = await connect(server.tcp_url, timeout_s=None)
    try:
        fence = AsyncFence(client, Keys.of())
        for agent in agents:
            assert agent.stdout is not None and agent.stdout.readline() == b"ready\n"
        await client.set(fence.keys.active, "blue")
        active, waits, missed = "blue", [], 0
        activations: list[tuple[float, str]] = [(time.time(), "blue")]
        for _ in range(flips):
            target = "green" if active == "blue" else "blue"
            done = await flip(fence, watcher, target)
            if done is not None:
                waits.append(done.waited_ms)
                missed += len(done.silent)
            activations.append((time.time(), target))
            active = target
            await _pause(0.15)
        book = venue.client()
        executions = book.history()
        book.close()
        late = 0
        for (at, slot), (till, _next) in zip(activations[1:], [*activations[2:], (time.time(), "")], strict=True):
            late += sum(e.slot != slot and at < e.at < till for e in executions)
        return {
            "flips": flips,
            "executions": len(executions),
            "late": late,
            "silent": missed,
            "waited_p50_ms": sorted(waits)[len(waits) // 2] if waits else 0,
            "waited_max_ms": max(waits, default=0),
        }
    finally:
        for agent in agents:
            agent.kill()
            agent.wait()
            if agent.stdout is not None:
                agent.stdout.close()
        await client.aclose()
        await watcher.aclose()
        venue.stop()


def _start(server: Server, venue: Venue, slot: str, poll_s: float, think_s: float) -> subprocess.Popen[bytes]:
    told = [str(server.port), str(venue.path), slot, str(poll_s), str(think_s), slot]
    return subprocess.Popen([sys.executable, "-m", "tests.faults.plain", *told], stdout=subprocess.PIPE, cwd=ROOT)


async def _pause(seconds: float) -> None:
    import asyncio

    await asyncio.sleep(seconds)
