"""Where the facts about one agent come from: its decision logs where it has any, else its actions in the store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from console.domain.text import Safe
from console.domain.triggers.facts import Source
from console.domain.triggers.windows import Row
from console.guard.hear.fenced import ActionStream
from console.guard.hear.follow import RowLog, leads_somewhere
from console.guard.watch.tools import Tools
from console.guard.watch.watch import Watch
from console.store.keys import Keys

CATCH_UP_S: Final = 60.0
"""How long a log may take to be read at the start, until it is read beside the others."""
LEAST_S: Final = 1.0
"""Between two look-ups of a pattern."""
SEARCH_S: Final = 30.0
"""How often an agent of a fleet that has no decision log is looked up again."""


class Counts(NamedTuple):
    """What was read of an agent, and what was not; the fields are those of `GuardReading`."""

    decisions: int
    unplaced: int
    rejected: int
    skipped: int
    ahead: int


class Feed:
    """Brings one agent's decisions to its watch; reading raises `StoreUnreachable` where there is no answer.

    Args:
        keys: whose.
        tools: what it shares with others.
        watch: gets the decisions.
    """

    __slots__ = (
        "_patterns",
        "_polled",
        "_problem_since",
        "_searched",
        "_told_never",
        "_tools",
        "_watch",
        "actions",
        "fresh",
        "heard",
        "log",
        "since",
    )

    def __init__(self, keys: Keys, tools: Tools, watch: Watch) -> None:
        self._tools = tools
        self._watch = watch
        self._patterns = tools.options.decisions_of(keys.agent)
        self.actions = ActionStream(tools.client, keys.actions)
        follows = bool(self._patterns) and (not tools.options.fleet or leads_somewhere(self._patterns))
        self.log = RowLog(self._patterns, reader=tools.reader, sink=self._take) if follows else None
        self.fresh = False
        """Whether decisions came since this was last set back."""
        self.heard = False
        """Whether an instance of the agent ever sent a heartbeat."""
        self.since = tools.options.clock()
        """From when on anything could have been seen."""
        self._polled = self._searched = time.monotonic()
        self._problem_since: datetime | None = None
        self._told_never: set[str] = set()

    async def begin(self) -> None:
        """Read what there is."""
        if self.log is None:
            await self.actions.begin(self._take)
        else:
            async with self._tools.catching_up:
                began = time.monotonic()
                while self._read(self.log):
                    if time.monotonic() - began > CATCH_UP_S:  # it grows as fast as it is read: the others wait
                        self._watch.charge.tell("still behind", reason=f"more than {CATCH_UP_S:g} s to read")
                        break
                    await asyncio.sleep(0)
            self._tell_never(self.log)
            if (
                self.log.barred
            ):  # it will not become readable by itself, and nothing else would tell before it is missed
                hint = "Give this guard the right to read it: the library's logs are for their owner and group alone."
                self._watch.charge.tell("log can't be read", reason=self.problem, hint=hint)
        self.since = self._tools.options.clock()

    async def catch_up(self) -> None:
        """Read the stream of actions on, if that is where the facts come from."""
        if self.log is None:
            self._watch.now = self._tools.options.clock()
            await self.actions.read(self._take)

    def take_action(self, stream_id: str, fields: Mapping[bytes, bytes]) -> bool:
        """An entry of the stream of actions that was pushed; whether it was a decision."""
        self._watch.now = self._tools.options.clock()
        self.actions.take(stream_id, fields, self._take)
        return self.fresh

    def poll(self, every_s: float) -> bool:
        """Read the decision log on if there may be something new in it; whether there was.

        Args:
            every_s: it is read after so long whatever a cheap look says, and its patterns are looked up as often.
        """
        log, now_s = self.log, time.monotonic()
        if log is None or (now_s - self._polled < every_s and not log.stirred()):
            return False
        self._polled = now_s
        log.look_up_every(max(LEAST_S, every_s))
        self._read(log)
        if self.fresh and not self._told_never:
            self._tell_never(log)
        return self.fresh

    @property
    def behind(self) -> bool:
        """Whether the log holds more that can be read right now."""
        return self.log is not None and self.log.behind

    def turned_up(self) -> bool:
        """Whether an agent that had no decision log has got one by now."""
        now_s = time.monotonic()
        if self.log is not None or not self._patterns or now_s - self._searched < SEARCH_S:
            return False
        self._searched = now_s
        return leads_somewhere(self._patterns)

    @property
    def there(self) -> bool:
        """Whether there is anything to judge the agent by; who watches one agent expects it."""
        return self.log is not None or not self._tools.options.fleet or self.heard or self.actions.count > 0

    @property
    def problem(self) -> Safe:
        """Why the log can't be read; empty when it can, or where there is none."""
        return self.log.problem() if self.log is not None else Safe("")

    def source(self) -> Source:
        """How the facts arrive."""
        log, problem = self.log, self.problem
        if not problem:
            self._problem_since = None
        elif self._problem_since is None:
            self._problem_since = self._tools.options.clock()
        return Source(
            configured=self.there,
            watched_since=self.since,
            problem=problem,
            problem_since=self._problem_since,
            barred=log is not None and log.barred,
            unseen=log is not None and log.unseen,
            alive_at=self._watch.alive_at,
        )

    def counts(self) -> Counts:
        """What was read, and what was not."""
        facts, rejected = self._watch.facts, sum(self.log.rejected.values()) if self.log is not None else 0
        return Counts(facts.decisions, facts.unplaced, rejected, self.actions.skipped, self._watch.ahead)

    def close(self) -> None:
        """Close the log's files."""
        if self.log is not None:
            self.log.close()

    def _tell_never(self, log: RowLog) -> None:
        """Say once of each path of a mapping that nothing is there: what it should bring is not watched."""
        for name, count in log.never().items():
            if name not in self._told_never:
                self._told_never.add(name)
                hint = "`agent-console logs check FILE` says what the mapping reads, line by line."
                self._watch.charge.tell("never in the log", reason=f"{name}, in {count} records", hint=hint)

    def _read(self, log: RowLog) -> bool:
        self._watch.now = self._tools.options.clock()
        log.poll(self._watch.now)
        return log.behind

    def _take(self, row: Row, written_after_s: float = 0.0) -> None:
        self.fresh = True
        self._watch.add(row, written_after_s)
