"""What a guard vouches for beside the agent's conduct: that its store has lost nothing, is not damaged, and is fit for
money.

It remembers on this host's disk what it has seen of the agent's authority; a store that is behind it is halted by the
housekeeping call itself. The chained streams are verified again and again, in the background, and the server is
examined; what is wrong is an alert, once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from console.domain.errors import ConsoleError
from console.domain.fence.chain import Mark
from console.domain.fence.check import refusals
from console.domain.guard.alerts import Alert, AlertKind, alert_id
from console.domain.text import Safe, clean
from console.domain.triggers.finding import Severity
from console.guard.keep.charge import Charge
from console.store.fence.chains import chains_of, verify_stream
from console.store.fence.memory import Memory, default_folder, store_name
from console.store.fence.replies import BeatCode, BeatReply, Seen
from console.store.reading.doctor import examine

VERIFY_S: Final = 5.0
"""Between two verifications of an agent's chains, at the least; and a hundred times as long as one takes."""
EXAMINE_S: Final = 30.0
"""Between two examinations of the server, at the most; and after each new connection."""


class Witness:
    """Looks after one agent's store.

    Args:
        charge: the agent.
        clock: the time now.
        folder: where it remembers; this user's by default.
    """

    __slots__ = ("_charge", "_clock", "_folder", "_memory", "_run", "_told", "_verify_at", "examined_at", "problem")

    def __init__(self, charge: Charge, clock: Callable[[], datetime], folder: Path | None = None) -> None:
        self._charge = charge
        self._clock = clock
        self._folder = folder
        self._memory: Memory | None = None
        self._verify_at = float("-inf")
        self.examined_at = float("-inf")
        self._run: asyncio.Task[None] | None = None
        self._told: set[str] = set()
        self.problem = ""
        """What is wrong with the store now; empty when nothing is known."""

    @property
    def seen(self) -> Seen:
        """What is remembered of the store."""
        if self._memory is None:
            client = self._charge.fence.client
            self._memory = Memory(self._folder or default_folder(), store_name(client), self._charge.agent)
        return self._memory.seen

    async def take(self, reply: BeatReply) -> None:
        """Take what the store said to the housekeeping call, and begin what is due beside it.

        Raises:
            StoreUnreachable: no answer.
        """
        assert self._memory is not None
        if reply.code is BeatCode.OK:
            if self.seen.lineage != reply.seen.lineage:
                self._told.clear()
            self._memory.take(reply.seen)
            self.problem = ""
        elif reply.code in (BeatCode.REGRESSED, BeatCode.DAMAGED):
            what = "the store went back in time" if reply.code is BeatCode.REGRESSED else "the store is damaged"
            self.problem = f"{what}: {reply.detail}; everything is halted"
            await self._alert("store", self.problem, Severity.CRITICAL)
            if reply.code is BeatCode.DAMAGED:
                self._memory.take(reply.seen)
        if reply.late:
            why = "a claim that was taken for not executed was reported after all"
            await self._alert("late", f"late reports: {reply.late}; {why}", Severity.CRITICAL)
        if self._run is None or self._run.done():
            self._run = asyncio.create_task(self._look_closer())

    async def aclose(self) -> None:
        """End what is under way."""
        if self._run is not None:
            self._run.cancel()
            await asyncio.gather(self._run, return_exceptions=True)
        if self._memory is not None:
            self._memory.close()

    async def _look_closer(self) -> None:
        """Verify and examine, if it is time; a store that is away is told of elsewhere."""
        began = time.monotonic()
        try:
            if began >= self._verify_at:
                await self._verify()
                self._verify_at = time.monotonic() + max(VERIFY_S, 100 * (time.monotonic() - began))
            if time.monotonic() - self.examined_at > EXAMINE_S:
                self.examined_at = time.monotonic()
                await self._examine()
        except (ConsoleError, OSError) as error:
            self._charge.tell("not looked at closely", reason=str(clean(getattr(error, "message", error), 200)))

    async def _verify(self) -> None:
        charge, seen = self._charge, self.seen
        marks = {"acts": seen.actions, "log": seen.events}
        for chain in chains_of(charge.keys):
            mark = marks.get(chain.name)
            remembered = (Mark(mark.number, mark.hash),) if mark and mark.hash else ()
            verdict = await verify_stream(charge.fence.client, charge.keys, chain, marks=remembered)
            if not verdict.ok:
                await self._alert(
                    "chain", f"the chain of {chain.name} does not verify: {verdict.problem}", Severity.CRITICAL
                )

    async def _examine(self) -> None:
        charge = self._charge
        if not await charge.fence.heartbeats():
            return  # nobody here claims; `doctor` says what the server lacks
        checks = await examine(charge.fence.client, charge.keys, now=self._clock())
        unfit = "; ".join(f"{check.name}: {check.seen}" for check in refusals(checks))
        if unfit:
            await self._alert(
                "fitness", f"the server is not fit for money, and its agents claim nothing: {unfit}", Severity.CRITICAL
            )

    async def _alert(self, what: str, reason: str, severity: Severity) -> None:
        if reason in self._told:
            return
        charge = self._charge
        alert = Alert(
            id=alert_id(charge.agent, what, reason, self.seen.lineage),
            at=self._clock(),
            agent=clean(charge.agent, 64),
            kind=AlertKind.WARNING,
            severity=severity,
            trigger=Safe(""),
            reason=clean(reason),
            by=clean(charge.by, 128),
        )
        if await charge.state.raise_alert(alert):
            charge.tell("alert", id=alert.id, kind=alert.kind.value, reason=alert.reason)
        self._told.add(reason)
