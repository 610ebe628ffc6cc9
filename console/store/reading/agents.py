"""Reading the index of agents: one round trip, of what is new there alone, however many keys the store holds.

What stands there is what somebody wrote there. Whether an agent is one is asked of its own keys, by whoever reads this.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from console.domain.errors import UsageError
from console.domain.text import Safe, clean
from console.store.agents import SHARDS, index_keys
from console.store.fence.replies import text
from console.store.keys import Keys
from console.store.server.cluster import is_away
from console.store.server.together import together

if TYPE_CHECKING:
    from redis.asyncio import Redis

MOST: Final = 10_000
"""Entries of one key that are read, the newest first."""
WHOLE_EVERY_S: Final = 60.0
"""Every entry is read so often, also where nothing new was seen: clocks of writers may be off."""


class _Shard:
    """What is known of one key of the index."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.entries: dict[str, float] = {}
        self.newest = float("-inf")
        self.problem = ""
        self.odd = 0

    def news(self, ahead: float) -> tuple[Any, ...]:
        """The command for what was written since the last reading."""
        since = min(self.newest, ahead)
        low = "-inf" if since == float("-inf") else f"({since:.0f}"
        return ("ZRANGE", self.key, "+inf", low, "BYSCORE", "REV", "LIMIT", 0, MOST, "WITHSCORES")

    def whole(self) -> tuple[Any, ...]:
        """The command for all of it."""
        return ("ZRANGE", self.key, 0, MOST - 1, "REV", "WITHSCORES")

    def take(self, reply: Any) -> None:
        """Entries that were read."""
        for name, score in _pairs(reply):
            if name in self.entries or is_name(name):
                self.entries[name] = score
                self.newest = max(self.newest, score)
            else:
                self.odd += 1


class AgentIndex:
    """What the index of agents says.

    Args:
        client: connected.
    """

    def __init__(self, client: Redis) -> None:
        self.client = client
        self._shards = [_Shard(key) for key in index_keys()]
        self._whole_at = float("-inf")

    async def read(self) -> None:
        """What is there now: one round trip; another one where entries were taken away.

        Raises:
            StoreUnreachable: no answer.
        """
        again = time.monotonic() - self._whole_at >= WHOLE_EVERY_S
        ahead = time.time() * 1000  # an entry from the future, read again until it is past
        commands = [
            command
            for shard in self._shards
            for command in (("ZCARD", shard.key), shard.whole() if again else shard.news(ahead))
        ]
        replies = await together(self.client, commands)
        lessened = []
        for shard, count, reply in zip(self._shards, replies[::2], replies[1::2], strict=True):
            problem = next((one for one in (count, reply) if isinstance(one, Exception)), None)
            shard.problem = str(problem) if problem is not None else ""
            if problem is not None:
                if not is_away(problem):  # else what is known of it stays: its node of a Cluster tells nothing now
                    shard.entries, shard.newest = {}, float("-inf")
                continue
            if again:
                shard.entries, shard.newest, shard.odd = {}, float("-inf"), 0
            shard.take(reply)
            if min(int(count), MOST) != len(shard.entries) + shard.odd and not again:
                lessened.append(shard)
        if again:
            self._whole_at = time.monotonic()
        if lessened:
            for shard, reply in zip(
                lessened, await together(self.client, [one.whole() for one in lessened]), strict=True
            ):
                shard.entries, shard.newest, shard.odd = {}, float("-inf"), 0
                if not isinstance(reply, Exception):
                    shard.take(reply)

    @property
    def entries(self) -> dict[str, float]:
        """Name of an agent → when it was written there last, in milliseconds of the writer's clock."""
        return {name: score for shard in self._shards for name, score in shard.entries.items()}

    @property
    def notes(self) -> Iterator[Safe]:
        """What of it can't be read, in words."""
        wrong = [shard for shard in self._shards if shard.problem]
        if wrong:
            which = f"{len(wrong)} of {SHARDS} keys of the index of agents, {wrong[0].key} among them,"
            yield clean(f"{which} can't be read ({wrong[0].problem}): the search finds who stands there", 200)
        if odd := sum(shard.odd for shard in self._shards):
            yield clean(f"{odd} entries of the index of agents are no name: left out")


def is_name(name: str) -> bool:
    """Whether an agent can be called so."""
    try:
        Keys.of(name)
    except UsageError:
        return False
    return True


def _pairs(reply: Any) -> Iterator[tuple[str, float]]:
    """Members with their scores, as RESP2 tells them (one after the other) and RESP3 (in pairs)."""
    flat = [part for one in reply for part in (one if isinstance(one, list | tuple) else (one,))]
    for name, score in zip(flat[::2], flat[1::2], strict=True):
        yield text(name), float(score)
