"""What is asked over a screen (a confirmation, a choice, a line of text), and what is shown there.

What is around it stays as it is and is not dimmed: drawing the whole screen anew takes most of a second on a link of
20 kB/s, in which somebody who wants to halt waits for the question.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol, TypeVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from console.domain.operator.command import Preview
from console.screens.parts.lines import Lines
from widgets.frame.panel import Panel
from widgets.lists.columns import Column
from widgets.lists.grid import Grid, GridRow
from widgets.text.line_widget import Span
from widgets.typing.confirm import ConfirmBox
from widgets.typing.plain_input import PlainInput
from widgets.typing.question import BeforeAfter, ConfirmData, Gate

T = TypeVar("T")

OVER_CSS = """
{name} {{ align: center {where}; background: transparent; }}
"""


def confirm_data(preview: Preview, yes: str, *, danger: bool) -> ConfirmData:
    """The question before a command."""
    return ConfirmData(
        title=preview.title,
        changes=tuple(
            BeforeAfter(c.what, "–" if c.before is None else c.before, "–" if c.after is None else c.after)
            for c in preview.changes
        ),
        warnings=preview.warnings,
        gates=tuple(Gate(gate.name, gate.open, gate.evidence, gate.state) for gate in preview.gates),
        irreversible=preview.irreversible,
        typed_name=preview.typed_name,
        ask_reason=bool(preview.typed_name),
        yes=preview.yes or yes,
        danger=danger or bool(preview.irreversible),
        facts=tuple((fact.name, fact.text) for fact in preview.facts),
        ways=tuple((way.key, way.label) for way in preview.ways),
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a confirmation; `reason` as it was typed, `way` the letter of what is to be done instead."""

    yes: bool
    reason: str = ""
    way: str = ""


COUNT_S: Final = 0.5
"""How often a countdown is drawn."""
_ANSWERS: Final = frozenset({"y", "n", "escape", "tab", "enter"})


class _Around(Protocol):
    """What a dialog asks of the app."""

    def reduces_risk(self, key: str) -> str: ...

    def begin_key(self, name: str) -> None: ...


class Dialog(ModalScreen[T]):
    """A screen that is answered once. What reduces risk replaces it: its key answers with `nothing`, and begins.

    Textual's `dismiss` takes away whatever is on top. What came on top of a dialog meanwhile would go in its stead, and
    its question would never be answered; a second answer would take away the screen below.
    """

    nothing: T
    """The answer by which nothing is done."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: tuple[T, ...] = ()
        self._answered = False

    def on_key(self, event: events.Key) -> None:
        """Before any binding: a key that reduces risk replaces the dialog, and one that means nothing here is a no.

        In a line of text every letter is text.
        """
        if isinstance(self.focused, PlainInput):
            return
        host = cast("_Around", self.app)
        reduces = host.reduces_risk(event.key)
        if not reduces and self.means_something(event.key):
            return
        event.stop()
        event.prevent_default()
        self.answer(self.nothing)
        if reduces:
            host.begin_key(reduces)

    def means_something(self, key: str) -> bool:
        """Whether a key is answered here; every other one is a no."""
        return True

    def answer(self, result: T) -> None:
        """Give the answer and go: at once, or as soon as nothing is on top any more. Only the first one counts."""
        if self._answered:
            return
        self._answered = True
        if self.app.screen is self:
            self.dismiss(result)
        else:
            self._waiting = (result,)

    def on_screen_resume(self) -> None:
        """What was on top is gone."""
        if self._waiting:
            self.dismiss(self._waiting[0])
            self._waiting = ()


class ConfirmScreen(Dialog[Answer]):
    """A question with its evidence, in a strip at the bottom; no is the default, enter never confirms."""

    DEFAULT_CSS = OVER_CSS.format(name="ConfirmScreen", where="bottom")
    nothing = Answer(False)

    def __init__(self, data: ConfirmData) -> None:
        super().__init__()
        self._data = data

    def means_something(self, key: str) -> bool:
        """Whoever types words into the wrong window says no with the first letter."""
        return key in _ANSWERS or key in dict(self._data.ways)

    def compose(self) -> ComposeResult:
        yield ConfirmBox(self._data)

    def on_confirm_box_answered(self, event: ConfirmBox.Answered) -> None:
        """The box answered."""
        self.answer(Answer(event.yes, event.reason, event.way))


class ChoiceScreen(Dialog[str]):
    """A short list of which one is chosen; escape chooses nothing ("")."""

    DEFAULT_CSS = (
        OVER_CSS.format(name="ChoiceScreen", where="bottom")
        + """
    ChoiceScreen Panel { width: 90; max-width: 100%; height: auto; max-height: 80%; background: $surface; }
    ChoiceScreen Grid { height: auto; }
    """
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "cancel", "Cancel", id="choice.cancel", show=False, tooltip="Choose nothing"),
    ]

    nothing = ""

    def __init__(
        self,
        title: str,
        choices: Sequence[tuple[str, str]],
        *,
        chosen: str = "",
        wait: Callable[[], str] | None = None,
    ) -> None:
        super().__init__()
        self._title = title
        self._choices = tuple(choices)
        self._chosen = chosen
        self._wait = wait

    def compose(self) -> ComposeResult:
        width = min(44, max((len(value) for value, _text in self._choices), default=8))
        grid = Grid((Column("", width), Column("", 0, tone="dim")))
        grid.styles.height = min(14, len(self._choices))
        grid.set_rows([GridRow(value, (value, text)) for value, text in self._choices])
        grid.go_to(self._chosen)
        panel = Panel(self._title, grid)
        panel.note = "enter chooses, esc cancels"
        yield panel

    def _count_down(self) -> None:
        """Say how long there is to wait still, before anything is typed."""
        wait = self._wait() if self._wait is not None else ""
        for panel in self.query(Panel):
            panel.title = f"{self._title}  {wait}" if wait else self._title

    def means_something(self, key: str) -> bool:
        """The keys of the list, and those that leave it."""
        return key in self.active_bindings

    def on_mount(self) -> None:
        """The list has the keys; a wait is counted down."""
        if self._wait is not None:
            self._count_down()
            self.set_interval(COUNT_S, self._count_down)
        for grid in self.query(Grid):  # none where it was taken away in the moment in which it came
            grid.focus()

    def on_grid_selected(self, event: Grid.Selected) -> None:
        """One was chosen."""
        self.answer(event.key)

    def action_cancel(self) -> None:
        """Nothing was chosen."""
        self.answer("")


class AskScreen(Dialog[str]):
    """One line of text is asked for; escape gives ""."""

    DEFAULT_CSS = (
        OVER_CSS.format(name="AskScreen", where="bottom")
        + """
    AskScreen Panel { width: 76; max-width: 100%; height: 3; background: $surface; }
    AskScreen PlainInput { margin: 0 1; }
    """
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="ask.cancel", show=False, tooltip="Give nothing"),
    ]

    nothing = ""

    def __init__(self, title: str, text: str = "") -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        panel = Panel(self._title, PlainInput(self._text, select_on_focus=False, compact=True))
        panel.note = "enter takes it, esc cancels"
        yield panel

    def on_input_submitted(self, event: PlainInput.Submitted) -> None:
        """Something was typed; an empty line is no answer."""
        event.stop()
        if event.value.strip():
            self.answer(event.value.strip())

    def action_cancel(self) -> None:
        """Nothing was given."""
        self.answer("")


class TextScreen(Dialog[None]):
    """Lines to read: the details of a row, or help. Any of escape, enter, q and ? closes it."""

    DEFAULT_CSS = (
        OVER_CSS.format(name="TextScreen", where="middle")
        + """
    TextScreen Panel { width: 100; max-width: 100%; height: auto; max-height: 100%; background: $surface; }
    TextScreen Vertical { height: auto; max-height: 100%; overflow-y: auto; scrollbar-size: 1 1; }
    """
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q,question_mark", "close", "Close", id="text.close", show=False, tooltip="Close"),
        Binding("down,j", "scroll(1)", "Down", id="text.down", show=False, tooltip="One line down"),
        Binding("up,k", "scroll(-1)", "Up", id="text.up", show=False, tooltip="One line up"),
        Binding("pagedown,space", "scroll(10)", "Page down", id="text.page_down", show=False, tooltip="Further down"),
        Binding("pageup", "scroll(-10)", "Page up", id="text.page_up", show=False, tooltip="Further up"),
    ]

    nothing = None

    def __init__(self, title: str, lines: Sequence[Sequence[Span]]) -> None:
        super().__init__()
        self._title = title
        self._lines = tuple(tuple(line) for line in lines)

    def compose(self) -> ComposeResult:
        body = Lines(self._lines)
        body.styles.height = len(self._lines)
        panel = Panel(self._title, Vertical(body))
        panel.note = "esc closes"
        yield panel

    def action_scroll(self, step: int) -> None:
        """Move the text."""
        for body in self.query(Vertical):
            body.scroll_relative(y=step, animate=False)

    def action_close(self) -> None:
        """Back to the screen."""
        self.answer(None)
