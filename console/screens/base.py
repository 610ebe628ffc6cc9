"""What every screen has: header, body, status line, the `/` and `:` lines, key hints; and what the view keys do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingsMap
from textual.containers import Vertical
from textual.screen import Screen
from textual.widget import Widget

from console.domain.observation import Observation
from console.screens.dialogs import TextScreen
from console.screens.keys import VIEW_KEYS, bindings_map, command_keys
from console.screens.shapes import header_data
from console.views.link import header_view
from widgets.command_line import CommandLine
from widgets.feed import Feed
from widgets.filter_line import FilterLine
from widgets.filtering import PatternError, RowFilter, parse_filter
from widgets.footer import KeyBar, KeyHint
from widgets.grid import Grid
from widgets.header import Chip, HeaderBar
from widgets.line_list import LineList
from widgets.panel import Panel
from widgets.plain import plain
from widgets.status_line import StatusLine

if TYPE_CHECKING:
    from textual.binding import BindingType

    from console.app import ConsoleApp

WIDE_COLUMNS = 118
WIDE_ROWS = 30
"""From this size on everything is shown at once; below it, one list at a time."""


SHORT: Final = {
    "run.flag_toggle": "toggle",
    "run.snapshot_take": "snapshot",
    "run.snapshot_restore": "restore",
    "view.next_panel": "next",
}
"""Footer labels that are shorter than their titles."""


class ConsoleScreen(Screen[None], inherit_bindings=False):
    """A screen of the console; subclasses compose the body and show observations in it."""

    DEFAULT_CSS = """
    ConsoleScreen { layout: vertical; background: $background; overflow: hidden; }
    ConsoleScreen HeaderBar { dock: none; }
    ConsoleScreen KeyBar { dock: none; }
    ConsoleScreen #body { height: 1fr; width: 1fr; }
    ConsoleScreen #bottom { height: auto; width: 1fr; }
    ConsoleScreen #bottom CommandLine { dock: none; display: none; }
    ConsoleScreen #bottom FilterLine { display: none; }
    ConsoleScreen.-typing #bottom StatusLine { display: none; }
    ConsoleScreen.-typing.-command #bottom CommandLine { display: block; }
    ConsoleScreen.-typing.-filter #bottom FilterLine { display: block; }
    ConsoleScreen.-zoomed .zoomable { display: none; }
    ConsoleScreen.-zoomed .zoomable.-current { display: block; }
    ConsoleScreen.-zoomed .not-zoomed { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = list(VIEW_KEYS)
    AUTO_FOCUS = ""
    TITLE_TEXT: ClassVar[str] = ""
    HINTS: ClassVar[Sequence[str]] = ()
    """Ids of bindings shown in the footer, most important first."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: Observation | None = None
        self._bar = HeaderBar()
        self._status = StatusLine()
        self._hints = KeyBar()
        self._filter_line = FilterLine()
        self._command_line: CommandLine | None = None
        self._filters: dict[str, str] = {}
        self._row_filters: dict[str, RowFilter | None] = {}
        self._counts: dict[str, tuple[int, int]] = {}
        self._filtered: LineList | None = None
        self._return_to: Widget | None = None
        self._bind_commands()

    def _bind_commands(self) -> None:
        """The catalogue's keys and the digits, which no class knows."""
        from console.screens.registry import screen_bindings

        own = bindings_map((*command_keys(self.host.operator.catalogue), *screen_bindings()))
        self._bindings = BindingsMap.merge([self._bindings, own])

    @property
    def host(self) -> ConsoleApp:
        """The app that this screen is part of."""
        return cast("ConsoleApp", self.app)

    def compose(self) -> ComposeResult:
        yield self._bar
        with Vertical(id="body"):
            yield from self.compose_body()
        with Vertical(id="bottom"):
            yield self._filter_line
            yield self._status
            yield self._hints

    def compose_body(self) -> ComposeResult:
        """The panels between header and footer."""
        return iter(())

    def on_mount(self) -> None:
        """Draw what is known already."""
        self._hints.protected = self.host.settings.protected
        self.show_hints()
        self.focus_first()
        if self.host.observation is not None:
            self.show(self.host.observation)

    def on_screen_resume(self) -> None:
        """It is in front again: draw what came meanwhile."""
        if self.host.observation is not None and self.is_mounted:
            self.show(self.host.observation)

    # showing

    def show(self, observation: Observation) -> None:
        """Show an observation: only what differs is repainted."""
        self.shown = observation
        self._bar.show(header_data(header_view(observation), self.chips()))
        self.show_body(observation)

    def show_body(self, observation: Observation) -> None:
        """Show the observation in the panels."""

    def chips(self) -> tuple[Chip, ...]:
        """States of the view that the header has to tell."""
        waiting = sum(feed.waiting for feed in self.query(Feed))
        paused = any(feed.paused for feed in self.query(Feed))
        return (Chip(f"PAUSED +{waiting}", "warn"),) if paused else ()

    def say(self, text: str, tone: str = "", fade_s: float = 8.0) -> None:
        """What the last key did."""
        self._status.show(text, tone, fade_s)

    def show_hints(self) -> None:
        """The keys that work here, in the footer."""
        labels: dict[str | None, Binding] = {}
        for _key, binding in self._bindings:
            labels.setdefault(binding.id, binding)
        refused = self.host.observation is not None and self.host.observation.read_only
        hints = []
        for name in self.HINTS:
            found = labels.get(name)
            if found is not None:
                tone = "dim" if refused and name.startswith("run.") else ""
                hints.append(KeyHint(self.host.key_text(found), SHORT.get(name, found.description.lower()), tone))
        self._hints.show(hints)

    def on_key_bar_pressed(self, event: KeyBar.Pressed) -> None:
        """A hint was clicked: as if the key had been pressed."""
        self.host.press(event.key)

    # panels

    @property
    def panels(self) -> list[Panel]:
        """The panels that `tab` goes through."""
        return [panel for panel in self.query(Panel) if panel.has_class("zoomable")]

    @property
    def narrow(self) -> bool:
        """Whether there is room for one list only."""
        return self.has_class("-narrow")

    def on_resize(self, event: events.Resize) -> None:
        """Choose the layout for this size."""
        narrow = event.size.width < WIDE_COLUMNS or event.size.height < WIDE_ROWS
        if narrow != self.narrow:
            self.set_class(narrow, "-narrow")
            self.size_changed(narrow)

    def size_changed(self, narrow: bool) -> None:
        """The layout changed between wide and narrow."""

    def focus_first(self) -> None:
        """Give the keys to the first list."""
        for panel in self.panels:
            if self._focus_in(panel):
                return

    def _focus_in(self, panel: Panel) -> bool:
        for other in self.panels:
            other.set_class(other is panel, "-current")
        for widget in _lists_in(panel):
            widget.focus()
            return True
        if panel.can_focus:
            panel.focus()
        return False

    @property
    def current_panel(self) -> Panel | None:
        """The panel with the focus."""
        focused: Widget | None = self.focused
        if focused is not None:
            for node in focused.ancestors_with_self:
                if isinstance(node, Panel) and node.has_class("zoomable"):
                    return node
        return next((panel for panel in self.panels if panel.has_class("-current")), None)

    @property
    def current_list(self) -> LineList | None:
        """The list with the focus."""
        return self.focused if isinstance(self.focused, LineList) else None

    def action_next_panel(self, step: int) -> None:
        """To the next panel; where one is shown at a time, that one is shown."""
        panels = self.panels
        if not panels:
            return
        current = self.current_panel
        index = panels.index(current) if current in panels else -step
        for _ in panels:
            index = (index + step) % len(panels)
            if self.narrow or _lists_in(panels[index]):
                self._focus_in(panels[index])
                return

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Remember which panel is the current one."""
        for node in event.widget.ancestors_with_self:
            if isinstance(node, Panel) and node.has_class("zoomable"):
                for other in self.panels:
                    other.set_class(other is node, "-current")

    def action_zoom(self) -> None:
        """The panel with the focus gets the whole screen, or gives it back."""
        panel = self.current_panel
        if panel is None:
            return
        self.toggle_class("-zoomed")
        self.say(f"{panel.title}: zoomed, z goes back" if self.has_class("-zoomed") else "", "info")

    def action_pause(self) -> None:
        """Stop the lists, or let them go on."""
        feeds = list(self.query(Feed))
        if not feeds:
            self.say("There is nothing to pause here.", "info")
            return
        paused = not feeds[0].paused
        for feed in feeds:
            feed.paused = paused
        self.say("Paused: decisions are still collected. p goes on." if paused else "Going on.", "info")
        if self.shown is not None:
            self._bar.show(header_data(header_view(self.shown), self.chips()))

    # what was bound to a key, and is the same on every screen

    def action_run_command(self, name: str) -> None:
        """A command's key was pressed."""
        if name == "halt" and self.host.conduct.is_halted():
            name = "resume"
        if name == "flag toggle":
            self.toggle_flag()
        else:
            self.host.start(name)

    def toggle_flag(self) -> None:
        """Space where there is no flag under the cursor."""
        self.say("Space toggles the flag under the cursor: f goes to the flags.", "info")

    async def action_go_to(self, name: str) -> None:
        """A digit was pressed."""
        await self.host.go_to(name)

    async def action_show_flags(self) -> None:
        """To the flags."""
        await self.host.go_to("flags")

    def action_next_theme(self) -> None:
        """The next theme."""
        self.host.next_theme()

    def action_export(self) -> None:
        """Write what is on screen to a file."""
        self.host.start_export("")

    def action_command_palette(self) -> None:
        """Search all commands."""
        self.host.action_command_palette()

    async def action_quit(self) -> None:
        """Leave."""
        await self.host.action_quit()

    def action_help(self) -> None:
        """What the keys do here."""
        from console.screens.help import help_lines

        panel = self.current_panel
        title = f"Keys · {panel.title}" if panel is not None else "Keys"
        self.host.push_screen(TextScreen(title, help_lines(self)))

    def action_copy(self) -> None:
        """The row under the cursor, as text, to the clipboard of the operator's terminal."""
        row = self.current_list.current if isinstance(self.current_list, Feed | Grid) else None
        if row is None:
            self.say("There is no row to copy.", "info")
            return
        text = plain("  ".join(cell for cell in row.cells if cell))
        self.host.copy(text)
        self.say(f"Copied: {text}", "ok")

    def on_feed_opened(self, event: Feed.Opened) -> None:
        """Everything about a decision."""
        self._open(event.row.detail)

    def on_grid_selected(self, event: Grid.Selected) -> None:
        """Everything about a row."""
        self._open(event.row.detail)

    def _open(self, detail: object) -> None:
        from console.screens.details import detail_of

        found = detail_of(detail, self.shown)
        if found is not None:
            self.host.push_screen(TextScreen(*found))

    # the `/` line

    def action_filter(self) -> None:
        """Filter the list with the focus."""
        if self.current_list is None:
            self.focus_first()
        if self.current_list is None:
            self.say("There is no list to filter here.", "info")
            return
        self._typing("filter", self.current_list)
        self._filter_line.open(self._filters.get(self.current_list_id, ""))

    @property
    def current_list_id(self) -> str:
        """The id of the list that a filter is for."""
        return self._filtered.id or "" if self._filtered is not None else ""

    def _typing(self, what: str, back_to: LineList | None) -> None:
        self._filtered = back_to if what == "filter" else self._filtered
        self._return_to = self.focused
        self.add_class("-typing", f"-{what}")

    def stop_typing(self) -> None:
        """Put the line away and give the keys back."""
        self.remove_class("-typing", "-filter", "-command")
        if self._return_to is not None and self._return_to.is_attached:
            self._return_to.focus()
        else:
            self.focus_first()

    def on_feed_counted(self, event: Feed.Counted) -> None:
        """How much a filter left, and how much waits behind a pause."""
        self._counts[event.feed.id or ""] = (event.shown, event.total)
        if self.has_class("-filter") and event.feed is self._filtered:
            self._filter_line.tell(self.filter_result(event.feed))
        if event.feed.paused and self.shown is not None:
            self._bar.show(header_data(header_view(self.shown), self.chips()))

    def on_filter_line_changed(self, event: FilterLine.Changed) -> None:
        """Filter while typing."""
        problem = self.apply_filter(self._filtered, event.text)
        event.line.tell(problem or self.filter_result(self._filtered), "warn" if problem else "dim")

    def on_filter_line_submitted(self, event: FilterLine.Submitted) -> None:
        """Keep the filter."""
        problem = self.apply_filter(self._filtered, event.text)
        self.stop_typing()
        if problem:
            self.say(problem, "warn")
        elif event.text:
            self.say(
                f"Filter “{event.text}”: {self.filter_result(self._filtered)}. n and N step through, esc ends it.",
                "info",
            )

    def on_filter_line_cancelled(self, event: FilterLine.Cancelled) -> None:
        """No filter."""
        self.apply_filter(self._filtered, "")
        self.stop_typing()

    def apply_filter(self, target: LineList | None, text: str) -> str:
        """Filter a list; what is wrong with the filter, or ""."""
        if isinstance(target, Feed):
            self._filters[target.id or ""] = text
            return target.set_filter(text)
        if isinstance(target, Grid):
            return self.filter_grid(target, text)
        return ""

    def filter_grid(self, grid: Grid, text: str) -> str:
        """Filter a table; what is wrong with the filter, or ""."""
        try:
            row_filter = parse_filter(text)
        except PatternError as error:
            return str(error)
        name = grid.id or ""
        self._filters[name] = text
        self._row_filters[name] = row_filter
        if self.shown is not None:
            self.show_body(self.shown)
        return ""

    def keeps(self, grid: Grid, text: str) -> bool:
        """Whether the filter of a table keeps a row with these words."""
        row_filter = self._row_filters.get(grid.id or "")
        return row_filter is None or row_filter.keeps(text)

    def filter_result(self, target: LineList | None) -> str:
        """How much a filter left."""
        if isinstance(target, Feed):
            shown, total = self._counts.get(target.id or "", (0, 0))
            return f"{shown:,} of {total:,}"
        if isinstance(target, Grid):
            return f"{len(target.rows):,} shown"
        return ""

    def action_back(self) -> None:
        """Out of a filter, a zoom, a pause, this screen: one thing a press."""
        current = self.current_list
        if self.has_class("-zoomed"):
            self.remove_class("-zoomed")
        elif current is not None and self._filters.get(current.id or ""):
            self.apply_filter(current, "")
            self._filters.pop(current.id or "", None)
            self.say("Filter ended.", "info")
        elif isinstance(current, Feed) and not current.following:
            current.follow()
        else:
            self.host.leave_screen()

    # the `:` line

    async def action_command_line(self, text: str = "") -> None:
        """Type a command."""
        if self._command_line is None:
            self._command_line = CommandLine(self.host.history)
            await self.query_one("#bottom").mount(self._command_line, before=0)
        self._typing("command", None)
        self._command_line.open(text)
        self.host.complete(self._command_line, text)

    def on_command_line_changed(self, event: CommandLine.Changed) -> None:
        """Offer what could follow."""
        self.host.complete(event.line, event.text)

    def on_command_line_submitted(self, event: CommandLine.Submitted) -> None:
        """Do it."""
        self.stop_typing()
        self.host.submit(event.text)

    def on_command_line_cancelled(self, event: CommandLine.Cancelled) -> None:
        """Don't."""
        self.stop_typing()


def _lists_in(panel: Panel) -> list[LineList]:
    return [widget for widget in panel.children if isinstance(widget, LineList)]
