"""How the console looks and listens, decided before it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from console.domain.errors import UsageError


@dataclass(frozen=True, slots=True)
class UiSettings:
    """Settings of the screen; the configuration's `[ui]` and the command line fill them in.

    Args:
        theme: a built-in theme's name, or a user's.
        ascii: no box drawing, no typographic signs.
        mouse: whether the mouse is listened to.
        hz: frames per second at most, 0.2 to 10.
        keys: binding id → keys, to move a binding; checked when the console starts.
        profile: the configuration profile's name.
        protected: whether that profile is marked protected.
        bell: whether a new alert rings the terminal's bell.
        first_run: what to say while nothing is configured, and no version was ever active; empty for nothing.
        columns: list → the names of the columns it shows, in this order; checked when the console starts.

    Raises:
        UsageError: `hz` is out of range.
    """

    theme: str = "dark"
    ascii: bool = False
    mouse: bool = True
    hz: float = 5.0
    keys: Mapping[str, str] = field(default_factory=dict)
    profile: str = ""
    protected: bool = False
    bell: bool = True
    first_run: tuple[str, ...] = ()
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0.2 <= self.hz <= 10:
            raise UsageError(f"{self.hz:g} frames a second is out of range.", "Give 0.2 to 10.")
