"""Lines of plain text with tones, of which only those that differ are repainted."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from widgets.text.line_widget import LineWidget, Span


class Lines(LineWidget):
    """A block of lines.

    Args:
        lines: what to show.
    """

    DEFAULT_CSS = """
    Lines { height: 1fr; width: 1fr; }
    """

    def __init__(
        self, lines: Sequence[Sequence[Span]] = (), *, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: tuple[tuple[Span, ...], ...] = tuple(tuple(line) for line in lines)

    @property
    def lines(self) -> tuple[tuple[Span, ...], ...]:
        """What is shown."""
        return self._lines

    def show(self, lines: Sequence[Sequence[Span]]) -> None:
        """Show these instead."""
        before, self._lines = self._lines, tuple(tuple(line) for line in lines)
        for y, (old, new) in enumerate(zip_longest(before, self._lines)):
            if old != new and y < self.content_size.height:
                self.refresh_line(y)

    def spans_of_line(self, y: int, width: int) -> tuple[Sequence[Span], str]:
        return (self._lines[y], "") if y < len(self._lines) else ((), "")
