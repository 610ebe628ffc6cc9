"""What ten thousand agents on screen 0 cost: a turn of the reader, sorting where it is drawn, the console itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from time import perf_counter, process_time

from console.domain.fleet.agents import FleetReading
from console.live.fleet import SLICE
from console.live.roll import Roll
from console.store.server.connect import connect
from console.views.fleet.rows import COLUMNS, sorted_agents, tally
from console.views.order import Order
from tests import ROOT
from tests.bench.figures import median, percentile
from tests.bench.fleet_sim import FleetSim
from tests.bench.line import Line, at_most, beside
from tests.bench.stage import CONSOLE, Stage
from tests.bench.terminal import Terminal, holding
from tests.servers import Server

AGENTS = 10_000
KEY_S = 0.12


def measure(stage: Stage) -> Iterator[Line]:
    """In this process a turn of it; then a console that shows it, its keys meanwhile."""
    count = stage.few(AGENTS, 1_000)
    folder = stage.folder / "fleet"
    folder.mkdir()
    server = Server(folder, {"appendonly": "no"}).start()
    try:
        with FleetSim(server, count, past=0):
            yield from _turns(server.url, count)
            yield from _console(stage, server.url, count)
    finally:
        server.kill()


def _turns(url: str, count: int) -> Iterator[Line]:
    reading, found_s, turns = asyncio.run(_read(url))
    sorts = []
    for column in COLUMNS:
        began = process_time()
        sorted_agents(reading.agents, Order(column.name))
        tally(reading)
        sorts.append(1000 * (process_time() - began))
    name = f"fleet of {count:,}"
    yield beside(f"{name}: found", found_s, "s", note="the search alone, without its pauses")
    yield at_most(
        f"{name}: a turn, {SLICE} agents", median(turns), "ms", 100.0, note="processor time of the reader's thread"
    )
    yield at_most(f"{name}: sorted by any column", max(sorts), "ms", 50.0, note="where it is drawn, once a turn")


async def _read(url: str) -> tuple[FleetReading, float, list[float]]:
    client = await connect(url, name="bench", timeout_s=10.0)
    try:
        roll, turns = Roll(client), []
        began = perf_counter()
        while not roll.search.passes:
            await roll.seek(10.0)
        found_s = perf_counter() - began
        while roll.unread:
            began = process_time()
            await roll.read(most=SLICE)
            turns.append(1000 * (process_time() - began))
        return roll.reading(roll.server_at, 0.0, 0), found_s, turns
    finally:
        await client.aclose()


def _console(stage: Stage, url: str, count: int) -> Iterator[Line]:
    command = [*CONSOLE, "--url", url, "--agent", "a0"]
    with Terminal(command, env=stage.environment(), cwd=ROOT) as terminal:
        terminal.until("● LIVE")
        floor = []
        for number in range(stage.few(20, 8)):
            floor.append(terminal.press(b"p", holding("Going on." if number % 2 else "Paused: decisions")))
            terminal.run(KEY_S)
        terminal.type(b"0")
        began = time.monotonic()
        terminal.until_seen(holding(f"{count:,} ACTIVE"), "everybody read", 120.0)
        read_s = time.monotonic() - began
        terminal.run(3.0)
        seconds = stage.few(15, 4)
        before = terminal.bytes
        share = terminal.cpu_share(seconds)
        kib = (terminal.bytes - before) / seconds / 1024
        taken = []
        for number in range(stage.few(120, 16)):
            taken.append(terminal.press(b"I", holding("state↑" if number % 2 else "state↓")))
            terminal.run(KEY_S)
        rss = terminal.rss_mib()
    name = f"fleet of {count:,} on screen"
    yield beside(f"{name}: every agent read", read_s, "s", note="from the key on; who was read is shown meanwhile")
    yield at_most(f"{name}: processor", share, "% core", 25.0, note=f"{kib:.1f} KiB/s to the terminal")
    yield at_most(f"{name}: memory", rss, "MiB", 120.0)
    note = "all of them sorted anew"
    yield beside(f"{name}: key to screen, p50", 1000 * median(taken), "ms", "of one agent", 1000 * median(floor), note)
    worst, of_one = 1000 * percentile(taken, 0.99), 1000 * percentile(floor, 0.99)
    yield at_most(f"{name}: key to screen, p99", worst, "ms", 50.0, "of one agent", of_one, note)
