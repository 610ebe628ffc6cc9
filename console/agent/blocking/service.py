# Generated, do not edit: `python -m tests.generate.blocking` wrote it
# from console/agent/aio/service.py.
"""What an agent does beside its work: two workers that beat, listen, and send what waits."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from console.agent.blocking.link import Link
from console.agent.blocking.waits import Changes, Signal, Workers
from console.agent.fence.core import Core, NoFlags
from console.agent.fence.spool import Settlement, Spool
from console.agent.fence.view import view_after, view_of
from console.domain.errors import ConsoleError, Refused, StoreUnreachable
from console.domain.fence.claims import Level
from console.store.fence.blocking import Fence
from console.store.fence.claims import SettleCode, SettleReply

if TYPE_CHECKING:
    from redis import Redis

BLOCK_MS = 1_000
LET_ACT_S = 0.002
"""Who has become active acts first, then all acknowledge: otherwise both want the store at the same moment."""


class Service:
    """Keeps a controller's core up to date."""

    def __init__(self, core: Core, connect: Callable[[float], Redis], spool: Spool) -> None:
        self._core = core
        self._spool = spool
        timeout_s = core.settings.command_timeout_ms / 1000
        self._pulse_link = Link(lambda: connect(timeout_s), core.keys)
        self._push_link = Link(lambda: connect(BLOCK_MS / 1000 + 2), core.keys)
        self._wake = Signal()
        self._stopping = Signal()
        self._changes = Changes()
        self._cursor = ""
        self._escalated = Level.NONE
        self._workers = Workers()
        self.last_error = ""
        """Why the store was last away; empty while it answers."""

    # -- life ----------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        if self._workers:
            return
        self._attempt(self._find_cursor)
        self._attempt(self._pulse)
        self._workers.start("pulse", self._pulse_loop)
        self._workers.start("push", self._push_loop)

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()
        self._workers.stop(lambda: self._attempt(self._farewell), BLOCK_MS / 1000 + 3)
        self._pulse_link.close()
        self._push_link.close()

    def wake(self) -> None:
        self._wake.set()

    @property
    def changes(self) -> int:
        return self._changes.count

    def wait_change(self, timeout_s: float, known: int | None = None) -> bool:
        return self._changes.wait(timeout_s, known, self._stopping)

    def _attempt(self, work: Callable[[], object]) -> bool:
        try:
            work()
        except ConsoleError as error:
            self.last_error = error.message
            return False
        self.last_error = ""
        return True

    def _look(self, changed: bool) -> None:
        if changed:
            self._changes.add()

    # -- pulse ---------------------------------------------------------------------------------------------------------

    def _pulse_loop(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(self._core.settings.heartbeat_ms / 1000)
            self._wake.clear()
            if not self._stopping.is_set():
                self._attempt(self._pulse)

    def _pulse(self) -> None:
        core = self._core
        core.check_halt_file()
        if core.log is not None:
            core.log.retry()
        if core.unexamined and not core.unfit:
            self._pulse_link.run(self._examine)
        self._pulse_link.run(self._beat)
        self._pulse_link.run(self._read_flags)
        while (settlement := self._spool.take_first()) is not None:
            if not self._deliver(settlement):
                break
        if not len(self._spool):
            self._spool.adopt()

    def _examine(self, fence: Fence) -> None:
        from console.store.reading.doctor import examine_blocking as examine  # here: it is needed once

        core = self._core
        now = datetime.now(UTC)
        core.examined(examine(fence.client, core.keys, wait_replicas=core.settings.replicas, now=now))

    def _beat(self, fence: Fence) -> None:
        core = self._core
        level, why = core.local
        file = core.settings.halt_file
        if level is not Level.NONE and level is not self._escalated and file is not None and file.exists():
            fence.halt(core.instance, why, level=level)  # a file that can't be looked at halts this process alone
        self._escalated = level
        for _ in range(2):  # the second time acknowledges what the first has learnt
            known = core.view.epoch
            self._look(core.look(view_of(fence.beat(core.heartbeat(), epoch=known, seen=core.seen))))
            if core.view.epoch == known:
                break

    def _read_flags(self, fence: Fence) -> None:
        flags = self._core.flags
        if not isinstance(flags, NoFlags):
            flags.update(*fence.read_flags(tuple(flags.specs)))

    def _deliver(self, settlement: Settlement) -> bool:
        try:
            reply: SettleReply = self._pulse_link.run(lambda fence: settlement.send(fence))
        except StoreUnreachable:
            raise
        except Refused as error:
            self.last_error = error.message
            return False
        if reply.code is SettleCode.NOINIT:
            return False
        self._spool.drop_first()
        return True

    def _farewell(self) -> None:
        core = self._core
        self._pulse_link.run(
            lambda fence: fence.beat(core.heartbeat(), epoch=core.view.epoch, seen=core.seen, leaving=True)
        )

    # -- push ----------------------------------------------------------------------------------------------------------

    def _find_cursor(self) -> None:
        self._cursor = self._push_link.run(lambda fence: fence.log_end())

    def _push_loop(self) -> None:
        while not self._stopping.is_set():
            if not self._attempt(self._listen):
                self._stopping.wait(0.02 + random.random() * 0.08)  # noqa: S311 - jitter, nothing secret

    def _listen(self) -> None:
        if not self._cursor:
            self._find_cursor()
            self._wake.set()
        for entry_id, event in self._push_link.run(lambda fence: fence.wait_log(self._cursor, BLOCK_MS)):
            self._cursor = entry_id
            self._event(event)

    def _event(self, event: Mapping[str, str]) -> None:
        core = self._core
        known = core.view.epoch
        kind = event.get("k", "")
        if kind in ("ack", "left", "limits"):
            return
        self._look(core.look(view_after(core.view, dict(event))))
        if core.view.epoch != known:
            self._wake.set_after(LET_ACT_S)
        elif kind == "flag":
            self._wake.set()
