"""The guard's process: three loops around one watch. It needs no leader and no terminal, and any number may run.

- *look*: decisions as they are written, a look after each, an act where one is due;
- *listen*: control events as they happen, pushed by the store;
- *tell*: alerts to webhooks, by whoever holds the lease.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from console.domain.alerts import finding_document
from console.domain.deployment import Phase, Slot
from console.domain.errors import StoreUnreachable
from console.domain.text import Safe, clean
from console.domain.triggers import Response
from console.domain.triggers_facts import Source
from console.domain.triggers_windows import Row
from console.guard.act import Actor, Result
from console.guard.drill import stream_of
from console.guard.exercises import Exercises
from console.guard.fenced import ActionStream, Push, newest_beat
from console.guard.follow import RowLog
from console.guard.loops import end, forever
from console.guard.news import News
from console.guard.notify import Notifier
from console.guard.options import GuardOptions
from console.guard.rows import RowReader
from console.guard.settings import Webhook
from console.guard.state import GuardState
from console.guard.telling import Tell, to_stderr
from console.guard.watch import Watch
from console.guard.watchlist import watch_list
from console.store.connect import connect
from console.store.fence import AsyncFence
from console.store.ids import new_id
from console.store.keys import Keys

if TYPE_CHECKING:
    from redis.asyncio import Redis

POLL_S: Final = 0.05
LOOK_S: Final = 0.25
"""Without anything new there is a look so often, for what time alone makes true."""
TEND_S: Final = 1.0
TELL_S: Final = 0.25
BLOCK_MS: Final = 1000


class Guard:
    """One guard on one agent.

    Args:
        options: see `GuardOptions`.
        tell: for the log; stderr by default.
    """

    def __init__(self, options: GuardOptions, tell: Tell | None = None) -> None:
        self.options = options
        self.name = options.name or f"{socket.gethostname()}-{os.getpid()}-{new_id()[:4]}"[:64]
        self.tell = tell or to_stderr(self.name)
        self.keys = Keys.of(options.agent)
        self._clients: list[Redis] = []
        self._started = options.clock()
        self._changed = asyncio.Event()
        self._fresh = False
        self._opened = False
        self._log: RowLog | None = None
        self._looked = 0.0
        self._source = Source(True, self._started)
        self._thresholds_problem = ""

    async def open(self) -> None:
        """Connect, and read what there is; nothing is acted on before.

        Raises:
            StoreUnreachable: no store answers.
        """
        options = self.options
        client = await self._connect(0.5, "guard")
        self.client = client
        self.fence = AsyncFence(client, self.keys)
        self.state = GuardState(client, self.keys)
        self.watch = Watch(
            options.agent, self.name, self.state, options.file.triggers, self.tell, self._started,
        )  # fmt: skip
        self.watch.actor = Actor(
            self.fence, self.state, self.keys, name=self.name, window_s=lambda: self.watch.settings.window_s,
            alive=self.watch.alive,
        )  # fmt: skip
        self.notifier = Notifier(
            client, self.fence, self.state, options.file.webhooks, holder=self.name, tell=self.tell
        )
        self._opened = True
        self._log = self._open_log(options.decisions)
        self._actions = ActionStream(client, self.keys)
        self._news = News(self.state, self.watch)
        self._drills = Exercises(client, self.watch, self.fence, self.keys)
        await self._adopt()
        await self._news.begin()
        await self._read_control()
        await self._catch_up()
        self._source = Source(True, options.clock())
        await self.tend()

    async def run(self, stop: asyncio.Event) -> None:
        """Guard until told to stop; then say goodbye."""
        self.tell("started", agent=self.options.agent, pid=os.getpid(), webhooks=[w.name for w in self._webhooks])
        loops = [forever(loop, self.tell) for loop in (self._looking, self._listening, self._tending, self._telling)]
        tasks = [asyncio.create_task(loop) for loop in loops]
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end((*tasks, stopping))
        for task in tasks:
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error
        self.tell("stopped")

    async def once(self) -> Result | None:
        """One look, for cron: act if it is due, and send what is to be sent."""
        result = await self.step(force=True)
        await self._news.take()
        await self.watch.keep_memory()
        if self._webhooks:
            await self.notifier.turn()
        return result

    async def aclose(self) -> None:
        """Leave the list of guards and close everything."""
        try:
            if self._opened:
                await self.notifier.aclose()
                await self.state.leave(self.name)
        except StoreUnreachable:
            self.tell("left without a word", reason="the store does not answer")
        finally:
            if self._log is not None:
                self._log.close()
            for client in self._clients:
                await client.aclose()

    # -- one step of each loop -----------------------------------------------------------------------------------------

    async def step(self, *, force: bool = False) -> Result | None:
        """Take what is new, look if anything is (or it is time), and act."""
        now = self.options.clock()
        watch = self.watch
        if self._log is not None:
            self._log.poll(now)
        elif self._changed.is_set() or force:
            await self._actions.read(self._take_row)
        if self._changed.is_set():
            self._changed.clear()
            await self._read_control()
            await self._news.take()
            await self._drills.carry_out()
            force = True
        if not (force or self._fresh or time.monotonic() - self._looked >= LOOK_S):
            return None
        self._fresh, self._looked = False, time.monotonic()
        watch.now = now
        found = watch.look(now, self._facts_source())
        if any(finding.due is not Response.CONTINUE for finding in found.findings) or force:
            result = await watch.respond(found)
            if result is not None:
                self._changed.set()
            return result
        return None

    async def tend(self) -> None:
        """Housekeeping once a second: the store's own, heartbeat, thresholds, what a dead guard left half done."""
        watch, now = self.watch, self.options.clock()
        beaten = await self.fence.tend()
        watch.settings, problem = await self.state.overrides(self.options.file.triggers)
        if problem != self._thresholds_problem:
            self._thresholds_problem = problem
            self.tell("thresholds refused" if problem else "thresholds taken", reason=problem)
        watch.facts.settings = watch.settings
        active = watch.facts.tenure.slot if watch.facts.tenure else ""
        watch.alive_at = newest_beat(await self.fence.heartbeats(), active)
        if self.options.state_file is not None and watch.facts.tenure is not None:
            watch.facts.watch_list = watch_list(self.options.state_file, watch.facts.tenure.at.timestamp())
        if watch.control is None or watch.control.epoch != beaten.epoch:
            self._changed.set()
        if beaten.phase is Phase.HALT:
            await self._news.again()
        if watch.control is not None and watch.actor is not None:
            result = await watch.actor.finish(watch.control)
            if result is not None:
                self.tell("finished", done=result.done.value, detail=result.detail, epoch=result.epoch)
                self._changed.set()
        await self.state.beat(self.name, self._heartbeat(beaten.server_ms, now))
        await watch.keep_memory()

    # -- loops ---------------------------------------------------------------------------------------------------------

    async def _looking(self) -> None:
        while True:
            began = time.monotonic()
            await self.step()
            if not (self._log is not None and self._log.behind):
                left_s = POLL_S - (time.monotonic() - began)
                try:
                    await asyncio.wait_for(self._changed.wait(), max(0.001, left_s))
                except TimeoutError:
                    continue
            else:
                await asyncio.sleep(0)

    async def _listening(self) -> None:
        client = await self._connect(BLOCK_MS / 1000 + 5.0, "guard-listen")
        streams = [self.keys.log, stream_of(self.keys)]
        if self._log is None:
            streams.append(self.keys.actions)
        push = Push(client, streams)
        while True:
            if await push.wait(BLOCK_MS):
                self._changed.set()

    async def _tending(self) -> None:
        while True:
            await self.tend()
            await asyncio.sleep(TEND_S)

    async def _telling(self) -> None:
        if not self._webhooks:
            await asyncio.Event().wait()
        import httpx  # noqa: F401 - now, and not at the first trip

        while True:
            await self.notifier.turn()
            await asyncio.sleep(TELL_S)

    # -- details -------------------------------------------------------------------------------------------------------

    @property
    def _webhooks(self) -> Sequence[Webhook]:
        return self.options.file.webhooks

    async def _connect(self, timeout_s: float, name: str) -> Redis:
        client = await connect(self.options.url, timeout_s=timeout_s, name=f"{name}:{self.name}"[:64])
        self._clients.append(client)
        return client

    def _open_log(self, decisions: tuple[str, ...]) -> RowLog | None:
        if not decisions:
            return None
        patterns = [str(Path(name).expanduser()) for name in decisions]
        signals = self.options.file.signals
        return RowLog(patterns, reader=RowReader(self.options.logs, signals), sink=self._take_row)

    def _take_row(self, row: Row) -> None:
        self._fresh = True
        self.watch.add(row)

    async def _adopt(self) -> None:
        """Take over a plain deployment as it is found: from here on every change of who acts has an epoch."""
        control = await self.state.control()
        if control.epoch or control.plain not in set(Slot):
            return
        await self.fence.switch(
            control.plain, expected_epoch=0, mode="now", drain_ms=0, by=f"guard {self.name}",
            why="the guard takes over what it finds",
        )  # fmt: skip

    async def _read_control(self) -> None:
        control = await self.state.control()
        events = await self.state.events(count=50)
        await self.watch.take_control(control, events)

    async def _catch_up(self) -> None:
        if self._log is not None:
            more = True
            while more:
                more = self._log.poll(self.options.clock())
                await asyncio.sleep(0)
        else:
            await self._actions.read(self._take_row)
        await self.watch.settle()

    def _facts_source(self) -> Source:
        problem = self._log.problem() if self._log is not None else Safe("")
        return Source(True, self._source.watched_since, problem, self.watch.alive_at)

    def _heartbeat(self, server_ms: int, now: datetime) -> dict[str, object]:
        watch = self.watch
        problem = self._facts_source().problem if watch.caught_up else ""
        return {
            "ms": server_ms,
            "agent": self.options.agent,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "started_at": self._started.isoformat(),
            "watching": watch.facts.tenure.slot if watch.facts.tenure else "",
            "problem": str(clean(problem or self._thresholds_problem, 200)),
            "notifies": self.notifier.held,
            "evaluated_at": watch.last.at.isoformat() if watch.last else now.isoformat(),
            "triggers": [finding_document(finding) for finding in watch.last.findings] if watch.last else [],
        }
