"""A screen with the `/` line, which filters while one types, and the `:` line, which takes commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual import events
from textual.widget import Widget

from console.domain.seen.observation import Observation
from console.screens.frame.panels import PanelScreen
from widgets.lists.feed import Feed
from widgets.lists.grid import Grid
from widgets.lists.line_list import LineList

if TYPE_CHECKING:
    from widgets.typing.command_line import CommandLine
    from widgets.typing.filter_line import FilterLine

HELD_S: Final = 1.0
"""No key waits longer for a line: one that stops everything may be among those that follow."""


class TypingScreen(PanelScreen):
    """The lines are mounted in `#bottom` when they are first asked for, so that nobody waits for them at start."""

    def __init__(self) -> None:
        super().__init__()
        self._filter_line: FilterLine | None = None
        self._command_line: CommandLine | None = None
        self._filters: dict[str, str] = {}
        self._counts: dict[str, tuple[int, int]] = {}
        self._filtered: LineList | None = None
        self._return_to: Widget | None = None
        self.held: list[events.Key | events.Paste] | None = None
        """What was typed behind the key of a line that is on its way; None while none is."""

    def show_body(self, observation: Observation) -> None:
        """Show the observation in the panels."""

    @property
    def _bottom(self) -> Widget:
        return self.query_one("#bottom")

    @property
    def typing(self) -> bool:
        """Whether a line is typed; a screen that is still being put together has none."""
        return bool(self.query("#bottom.-typing"))

    @property
    def current_list(self) -> LineList | None:
        """The list with the keys; while a line is typed, and until its keys are given back, the one that had them."""
        rows, back = super().current_list, self._return_to
        if rows is not None or not isinstance(back, LineList) or not back.is_attached:
            return rows
        focused = self.focused
        return back if focused is None or self._bottom in focused.ancestors else None

    def _start_typing(self, what: str) -> None:
        self._return_to = self.focused
        self._bottom.add_class("-typing", f"-{what}")  # not on the screen: every widget of it would be styled anew

    def stop_typing(self) -> None:
        """Put the line away and give the keys back."""
        self._bottom.remove_class("-typing", "-filter", "-command")
        if self._return_to is not None and self._return_to.is_attached:
            self._return_to.focus()
        else:
            self.focus_first()

    async def open_line(self, action: str) -> None:
        """Open a line by its key: what is typed at once behind that, or pasted by a terminal that does not say so, is
        typed into the line, and no key of the screen."""
        self.held = []
        asked = self.focused or self
        try:
            await self.run_action(action)
        finally:
            # behind whatever was on its way through the widget that had the keys, through this screen, and to the app
            asked.call_later(self.call_later, self.host.call_later, self._let_go)
            self.set_timer(HELD_S, lambda: self.host.call_later(self._let_go))  # that widget may be gone by now

    async def _let_go(self) -> None:
        keys, self.held = self.held, None
        if keys and self.typing:
            await self.host.take(keys)

    # the `/` line

    async def action_filter(self) -> None:
        """Filter the list with the keys."""
        if self.current_list is None:
            self.focus_first()
        target = self.current_list
        if target is None:
            self.say("There is no list to filter here.", "info")
            return
        if self._filter_line is None:
            from widgets.typing.filter_line import FilterLine

            self._filter_line = FilterLine()
            await self._bottom.mount(self._filter_line, before=0)
        self._filtered = target
        self._start_typing("filter")
        self._filter_line.open(self._filters.get(target.id or "", ""))

    def on_feed_counted(self, event: Feed.Counted) -> None:
        """How much a filter left."""
        self._counts[event.feed.id or ""] = (event.shown, event.total)
        if self._filter_line is not None and self._bottom.has_class("-filter") and event.feed is self._filtered:
            self._filter_line.tell(self._filter_result(event.feed))

    def on_filter_line_changed(self, event: FilterLine.Changed) -> None:
        """Filter while typing."""
        problem = self.apply_filter(self._filtered, event.text)
        event.line.tell(problem or self._filter_result(self._filtered), "warn" if problem else "dim")

    def on_filter_line_submitted(self, event: FilterLine.Submitted) -> None:
        """Keep the filter."""
        problem = self.apply_filter(self._filtered, event.text)
        self.stop_typing()
        if problem:
            self.say(problem, "warn")
        elif event.text:
            left = self._filter_result(self._filtered)
            self.say(f"Filter “{event.text}”: {left}. n and N step through, esc ends it.", "info")

    def on_filter_line_cancelled(self, event: FilterLine.Cancelled) -> None:
        """No filter."""
        self.apply_filter(self._filtered, "")
        self.stop_typing()

    def apply_filter(self, target: LineList | None, text: str) -> str:
        """Filter a list; what is wrong with the filter, or ""."""
        name = (target.id or "") if target is not None else ""
        if not isinstance(target, Feed | Grid):
            return ""
        self._filters[name] = text
        problem = target.set_filter(text)
        if isinstance(target, Grid) and self.shown is not None:
            self.show_body(self.shown)  # its title counts
        return problem

    def end_filter(self) -> bool:
        """End the filter of the list with the keys; whether it had one."""
        target = self.current_list
        if target is None or not self._filters.pop(target.id or "", ""):
            return False
        self.apply_filter(target, "")
        self.say("The filter ended; everything is shown.", "info")
        return True

    def _filter_result(self, target: LineList | None) -> str:
        """How many rows are left, and which columns decided that are not drawn at this width."""
        if isinstance(target, Feed):
            shown, total = self._counts.get(target.id or "", (0, 0))
        elif isinstance(target, Grid):
            shown, total = target.shown, target.total
        else:
            return ""
        by = ", ".join(f"“{title}”" for title in target.matched_by)
        so_far = " so far" if isinstance(target, Grid) and target.looking else ""
        return f"{shown:,} of {total:,}{so_far}" + (f", some by {by}, which is not drawn" if by else "")

    # the `:` line

    async def action_command_line(self, text: str = "") -> None:
        """Type a command."""
        if self._command_line is None:
            from widgets.typing.command_line import CommandLine

            self._command_line = CommandLine(self.host.history)
            await self._bottom.mount(self._command_line, before=0)
        self._start_typing("command")
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
