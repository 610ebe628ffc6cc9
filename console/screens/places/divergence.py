"""One divergence, opened: both decisions side by side, and the state below."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical

from console.domain.shadow.report import DivergenceReading
from console.screens.parts.dialogs import TextScreen
from console.screens.parts.lines import Lines
from console.views.format import iso_text
from console.views.shadow.divergence import diff_rows, state_lines
from widgets.frame.panel import Panel
from widgets.lists.side_by_side import SideBySide, SideRow
from widgets.text.line_widget import Span
from widgets.text.wrap import wrap_words


class DivergenceScreen(TextScreen):
    """As wide as there is room for: two decisions are compared across."""

    DEFAULT_CSS = """
    DivergenceScreen Panel { width: 150; }
    DivergenceScreen Lines { height: auto; }
    """

    def __init__(self, divergence: DivergenceReading) -> None:
        super().__init__("Divergence", ())
        self._divergence = divergence

    def compose(self) -> ComposeResult:
        divergence = self._divergence
        if divergence.problem:
            panel = Panel("Divergence", Vertical(_block([[(f" can't be read: {divergence.problem}", "warn")]])))
        else:
            money = "  ✖ moves money" if divergence.money else ""
            head: list[list[Span]] = [
                [(f" {iso_text(divergence.at)}  {divergence.source}", "dim"), (money, "bad bold")],
                [],
            ]
            sides = SideBySide(
                ("live", "shadow"),
                [
                    SideRow(row.sign, row.tone.value, row.path, row.live, row.shadow, row.note)
                    for row in diff_rows(divergence)
                ],
            )
            below = _block([[], [(" the state that both decided on", "dim")]])
            panel = Panel("Divergence", Vertical(_block(head), sides, below, Wrapped(state_lines(divergence))))
        panel.note = "esc closes"
        yield panel


class Wrapped(Lines):
    """Lines as wide as there is room for; what is longer goes on below itself, indented as it began."""

    def __init__(self, texts: Sequence[str]) -> None:
        super().__init__()
        self._texts = tuple(texts)

    def on_resize(self, event: events.Resize) -> None:
        """There is more room, or less."""
        lines: list[list[Span]] = []
        for text in self._texts:
            indent = " " * (3 + len(text) - len(text.lstrip(" ")))
            room = max(12, event.size.width - len(indent) - 1)
            lines += [[(indent + part, "")] for part in wrap_words(text.lstrip(" "), room)]
        if len(lines) != len(self.lines):
            self.styles.height = len(lines)
        self.show(lines)


def _block(lines: list[list[Span]]) -> Lines:
    block = Lines(lines)
    block.styles.height = len(lines)
    return block
