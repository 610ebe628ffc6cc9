"""The question before a dangerous act: what is, what will be, what speaks against it; and *no* as the default."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message

from widgets.text.glyphs import is_ascii
from widgets.text.line_widget import LineWidget, Span
from widgets.typing.filter_line import Caption
from widgets.typing.plain_input import PlainInput
from widgets.typing.question import ConfirmData, evidence_lines


class _Evidence(LineWidget):
    DEFAULT_CSS = """
    _Evidence { height: auto; width: 1fr; }
    """

    def __init__(self, data: ConfirmData) -> None:
        super().__init__()
        self._data = data
        self._lines: list[list[Span]] = []
        self._laid_out_for = (-1, -1)

    def on_resize(self, event: events.Resize) -> None:
        answers = 3 if self._data.typed_name and self._data.ask_reason else 2 if self._data.typed_name else 1
        space = (event.size.width, max(1, self.app.size.height - answers - 1))  # one line is the edge
        if space != self._laid_out_for:
            self._laid_out_for = space
            self._lines = evidence_lines(self._data, *space)
            self.styles.height = len(self._lines)
            self.refresh()

    def spans_of_line(self, y: int, width: int) -> tuple[Sequence[Span], str]:
        return (self._lines[y], "") if y < len(self._lines) else ((), "")


class _Choices(LineWidget, can_focus=True):
    DEFAULT_CSS = """
    _Choices { height: 1; width: 1fr; }
    """

    def __init__(self, yes: str, typed: bool, ways: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.no_chosen = True
        self._yes = yes
        self._typed = typed
        self._ways = ways

    def spans_of_line(self, y: int, width: int) -> tuple[Sequence[Span], str]:
        no = ("  No  ", "strong reverse" if self.no_chosen and self.has_focus else "strong")
        ways: list[Span] = []
        for key, label in self._ways:
            ways += [(f"   {key}", "key bold"), (f" {label}", "")]
        if self._typed:
            to_ways: list[Span] = [("   tab", "key bold"), (" then", "dim")] if ways and not self.has_focus else []
            return [("  ", ""), no, ("   esc", "key bold"), (" cancels", "dim"), *to_ways, *ways], ""
        yes = [("   y", "key bold"), (f" {self._yes}", "")]
        return [("  ", ""), no, *yes, *ways, ("   n", "key bold"), (" esc", "key bold"), (" No", "dim")], ""


class ConfirmBox(Vertical):
    """A question with its evidence, as a strip. `y` confirms; enter never does, except after a name was typed in full.

    It takes the whole width and as few lines as it needs: on a slow link each line is time in which nobody answers.
    """

    DEFAULT_CSS = """
    ConfirmBox {
        width: 100%; height: auto; max-height: 100%;
        padding: 0 1; border-top: heavy $frame-focus; background: $surface;
    }
    ConfirmBox.-danger { border-top: heavy $bad; }
    ConfirmBox.-ascii { border-top: ascii $frame-focus; }
    ConfirmBox.-ascii.-danger { border-top: ascii $bad; }
    ConfirmBox Horizontal { height: 1; }
    ConfirmBox PlainInput { width: 1fr; background: $panel; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "yes", "Yes", id="confirm.yes", show=False),
        Binding("n,escape", "no", "No", id="confirm.no", show=False),
        Binding("enter", "enter", "No", id="confirm.enter", show=False),
    ]

    class Answered(Message):
        """The answer; `typed` and `reason` are what was typed, `way` the letter of what is to be done instead."""

        def __init__(self, box: ConfirmBox, yes: bool, typed: str = "", reason: str = "", way: str = "") -> None:
            super().__init__()
            self.box = box
            self.yes = yes
            self.typed = typed
            self.reason = reason
            self.way = way

        @property
        def control(self) -> ConfirmBox:
            return self.box

    def __init__(self, data: ConfirmData, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.data = data
        self._answered = False
        self._choices = _Choices(data.yes, bool(data.typed_name), data.ways)
        self._typed = PlainInput(select_on_focus=False, compact=True)
        self._reason = PlainInput(select_on_focus=False, compact=True)
        self.set_class(data.danger, "-danger")
        self.set_class(is_ascii(), "-ascii")

    def compose(self) -> ComposeResult:
        yield _Evidence(self.data)
        if self.data.typed_name:
            with Horizontal():
                yield Caption(f"  Type {self.data.typed_name} to confirm: ", "warn")
                yield self._typed
            if self.data.ask_reason:
                with Horizontal():
                    yield Caption("  Reason: ", "dim")
                    yield self._reason
        yield self._choices

    def on_mount(self) -> None:
        (self._typed if self.data.typed_name else self._choices).focus()

    def _answer(self, yes: bool, way: str = "") -> None:
        if not self._answered:
            self._answered = True
            self.post_message(ConfirmBox.Answered(self, yes, self._typed.value, self._reason.value, way))

    def on_key(self, event: events.Key) -> None:
        """The letter of something else to do, where no line has the keys: in a line of text it is text."""
        if self._choices.has_focus and event.key in dict(self.data.ways):
            event.stop()
            self._answer(False, event.key)

    def action_yes(self) -> None:
        if not self.data.typed_name:
            self._answer(True)

    def action_no(self) -> None:
        self._answer(False)

    def action_enter(self) -> None:
        self._answer(False)

    def on_input_submitted(self, event: PlainInput.Submitted) -> None:
        event.stop()
        if self._typed.value != self.data.typed_name:
            self._typed.focus()
        elif self.data.ask_reason and not self._reason.value.strip():
            self._reason.focus()
        else:
            self._answer(True)
