"""What an agent believes about who may act: pushed by the store, read in nanoseconds, never an authority.

Only a granted claim permits an action; this is for deciding whether it is worth asking, and for the author's own loop.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from console.domain.fence.claims import Direction, Level
from console.store.fence.replies import ControlReply


class View(NamedTuple):
    """The last word from the store.

    Args:
        epoch: the running epoch; 0 before the first word.
        phase: "RUN", "DRAIN", "HALT", or "" before the first word.
        active: the active slot's name; empty for none.
        level: how much is stopped.
        at: our own monotonic clock when the word arrived.
    """

    epoch: int = 0
    phase: str = ""
    active: str = ""
    level: Level = Level.NONE
    at: float = float("-inf")


def view_of(state: ControlReply[Any]) -> View:
    """The view that a script's answer gives."""
    return View(
        state.epoch, state.phase.value, state.active.value if state.active else "", state.level, time.monotonic()
    )


def view_after(view: View, event: dict[str, str]) -> View:
    """The view after a control event from `…:log`; an event of an older epoch changes only how fresh the view is."""
    at = time.monotonic()
    try:
        epoch, level = int(event.get("ep", "0")), int(event.get("lvl", "0"))
    except ValueError:
        return view
    if epoch < view.epoch:
        return view._replace(at=at)
    return View(epoch, event.get("ph", ""), event.get("act", ""), Level.of_rank(level), at)


_FORBIDDEN_FROM = {Direction.ENTER: 1, Direction.ADJUST: 2, Direction.REDUCE: 3}


def permits(level: Level, direction: Direction) -> bool:
    """Whether a level leaves a direction open."""
    return level.rank < _FORBIDDEN_FROM[direction]
