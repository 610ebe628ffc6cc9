"""What an agent does beside its work: two workers that beat, listen, and send what waits."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from console.agent.aio.link import Link
from console.agent.aio.waits import Changes, Signal, Workers
from console.agent.fence.action import as_words
from console.agent.fence.core import TELLING, Core, NoFlags
from console.agent.fence.spool import Settlement, Spool
from console.agent.fence.view import view_after, view_of
from console.agent.plain_secrets import logger
from console.agent.telemetry import records
from console.domain.errors import ConsoleError, Refused, StoreUnreachable
from console.domain.fence.claims import Level
from console.domain.fence.intent import Source
from console.store.fence.aio import AsyncFence
from console.store.fence.claims import SettleCode, SettleReply

if TYPE_CHECKING:
    from redis.asyncio import Redis

_log = logger("console.agent")

BLOCK_MS = 1_000
UNFIT_S = 0.5
"""Between two looks at a server that was found unfit: after a failover its replicas come back one by one."""
LET_ACT_S = 0.002
"""Who has become active acts first, then all acknowledge: otherwise both want the store at the same moment."""


class Service:
    """Keeps a controller's core up to date.

    Args:
        core: what is kept up to date.
        connect: opens a connection with a time-out in seconds for replies.
        spool: what is sent when the store takes it.
        ending: called when this side's tenure is about to end: a switch drains.
    """

    def __init__(
        self,
        core: Core,
        connect: Callable[[float], Awaitable[Redis]],
        spool: Spool,
        ending: Callable[[], None] = lambda: None,
    ) -> None:
        self._core = core
        self._ending = ending
        self._spool = spool
        timeout_s = core.settings.command_timeout_ms / 1000
        self._pulse_link = Link(lambda: connect(timeout_s), core.keys_on)
        self._push_link = Link(lambda: connect(BLOCK_MS / 1000 + 2), core.keys_on)
        self._wake = Signal()
        self._stopping = Signal()
        self._changes = Changes()
        self._cursor = ""
        self._examined = 0
        self._examined_at = float("-inf")
        self._escalated = Level.NONE
        self._workers = Workers()
        self.last_error = ""
        """Why the store was last away; empty while it answers."""

    # -- life ----------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Beat once, then begin both workers."""
        if self._workers:
            return
        self._stopping.clear()
        await self._attempt(self._find_cursor, "listening")
        await self._attempt(self._pulse)
        self._workers.start("pulse", self._pulse_loop)
        self._workers.start("push", self._push_loop)

    async def stop(self) -> None:
        """End both workers and take the instance off the list; nothing in a child of the process that began them."""
        if os.getpid() != self._core.pid:
            return
        self._stopping.set()
        self._wake.set()
        self._changes.add()  # who waits for a change goes on
        await self._workers.stop(lambda: self._attempt(self._farewell), BLOCK_MS / 1000 + 3)
        await self._pulse_link.close()
        await self._push_link.close()

    async def beat(self) -> None:
        """Beat now, and wait for the answer.

        Raises:
            StoreUnreachable: there was none.
        """
        await self._pulse_link.run(self._beat)

    def wake(self) -> None:
        """Beat now."""
        self._wake.set()

    @property
    def changes(self) -> int:
        """How often who may act has changed."""
        return self._changes.count

    def end_wait(self) -> None:
        """Let who waits for a change go on."""
        self._changes.add()

    async def wait_change(self, timeout_s: float, known: int | None = None) -> bool:
        """Wait until who may act changes."""
        return await self._changes.wait(timeout_s, known, self._stopping)

    async def _attempt(self, work: Callable[[], Awaitable[object]], what: str = "the heartbeat") -> bool:
        try:
            await work()
        except ConsoleError as error:
            self._trouble(error.message)
            return False
        except Exception as error:  # noqa: BLE001 - a heart that fails is told, stops claims, and is tried again
            self._core.defect(what, error)
            self._trouble(self._core.defects[what])
            return False
        self._core.defects.pop(what, None)
        self.last_error = "; ".join(self._core.defects.values())
        return True

    def _trouble(self, words: str) -> None:
        if words != self.last_error:
            _log.warning("%s: %s", self._core.instance, words)
        self.last_error = words

    def _look(self, changed: bool) -> None:
        if changed:
            self._changes.add()

    # -- pulse ---------------------------------------------------------------------------------------------------------

    async def _pulse_loop(self) -> None:
        while not self._stopping.is_set():
            await self._wake.wait(self._core.settings.heartbeat_ms / 1000)
            self._wake.clear()
            if not self._stopping.is_set():
                await self._attempt(self._pulse)

    async def _pulse(self) -> None:
        """One beat and all that goes with it. The store's being away ends it; whatever else fails stands in nobody's
        way."""
        core = self._core
        core.check_halt_file()
        self._spool.retry()
        if core.log is not None:
            await self._attempt(self._retry_log, "the decision log")
        if self._is_to_be_examined():
            examined = await self._attempt(self._examine_server, "the examination of the server")
            if not examined and not core.unfit:
                core.unexamined = f"the server could not be examined: {self.last_error.rstrip('.')}"
        await self._pulse_link.run(self._beat)
        await self._attempt(self._look_at_flags, "the flags")
        await self._attempt(self._empty_spool, "the spool")

    def _is_to_be_examined(self) -> bool:
        core = self._core
        if not core.settings.money:
            return False
        every_s = core.settings.examine_ms / 1000
        due = time.monotonic() - self._examined_at > (min(UNFIT_S, every_s) if core.unfit else every_s)
        return due or not self._pulse_link.connected or self._examined != self._pulse_link.opened

    async def _examine_server(self) -> None:
        await self._pulse_link.run(self._examine)
        self._examined, self._examined_at = self._pulse_link.opened, time.monotonic()

    async def _retry_log(self) -> None:
        if self._core.log is not None:
            self._core.log.retry()

    async def _look_at_flags(self) -> None:
        await self._pulse_link.run(self._read_flags)

    async def _empty_spool(self) -> None:
        core, spool = self._core, self._spool
        for _ in range(len(spool)):  # each at most once: what is refused for now waits behind the others
            settlement = spool.take_first()
            if settlement is None:
                break
            await self._deliver(settlement)
        if not len(spool):
            spool.adopt(core.lineages)
            core.defects.pop(TELLING, None)
        core.notes["spool"] = spool.problem
        if spool.set_aside:
            core.notes["set aside"] = f"{len(spool.set_aside)} results could not be sent: {spool.set_aside[-1]}"

    async def _examine(self, fence: AsyncFence) -> None:
        from console.store.reading.doctor import examine  # here: it is needed seldom

        core = self._core
        now = datetime.now(UTC)
        replicas, promise = core.settings.replicas, core.settings.promised
        checks = await examine(fence.client, fence.keys, wait_replicas=replicas, now=now, promise=promise)
        core.examined(checks)

    async def _beat(self, fence: AsyncFence) -> None:
        core = self._core
        if self._stopping.is_set():
            return  # goodbye was said, or will be: it is the last that is heard of us
        core.recall(fence.client)
        level, why = core.local
        file = core.settings.halt_file
        if level is not Level.NONE and level is not self._escalated and file is not None and file.exists():
            # One that can't be looked at halts this process alone.
            await fence.halt(core.instance, as_words(why), level=level, source=Source.AGENT)
        self._escalated = level
        for _ in range(2):  # the second time acknowledges what the first has learnt
            known = core.view.epoch
            state = await fence.beat(core.heartbeat(), epoch=known, seen=core.seen)
            core.beaten(state)
            self._look(core.look(view_of(state)))
            if core.view.epoch == known:
                break

    async def _read_flags(self, fence: AsyncFence) -> None:
        flags = self._core.flags
        if not isinstance(flags, NoFlags):
            flags.update(*await fence.read_flags(tuple(flags.specs)))

    async def _deliver(self, settlement: Settlement) -> None:
        try:
            reply: SettleReply = await self._pulse_link.run(lambda fence: settlement.send(fence))
        except StoreUnreachable:
            raise
        except Refused as error:  # the server's trouble, not the result's
            self._trouble(error.message)
            self._spool.last_now()
        except Exception as error:  # noqa: BLE001 - one that can't even be written down for the store
            self._spool.refuse_first(str(error))
        else:
            if reply.code is SettleCode.BADARG:
                self._spool.refuse_first("the store can't record it")
            elif reply.code in (SettleCode.NOINIT, SettleCode.DAMAGED):
                self._spool.last_now()
            else:
                self._core.told(settlement, reply)
                self._spool.drop_first()

    async def _farewell(self) -> None:
        core = self._core
        await self._pulse_link.run(
            lambda fence: fence.beat(core.heartbeat(), epoch=core.view.epoch, seen=core.seen, leaving=True)
        )

    # -- push ----------------------------------------------------------------------------------------------------------

    async def _find_cursor(self) -> None:
        self._cursor = await self._push_link.run(lambda fence: fence.log_end())

    async def _push_loop(self) -> None:
        while not self._stopping.is_set():
            if not await self._attempt(self._listen, "listening"):
                await self._stopping.wait(0.02 + random.random() * 0.08)  # noqa: S311 - jitter, nothing secret

    async def _listen(self) -> None:
        if not self._cursor:
            await self._find_cursor()
            self._wake.set()
        for entry_id, event in await self._push_link.run(lambda fence: fence.wait_log(self._cursor, BLOCK_MS)):
            self._cursor = entry_id
            self._core.heard(entry_id, event)
            await self._event(event)

    async def _event(self, event: Mapping[str, str]) -> None:
        core = self._core
        known = core.view.epoch
        kind = event.get("k", "")
        if kind in ("ack", "left", "limits"):
            return
        records.control(event, core.agent, core.slot, core.instance)
        if kind == "drain":
            self._ending()
        self._look(core.look(view_after(core.view, dict(event))))
        if core.view.epoch != known:
            await self._wake.set_after(LET_ACT_S)
        elif kind == "flag":
            self._wake.set()
