"""Screen 4: the canary: how much money, how sure, what holds it, and what is still needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Container

from console.domain.canary.run import CanaryReading
from console.domain.seen.observation import Observation
from console.screens.frame.base import ConsoleScreen
from console.screens.frame.panels import WIDE_COLUMNS, WIDE_ROWS
from console.screens.parts.lines import Lines
from console.screens.parts.shapes import observation_age
from console.views.canary.canary import CanaryView, StepRow, canary_view
from console.views.canary.figures import margin_at, share_text
from console.views.looking import NOT_KEPT, is_past
from console.views.tone import Tone
from widgets.charts.bar import bar_spans
from widgets.charts.interval_plot import IntervalData, IntervalMark, IntervalPlot, IntervalPoint
from widgets.charts.step_ladder import Rung, StepLadder
from widgets.frame.panel import Panel
from widgets.lists.columns import Column
from widgets.lists.grid import Grid, GridRow
from widgets.text.line_widget import Span
from widgets.text.wrap import wrap_words

STEP_COLUMNS = (
    Column("", 1),
    Column("share", 6, align="right"),
    Column("capital", 10, align="right", tone="dim", priority=2, most=36, whole=True),
    Column("budget", 10, align="right", most=36, whole=True),
    Column("rounds", 10, align="right", most=16, whole=True),
    Column("dwell", 0, align="right", priority=1),
    Column("margin", 6, align="right", tone="dim", priority=3),
)
NOTHING: Final = (
    "No canary was ever started for this agent.",
    "",
    "A canary gives a new version a small part of the capital, and more of it step by step, while it is not worse.",
    ":canary start PLAN begins one. `agent-console canary plan FILE` checks a plan file first, and changes nothing.",
    "An agent with a CanaryDesk shares its rounds out by what is recorded here.",
)
LOW_ROWS: Final = 38
BAR: Final = 16
_LABEL: Final = 13


class CanaryScreen(ConsoleScreen):
    """Verdict, gate and ladder above, this step and the plan beside the interval; below 118×30 one panel at a time."""

    DEFAULT_CSS = """
    CanaryScreen #body { layout: vertical; }
    CanaryScreen #nothing { display: none; height: 1fr; padding: 1 1; }
    CanaryScreen #head { height: 11; }
    CanaryScreen #head-lines { height: 3; }
    CanaryScreen #ladder { height: 6; }
    CanaryScreen #below { layout: horizontal; height: 1fr; }
    CanaryScreen #left { width: 68; height: 1fr; }
    CanaryScreen #step { height: 1fr; }
    CanaryScreen #plan { height: 9; }
    CanaryScreen.-short #head { height: 7; }
    CanaryScreen.-short #ladder { height: 2; }
    CanaryScreen.-short #plan { height: 8; }
    CanaryScreen.-narrow #head { height: 3; border: none; }
    CanaryScreen.-narrow #ladder { display: none; }
    CanaryScreen.-narrow #left { width: 1fr; }
    CanaryScreen.-narrow .zoomable, CanaryScreen.-narrow #left.-away { display: none; }
    CanaryScreen.-narrow .zoomable.-current { display: block; height: 1fr; }
    CanaryScreen.-zoomed #head, CanaryScreen.-zoomed #left.-away { display: none; }
    CanaryScreen.-zoomed #left { width: 1fr; }
    CanaryScreen.-zoomed .zoomable.-current { height: 1fr; }
    CanaryScreen.-none #head, CanaryScreen.-none #below { display: none; }
    CanaryScreen.-none #nothing { display: block; }
    """
    ONE_AT_A_TIME = True
    HINTS: ClassVar[Sequence[str]] = (
        "run.canary_promote",
        "run.canary_abort",
        "run.canary_pause",
        "run.rollback",
        "run.halt",
        "view.next_panel",
        "view.command",
        "view.help",
        "view.back",
        "app.quit",
        "view.zoom",
    )

    def __init__(self) -> None:
        super().__init__()
        self._nothing = Lines(id="nothing-lines")
        self._head = Lines(id="head-lines")
        self._rungs = StepLadder(id="ladder")
        self._figures = Lines(id="figures")
        self._steps = Grid(STEP_COLUMNS, empty="The plan can't be read.", id="plan-grid")
        self._plot = IntervalPlot(empty="No interval yet.", id="interval-plot")
        self._head_panel = Panel("Canary", self._head, self._rungs, id="head")
        self._step_panel = Panel("This step", self._figures, id="step", classes="zoomable -current")
        self._plan_panel = Panel("Plan", self._steps, id="plan", classes="zoomable")
        self._interval_panel = Panel("Δ a round: canary less stable", self._plot, id="interval", classes="zoomable")
        self._left = Container(self._step_panel, self._plan_panel, id="left")

    def compose_body(self) -> ComposeResult:
        with Container(id="body"):
            yield Panel("Canary", self._nothing, id="nothing")
            yield self._head_panel
            with Container(id="below"):
                yield self._left
                yield self._interval_panel

    @property
    def panels(self) -> list[Panel]:
        """None where there is nothing to show."""
        return [] if self.has_class("-none") else super().panels

    def focus_first(self) -> None:
        """Where there is room for all, the plan has the keys; else what is so is shown first."""
        width, height = self.app.size  # asked for before this screen itself was given its size
        room = width >= WIDE_COLUMNS and height >= WIDE_ROWS
        self.focus_in(self._plan_panel if room else self._step_panel)

    def focus_in(self, panel: Panel) -> bool:
        """Give the keys to a panel's list; the left half goes away while the interval has all the room."""
        has_list = super().focus_in(panel)
        if not has_list:
            self.set_focus(None)
        self._left.set_class(panel is self._interval_panel, "-away")
        return has_list

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """A focus that has moved on meanwhile says nothing of which panel is the current one."""
        if event.widget is not self.focused:
            event.prevent_default()

    def on_resize(self, event: events.Resize) -> None:
        """Where it is low, the ladder says less of each step."""
        self.set_class(event.size.height < LOW_ROWS, "-short")

    def size_changed(self, narrow: bool) -> None:
        """Everything at once, or one thing."""
        self.focus_first()
        if self.shown is not None:
            self.call_after_refresh(self.show_body, self.shown)

    def action_next_panel(self, step: int) -> None:
        """In a zoom, every panel can be gone to, as where one is shown at a time."""
        panels = self.panels
        if self.has_class("-zoomed") and self.current_panel in panels:
            self.focus_in(panels[(panels.index(self.current_panel) + step) % len(panels)])
        else:
            super().action_next_panel(step)

    def show_body(self, observation: Observation) -> None:
        """What differs."""
        view, age = canary_view(observation), observation_age(observation)
        self.set_class(view is None, "-none")
        reading = observation.store.canary if observation.store is not None else None
        if view is None or reading is None:
            width = max(30, self.size.width - 6)
            nothing = (NOT_KEPT,) if is_past(observation) else NOTHING
            self._nothing.show([[(line, "dim")] for text in nothing for line in wrap_words(text, width) or [""]])
            return
        stale = bool(age or view.stale)
        self._head.show(head_lines(view, max(30, self._head.content_size.width or self.size.width), stale=stale))
        self._rungs.show([rung(row) for row in view.steps])
        room = self._figures.content_size.width or (self.size.width - 2 if self.narrow else 66)
        self._figures.show(figure_lines(view, max(30, room), stale=stale))
        self._steps.set_rows([step_grid_row(row) for row in view.steps])
        self._show_interval(reading)
        self._head_panel.title = f"Canary {view.title}"
        self._plan_panel.note = "enter: all that is frozen"
        self._rungs.stale = self._steps.stale = bool(age)
        self._plot.stale = stale
        heard = age or view.stale or (f"desk {view.heard}" if view.heard else "no desk")
        for panel in (self._head_panel, self._step_panel, self._plan_panel, self._interval_panel):
            panel.age = heard if panel is not self._plan_panel else age or "live"
            panel.stale = stale if panel is not self._plan_panel else bool(age)

    def _show_interval(self, reading: CanaryReading) -> None:
        track, plan = reading.track, reading.run.plan
        shares = [share_text(step.share) for step in plan.steps] if plan is not None else []
        data = IntervalData(
            tuple(IntervalPoint(p.at.timestamp(), p.lower, p.estimate, p.upper) for p in track),
            tuple(
                IntervalMark(point.at.timestamp(), shares[point.step] if point.step < len(shares) else "?")
                for before, point in zip((None, *track), track, strict=False)
                if before is not None and before.step != point.step
            ),
            margin_at(reading.run, reading.run.position.step),
        )
        self._plot.show(data, "No rounds of both versions yet: there is nothing to compare.")
        self._interval_panel.note = f"n {track[-1].rounds:,}" if track else ""


def head_lines(view: CanaryView, width: int, *, stale: bool) -> list[list[Span]]:
    """Whose version, what state, what verdict; the gate; what is still needed."""
    verdict = Tone.STALE if stale else view.verdict_tone
    who = f" □ {view.slot.upper()} {view.version}".rstrip()
    head: list[Span] = [(who, f"{view.slot} bold"), (f"   {view.state}", f"{view.state_tone.value} bold")]
    head += [(f" {view.age}", "dim"), (f"   {view.verdict}", f"{verdict.value} bold")]
    if view.needed and not stale:
        head.append((f"   {view.needed}", ""))
    if width < 118:
        head = [head[0], (f" {view.state}", head[1][1]), (f"  {view.verdict}", head[3][1]), (f"  {view.ladder}", "")]
    if view.stale:
        gate = [[(f" ▲ {view.stale}", "warn")], [(f" last known: {view.gate}", "stale")]]
    else:
        gate = [[(f" {line}", view.gate_tone.value)] for line in wrap_words(view.gate, max(20, width - 2))[:2]]
    return [head, *gate]


def rung(row: StepRow) -> Rung:
    """A step on the ladder, with what is needed there."""
    shadow = row.budget == "shadow"
    money, budget = ("a shadow", "no capital") if shadow else (row.money, f"budget {row.budget}")
    return Rung(row.share, row.place, row.mark, row.tone.value, (money, f"{row.rounds} rounds", row.dwell, budget))


def step_grid_row(row: StepRow) -> GridRow:
    """A line of the plan."""
    cells = (row.mark, row.share, row.money, row.budget, row.rounds, row.dwell, row.margin)
    return GridRow(row.key, cells, tones=(row.tone.value, "strong" if row.place == "here" else ""), detail=row)


def figure_lines(view: CanaryView, width: int, *, stale: bool) -> list[list[Span]]:
    """The figures, each with a bar where there is something to measure it by."""
    lines: list[list[Span]] = []
    for figure in view.figures:
        tone = Tone.STALE.value if stale else figure.tone.value
        lead: list[Span] = []
        room = width - _LABEL - 3
        if figure.fraction is not None:
            bar = BAR if width >= 56 else BAR // 2
            lead = [*bar_spans(figure.fraction, bar, tone), ("  ", "")]
            room -= bar + 2
        for number, line in enumerate(wrap_words(figure.value, max(10, room))):
            label = figure.label if not number else ""
            indent = lead if not number else [(" " * sum(len(text) for text, _ in lead), "")]
            lines.append([(f" {label:<{_LABEL}} ", "dim"), *indent, (line, tone)])
    return lines
