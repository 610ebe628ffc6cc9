"""The canary's desk for asyncio: the same desk, asked without holding the loop up.

    desk = CanaryDesk(console.agent.CanaryDesk(url, cap=Decimal(500), currency="USD"))
    async with desk:
        given = await desk.assign("round-8812", Decimal("12.50"))
        ...
        await desk.settle("round-8812", canary_pnl=Decimal("-12.50"))

One thread asks the desk, in the order of the calls. A call that is cancelled is carried out all the same: a round whose
`assign` was cancelled may be booked, stands in `open_rounds` then, and has the same answer if it is assigned again.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from console.domain.canary.run import DeskReading

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from console.agent.canary import desk as canary_desk
    from console.agent.canary.desk import Decided
    from console.domain.canary.plan import Position
    from console.domain.canary.routing import Assignment

_ZERO: Final = Decimal(0)
_T = TypeVar("_T")


class CanaryDesk:
    """Shares an agent's rounds out, for a program on an event loop.

    Args:
        desk: that does the work; it is started and stopped here, and may be read directly (`capital`, `last_error`,
            `refused_run`).
    """

    def __init__(self, desk: canary_desk.CanaryDesk) -> None:
        self.desk = desk
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="agent-console-desk-calls")

    async def _ask(self, call: Callable[..., _T], *args: Any, **named: Any) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(call, *args, **named))

    # -- life ----------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        await self._ask(self.desk.start)

    async def stop(self) -> None:
        """Write down how things stand, after every call before it, and end; open rounds stay booked."""
        await self._ask(self.desk.stop)
        self._thread.shutdown(wait=False)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def position(self) -> Position:
        """The step and revision in force here."""
        return self.desk.position

    @property
    def share(self) -> Decimal:
        """The canary's share in force here."""
        return self.desk.share

    async def open_rounds(self) -> tuple[str, ...]:
        """Rounds that were given out and have not ended, those from before a restart included."""
        return await self._ask(lambda: self.desk.open_rounds)

    # -- rounds --------------------------------------------------------------------------------------------------------

    async def assign(self, round_id: str, amount: Decimal) -> Assignment:
        """Share a round out, as the blocking desk does.

        Raises:
            Refused: the cap, another amount for the same round, or another process has taken over.
            StoreUnreachable: the canary's stake could not be booked; the round was given to nobody.
        """
        return await self._ask(self.desk.assign, round_id, amount)

    async def settle(
        self,
        round_id: str,
        *,
        canary_pnl: Decimal = _ZERO,
        stable_pnl: Decimal = _ZERO,
        error: bool = False,
        skipped: bool = False,
        latency_ms: float | None = None,
        decided: Decided | None = None,
    ) -> Assignment:
        """Say what a round brought, as to the blocking desk.

        Raises:
            Refused: the round is not open.
            UsageError: a result that is no amount of money, or of a version that had no stake.
        """
        return await self._ask(
            self.desk.settle,
            round_id,
            canary_pnl=canary_pnl,
            stable_pnl=stable_pnl,
            error=error,
            skipped=skipped,
            latency_ms=latency_ms,
            decided=decided,
        )

    async def release(self, round_id: str) -> None:
        """Give a round back that was not played, as to the blocking desk.

        Raises:
            Refused: the round is not open.
        """
        await self._ask(self.desk.release, round_id)

    async def hold(self, round_id: str, version: str, market: str, side: str) -> None:
        """Say that a version takes a side in a market with a round, as to the blocking desk.

        Raises:
            Refused: the other version holds another side of that market, or the round is not open.
        """
        await self._ask(self.desk.hold, round_id, version, market, side)

    async def reading(self) -> DeskReading:
        """How things stand here and now."""
        return await self._ask(self.desk.reading)
