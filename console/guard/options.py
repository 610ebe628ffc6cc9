"""What a guard is started with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from console.guard.settings import GuardFile
from console.logs.options import LogOptions

LAST_LINES: Final = 100_000
"""Lines read from each log at the start: the tenure's rounds, and the baseline's before them."""


def utc_now() -> datetime:
    """The clock that guards run by."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class GuardOptions:
    """What a guard is started with.

    Args:
        url: of the store.
        agent: whose keys.
        decisions: paths and patterns of decision logs; none for a fenced agent known by its actions in the store.
        logs: how they are read.
        file: thresholds, signals, webhooks.
        state_file: the agent's state, of which the escrows on its list are read; None where there is none.
        name: unique to the process; made up if empty.
        clock: the time now; a test may run it faster.
    """

    url: str
    agent: str
    decisions: tuple[str, ...]
    logs: LogOptions
    file: GuardFile = field(default_factory=GuardFile)
    state_file: Path | None = None
    name: str = ""
    clock: Callable[[], datetime] = utc_now
