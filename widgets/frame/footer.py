"""The keys that work right now, in one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual import events
from textual.message import Message

from widgets.text.line_widget import LineWidget, Span
from widgets.text.plain import width_of


class KeyHint(NamedTuple):
    """One key and what it does.

    Args:
        key: as it is written for people ("s", "space", "ctrl+p").
        label: one or two words.
        tone: the label's tone; "dim" where the key would be refused right now.
        keep: whether it stays when the bar gets narrow, e.g. for help and quit.
    """

    key: str
    label: str
    tone: str = ""
    keep: bool = False


GAP = 2
"""Cells between hints."""


MARGINS = 2
"""Cells before the first hint and after the last."""


def _width(hint: KeyHint) -> int:
    return width_of(hint.key) + 1 + width_of(hint.label)


class KeyBar(LineWidget):
    """Key hints; from the right, those that needn't stay go first when it gets narrow."""

    DEFAULT_CSS = """
    KeyBar { height: 1; width: 1fr; dock: bottom; }
    """

    class Pressed(Message):
        """A hint was clicked."""

        def __init__(self, bar: KeyBar, key: str) -> None:
            super().__init__()
            self.bar = bar
            self.key = key

        @property
        def control(self) -> KeyBar:
            return self.bar

    def __init__(self, hints: Sequence[KeyHint] = (), *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._hints = tuple(hints)
        self._protected = False

    @property
    def protected(self) -> bool:
        """Whether the band that warns of a protected profile is painted."""
        return self._protected

    @protected.setter
    def protected(self, value: bool) -> None:
        if value != self._protected:
            self._protected = value
            self.refresh()

    def show(self, hints: Sequence[KeyHint]) -> None:
        """Show these, if they differ."""
        if (shown := tuple(hints)) != self._hints:
            self._hints = shown
            self.refresh()

    def hints_in(self, width: int) -> list[tuple[int, int, KeyHint]]:
        """The hints that fit: first cell, cells, hint."""
        shown = list(self._hints)
        while shown and sum(_width(hint) + GAP for hint in shown) + MARGINS - GAP > width:
            shown.remove(next((hint for hint in reversed(shown) if not hint.keep), shown[-1]))
        placed = []
        x = 1
        for hint in shown:
            placed.append((x, _width(hint), hint))
            x += _width(hint) + GAP
        return placed

    def spans_of_line(self, y: int, width: int) -> tuple[Sequence[Span], str]:
        spans: list[Span] = []
        at = 0
        for x, size, hint in self.hints_in(width):
            spans += [(" " * (x - at), ""), (hint.key, "key bold"), (f" {hint.label}", hint.tone)]
            at = x + size
        return spans, "warn" if self._protected else "footer"

    async def _on_click(self, event: events.Click) -> None:
        await super()._on_click(event)
        for x, size, hint in self.hints_in(self.content_size.width):
            if x <= event.x < x + size:
                event.stop()
                self.post_message(KeyBar.Pressed(self, hint.key))
                return
