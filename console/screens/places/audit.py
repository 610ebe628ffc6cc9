"""Screen 8: alerts with who saw them, and what was done, by whom, why, and what it changed; newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container

from console.domain.seen.observation import Observation
from console.screens.frame.base import ConsoleScreen
from console.screens.frame.listing import ListScreen
from console.screens.parts.shapes import ALERT_COLUMNS, AUDIT_COLUMNS, alert_grid_row, audit_grid_row, observation_age
from console.views.guard.alerts import alert_rows
from console.views.lists import action_rows
from widgets.frame.panel import Panel
from widgets.lists.grid import Grid

MOST_ALERTS = 9
"""Lines that the alerts may take from the receipts."""


class AuditScreen(ConsoleScreen):
    """The alerts above, as many lines as there are; the receipts below."""

    DEFAULT_CSS = """
    AuditScreen #body { layout: vertical; }
    AuditScreen #alerts { height: 4; }
    AuditScreen.-zoomed #alerts { height: 1fr; }
    """
    HINTS: ClassVar[Sequence[str]] = ("run.guard_ack", "run.undo", *ListScreen.HINTS, "view.next_panel")

    def __init__(self) -> None:
        super().__init__()
        self._alerts = Grid(ALERT_COLUMNS, empty="No alert. What guards find comes here.", id="alerts-grid")
        self._grid = Grid(AUDIT_COLUMNS, empty="Nothing was done yet. What you do is recorded here.", id="audit-grid")
        self._alerts_panel = Panel("Alerts", self._alerts, id="alerts", classes="zoomable")
        self._panel = Panel("Audit", self._grid, id="audit", classes="zoomable -current")

    def compose_body(self) -> ComposeResult:
        with Container(id="body"):
            yield self._alerts_panel
            yield self._panel

    def focus_first(self) -> None:
        """The receipts have the keys at first."""
        self.focus_in(self._panel)

    def show_body(self, observation: Observation) -> None:
        """What differs."""
        rows = [row for row in reversed(action_rows(observation)) if self.keeps(self._grid, row.search)]
        self._grid.set_rows([audit_grid_row(row) for row in rows])
        self._panel.note = f"the newest {len(rows)}"
        every = alert_rows(observation)
        alerts = [row for row in every if self.keeps(self._alerts, row.search)]
        self._alerts.set_rows([alert_grid_row(row) for row in alerts])
        waiting = sum(row.open for row in every)
        self._alerts_panel.title = f"Alerts: {waiting} that nobody has seen" if waiting else "Alerts"
        height = min(MOST_ALERTS, max(1, len(alerts)) + 1) + 2
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
