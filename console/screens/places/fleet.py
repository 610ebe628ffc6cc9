"""Screen 0: the agents of a store, a line each; marks, and what is said to several at once; enter goes into one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.containers import Container

from console.domain.fleet.agents import FleetAgent, FleetReading, Standing
from console.domain.fleet.board import FleetSeen
from console.domain.operator.command import CommandInfo
from console.domain.seen.observation import Observation
from console.screens.frame.base import ConsoleScreen
from console.screens.parts.arrangements import Arrangement
from console.screens.parts.fleet_look import FleetGrid, fleet_value
from console.screens.parts.lines import Lines
from console.screens.parts.shapes import header_data
from console.views.fence.link import header_view
from console.views.fleet.rows import TONES, USUAL, WORST_FIRST, age_s, found_text, tally, total_text
from console.views.format import age_text, count_text, plural
from console.views.guard.guards import guard_word
from console.views.tone import SEVERITY, Tone, worst
from widgets.frame.panel import Panel
from widgets.lists.grid import Grid
from widgets.text.line_widget import Span
from widgets.text.plain import width_of

_WELL: Final = frozenset({Tone.GOOD, Tone.INFO})
LATE_S: Final = 30.0
"""A slice that is older than this is old."""
NOTHING: Final = (
    "No agent was found in this store. One is known by its active version, or by its authority.\n"
    ":agent NAME goes to one by name; `agent-console demo` starts two to look at."
)
READING: Final = (
    "No agent was found yet: the keys are walked through, a little at a time.\n"
    "The first heartbeat of an agent, or :switch, makes one."
)


class FleetScreen(ConsoleScreen):
    """The list of agents, with a line of how many stand how."""

    DEFAULT_CSS = """
    FleetScreen #body { layout: vertical; }
    FleetScreen #tally { height: 1; }
    """
    HINTS: ClassVar[Sequence[str]] = (
        "list.open",
        "grid.toggle",
        "run.halt",
        "run.rollback",
        "list.sort",
        "list.columns",
        "view.filter",
        "view.command",
        "view.back",
    )

    def __init__(self) -> None:
        super().__init__()
        self._look = self.host.fleet_look
        self._return_to_agent = self._look.cursor
        self._tally = Lines(id="tally")
        self._grid = FleetGrid(empty=READING, id="fleet-grid")
        self.arrangeable("fleet", self._grid, home=Arrangement(USUAL, WORST_FIRST))
        self._panel = Panel("Fleet", self._grid, id="fleet", classes="zoomable -current")
        self._counted: tuple[Sequence[FleetAgent], dict[Standing, int], str] | None = None

    def compose_body(self) -> ComposeResult:
        with Container(id="body"):
            yield self._tally
            yield self._panel

    def on_mount(self) -> None:
        """Begin to look, where one left."""
        self._filters[self._grid.id or ""] = self._look.filter
        self.host.fleet.look()
        if self._look.filter:
            self._grid.set_filter(self._look.filter)

    def on_unmount(self) -> None:
        """Stop looking."""
        self.host.fleet.leave()

    # showing

    def show_body(self, observation: Observation) -> None:
        """What differs."""
        seen, reading = self.host.fleet.seen, self.host.fleet.seen.reading
        if reading is None:
            self._grid.empty = f"▲ {seen.problem}" if seen.problem else READING
            self._age(observation, seen)
            return
        self._grid.empty = NOTHING if reading.found.whole else READING
        self._grid.set_items(self.in_order(self._grid, reading.agents, fleet_value), self._look.row)
        if self._return_to_agent and self._grid.current is not None:
            self._grid.moved = self._grid.go_to(self._return_to_agent)
            self._return_to_agent = ""
        self._tally.show([tally_spans(*self._sums(reading), reading.found.notes, self.host.size.width)])
        self._panel.title = self._title(reading)
        shown, total = len(self._grid.kept), len(reading.agents)
        self._panel.note = f"{count_text(shown)} of {count_text(total)}" if shown != total else count_text(total)
        self._age(observation, seen)
        self.host.fleet.look([agent.name for agent in self._grid.on_screen])

    def _sums(self, reading: FleetReading) -> tuple[dict[Standing, int], str]:
        """How many stand how, and what all of them settled: counted once for each reading, not with every key."""
        if self._counted is None or self._counted[0] is not reading.agents:
            self._counted = (reading.agents, tally(reading), total_text(reading.agents))
        return self._counted[1:]

    def _title(self, reading: FleetReading) -> str:
        marked = len(self._look.marks)
        parts = ["Fleet", f"{count_text(marked)} marked" if marked else "", found_text(reading)]
        return " · ".join(part for part in parts if part)

    def _age(self, observation: Observation, seen: FleetSeen) -> None:
        age = age_s(seen.reading, observation.now) if seen.reading is not None else None
        text = f"{age_text(age)} ago" if age is not None else "reading …"
        self._panel.age = f"▲ {seen.problem}  {text}" if seen.problem else text
        self._panel.stale = self._grid.stale = bool(seen.problem) or (age is not None and age > LATE_S)

    def _show_header(self, observation: Observation) -> None:
        """Of the store and of all; nothing of the one agent that the console is attached to."""
        data = header_data(header_view(observation), guard_word(observation), self.chips())
        reading = self.host.fleet.seen.reading
        counts = self._sums(reading)[0] if reading is not None else {}
        tone = worst([TONES[standing] for standing in counts]) if counts else Tone.INFO
        bad = sum(count for standing, count in counts.items() if SEVERITY.get(TONES[standing]) == SEVERITY[Tone.BAD])
        many, well = sum(counts.values()), bool(counts) and all(TONES[one] in _WELL for one in counts)
        words = plural(many, "agent") + (f", {count_text(bad)} not well" if bad else "")
        self._bar.show(
            data._replace(
                agent="fleet",
                active="",
                active_text=words if reading is not None else "not read yet",
                role="",
                tone=tone.value if SEVERITY.get(tone) else "ok" if well else "info",
                epoch="",
                guard="",
                guard_short="",
                chips=self.chips(),
            )
        )

    def _show_banner(self, observation: Observation) -> None:
        """The banner tells of one agent's alert; here they are counted."""
        self._banner.display = False

    # who is meant

    @property
    def scope(self) -> tuple[str, ...]:
        """Whom a command is said to: the marked ones, else the one under the cursor."""
        if self._look.marks:
            return tuple(sorted(self._look.marks))
        current = self._grid.current
        return (current.key,) if current is not None else ()

    def action_run_command(self, name: str) -> None:
        """A command's key: what is said to several is said to those in scope, as it is written: never another one."""
        if self.host.info(name) is not None:
            self.host.start(name)

    def row_at_cursor(self, kind: str) -> str:
        """Nothing here is a row of one agent's lists."""
        return ""

    def run_at_cursor(self, kind: str) -> None:
        """Space marks."""

    def no_row_text(self, info: CommandInfo) -> str:
        """What it takes is inside an agent."""
        return f"{info.title} is about one agent: enter goes into it."

    # keys

    def on_grid_toggled(self, event: Grid.Toggled) -> None:
        """Space: mark it, or not, and on to the next."""
        self._look.marks ^= {event.key}
        self._grid.action_move(1)
        self.show_again()

    def on_fleet_grid_mark_all(self, event: FleetGrid.MarkAll) -> None:
        """Mark all that are kept; where they are marked already, none."""
        kept = {agent.name for agent in self._grid.kept}
        self._look.marks = set() if kept <= self._look.marks else self._look.marks | kept
        reading = self.host.fleet.seen.reading
        if self._look.marks and reading is not None and not reading.found.whole:
            self.say("All that were found so far are marked; the search goes on, and more may come.", "warn", 30)
        self.show_again()

    def apply_filter(self, target: object, text: str) -> str:
        """Filter, and remember it for when one comes back."""
        problem = super().apply_filter(self._grid, text)
        self._look.filter = "" if problem else text
        return problem

    def on_long_grid_looked(self, event: FleetGrid.Looked) -> None:
        """The filter has looked at every row."""
        event.stop()
        if self.shown is not None:
            self.show_body(self.shown)

    def on_long_grid_too_slow(self, event: FleetGrid.TooSlow) -> None:
        """The filter was given up."""
        event.stop()
        self._filters.clear()
        self._look.filter = ""
        self.say("The filter is too slow on these rows; all are shown.", "warn")

    def on_grid_selected(self, event: Grid.Selected) -> None:
        """Into it."""
        self._look.cursor = event.key
        self.host.go_into(event.key)

    def action_back(self) -> None:
        """Out of a filter, the marks, this screen: one thing a press."""
        if self.has_class("-zoomed") or self.end_filter():
            self.remove_class("-zoomed")
        elif self._look.marks:
            self._look.marks = set()
            self.say("Nothing is marked any more.", "info")
            self.show_again()
        else:
            self.host.leave_screen()

    def action_look_again(self) -> None:
        """Read those on screen now."""
        self.host.fleet.ask(*(agent.name for agent in self._grid.on_screen))
        self.say("Read again.", "info")


def tally_spans(counts: Mapping[Standing, int], total: str, noted: Sequence[str], width: int) -> list[Span]:
    """How many stand how, and, as a whole or not at all, what all of them settled and what the search left out."""
    spans: list[Span] = [(" ", "")]
    for standing, count in counts.items():
        spans += [(f"{count_text(count)} {standing.value}", TONES[standing].value), ("   ", "")]
    notes = "; ".join(noted)
    more: list[Span] = [(f"settled {total}   ", "dim")] if total else []
    more += [(f"▲ {notes}", "warn")] if notes else []
    for span in more:
        if sum(width_of(text) for text, _tone in (*spans, span)) <= width:
            spans.append(span)
    return spans
