"""The door to the fleet: a screen says that it looks, and at whom; it is told when that was read; it waits for
nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from console.domain.fleet.agents import FleetReading
from console.domain.text import Safe


class FleetSeen(NamedTuple):
    """What was read of the fleet so far.

    Args:
        reading: None until something was read.
        problem: why the last try to read failed; empty where it did not.
    """

    reading: FleetReading | None = None
    problem: Safe = Safe("")


class FleetBoard(Protocol):
    """Reads the agents of one store in turns while somebody looks."""

    told: Callable[[], None]
    """Called when something new is in `seen`; on the thread that the board was made on."""

    @property
    def seen(self) -> FleetSeen:
        """What was read so far; it stays when nobody looks, and its age tells."""
        ...

    def look(self, first: Sequence[str] = ()) -> None:
        """Somebody looks.

        Args:
            first: who is on screen: they are read with every turn, the others in slices.
        """
        ...

    def ask(self, *agents: str) -> None:
        """Read now, these first: something was changed."""
        ...

    def leave(self) -> None:
        """Nobody looks any more: nothing is read."""
        ...


class NoFleet:
    """The fleet of a picture: it shows what it was given, and reads nothing.

    Args:
        seen: what is shown.
    """

    def __init__(self, seen: FleetSeen = FleetSeen()) -> None:  # noqa: B008 - a value
        self.seen = seen
        self.told: Callable[[], None] = lambda: None

    def look(self, first: Sequence[str] = ()) -> None:
        """Nothing is read."""

    def ask(self, *agents: str) -> None:
        """Nothing is asked."""

    def leave(self) -> None:
        """Nothing was read."""
