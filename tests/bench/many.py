"""One process, many actions: 1, 8 and 64 tasks or threads that claim and settle at once, append-only always.

Beside each: the same on one connection that is used by one at a time, as it was before. Floors: the same calls as bare
pipelines of 64, and as 64 tasks on a guard's shared connection.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any, Final

from console.agent import AgentController, Settings
from console.agent.aio import AgentController as AioController
from console.agent.aio.link import Link as AioLink
from console.agent.blocking.link import Link
from console.domain.fence.claims import Direction, Outcome
from console.store.fence import claims
from console.store.fence.aio import AsyncFence
from console.store.fence.blocking import Fence
from console.store.fence.blocking_runner import Runner
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from console.store.server.connect import connect, connect_sync
from tests.bench.figures import median
from tests.bench.line import Line, at_most_times, beside
from tests.bench.stage import Stage
from tests.servers import Server

AT_ONCE: Final = (1, 8, 64)
TIMES: Final = 5.0
"""So many times the actions a second of one are to be reached by 64."""
SLOWER: Final = 1.25
"""So many times the time that one action took on a connection of its own it may take at most; two runs of the very
same code differ by as much on a shared machine."""
_SETTINGS: Final = Settings(memory_dir=None, command_timeout_ms=10_000, lease_ms=60_000, money=False)

_numbers = itertools.count()


class _AioOneByOne(AioLink):
    """Before: one call at a time."""

    begin = AioLink.run


class _OneByOne(Link):
    """Before: one call at a time."""

    begin = Link.run


def measure(stage: Stage) -> Iterator[Line]:
    """Every line of this part."""
    folder = stage.folder / "many"
    folder.mkdir()
    server = Server(folder, {"appendonly": "yes", "appendfsync": "always"}).start()
    try:
        with connect_sync(server.url, timeout_s=10.0) as client:
            epoch = Fence(client, Keys.of()).switch(SwitchRequest("blue", expected_epoch=0, by="bench")).epoch
            yield from _lines(stage, server.url, client, epoch)
    finally:
        server.kill()


def _lines(stage: Stage, url: str, client: Any, epoch: int) -> Iterator[Line]:
    worlds: dict[str, Callable[[int, int, bool], float]] = {
        "tasks": lambda count, total, alone: asyncio.run(_tasks(url, count, total, alone)),
        "threads": lambda count, total, alone: _threads(url, count, total, alone),
    }
    rates: dict[tuple[str, int, bool], list[float]] = {}
    floors: dict[str, list[float]] = {"bare": [], "guard": []}
    for _turn in range(stage.few(5, 3)):  # in turn: the machine is not the same from one second to the next
        for (world, rate), count, alone in itertools.product(worlds.items(), AT_ONCE, (False, True)):
            total = max(stage.few(200, 60) * (1 if count == 1 or alone else 3), 2 * count)
            rates.setdefault((world, count, alone), []).append(rate(count, total, alone))
        floors["bare"].append(_bare(client, epoch, stage.few(10, 4)))
        floors["guard"].append(asyncio.run(_guard(url, epoch, stage.few(10, 4))))
    middle = {which: median(each) for which, each in rates.items()}
    bare, guard = median(floors["bare"]), median(floors["guard"])
    for world in worlds:
        one = middle[world, 1, False]
        for count in AT_ONCE:
            ours, before = middle[world, count, False], middle[world, count, True]
            what = f"many: {count} {world if count > 1 else world[:-1]}, always"
            note = f"{ours / one:.1f} × one" if count > 1 else ""
            yield beside(what, ours, "actions/s", "one call at a time", before, note)
        yield _budget(f"many: 64 {world} beside one", middle[world, 64, False], one, f"≥ {TIMES:g} ×", least=TIMES)
    yield beside(
        "many: 64 tasks beside a client library", middle["tasks", 64, False], "actions/s", "bare pipelines of 64", bare
    )
    yield beside(
        "many: 64 tasks beside a guard", middle["tasks", 64, False], "actions/s", "a guard's connection", guard
    )
    rounds = stage.few(600, 200)
    for world, took in (("task", asyncio.run(_one_task(url, rounds))), ("thread", _one_thread(url, rounds))):
        now, before = (1e3 * median(each) for each in took)
        yield at_most_times(f"many: an action of one {world}, always", now, "ms", SLOWER, "one call at a time", before)


def _budget(name: str, ours: float, floor: float, budget: str, *, least: float) -> Line:
    ratio = ours / floor
    return Line(name, ours, "actions/s", "the other", floor, ratio, budget, ratio >= least)


def _as_before(agent: Any, one: Any) -> Any:
    agent._link = agent._claimer._link = one
    return agent


def _aio_agent(url: str, alone: bool) -> AioController:
    agent = AioController(url, slot="blue", version="bench", settings=_SETTINGS)
    one = _AioOneByOne(lambda: connect(url, timeout_s=10.0), agent.core.keys_on)
    return _as_before(agent, one) if alone else agent


def _agent(url: str, alone: bool) -> AgentController:
    agent = AgentController(url, slot="blue", version="bench", settings=_SETTINGS)
    one = _OneByOne(lambda: connect_sync(url, timeout_s=10.0), agent.core.keys_on)
    return _as_before(agent, one) if alone else agent


async def _aio_act(agent: AioController) -> float:
    began = time.perf_counter()
    async with agent.action(f"t{next(_numbers)}", amount=Decimal(5), currency="USD") as act:
        await act.settle("done")
    return time.perf_counter() - began


def _act(agent: AgentController) -> float:
    began = time.perf_counter()
    with agent.action(f"t{next(_numbers)}", amount=Decimal(5), currency="USD") as act:
        act.settle("done")
    return time.perf_counter() - began


async def _one_task(url: str, rounds: int) -> tuple[list[float], list[float]]:
    """Seconds of one action after the other, now and as before, in turn."""
    async with _aio_agent(url, False) as now, _aio_agent(url, True) as before:
        taken = [(await _aio_act(now), await _aio_act(before)) for _ in range(rounds)]
    return [one for one, _ in taken], [other for _, other in taken]


def _one_thread(url: str, rounds: int) -> tuple[list[float], list[float]]:
    with _agent(url, False) as now, _agent(url, True) as before:
        taken = [(_act(now), _act(before)) for _ in range(rounds)]
    return [one for one, _ in taken], [other for _, other in taken]


async def _tasks(url: str, count: int, total: int, alone: bool) -> float:
    async with _aio_agent(url, alone) as agent:
        left = iter(range(total))

        async def work() -> None:
            for _ in left:
                await _aio_act(agent)

        await _aio_act(agent)
        began = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(count)))
        return total / (time.perf_counter() - began)


def _threads(url: str, count: int, total: int, alone: bool) -> float:
    with _agent(url, alone) as agent:

        def work(share: int) -> None:
            for _ in range(share):
                _act(agent)

        with ThreadPoolExecutor(count) as pool:
            list(pool.map(work, [1] * count))  # every thread has its connection
            began = time.perf_counter()
            list(pool.map(work, [total // count] * count))
            return total // count * count / (time.perf_counter() - began)


def _intent(epoch: int) -> claims.Intent:
    number = next(_numbers)
    return claims.Intent(
        f"f{number}", f"{number:0>32}", "blue", epoch, "bench", Decimal(5), "USD", Direction.ENTER, "{}", 60_000, epoch
    )


def _bare(client: Any, epoch: int, rounds: int) -> float:
    keys, runner = Keys.of(), Runner(client)
    began = time.perf_counter()
    for _ in range(rounds):
        intents = [_intent(epoch) for _ in range(64)]
        for call_of in (claims.claim, _settle):
            pipe = client.pipeline(transaction=False)
            for number, intent in enumerate(intents):
                call = call_of(keys, intent)
                pipe.execute_command(*runner.command(call.name, call.keys, (*call.args, str(number))))
            pipe.execute()
    return 64 * rounds / (time.perf_counter() - began)


def _settle(keys: Keys, intent: claims.Intent) -> Any:
    return claims.settle(
        keys, intent, Outcome.OK, result="done", pnl=Decimal(0), retention_ms=claims.RETENTION_MS, trigger=""
    )


async def _guard(url: str, epoch: int, rounds: int) -> float:
    client = await connect(url, timeout_s=10.0, shared=True)
    fence = AsyncFence(client, Keys.of())

    async def work() -> None:
        for _ in range(rounds):
            intent = _intent(epoch)
            await fence.claim(intent)
            await fence.settle(intent, Outcome.OK, result="done")

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(64)))
    took = time.perf_counter() - began
    await client.aclose()
    return 64 * rounds / took
