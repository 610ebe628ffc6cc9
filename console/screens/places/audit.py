"""Screen 8: alerts with who saw them, and what was done, by whom, why, and what it changed; newest last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container

from console.domain.seen.observation import Observation
from console.screens.frame.base import ConsoleScreen
from console.screens.frame.listing import ListScreen
from console.screens.parts.shapes import (
    ALERT_COLUMNS,
    AUDIT_COLUMNS,
    NEWEST_LAST,
    alert_grid_row,
    audit_grid_row,
    observation_age,
)
from console.views.guard.alerts import alert_rows
from console.views.lists import action_rows
from widgets.frame.panel import Panel
from widgets.lists.grid import Grid

MOST_ALERTS = 9
"""Lines that the alerts may take from the receipts."""
LEAST_LINES, AROUND = 3, 4
"""Lines that the alerts have at least, their frame among them; those of header, banner and footer."""


class AuditScreen(ConsoleScreen):
    """The alerts above, as many lines as there are; the receipts below."""

    DEFAULT_CSS = """
    AuditScreen #body { layout: vertical; }
    AuditScreen #alerts { height: 4; }
    AuditScreen.-zoomed #alerts { height: 1fr; }
    """
    HINTS: ClassVar[Sequence[str]] = (
        "run.guard_ack",
        "run.undo",
        *ListScreen.HINTS,
        "view.next_panel",
        "list.sort",
        "list.columns",
    )

    def __init__(self) -> None:
        super().__init__()
        nothing = "Nothing was done yet. What you do is recorded here."
        quiet = "No alert. What guards find comes here; `agent-console guard` runs one."
        self._alerts = Grid(ALERT_COLUMNS, empty=quiet, follows=True, id="alerts-grid")
        self._grid = Grid(AUDIT_COLUMNS, empty=nothing, follows=True, id="audit-grid")
        self.arrangeable("alerts", self._alerts)
        self.arrangeable("audit", self._grid)
        self._alerts_panel = Panel(f"Alerts ({NEWEST_LAST})", self._alerts, id="alerts", classes="zoomable")
        self._panel = Panel(f"Audit ({NEWEST_LAST})", self._grid, id="audit", classes="zoomable -current")

    def compose_body(self) -> ComposeResult:
        with Container(id="body"):
            yield self._alerts_panel
            yield self._panel

    def focus_first(self) -> None:
        """The receipts have the keys at first."""
        self.focus_in(self._panel)

    def show_body(self, observation: Observation) -> None:
        """What differs."""
        self._grid.set_rows(self.in_order(self._grid, [audit_grid_row(row) for row in action_rows(observation)]))
        shown, total = len(self._grid.rows), self._grid.total
        self._panel.note = f"{shown} of the newest {total}" if shown != total else f"the newest {total}"
        alerts = alert_rows(observation)
        self._alerts.set_rows(self.in_order(self._alerts, [alert_grid_row(row) for row in alerts]))
        waiting = sum(row.open for row in alerts)
        unseen = f": {waiting} that nobody has seen" if waiting else ""
        self._alerts_panel.title = f"Alerts{unseen} ({self.order_text(self._alerts, NEWEST_LAST)})"
        self._panel.title = f"Audit ({self.order_text(self._grid, NEWEST_LAST)})"
        height = min(MOST_ALERTS, max(1, len(self._alerts.rows)) + 1) + 2
        height = min(height, max(LEAST_LINES, (self.size.height - AROUND) // 2))
        if self._alerts_panel.styles.height is None or self._alerts_panel.styles.height.value != height:
            self._alerts_panel.styles.height = height
        age = observation_age(observation)
        for panel, grid in ((self._panel, self._grid), (self._alerts_panel, self._alerts)):
            panel.age = age or "live"
            panel.stale = grid.stale = bool(age)

    def row_at_cursor(self, kind: str) -> str:
        """The alert under the cursor, while the alerts have the keys; else as on every screen."""
        row = self._alerts.current if kind == "alert" and self._alerts.has_focus else None
        return super().row_at_cursor(kind) if row is None else row.key
