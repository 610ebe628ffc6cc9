"""Which server answers, asked again and again: a primary can be demoted under a connection that stays open."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import ResponseError

from console.domain.errors import NotPrimary
from console.domain.operator.receipt import AuditEntry, Change
from console.domain.seen.rows import FAILOVER
from console.domain.text import Safe, clean
from console.store.server.cluster import home_of, moves_of
from console.store.server.sentinel import doubt, sentinels_of, standing_of
from console.store.server.topology import refuse_replica

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from console.store.reading.flag_cache import Command
    from console.store.server.standing import Move

ASK_S: Final = 1.0
"""Between two questions to a server whether it is a primary still."""


class Place:
    """Looks at one connection's server.

    Args:
        client: the connection.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._asked_at = float("-inf")
        self._word = "HELLO"

    def commands(self) -> tuple[Command, ...]:
        """What to ask now: mostly nothing."""
        return ((self._word,),) if time.monotonic() - self._asked_at >= ASK_S else ()

    def take(self, *replies: Any) -> None:
        """Take the answers to `commands`.

        Raises:
            NotPrimary: the server is a replica.
        """
        for told in replies:
            self._asked_at = time.monotonic()
            if isinstance(told, ResponseError):  # a server that speaks RESP2 alone, or it was renamed away
                self._word = "ROLE"
                continue
            try:
                refuse_replica(told, self._where)
            except NotPrimary:
                doubt(self._client)
                raise

    @property
    def text(self) -> Safe:
        """`primary of main at 10.0.0.2:6379, by 3 of 3 Sentinels`, or where in a Cluster; empty otherwise."""
        endpoint, standing = sentinels_of(self._client), standing_of(self._client)
        if endpoint is None or standing is None:
            return clean(home_of(self._client), 200)
        silent = f" ({standing.problems[0]})" if standing.problems else ""
        count = f"{standing.answering} of {standing.asked}"
        return clean(f"primary of {endpoint.master} at {self._where}, by {count} Sentinels{silent}", 200)

    @property
    def failovers(self) -> tuple[AuditEntry, ...]:
        """Those that this process has followed, as entries without a receipt."""
        endpoint, standing = sentinels_of(self._client), standing_of(self._client)
        if endpoint is None or standing is None:
            return tuple(_entry(move, "the agent's slot", "Cluster") for move in moves_of(self._client))
        return tuple(_entry(move, f"primary of {endpoint.master}", "Sentinel") for move in standing.moves)

    @property
    def _where(self) -> str:
        standing = standing_of(self._client)
        node = standing.primary if standing is not None else None
        return f"{node.host}:{node.port}" if node is not None else ""


def _entry(move: Move, what: str, by: str) -> AuditEntry:
    before, after = (clean(f"{node.host}:{node.port}", 80) for node in (move.before, move.after))
    change = Change(clean(what, 60), before, after)
    return AuditEntry("", Safe(""), move.at, Safe(FAILOVER), clean(by), Safe(""), changes=(change,))
