"""The index of agents: who claims to be one, so that nobody has to look through the keys of a store to hear of them.

Sorted sets, an agent's name scored by when it was written there last (milliseconds of the writer's clock). They are a
hint and never the truth: whoever reads them asks each agent's own keys. On a Cluster they lie in other slots than the
agents' keys, which no script may write to together: so they are written beside the scripts, by whoever calls one
(`Listing`, in every fence) and by the search of the keyspace (`console.store.reading.discovery`).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final
from zlib import crc32

from redis.exceptions import RedisError, ResponseError

SHARDS: Final = 16
"""Keys of the index: on a Cluster they lie on several nodes, and no single read of one is long."""
AGAIN_S: Final = 600.0
"""An agent whose scripts are called is written to the index so often: an index that was lost is whole again by then."""
FAILED_S: Final = 60.0
"""After a store did not take it, it is tried again."""
HOT: Final = frozenset({"claim", "settle"})
"""Nothing is written beside these: an action waits for nobody."""


def index_key(agent: str) -> str:
    """The key of the index that an agent's name stands in."""
    return index_keys()[crc32(agent.encode()) % SHARDS]


def index_keys() -> tuple[str, ...]:
    """Every key of the index."""
    return _KEYS


_KEYS: Final = tuple(f"ac:agents:{number}" for number in range(SHARDS))


def listed(agent: str) -> tuple[str | int, ...]:
    """The command that writes an agent into the index."""
    return ("ZADD", index_key(agent), int(time.time() * 1000), agent)


class Listing:
    """Keeps one agent in the index, beside its scripts. What can't be written is not: the search finds the agent, too.

    Args:
        agent: which.
    """

    __slots__ = ("_agent", "_due_at", "refused")

    def __init__(self, agent: str) -> None:
        self._agent = agent
        self._due_at = float("-inf")
        self.refused: RedisError | None = None
        """Why the store did not take it; None where it did, or nothing was written yet."""

    def due(self, script: str, reply: Sequence[Any]) -> tuple[str | int, ...]:
        """The command to send after a script that answered so; empty where none is due, or there is no authority."""
        if script in HOT or time.monotonic() < self._due_at or reply[:1] in ([b"NOINIT"], ["NOINIT"]):
            return ()
        return listed(self._agent)

    def took(self, error: RedisError | None = None) -> None:
        """It was sent, and this came of it."""
        self.refused = error
        unknown = error is not None and not isinstance(error, ResponseError)
        self._due_at = time.monotonic() + (FAILED_S if unknown else AGAIN_S)
