"""Looks at an agent's venue, on a clock of their own: nothing that judges or acts waits for one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from console.domain.commitments.at_venue import listing_of
from console.domain.commitments.commitment import Kind
from console.domain.commitments.kept_listing import KeptListing
from console.domain.errors import ConsoleError
from console.domain.text import Safe, clean
from console.domain.venue.books import Books, compare, watching
from console.domain.venue.judge import Item, closed, judge
from console.domain.venue.reading import Why
from console.domain.venue.stored import MOST, VenueSeen
from console.guard.keep.charge import Charge
from console.guard.loops import end
from console.guard.venue.alarm import Alarm
from console.guard.venue.doubts import Doubts
from console.guard.venue.lifeline import Lifeline, Vouch
from console.store.reading.owed import read_mark
from console.store.records.venue import keep_seen

if TYPE_CHECKING:
    from console.venue.prober import Prober

RETRY_S: Final = 1.0
LEASE: Final = "venue"


class VenueWatch:
    """One agent's venue, beside everything else that a guard does.

    Args:
        charge: the agent.
        path: the venue's document.
        state_file: where local books stand; None for nowhere.
        clock: the time now.
        vouch: why the active side can't be vouched for; see `Lifeline`.
    """

    def __init__(
        self,
        charge: Charge,
        path: Path,
        state_file: Path | None,
        clock: Callable[[], datetime],
        vouch: Vouch,
    ) -> None:
        self._charge, self._path, self._state_file, self._clock, self._vouch = charge, path, state_file, clock, vouch
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._prober: Prober | None = None
        self._alarm = Alarm(charge, clock)
        self._told = ""
        self.problem = ""
        """Why nothing is looked at; empty while something is."""

    def begin(self) -> None:
        """Go round, if that is not under way; never waited for."""
        for task in self._tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                self._tell(f"{type(error).__name__}: {clean(error, 120)}")
        if self._tasks and not any(task.done() for task in self._tasks):
            return
        for task in self._tasks:
            task.cancel()
        self._tasks = ()
        try:
            prober = self._opened()
        except ConsoleError as error:
            self._tell(error.message)
            return
        lifeline = Lifeline(self._charge, prober, self._clock, self._vouch)
        doubts = Doubts(self._charge, prober, self._alarm)
        self._tasks = (asyncio.create_task(self._looking(prober, doubts)), asyncio.create_task(lifeline.run()))

    async def aclose(self) -> None:
        """End it; the dead man's switch is left to fall, or to another guard."""
        looked = bool(self._tasks)
        await end(self._tasks)
        if looked:
            try:
                await self._charge.fence.lease(LEASE, self._charge.guard, ttl_ms=1, release=True)
            except ConsoleError as error:  # it ends by itself
                self._charge.tell("venue's lease not given back", reason=error.message)
        if self._prober is not None:
            await self._prober.aclose()

    async def turn(self, prober: Prober, doubts: Doubts) -> VenueSeen | None:
        """One look, unless another guard has its turn; what was seen.

        Raises:
            StoreUnreachable: no answer.
        """
        charge, pace = self._charge, prober.venue.document.pace
        every_s = pace.every_s
        if not (await charge.fence.lease(LEASE, charge.guard, ttl_ms=int((every_s + pace.look_s) * 1_000))).held:
            return None
        venue, now = prober.venue, self._clock()
        began, newest = await read_mark(charge.fence.client, charge.keys)  # before anything is asked
        before, trouble = await asyncio.to_thread(self._books, prober)  # a large file is parsed beside the loop
        owed = [one.id for one in await charge.fence.owed() if one.commitment.kind is Kind.ESCROW]
        before = watching(before, owed, now)
        look = await prober.look(now, (before.escrows or ()) if before else ())
        history = await doubts.look(self._clock())
        after, trouble_after = await asyncio.to_thread(self._books, prober)
        done = self._clock()
        after = watching(after, owed, done)
        look = look._replace(history=history)
        # The venue moves the money, and our books are written a moment later: one of the two has to agree.
        judged = [(judge(look, books, venue.rules, done), books) for books in (after, before)]
        items, books = min(judged, key=lambda one: len(closed(one[0])))
        if trouble and trouble_after:
            items = (Item(Safe("local books"), Why.MALFORMED, trouble_after, done), *items)
        shut = closed(items)
        hide = venue.secret.hide
        kept = (*shut, *(one for one in items if one.fine))[:MOST]
        seen = VenueSeen(
            look.venue,
            now,
            clean(charge.guard, 128),
            every_s,
            len(shut),
            tuple(Item(hide(one.what), one.why, hide(one.detail), one.at) for one in kept),
            compare(books, look, venue.rules.tolerances, done),
        )
        rules, fresh_s = venue.rules, venue.rules.tolerances.fresh_s
        listing = listing_of(look, rules.escrow, done, fresh_s, began, rules.excluded)
        things = KeptListing(listing._replace(newest=newest), every_s)
        await keep_seen(charge.fence.client, charge.keys, seen, things)
        await self._alarm.take(item for item in seen.items if item.why is not None)
        return seen

    def _opened(self) -> Prober:
        """Something to ask with; loaded here, so that a guard without a venue pays for none of it.

        Raises:
            ConsoleError: the document can't be gone by.
        """
        from console.venue.prober import Prober
        from console.venue.setup import load

        if self._prober is None:
            self._prober = Prober(load(self._path), self._charge.agent)
        return self._prober

    def _books(self, prober: Prober) -> tuple[Books | None, Safe]:
        """Local books, and why there are none where there should be."""
        from console.venue.books import read_books

        if self._state_file is None:
            return None, Safe("")
        try:
            return read_books(self._state_file, prober.venue.document.books), Safe("")
        except ConsoleError as error:
            return None, clean(error.message)

    async def _looking(self, prober: Prober, doubts: Doubts) -> None:
        while True:
            try:
                await self.turn(prober, doubts)
            except ConsoleError as error:
                self._tell(error.message)
                await asyncio.sleep(RETRY_S)
                continue
            self._tell("")
            await asyncio.sleep(prober.venue.document.pace.every_s)

    def _tell(self, problem: str) -> None:
        self.problem = problem
        if problem != self._told:
            self._told = problem
            self._charge.tell("venue not watched" if problem else "venue watched", reason=problem)
