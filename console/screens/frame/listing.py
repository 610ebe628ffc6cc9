"""A screen of one list, as large as the terminal: what the further screens have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container

from console.screens.frame.base import ConsoleScreen
from widgets.frame.panel import Panel
from widgets.lists.line_list import LineList


class ListScreen(ConsoleScreen):
    """One list under its title.

    Args:
        title: the panel's.
        rows: the list.
    """

    HINTS: ClassVar[Sequence[str]] = (
        "run.switch",
        "run.rollback",
        "run.halt",
        "view.filter",
        "view.copy",
        "view.command",
        "view.help",
        "view.back",
        "app.quit",
    )

    def __init__(self, title: str, rows: LineList) -> None:
        super().__init__()
        self.rows = rows
        self.panel = Panel(title, rows, classes="zoomable -current")

    def compose_body(self) -> ComposeResult:
        with Container(id="body"):
            yield self.panel

    def age(self, text: str) -> None:
        """How old the list is; empty while it is of the present."""
        self.panel.age = text or "live"
        self.panel.stale = self.rows.stale = bool(text)
