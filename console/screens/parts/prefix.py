"""After the prefix key: nothing for those who know what follows, and a strip with all of it for those who wait."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from textual import events
from textual.app import ComposeResult

from console.screens.parts.dialogs import OVER_CSS, Dialog
from console.screens.parts.lines import Lines
from widgets.text.line_widget import Span
from widgets.text.plain import width_of

SHOWN_AFTER_S: Final = 0.4
GAP: Final = 3


class PrefixScreen(Dialog[str]):
    """Waits for one letter; its answer is what the letter stands for, empty for none.

    Args:
        title: what the letters do.
        letters: each with its name and what it stands for.
        width: cells of the terminal.
    """

    DEFAULT_CSS = (
        OVER_CSS.format(name="PrefixScreen", where="bottom")
        + """
    PrefixScreen Lines { background: $panel; display: none; }
    """
    )
    nothing = ""

    def __init__(self, title: str, letters: Sequence[tuple[str, str, str]], width: int) -> None:
        super().__init__()
        self._meanings = {key: what for key, _, what in letters}
        self._strip = Lines(strip(title, [(key, name) for key, name, _ in letters], width))

    def compose(self) -> ComposeResult:
        yield self._strip

    def on_mount(self) -> None:
        """Who knows the letter has typed it by then."""
        self._strip.styles.height = len(self._strip.lines)
        self.set_timer(SHOWN_AFTER_S, self._tell)

    def _tell(self) -> None:
        self._strip.display = True

    def means_something(self, key: str) -> bool:
        """Only the letters do."""
        return key in self._meanings

    def on_key(self, event: events.Key) -> None:
        """A letter was typed; any other key is the base's, and ends this."""
        if event.key in self._meanings:
            event.stop()
            self.answer(self._meanings[event.key])


def strip(title: str, letters: Sequence[tuple[str, str]], width: int) -> list[list[Span]]:
    """The letters with their names, in as many lines as they take at this width; none is cut."""
    lines: list[list[Span]] = [[(f" {title} ", "strong")]]
    used = width_of(lines[0][0][0])
    for key, name in letters:
        cells = width_of(key) + 1 + width_of(name) + GAP
        if used + cells > width and len(lines[-1]) > 1:
            lines.append([(" ", "")])
            used = 1
        lines[-1] += [(f" {key}", "key bold"), (f" {name}{' ' * (GAP - 1)}", "")]
        used += cells
    return lines
