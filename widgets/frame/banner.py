"""One line on a band of its own: what happened and waits for somebody; its keys stay in view however long that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual import events
from textual.message import Message

from widgets.text.glyphs import glyphs
from widgets.text.line_widget import LineWidget, Span
from widgets.text.plain import fit, width_of

LEAST = 24
"""Cells that the text keeps; where they would not be left, the keys go first."""


class BannerData(NamedTuple):
    """What the line says.

    Args:
        text: what happened; cut where it is too long.
        more: how many other things wait, e.g. "+2 more"; never cut.
        keys: what to press, on the right.
        band: the band it stands on: "bad" or "warn".
    """

    text: str = ""
    more: str = ""
    keys: str = ""
    band: str = "bad"


class BannerBar(LineWidget):
    """A banner; a click on it is the same as its key."""

    DEFAULT_CSS = """
    BannerBar { height: 1; width: 1fr; }
    """

    class Pressed(Message):
        """It was clicked."""

        def __init__(self, bar: BannerBar) -> None:
            super().__init__()
            self.bar = bar

        @property
        def control(self) -> BannerBar:
            return self.bar

    def __init__(self, data: BannerData | None = None, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._data = data or BannerData()

    @property
    def data(self) -> BannerData:
        """What is shown."""
        return self._data

    def show(self, data: BannerData) -> None:
        """Show this, if it differs."""
        if data != self._data:
            self._data = data
            self.refresh()

    def spans_of_line(self, y: int, width: int) -> tuple[Sequence[Span], str]:
        return banner_line(self._data, width), self._data.band

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.post_message(BannerBar.Pressed(self))


def banner_line(data: BannerData, width: int) -> list[Span]:
    """The spans for a width: the text to the left, what else waits right after it, the keys to the right."""
    more = f"   {data.more}" if data.more else ""
    keys = f"   {data.keys} " if data.keys else " "
    if width - 1 - width_of(more) - width_of(keys) < min(LEAST, width_of(data.text)):
        keys = " "
    room = max(0, width - 1 - width_of(more) - width_of(keys))
    text = fit(data.text, min(room, width_of(data.text)), ellipsis=glyphs().ellipsis)
    blank = " " * (room - width_of(text))
    return [(f" {text}{more}", "bold"), (blank + keys, "")]
