"""Screen 3: the shadows: how often they decide otherwise, in what, and each such round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container

from console.domain.seen.observation import Observation
from console.domain.shadow.report import DivergenceReading
from console.screens.frame.base import ConsoleScreen
from console.screens.parts.shadowing import DIVERGENCE_COLUMNS, NOTHING_DIFFERS, divergence_grid_row
from console.screens.parts.shapes import NEWEST_LAST, observation_age
from console.views.looking import NOT_KEPT, is_past
from console.views.shadow.rates import RateRow, ShadowRow, divergence_rows, rate_rows, shadow_rows
from widgets.frame.panel import Panel
from widgets.lists.columns import Column
from widgets.lists.grid import Grid, GridRow

SHADOW_COLUMNS = (
    Column("", 1),
    Column("shadow", 16, most=40),
    Column("rounds", 7, align="right", most=11, whole=True),
    Column("diverged", 8, align="right"),
    Column("noise", 7, align="right", tone="dim"),
    Column("dropped", 7, align="right", priority=3),
    Column("timed out", 9, align="right", priority=3),
    Column("raised", 6, align="right", priority=3),
    Column("intents", 7, align="right", priority=4),
    Column("live PnL", 13, align="right", priority=2, most=36, whole=True),
    Column("shadow PnL", 13, align="right", priority=2, most=36, whole=True),
    Column("heard", 8, align="right", priority=1),
    Column("", 0, tone="dim", priority=1),
)
RATE_COLUMNS = (
    Column("", 1),
    Column("field", 0),
    Column("kind", 14, tone="dim"),
    Column("", 5, tone="bad"),
    Column("rounds", 6, align="right", tone="dim", priority=2),
    Column("raw", 7, align="right"),
    Column("noise", 7, align="right", tone="dim", priority=1),
    Column("excess", 7, align="right"),
)
NO_SHADOW = (
    "No shadow has reported. A shadow gets the same inputs as the live version and decides, but never acts.\n"
    "An agent's ShadowReporter tells of one; --divergences FILE reads what shadows of plain agents write."
)
AGREES = "Nothing differs.\nA field that the shadow decides otherwise comes here."
NOT_COMPARED = "No round was compared yet.\nA shadow's report says in what it differs."
_MOST_SHADOWS = 6


class ShadowScreen(ConsoleScreen):
    """Shadows above; what differs, of the one under the cursor; every divergence, of which enter shows both sides."""

    DEFAULT_CSS = """
    ShadowScreen #body { layout: vertical; }
    ShadowScreen #shadows { height: 5; }
    ShadowScreen #below { layout: horizontal; height: 1fr; }
    ShadowScreen #rates { width: 4fr; }
    ShadowScreen #divergences { width: 5fr; }
    ShadowScreen.-narrow #below { layout: vertical; }
    ShadowScreen.-narrow #rates { width: 1fr; height: 2fr; }
    ShadowScreen.-narrow #divergences { width: 1fr; height: 3fr; }
    ShadowScreen.-zoomed #below { layout: vertical; }
    ShadowScreen.-zoomed .zoomable.-current { width: 1fr; height: 1fr; }
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
        "view.zoom",
    )

    def __init__(self) -> None:
        super().__init__()
        self._shadows = Grid(SHADOW_COLUMNS, empty=NO_SHADOW, id="shadows-grid")
        self._rates = Grid(RATE_COLUMNS, empty=NO_SHADOW, id="rates-grid")
        self._list = Grid(DIVERGENCE_COLUMNS, empty=NOTHING_DIFFERS, follows=True, id="list-grid")
        self._shadows_panel = Panel("Shadows", self._shadows, id="shadows", classes="zoomable")
        self._rates_panel = Panel("What differs", self._rates, id="rates", classes="zoomable")
        self._list_panel = Panel(
            f"Divergences ({NEWEST_LAST})", self._list, id="divergences", classes="zoomable -current"
        )

    def compose_body(self) -> ComposeResult:
        with Container(id="body"):
            yield self._shadows_panel
            with Container(id="below"):
                yield self._rates_panel
                yield self._list_panel

    def focus_first(self) -> None:
        """The divergences have the keys at first."""
        self.focus_in(self._list_panel)

    def show_body(self, observation: Observation) -> None:
        """What differs."""
        shadows = shadow_rows(observation)
        self._shadows.empty = NOT_KEPT if is_past(observation) else NO_SHADOW
        self._shadows.set_rows([shadow_grid_row(row) for row in shadows])
        self._show_rates(observation)
        self._list.set_rows([divergence_grid_row(row) for row in divergence_rows(observation)])
        shown, total = len(self._list.rows), self._list.total
        self._list_panel.note = f"{shown} of {total}" if shown != total else f"the newest {total}"
        height = (min(_MOST_SHADOWS, len(shadows)) or (4 if self.narrow else 2)) + 3
        if self._shadows_panel.styles.height is None or self._shadows_panel.styles.height.value != height:
            self._shadows_panel.styles.height = height
        age = observation_age(observation)
        for panel, grid in (
            (self._shadows_panel, self._shadows),
            (self._rates_panel, self._rates),
            (self._list_panel, self._list),
        ):
            panel.age = age or "live"
            panel.stale = grid.stale = bool(age)

    def _show_rates(self, observation: Observation) -> None:
        """What differs, of the shadow under the cursor."""
        current = self._shadows.current
        key = current.key if current is not None else ""
        self._rates.empty = AGREES if current is not None else NOT_COMPARED
        self._rates.set_rows([rate_grid_row(row) for row in rate_rows(observation, key)])
        several = len(self._shadows.rows) > 1
        self._rates_panel.title = f"What differs: {key}" if several else "What differs"
        self._rates_panel.note = "excess: less the noise, never where money moves"

    def on_grid_highlighted(self, event: Grid.Highlighted) -> None:
        """Another shadow is under the cursor."""
        if event.grid is self._shadows and self.shown is not None:
            self._show_rates(self.shown)

    def on_grid_selected(self, event: Grid.Selected) -> None:
        """Enter on a divergence shows both sides; on a shadow, goes to what differs in it."""
        if isinstance(event.row.detail, DivergenceReading):
            from console.screens.places.divergence import DivergenceScreen

            self.host.push_screen(DivergenceScreen(event.row.detail))
        elif event.grid is self._shadows:
            self.focus_in(self._rates_panel)


def shadow_grid_row(row: ShadowRow) -> GridRow:
    """A line of the shadows."""
    lost = (row.dropped, row.timed_out, row.raised)
    told = (row.intents, row.live, row.shadow, row.heard, row.note)
    cells = (row.glyph, row.name, row.rounds, row.diverged, row.noise, *lost, *told)
    lost_tones = ["warn" if count not in ("", "0") else "dim" for count in lost]
    return GridRow(
        row.key, cells, tones=(row.tone.value, "", "", "", "", *lost_tones, "", "", "", row.heard_tone.value)
    )


def rate_grid_row(row: RateRow) -> GridRow:
    """A line of what differs."""
    cells = (row.glyph, row.path, row.kind, row.money, row.rounds, row.rate, row.noise, row.excess)
    return GridRow(row.key, cells, tones=(row.tone.value, row.tone.value if row.money else ""))
