"""Plain agents: with a quiesced switch the old version does nothing after the new one is active."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console.domain.fence.deployment import Phase, Slot
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import SwitchRequest
from console.store.fence.quiesce import Method, Waiting, parse_clients, quiesced_switch, reads
from console.store.keys import Keys
from console.store.server.connect import connect
from tests.faults import quiescing
from tests.servers import Server, free_port


@pytest.mark.timeout(180)
async def test_no_plain_agent_acts_late_after_a_quiesced_switch(
    valkey_server: Callable[..., Server], short_dir: Path
) -> None:
    outcome = await quiescing.run(valkey_server(port=str(free_port())), short_dir, quiescing.quiesced, flips=10)
    assert (outcome["late"], outcome["silent"]) == (0, 0)
    assert outcome["executions"] > 5


async def test_a_plain_agent_that_reads_no_more_blocks_up_to_the_deadline_and_is_named(
    valkey_server: Callable[..., Server],
) -> None:
    server = valkey_server(port=str(free_port()))
    client = await connect(server.tcp_url, timeout_s=5)
    watcher = await connect(server.tcp_url, timeout_s=None)
    stuck = await connect(server.tcp_url, timeout_s=5, name="plain-stuck")
    await client.set("agent:active_version", "blue")
    await stuck.get("agent:active_version")
    request = SwitchRequest("green", expected_epoch=0, by="op")
    waiting = Waiting(watcher, poll_ms=20, deadline_ms=200)
    done = await quiesced_switch(AsyncFence(client, Keys.of()), request, waiting)
    assert (done.method, done.silent, done.acknowledged) == (Method.MONITOR, ("plain-stuck",), ())
    assert (done.reply.phase, done.reply.active) == (Phase.RUN, Slot.GREEN) and done.waited_ms >= 200
    for each in (client, watcher, stuck):
        await each.aclose()


async def test_without_monitor_the_command_counts_of_connections_are_used(valkey: Any, store_url: str) -> None:
    await valkey.set("agent:active_version", "blue")
    program = (
        "import redis, sys, time\n"
        "r = redis.Redis.from_url(sys.argv[1], client_name='plain-1')\n"
        "while True:\n    r.get('agent:active_version'); time.sleep(0.01)\n"
    )
    child = _start(program, store_url)
    try:
        while not any(
            c.name == "plain-1" and c.command == "get" for c in parse_clients(_list(await valkey.client_list()))
        ):
            pass
        request = SwitchRequest("green", expected_epoch=0, by="op")
        done = await quiesced_switch(AsyncFence(valkey, Keys.of()), request, Waiting(poll_ms=50))
        counted = "tot-cmds" in (await valkey.client_list())[0]  # Valkey 8 and later
        assert done.method is (Method.COUNTS if counted else Method.DEAD_TIME) and done.reply.active is Slot.GREEN
        assert "plain-1" in done.acknowledged and done.silent == ()
    finally:
        child.kill()
        child.wait()


async def test_a_conflict_is_told_before_anything_waits(valkey: Any) -> None:
    fence = AsyncFence(valkey, Keys.of())
    await fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    done = await quiesced_switch(fence, SwitchRequest("green", expected_epoch=1, by="op"), Waiting(poll_ms=1))
    assert done.reply.code == "CONFLICT" and done.waited_ms == 0


def test_only_reads_of_the_plain_key_count() -> None:
    key = "agent:active_version"
    assert reads(f"GET {key}", key) and reads(f"mget flag:x {key}", key)
    assert not reads(f"SET {key} blue", key) and not reads("GET flag:x", key) and not reads("", key)


def _start(program: str, url: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", program, url])


def _list(lines: Any) -> str:
    return "\n".join(" ".join(f"{name}={value}" for name, value in line.items()) for line in lines)
