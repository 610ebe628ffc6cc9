"""Which agents there are in a store: found by `SCAN`, again and again, a little at a time.

An agent is known by its authority (`ac:{NAME:active_version}:ctl`), or, where it has none yet, by a plain key that
holds a slot. A pass takes as long as it takes; the server is given a pause after each bite of it, in proportion to what
the bite cost.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import ResponseError

from console.domain.errors import Refused, UsageError
from console.domain.text import Safe, clean
from console.store.fence.replies import text
from console.store.keys import Keys
from console.store.server.trouble import wrap_errors

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

    async def look(self) -> frozenset[str]:
        """One pass over the store; everybody who was found in this pass or in the one before.

        Raises:
            StoreUnreachable: no answer.
        """
        fenced, odd, more = await self._names(PATTERNS[0])
        plain, more_odd, still_more = await self._names(PATTERNS[1])
        candidates = sorted(plain - fenced)
        speaking = await self._speaking(candidates)
        there = frozenset(fenced | speaking)
        notes = []
        if silent := len(candidates) - len(speaking):
            notes.append(clean(f"{silent} keys named like a plain agent's hold no slot: not watched"))
        if unreadable := odd + more_odd:
            notes.append(clean(f"{unreadable} keys named like an agent's whose name can't be one: not watched"))
        if left_out := more + still_more:
            notes.append(clean(f"{left_out} more agents than the {MAX_AGENTS} that can be known: not watched"))
        self.notes = tuple(notes)
        self.agents = there | self._last if self._last else there
        self._last = there
        return self.agents

    async def _names(self, pattern: str) -> tuple[set[str], int, int]:
        """Agents' names in keys of a form; how many were none, and how many were too many."""
        head, tail = pattern.split("*")
        names: set[str] = set()
        odd: set[str] = set()
        more, cursor = 0, 0
        while True:
            began = time.perf_counter()
            with wrap_errors():
                cursor, keys = await self._client.scan(cursor, match=pattern, count=BITE)
            for key in keys:
                name = text(key).removeprefix(head).removesuffix(tail)
                if not _is_name(name):
                    if len(odd) < MAX_ODD:
                        odd.add(name[:128])
                elif len(names) < MAX_AGENTS:
                    names.add(name)
                elif name not in names:
                    more += 1
            if not cursor:
                return names, len(odd), more
            await asyncio.sleep((time.perf_counter() - began) * (1 / SHARE - 1))

    async def _speaking(self, names: list[str]) -> set[str]:
        """Those whose plain key holds what an agent's holds."""
        speaking: set[str] = set()
        for start in range(0, len(names), BITE):
            some = names[start : start + BITE]
            pipe: Any = self._client.pipeline(transaction=False)
            for name in some:
                pipe.execute_command("GETRANGE", Keys.of(name).active, 0, 16)
            with wrap_errors():
                values = await pipe.execute(raise_on_error=False)
            speaking |= {name for name, value in zip(some, values, strict=True) if value in VALUES}
        return speaking


async def refuse_cluster(client: Redis) -> None:
    """Agents of a Cluster lie on nodes that one connection does not see all of: a part of them would go unwatched.

    Raises:
        Refused: it is one.
        StoreUnreachable: no answer.
    """
    try:
        with wrap_errors():
            cluster = await client.info("cluster")
    except ResponseError:  # a server that tells nothing of itself is none of ours to judge
        return
    if cluster.get("cluster_enabled"):
        raise Refused("The agents of a Cluster can't all be found over one node.", "Start a guard for each agent.")


def _is_name(name: str) -> bool:
    try:
        Keys.of(name)
    except UsageError:
        return False
    return True
