"""What grows with the number of agents and with keys of others, and how fast: counted by the store, fitted.

An exponent of 0 is what does not grow, 1 what grows in proportion. What a console's turn costs, and what it costs to
hear of the agents, must not depend on keys of others at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from console.store.fence.aio import AsyncFence
from console.store.keys import Keys
from console.store.reading.reader import StoreReader
from console.store.server.connect import connect, connect_sync
from tests import ROOT
from tests.bench.figures import cpu_s, rise, rss_mib
from tests.bench.fleet_sim import GuardProcess
from tests.bench.growth_counts import OPTIONS, Counted, counted, exponent
from tests.bench.line import Line, at_most, at_most_times, beside
from tests.bench.stage import CONSOLE, Stage
from tests.bench.terminal import Terminal
from tests.bench.turns import ALERT_B, ALERTS, MORE_KIB, Cost, again_share, cost_of, unread
from tests.servers import Server
from tests.store.fence.test_growth import Day

AGENTS: Final = (1, 100, 1_000, 10_000)
FOREIGN: Final = 5_000_000
LINEAR: Final = 1.1
"""An exponent that is still called one in proportion."""
NONE: Final = 0.05
"""An exponent that is still called none."""
INDEPENDENT: Final = 1.1
RISE: Final = 0.02
"""Of what the store holds: within the noise of its allocator."""
HOURS: Final = 24
FILLED: Final = 230
"""Hours before those: everything that is kept up to a number is full then."""


def measure(stage: Stage) -> Iterator[Line]:
    """Every line of this part."""
    sizes, foreign = AGENTS[: stage.few(4, 3)], (0, stage.few(FOREIGN, 500_000))
    by_foreign: dict[int, list[Measured]] = {count: [] for count in foreign}
    last: list[Line] = []
    for agents in sizes:
        folder = _folder(stage, f"store-{agents}")
        server = Server(folder, OPTIONS).start()
        try:
            for one, sim in counted(server, agents, foreign, turns=stage.few(100, 20)):
                cpu, rss = _console(stage, server.url)
                sim.beat()
                with GuardProcess(server, folder, f"g{one.foreign}", "--all") as guard:
                    guard.watches(agents, 900.0)
                    measured = Measured(one, cpu, rss, cpu_s(guard.pid), rss_mib(guard.pid))
                by_foreign[one.foreign].append(measured)
            if agents == sizes[-1]:
                last = [asyncio.run(_unread(server.url, stage.few(100, 20)))]
        finally:
            server.kill()
    for count, several in by_foreign.items():
        beside_them = f", {count:,} keys of others" if count else ""
        for what, unit, limit, cost in FITTED:
            if what.startswith("store") and count:
                continue
            yield _fit(f"{what}{beside_them}", unit, limit, sizes, [cost(one) for one in several])
    yield from _independent(*by_foreign.values())
    yield from last
    yield asyncio.run(_day(stage))


class Measured(NamedTuple):
    """One size, what was counted and what processes took.

    Args:
        counted: by the store.
        console_cpu: per cent of a core of a console on one of the agents, while nothing happens.
        console_rss: its resident memory, MiB.
        guard_cpu: seconds of processor time of a guard on all agents, from its start until all are watched.
        guard_rss: its resident memory then, MiB.
    """

    counted: Counted
    console_cpu: float
    console_rss: float
    guard_cpu: float
    guard_rss: float


FITTED: Final[tuple[tuple[str, str, float, Callable[[Measured], float]], ...]] = (
    ("store: memory of the agents", "KiB", LINEAR, lambda one: one.counted.store / 1024),
    ("a console's turn: commands", "", NONE, lambda one: one.counted.turn.commands),
    ("a console's turn: bytes", "B", NONE, lambda one: one.counted.turn.sent + one.counted.turn.got),
    ("hearing of all agents: commands", "", LINEAR, lambda one: one.counted.found.commands),
    ("hearing of all agents: bytes", "B", LINEAR, lambda one: one.counted.found.sent + one.counted.found.got),
    ("a guard's look at all agents: commands", "", LINEAR, lambda one: one.counted.guard.commands),
    ("a guard's look at all agents: bytes", "B", LINEAR, lambda one: one.counted.guard.sent + one.counted.guard.got),
    ("a console: processor", "% core", LINEAR, lambda one: one.console_cpu),
    ("a console: memory", "MiB", NONE, lambda one: one.console_rss),
    ("a guard until all are watched: processor", "s", LINEAR, lambda one: one.guard_cpu),
    ("a guard: memory", "MiB", LINEAR, lambda one: one.guard_rss),
)
"""What it is, its unit, the exponent that it may have, where it stands."""


def _fit(name: str, unit: str, limit: float, sizes: Sequence[int], costs: Sequence[float]) -> Line:
    """The exponent, and of what."""
    told = ", ".join(f"{cost:,.0f}" if cost >= 100 else f"{cost:.3g}" for cost in costs)
    note = f"{told}{unit and f' {unit}'} at {' / '.join(f'{size:,}' for size in sizes)} agents"
    fitted = exponent(sizes[1:], costs[1:])  # of one agent, what is there anyhow costs more than the agent
    return at_most(name, fitted, "exponent", limit, note=note)


def _independent(alone: Sequence[Measured], crowded: Sequence[Measured]) -> Iterator[Line]:
    """At the largest size: a turn, and hearing of all agents, without and with keys of others."""
    without, among = alone[-1].counted, crowded[-1].counted
    for what, part in (("a console's turn", "turn"), ("hearing of all agents", "found")):
        for unit in ("commands", "bytes", "server"):
            ours, floor = (_of(getattr(one, part), unit) for one in (among, without))
            name = f"{what}, {among.agents:,} agents beside {among.foreign:,} keys of others: {unit}"
            if unit == "server":
                yield beside(name, ours, "ms", "without them", floor)
            else:
                yield at_most_times(name, ours, "B" if unit == "bytes" else "", INDEPENDENT, "without them", floor)


def _of(cost: Cost, unit: str) -> float:
    return {"commands": cost.commands, "bytes": cost.sent + cost.got, "server": cost.server_ms}[unit]


def _console(stage: Stage, url: str) -> tuple[float, float]:
    """A console on one of the agents: its share of a core in per cent, its resident memory in MiB."""
    with Terminal([*CONSOLE, "--url", url, "--agent", "a0"], env=stage.environment(), cwd=ROOT) as terminal:
        terminal.until("● LIVE")
        terminal.run(3.0)
        return terminal.cpu_share(stage.few(10, 4)), terminal.rss_mib()


async def _unread(url: str, turns: int) -> Line:
    """What unread alerts cost a turn, among all these agents and keys."""
    keys = Keys.of("a0")
    client, watched = await connect(url, timeout_s=60.0), await connect(url, timeout_s=60.0)
    try:
        none = await cost_of(watched, StoreReader(client, keys, {}), turns)
        await unread(client, keys)
        some = await cost_of(watched, StoreReader(client, keys, {}), turns)
    finally:
        await client.aclose()
        await watched.aclose()
    more = (some.sent + some.got - none.sent - none.got + again_share(ALERTS * ALERT_B)) / 1024
    return at_most(f"a console's turn: {ALERTS} unread alerts among all of that", more, "KiB", MORE_KIB)


async def _day(stage: Stage) -> Line:
    """Everything that one agent, its guards and its operators do, an hour a turn, archived each hour."""
    folder = _folder(stage, "day")
    server = Server(folder, {"appendonly": "no"}).start()
    try:
        client, blocking = await connect(server.url, timeout_s=30.0), connect_sync(server.url, timeout_s=30.0)
        with blocking:
            day, took = Day(AsyncFence(client, Keys.of("atlas")), blocking), list[float]()
            for hour in range(FILLED + HOURS):
                await day.hour()
                if hour >= FILLED:
                    await day.archived(folder / "archive")
                    took.append((await client.info("memory"))["used_memory_dataset"] / 1024)
        await client.aclose()
    finally:
        server.kill()
    slope = rise(took[HOURS // 2 :])
    note = f"over the second half of {HOURS} h; {took[0]:.0f} KiB after the first hour, {took[-1]:.0f} at the end"
    return at_most("a simulated day, archived: rise of the store", slope, "KiB", RISE * took[0], note=note)


def _folder(stage: Stage, name: str) -> Path:
    folder = stage.folder / f"growth-{name}"
    folder.mkdir()
    return folder
