"""The live boards: read on a thread of their own, so that no list however long, no disk and no venue delays a key."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from console.commands.clock import utc_now
from console.domain.board.boards import Board, Seen
from console.domain.errors import ConsoleError
from console.domain.fence.deployment import Slot
from console.domain.text import Safe, clean

if TYPE_CHECKING:
    from console.commands.context import Context
    from console.domain.board.checks import Checks
    from console.domain.board.held import Held
    from console.live.held import Before

EVERY_S: Final = 1.0
"""Between two readings of a board that is looked at; a reading that takes long is made less often."""
MOST_S: Final = 15.0
SHARE: Final = 8.0
"""How many times as long as a reading took is waited until the next: it never takes more than a ninth of a core."""
ENDS_WITHIN_S: Final = 1.0


class _Wish(NamedTuple):
    """What is looked at; `asked` rises with each wish for the sources outside."""

    board: Board | None = None
    target: Slot | None = None
    asked: int = 0


class LiveBoards:
    """Reads a board in turns while it is looked at: `Boards`. It is made, and told, on the event loop of the screen.

    Args:
        open_context: connects and gives a context; called on the reading thread, and again after the store was lost.
        close_context: gives its connection back.
        clock: the time now.
    """

    def __init__(
        self,
        open_context: Callable[[], Awaitable[Context]],
        close_context: Callable[[Context], Awaitable[None]],
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._open, self._close, self._clock = open_context, close_context, clock
        self.told: Callable[[], None] = lambda: None
        self._seen = Seen()
        self._wish = _Wish()
        self._home: asyncio.AbstractEventLoop | None = None
        self._away: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._ended = False
        self._context: Context | None = None

    @property
    def seen(self) -> Seen:
        """What was read so far."""
        return self._seen

    def look(self, board: Board, target: Slot | None = None) -> None:
        """From now on this board is read in turns, and at first with every source outside."""
        self._wished(_Wish(board, target, self._wish.asked + 1))

    def ask(self) -> None:
        """Read the board that is looked at now, and ask every source outside again."""
        self._wished(self._wish._replace(asked=self._wish.asked + 1))

    def leave(self, board: Board) -> None:
        """Nobody looks at this board any more; another one may be looked at already."""
        if self._wish.board is board:
            self._wished(self._wish._replace(board=None))

    def again(self) -> None:
        """Read the board that is looked at now: something was changed."""
        if self._wake is not None and self._away is not None and not self._ended:
            self._away.call_soon_threadsafe(self._wake.set)

    async def aclose(self) -> None:
        """End the thread; one that hangs on a disk is not waited for."""
        self._ended = True
        thread, self._thread = self._thread, None
        if thread is None:
            return
        if self._away is not None and self._wake is not None:
            with_loop, wake = self._away, self._wake
            if not with_loop.is_closed():
                with_loop.call_soon_threadsafe(wake.set)
        await asyncio.to_thread(thread.join, ENDS_WITHIN_S)

    def _wished(self, wish: _Wish) -> None:
        if self._ended:
            return
        outside, self._wish = wish.asked != self._wish.asked, wish
        if outside:
            self._take(self._seen._replace(asking=True))
        if self._thread is None and wish.board is not None:
            self._home = asyncio.get_running_loop()
            self._thread = threading.Thread(target=self._run, name="boards", daemon=True)
            self._thread.start()
        self.again()

    def _take(self, seen: Seen) -> None:
        self._seen = seen
        self.told()

    # on the thread

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        from console.live.held import Before  # on this thread: a console at whose boards nobody looks has none of it

        self._wake = asyncio.Event()
        self._away = asyncio.get_running_loop()
        asked, before = 0, Before()
        try:
            while not self._ended:
                wish, started = self._wish, self._away.time()
                wait_s = MOST_S
                if wish.board is not None:
                    before = await self._turn(wish, before, outside=wish.asked != asked)
                    asked = wish.asked
                    wait_s = min(MOST_S, max(EVERY_S, SHARE * (self._away.time() - started)))
                try:
                    async with asyncio.timeout(wait_s if wish.board is not None else None):
                        await self._wake.wait()
                except TimeoutError:
                    continue
                self._wake.clear()
        finally:
            await self._drop()

    async def _turn(self, wish: _Wish, before: Before, *, outside: bool) -> Before:
        """One reading; what goes wrong with it is told, and what was read before stays with its age."""
        from console.live.checks import read_checks
        from console.live.held import read_held

        seen = self._seen
        try:
            if self._context is None:
                self._context = await self._open()
            if wish.board is Board.HELD:
                held, before = await read_held(self._context, before, outside=outside)
                self._tell(held=held, asked=wish.asked)
            else:
                known = seen.checks
                same = known if known is not None and wish.target in (None, known.checked.asked.target) else None
                checks = await read_checks(self._context, wish.target, same, outside=outside)
                self._tell(checks=checks, asked=wish.asked)
        except ConsoleError as error:
            await self._drop()
            self._tell(problem=clean(error.message, 200), asked=wish.asked)
        except Exception as error:  # noqa: BLE001 - told on the screen: a board that fails in a new way is no old board
            await self._drop()
            self._tell(problem=clean(f"{type(error).__name__}: {error}", 200), asked=wish.asked)
        return before

    def _tell(
        self, *, held: Held | None = None, checks: Checks | None = None, problem: Safe = Safe(""), asked: int
    ) -> None:
        def take() -> None:
            seen = self._seen
            waits = asked != self._wish.asked
            self._take(Seen(held or seen.held, checks or seen.checks, problem, waits and seen.asking))

        if self._home is not None and not self._ended and not self._home.is_closed():
            self._home.call_soon_threadsafe(take)

    async def _drop(self) -> None:
        ctx, self._context = self._context, None
        if ctx is not None:
            await self._close(ctx)
