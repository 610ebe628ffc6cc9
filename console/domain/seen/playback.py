"""A source whose time an operator moves: a replay, or the past of a store that one looks back into."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

if TYPE_CHECKING:
    from console.domain.seen.observation import Observation

SPEEDS: Final = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""Seconds that pass a second, slowest first."""


@runtime_checkable
class LooksBack(Protocol):
    """Can show a moment that is over.

    Args:
        told: says one line in the status bar, with its tone.
    """

    told: Callable[[str, str], None]

    def seek(self, text: str) -> None:
        """Show that moment, as an operator writes it (`14:03`, `15m`, ISO 8601).

        Raises:
            UsageError: it can't be understood.
        """
        ...

    def to_event(self, *, forward: bool) -> None:
        """Show the next event, or the one before."""
        ...


@runtime_checkable
class HasPresent(LooksBack, Protocol):
    """Looks back from a present that it can return to.

    Args:
        beside: is called with the present while the past is shown.
    """

    beside: Callable[[Observation], None]

    @property
    def present(self) -> Observation | None:
        """The newest of the present; None until there is one."""
        ...

    @property
    def looks_back(self) -> bool:
        """Whether a moment that is over is shown."""
        ...

    def to_live(self) -> None:
        """Show the present again, at once."""
        ...


@runtime_checkable
class Playback(LooksBack, Protocol):
    """Plays."""

    @property
    def moment(self) -> datetime:
        """The moment that is shown, aware UTC."""
        ...

    def toggle(self) -> None:
        """Stand still, or go on."""
        ...

    def to_frame(self, *, forward: bool) -> None:
        """Stand still at the next frame, or at the one before."""
        ...

    def change_speed(self, *, faster: bool) -> None:
        """Play faster, or slower."""
        ...
