"""What a shadow holds in place of a venue: nothing that could act, and a memory of what it tried."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from console.domain.errors import Refused
from console.domain.text import Safe, clean


class NoCapability(Refused):
    """A shadow tried to act. It has nothing to act with; what it tried is recorded."""

    title = "No capability"


@dataclass(frozen=True, slots=True)
class ShadowIntent:
    """What a shadow would have done, had it been able to.

    Args:
        at: when it tried; aware UTC.
        action: what it called.
        details: its arguments, made safe.
    """

    at: datetime
    action: Safe
    details: Safe


class NoVenue:
    """What a shadow is given in place of a venue: every call is recorded as an intent and fails."""

    def __init__(self, remember: int = 1000) -> None:
        self.intents: deque[ShadowIntent] = deque(maxlen=remember)
        self.count = 0

    def __getattr__(self, name: str) -> Callable[..., object]:
        """Any method of any venue."""
        if name.startswith("_"):
            raise AttributeError(name)

        def attempt(*args: object, **kwargs: object) -> object:
            self.count += 1
            self.intents.append(ShadowIntent(datetime.now(UTC), clean(name, 64), clean((args, kwargs))))
            raise NoCapability(f"A shadow can't {name}: it holds no credentials.", "It was recorded as an intent.")

        return attempt
