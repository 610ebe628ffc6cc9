"""Making the screens that `frame.names` lists; a screen's module is imported when somebody goes there."""

from __future__ import annotations

from importlib import import_module

from console.screens.frame.base import ConsoleScreen
from console.screens.frame.names import OVERVIEW, SCREENS


def make_screen(name: str) -> ConsoleScreen | None:
    """A new screen of that name; None for the overview, and for a name that is no screen's."""
    where = next((info.where for info in SCREENS if info.name == name != OVERVIEW), None)
    if where is None:
        return None
    module, _, attribute = where.partition(":")
    screen: ConsoleScreen = getattr(import_module(f"console.screens.places.{module}"), attribute)()
    return screen
