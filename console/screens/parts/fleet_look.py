"""How the fleet is looked at, kept while one is inside an agent; and the list that shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.message import Message

from console.domain.fleet.agents import FleetAgent
from console.views.fleet.rows import BY_NAME, COLUMNS, TONES, cells_of, glyph
from widgets.lists.columns import Align, Column
from widgets.lists.grid import GridRow
from widgets.lists.long_grid import LongGrid, Make

MARK: Final = "●"


def _shape(
    name: str,
    title: str,
    width: int = 0,
    align: Align = "left",
    *,
    tone: str = "",
    priority: int = 0,
    most: int = 0,
    whole: bool = False,
) -> Column:
    one = BY_NAME[name]
    ends = always = name == "agent"
    return Column(title, width, align, tone, priority, most, whole, ends, name, one.falls, one.help, always)


FLEET_COLUMNS: Final = (
    Column("", 1, tone="accent"),
    Column("", 1),
    _shape("agent", "agent"),
    _shape("state", "state", 10),
    _shape("active", "active", 6, priority=4),
    _shape("epoch", "epoch", 6, "right", tone="dim", priority=7, most=9, whole=True),
    _shape("phase", "phase", 6, priority=8),
    _shape("level", "stopped", 9, priority=8, most=15),
    _shape("canary", "canary", 13, "right", priority=6),
    _shape("pnl", "PnL settled", 12, "right", priority=1, most=36, whole=True),
    _shape("doubts", "doubt", 5, "right", most=9, whole=True),
    _shape("flight", "flight", 6, "right", priority=7, most=9, whole=True),
    _shape("heartbeat", "heard", 6, "right", priority=2),
    _shape("alerts", "alerts", 6, "right", priority=3, most=9, whole=True),
    _shape("problem", "what is wrong", 14, priority=9, most=80),
)
"""A mark, a glyph, and what there is to know of an agent."""


@dataclass(slots=True)
class FleetLook:
    """How somebody looks at a fleet.

    Args:
        marks: the agents that are marked.
        cursor: the agent under the cursor; empty for the first.
        filter: as it was typed.
    """

    marks: set[str] = field(default_factory=set)
    cursor: str = ""
    filter: str = ""

    def row(self, agent: FleetAgent) -> GridRow:
        """A line."""
        cells, tones = cells_of(agent, COLUMNS)
        mark = MARK if agent.name in self.marks else ""
        tone = TONES[agent.standing].value
        return GridRow(agent.name, (mark, glyph(agent), *cells), tones=("", tone, *tones), detail=agent)


def fleet_value(agent: FleetAgent, name: str) -> Any:
    """What an agent is sorted by."""
    return BY_NAME[name].order(agent)


class FleetGrid(LongGrid):
    """The agents, with a key to mark them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "asterisk",
            "mark_all",
            "Mark all",
            id="fleet.mark_all",
            show=False,
            tooltip="Mark all that the filter keeps, or none",
        ),
    ]

    class MarkAll(Message):
        """All that the filter keeps are to be marked, or none."""

    def __init__(self, *, empty: str, id: str) -> None:
        super().__init__(FLEET_COLUMNS, lambda agent: str(agent.name), empty=empty, id=id)
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

    def action_mark_all(self) -> None:
        """All, or none."""
        self.post_message(FleetGrid.MarkAll())
