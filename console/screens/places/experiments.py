"""Screen 9: A/B tests: what is compared, how it stands, and what may be said of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.containers import Container

from console.domain.seen.observation import Observation
from console.screens.frame.base import ConsoleScreen
from console.screens.parts.lines import Lines
from console.screens.parts.shapes import observation_age
from console.views.experiments import ExperimentRow, experiment_facts, experiment_rows
from console.views.looking import NOT_KEPT, is_past
from widgets.charts.interval_bar import interval_bar
from widgets.frame.panel import Panel
from widgets.lists.columns import Column
from widgets.lists.grid import Grid, GridRow
from widgets.text.line_widget import Span

BAR: Final = 25
REACH: Final = 4.0
"""What the ends of the drawn intervals stand for, in margins: so that the margins of all rows stand in one column."""
COLUMNS = (
    Column("", 1),
    Column("experiment", 0, ends=True, always=True),
    Column("flag", 12, tone="dim", priority=6),
    Column("A", 11, tone="dim", priority=3, most=32),
    Column("B", 11, tone="dim", priority=3, most=32),
    Column("rounds", 25, align="right", tone="dim", priority=4, most=36, falls=True),
    Column(
        "A better  0  B better",
        BAR,
        align="center",
        tone="accent",
        priority=2,
        name="difference",
        help="B less A, with its interval.",
    ),
    Column("verdict", 36, most=72),
)
NOTHING: Final = (
    "No experiment is defined. One compares two values of a flag within one version, over even halves of the rounds.\n"
    ":experiment define NAME FILE writes one down, and assigns nothing yet; :experiment start NAME does."
)
_BIG_BAR: Final = 61


class ExperimentsScreen(ConsoleScreen):
    """The list; where there is room, everything about the one under the cursor below it."""

    DEFAULT_CSS = """
    ExperimentsScreen #body { layout: vertical; }
    ExperimentsScreen #list { height: 1fr; }
    ExperimentsScreen #one { height: 23; }
    ExperimentsScreen.-narrow #one, ExperimentsScreen.-none #one, ExperimentsScreen.-zoomed #one { display: none; }
    """
    HINTS: ClassVar[Sequence[str]] = (
        "view.command",
        "view.filter",
        "list.sort",
        "list.columns",
        "view.copy",
        "view.flags",
        "run.rollback",
        "run.halt",
        "view.help",
        "view.back",
        "app.quit",
    )

    def __init__(self) -> None:
        super().__init__()
        self._grid = Grid(COLUMNS, empty=NOTHING, id="experiments-grid")
        self.arrangeable("experiments", self._grid)
        self._one = Lines(id="one-lines")
        self._list_panel = Panel("Experiments", self._grid, id="list", classes="zoomable -current")
        self._one_panel = Panel("Experiment", self._one, id="one")

    def compose_body(self) -> ComposeResult:
        with Container(id="body"):
            yield self._list_panel
            yield self._one_panel

    def show_body(self, observation: Observation) -> None:
        """What differs."""
        every = experiment_rows(observation)
        self._grid.empty = NOT_KEPT if is_past(observation) else NOTHING
        self._grid.set_rows(self.in_order(self._grid, [experiment_grid_row(row) for row in every]))
        rows = self._grid.rows
        self.set_class(not rows, "-none")
        age = observation_age(observation)
        self._list_panel.note = f"{len(rows)} of {len(every)}" if len(rows) != len(every) else ""
        for panel in (self._list_panel, self._one_panel):
            panel.age = age or "live"
            panel.stale = bool(age)
        self._grid.stale = bool(age)
        self._show_one(observation)

    def _show_one(self, observation: Observation) -> None:
        """The experiment under the cursor."""
        current = self._grid.current
        row = next((row for row in experiment_rows(observation) if current and row.key == current.key), None)
        if row is not None:
            self._one_panel.title = f"Experiment {row.key}"
            self._one.show(experiment_lines(row, stale=bool(observation_age(observation) or row.heard)))

    def on_grid_highlighted(self, event: Grid.Highlighted) -> None:
        """Another one is under the cursor."""
        if self.shown is not None:
            self._show_one(self.shown)


def experiment_grid_row(row: ExperimentRow) -> GridRow:
    """A line of the list."""
    drawn = ""
    if row.bounds is not None:
        lower, estimate, upper, margin = row.bounds
        drawn = interval_bar(lower, estimate, upper, margin, BAR, REACH * margin)
    cells = (row.glyph, row.key, row.flag, row.a, row.b, row.rounds, drawn, row.heard or row.verdict)
    bar = "stale" if row.heard else ""
    verdict = "warn" if row.heard else row.verdict_tone.value
    tones = (row.tone.value, "", "", "", "", "", bar, verdict)
    return GridRow(row.key, cells, tones=tones, detail=row.view, by=row.by)


def experiment_lines(row: ExperimentRow, *, stale: bool) -> list[list[Span]]:
    """Everything about one, with its interval drawn."""
    lines: list[list[Span]] = []
    if row.bounds is not None:
        lower, estimate, upper, margin = row.bounds
        bar = interval_bar(lower, estimate, upper, margin, _BIG_BAR, REACH * margin)
        ends = f"{f'−{REACH * margin:g}':<12}{'A better    0    B better':^{_BIG_BAR - 24}}{f'+{REACH * margin:g}':>12}"
        lines += [[], [("   ", ""), (bar, "stale" if stale else "accent")], [("   ", ""), (ends, "dim")], []]
    for label, text in experiment_facts(row.view):
        tone = row.verdict_tone.value if label == "verdict" else ""
        lines.append([(f" {label:<11} ", "dim"), (text, "stale" if stale else tone)])
    return [*lines, [(f" {row.heard}", "warn")]] if row.heard else lines
