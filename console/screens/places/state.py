"""Screen 6: what is held and where: the authority's facts, snapshots, fenced instances, doubts, followed files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container

from console.domain.errors import ConsoleError
from console.domain.seen.observation import Observation
from console.screens.frame.base import ConsoleScreen
from console.screens.parts.lines import Lines
from console.screens.parts.shapes import (
    DOUBT_COLUMNS,
    INSTANCE_COLUMNS,
    NEWEST_LAST,
    doubt_grid_row,
    instance_grid_row,
    observation_age,
)
from console.views.fence.instances import acknowledged_text, doubt_rows, doubts_more, instance_rows
from console.views.format import count_text
from console.views.state import file_rows, store_facts
from console.views.tone import Tone
from widgets.frame.panel import Panel
from widgets.lists.columns import Column
from widgets.lists.grid import Grid, GridRow

SNAPSHOT_COLUMNS = (Column("snapshot", 34), Column("what it is", 0, tone="dim"))
FILE_COLUMNS = (
    Column("file", 0, ends=True),
    Column("size", 7, align="right"),
    Column("position", 14),
    Column("", 20, tone="warn", priority=1),
)


class StateScreen(ConsoleScreen):
    """Five panels; enter on a snapshot restores it, after its dialog, and `d` resolves the doubt under the cursor."""

    DEFAULT_CSS = """
    StateScreen #body { layout: grid; grid-size: 2 3; grid-columns: 9fr 11fr; grid-rows: 15 1fr 7; }
    StateScreen #files { column-span: 2; }
    StateScreen.-narrow #body { layout: vertical; }
    StateScreen.-narrow .zoomable { display: none; }
    StateScreen.-narrow .zoomable.-current { display: block; }
    StateScreen.-zoomed #body { layout: vertical; }
    """
    HINTS: ClassVar[Sequence[str]] = (
        "run.snapshot_take",
        "run.snapshot_restore",
        "run.doubts_resolve",
        "run.switch",
        "run.rollback",
        "view.next_panel",
        "view.command",
        "view.help",
        "view.back",
        "app.quit",
    )

    def __init__(self) -> None:
        super().__init__()
        self._snapshots = Grid(SNAPSHOT_COLUMNS, empty="Reading the snapshots …", follows=True, id="snapshots-grid")
        self._facts = Lines(id="facts")
        self._instances = Grid(
            INSTANCE_COLUMNS,
            empty="No fenced agent is connected.\nPlain agents read two keys and can't be counted.",
            id="instances-grid",
        )
        self._doubts = Grid(DOUBT_COLUMNS, empty="Nothing is in doubt.", follows=True, id="doubts-grid")
        self._files = Grid(
            FILE_COLUMNS,
            empty="No file is followed.\nStart with --decisions PATH, or --divergences PATH.",
            id="files-grid",
        )
        self._store_panels = (
            Panel("Who may act", self._facts, id="who", classes="zoomable"),
            Panel("Instances", self._instances, id="instances", classes="zoomable"),
            Panel(f"In doubt ({NEWEST_LAST})", self._doubts, id="doubts", classes="zoomable"),
        )
        self._newest_receipt: str | None = None

    def compose_body(self) -> ComposeResult:
        with Container(id="body"):
            who, instances, doubts = self._store_panels
            yield who
            yield Panel(f"Snapshots ({NEWEST_LAST})", self._snapshots, id="snapshots", classes="zoomable")
            yield instances
            yield doubts
            yield Panel("Followed files", self._files, id="files", classes="zoomable")

    def show_body(self, observation: Observation) -> None:
        """What differs; the snapshots are listed anew when something was done."""
        age = observation_age(observation)
        facts = store_facts(observation)
        self._facts.show(
            [((f" {fact.label:<20}", "dim"), (fact.value, Tone.STALE if age else fact.tone)) for fact in facts]
        )
        self._show_fenced(observation)
        self._files.set_rows(
            [GridRow(row.key, (row.key, row.size, row.position, row.note)) for row in file_rows(observation)]
        )
        self._instances.stale = self._doubts.stale = bool(age)
        for panel in self._store_panels:
            panel.age = age or "live"
            panel.stale = bool(age)
        newest = observation.store.audit[-1].stream_id if observation.store and observation.store.audit else ""
        if newest != self._newest_receipt:
            self._newest_receipt = newest
            self.run_worker(self._list_snapshots(), group="snapshots", exclusive=True, exit_on_error=False)

    def _show_fenced(self, observation: Observation) -> None:
        """The instances, and what nobody knows the outcome of."""
        _who, instances, doubts = self._store_panels
        rows = instance_rows(observation)
        self._instances.set_rows([instance_grid_row(row) for row in rows])
        told = acknowledged_text(observation.store) if rows and observation.store else ""
        instances.title = f"Instances: {told}" if told else "Instances"
        unknown, more = doubt_rows(observation), doubts_more(observation)
        self._doubts.set_rows([doubt_grid_row(row) for row in unknown])
        many = f": {count_text(len(unknown) + more)}" if unknown or more else ""
        doubts.title = f"In doubt{many} ({NEWEST_LAST})"
        doubts.note = f"{count_text(more)} more are not read" if more else ""

    def row_at_cursor(self, kind: str) -> str:
        """The doubt under the cursor, while the doubts have the keys; else as on every screen."""
        row = self._doubts.current if kind == "doubt" and self._doubts.has_focus else None
        return super().row_at_cursor(kind) if row is None else row.key

    async def _list_snapshots(self) -> None:
        try:
            snapshots = await self.host.operator.suggestions("snapshot")
        except ConsoleError as error:
            self._snapshots.empty = str(error)
            self._snapshots.set_rows([])
            return
        self._snapshots.empty = "No snapshot yet. S takes one."
        self._snapshots.set_rows([GridRow(name, (name, text)) for name, text in reversed(snapshots)])

    def on_grid_selected(self, event: Grid.Selected) -> None:
        """Enter on a snapshot: its dialog."""
        if event.grid is self._snapshots:
            self.run_on_enter("snapshot", event.key)
