"""Asking the gates for a canary that nobody attends, beside everything else that a guard does: no loop waits for it.

What asks is made outside the guard, from an operator's settings: see `console.commands.canary.attend`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from console.domain.errors import ConsoleError, StoreUnreachable
from console.domain.text import clean
from console.guard.keep.charge import Charge
from console.guard.loops import end
from console.guard.setup.options import AttendantOf, Attends


class Attending:
    """Asks about one agent's canary, one look at a time.

    Args:
        charge: the agent.
        attendant_of: makes what asks; None where nobody gave the guard an operator's settings.
    """

    __slots__ = ("_attendant", "_attendant_of", "_charge", "_look", "problem")

    def __init__(self, charge: Charge, attendant_of: AttendantOf | None) -> None:
        self._charge, self._attendant_of = charge, attendant_of
        self._attendant: Attends | None = None
        self._look: asyncio.Task[None] | None = None
        self.problem = ""
        """Why the last look did not end well; empty when it did."""

    def begin(self) -> None:
        """Begin a look, unless one is under way; never waited for."""
        if self._attendant_of is not None and (self._look is None or self._look.done()):
            self._look = asyncio.create_task(self._told(self._attendant_of))

    async def aclose(self) -> None:
        """End a look that is under way."""
        await end([self._look] if self._look is not None else [])

    async def _told(self, attendant_of: AttendantOf) -> None:
        charge, before = self._charge, self.problem
        try:
            if self._attendant is None:
                self._attendant = attendant_of(charge.agent, charge.fence.client, charge.by)
            code: Any = await self._attendant.look()
        except StoreUnreachable as error:
            self.problem = error.message
        except (ConsoleError, OSError) as error:
            self.problem = str(clean(getattr(error, "message", error), 200))
            if self.problem != before:
                charge.tell("gates not asked", reason=self.problem)
        else:
            self.problem = ""
            if code is not None:
                charge.tell("canary", asked="abort", done=code.value, reason="a gate closed while capital was out")
