"""What was to be seen at a moment that is over, whether a store, a recording or an evidence file tells it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from console.domain.text import Safe

if TYPE_CHECKING:
    from console.domain.seen.observation import Observation


class MarkKind(StrEnum):
    """What a step from event to event (`[`, `]`) stops at."""

    SWITCH = "switch"
    """The active side, the phase or the level moved: also roll back, halt and resume."""
    FLAG = "flag"
    TRIP = "trip"
    """A trigger of a guard, or an alert."""
    CANARY = "canary"
    OTHER = "other"


class Mark(NamedTuple):
    """An event that one can step to.

    Args:
        at: when, aware UTC.
        kind: of what sort.
        text: one line for the status bar.
    """

    at: datetime
    kind: MarkKind
    text: Safe


class Timeline(Protocol):
    """What was to be seen, at any moment between two. All of it may read files or a store, and so may block: it is
    called on a thread."""

    def bounds(self) -> tuple[datetime, datetime]:
        """The first and the last moment that can be shown."""
        ...

    def at(self, moment: datetime) -> Observation:
        """What was to be seen then, `Observation.looking` left None: who shows it knows how it plays.

        Raises:
            Refused: nothing is kept of that time.
        """
        ...

    def marks(self) -> Sequence[Mark]:
        """The events, oldest first."""
        ...
