"""Which agents there are in a store: found by `SCAN`, again and again, a little at a time.

An agent is known by its authority (`ac:{NAME:active_version}:ctl`), or, where it has none yet, by a plain key that
holds a slot. A pass takes as long as it takes; the server is given a pause after each bite of it, in proportion to what
the bite cost. A pass that was broken off goes on where it stood.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from redis.exceptions import ResponseError

from console.domain.errors import NotPermitted, Refused, UsageError, WritesRefused
from console.domain.text import Safe, clean
from console.store.fence.replies import text
from console.store.keys import Keys
from console.store.server.trouble import explain, wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

PATTERNS: Final = ("ac:{*:active_version}:ctl", "*:active_version")
BITE: Final = 1_000
"""Keys of the store looked at in one go."""
SHARE: Final = 0.1
"""Of the time of a pass that the store may be kept busy with it."""
MAX_AGENTS: Final = 100_000
MAX_ODD: Final = 10_000
VALUES: Final = frozenset({b"blue", b"green", b"draining", b"halted"})
"""What a plain key holds that is an agent's."""


class Progress(NamedTuple):
    """How far a pass has come.

    Args:
        looked: keys of the store that were looked at, each of them once for each form of an agent's key.
        keys: how many there are to look at in the same sense, as far as the server told; it may grow meanwhile.
    """

    looked: int = 0
    keys: int = 0


class _Pass:
    """One pass over the store, a form of key after the other."""

    def __init__(self) -> None:
        self.form = 0
        self.cursor = 0
        self.looked = self.keys = 0
        self.fenced: set[str] = set()
        self.plain: set[str] = set()
        self.silent: set[str] = set()
        self.shut: set[str] = set()
        self.odd: set[str] = set()
        self.more = 0


class Discovery:
    """Finds the agents of a store.

    Args:
        client: connected.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client
        self.agents: frozenset[str] = frozenset()
        """As of the last two passes: who is missing from one is given another."""
        self._last: frozenset[str] = frozenset()
        self.notes: tuple[Safe, ...] = ()
        """What was left out, in words."""
        self.passes = 0
        """How many passes came to their end."""
        self._pass = _Pass()

    def moved(self, client: Redis) -> None:
        """Go on over another connection to the same store."""
        self._client = client

    @property
    def progress(self) -> Progress:
        """How far this pass has come."""
        return Progress(self._pass.looked, self._pass.keys)

    @property
    def met(self) -> frozenset[str]:
        """Everybody who was found in this pass so far, or in the two before."""
        return frozenset(self._pass.fenced | self._pass.plain | self.agents)

    async def look(self) -> frozenset[str]:
        """The rest of a pass over the store; everybody who was found in this pass or in the one before.

        Raises:
            StoreUnreachable: no answer.
        """
        while True:
            began = time.perf_counter()
            if await self.bite():
                return self.agents
            await asyncio.sleep((time.perf_counter() - began) * (1 / SHARE - 1))

    async def bite(self) -> bool:
        """Look at some more keys; whether that was the end of a pass.

        Raises:
            StoreUnreachable: no answer; the next bite goes on where this one began.
        """
        now = self._pass
        head, tail = PATTERNS[now.form].split("*")
        with wrap_errors():
            if not now.keys:
                now.keys = len(PATTERNS) * int(await self._client.dbsize())
            cursor, keys = await self._client.scan(now.cursor, match=PATTERNS[now.form], count=BITE)
        names = {text(key).removeprefix(head).removesuffix(tail) for key in keys}
        sound = {name for name in names if _is_name(name)}
        fresh = sound - now.fenced - now.plain
        speaking = fresh if now.form == 0 else await self._speaking(sorted(fresh))
        now.silent |= fresh - speaking - now.shut
        now.odd |= {name[:128] for name in sorted(names - sound)[: max(0, MAX_ODD - len(now.odd))]}
        room = max(0, MAX_AGENTS - len(now.fenced) - len(now.plain))
        now.more += max(0, len(speaking) - room)
        (now.plain if now.form else now.fenced).update(sorted(speaking)[:room])
        now.looked += BITE
        now.cursor = int(cursor)
        if now.cursor:
            return False
        now.form += 1
        now.looked = now.form * (now.keys // len(PATTERNS))
        if now.form < len(PATTERNS):
            return False
        self._ended(now)
        return True

    def _ended(self, now: _Pass) -> None:
        there = frozenset(now.fenced | now.plain)
        notes = []
        if now.silent:
            notes.append(clean(f"{len(now.silent)} keys named like a plain agent's hold no slot: left out"))
        if now.shut:
            notes.append(clean(f"{len(now.shut)} agents' keys are not permitted to this user of the store: left out"))
        if now.odd:
            notes.append(clean(f"{len(now.odd)} keys named like an agent's whose name can't be one: left out"))
        if now.more:
            notes.append(clean(f"{now.more} more agents than the {MAX_AGENTS} that can be known: left out"))
        self.notes = tuple(notes)
        self.agents = there | self._last if self._last else there
        self._last = there
        self._pass = _Pass()
        self.passes += 1

    async def _speaking(self, names: list[str]) -> set[str]:
        """Those whose plain key holds what an agent's holds."""
        pipe: Any = self._client.pipeline(transaction=False)
        for name in names:
            pipe.execute_command("GETRANGE", Keys.of(name).active, 0, 16)
        with wrap_errors():
            values = await pipe.execute(raise_on_error=False)
        self._pass.shut |= {name for name, value in zip(names, values, strict=True) if _is_shut(value)}
        return {name for name, value in zip(names, values, strict=True) if not _is_shut(value) and value in VALUES}


def _is_shut(reply: object) -> bool:
    return isinstance(reply, Exception) and isinstance(explain(reply), NotPermitted)


async def refuse_cluster(client: Redis) -> None:
    """Agents of a Cluster lie on nodes that one connection does not see all of: a part of them would go unwatched.

    Raises:
        Refused: it is one.
        StoreUnreachable: no answer.
    """
    try:
        with wrap_errors():
            cluster = await client.info("cluster")
    except (ResponseError, WritesRefused):  # a server that tells nothing of itself is none of ours to judge
        return
    if cluster.get("cluster_enabled"):
        raise Refused("The agents of a Cluster can't all be found over one node.", "Start a guard for each agent.")


def _is_name(name: str) -> bool:
    try:
        Keys.of(name)
    except UsageError:
        return False
    return True
