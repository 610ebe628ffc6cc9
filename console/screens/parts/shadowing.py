"""Divergences of shadows as rows: a list on screen 3, a panel or one line on the overview."""

from __future__ import annotations

from console.domain.seen.observation import Observation
from console.screens.parts.shapes import observation_age
from console.views.shadow.rates import DivergenceRow, divergence_rows
from console.views.shadow.told import shadow_facts, shadow_title
from console.views.tone import Tone
from widgets.frame.panel import Panel
from widgets.lists.columns import Column
from widgets.lists.grid import Grid, GridRow
from widgets.text.line_widget import Span
from widgets.text.plain import width_of

DIVERGENCE_COLUMNS = (
    Column("", 1),
    Column("time", 8, tone="dim"),
    Column("what differs", 18, most=48),
    Column("live", 16, most=48),
    Column("shadow", 0),
    Column("source", 14, tone="dim", priority=1),
)
DIVERGENCE_COLUMNS_NARROW = (
    Column("", 1),
    Column("time", 8, tone="dim", priority=1),
    Column("what differs", 12, most=30),
    Column("live", 10, most=30),
    Column("shadow", 0),
)
"""Beside the chart."""
NOTHING_DIFFERS = "No round in which a shadow decided otherwise.\nEach one comes here; enter shows both sides of it."


def divergence_grid_row(row: DivergenceRow) -> GridRow:
    """A line of the divergences."""
    cells = (row.glyph, row.time, row.what, row.live, row.shadow, row.source)
    return GridRow(row.key, cells, tones=(row.tone.value, "", row.tone.value, "", "strong"), detail=row.reading)


def divergence_grid() -> Grid:
    """An empty list of divergences for the overview."""
    return Grid(DIVERGENCE_COLUMNS_NARROW, empty=NOTHING_DIFFERS, follows=True, id="shadow-grid")


def show_divergences(panel: Panel, grid: Grid, observation: Observation) -> None:
    """Show what shadows said, in the overview's panel."""
    age = observation_age(observation)
    panel.title = shadow_title(observation)
    panel.age = age or "live"
    panel.stale = grid.stale = bool(age)
    grid.set_rows([divergence_grid_row(row) for row in divergence_rows(observation)])


def shadow_line(observation: Observation, room: int) -> list[Span]:
    """The same in one line; what has no room is left out as a whole.

    Args:
        observation: what was seen.
        room: cells.
    """
    spans: list[Span] = [(" shadow ", Tone.MUTED.value)]
    used, old = width_of(spans[0][0]), bool(observation_age(observation))
    for text, tone in shadow_facts(observation):
        used += width_of(text) + 2
        if used > room:
            break
        spans.append((f"{text}  ", Tone.STALE.value if old else tone.value))
    return spans
