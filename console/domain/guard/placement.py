"""Which guards watch which agent, agreed on without a word between them: rendezvous hashing.

Every guard ranks all guards for an agent by a hash of both names and takes the first few; who has the same list of
guards finds the same answer. When a guard leaves, only its own agents move, and each keeps its other watcher; when one
joins, it takes an even share from all.

Source: Thaler, Ravishankar, *Using name-based mappings to increase hit rates*, IEEE/ACM Transactions on Networking
6(1), 1998, section III (highest random weight).
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

WATCHERS: Final = 2
"""Guards that watch one agent: one may die at the very moment that counts."""


def weight(agent: str, guard: str) -> int:
    """How much a guard is meant for an agent: 64 bits that depend on both names alone."""
    return int.from_bytes(blake2b(f"{guard}\x00{agent}".encode(), digest_size=8).digest())


def watchers(agent: str, guards: Iterable[str], count: int = WATCHERS) -> tuple[str, ...]:
    """The guards that watch an agent, the first one first; all of them where there are no more than `count`.

    Args:
        agent: its name.
        guards: names of those that are alive, in any order.
        count: how many are wanted, at least 1.
    """
    ranked = sorted(set(guards), key=lambda guard: (weight(agent, guard), guard), reverse=True)
    return tuple(ranked[:count])


def watches(agent: str, guard: str, guards: Iterable[str], count: int = WATCHERS) -> bool:
    """Whether a guard is one of an agent's watchers; one that is not among `guards` watches nothing."""
    mine, better = (weight(agent, guard), guard), 0
    listed = False
    for other in set(guards):
        if other == guard:
            listed = True
        elif (weight(agent, other), other) > mine:
            better += 1
    return listed and better < count
