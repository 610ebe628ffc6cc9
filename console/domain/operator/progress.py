"""How far a command that takes long is: said by the command, shown by whoever started it."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Final


def _nobody(text: str) -> None:
    """Nobody looks."""


TELL: Final[ContextVar[Callable[[str], None]]] = ContextVar("console_progress", default=_nobody)
"""Takes one line at a time, from any thread; whoever shows it decides how often."""
