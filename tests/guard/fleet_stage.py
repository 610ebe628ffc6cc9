"""Many agents on one store, and fleets of guards in this process, each with a clock that a test can move on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.domain.fence.claims import Direction, Outcome
from console.domain.triggers.settings import TriggerSettings, changed
from console.guard.keep.state import GuardState
from console.guard.loops import end
from console.guard.run.fleet import Fleet
from console.guard.setup.options import GuardOptions
from console.guard.setup.settings import GuardFile, Webhook
from console.logs.options import LogOptions
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import Heartbeat, SwitchRequest
from console.store.fence.claims import Intent
from console.store.fence.ids import new_id
from console.store.records.guards import read_alerts, read_guards
from console.store.server.cluster import keys_on
from tests.guard.records import history, record, write
from tests.waiting import until_async

if TYPE_CHECKING:
    import redis.asyncio

    from console.domain.guard.alerts import Alert, GuardReading


class FleetStage:
    """Agents of which green is active and blue stands by, warm.

    Args:
        client: on an empty store.
        url: of it.
        folder: for logs: one folder an agent.
    """

    def __init__(self, client: redis.asyncio.Redis, url: str, folder: Path) -> None:
        self.client, self.url, self.folder = client, url, folder
        self.ahead_s = 0.0
        self.told: list[dict[str, Any]] = []

    def clock(self) -> datetime:
        return datetime.fromtimestamp(time.time() + self.ahead_s, UTC)

    def events(self, *names: str) -> list[dict[str, Any]]:
        """What guards said, of these kinds."""
        return [one for one in self.told if one["event"] in names]

    def log(self, agent: str) -> Path:
        return self.folder / agent / "decisions.jsonl"

    async def plain(self, agent: str, *, log: bool = True) -> None:
        """A plain agent with a decision log."""
        await self.client.set(keys_on(self.client, agent).active, "green")
        if log:
            self.log(agent).parent.mkdir(exist_ok=True)
            now_s = self.clock().timestamp()
            write(self.log(agent), [*history(now_s - 250, 200, "blue"), record(now_s, "blue", pnl=None)])

    async def fenced(self, agent: str) -> None:
        """A fenced agent that is known by its heartbeats and its actions alone."""
        fence = AsyncFence(self.client, keys_on(self.client, agent))
        done = await fence.switch(SwitchRequest("blue", expected_epoch=0, mode="now", by="op"))
        done = await fence.switch(SwitchRequest("green", expected_epoch=done.epoch, mode="now", by="op"))
        for slot in ("blue", "green"):
            await fence.beat(Heartbeat(f"{slot}-1", slot), epoch=done.epoch, seen=done.epoch)

    async def loses(self, agent: str, amount: int) -> None:
        """Green of a fenced agent settles a loss."""
        fence = AsyncFence(self.client, keys_on(self.client, agent))
        authority = await fence.authority()
        assert authority is not None
        intent = Intent(
            f"bet-{new_id()}",
            new_id(),
            "green",
            authority.epoch,
            "green-1",
            Decimal(1),
            "USD",
            Direction.ENTER,
            "bet",
            5000,
            authority.epoch,
        )
        assert (await fence.claim(intent)).granted
        await fence.settle(intent, Outcome.OK, pnl=Decimal(-amount))

    def fails(self, agent: str) -> None:
        """An unhandled exception stands in an agent's log."""
        now_s = self.clock().timestamp()
        write(self.log(agent), [record(now_s, "blue", pnl=None), record(now_s, "green", decision_type="exception")])

    def fleet(
        self, name: str = "f1", *, webhooks: tuple[Webhook, ...] = (), logs: bool = True, **settings: str
    ) -> Fleet:
        """A guard on all of them."""
        values = {key.replace("__", "."): value for key, value in settings.items()}
        file = GuardFile(changed(TriggerSettings(), values), webhooks=webhooks)
        patterns = (str(self.folder / "{agent}" / "*.jsonl"),) if logs else ()
        options = GuardOptions(
            self.url, "agent", patterns, LogOptions(last_lines=100_000), file, None, name, self.clock
        )
        return Fleet(options, lambda event, **fields: self.told.append({"event": event, "by": name, **fields}))

    @asynccontextmanager
    async def running(self, *fleets: Fleet) -> AsyncIterator[None]:
        """Run them until the end of the block."""
        stop = asyncio.Event()
        for fleet in fleets:
            await fleet.open()
        tasks = [asyncio.create_task(fleet.run(stop)) for fleet in fleets]
        try:
            yield
            for task in tasks:
                assert not task.done(), task
        finally:
            stop.set()
            await asyncio.wait(tasks, timeout=20)
            await end(tasks)
            for fleet in fleets:
                await fleet.aclose()

    async def watched(self, *fleets: Fleet, agents: Iterable[str]) -> None:
        """Wait until each of these agents is watched by as many as there can be."""
        wanted = min(2, len(fleets))

        async def so() -> bool:
            for agent in agents:
                watching = [fleet for fleet in fleets if agent in fleet.patrol.wards]
                if len(watching) != wanted or any(not one.patrol.wards[agent].watch.caught_up for one in watching):
                    return False
            return True

        await until_async(so)

    async def active(self, agent: str) -> str:
        """What plain agents read."""
        return (await self.state(agent).control()).plain

    async def becomes(self, agent: str, active: str) -> None:
        """Wait until that side is active."""

        async def so() -> bool:
            return await self.active(agent) == active

        await until_async(so)

    def state(self, agent: str) -> GuardState:
        return GuardState(self.client, keys_on(self.client, agent))

    async def alerts(self, agent: str) -> tuple[Alert, ...]:
        state = self.state(agent)
        return read_alerts(await state.hash(state.names.alerts))

    async def guards(self, agent: str) -> tuple[GuardReading, ...]:
        state = self.state(agent)
        return read_guards(await state.hash(state.names.guards))
