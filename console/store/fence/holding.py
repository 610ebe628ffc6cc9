"""What was seen of a store that may fail over counts once its replicas have had the time to have it.

A primary that dies takes along what no replica had. Whoever claims with replicas waited for was permitted nothing by
that, and tells it again; who only looks must not take the tail that it saw for something that was lost. So the newest
*actions* are remembered some seconds late there. An epoch and a control event are not: a switch or a halt that was
acknowledged and is gone is a loss, whoever finds it out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from console.store.fence.replies import Mark, Seen
from console.store.server.standing import Standing

HOLD_S: Final = 3.0
"""How old what was seen of actions has to be; replicas that are in step have it within a fraction of that."""


def without_actions(seen: Seen, before: Seen) -> Seen:
    """What was seen, but for its newest actions: of these counts what was known before of the same authority."""
    known = before.actions if before.lineage == seen.lineage else Mark()
    return seen if known.number > seen.actions.number else seen._replace(actions=known)


class Holding:
    """Holds back what was seen through one client.

    Args:
        standing: how things stand with its Sentinels; None where it asks none: its server has no successor that could
            know less, and nothing is held back.
    """

    def __init__(self, standing: Callable[[], Standing | None]) -> None:
        self._standing = standing
        self._waiting: deque[tuple[float, str, Mark]] = deque()
        self._moves: object = None

    def held(self, seen: Seen, before: Seen, now: float) -> Seen:
        """What of it may be remembered now.

        Args:
            seen: what the store just was.
            before: what is remembered.
            now: on the monotonic clock.
        """
        standing = self._standing()
        if standing is None:
            return seen
        if standing.moves != self._moves:  # what was seen of the primary before may never have reached this one
            self._waiting.clear()
            self._moves = standing.moves
        old = without_actions(seen, before)
        self._waiting.append((now, seen.lineage, seen.actions))
        while self._waiting and now - self._waiting[0][0] >= HOLD_S:
            _at, lineage, mark = self._waiting.popleft()
            if lineage == seen.lineage and old.actions.number <= mark.number <= seen.actions.number:
                old = old._replace(actions=mark)
        return old
