"""The `/` line: filters while one types."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.message import Message

from widgets.text.line_widget import LineWidget
from widgets.typing.plain_input import PlainInput


class Caption(LineWidget):
    """A word beside an input."""

    DEFAULT_CSS = """
    Caption { height: 1; width: auto; }
    """

    def __init__(self, text: str, tone: str = "dim", *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._text = text
        self._tone = tone
        self.styles.width = max(1, len(text))

    def show(self, text: str, tone: str = "dim") -> None:
        """Say this instead."""
        if (text, tone) != (self._text, self._tone):
            self._text, self._tone = text, tone
            self.styles.width = max(1, len(text))
            self.refresh()

    def spans_of_line(self, y: int, width: int) -> tuple[tuple[tuple[str, str], ...], str]:
        return ((self._text, self._tone),), ""


class FilterLine(Horizontal):
    """A filter being typed."""

    DEFAULT_CSS = """
    FilterLine { height: 1; width: 1fr; background: $footer-band; }
    FilterLine PlainInput { width: 1fr; }
    """

    BINDINGS = [Binding("escape", "cancel", "Cancel", id="filter.cancel", show=False)]  # noqa: RUF012

    class Changed(Message):
        """The text changed; filter with it."""

        def __init__(self, line: FilterLine, text: str) -> None:
            super().__init__()
            self.line = line
            self.text = text

    class Submitted(Changed):
        """Enter: the filter stays."""

    class Cancelled(Message):
        """Escape: no filter any more."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._input = PlainInput(placeholder="text   re:pattern   !not", select_on_focus=False, compact=True)
        self._caption = Caption("")

    def compose(self) -> ComposeResult:
        yield Caption(" / ", "key bold")
        yield self._input
        yield self._caption

    def open(self, text: str = "") -> None:
        """Start typing, from this text."""
        self._input.value = text
        self._input.cursor_position = len(text)
        self._input.focus()

    def hint(self, text: str) -> None:
        """What can be typed here."""
        self._input.placeholder = text

    def tell(self, text: str, tone: str = "dim") -> None:
        """Say something at the right: how many rows match, or what is wrong."""
        self._caption.show(f"{text} " if text else "", tone)

    def on_input_changed(self, event: PlainInput.Changed) -> None:
        event.stop()
        self.post_message(FilterLine.Changed(self, event.value))

    def on_input_submitted(self, event: PlainInput.Submitted) -> None:
        event.stop()
        self.post_message(FilterLine.Submitted(self, event.value))

    def action_cancel(self) -> None:
        self.post_message(FilterLine.Cancelled())
