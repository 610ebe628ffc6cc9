"""Which agents there are in a store: the index tells of them at once, and a search of the keyspace goes on beside it, a
little at a time, for agents that nobody wrote there.

An agent is known by its authority (`ac:{NAME:active_version}:ctl`), or, where it has none yet, by a plain key that
holds a slot: who stands in the index and has neither is none. A pass of the search takes as long as it takes, and
nobody waits for it; the server is given a pause after each bite of it, in proportion to what the bite cost. A pass that
was broken off goes on where it stood, also in another process.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Set
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import ResponseError

from console.domain.text import Safe, clean
from console.store.agents import AGAIN_S, index_key, listed
from console.store.fence.ids import new_id
from console.store.fence.replies import text
from console.store.reading import search_mark
from console.store.reading.agents import AgentIndex, is_name
from console.store.reading.search_mark import SearchMark
from console.store.reading.search_pass import Progress, SearchPass
from console.store.reading.speaking import heard
from console.store.server.cluster import is_cluster, unscanned
from console.store.server.together import absent, together
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

PATTERNS: Final = ("ac:{*:active_version}:ctl", "*:active_version")
ON_CLUSTER: Final = ("ac:{*}:ctl", "{*}:active_version")
"""The same where keys carry the agent's name as their hash tag; each primary is looked through."""
BITE: Final = 1_000
"""Keys of the store looked at in one go."""
SHARE: Final = 0.1
"""Of the time of a pass that the store may be kept busy with it."""
MAX_AGENTS: Final = 100_000
AT_ONCE: Final = 1_000
"""Agents whose keys are asked for in one round trip."""
AGAIN: Final = 200
"""Known agents that are asked for again with every look at the index; a tenth of them where that is more."""
HEAR_S: Final = 0.5
"""Between two looks at the index of one who searches in many short turns."""
MARK_S: Final = 1.0
"""How far the search is, is written down so often."""
DEAD_S: Final = 2 * AGAIN_S
"""Who stands in the index, has no keys, and was written there no later than this, is taken off it."""


class Discovery:
    """Finds the agents of a store.

    Args:
        client: connected.
        keeps: whether who is found is written into the index, and how far the search is beside it: not by who may
            only read. A store that refuses it is not asked again.
    """

    def __init__(self, client: Redis, *, keeps: bool = False) -> None:
        self._client = client
        self._keeps = keeps
        self._index = AgentIndex(client)
        self._name = new_id()
        self._run: str | None = None
        self._mark = SearchMark()
        self._marked_at = float("-inf")
        self._server_ms = 0
        self._heard_at = float("-inf")
        self._there: dict[str, int] = {}
        """Who spoke when it was asked last, or the time before that; in the order in which they were asked."""
        self._silent: dict[str, None] = {}
        """Who stands in the index and has no keys."""
        self._written: set[str] = set()
        self._refused = ""
        self._left: tuple[Safe, ...] = ()
        self._passes = 0
        self._pass = SearchPass()
        self._joined = False

    def moved(self, client: Redis) -> None:
        """Go on over another connection to the same store."""
        self._client = self._index.client = client
        self._run = None
        self._joined = False
        self._heard_at = float("-inf")

    @property
    def agents(self) -> frozenset[str]:
        """Everybody who is known."""
        return frozenset(self._there)

    @property
    def met(self) -> frozenset[str]:
        """The same, also while a pass goes on."""
        return self.agents

    @property
    def passes(self) -> int:
        """How many passes came to their end: ours, and one of somebody else if that was lately."""
        return self._passes + self._mark.is_whole(self._server_ms)

    @property
    def progress(self) -> Progress:
        """How far the pass that goes on has come, whoever walks it."""
        if not self._pass.looked and self._mark.held_by_another(self._name, self._server_ms):
            return Progress(self._mark.looked, self._mark.keys)
        return self._pass.progress

    @property
    def notes(self) -> tuple[Safe, ...]:
        """What was left out, in words."""
        dead = len(self._silent)
        unwritten = [clean(f"the index of agents can't be written ({self._refused})", 200)] if self._refused else []
        none = [clean(f"{dead} names in the index of agents have no keys of an agent: left out")] if dead else []
        return (*self._left, *self._index.notes, *none, *unwritten)

    async def hear(self) -> frozenset[str]:
        """Who stands in the index and is there, with everybody who was found before; how far others' search is.

        Raises:
            StoreUnreachable: no answer.
        """
        self._heard_at = time.monotonic()
        if self._run is None:  # a cursor over the nodes of a Cluster is worth something to who walks them alone
            self._run = "" if is_cluster(self._client) else await search_mark.run_of(self._client)
        await self._index.read()
        entries = self._index.entries
        asked = [name for name in entries if name not in self._there and name not in self._silent]
        for known in (self._there, self._silent):
            asked += list(known)[: max(AGAIN, len(known) // 10)]
        self._silent = {name: None for name in self._silent if name in entries}
        for start in range(0, len(asked), AT_ONCE):
            await self._ask(asked[start : start + AT_ONCE], entries)
        await self._tidy(entries)
        with wrap_errors():
            pipe: Any = self._client.pipeline(transaction=False)
            pipe.execute_command("TIME")
            if self._run:
                pipe.execute_command(*search_mark.read_command(self._run))
            told, *mark = await pipe.execute(raise_on_error=False)
            if isinstance(told, Exception):
                raise told
        self._server_ms = int(told[0]) * 1000 + int(told[1]) // 1000
        self._mark = search_mark.read_mark(*mark) if mark else SearchMark()
        return self.agents

    async def look(self) -> frozenset[str]:
        """The index, and the rest of a pass over the store, with pauses; everybody who is known then.

        Raises:
            StoreUnreachable: no answer.
        """
        await self.hear()
        await self.walk()
        return self.agents

    async def walk(self) -> None:
        """The rest of a pass over the store, with pauses.

        Raises:
            StoreUnreachable: no answer; the next walk goes on where this one stood.
        """
        while True:
            began = time.perf_counter()
            if await self.bite():
                return
            await asyncio.sleep((time.perf_counter() - began) * (1 / SHARE - 1))

    async def seek(self, seconds: float) -> None:
        """The index, and some of the search, for so long at the most; none of it where another process is at it.

        Raises:
            StoreUnreachable: no answer.
        """
        deadline = time.monotonic() + seconds
        if time.monotonic() - self._heard_at >= HEAR_S:
            await self.hear()
        while not self.elsewhere and not await self.bite():
            if time.monotonic() > deadline:
                break

    @property
    def resting(self) -> bool:
        """Whether no pass of ours goes on."""
        return not self._pass.looked

    @property
    def elsewhere(self) -> bool:
        """Whether another process searches, as of the last look at the index."""
        return self._mark.held_by_another(self._name, self._server_ms)

    async def bite(self) -> bool:
        """Look at some more keys; whether that was the end of a pass.

        Raises:
            StoreUnreachable: no answer; the next bite goes on where this one began.
        """
        if not self._joined and self._keeps and self._mark.looked > self._pass.looked:
            self._pass = SearchPass(self._mark)  # somebody stopped there
        self._joined = True
        now = self._pass
        patterns = ON_CLUSTER if is_cluster(self._client) else PATTERNS
        now.form %= len(patterns)
        head, tail = patterns[now.form].split("*")
        with wrap_errors():
            if not now.keys:
                now.keys = len(PATTERNS) * int(await self._client.dbsize())
            cursor, keys = await self._client.scan(now.cursor, match=patterns[now.form], count=BITE)
        names = {text(key).removeprefix(head).removesuffix(tail) for key in keys}
        sound = {name for name in names if is_name(name)}
        fresh = sorted(sound - self._there.keys())
        told = await heard(self._client, fresh)
        now.asked(fresh, told)
        now.odd(sorted(names - sound))
        now.more += self._take(told.speaking)
        ended = now.step(BITE, int(cursor), len(patterns))
        await self._keep(sound & self._there.keys(), ended)
        if ended:
            self._ended(now)
        return ended

    def _take(self, speaking: Set[str]) -> int:
        """They are agents; how many of them are too many."""
        room = max(0, MAX_AGENTS - len(self._there))
        for name in sorted(speaking)[:room]:
            self._there[name] = 0
            self._silent.pop(name, None)
        return max(0, len(speaking) - room)

    def _ended(self, now: SearchPass) -> None:
        self._left = tuple(now.left_out(MAX_AGENTS, unscanned(self._client)))
        self._pass = SearchPass()
        self._passes += 1

    async def _ask(self, names: list[str], entries: dict[str, float]) -> None:
        """Whether they are there; who is missing once is asked another time before it is given up."""
        told = await heard(self._client, names)
        self._pass.asked((), told)
        for name in names:
            if name in told.away:
                continue
            missed = self._there.pop(name, None)
            self._silent.pop(name, None)
            if name in told.speaking:
                if missed is not None or len(self._there) < MAX_AGENTS:
                    self._there[name] = 0
            elif missed == 0:
                self._there[name] = 1
            elif name in entries:
                self._silent[name] = None

    async def _keep(self, names: set[str], ended: bool) -> None:
        """Write down who was found, and how far the search is."""
        if not self._keeps or not self._run:
            return
        known = self._index.entries
        fresh = sorted(name for name in names if name not in known and name not in self._written)
        commands: list[tuple[Any, ...]] = [listed(name) for name in fresh]
        if ended or fresh or time.monotonic() - self._marked_at >= MARK_S:
            self._marked_at = time.monotonic()
            with wrap_errors():
                told: Any = await self._client.time()
            self._server_ms = now_ms = int(told[0]) * 1000 + int(told[1]) // 1000
            now, whole_ms = self._pass, now_ms if ended else self._mark.whole_ms
            self._mark = (
                SearchMark(whole_ms=whole_ms, at_ms=now_ms)
                if ended
                else SearchMark(now.form, now.cursor, now.looked, now.keys, whole_ms, now_ms, self._name)
            )
            commands.append(search_mark.write_command(self._run, self._mark))
        if await self._write(commands):
            self._written.update(fresh)

    async def _tidy(self, entries: dict[str, float]) -> None:
        """Take off the index who has long had no keys."""
        if self._keeps and self._silent:
            now, day = time.time() * 1000, 86_400_000.0
            dead = [name for name in self._silent if not now - DEAD_S * 1000 < entries.get(name, now) < now + day]
            await self._write([("ZREM", index_key(name), name) for name in dead[:AT_ONCE]])

    async def _write(self, commands: list[tuple[Any, ...]]) -> bool:
        """Send what is written for others; a store that refuses it is not asked again."""
        for reply in await together(self._client, commands) if commands else ():
            if isinstance(reply, ResponseError) and not absent(self._client, reply):
                self._keeps, self._refused = False, str(reply)
        return self._keeps or not commands
