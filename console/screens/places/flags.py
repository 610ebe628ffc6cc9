"""Screen 5: every flag with its type, its value, its default, what it is for and what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from console.domain.operator.command import CommandInfo
from console.domain.seen.observation import Observation
from console.screens.frame.listing import ListScreen
from console.screens.parts.shapes import FLAG_COLUMNS_WIDE, flag_grid_row, observation_age
from console.views.guard.before import suspect
from console.views.health import unread_text
from console.views.lists import flag_rows
from widgets.lists.grid import Grid


class FlagsScreen(ListScreen):
    """The flags, full size."""

    HINTS: ClassVar[Sequence[str]] = ("run.flag_toggle", *ListScreen.HINTS)

    def __init__(self) -> None:
        self._grid = Grid(FLAG_COLUMNS_WIDE, empty="No flag is set. :flag set NAME VALUE sets one.", id="flags-grid")
        super().__init__("Flags", self._grid)
        self._began = False

    def show_body(self, observation: Observation) -> None:
        """What differs."""
        rows = flag_rows(observation)
        self._grid.set_rows([flag_grid_row(row) for row in rows])
        if not self._began and observation.store is not None:
            self._began = True
            self._grid.go_to(suspect(observation))
        more = observation.store.flags_more if observation.store else 0
        self.panel.note = f"{len(self._grid.rows)} of {len(rows)}" + (f", {more} more are not read" if more else "")
        if observation.store is not None and (unread := unread_text(observation.store)):
            self.panel.note += f" · ▲ {unread}"
        self.age(observation_age(observation))

    def row_at_cursor(self, kind: str) -> str:
        """The flag under the cursor; else as on every screen."""
        row = self._grid.current if kind == "flag" else None
        return super().row_at_cursor(kind) if row is None else row.key

    def no_row_text(self, info: CommandInfo) -> str:
        """These are the flags: where none is, there is nothing to go to."""
        return "There is no flag to toggle." if info.row == "flag" else super().no_row_text(info)

    async def action_show_flags(self) -> None:
        """These are the flags; the cursor goes to the one that was changed last before an alert."""
        self._grid.focus()
        if self.shown is not None:
            self._grid.go_to(suspect(self.shown))

    def on_grid_toggled(self, event: Grid.Toggled) -> None:
        """Space on a flag."""
        self.run_at_cursor("flag")
