"""Who is on the list of guards, and who of them shares out which agents."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Final, NamedTuple

from console.domain.guard.members import Member, sharers

GROUPS: Final = 16
"""Parts of a Cluster's slots, each with a list of guards of its own: as fine as shards are cut, or finer."""
SHIFT: Final = 10
"""Bits of a slot that do not tell the group."""


class Roll(NamedTuple):
    """Who is there.

    Args:
        server_ms: the server's clock.
        members: everybody on the list, silent ones too.
        groups: on a Cluster, who shares out the agents of each sixteenth of its slots, as the node there tells; nobody
            where it does not answer: then everybody watches what he can reach.
    """

    server_ms: int
    members: tuple[Member, ...]
    groups: tuple[tuple[str, ...], ...] = ()

    @property
    def now(self) -> datetime:
        """The server's clock."""
        return datetime.fromtimestamp(self.server_ms / 1000, UTC)

    @property
    def sharers(self) -> tuple[str, ...]:
        """Those that share the agents out between them."""
        return sharers(self.members, self.now)

    def sharers_of(self, agent: str) -> tuple[str, ...]:
        """Those that share out this agent and its like."""
        return self.groups[group_of(agent)] if self.groups else self.sharers


def group_of(agent: str) -> int:
    """The part of a Cluster's slots in which an agent's keys lie."""
    from console.store.keys import Keys
    from console.store.server.slots import slot_of_key

    return slot_of_key(Keys.of(agent, cluster=True).ctl) >> SHIFT


@cache
def lists() -> tuple[str, ...]:
    """The key of each group's list, which lies in that group's slots."""
    from console.store.server.slots import slot_of_key

    found: dict[int, str] = {}
    number = 0
    while len(found) < GROUPS:
        key = f"ac:{{guards-{number}}}:guards"
        found.setdefault(slot_of_key(key) >> SHIFT, key)
        number += 1
    return tuple(found[group] for group in range(GROUPS))
