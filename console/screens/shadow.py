"""Screen 3: the shadows: how often they decide otherwise, in what, and each such round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container

from console.domain.observation import Observation
from console.screens.base import ConsoleScreen
from console.screens.shapes import observation_age
from console.views.shadow import divergence_rows, rate_rows, shadow_rows
from console.views.tone import Tone
from widgets.columns import Column
from widgets.grid import Grid, GridRow
from widgets.panel import Panel

SHADOW_COLUMNS = (
    Column("shadow", 18),
    Column("rounds", 8, align="right"),
    Column("diverged", 9, align="right"),
    Column("noise", 12, align="right", tone="dim"),
    Column("calls refused", 13, align="right", tone="dim", priority=3),
    Column("lost", 0, priority=2),
    Column("priced", 40, align="right", tone="dim", priority=4),
    Column("heard", 6, align="right", tone="dim", priority=1),
)
RATE_COLUMNS = (
    Column("field ($ moves money)", 0),
    Column("kind", 14, tone="dim"),
    Column("raw", 7, align="right"),
    Column("noise", 7, align="right", tone="dim", priority=1),
    Column("excess", 7, align="right"),
)
DIVERGENCE_COLUMNS = (
    Column("time", 8, tone="dim"),
    Column("field", 14),
    Column("live", 0),
    Column("shadow", 24),
    Column("source", 14, tone="dim", priority=1),
)
NO_SHADOW = (
    "No shadow has reported.\nAn agent's ShadowReporter tells of one; --divergences FILE reads what others write."
)


class ShadowScreen(ConsoleScreen):
    """Three panels; enter on a divergence shows both decisions side by side."""

    DEFAULT_CSS = """
    ShadowScreen #body { layout: grid; grid-size: 2 2; grid-columns: 2fr 3fr; grid-rows: 6 1fr; }
    ShadowScreen #shadows { column-span: 2; }
    ShadowScreen.-narrow #body { layout: vertical; }
    ShadowScreen.-narrow #shadows { height: 5; }
    ShadowScreen.-narrow #rates { display: none; }
    ShadowScreen.-narrow #rates.-current { display: block; }
    """
    HINTS: ClassVar[Sequence[str]] = (
        "run.canary_promote",
        "run.canary_abort",
        "view.next_panel",
        "view.filter",
        "view.copy",
        "view.command",
        "view.help",
        "view.back",
        "app.quit",
    )

    def __init__(self) -> None:
        super().__init__()
        self._shadows = Grid(SHADOW_COLUMNS, empty=NO_SHADOW, id="shadows-grid")
        self._rates = Grid(RATE_COLUMNS, empty="Nothing differs.", id="rates-grid")
        self._list = Grid(DIVERGENCE_COLUMNS, empty="No round in which a shadow decided otherwise.", id="list-grid")
        self._panels = (
            Panel("Shadows", self._shadows, id="shadows", classes="zoomable"),
            Panel("What differs, less the noise", self._rates, id="rates", classes="zoomable"),
            Panel("Divergences", self._list, id="divergences", classes="zoomable -current"),
        )

    def compose_body(self) -> ComposeResult:
        with Container(id="body"):
            yield from self._panels

    def focus_first(self) -> None:
        """The divergences have the keys at first."""
        self.focus_in(self._panels[2])

    def show_body(self, observation: Observation) -> None:
        """What differs."""
        self._shadows.set_rows(
            [
                GridRow(
                    row.key, (row.name, row.rounds, row.diverged, row.noise, row.intents, row.lost, row.pnl, row.age),
                    tones=("", "", "", "", "", row.lost_tone.value),
                )
                for row in shadow_rows(observation)
            ]
        )  # fmt: skip
        rates = [row for row in rate_rows(observation) if self.keeps(self._rates, row.search)]
        self._rates.set_rows(
            [
                GridRow(row.key, (row.path, row.kind, row.rate, row.noise, row.excess), tones=(row.tone.value,))
                for row in rates
            ]
        )
        every = divergence_rows(observation)
        rows = [row for row in every if self.keeps(self._list, row.search)]
        self._list.set_rows(
            [
                GridRow(
                    row.key, (row.time, row.path, row.live, row.shadow, row.source),
                    tones=("", row.tone.value, Tone.TEXT.value, Tone.STRONG.value), detail=row.reading,
                )
                for row in rows
            ]
        )  # fmt: skip
        self._panels[2].note = f"{len(rows)} of {len(every)}" if len(rows) != len(every) else f"the newest {len(rows)}"
        age = observation_age(observation)
        for panel, grid in zip(self._panels, (self._shadows, self._rates, self._list), strict=True):
            panel.age = age or "live"
            panel.stale = grid.stale = bool(age)
