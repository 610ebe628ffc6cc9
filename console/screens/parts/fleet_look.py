"""How the fleet is looked at, kept while one is inside an agent; and the list that shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.message import Message

from console.domain.fleet.agents import FleetAgent
from console.views.fleet.rows import BY_NAME, TONES, USUAL, FleetColumn, Order, cells_of, glyph
from widgets.lists.columns import Column
from widgets.lists.grid import GridRow
from widgets.lists.long_grid import LongGrid, Make

MARK: Final = "●"
UP, DOWN = "↑", "↓"
_SHAPES: Final = {
    "agent": Column("agent", 0, ends=True),
    "state": Column("state", 10),
    "active": Column("active", 6, priority=4),
    "epoch": Column("epoch", 6, align="right", tone="dim", priority=7, most=9, whole=True),
    "phase": Column("phase", 6, priority=8),
    "level": Column("stopped", 9, priority=8, most=15),
    "canary": Column("canary", 13, align="right", priority=6),
    "pnl": Column("PnL settled", 12, align="right", priority=1, most=36, whole=True),
    "doubts": Column("doubt", 5, align="right", most=9, whole=True),
    "flight": Column("flight", 6, align="right", priority=7, most=9, whole=True),
    "heartbeat": Column("heard", 6, align="right", priority=2),
    "alerts": Column("alerts", 6, align="right", priority=3, most=9, whole=True),
    "problem": Column("what is wrong", 14, priority=9, most=80),
}


@dataclass(slots=True)
class FleetLook:
    """How somebody looks at a fleet.

    Args:
        columns: the names of those that are shown, in this order.
        order: what the rows are sorted by.
        marks: the agents that are marked.
        cursor: the agent under the cursor; empty for the first.
        filter: as it was typed.
    """

    columns: tuple[str, ...] = USUAL
    order: Order = field(default_factory=Order)
    marks: set[str] = field(default_factory=set)
    cursor: str = ""
    filter: str = ""

    @property
    def shown(self) -> tuple[FleetColumn, ...]:
        """The columns that are shown; an agent's name always is."""
        names = [name for name in self.columns if name in BY_NAME]
        return tuple(BY_NAME[name] for name in dict.fromkeys(names if "agent" in names else ("agent", *names)))

    def shapes(self) -> tuple[Column, ...]:
        """The columns as they are drawn: a mark, a glyph, and those that are shown, the sorted one with its sign."""
        return (Column("", 1, tone="accent"), Column("", 1), *(self._shape(column.name) for column in self.shown))

    def _shape(self, name: str) -> Column:
        shape = _SHAPES[name]
        if name != self.order.column:
            return shape
        falls = BY_NAME[name].falls != self.order.reverse
        return shape._replace(title=f"{shape.title}{DOWN if falls else UP}", priority=0)

    def row(self, agent: FleetAgent) -> GridRow:
        """A line."""
        cells, tones = cells_of(agent, self.shown)
        mark = MARK if agent.name in self.marks else ""
        tone = TONES[agent.standing].value
        return GridRow(agent.name, (mark, glyph(agent), *cells), tones=("", tone, *tones), detail=agent)

    def sort_by(self, step: int) -> None:
        """Sort by the next of the columns that are shown, or by the one before."""
        names = [column.name for column in self.shown]
        at = names.index(self.order.column) if self.order.column in names else -step
        self.order = Order(names[(at + step) % len(names)])

    def reverse(self) -> None:
        """The other way round."""
        self.order = self.order._replace(reverse=not self.order.reverse)

    def toggle_column(self, name: str) -> None:
        """Show a column, at its usual place, or show it no more."""
        shown = [column.name for column in self.shown]
        wanted = [one for one in BY_NAME if (one in shown) != (one == name)]
        self.columns = tuple(wanted)
        if self.order.column not in self.columns:
            self.order = Order("agent")


class FleetGrid(LongGrid):
    """The agents, with keys to sort, to choose columns, and to mark."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("greater_than_sign", "sort(1)", "Sort", id="fleet.sort", show=False, tooltip="Sort by the next column"),
        Binding(
            "less_than_sign", "sort(-1)", "Sort", id="fleet.sort_back", show=False, tooltip="Sort by the column before"
        ),
        Binding("I", "reverse", "Reverse", id="fleet.reverse", show=False, tooltip="Sort the other way round"),
        Binding("C", "columns", "Columns", id="fleet.columns", show=False, tooltip="Choose the columns"),
        Binding(
            "asterisk",
            "mark_all",
            "Mark all",
            id="fleet.mark_all",
            show=False,
            tooltip="Mark all that the filter keeps, or none",
        ),
    ]

    class Asked(Message):
        """A key of the fleet was pressed.

        Args:
            what: "sort", "reverse", "columns" or "mark_all".
            step: of a sort: to the next column, or the one before.
        """

        def __init__(self, what: str, step: int = 0) -> None:
            super().__init__()
            self.what, self.step = what, step

    def __init__(self, columns: Sequence[Column], *, empty: str, id: str) -> None:
        super().__init__(columns, lambda agent: str(agent.name), empty=empty, id=id)
        self.moved = False
        """Whether the operator has moved the cursor: until then it stands on the first row, whoever that is."""

    def set_items(self, items: Sequence[Any], make: Make) -> None:
        """Show rows made of these."""
        super().set_items(items, make)
        if not self.moved:
            self.move_to(0)

    def _moved(self) -> None:
        self.moved = True
        super()._moved()

    def action_sort(self, step: int) -> None:
        """Another column."""
        self.post_message(FleetGrid.Asked("sort", step))

    def action_reverse(self) -> None:
        """The other way round."""
        self.post_message(FleetGrid.Asked("reverse"))

    def action_columns(self) -> None:
        """Choose columns."""
        self.post_message(FleetGrid.Asked("columns"))

    def action_mark_all(self) -> None:
        """All, or none."""
        self.post_message(FleetGrid.Asked("mark_all"))
