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
from functools import partial
from pathlib import Path
from typing import Final

from console.domain.fence.chain import Mark
from console.domain.fence.check import refusals
from console.domain.fence.promise import Promise
from console.domain.text import clean
from console.domain.triggers.finding import Severity
from console.guard.keep.charge import Charge
from console.guard.watch.closely import Closely
from console.store.fence.chains import chains_of, verify_stream
from console.store.fence.holding import Holding
from console.store.fence.memory import Memory, default_memory, store_name
from console.store.fence.replies import BeatCode, BeatReply, Seen
from console.store.reading.doctor import examine
from console.store.server.sentinel import standing_of

VERIFY_S: Final = 5.0
"""Between two verifications of an agent's chains, at the least; and a hundred times as long as one takes."""


class Witness:
    """Looks after one agent's store.

    Args:
        charge: the agent.
        clock: the time now.
        closely: turns for looking closely, which all agents of the process share.
        folder: where it remembers; this user's by default.
    """

    __slots__ = (
        "_charge",
        "_clock",
        "_closely",
        "_examined_at",
        "_folder",
        "_holding",
        "_memory",
        "_noted",
        "_promise",
        "_run",
        "_told",
        "_verify_at",
        "problem",
    )

    def __init__(
        self,
        charge: Charge,
        clock: Callable[[], datetime],
        closely: Closely,
        folder: Path | None = None,
        promise: Promise | None = None,
    ) -> None:
        self._charge = charge
        self._clock = clock
        self._closely = closely
        self._folder = folder
        self._promise = promise
        self._memory: Memory | None = None
        self._holding = Holding(partial(standing_of, charge.fence.client))
        self._verify_at = float("-inf")
        self._examined_at = float("-inf")
        self._run: asyncio.Task[None] | None = None
        self._told: set[str] = set()
        self._noted: dict[str, str] = {}
        """What was last said of what this guard itself can't do."""
        self.problem = ""
        """What is wrong with the store now; empty when nothing is known."""

    @property
    def seen(self) -> Seen:
        """What is remembered of the store."""
        if self._memory is None:
            client = self._charge.fence.client
            agent, folder = self._charge.agent, self._folder
            self._memory = Memory(folder, store_name(client), agent) if folder else default_memory(client, agent)
        return self._memory.seen

    async def take(self, reply: BeatReply, examine_s: float) -> None:
        """Take what the store said to the housekeeping call, and begin what is due beside it.

        Args:
            reply: to the call that brought what is remembered.
            examine_s: between two examinations of the server, at the most.

        Raises:
            StoreUnreachable: no answer.
        """
        assert self._memory is not None
        if reply.code is BeatCode.OK:
            if self.seen.lineage != reply.seen.lineage:
                self._told.clear()
            self._memory.take(self._holding.held(reply.seen, self.seen, time.monotonic()))
            self.problem = ""
        elif reply.code in (BeatCode.REGRESSED, BeatCode.DAMAGED):
            what = "the store went back in time" if reply.code is BeatCode.REGRESSED else "the store is damaged"
            self.problem = f"{what}: {reply.detail}; everything is halted"
            await self._alert("store", self.problem, Severity.CRITICAL)
            if reply.code is BeatCode.DAMAGED:
                self._memory.take(reply.seen)
        elif reply.code is BeatCode.BADEPOCH:
            hours = (self.seen.epoch - reply.server_ms) / 3_600_000
            self.problem = (
                f"the store's clock is {hours:.1f} h behind an epoch that was seen; nothing is known of its data"
            )
            await self._alert("store", "the store's clock is behind an epoch that was seen", Severity.CRITICAL)
        self._note("memory not kept", self._memory.problem)
        if reply.late:
            why = "a claim that was taken for not executed was reported after all"
            await self._alert("late", f"late reports: {reply.late}; {why}", Severity.CRITICAL)
        if self._due(examine_s) and (self._run is None or self._run.done()):
            self._run = asyncio.create_task(self._look_closer(examine_s))

    async def looked(self) -> None:
        """Wait until what was begun beside everything else is done."""
        if self._run is not None:
            await self._run

    async def aclose(self) -> None:
        """End what is under way."""
        if self._run is not None:
            self._run.cancel()
            await asyncio.gather(self._run, return_exceptions=True)
        if self._memory is not None:
            self._memory.close()

    def _note(self, event: str, reason: str) -> None:
        """Say what can't be done, when it begins and when it changes."""
        if reason and self._noted.get(event) != reason:
            self._charge.tell(event, reason=reason)
        self._noted[event] = reason

    async def _look_closer(self, examine_s: float) -> None:
        """Verify and examine, if it is time. What goes wrong with it is said, and it is tried again in due time."""
        try:
            async with self._closely.turn():
                began = time.monotonic()
                if began >= self._verify_at:
                    await self._verify()
                    self._verify_at = time.monotonic() + max(VERIFY_S, 100 * (time.monotonic() - began))
                if time.monotonic() - self._examined_at > examine_s:
                    self._examined_at = time.monotonic()
                    await self._examine(examine_s)
        except Exception as error:  # noqa: BLE001 - whatever a store holds, the guard goes on
            self._verify_at = time.monotonic() + VERIFY_S
            words = getattr(error, "message", "") or f"{type(error).__name__}: {error}"
            self._note("not looked at closely", str(clean(words, 200)))
        else:
            self._note("not looked at closely", "")

    def _due(self, examine_s: float) -> bool:
        now = time.monotonic()
        return now >= self._verify_at or now - self._examined_at > examine_s

    async def _verify(self) -> None:
        charge, seen = self._charge, self.seen
        marks = {"acts": seen.actions, "log": seen.events}
        for chain in chains_of(charge.keys):
            mark = marks.get(chain.name)
            remembered = (Mark(mark.number, mark.hash),) if mark and mark.hash else ()
            verdict = await verify_stream(charge.fence.client, charge.keys, chain, marks=remembered)
            if not verdict.ok:
                first = verdict.findings[0] if verdict.findings else None
                where = f"{chain.name} {first.kind.value} {first.at}" if first else chain.name
                reason = f"the chain of {chain.name} does not verify: {verdict.problem}"
                await self._alert("chain", reason, Severity.CRITICAL, same=where)

    async def _examine(self, examine_s: float) -> None:
        charge = self._charge
        if not await charge.fence.heartbeats():
            return  # nobody here claims; `doctor` says what the server lacks
        client = charge.fence.client
        server = await self._closely.server(client, examine_s)
        checks = await examine(client, charge.keys, now=self._clock(), promise=self._promise, server=server)
        unfit = "; ".join(f"{check.name}: {check.seen}" for check in refusals(checks))
        if unfit:
            await self._alert(
                "fitness", f"the server is not fit for money, and its agents claim nothing: {unfit}", Severity.CRITICAL
            )

    async def _alert(self, what: str, reason: str, severity: Severity, *, same: str = "") -> None:
        """Raise one alert; again only for another reason, or what is the same in it where its words count on."""
        same = same or reason
        if same in self._told:
            return
        await self._charge.raise_alert(severity, reason, self._clock(), what, same, self.seen.lineage)
        self._told.add(same)
