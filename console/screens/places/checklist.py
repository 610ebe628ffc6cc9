"""Screen 7: the gates of a deployment, live: what binds first on top, each with value, age and source; approvals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.containers import Container

from console.domain.board.boards import Board
from console.domain.board.checks import Checks
from console.domain.fence.deployment import Slot
from console.domain.seen.observation import Observation
from console.screens.frame.board import BoardScreen
from console.screens.parts.board_shapes import (
    CHECK_COLUMNS,
    PLAN_COLUMNS,
    check_grid_row,
    clock_spans,
    plan_grid_row,
)
from console.screens.parts.details import FRAME, fact_lines
from console.screens.parts.lines import Lines
from console.views.gates.board import ChecksView, check_facts, checks_view, is_manual, no_checks, no_plans, plan_rows
from console.views.tone import Tone
from widgets.frame.panel import Panel
from widgets.lists.grid import Grid
from widgets.text.line_widget import Span

BINDING: Final = 3
"""Closed gates named in the head."""


class ChecklistScreen(BoardScreen):
    """What stands in the way, the clocks, every item by phase, and whose approval is asked for."""

    DEFAULT_CSS = """
    ChecklistScreen #body { layout: vertical; }
    ChecklistScreen #head { height: 7; }
    ChecklistScreen #items { height: 1fr; }
    ChecklistScreen #approvals { height: 6; }
    ChecklistScreen.-narrow #head { height: 4; border: none; }
    ChecklistScreen.-narrow .zoomable { display: none; }
    ChecklistScreen.-narrow .zoomable.-current { display: block; height: 1fr; }
    ChecklistScreen.-zoomed #head { display: none; }
    ChecklistScreen.-zoomed .zoomable.-current { height: 1fr; }
    """
    BOARD = Board.CHECKS
    ONE_AT_A_TIME = True
    HINTS: ClassVar[Sequence[str]] = (
        "run.checklist_tick",
        "view.other_side",
        "view.look_again",
        "run.approve",
        "run.switch",
        "run.snapshot_take",
        "run.rollback",
        "run.halt",
        "view.next_panel",
        "view.command",
        "view.back",
    )

    def __init__(self) -> None:
        super().__init__()
        self._side: Slot | None = None
        self._head = Lines(id="head-lines")
        self._items = Grid(CHECK_COLUMNS, empty="Reading what the gates go by …", id="items-grid")
        self._plans = Grid(PLAN_COLUMNS, empty="Reading …", id="approvals-grid")
        self._head_panel = Panel("Checklist", self._head, id="head")
        self._items_panel = Panel("Items", self._items, id="items", classes="zoomable -current")
        self._plans_panel = Panel("Approvals asked for", self._plans, id="approvals", classes="zoomable")

    def compose_body(self) -> ComposeResult:
        with Container(id="body"):
            yield self._head_panel
            yield self._items_panel
            yield self._plans_panel

    @property
    def side(self) -> Slot | None:
        """The side that was chosen; None for the one that does not act."""
        return self._side

    # showing

    def show_body(self, observation: Observation) -> None:
        """What differs."""
        checks, now, problem = self.seen.checks, observation.now, str(self.seen.problem)
        if checks is not None and self._side is not None and checks.checked.asked.target is not self._side:
            checks = None  # of the other side: it is being read
        told = self.ages(observation, 0.0, (now - checks.at).total_seconds() if checks is not None else None)
        view = checks_view(checks, now) if checks is not None else None
        self._head.show(self._head_lines(view, problem, stale=told[1]))
        self._items.empty, self._plans.empty = no_checks(problem), no_plans(checks, problem)
        self._items.set_rows([check_grid_row(row) for row in view.rows] if view is not None else [])
        plans = plan_rows(checks, now)
        self._plans.set_rows([plan_grid_row(row) for row in plans])
        waiting = sum(row.state == "waits" for row in plans)
        self._plans_panel.title = f"Approvals asked for: ▲ {waiting} waiting" if waiting else "Approvals asked for"
        self._head_panel.title = f"Checklist: {view.target} would act" if view is not None else "Checklist"
        counts = view.counts if view is not None else ""
        self._items_panel.title = counts if counts and self.narrow else f"Items: {counts}" if counts else "Items"
        self._items_panel.note = f"health, HTTP asked {view.outside} ago" if view is not None else ""
        for panel, rows in ((self._items_panel, self._items), (self._plans_panel, self._plans)):
            self.age(panel, rows, told)
        self.age(self._head_panel, None, told)

    def _head_lines(self, view: ChecksView | None, problem: str, *, stale: bool) -> list[list[Span]]:
        if view is None:
            return [[(f" {no_checks(problem)}", "bad" if problem else "dim")]]
        loud = Tone.STALE.value if stale else view.tone.value
        who: list[Span] = []
        if self.narrow:
            who = [(f" □ {view.target}  ", f"{view.slot.value if view.slot else 'dim'} bold")]
        verdict: list[Span] = [*who, (f" {view.glyph} {view.verdict}", f"{loud} bold")]
        lines = [verdict, clock_spans(view.clocks, wide=not self.narrow)]
        most = BINDING - 1 if self.narrow else BINDING
        for name, evidence in view.binding[:most]:
            lines.append([(f"   {name:<15} ", loud), (evidence, Tone.STALE.value if stale else "")])
        rest = [name for name, _evidence in view.binding[most:]]
        if rest:
            verdict.append((f"   also: {', '.join(rest)}", loud))
        return lines

    # keys

    def action_other_side(self) -> None:
        """About the other side from now on."""
        checks: Checks | None = self.seen.checks
        before = self._side or (checks.checked.asked.target if checks is not None else None)
        self._side = before.other if before is not None else Slot.BLUE
        self.host.boards.look(self.BOARD, self._side)
        self.say(f"The checklist of {self._side.value} …", "info")
        if self.shown is not None:
            self.show_body(self.shown)

    def row_at_cursor(self, kind: str) -> str:
        """The manual item, or the plan, under the cursor; else as on every screen."""
        if kind == "item":
            row = self._items.current
            return row.key if row is not None and is_manual(self.seen.checks, row.key) else ""
        if kind == "plan" and self._plans.has_focus and self._plans.current is not None:
            return self._plans.current.key
        return super().row_at_cursor(kind)

    def on_grid_toggled(self, event: Grid.Toggled) -> None:
        """Space on a manual item ticks it, as its key does."""
        if event.grid is self._items:
            self.run_at_cursor("item")

    def on_grid_selected(self, event: Grid.Selected) -> None:
        """Enter: everything about an item or a plan."""
        from console.screens.parts.dialogs import TextScreen

        if self.shown is None:
            return
        if event.grid is self._items:
            facts = check_facts(self.seen.checks, event.key, self.shown.now)
            title = f"Checklist: {event.key}"
        else:
            plan = next((row for row in plan_rows(self.seen.checks, self.shown.now) if row.id == event.key), None)
            facts = [] if plan is None else [(name, str(value)) for name, value in plan.document().items() if value]
            title = f"Plan {event.key}"
        if facts:
            self.host.push_screen(TextScreen(title, fact_lines(facts, self.host.size.width - FRAME)))
