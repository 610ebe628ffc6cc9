"""A shadow that can be watched: what its rounds show goes to the store, and its divergences with it.

    shadow = ShadowAgent(make, name="green-2.5.0", record=(divergences := Divergences()).put)
    with ShadowReporter(url, shadow, divergences, currency="USD"):
        decision = shadow.decide(state, strategy.decide)

Nothing here is on the live path: divergences are put on a bounded queue by the shadow's own thread.
"""

from __future__ import annotations

import os
import socket
from collections import deque
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from console.agent.blocking.link import Link
from console.agent.reporting import Reporter, Reporting
from console.domain.errors import UsageError
from console.domain.fence.deployment import Slot
from console.domain.shadow.rates import Divergence
from console.domain.shadow.report import ShadowReport, divergence_text
from console.domain.text import clean
from console.store.fence.blocking import Fence
from console.store.records.shadows import record, say
from console.store.server.cluster import keys_on
from console.store.server.connect import connect_sync

if TYPE_CHECKING:
    from console.agent.shadow.agent import ShadowAgent
    from console.domain.manifest.manifest import Manifest

EVERY_S: Final = 1.0
WAITING: Final = 256
"""Divergences that may wait for the store; the oldest goes, and is counted."""


class Divergences:
    """The divergences that wait to be written down."""

    def __init__(self) -> None:
        self._waiting: deque[Divergence] = deque(maxlen=WAITING)
        self.lost = 0
        """Those that were not kept: too many waited, or one was too large."""

    def put(self, divergence: Divergence) -> None:
        """Take one; called on the shadow's thread, returns at once."""
        if len(self._waiting) == WAITING:
            self.lost += 1
        self._waiting.append(divergence)

    def take(self) -> Divergence | None:
        """The oldest; None where none waits."""
        try:
            return self._waiting.popleft()
        except IndexError:
            return None

    def back(self, divergence: Divergence) -> None:
        """Put one back that could not be written."""
        self._waiting.appendleft(divergence)


class ShadowReporter(Reporting):
    """Tells the store how a shadow does, once a second, and a last time at the end; the shadow itself is not closed.

    Args:
        url: of the store.
        shadow: what is watched.
        divergences: what its `record` puts there; None where none is kept.
        agent: whose keys.
        name: of the shadow's version.
        currency: of the sums that the author's `price` gives.
        slot: whose version plays the shadow. Where that is told and rounds are priced, a guard judges the active side
            by the pairs: against what the other one would have made of the very same rounds. After a switch to the
            shadow's side it goes on beside the old version, and tells the same with the signs turned.
        manifest: what the shadow's version is made of; needed for its spread to be taken into a canary's plan where the
            version is held to one.

    Raises:
        UsageError: there is no such slot.
    """

    def __init__(
        self,
        url: str,
        shadow: ShadowAgent[Any, Any],
        divergences: Divergences | None = None,
        *,
        agent: str = "agent",
        name: str = "shadow",
        currency: str = "",
        slot: str = "",
        manifest: Manifest | None = None,
    ) -> None:
        if slot not in ("", *(one.value for one in Slot)):
            raise UsageError(f"There is no slot {clean(slot, 20)!r}.", "It is blue or green.")
        self._slot = slot
        self._manifest = manifest.hash if manifest is not None else ""
        self._shadow = shadow
        self._divergences = divergences or Divergences()
        self._name = clean(name, 64)
        self._currency = clean(currency, 16)
        self._holder = clean(f"{socket.gethostname()}-{os.getpid()}", 64)
        self._link = Link(lambda: connect_sync(url, name="agent-console-shadow"), partial(keys_on, agent=agent))
        self._reporter = Reporter("agent-console-shadow", self._link, self._say, every_s=EVERY_S)

    def _say(self) -> None:
        self._link.run(self._write)

    def _write(self, fence: Fence) -> None:
        while (divergence := self._divergences.take()) is not None:
            text = divergence_text(divergence, str(self._name))
            if text is None:
                self._divergences.lost += 1
                continue
            try:
                record(fence.client, fence.keys, text)
            except BaseException:
                self._divergences.back(divergence)
                raise
        reading = self._shadow.reading()
        report = ShadowReport(self._name, datetime.now(UTC), self._holder, reading, self._currency, self._slot)
        report = report._replace(manifest=self._manifest)
        say(fence.client, fence.keys, report)
