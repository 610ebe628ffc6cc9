"""Keeping an agent's chained streams bounded: verified and archived at most once a minute by all guards together; what
does not verify is not trimmed, and people are told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from console.domain.errors import Conflict, ConsoleError, Refused, StoreUnreachable
from console.domain.text import clean
from console.domain.triggers.finding import Severity
from console.guard.keep.charge import Charge
from console.guard.setup.settings import ArchiveSettings
from console.store.fence.archive import archive

EVERY_S: Final = 60.0
"""Between two runs for an agent, whichever guard does them."""


class Archivist:
    """Archives one agent's streams beside everything else that the guard does.

    Args:
        charge: the agent.
        settings: where to, and how much stays.
        clock: the time now.
    """

    __slots__ = ("_charge", "_clock", "_due_at", "_run", "_settings", "problem")

    def __init__(self, charge: Charge, settings: ArchiveSettings, clock: Callable[[], datetime]) -> None:
        self._charge = charge
        self._settings = settings
        self._clock = clock
        self._due_at = float("-inf")
        self._run: asyncio.Task[None] | None = None
        self.problem = ""
        """Why the last run did not end well; empty when it did."""

    def begin(self) -> None:
        """Begin a run if one is due; it is not waited for."""
        if self._settings.folder is None or (self._run is not None and not self._run.done()):
            return
        now = time.monotonic()
        if now >= self._due_at:
            self._due_at = now + EVERY_S
            self._run = asyncio.create_task(self._told())

    async def aclose(self) -> None:
        """End a run that is under way; what it wrote is gone on with by the next."""
        if self._run is not None:
            self._run.cancel()
            await asyncio.gather(self._run, return_exceptions=True)

    async def turn(self) -> None:
        """One run, unless another guard had its turn within the last minute.

        Raises:
            Refused: a chain does not verify, or the folder can't be gone on with; an alert was raised.
            Conflict: somebody else archives at this moment.
            StoreUnreachable: no answer.
        """
        charge, folder = self._charge, self._settings.folder
        assert folder is not None
        if not (await charge.fence.lease("archive", charge.guard, ttl_ms=int(EVERY_S * 1000))).held:
            return
        try:
            done = await archive(charge.fence.client, charge.keys, folder, keep=self._settings.keep)
        except Conflict:
            raise
        except Refused as error:
            await self._alert(error)
            raise
        for one in done:
            if one.trimmed:
                charge.tell("archived", stream=one.stream, written=one.written, trimmed=one.trimmed, left=one.left)

    async def _told(self) -> None:
        try:
            await self.turn()
        except StoreUnreachable as error:
            self.problem = error.message
        except (ConsoleError, OSError) as error:
            self.problem = str(clean(getattr(error, "message", error), 200))
            self._charge.tell("not archived", reason=self.problem)
        else:
            self.problem = ""

    async def _alert(self, error: Refused) -> None:
        await self._charge.raise_alert(Severity.HIGH, error.message, self._clock(), "archive", error.message)
