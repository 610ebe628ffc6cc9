"""A screen of panels: which one has the keys, going to the next, zooming; one at a time where there is no room."""

from __future__ import annotations

from typing import ClassVar, Final, cast

from textual import events
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget

from console.domain.seen.observation import Observation
from console.screens.frame.host import Host
from widgets.frame.panel import Panel
from widgets.lists.line_list import LineList

WIDE_COLUMNS: Final = 118
WIDE_ROWS: Final = 30
"""From this size on everything is shown at once; below it, one list at a time."""


class PanelScreen(Screen[None], inherit_bindings=False):
    """Panels of the class `zoomable` are what `tab` goes through; the one with the keys is `-current`."""

    DEFAULT_CSS = """
    PanelScreen.-zoomed .zoomable { display: none; }
    PanelScreen.-zoomed .zoomable.-current { display: block; }
    """

    ROOM: ClassVar[tuple[int, int]] = (WIDE_COLUMNS, WIDE_ROWS)
    """Columns and rows from which on this screen shows all its panels at once."""
    ONE_AT_A_TIME: ClassVar[bool] = False
    """Whether below that only the panel with the keys is shown: then its title says which one of how many it is."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: Observation | None = None

    @property
    def host(self) -> Host:
        """The app that this screen is part of."""
        return cast("Host", self.app)

    def say(self, text: str, tone: str = "", fade_s: float = 8.0) -> None:
        """What the last key did."""
        raise NotImplementedError

    @property
    def panels(self) -> list[Panel]:
        """The panels that `tab` goes through."""
        return [panel for panel in self.walk_children(Panel) if panel.has_class("zoomable")]

    @property
    def narrow(self) -> bool:
        """Whether there is room for one list only."""
        return self.has_class("-narrow")

    def on_resize(self, event: events.Resize) -> None:
        """Choose the layout for this size."""
        before = self.narrow
        self.update_classes(self.classes_at(event.size))  # all at once: each by itself would style every widget anew
        if self.narrow != before:
            self._say_places()
            self.size_changed(self.narrow)

    def _say_places(self) -> None:
        panels = self.panels
        told = self.ONE_AT_A_TIME and self.narrow and len(panels) > 1
        for number, panel in enumerate(panels, 1):
            panel.place = f"[{number}/{len(panels)}]" if told else ""

    def classes_at(self, size: Size) -> dict[str, bool]:
        """The classes that say how much room there is, each with whether the screen has it at this size."""
        return {"-narrow": size.width < self.ROOM[0] or size.height < self.ROOM[1]}

    def size_changed(self, narrow: bool) -> None:
        """The layout changed between wide and narrow."""

    def focus_first(self) -> None:
        """Give the keys to the first list."""
        for panel in self.panels:
            if self.focus_in(panel):
                return

    def focus_in(self, panel: Panel) -> bool:
        """Give the keys to a panel's list; whether it has one."""
        self._make_current(panel)
        for widget in lists_in(panel):
            widget.focus()
            return True
        return False

    def _make_current(self, panel: Panel) -> None:
        """Of all panels, those hidden at this size too, exactly one is the current one."""
        for other in self.walk_children(Panel):
            other.set_class(other is panel, "-current")

    @property
    def current_panel(self) -> Panel | None:
        """The panel with the keys."""
        return next((panel for panel in self.panels if panel.has_class("-current")), None)

    @property
    def current_list(self) -> LineList | None:
        """The list with the keys."""
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
            if self.narrow or lists_in(panels[index]):
                self.focus_in(panels[index])
                return

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Remember which panel is the current one."""
        widget: Widget = event.widget
        for node in widget.ancestors_with_self:
            if isinstance(node, Panel) and node.has_class("zoomable"):
                self._make_current(node)

    def action_zoom(self) -> None:
        """The panel with the keys gets the whole screen, or gives it back."""
        panel = self.current_panel
        if panel is None:
            self.say("There is no panel to zoom here.", "info")
            return
        self.toggle_class("-zoomed")
        zoomed = self.has_class("-zoomed")
        self.say(f"{panel.title}: the whole screen; z goes back." if zoomed else "All panels again.", "info")


def lists_in(panel: Panel) -> list[LineList]:
    """A panel's lists."""
    return [widget for widget in panel.children if isinstance(widget, LineList)]
