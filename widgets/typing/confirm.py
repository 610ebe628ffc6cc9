"""The question before a dangerous act: what is, what will be, what speaks against it; and *no* as the default."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import ClassVar, Final

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


_NARROWEST: Final = 8
"""Cells that a value takes at least, however narrow the terminal is."""


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


def evidence_lines(data: ConfirmData, width: int, most: int = 1000) -> list[list[Span]]:
    """The lines above the answer.

    Args:
        data: the question.
        width: cells that a line may take.
        most: lines that there is room for; where more are needed, the last one says how many are not shown.
    """
    lines: list[list[Span]] = [[(line, "strong")] for line in wrap_words(data.title, width)]
    lines += _changes(data.changes, width)
    lines += _warnings(data.irreversible, glyphs().bad, "bad", width)
    lines += _gates(data.gates, width)
    lines += _warnings(data.warnings, glyphs().warn, "warn", width)
    if len(lines) <= most:
        return lines
    hidden = len(lines) - most + 1
    return [*lines[: most - 1], [(f"  {glyphs().ellipsis} {hidden} more lines need a higher terminal", "warn")]]


def _changes(changes: Sequence[BeforeAfter], width: int) -> list[list[Span]]:
    arrow = f"  {glyphs().arrow}  "
    label = max((width_of(change.label) for change in changes), default=0)
    space = max(2 * _NARROWEST, width - label - 4 - width_of(arrow))
    before = min(max((width_of(change.before) for change in changes), default=0), max(_NARROWEST, space // 2))
    lines: list[list[Span]] = []
    for change in changes:
        left = wrap_words(change.before, before) or [""]
        right = wrap_words(change.after, max(_NARROWEST, space - before)) or [""]
        for number, (old, new) in enumerate(zip_longest(left, right, fillvalue="")):
            name, sign = (change.label, arrow) if number == 0 else ("", " " * width_of(arrow))
            lines.append([(f"  {fit(name, label)}  ", "dim"), (fit(old, before), ""), (sign, "dim"), (new, "strong")])
    return lines


def _gates(gates: Sequence[Gate], width: int) -> list[list[Span]]:
    name = max((width_of(gate.name) for gate in gates), default=0)
    lines: list[list[Span]] = []
    words = max((width_of(_standing(gate)[1]) for gate in gates), default=0)
    for gate in sorted(gates, key=lambda gate: (gate.open, bool(gate.state))):
        sign, word, tone = _standing(gate)
        head = f"  {sign} {fit(word, words)}  "
        first, *rest = wrap_words(gate.evidence, max(_NARROWEST, width - width_of(head) - name - 2)) or [""]
        lines.append([(head, tone), (f"{fit(gate.name, name)}  ", ""), (first, "dim")])
        lines += [[(" " * (width_of(head) + name + 2), ""), (line, "dim")] for line in rest]
    return lines


def _warnings(texts: Sequence[str], sign: str, tone: str, width: int) -> list[list[Span]]:
    lines: list[list[Span]] = []
    for text in texts:
        first, *rest = wrap_words(text, max(1, width - 4)) or [""]
        lines += [[(f"  {sign} {first}", tone)], *([(f"    {line}", tone)] for line in rest)]
    return lines


def _standing(gate: Gate) -> tuple[str, str, str]:
    """A gate's sign, word and tone: what nobody could check is neither open nor closed."""
    signs = glyphs()
    if gate.state:
        return signs.warn, gate.state, "dim"
    return (signs.ok, "open", "ok") if gate.open else (signs.bad, "CLOSED", "bad")


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
