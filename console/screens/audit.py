"""Screen 8: what was done, by whom, why, and what it changed; newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from console.domain.observation import Observation
from console.screens.listing import ListScreen
from console.screens.shapes import AUDIT_COLUMNS, audit_grid_row, observation_age
from console.views.lists import action_rows
from widgets.grid import Grid


class AuditScreen(ListScreen):
    """The receipts, full size."""

    HINTS: ClassVar[Sequence[str]] = ("run.undo", *ListScreen.HINTS)

    def __init__(self) -> None:
        self._grid = Grid(AUDIT_COLUMNS, empty="Nothing was done yet. What you do is recorded here.", id="audit-grid")
        super().__init__("Audit", self._grid)

    def show_body(self, observation: Observation) -> None:
        """What differs."""
        rows = [row for row in reversed(action_rows(observation)) if self.keeps(self._grid, row.search)]
        self._grid.set_rows([audit_grid_row(row) for row in rows])
        self.panel.note = f"the newest {len(rows)}"
        self.age(observation_age(observation))
