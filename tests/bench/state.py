"""The state that crosses over: what `keep` costs the live path, what travels for it, how soon the other side has it."""

from __future__ import annotations

import random
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal

from console.agent import AgentController, Position, Settings, Side, State
from console.domain.state.document import encode
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from console.store.server.connect import connect_sync
from tests.bench.figures import median, percentile
from tests.bench.line import Line, at_most, at_most_times, beside
from tests.bench.stage import Stage
from tests.servers import Server

POSITIONS = 8_000
CHANGED = POSITIONS // 100


def measure(stage: Stage) -> Iterator[Line]:
    """Every line of this part."""
    folder = stage.folder / "state"
    folder.mkdir()
    server = Server(folder).start()
    try:
        yield from _measure(stage, server.url)
    finally:
        server.kill()


def _state() -> State:
    prices = [Decimal(f"{43000 + number}.50") for number in range(POSITIONS)]
    positions = [
        Position(f"p{number}", "BTC", Side.LONG, Decimal("0.10"), price, "USD") for number, price in enumerate(prices)
    ]
    return State(version="1", positions=positions)


def _changed(state: State, chance: random.Random) -> State:
    positions = list(state.positions or ())
    for place in chance.sample(range(POSITIONS), CHANGED):
        positions[place] = replace(positions[place], size=positions[place].size + 1)
    return replace(state, positions=positions)


def _measure(stage: Stage, url: str) -> Iterator[Line]:
    chance, settings = random.Random(7), Settings(money=False, memory_dir=None)
    with connect_sync(url, timeout_s=5) as client:
        Fence(client, Keys.of()).switch(SwitchRequest("blue", expected_epoch=0, by="bench"))
    with AgentController(url, slot="blue", version="1", settings=settings) as agent:
        state = _state()
        agent.keep(state)
        _until_kept(agent, None)
        assert agent.kept is not None
        size, first = agent.kept.size, agent.kept.sent
        sent: list[int] = []
        ready = [state]
        for _ in range(stage.few(40, 15)):
            ready.append(_changed(ready[-1], chance))
            before = agent.kept
            agent.keep(ready[-1])
            _until_kept(agent, before)
            sent.append(agent.kept.sent)
        with connect_sync(url, timeout_s=5) as floor:
            body = chance.randbytes(round(median([float(one) for one in sent])))
            kept, written = _kept(agent, ready[-5:], stage.few(4_000, 1_000), lambda: floor.set("floor", body))
        stalls = _steps(stage.few(2, 1), lambda: agent.keep(chance.choice(ready[-5:])))
        quiet = _steps(stage.few(2, 1), lambda: None)
    whole = zlib.compress(encode(state))
    note = f"{size / 1e6:.2f} MB, {CHANGED} of {POSITIONS} positions changed, scattered"
    yield at_most(
        "keep on the live path, p99",
        percentile(kept, 0.99) * 1000,
        "ms",
        1.0,
        f"a SET of {len(body):,} B, as many as travel",
        percentile(written, 0.99) * 1000,
        f"{len(kept):,} calls; {note}",
    )
    yield at_most(
        "a step of the live path while a state is sent, p99",
        percentile(stalls, 0.99) * 1000,
        "ms",
        6.0,
        "while none is",
        percentile(quiet, 0.99) * 1000,
        "5 ms is the interpreter's turn of a thread",
    )
    yield at_most_times(
        "bytes sent per keep, 1 % changed",
        median([float(one) for one in sent]),
        "B",
        1.0,
        "the whole, compressed",
        float(len(whole)),
        note,
    )
    yield beside("bytes sent for the first", float(first), "B", "the whole, compressed", float(len(whole)))


def _kept(
    agent: AgentController, states: list[State], rounds: int, write: Callable[[], object]
) -> tuple[list[float], list[float]]:
    """How long `keep` took, while those before are cut and sent beside it; and how long a write that waits."""
    kept: list[float] = []
    written: list[float] = []
    for number in range(rounds):
        began = time.perf_counter()
        agent.keep(states[number % len(states)])
        kept.append(time.perf_counter() - began)
        began = time.perf_counter()
        write()
        written.append(time.perf_counter() - began)
        time.sleep(0.002)
    return kept, written


def _steps(for_s: float, keep: Callable[[], None]) -> list[float]:
    """How long each of many small steps took that an agent's own thread does for so long, with a state every 20."""
    taken: list[float] = []
    end = time.perf_counter() + for_s
    while (began := time.perf_counter()) < end:
        sum(range(200))
        time.sleep(0.0005)
        taken.append(time.perf_counter() - began)
        if len(taken) % 20 == 0:
            keep()
    return taken


def _until_kept(agent: AgentController, before: object) -> None:
    while agent.kept is before:
        if agent.state_error:
            raise RuntimeError(agent.state_error)
        time.sleep(0.001)
