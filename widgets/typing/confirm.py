"""The question before a dangerous act: what is, what will be, what speaks against it; and *no* as the default."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message

from widgets.text.glyphs import glyphs, is_ascii
from widgets.text.line_widget import LineWidget, Span
from widgets.text.plain import fit, width_of
from widgets.text.wrap import wrap_words
from widgets.typing.filter_line import Caption
from widgets.typing.plain_input import PlainInput


@dataclass(frozen=True, slots=True)
class BeforeAfter:
    """One thing that would change."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate with its evidence; `state` is its state in a word where open or closed does not say it."""

    name: str
    open: bool
    evidence: str
    state: str = ""


@dataclass(frozen=True, slots=True)
class ConfirmData:
    """A question.

    Args:
        title: the question itself.
        changes: what is, what will be.
        warnings: what one should know first.
        gates: open and closed.
        irreversible: what cannot be undone.
        typed_name: what has to be typed to confirm; empty for a `y`.
        ask_reason: whether a reason has to be given (only with `typed_name`).
        yes: what the button says that does it.
        danger: whether the frame warns.
    """

    title: str
    changes: tuple[BeforeAfter, ...] = ()
    warnings: tuple[str, ...] = ()
    gates: tuple[Gate, ...] = ()
    irreversible: tuple[str, ...] = ()
    typed_name: str = ""
    ask_reason: bool = False
    yes: str = "Yes"
    danger: bool = False


class _Evidence(LineWidget):
    DEFAULT_CSS = """
    _Evidence { height: auto; width: 1fr; }
    """

    def __init__(self, data: ConfirmData) -> None:
        super().__init__()
        self._data = data
        self._lines: list[list[Span]] = []
        self._width = -1

    def on_resize(self, event: events.Resize) -> None:
        if event.size.width != self._width:
            self._width = event.size.width
            self._lines = evidence_lines(self._data, self._width)
            self.styles.height = len(self._lines)
            self.refresh()

    def spans_of_line(self, y: int, width: int) -> tuple[Sequence[Span], str]:
        return (self._lines[y], "") if y < len(self._lines) else ((), "")


def evidence_lines(data: ConfirmData, width: int) -> list[list[Span]]:
    """The lines above the answer, for a width."""
    signs = glyphs()
    lines: list[list[Span]] = [[(line, "strong")] for line in wrap_words(data.title, width)]
    if data.changes:
        lines.append([])
        label = max(width_of(change.label) for change in data.changes)
        before = min(max(width_of(change.before) for change in data.changes), max(8, (width - label) // 2 - 4))
        lines += [
            [
                (f"  {fit(change.label, label)}  ", "dim"),
                (fit(change.before, before, ellipsis=signs.ellipsis), ""),
                (f"  {signs.arrow}  ", "dim"),
                (change.after, "strong"),
            ]
            for change in data.changes
        ]
    if data.gates:
        lines.append([])
        name = max(width_of(gate.name) for gate in data.gates)
        for gate in data.gates:
            sign, word, tone = _standing(gate)
            lines.append([(f"  {sign} {word}  ", tone), (f"{fit(gate.name, name)}  ", ""), (gate.evidence, "dim")])
    for texts, sign, tone in ((data.warnings, signs.warn, "warn"), (data.irreversible, signs.bad, "bad")):
        if texts:
            lines.append([])
        for text in texts:
            wrapped = wrap_words(text, max(1, width - 4))
            lines.append([(f"  {sign} {wrapped[0]}", tone)])
            lines += [[(f"    {line}", tone)] for line in wrapped[1:]]
    lines.append([])
    return lines


def _standing(gate: Gate) -> tuple[str, str, str]:
    """A gate's sign, word and tone: what nobody could check is neither open nor closed."""
    signs = glyphs()
    if gate.state:
        return signs.warn, gate.state, "dim"
    return (signs.ok, "open  ", "ok") if gate.open else (signs.bad, "CLOSED", "bad")


class _Choices(LineWidget, can_focus=True):
    DEFAULT_CSS = """
    _Choices { height: 1; width: 1fr; }
    """

    def __init__(self, yes: str, typed: bool) -> None:
        super().__init__()
        self.no_chosen = True
        self._yes = yes
        self._typed = typed

    def spans_of_line(self, y: int, width: int) -> tuple[Sequence[Span], str]:
        no = ("  No  ", "strong reverse" if self.no_chosen and self.has_focus else "strong")
        if self._typed:
            return [("  ", ""), no, ("   esc", "key bold"), (" cancels", "dim")], ""
        yes = [("   y", "key bold"), (f" {self._yes}", "")]
        return [("  ", ""), no, *yes, ("   n", "key bold"), (" esc", "key bold"), (" No", "dim")], ""


class ConfirmBox(Vertical):
    """A question with its evidence. `y` confirms; enter never does, except after a name was typed in full."""

    DEFAULT_CSS = """
    ConfirmBox {
        width: 76; max-width: 100%; height: auto; max-height: 100%;
        padding: 0 1; border: round $frame-focus; background: $surface;
    }
    ConfirmBox.-danger { border: round $bad; }
    ConfirmBox.-ascii { border: ascii $frame-focus; }
    ConfirmBox.-ascii.-danger { border: ascii $bad; }
    ConfirmBox Horizontal { height: 1; }
    ConfirmBox PlainInput { width: 1fr; background: $panel; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "yes", "Yes", id="confirm.yes", show=False),
        Binding("n,escape", "no", "No", id="confirm.no", show=False),
        Binding("enter", "enter", "No", id="confirm.enter", show=False),
    ]

    class Answered(Message):
        """The answer; `typed` and `reason` are what was typed."""

        def __init__(self, box: ConfirmBox, yes: bool, typed: str = "", reason: str = "") -> None:
            super().__init__()
            self.box = box
            self.yes = yes
            self.typed = typed
            self.reason = reason

        @property
        def control(self) -> ConfirmBox:
            return self.box

    def __init__(self, data: ConfirmData, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.data = data
        self._answered = False
        self._choices = _Choices(data.yes, bool(data.typed_name))
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

    def _answer(self, yes: bool) -> None:
        if not self._answered:
            self._answered = True
            self.post_message(ConfirmBox.Answered(self, yes, self._typed.value, self._reason.value))

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
