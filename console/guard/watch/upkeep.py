"""Housekeeping for one agent: thresholds, signs of life, escrows on its list, its canary, and what is kept of it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from console.domain.fence.deployment import Phase
from console.guard.act.attend import Attending
from console.guard.act.canary import CanaryWatch
from console.guard.act.takeover import Takeover
from console.guard.hear.fenced import newest_beat
from console.guard.hear.watchlist import WatchList
from console.guard.keep.archivist import Archivist
from console.guard.keep.charge import Charge
from console.guard.keep.tidy import forget_alerts, forget_guards
from console.guard.setup.options import GuardOptions
from console.guard.venue.watch import VenueWatch
from console.guard.watch.closely import Closely
from console.guard.watch.feed import Feed
from console.guard.watch.good import GoodKeeper
from console.guard.watch.pairing import Pairing
from console.guard.watch.watch import Watch
from console.guard.watch.witness import Witness
from console.store.fence.replies import BeatReply

CANARY_TURNS: Final = 5
"""Rounds between two looks for a canary, where there is none."""
AT_ONCE: Final = 20
"""Calls of the housekeeping in one round, where there is more of it than one call does."""
TIDY_TURNS: Final = 300
"""Rounds between two looks for guards that fell silent long ago."""


class Upkeep:
    """Housekeeping for one agent; all of it raises `StoreUnreachable` where there is no answer.

    Args:
        charge: the agent.
        options: what the process was started with.
        closely: turns for looking closely at its store, which all agents of the process share.
    """

    __slots__ = (
        "_archivist",
        "_attending",
        "_canary",
        "_charge",
        "_good",
        "_options",
        "_pairing",
        "_takeover",
        "_turns",
        "_venue",
        "_watch",
        "_watch_list",
        "thresholds_problem",
        "witness",
    )

    def __init__(self, charge: Charge, options: GuardOptions, closely: Closely) -> None:
        self._charge = charge
        self._options = options
        state_file = options.state_file_of(charge.agent)
        self._watch_list = WatchList(state_file) if state_file else None
        self._canary = CanaryWatch(charge)
        self._attending = Attending(charge, options.attendant_of)
        self._archivist = Archivist(charge, options.file.archive, options.clock)
        self.witness = Witness(charge, options.clock, closely, promise=options.promise)
        self._takeover = Takeover(charge)
        self._good = GoodKeeper(charge, options.clock)
        self._pairing = Pairing(charge)
        self._turns = 0
        document = options.venue_of(charge.agent)
        self._venue = VenueWatch(charge, document, state_file, options.clock, self._vouch) if document else None
        self._watch: Watch | None = None
        self.thresholds_problem = ""
        """Why the agent's own thresholds are not in force; empty when they are."""

    @property
    def canary(self) -> CanaryWatch:
        """Looks at the agent's canary."""
        return self._canary

    async def learn(self, watch: Watch, feed: Feed) -> BeatReply:
        """Let the store do its own housekeeping, and read what no event tells of; what the store says of the agent."""
        charge, facts = self._charge, watch.facts
        beaten = await charge.fence.tend(self.witness.seen)
        for _ in range(AT_ONCE):  # a drain whose deadline has passed ends so many claims with each call, and no more
            doubts = beaten.in_doubt
            if beaten.phase is not Phase.DRAIN:
                break
            beaten = await charge.fence.tend(self.witness.seen)
            if beaten.in_doubt <= doubts:
                break
        await self.witness.take(beaten, watch.settings.examine_s)
        before = watch.settings
        watch.settings, problem = await charge.state.overrides(self._options.file.triggers)
        if problem != self.thresholds_problem:
            self.thresholds_problem = problem
            charge.tell("thresholds refused" if problem else "thresholds taken", reason=problem)
        facts.settings = watch.settings
        beats = await charge.fence.heartbeats()
        settings = watch.settings
        await self._takeover.look(beats, watch.control, settings.takeover, settings.takeover_s)
        alive_at = newest_beat(beats, facts.tenure.slot if facts.tenure else "")
        if watch.settings != before or feed.heard != bool(beats) or _sooner(alive_at, watch.alive_at):
            watch.last_holds = False
        feed.heard, watch.alive_at = bool(beats), alive_at
        await self._good.look(watch)
        pairs = await self._pairing.read(facts, back=watch.control is not None and watch.control.began_back)
        watch.last_holds = watch.last_holds and pairs == facts.pairs
        facts.pairs = pairs
        if self._watch_list is not None and facts.tenure is not None:
            listed = self._watch_list.read(facts.tenure.at.timestamp())
            watch.last_holds = watch.last_holds and listed == facts.watch_list
            facts.watch_list = listed
        return beaten

    async def look_now(self, watch: Watch) -> None:
        """Record now which sides are healthy and reconciled: somebody is about to go back to one."""
        await self._good.look(watch, now=True)

    async def tidy(self, watch: Watch, server_ms: int) -> None:
        """Look at the canary, keep what has to survive a restart, and forget what is too much."""
        state = self._charge.state
        if self._canary.live or self._turns % CANARY_TURNS == 0:
            await self._canary.look()
            if self._canary.allowed is not None:
                watch.facts.allow(*self._canary.allowed)
        tenure = watch.control.tenure if watch.control is not None else None
        waits = bool(self._canary.finished) and (tenure is None or tenure.slot != self._canary.finished)
        if self._canary.live or waits:
            self._attending.begin()
        await watch.keep_memory()
        await forget_alerts(state, self._charge.tell)
        if self._turns % TIDY_TURNS == 0:
            await forget_guards(state, state.names.guards, server_ms)
        self._archivist.begin()
        self._watch = watch
        if self._venue is not None:
            self._venue.begin()
        self._turns += 1

    async def _vouch(self, side: str) -> str:
        """Why a side can't be vouched for now; empty where it can: by its heartbeats, else by its decision log."""
        watch = self._watch
        if watch is None:
            return "nothing is known of it yet"
        beats = await self._charge.fence.heartbeats()
        if not any(beat.get("slot") == side for beat in beats.values()):
            return watch.alive(side)
        newest, server_ms = newest_beat(beats, side), await self._charge.state.server_ms()
        silent_s = float("inf") if newest is None else server_ms / 1000 - newest.timestamp()
        return f"{side} has been silent for {silent_s:.0f} s" if silent_s > watch.settings.takeover_s else ""

    async def looked(self) -> None:
        """Wait until its store was looked at closely."""
        await self.witness.looked()

    async def aclose(self) -> None:
        """End what is under way."""
        await self._archivist.aclose()
        await self._attending.aclose()
        if self._venue is not None:
            await self._venue.aclose()
        await self.witness.aclose()


def _sooner(now: datetime | None, before: datetime | None) -> bool:
    """Whether a sign of life is gone, or older than one that was there."""
    return before is not None and (now is None or now < before)
