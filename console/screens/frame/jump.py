"""Jump mode: a letter on every panel and every row of the list with the keys; pressing it goes there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from textual import events
from textual.app import ComposeResult

from console.screens.frame.panels import lists_in
from console.screens.parts.dialogs import Dialog
from widgets.text.line_widget import LineWidget, Span

if TYPE_CHECKING:
    from console.screens.frame.panels import PanelScreen
    from widgets.frame.panel import Panel

LETTERS: Final = "asdfghjklqwertyuiopzxcvbnm"
"""In the order in which fingers find them; none is the key of what reduces risk."""


class Spot(NamedTuple):
    """A place that one can jump to.

    Args:
        key: its letter.
        x, y: where that is drawn.
        panel: the panel that gets the keys; None for a row of the list that has them.
        row: the row's place.
    """

    key: str
    x: int
    y: int
    panel: Panel | None
    row: int


def spots(screen: PanelScreen) -> tuple[Spot, ...]:
    """Every place in sight, panels first; as many as there are letters."""
    return tuple(Spot(key, *place) for key, place in zip(LETTERS, _places(screen), strict=False))


def _places(screen: PanelScreen) -> Iterator[tuple[int, int, Panel | None, int]]:
    for panel in screen.panels:
        if panel.display and panel.region.width and panel is not screen.current_panel and lists_in(panel):
            yield panel.region.x + 1, panel.region.y, panel, 0
    rows = screen.current_list
    if rows is not None:
        area = rows.content_region
        for index, y in rows.in_sight():
            yield area.x, area.y + y, None, index


def jump(screen: PanelScreen, spot: Spot | None) -> None:
    """Go there; nowhere where there is none."""
    if spot is None:
        return
    if spot.panel is not None:
        screen.focus_in(spot.panel)
    elif screen.current_list is not None:
        screen.current_list.jump(spot.row)


class _Letter(LineWidget):
    DEFAULT_CSS = """
    _Letter { position: absolute; width: 3; height: 1; }
    """

    def __init__(self, spot: Spot) -> None:
        super().__init__()
        self._key = spot.key
        self.styles.offset = (spot.x, spot.y)

    def spans_of_line(self, y: int, width: int) -> tuple[Sequence[Span], str]:
        return ((f" {self._key} ", "key bold reverse"),), ""


class JumpScreen(Dialog[Spot | None]):
    """Letters over the screen below, which goes on; any key that is none of them ends it."""

    DEFAULT_CSS = """
    JumpScreen { background: transparent; }
    """
    nothing = None

    def __init__(self, places: Sequence[Spot]) -> None:
        super().__init__()
        self._spots = {spot.key: spot for spot in places}

    def compose(self) -> ComposeResult:
        for spot in self._spots.values():
            yield _Letter(spot)

    def means_something(self, key: str) -> bool:
        """Only the letters do."""
        return key in self._spots

    def on_key(self, event: events.Key) -> None:
        """A letter was typed; any other key is the base's, and ends this."""
        if event.key in self._spots:
            event.stop()
            self.answer(self._spots[event.key])
