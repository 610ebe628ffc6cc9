"""A screen that shows a board: it is read while it is shown, on a thread of its own, and never waited for."""

from __future__ import annotations

from typing import ClassVar

from console.domain.board.boards import Board, Seen
from console.domain.fence.deployment import Slot
from console.domain.seen.observation import Observation
from console.domain.text import Safe
from console.screens.frame.base import ConsoleScreen
from console.views.format import age_text
from console.views.looking import is_past
from widgets.frame.panel import Panel
from widgets.lists.line_list import LineList

NO_BOARD = Safe("what is owed and what is open is not kept by the moment; :live returns.")
LATE_S = 5.0
"""A board that was not read for longer than this, and than ten of its readings take, is old."""


class BoardScreen(ConsoleScreen):
    """Looks at its board from the moment it is there until it is left."""

    BOARD: ClassVar[Board]

    def on_mount(self) -> None:
        """Begin to look."""
        self.host.boards.look(self.BOARD, self.side)

    def on_unmount(self) -> None:
        """Stop looking."""
        self.host.boards.leave(self.BOARD)

    def size_changed(self, narrow: bool) -> None:
        """Where there is less room, less is said."""
        if self.shown is not None:
            self.call_after_refresh(self.show_body, self.shown)

    @property
    def side(self) -> Slot | None:
        """The side that is asked about; None for whichever fits."""
        return None

    @property
    def seen(self) -> Seen:
        """What was read so far; of a moment that is over nothing, since no board is kept."""
        return Seen(problem=NO_BOARD) if self.shown is not None and is_past(self.shown) else self.host.boards.seen

    def action_look_again(self) -> None:
        """Read now, and ask the venue and the health addresses too."""
        self.host.source.refresh()
        self.host.boards.ask()
        self.say("Read again; the venue and health addresses are asked too, as far as they are configured.", "info")

    def ages(self, observation: Observation, took_s: float, at_age_s: float | None) -> tuple[str, bool]:
        """How old the board is, for the corner of a panel; and whether that is too old to act on.

        Args:
            observation: the newest.
            took_s: how long reading it took.
            at_age_s: seconds since it was read; None where it was not.
        """
        problem = self.seen.problem
        if at_age_s is None:
            return ("not read", True) if problem else ("reading …", False)
        late = bool(problem) or at_age_s > LATE_S + 10 * took_s
        text = f"{age_text(at_age_s)} ago"
        if self.seen.asking:
            text = f"asking …  {text}"
        return (f"▲ {problem}  {text}" if problem else text), late

    def age(self, panel: Panel, rows: LineList | None, told: tuple[str, bool]) -> None:
        """Write an age into a panel's corner, and grey what is old."""
        panel.age, panel.stale = told
        if rows is not None:
            rows.stale = told[1]
