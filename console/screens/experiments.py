"""Screen 9: A/B tests: what is compared, how it stands, and what may be said of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from console.domain.observation import Observation
from console.screens.listing import ListScreen
from console.screens.shapes import observation_age
from console.views.experiments import experiment_rows
from widgets.columns import Column
from widgets.grid import Grid, GridRow

COLUMNS = (
    Column("", 1),
    Column("experiment", 16),
    Column("flag", 14, priority=3),
    Column("values", 0, tone="dim"),
    Column("rounds", 26, align="right", priority=2),
    Column("B less A", 28, align="right", priority=4),
    Column("verdict", 34),
)
NOTHING = (
    "No experiment is defined.\n:experiment define NAME FILE writes one down; :experiment start NAME assigns units."
)


class ExperimentsScreen(ListScreen):
    """The experiments, full size."""

    HINTS: ClassVar[Sequence[str]] = ("view.command", "view.filter", "view.copy", "view.help", "view.back", "app.quit")

    def __init__(self) -> None:
        self._grid = Grid(COLUMNS, empty=NOTHING, id="experiments-grid")
        super().__init__("Experiments", self._grid)

    def show_body(self, observation: Observation) -> None:
        """What differs."""
        rows = [row for row in experiment_rows(observation) if self.keeps(self._grid, row.search)]
        self._grid.set_rows(
            [
                GridRow(
                    row.key, (row.glyph, row.name, row.flag, row.values, row.rounds, row.interval, row.verdict),
                    tones=(row.tone.value, "", "", "", "", "", row.verdict_tone.value), detail=row.view,
                )
                for row in rows
            ]
        )  # fmt: skip
        self.age(observation_age(observation))
