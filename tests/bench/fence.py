"""The fence: what a claim costs beside an empty script, how quickly the other side acts, what remains of an action."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import timeit
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from console.agent import AgentController, Flags, FlagSpec, FlagType
from console.domain.fence.claims import Direction, Outcome
from console.store.fence import calls, claims
from console.store.fence.blocking import Fence
from console.store.fence.blocking_runner import Runner
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from console.store.server.connect import connect_sync
from tests import ROOT
from tests.bench import fence_load
from tests.bench.figures import median, percentile
from tests.bench.line import Line, at_least, at_most, at_most_times, beside
from tests.bench.stage import Stage
from tests.servers import Server

REFERENCE: Final = os.environ.get("AC_BENCH_REFERENCE_SCRIPTS", "")
"""A folder with other scripts of the same protocol (prelude.lua, claim.lua, …) to stand beside ours."""


def measure(stage: Stage) -> Iterator[Line]:
    """Every line of this part."""
    yield from _scripts(stage)
    yield from _throughput(stage)
    yield from _handover(stage)
    yield from _import(stage)
    yield from _local(stage)


@contextmanager
def _server(stage: Stage, name: str, **options: str) -> Iterator[Server]:
    folder = stage.folder / name
    folder.mkdir()
    server = Server(folder, {key.replace("_", "-"): value for key, value in options.items()}).start()
    try:
        yield server
    finally:
        server.kill()


def _intent(key: str, epoch: int) -> claims.Intent:
    return claims.Intent(
        key, f"{key:0>32}", "blue", epoch, "blue-bench", Decimal(5), "USD", Direction.ENTER, "{}", 60_000, epoch
    )


def _scripts(stage: Stage) -> Iterator[Line]:
    """One connection over a Unix socket; ours and the floor in turn."""
    rounds = stage.few(4000, 800)
    for durable in (False, True):
        label = "append-only, always" if durable else "in memory"
        with _server(stage, f"scripts-{durable}", appendonly="yes" if durable else "no") as server:
            client = connect_sync(server.url, timeout_s=5).client()
            keys = Keys.of()
            fence = Fence(client, keys)
            epoch = fence.switch(SwitchRequest("blue", expected_epoch=0, by="bench")).epoch
            fence.set_limits(calls.Limits(currency="USD"), by="bench")
            empty, writes = (
                client.script_load("return 1"),
                client.script_load("return redis.call('SET', KEYS[1], 'x')"),
            )
            taken: dict[str, list[float]] = {"claim": [], "settle": [], "empty": [], "write": []}
            before = _size(client)
            for number in range(rounds):
                intent = _intent(f"k{number}", epoch)
                taken["claim"].append(_timed(fence, claims.claim(keys, intent)))
                taken["empty"].append(_took(client.evalsha, empty, 0))
                done = claims.settle(
                    keys,
                    intent,
                    Outcome.OK,
                    result="{}",
                    pnl=Decimal("0.5"),
                    retention_ms=claims.RETENTION_MS,
                    trigger="",
                )
                taken["settle"].append(_timed(fence, done))
                taken["write"].append(_took(client.evalsha, writes, 1, "bench:write"))
            after = _size(client)
            empty_us, write_us = 1e6 * median(taken["empty"]), 1e6 * median(taken["write"])
            for name in ("claim", "settle"):
                us = 1e6 * median(taken[name])
                note = f"p99 {1e6 * percentile(taken[name], 0.99):.0f} µs"
                if durable:
                    yield beside(f"fence: {name}, {label}", us, "µs", "a script with one SET", write_us, note)
                else:
                    yield at_most_times(f"fence: {name}, {label}", us, "µs", 2.5, "an empty script", empty_us, note)
                    yield at_most(f"fence: {name} p50 over a Unix socket", us, "µs", 400)
            if durable:
                yield beside(
                    "fence: append-only file a settled action", (after[1] - before[1]) / rounds, "B", "the lab's", 1885
                )
            else:
                each = (after[0] - before[0]) / rounds
                yield beside("fence: memory a settled action", each, "B", "the lab's", 561)
                yield _window(fence, epoch, rounds // 4)
            client.close()


def _window(fence: Fence, epoch: int, rounds: int) -> Line:
    """A claim that says for how long the venue knows its key, in turn with one that doesn't."""
    taken: dict[int | None, list[float]] = {None: [], 3_600_000: []}
    for number in range(rounds):
        for window_ms, seconds in taken.items():
            intent = _intent(f"w{number}-{window_ms}", epoch)
            seconds.append(_timed(fence, claims.claim(fence.keys, intent, window_ms)))
            fence.settle(intent, Outcome.ABORT)
    without, told = (1e6 * median(seconds) for seconds in taken.values())
    return beside("fence: claim held to the venue's window", told, "µs", "one that is not", without)


def _timed(fence: Fence, call: calls.Call[Any]) -> float:
    began = time.perf_counter()
    fence.runner.run(call.name, call.keys, call.args)
    return time.perf_counter() - began


def _took(work: Callable[..., object], *arguments: object) -> float:
    began = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - began


def _size(client: Any) -> tuple[int, int]:
    memory, disk = client.info("memory"), client.info("persistence")
    return int(memory["used_memory"]), int(disk.get("aof_current_size", 0))


def _throughput(stage: Stage) -> Iterator[Line]:
    """Twenty connections, each with one claim on the way."""
    seconds = 3.0 if stage.quick else 8.0
    with _server(stage, "load", appendonly="no") as server, connect_sync(server.url, timeout_s=5) as client:
        keys = Keys.of()
        fence = Fence(client, keys)
        epoch = fence.switch(SwitchRequest("blue", expected_epoch=0, by="bench")).epoch
        runner = Runner(client)

        def ours(number: int) -> tuple[Any, ...]:
            call = claims.claim(keys, _intent(f"k{number}", epoch))
            return runner.command(call.name, call.keys, call.args)

        peer = fence_load.reference(client, Path(REFERENCE)) if REFERENCE else None
        rates: dict[str, list[float]] = {"ours": [], "peer": []}
        for _turn in range(3):
            rates["ours"].append(fence_load.rate(server.socket, ours, seconds / 3, expect=b"GRANTED"))
            client.delete(keys.open, keys.in_flight, keys.actions)
            if peer is not None:
                peer.reset()
                rates["peer"].append(fence_load.rate(server.socket, peer.claim, seconds / 3, expect=b"GRANTED"))
                peer.reset()
                client.delete(keys.open, keys.in_flight, keys.actions)
                fence.switch(SwitchRequest("blue", expected_epoch="any", by="bench", resume=True, why="next turn"))
                epoch = fence.tend().epoch
    mine = median(rates["ours"])
    if rates["peer"]:
        theirs = median(rates["peer"])
        yield at_least("fence: claims, 20 clients", mine, "/s", theirs, "the lab's scripts", theirs)
    else:
        yield beside("fence: claims, 20 clients", mine, "/s", note="the lab's scripts are not here")


class _Process:
    """A program that says when something happened."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"tests.bench.programs.{module}", *arguments],
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        )
        assert self._process.stdout is not None
        self._out = self._process.stdout
        if self._out.readline() != "ready\n":
            raise RuntimeError(f"{module} did not start")

    def hear(self) -> float:
        """The time of the next thing it says."""
        return float(self._out.readline().split()[1])

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._out.close()


def _handover(stage: Stage) -> Iterator[Line]:
    """Append-only, always; two agent processes and an operator."""
    rounds = stage.few(200, 40)
    with ExitStack() as cleanup:
        server = cleanup.enter_context(_server(stage, "handover"))
        client = cleanup.enter_context(connect_sync(server.url, timeout_s=5))
        fence = Fence(client, Keys.of())
        fence.switch(SwitchRequest("blue", expected_epoch=0, by="bench"))
        agents = {slot: _Process("fence_agent", server.url, slot, "act") for slot in ("blue", "green")}
        agents["blue"].hear()
        took: list[float] = []
        for turn in range(rounds):
            target = ("green", "blue")[turn % 2]
            began = time.monotonic()
            fence.switch(SwitchRequest(target, expected_epoch="any", by="bench"))
            took.append(agents[target].hear() - began)
            time.sleep(0.01)
        for agent in agents.values():
            agent.close()
        one_way = _one_way(server.url, client, rounds)
        note = "beside: one way over the same store, XADD to XREAD"
        yield at_most(
            "fence: operator's command → first action, p50", 1e3 * median(took), "ms", 3, "one way", one_way, note
        )
        yield at_most(
            "fence: operator's command → first action, p99", 1e3 * percentile(took, 0.99), "ms", 10, "one way", one_way
        )
        yield _polling(stage, server.url, client)

        fence.switch(SwitchRequest("green", expected_epoch="any", by="bench"))
        failing = _Process("fence_agent", server.url, "blue", "fail")
        taking = _Process("fence_agent", server.url, "green", "act")
        taking.hear()
        took = []
        for _turn in range(rounds // 2):
            fence.switch(SwitchRequest("blue", expected_epoch="any", mode="now", by="bench"))
            raised = failing.hear()
            took.append(taking.hear() - raised)
            time.sleep(0.02)
        failing.close()
        taking.close()
        yield beside("fence: exception → the other side acts, p50", 1e3 * median(took), "ms", "one way", one_way)
        yield at_most(
            "fence: exception → the other side acts, p99", 1e3 * percentile(took, 0.99), "ms", 20, "one way", one_way
        )


def _one_way(url: str, client: Any, rounds: int) -> float:
    reader = _Process("plain_reader", url, "stream")
    took = []
    time.sleep(0.05)
    for number in range(rounds):
        began = time.monotonic()
        client.xadd("bench:one-way", {"n": number})
        took.append(reader.hear() - began)
        time.sleep(0.01)
    reader.close()
    return 1e3 * median(took)


def _polling(stage: Stage, url: str, client: Any) -> Line:
    reader = _Process("plain_reader", url, "poll")
    took = []
    for number in range(stage.few(8, 3)):
        time.sleep(0.37 * (number % 3))
        began = time.monotonic()
        client.set("agent:active_version", ("blue", "green")[number % 2])
        client.set("agent:active_version", ("green", "blue")[number % 2])
        took.append(reader.hear() - began)
    reader.close()
    return beside("fence: a plain agent that polls once a second sees it, p50", 1e3 * median(took), "ms")


def _import(stage: Stage) -> Iterator[Line]:
    """The library beside redis alone, within one process each, in turn."""
    program = (
        "import time; a = time.perf_counter(); import redis; b = time.perf_counter(); import console.agent;"
        "print(b - a, time.perf_counter() - b)"
    )
    floor, ours = [], []
    for _turn in range(stage.few(21, 7)):
        said = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True
        ).stdout
        redis_s, ours_s = map(float, said.split())
        floor.append(1e3 * redis_s)
        ours.append(1e3 * ours_s)
    yield at_most("fence: import console.agent, over redis", median(ours), "ms", 30, "import redis", median(floor))


def _local(stage: Stage) -> Iterator[Line]:
    """What an agent asks in its inner loop, beside a GET."""
    flags = Flags([FlagSpec("crash_target", FlagType.NUMBER, "2.0")])
    with AgentController(stage.url, slot="blue", version="bench", flags=flags) as agent:
        client = connect_sync(stage.url, timeout_s=5)
        get_us = 1e6 * median([_took(client.get, "flag:crash_target") for _ in range(500)])
        client.close()
        number = 20_000
        flag_us = 1e6 * min(timeit.repeat(lambda: flags["crash_target"], number=number, repeat=5)) / number
        active_us = 1e6 * min(timeit.repeat(lambda: agent.active, number=number, repeat=5)) / number
        yield at_most("fence: reading a flag", flag_us, "µs", 1, "GET", get_us)
        yield at_most("fence: asking “am I active”", active_us, "µs", 1, "GET", get_us)
