"""Screen 6: what is owed, by deadline; may a version be stopped; books and the venue's; snapshots; who holds what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.containers import Container

from console.domain.board.boards import Board
from console.domain.board.held import Held
from console.domain.errors import ConsoleError
from console.domain.seen.observation import Observation
from console.screens.frame.board import BoardScreen
from console.screens.frame.panels import WIDE_COLUMNS
from console.screens.parts.board_shapes import (
    BOOK_COLUMNS,
    DRAIN_COLUMNS,
    FILE_COLUMNS,
    OWED_COLUMNS,
    SNAPSHOT_COLUMNS,
    book_grid_row,
    drain_grid_row,
    file_grid_row,
    glance_line,
    owed_grid_row,
    snapshot_grid_row,
)
from console.screens.parts.details import FRAME, fact_lines
from console.screens.parts.lines import Lines
from console.screens.parts.shapes import (
    DOUBT_COLUMNS,
    INSTANCE_COLUMNS,
    NEWEST_LAST,
    doubt_grid_row,
    instance_grid_row,
    observation_age,
)
from console.views.commitments.board import OwedBoard, nothing_owed
from console.views.commitments.drain import drain_facts, drain_rows, glances, no_versions
from console.views.commitments.owed_row import key_of
from console.views.fence.instances import acknowledged_text, doubt_rows, doubts_more, instance_rows
from console.views.format import count_text
from console.views.snapshot_rows import no_snapshots, snapshot_facts, snapshot_rows
from console.views.state import file_rows, store_facts
from console.views.tone import Tone
from console.views.venue.books import book_facts, book_rows, books_age, books_title, no_books
from widgets.frame.panel import Panel
from widgets.lists.grid import Grid, GridRow
from widgets.lists.long_grid import LongGrid

ROOM_ROWS: Final = 40
"""Rows from which on all panels are shown at once."""
NOTHING_IN_DOUBT: Final = "Nothing is in doubt.\nAn action whose outcome nobody knows comes here; its key resolves it."


class StateScreen(BoardScreen):
    """What is owed above, then what has to be known before a version is stopped, then who holds what."""

    DEFAULT_CSS = """
    StateScreen #body { layout: vertical; }
    StateScreen #glance { height: 2; }
    StateScreen #panels {
        height: 1fr; layout: grid; grid-size: 6 5; grid-rows: 1fr 8 9 8 5;
    }
    StateScreen #owed, StateScreen #files { column-span: 6; }
    StateScreen #drain, StateScreen #books { column-span: 3; }
    StateScreen #snapshots { column-span: 4; }
    StateScreen #who { column-span: 2; row-span: 2; }
    StateScreen #doubts, StateScreen #instances { column-span: 2; }
    StateScreen.-narrow #panels, StateScreen.-zoomed #panels { layout: vertical; }
    StateScreen.-narrow .zoomable { display: none; }
    StateScreen.-narrow .zoomable.-current { display: block; height: 1fr; }
    """
    BOARD = Board.HELD
    ROOM = (WIDE_COLUMNS, ROOM_ROWS)
    ONE_AT_A_TIME = True
    HINTS: ClassVar[Sequence[str]] = (
        "view.next_panel",
        "run.commitments_give",
        "run.retire",
        "run.snapshot_take",
        "run.snapshot_restore",
        "view.command",
        "run.doubts_resolve",
        "view.look_again",
        "list.sort",
        "list.columns",
        "run.switch",
        "run.rollback",
        "run.halt",
        "view.back",
    )

    def __init__(self) -> None:
        super().__init__()
        self._glance = Lines(id="glance")
        self._owed = LongGrid(OWED_COLUMNS, key_of, empty="Reading what is owed …", id="owed-grid")
        self._drain = Grid(DRAIN_COLUMNS, empty="Reading …", id="drain-grid")
        self._books = Grid(BOOK_COLUMNS, empty="Reading …", id="books-grid")
        self._snapshots = Grid(SNAPSHOT_COLUMNS, empty="Reading the snapshots …", follows=True, id="snapshots-grid")
        self._facts = Lines(id="facts")
        self._instances = Grid(
            INSTANCE_COLUMNS,
            empty="No fenced agent is connected.\nPlain agents read two keys and can't be counted.",
            id="instances-grid",
        )
        self._doubts = Grid(DOUBT_COLUMNS, empty=NOTHING_IN_DOUBT, follows=True, id="doubts-grid")
        self._files = Grid(
            FILE_COLUMNS,
            empty="No file is followed.\nStart with --decisions PATH, or --divergences PATH.",
            id="files-grid",
        )
        for name, grid in self._lists.items():
            self.arrangeable(name, grid)
        self._board_panels = (
            Panel("Owed, by deadline", self._owed, id="owed", classes="zoomable -current"),
            Panel("May it be stopped?", self._drain, id="drain", classes="zoomable"),
            Panel("Balances against the venue", self._books, id="books", classes="zoomable"),
            Panel(f"Snapshots ({NEWEST_LAST})", self._snapshots, id="snapshots", classes="zoomable"),
        )
        self._store_panels = (
            Panel("Who may act", self._facts, id="who", classes="zoomable"),
            Panel("Instances", self._instances, id="instances", classes="zoomable"),
            Panel(f"In doubt ({NEWEST_LAST})", self._doubts, id="doubts", classes="zoomable"),
        )
        self._files_panel = Panel("Followed files", self._files, id="files", classes="zoomable")
        self._board: OwedBoard | None = None

    @property
    def _lists(self) -> dict[str, Grid]:
        """Those that can be arranged, by the name that the configuration has for them."""
        return {
            "owed": self._owed,
            "versions": self._drain,
            "books": self._books,
            "snapshots": self._snapshots,
            "instances": self._instances,
            "doubts": self._doubts,
            "files": self._files,
        }

    def compose_body(self) -> ComposeResult:
        who, instances, doubts = self._store_panels
        with Container(id="body"):
            yield self._glance
            with Container(id="panels"):
                yield from self._board_panels
                yield who
                yield doubts
                yield instances
                yield self._files_panel

    # showing

    def show_body(self, observation: Observation) -> None:
        """What differs: what the stream of observations tells, and the board as it was read last."""
        age = observation_age(observation)
        facts = store_facts(observation)
        self._facts.show(
            [((f" {fact.label:<20}", "dim"), (fact.value, Tone.STALE if age else fact.tone)) for fact in facts]
        )
        self._show_fenced(observation)
        self._put(self._files, [file_grid_row(row) for row in file_rows(observation)])
        self._instances.stale = self._doubts.stale = bool(age)
        for panel in (*self._store_panels, self._files_panel):
            panel.age = age or "live"
            panel.stale = bool(age)
        self._show_held(observation, self.seen.held)

    def _show_held(self, observation: Observation, held: Held | None) -> None:
        """The board: greyed where it is old."""
        now, problem = observation.now, str(self.seen.problem)
        told = self.ages(observation, held.took_s if held else 0.0, (now - held.at).total_seconds() if held else None)
        active = observation.store.deployment.active.slot if observation.store is not None else None
        answers = glances(held, active, problem, now)
        self._glance.show([glance_line(one, stale=told[1] and held is not None) for one in answers])
        if held is not None and (self._board is None or self._board.held is not held):
            self._board = OwedBoard(held)
        board = self._board
        self._owed.empty = "\n".join(nothing_owed(held, problem))
        if board is not None:
            owed_rows = self.in_order(self._owed, board.owed, board.value, leading=board.gaps)
            self._owed.set_items(owed_rows, lambda one: owed_grid_row(board.row(one, now)))
        self._drain.empty = no_versions(held, problem)
        self._put(self._drain, [drain_grid_row(row) for row in drain_rows(held, now)])
        self._books.empty = no_books(held, problem)
        self._put(self._books, [book_grid_row(row) for row in book_rows(held, now)])
        self._snapshots.empty = no_snapshots(held, problem)
        self._put(self._snapshots, [snapshot_grid_row(row) for row in snapshot_rows(held, now)])
        owed, drain, books, snapshots = self._board_panels
        by = self.order_text(self._owed, "by deadline")
        owed.title = board.title(now, by) if board is not None else f"Owed, {by}"
        snapshots.title = f"Snapshots ({self.order_text(self._snapshots, NEWEST_LAST)})"
        self._show_kept()
        books.title = books_title(held.venue.value if held is not None else None)
        for panel, rows in ((owed, self._owed), (drain, self._drain), (snapshots, self._snapshots)):
            self.age(panel, rows, told)
        venue, old = books_age(held, now)
        self.age(books, None, (venue if held is not None else told[0], old or told[1]))
        self._books.stale = told[1]

    def _put(self, grid: Grid, rows: list[GridRow]) -> None:
        grid.set_rows(self.in_order(grid, rows))

    def _show_fenced(self, observation: Observation) -> None:
        """The instances, and what nobody knows the outcome of."""
        _who, instances, doubts = self._store_panels
        rows = instance_rows(observation)
        self._put(self._instances, [instance_grid_row(row) for row in rows])
        told = acknowledged_text(observation.store) if rows and observation.store else ""
        instances.title = f"Instances: {told}" if told else "Instances"
        unknown, more = doubt_rows(observation), doubts_more(observation)
        self._put(self._doubts, [doubt_grid_row(row) for row in unknown])
        many = f": {count_text(len(unknown) + more)}" if unknown or more else ""
        doubts.title = f"In doubt{many} ({self.order_text(self._doubts, NEWEST_LAST)})"
        doubts.note = f"{count_text(more)} more are not read" if more else ""

    # keys

    def row_at_cursor(self, kind: str) -> str:
        """What is under the cursor of the list with the keys, where it is of this kind; else as on every screen."""
        lists = {
            "commitment": self._owed,
            "version": self._drain,
            "snapshot": self._snapshots,
            "doubt": self._doubts,
        }
        rows = lists.get(kind)
        row = rows.current if rows is not None and rows.has_focus else None
        if row is None:
            return super().row_at_cursor(kind)
        return self._board.named(row.key) if rows is self._owed and self._board is not None else row.key

    def on_grid_selected(self, event: Grid.Selected) -> None:
        """Enter: everything about the row, beside what every screen shows."""
        now, held, board = self.shown.now if self.shown else None, self.seen.held, self._board
        if now is None:
            return
        told: dict[Grid, tuple[str, Callable[[], list[tuple[str, str]]]]] = {
            self._owed: ("Owed", lambda: board.facts(event.key, now) if board is not None else []),
            self._drain: ("May it be stopped?", lambda: drain_facts(held, event.key, now)),
            self._snapshots: ("Snapshot", lambda: snapshot_facts(held, event.key, now)),
            self._books: ("Both books", lambda: book_facts(held, event.key, now)),
        }
        if event.grid not in told:
            return  # as on every screen
        title, facts = told[event.grid]
        if event.grid is self._snapshots:
            self.run_worker(self._show_snapshot(event.key, facts()), group="snapshot", exclusive=True)
            return
        self.show_facts(title, facts())

    async def _show_snapshot(self, key: str, facts: list[tuple[str, str]]) -> None:
        """What is known of a snapshot, and then all of it; where it can't be read, why."""
        from console.screens.parts.dialogs import TextScreen

        lines = fact_lines(facts, self.host.size.width - FRAME)
        for info in (one for one in self.host.operator.catalogue if one.opens and one.row == "snapshot"):
            try:
                answer = await self.host.operator.answer(info.name, info.at(key))
            except ConsoleError as error:
                lines = [*lines, [("", "")], [(f" {error.message}", Tone.BAD.value)]]
            else:
                lines = [*lines, [("", "")], *([(f" {line}", "")] for line in (*answer.lines, *answer.notes))]
        if facts:
            self.host.push_screen(TextScreen("Snapshot", lines))

    def on_long_grid_looked(self, event: LongGrid.Looked) -> None:
        """A filter has looked at every row: how many it kept is known now."""
        self._show_kept()

    def _show_kept(self) -> None:
        shown, total = self._owed.shown, self._owed.total
        so_far = " so far" if self._owed.looking else ""
        self._board_panels[0].note = f"{shown:,} of {total:,}{so_far}" if shown != total else ""

    def on_long_grid_too_slow(self, event: LongGrid.TooSlow) -> None:
        """A filter was given up."""
        self._filters.pop("owed-grid", None)
        self.say("The pattern is too slow on these rows; all are shown.", "warn")

    def show_facts(self, title: str, facts: list[tuple[str, str]]) -> None:
        """Everything about a row, over the screen."""
        from console.screens.parts.dialogs import TextScreen

        if facts:
            self.host.push_screen(TextScreen(title, fact_lines(facts, self.host.size.width - FRAME)))
