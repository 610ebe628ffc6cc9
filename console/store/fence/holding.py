"""What was seen of a store that may fail over counts once its replicas have had the time to have it.

A primary that dies takes along what no replica had. Whoever claims with replicas waited for was permitted nothing by
that, and tells it again; who only looks must not take the tail that it saw for something that was lost. So the newest
entries of the streams are remembered some seconds late there. An epoch is not: a switch or a halt that was acknowledged
and is gone is a loss, whoever finds it out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from console.store.fence.replies import Seen
from console.store.server.standing import Standing

HOLD_S: Final = 3.0
"""How old what was seen of the streams has to be; replicas that are in step have it within a fraction of that."""


def epoch_alone(seen: Seen, before: Seen) -> Seen:
    """What was seen, but for the newest entries: of these counts what was known before of the same authority.

    Args:
        seen: what the store just was, no less than before.
        before: what is remembered.
    """
    if before.lineage != seen.lineage:
        return Seen(seen.epoch, seen.lineage)
    return seen._replace(
        actions=min(before.actions, seen.actions, key=lambda mark: mark.number),
        events=min(before.events, seen.events, key=lambda mark: mark.number),
    )


class Holding:
    """Holds back what was seen through one client.

    Args:
        standing: how things stand with its Sentinels; None where it asks none: its server has no successor that could
            know less, and nothing is held back.
    """

    def __init__(self, standing: Callable[[], Standing | None]) -> None:
        self._standing = standing
        self._waiting: deque[tuple[float, Seen]] = deque()
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
        held = epoch_alone(seen, before)
        self._waiting.append((now, seen))
        while self._waiting and now - self._waiting[0][0] >= HOLD_S:
            _at, old = self._waiting.popleft()
            if old.lineage == seen.lineage:
                held = held._replace(actions=old.actions, events=old.events)
        return held
