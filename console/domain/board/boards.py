"""The door to the boards: a screen says what it shows, and is told when that was read; it waits for nothing."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from console.domain.fence.deployment import Slot
from console.domain.text import Safe

if TYPE_CHECKING:
    from console.domain.board.checks import Checks
    from console.domain.board.held import Held


class Board(StrEnum):
    """What can be looked at."""

    HELD = "state"
    CHECKS = "checklist"


class Seen(NamedTuple):
    """What was read so far.

    Args:
        held: None until it was read once.
        checks: None until it was read once.
        problem: why the last try to read failed; empty where it did not.
        asking: whether sources outside are being asked now.
    """

    held: Held | None = None
    checks: Checks | None = None
    problem: Safe = Safe("")
    asking: bool = False


class Boards(Protocol):
    """Reads a board in turns while it is looked at."""

    told: Callable[[], None]
    """Called when something new is in `seen`; on the thread that the boards were made on."""

    @property
    def seen(self) -> Seen:
        """What was read so far; it stays when the board is left, and its age tells."""
        ...

    def look(self, board: Board, target: Slot | None = None) -> None:
        """From now on this board is read in turns, and at first with every source outside.

        Args:
            board: which.
            target: the side that the checklist is about; None for the one that does not act.
        """
        ...

    def ask(self) -> None:
        """Read the board that is looked at now, and ask every source outside again: venue, health, volatility."""
        ...

    def leave(self, board: Board) -> None:
        """Nobody looks at this board any more: unless another one is looked at already, nothing is read."""
        ...

    def keep(self, on: bool) -> None:
        """From now on every board is read in turns, whoever looks: it is recorded; or again only while somebody looks.

        Args:
            on: which of both.
        """
        ...


class NoBoards:
    """Boards of a picture, or of a replay: they show what they were given, and read nothing.

    Args:
        seen: what is shown.
    """

    def __init__(self, seen: Seen = Seen()) -> None:  # noqa: B008 - a value
        self.seen = seen
        self.told: Callable[[], None] = lambda: None

    def look(self, board: Board, target: Slot | None = None) -> None:
        """Nothing is read."""

    def ask(self) -> None:
        """Nothing is asked."""

    def leave(self, board: Board) -> None:
        """Nothing was read."""

    def keep(self, on: bool) -> None:
        """Nothing is read."""
