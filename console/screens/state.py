"""Screen 6: what is held and where: snapshots, the authority's facts, fenced processes, followed files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container

from console.domain.errors import ConsoleError
from console.domain.observation import Observation
from console.screens.base import ConsoleScreen
from console.screens.lines import Lines
from console.screens.shapes import observation_age
from console.views.state import file_rows, process_rows, store_facts
from console.views.tone import Tone
from widgets.columns import Column
from widgets.grid import Grid, GridRow
from widgets.panel import Panel

SNAPSHOT_COLUMNS = (Column("snapshot", 34), Column("what it is", 0, tone="dim"))
PROCESS_COLUMNS = (
    Column("process", 0),
    Column("slot", 5),
    Column("version", 9, tone="dim", priority=3),
    Column("heartbeat", 9, align="right"),
    Column("epoch", 21, priority=1),
    Column("flight", 6, align="right", priority=4),
    Column("doubt", 5, align="right", priority=2),
)
FILE_COLUMNS = (
    Column("decision log", 0),
    Column("size", 7, align="right"),
    Column("position", 14),
    Column("", 20, tone="warn", priority=1),
)


class StateScreen(ConsoleScreen):
    """Four panels; enter on a snapshot restores it, after its dialog."""

    DEFAULT_CSS = """
    StateScreen #body { layout: grid; grid-size: 2 2; grid-columns: 1fr 1fr; }
    StateScreen.-narrow #body { layout: vertical; }
    StateScreen.-narrow .zoomable { display: none; }
    StateScreen.-narrow .zoomable.-current { display: block; }
    StateScreen.-zoomed #body { layout: vertical; }
    """
    HINTS: ClassVar[Sequence[str]] = (
        "run.snapshot_take",
        "run.snapshot_restore",
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
        self._snapshots = Grid(SNAPSHOT_COLUMNS, empty="Reading the snapshots …", id="snapshots-grid")
        self._facts = Lines(id="facts")
        self._processes = Grid(
            PROCESS_COLUMNS,
            empty="No fenced process is connected.\nPlain agents read two keys and can't be counted.",
            id="processes-grid",
        )
        self._files = Grid(
            FILE_COLUMNS, empty="No decision log is followed.\nStart with --decisions PATH.", id="files-grid"
        )
        self._store_panels = (
            Panel("Who may act", self._facts, id="who", classes="zoomable"),
            Panel("Fenced processes", self._processes, id="processes", classes="zoomable"),
        )
        self._newest_receipt: str | None = None

    def compose_body(self) -> ComposeResult:
        with Container(id="body"):
            yield Panel("Snapshots", self._snapshots, id="snapshots", classes="zoomable")
            yield from self._store_panels
            yield Panel("Followed files", self._files, id="files", classes="zoomable")

    def show_body(self, observation: Observation) -> None:
        """What differs; the snapshots are listed anew when something was done."""
        age = observation_age(observation)
        facts = store_facts(observation)
        self._facts.show(
            [((f" {fact.label:<20}", "dim"), (fact.value, Tone.STALE if age else fact.tone)) for fact in facts]
        )
        self._processes.set_rows(
            [
                GridRow(
                    row.key,
                    (row.key, row.slot, row.version, row.heartbeat, row.acknowledged, row.in_flight, row.in_doubt),
                    tones=("", row.slot_tone, "", "", row.tone),
                )
                for row in process_rows(observation)
                if self.keeps(self._processes, f"{row.key} {row.slot} {row.version}")
            ]
        )
        self._files.set_rows(
            [
                GridRow(row.key, (row.key, row.size, row.position, row.note))
                for row in file_rows(observation)
                if self.keeps(self._files, row.key)
            ]
        )
        self._processes.stale = bool(age)
        for panel in self._store_panels:
            panel.age = age or "live"
            panel.stale = bool(age)
        newest = observation.store.audit[-1].stream_id if observation.store and observation.store.audit else ""
        if newest != self._newest_receipt:
            self._newest_receipt = newest
            self.run_worker(self._list_snapshots(), group="snapshots", exclusive=True, exit_on_error=False)

    async def _list_snapshots(self) -> None:
        try:
            found = await self.host.operator.suggestions("snapshot")
        except ConsoleError as error:
            self._snapshots.empty = str(error)
            self._snapshots.set_rows([])
            return
        self._snapshots.empty = "No snapshot yet. S takes one."
        self._snapshots.set_rows([GridRow(name, (name, text)) for name, text in found])

    def on_grid_selected(self, event: Grid.Selected) -> None:
        """Enter on a snapshot: its dialog."""
        if event.grid is self._snapshots:
            self.host.start("snapshot restore", {"file": event.key})
