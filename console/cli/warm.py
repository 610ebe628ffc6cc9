"""What a console needs later, imported on a thread once its first frame stands: neither the start nor a key pays."""

from __future__ import annotations

import threading
import time
from importlib import import_module
from typing import Final

FIRST_S: Final = 0.5
"""By then the first frame has left, however busy the machine is."""
PAUSE_S: Final = 0.01
"""Between two modules: a key that is pressed meanwhile goes first."""

LATER: Final = (
    "console.commands.context",
    "console.cli.gates",
    "console.cli.drawing",
    "console.commands.base",
    "console.commands.fence.halt",
    "console.commands.fence.rollback",
    "console.commands.fence.switch",
    "console.commands.fence.resume",
    "console.commands.flag.toggle",
    "console.screens.parts.dialogs",
    "console.screens.parts.details",
    "console.screens.command.palette",
    "console.screens.command.typed_line",
    "console.screens.frame.help",
    "console.screens.frame.chords",
    "console.screens.frame.jump",
    "console.live.past",
    "console.store.reading.past",
    "console.live.roll",
)
"""What keys lead to, beside the screens; those that are in a hurry first."""


def warm_up() -> None:
    """Begin; the thread ends by itself, and with the process."""
    threading.Thread(target=_import_all, name="warm-up", daemon=True).start()


def _import_all() -> None:
    time.sleep(FIRST_S)
    for module in (*LATER, *_places()):
        import_module(module)
        time.sleep(PAUSE_S)


def _places() -> list[str]:
    from console.screens.frame.names import SCREENS

    return [f"console.screens.places.{info.where.partition(':')[0]}" for info in SCREENS if info.where]
