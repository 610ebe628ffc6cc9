"""Screen 4: the canary: how much money, how sure, what holds it, and what is still needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container

from console.domain.observation import Observation
from console.screens.base import ConsoleScreen
from console.screens.lines import Lines
from console.screens.shapes import observation_age
from console.views.canary import CanaryView, canary_view
from console.views.format import time_text
from console.views.tone import Tone
from widgets.columns import Column
from widgets.grid import Grid, GridRow
from widgets.interval_plot import IntervalData, IntervalPlot, IntervalPoint
from widgets.line_widget import Span
from widgets.panel import Panel
from widgets.wrap import wrap_words

STEP_COLUMNS = (
    Column("", 1),
    Column("share", 7, align="right"),
    Column("capital", 12, align="right", tone="dim"),
    Column("loss budget", 11, align="right"),
    Column("rounds", 12, align="right"),
    Column("dwell", 17, align="right", priority=1),
    Column("margin", 0, align="right", tone="dim", priority=2),
)
NOTHING = (
    "No canary yet.",
    "",
    ":canary start PLAN begins one, along a plan file; `agent-console canary plan FILE` checks it first.",
    "An agent with a CanaryDesk shares its rounds out by what is recorded here.",
)


class CanaryScreen(ConsoleScreen):
    """What is, beside the ladder; the interval below."""

    DEFAULT_CSS = """
    CanaryScreen #body { layout: grid; grid-size: 2 2; grid-columns: 1fr 1fr; grid-rows: 19 1fr; }
    CanaryScreen #interval { column-span: 2; }
    CanaryScreen.-narrow #body { layout: vertical; }
    CanaryScreen.-narrow #facts-panel { height: 1fr; }
    CanaryScreen.-narrow #ladder { display: none; }
    CanaryScreen.-narrow #interval { height: 8; }
    CanaryScreen.-zoomed #body { layout: vertical; }
    CanaryScreen.-zoomed #facts-panel, CanaryScreen.-zoomed #interval { display: none; }
    CanaryScreen.-zoomed #ladder { display: block; height: 1fr; }
    """
    HINTS: ClassVar[Sequence[str]] = (
        "run.canary_promote",
        "run.canary_abort",
        "run.halt",
        "view.command",
        "view.next_panel",
        "view.zoom",
        "view.help",
        "view.back",
        "app.quit",
    )

    def __init__(self) -> None:
        super().__init__()
        self._facts = Lines(id="canary-facts")
        self._steps = Grid(STEP_COLUMNS, empty="No plan.", id="ladder-grid")
        self._plot = IntervalPlot(empty="No interval yet.", id="interval-plot")
        self._facts_panel = Panel("Canary", self._facts, id="facts-panel")
        self._ladder = Panel("Ladder", self._steps, id="ladder", classes="zoomable")
        self._interval = Panel("Δ per unit at risk and round: canary less stable", self._plot, id="interval")

    def compose_body(self) -> ComposeResult:
        with Container(id="body"):
            yield self._facts_panel
            yield self._ladder
            yield self._interval

    def show_body(self, observation: Observation) -> None:
        """What differs."""
        view, age = canary_view(observation), observation_age(observation)
        width = max(30, self._facts.content_size.width or 70)
        self._facts.show(_nothing(width) if view is None else _lines(view, width, bool(age)))
        self._facts_panel.title = f"Canary {view.title}" if view else "Canary"
        self._facts_panel.age = age or (view.stale if view else "") or ("live" if view else "")
        self._ladder.title = f"Ladder  {view.ladder}" if view else "Ladder"
        self._steps.set_rows(
            [
                GridRow(
                    row.key, (row.mark, row.share, row.money, row.budget, row.rounds, row.dwell, row.margin),
                    tones=(row.tone.value, Tone.STRONG.value if row.mark == "▶" else ""),
                )
                for row in (view.steps if view else ())
            ]
        )  # fmt: skip
        stale = bool(age or (view and view.stale))
        for panel in (self._facts_panel, self._ladder, self._interval):
            panel.stale = stale
        self._steps.stale = bool(age)
        self._show_interval(observation)

    def _show_interval(self, observation: Observation) -> None:
        reading = observation.store.canary if observation.store is not None else None
        track = reading.track if reading is not None else ()
        if reading is None or not track:
            why = "No rounds of both versions yet: there is nothing to compare." if reading else "No canary yet."
            self._plot.show(IntervalData(), why)
            return
        plan = reading.run.plan
        at = min(reading.run.position.step, len(plan.steps) - 1) if plan is not None else 0
        margin = plan.settings_at(at).margin if plan is not None else 0.0
        points = tuple(
            IntervalPoint(point.lower, point.estimate, point.upper, before is not None and before.step != point.step)
            for before, point in zip((None, *track), track, strict=False)
        )
        left = f"{time_text(track[0].at)}  n {track[0].rounds:,}"
        self._plot.show(IntervalData(points, margin, left, f"n {track[-1].rounds:,}  {time_text(track[-1].at)}"))


def _nothing(width: int) -> list[list[Span]]:
    return [[(f" {line}", "dim")] for words in NOTHING for line in (wrap_words(words, width - 2) or [""])]


def _lines(view: CanaryView, width: int, old: bool) -> list[list[Span]]:
    verdict = Tone.STALE if old else view.verdict_tone
    lines: list[list[Span]] = [
        [
            (f" {view.state}", view.state_tone.value),
            (f"   {view.ladder}   ", ""),
            (view.verdict, f"{verdict.value} bold"),
        ],
    ]
    said = view.stale or view.gate
    tone = Tone.WARN if view.stale else view.gate_tone
    lines += [[(f" {line}", tone.value)] for line in wrap_words(said, width - 2)]
    lines.append([])
    for fact in view.facts:
        for number, line in enumerate(wrap_words(fact.value, max(10, width - 16)) or [""]):
            lines.append([(f" {fact.label if not number else '':<13} ", "dim"), (line, fact.tone.value)])
    return lines
