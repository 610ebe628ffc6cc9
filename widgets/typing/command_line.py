"""The `:` line: a command typed, with what could follow and what was typed before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message

from widgets.text.glyphs import glyphs
from widgets.text.line_widget import LineWidget, Span
from widgets.text.plain import fit, width_of
from widgets.typing.filter_line import Caption
from widgets.typing.plain_input import PlainInput

MAX_OFFERED = 8
MAX_HISTORY = 200


@dataclass(frozen=True, slots=True)
class Completion:
    """One way to go on.

    Args:
        value: the whole line, if this one is taken.
        label: what is shown for it.
        description: beside it, in grey.
    """

    value: str
    label: str
    description: str = ""


class _Offered(LineWidget):
    DEFAULT_CSS = """
    _Offered { height: 0; width: 1fr; background: $panel; overlay: screen; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.completions: tuple[Completion, ...] = ()
        self.chosen = -1
        self.lines = 0

    def offer(self, completions: tuple[Completion, ...]) -> None:
        """Show these; the list grows but doesn't shrink while one types, since a new height repaints the screen."""
        if completions != self.completions:
            self.completions, self.chosen = completions, -1
            if len(completions) > self.lines:
                self._grow(len(completions))
            self.refresh()

    def close(self) -> None:
        """Offer nothing, and take no room."""
        self.completions, self.chosen = (), -1
        if self.lines:
            self._grow(0)

    def _grow(self, lines: int) -> None:
        self.lines = lines
        self.styles.height = lines
        self.styles.offset = (0, -lines)  # above the line, over what is there: nothing else is laid out anew
        self.display = lines > 0

    def choose(self, step: int) -> Completion | None:
        if not self.completions:
            return None
        self.chosen = (
            (self.chosen + step) % len(self.completions) if self.chosen >= 0 or step > 0 else len(self.completions) - 1
        )
        self.refresh()
        return self.completions[self.chosen]

    def spans_of_line(self, y: int, width: int) -> tuple[Sequence[Span], str]:
        y -= self.lines - len(self.completions)
        if y < 0:
            return (), ""
        label_width = min(width // 2, max(width_of(item.label) for item in self.completions))
        item = self.completions[y]
        spans = [(f"   {fit(item.label, label_width, ellipsis=glyphs().ellipsis)}  ", ""), (item.description, "dim")]
        return spans, "cursor" if y == self.chosen else ""


class CommandLine(Vertical):
    """A command being typed."""

    DEFAULT_CSS = """
    CommandLine { height: auto; width: 1fr; }
    CommandLine Horizontal { height: 1; background: $footer-band; }
    CommandLine PlainInput { width: 1fr; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="command.cancel", show=False),
        Binding("up", "history(-1)", "Earlier", id="command.earlier", show=False, priority=True),
        Binding("down", "history(1)", "Later", id="command.later", show=False, priority=True),
        Binding("tab", "complete(1)", "Complete", id="command.complete", show=False, priority=True),
        Binding("shift+tab", "complete(-1)", "Back", id="command.complete_back", show=False, priority=True),
    ]

    class Changed(Message):
        """The text changed; `offer` what could follow."""

        def __init__(self, line: CommandLine, text: str) -> None:
            super().__init__()
            self.line = line
            self.text = text

    class Submitted(Changed):
        """Enter: do it."""

    class Cancelled(Message):
        """Escape."""

    def __init__(self, history: Sequence[str] = (), *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._history = list(history)[-MAX_HISTORY:]
        self._at = len(self._history)
        self._draft = ""
        self._set_by_us: str | None = None
        self._offered = _Offered()
        self._offered.display = False
        self._input = PlainInput(select_on_focus=False, compact=True)
        self._caption = Caption("")

    def compose(self) -> ComposeResult:
        yield self._offered
        with Horizontal():
            yield Caption(f" {glyphs().prompt} ", "key bold")
            yield self._input
            yield self._caption

    @property
    def history(self) -> tuple[str, ...]:
        """What was submitted, oldest first."""
        return tuple(self._history)

    @property
    def text(self) -> str:
        """What stands in the line."""
        return self._input.value

    def open(self, text: str = "") -> None:
        """Start typing, from this text."""
        self._at = len(self._history)
        self._draft = text
        self._offered.close()
        self._set(text)
        self._input.focus()

    def offer(self, completions: Sequence[Completion]) -> None:
        """Show what could follow; at most eight are shown."""
        self._offered.offer(tuple(completions)[:MAX_OFFERED])

    def tell(self, text: str, tone: str = "dim") -> None:
        """Say something at the right: what the command does, or why it was refused."""
        self._caption.show(f"{text} " if text else "", tone)

    def _set(self, text: str) -> None:
        if text != self._input.value:
            self._set_by_us = text
        self._input.value = text
        self._input.cursor_position = len(self._input.value)

    def on_input_changed(self, event: PlainInput.Changed) -> None:
        event.stop()
        ours, self._set_by_us = self._set_by_us, None
        if event.value == ours:
            return
        self._draft = event.value
        self._at = len(self._history)
        self.post_message(CommandLine.Changed(self, event.value))

    def on_input_submitted(self, event: PlainInput.Submitted) -> None:
        event.stop()
        text = event.value.strip()
        if text and (not self._history or self._history[-1] != text):
            self._history.append(text)
            del self._history[:-MAX_HISTORY]
        self._at = len(self._history)
        self.post_message(CommandLine.Submitted(self, text))

    def action_cancel(self) -> None:
        self.post_message(CommandLine.Cancelled())

    def action_history(self, step: int) -> None:
        """An earlier or a later line; past the last one, what was being typed."""
        at = min(max(0, self._at + step), len(self._history))
        if at != self._at:
            self._at = at
            self._set(self._history[at] if at < len(self._history) else self._draft)

    def action_complete(self, step: int) -> None:
        """Take the next of what could follow."""
        chosen = self._offered.choose(step)
        if chosen is not None:
            self._set(chosen.value)
            if len(self._offered.completions) == 1:
                self._draft = chosen.value
                self.post_message(CommandLine.Changed(self, chosen.value))
