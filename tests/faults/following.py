"""Failovers under load, one after the other: how soon every part is on the new primary; nothing is done twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from console.agent import Settings
from console.agent.aio import AgentController
from console.cli.options import Session
from console.cli.runtime import primary, reader_on
from console.domain.errors import ConsoleError
from console.domain.seen.observation import LinkState, Observation
from console.guard.run.process import Guard
from console.guard.setup.options import GuardOptions
from console.live.source import Identity, LiveSource
from console.logs.options import LogOptions
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import SwitchRequest
from console.store.keys import GuardKeys, Keys
from console.store.server.bare import ask
from console.store.server.connect import connect, connect_sync
from tests.faults.fleet import Worker
from tests.faults.invariants import check
from tests.faults.venue import Venue
from tests.servers import Server
from tests.topologies import Sentinels, info
from tests.waiting import until_async

BUDGET_S: Final = 3.0
"""Every part is on the new primary within this time after it became one."""
COUNTED: Final = ("executions", "twice", "switches", "lost_switches", "doubts", "open_doubts", "late")
QUICK: Final = {"lease_ms": 1000, "margin_ms": 200, "timeout_ms": 500, "replicas": 1, "lost": 0}
PLAY: Final = Settings(replicas=1, heartbeat_ms=50, command_timeout_ms=500)


def failovers(folder: Path, *, count: int = 20, program: Path | None = None) -> dict[str, Any]:
    """Kill, or hang, the primary again and again while agents act, with claims that wait for a replica.

    Args:
        folder: for everything.
        count: how often; every other time the old primary comes back and still believes to be one.
    """
    setup = Sentinels(folder, down_ms=1000, failover_ms=3000, program=program)
    venue = Venue(folder)
    workers = [Worker(url=setup.url, venue=str(venue.path), slot=slot, **QUICK) for slot in ("blue", "green")]
    try:
        for number, worker in enumerate(workers):
            worker.start(number)
        run = _Run(setup, venue)
        outcome = asyncio.run(run.run(count, workers))
        for worker in workers:
            worker.kill()
        time.sleep(QUICK["lease_ms"] / 1000)
        client = venue.client()
        with connect_sync(setup.current.url, timeout_s=5.0) as store:
            findings = check(store, Keys.of(), client.history(), run.acknowledged)
        client.close()
        outcome |= {name: getattr(findings, name) for name in COUNTED}
        outcome["violations"] = [*findings.violations, *outcome["violations"]]
        return outcome
    finally:
        for worker in workers:
            worker.kill()
        venue.stop()
        setup.stop()


class _Run:
    def __init__(self, setup: Sentinels, venue: Venue) -> None:
        self.setup, self.venue, self.keys = setup, venue, Keys.of()
        self.acknowledged: list[int] = []
        self.took: dict[str, list[float]] = {}
        self.observation: Observation | None = None
        self.moves = self.again = 0

    async def run(self, count: int, workers: list[Worker]) -> dict[str, Any]:
        url = self.setup.url
        settings, stop = Session({"url": url}).settings(environ={}), asyncio.Event()
        guard = Guard(GuardOptions(url, "agent", (), LogOptions(), name="g"), self._tell)
        source = LiveSource(Identity("agent", url), reader_on(settings, url, "view"))
        agent = AgentController(url, slot="green", version="2", settings=PLAY, instance="aio")
        tasks: list[asyncio.Task[None]] = []
        try:
            await self._switch("blue")
            for worker in workers:
                await asyncio.to_thread(worker.wait_ready)
            await agent.start()
            await guard.open()
            tasks += [asyncio.create_task(guard.run(stop)), asyncio.create_task(source.run(self._publish))]
            client = self.venue.client()
            await until_async(lambda: client.size() > 30)
            for number in range(count):
                await self._one(client, hang=bool(number % 2))
                await self._switch("green" if number % 2 == 0 else "blue")
            client.close()
        finally:
            stop.set()
            await asyncio.wait(tasks[:1] or [asyncio.create_task(asyncio.sleep(0))], timeout=5.0)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with suppress(ConsoleError):
                await agent.stop()
            await guard.aclose()
        every = sorted(took for all_took in self.took.values() for took in all_took)
        late = {name: max(took) for name, took in self.took.items() if max(took) > BUDGET_S}
        return {
            "failovers": count,
            "more_of_them": self.again,
            "told_by_the_guard": self.moves,
            "followed_p50_s": round(every[len(every) // 2], 2),
            "followed_p99_s": round(every[min(len(every) - 1, len(every) * 99 // 100)], 2),
            **{f"{name}_max_s": round(max(took), 2) for name, took in self.took.items()},
            "violations": [f"{name} followed after {took:.1f} s, budget {BUDGET_S:g}" for name, took in late.items()],
        }

    async def _one(self, client: Any, *, hang: bool) -> None:
        """One failover, measured, and all three servers in step again."""
        setup = self.setup
        old = setup.current
        others = [server for server in setup.servers if server is not old]
        beats = await self._beats(old)
        old.hang() if hang else old.kill()
        since: dict[int, float] = {}

        def promoted_now() -> bool:
            for one in others:
                if info(one, "role") == "master":
                    since.setdefault(one.port, time.monotonic())
            return setup.current.port in since

        await until_async(promoted_now, "a replica is the primary, and the Sentinels say so", timeout_s=180.0)
        new, size = setup.current, client.size()
        promoted = since[new.port]
        direct = await connect(new.url, timeout_s=5.0)

        took: dict[str, float] = {}

        async def after(name: str, holds: Callable[[], Awaitable[object] | object]) -> None:
            await until_async(holds, name, timeout_s=20.0)
            took[name] = time.monotonic() - promoted

        async def verb() -> bool:
            with suppress(ConsoleError):
                await (await primary(setup.url, name="verb")).aclose()
                return True
            return False

        def beaten(name: str) -> Callable[[], Awaitable[bool]]:
            async def holds() -> bool:
                now = await self._beats(new, direct)
                return any(now[who] != beats.get(who) for who in now if name in who)

            return holds

        try:
            await asyncio.gather(
                after("verb", verb),
                after("console", lambda: self._console_on(new)),
                after("guard", beaten("guard:g")),
                after("blocking_agent", beaten("blue-")),
                after("asyncio_agent", beaten("aio~")),
                after("action", lambda: client.size() > size),
            )
        except AssertionError:
            if setup.current is new:
                raise
            self.again += 1  # a machine this busy: the Sentinels took the new primary for dead, too
        else:
            for name, seconds in took.items():
                self.took.setdefault(name, []).append(seconds)
        await direct.aclose()
        if hang:
            old.wake()  # it believes to be the primary until it is told
            await asyncio.sleep(0.5)
        else:
            await asyncio.to_thread(old.start)
        await until_async(self._in_step, "one primary, two replicas, and all Sentinels of one mind", timeout_s=180.0)

    def _in_step(self) -> bool:
        setup = self.setup
        now = setup.current
        for one in setup.servers:
            if one is not now and (info(one, "role") == "master" or info(one, "master_port") != str(now.port)):
                ask(one.socket, [["REPLICAOF", "127.0.0.1", str(now.port)]], timeout_s=5.0)
        up = all(info(one, "master_link_status") == "up" for one in setup.servers if one is not now)
        agreed = all(one.fields().get("port") == str(now.port) for one in setup.sentinels)
        return up and agreed and info(now, "connected_slaves") == "2"

    async def _beats(self, server: Server, client: Any = None) -> dict[str, bytes]:
        own = client or await connect(server.url, timeout_s=5.0)
        instances = await own.hgetall(self.keys.instances)
        guards = await own.hgetall(GuardKeys.of(self.keys).guards)
        if client is None:
            await own.aclose()
        return {name.decode(): value for name, value in instances.items()} | {
            f"guard:{name.decode()}": value for name, value in guards.items()
        }

    async def _switch(self, slot: str) -> None:
        """An operator's switch; acknowledged once a replica has it."""
        client = await connect(self.setup.url, timeout_s=5.0)
        reply = await AsyncFence(client, self.keys).switch(
            SwitchRequest(slot, expected_epoch="any", mode="now", by="op", resume=True, why="the next round")
        )
        if await client.execute_command("WAIT", 1, 4000) and reply.epoch:
            self.acknowledged.append(reply.epoch)
        await client.aclose()

    def _console_on(self, server: Server) -> bool:
        seen = self.observation
        live = seen is not None and seen.link.state is LinkState.LIVE and seen.store is not None
        return live and f"at 127.0.0.1:{server.port}," in seen.store.place  # type: ignore[union-attr]

    def _publish(self, observation: Observation) -> None:
        self.observation = observation

    def _tell(self, event: str, **_more: object) -> None:
        self.moves += event == "failover"
