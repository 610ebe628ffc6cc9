"""What a guard says in its log, and how much each of it weighs: by this table, and by nothing that it says in words."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Weight(StrEnum):
    """How much a line weighs, by its name in syslog."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"
    INFO = "info"

    @property
    def priority(self) -> int:
        """Its number for syslog and journald: 2 for CRITICAL up to 6 for INFO."""
        return _PRIORITIES[self]


_PRIORITIES: Final = {weight: number for number, weight in enumerate(Weight, start=2)}

_BY_WEIGHT: Final[Mapping[Weight, tuple[str, ...]]] = {
    Weight.CRITICAL: ("acted", "took over", "dead man's switch let fall"),
    Weight.ERROR: (
        "store unreachable",
        "refused",
        "watch failed",
        "log can't be read",
        "not looked at closely",
        "memory not kept",
        "does not take over",
        "take-over refused",
        "not notified",
        "venue not watched",
        "dead man's switch not kept alive",
        "metrics failed",
    ),
    Weight.WARNING: (
        "alert",
        "alerts dropped",
        "finding",
        "canary",
        "gates not asked",
        "would take over",
        "thresholds refused",
        "late",
        "left out",
        "metrics leave agents out",
        "left without a word",
        "still behind",
        "never in the log",
        "slot moved",
        "failover",
        "sentinels",
        "not archived",
        "doubt not resolved",
        "venue's lease not given back",
    ),
    Weight.NOTICE: (
        "started",
        "stopped",
        "store answers",
        "watch works again",
        "finished",
        "thresholds taken",
        "doubt resolved",
        "drill",
        "metrics served",
        "metrics work again",
        "dead man's switch kept alive",
        "venue fine again",
        "venue watched",
    ),
    Weight.INFO: (
        "archived",
        "found",
        "idle",
        "left",
        "looked once",
        "notified",
        "shared out",
        "watching",
    ),
}
WEIGHTS: Final[Mapping[str, Weight]] = {name: weight for weight, names in _BY_WEIGHT.items() for name in names}
"""Event → its weight."""


def weight_of(event: str) -> Weight:
    """How much an event weighs; one that nobody declared is to be looked at."""
    return WEIGHTS.get(event, Weight.WARNING)
