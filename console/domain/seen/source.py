"""Where observations come from: live, recorded, replayed or demo, all through one door."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from console.domain.seen.observation import Observation


class Source(Protocol):
    """Publishes what it sees until it is cancelled."""

    async def run(self, publish: Callable[[Observation], None]) -> None:
        """Publish a first observation at once, then one whenever something differs, at most five times a second.

        Losing the store is an observation like any other; only cancellation ends this.
        """
        ...

    def refresh(self) -> None:
        """Look again now, without waiting for the next turn (after a command was carried out)."""
        ...
