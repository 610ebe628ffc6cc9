"""What is counted at one size of a store: commands and bytes, by the store's own counters, which no load of the machine
changes; and the fit of how they grow."""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple
from unittest.mock import patch

from console.domain.triggers.settings import TriggerSettings
from console.guard.run.fleet import Fleet
from console.guard.setup.options import GuardOptions
from console.guard.setup.settings import GuardFile
from console.logs.options import LogOptions
from console.store.keys import Keys
from console.store.reading.discovery import Discovery
from console.store.reading.reader import StoreReader
from console.store.server.connect import connect
from tests.bench.fleet_sim import FleetSim
from tests.bench.turns import FIELDS, Cost, cost_of
from tests.servers import Server

OPTIONS: Final = {"appendonly": "no", "enable-debug-command": "yes"}
PATIENT_S: Final = 60.0
FOREIGN_PREFIX: Final = "celery-task-meta"


class Counted(NamedTuple):
    """One size.

    Args:
        agents: that there are, alive and idle.
        foreign: keys of others beside them.
        store: bytes of the store's memory that the agents take.
        turn: what one turn of a console on one of them costs.
        found: what it costs to hear of all of them.
        guard: what one look of a guard at all of them costs.
    """

    agents: int
    foreign: int
    store: float
    turn: Cost
    found: Cost
    guard: Cost


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The slope of the straight line that fits log cost over log size best: 0 for what does not grow, 1 for what grows
    in proportion."""
    points = [(math.log(size), math.log(cost)) for size, cost in zip(sizes, costs, strict=True)]
    middle = sum(x for x, _y in points) / len(points)
    return sum((x - middle) * y for x, y in points) / sum((x - middle) ** 2 for x, _y in points)


def counted(server: Server, agents: int, foreign: Sequence[int], *, turns: int) -> Iterator[tuple[Counted, FleetSim]]:
    """Everything at one number of agents, first without and then with keys of others; between two of them the store
    may be used for more.

    Args:
        server: an empty store that permits DEBUG.
        agents: how many.
        foreign: numbers of keys of others, rising.
        turns: how many turns of a console are averaged.
    """
    with FleetSim(server, 1, past=0).client as client:
        client.flushall()  # the scripts are there from now on, and are no agent's
    before = _used(server)
    sim = FleetSim(server, agents)
    store, there = max(1, _used(server) - before), 0
    with sim.client:
        for count in foreign:
            if count > there:
                sim.client.execute_command("DEBUG", "POPULATE", count, FOREIGN_PREFIX, 16)
                there = count
            yield asyncio.run(_counted(server.url, agents, count, store, turns)), sim


async def _counted(url: str, agents: int, foreign: int, store: float, turns: int) -> Counted:
    client, watched = await connect(url, timeout_s=60.0), await connect(url, timeout_s=60.0)
    try:
        turn = await cost_of(watched, StoreReader(client, Keys.of("a0"), {}), turns)

        async def hear() -> None:
            assert len(await Discovery(client).hear()) == agents

        async def look() -> None:
            await _look(url, agents)

        return Counted(agents, foreign, store, turn, await once(watched, hear), await once(watched, look))
    finally:
        await client.aclose()
        await watched.aclose()


async def once(watched: Any, work: Callable[[], Awaitable[object]]) -> Cost:
    """What something costs the store that is done once; the asking for the counters is taken off."""
    first, before = await watched.info("all"), await watched.info("all")
    await work()
    after = await watched.info("all")
    sent, got, commands = (after[name] - 2 * before[name] + first[name] for name in FIELDS)
    busy = [one["used_cpu_user"] + one["used_cpu_sys"] for one in (before, after)]
    return Cost(sent, got, commands, 1000 * (busy[1] - busy[0]))


async def _look(url: str, agents: int) -> None:
    """A guard looks at every agent once, as for cron."""
    options = GuardOptions(url, "agent", (), LogOptions(), GuardFile(TriggerSettings()), None, "growth")
    fleet = Fleet(options, lambda _event, **_fields: None)
    with TemporaryDirectory() as state, patch.dict(os.environ, XDG_STATE_HOME=state):  # nothing of it is the user's
        try:
            with patch("console.guard.run.fleet.TIMEOUT_S", PATIENT_S):  # a loaded machine is not what is counted
                await fleet.open()
            outcome = await fleet.once()
            assert (outcome.agents, outcome.failed) == (agents, 0), outcome
        finally:
            await fleet.aclose()


def _used(server: Server) -> int:
    told = dict(line.partition(":")[::2] for line in server.command("INFO", "memory").splitlines())
    return int(told["used_memory"])
