"""The live boards: read on a thread of their own, so that no list however long, no disk and no venue delays a key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from console.commands.clock import utc_now
from console.domain.board.boards import Board, Seen
from console.domain.errors import ConsoleError
from console.domain.fence.deployment import Slot
from console.domain.text import Safe, clean
from console.live.turns import Turns, pause_s

if TYPE_CHECKING:
    from console.commands.context import Context
    from console.domain.board.checks import Checks
    from console.domain.board.held import Held
    from console.live.checks import Judged
    from console.live.held import Before


class _Wish(NamedTuple):
    """What is looked at; `asked` rises with each wish for the sources outside."""

    board: Board | None = None
    target: Slot | None = None
    asked: int = 0


class LiveBoards(Turns):
    """Reads a board in turns while it is looked at: `Boards`.

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
        super().__init__("boards")
        self._open, self._close, self._clock = open_context, close_context, clock
        self.told: Callable[[], None] = lambda: None
        self._seen = Seen()
        self._wish = _Wish()
        self._asked = 0
        """The wish for the sources outside that was read last."""
        self._keeps = False
        self._before: Before | None = None
        self._judged: Judged | None = None
        """The checklist that was read last: `seen` has it only after the screen's loop took it, which may be later."""
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

    def keep(self, on: bool) -> None:
        """From now on every board is read in turns, whoever looks; or again only while somebody looks."""
        if self._ended:
            return
        self._keeps = on
        if on:
            self.begin()

    def _wished(self, wish: _Wish) -> None:
        if self._ended:
            return
        outside, self._wish = wish.asked != self._wish.asked, wish
        if outside:
            self._take(self._seen._replace(asking=True))
        if wish.board is not None:
            self.begin()
        else:
            self.again()

    def _take(self, seen: Seen) -> None:
        self._seen = seen
        self.told()

    # on the thread

    async def turn(self) -> float | None:
        """One reading of the board that is looked at, behind it of those that are kept; none where neither is."""
        wish, started = self._wish, monotonic()
        if wish.board is None and not self._keeps:
            return None
        for board in Board if self._keeps else ():
            if board is not wish.board:
                await self._read(board, wish, outside=False)
        if wish.board is not None:  # last: what went wrong with it is what is told
            await self._read(wish.board, wish, outside=wish.asked != self._asked)
            self._asked = wish.asked
        return pause_s(monotonic() - started)

    async def _read(self, board: Board, wish: _Wish, *, outside: bool) -> None:
        """One reading; what goes wrong with it is told, and what was read before stays with its age."""
        from console.live.checks import read_checks  # on this thread: a console at whose boards nobody looks has none
        from console.live.held import Before, read_held

        try:
            if self._context is None:
                self._context = await self._open()
            if board is Board.HELD:
                held, self._before = await read_held(self._context, self._before or Before(), outside=outside)
                self._told(held=held, asked=wish.asked)
            else:
                last = self._judged
                same = last if last is not None and wish.target in (None, last.checks.checked.asked.target) else None
                self._judged = await read_checks(self._context, wish.target, same, outside=outside)
                self._told(checks=self._judged.checks, asked=wish.asked)
        except ConsoleError as error:
            await self.drop()
            self._told(problem=clean(error.message, 200), asked=wish.asked)
        except Exception as error:  # noqa: BLE001 - told on the screen: a board that fails in a new way is no old board
            await self.drop()
            self._told(problem=clean(f"{type(error).__name__}: {error}", 200), asked=wish.asked)

    def _told(
        self, *, held: Held | None = None, checks: Checks | None = None, problem: Safe = Safe(""), asked: int
    ) -> None:
        def take() -> None:
            seen = self._seen
            waits = asked != self._wish.asked
            self._take(Seen(held or seen.held, checks or seen.checks, problem, waits and seen.asking))

        self.tell(take)

    async def drop(self) -> None:
        """Give the connection back."""
        ctx, self._context = self._context, None
        if ctx is not None:
            await self._close(ctx)
