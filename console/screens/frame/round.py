"""A decision in full, over its list: at once what the list knows, then the whole record and what stood around it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, ClassVar, Final, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from console.domain.errors import ConsoleError
from console.domain.seen.decision import Decision
from console.domain.text import clean
from console.screens.parts.details import FRAME, detail_of
from console.screens.parts.dialogs import TextScreen
from console.screens.parts.lines import Lines
from widgets.frame.panel import Panel
from widgets.text.line_widget import Span
from widgets.text.plain import plain
from widgets.text.wrap import wrap_words

if TYPE_CHECKING:
    from console.screens.frame.host import Host

MOST_LINES = 2000


def _pretty(record: object) -> str:
    return json.dumps(record, indent=2, ensure_ascii=False, default=str)


PLACE: Final = "place"
"""The argument of the verb that shows a round: where in which log it stands."""


class RoundScreen(TextScreen):
    """A decision.

    Args:
        decision: as the list has it.
        place: PATH:OFFSET, or NAME:OFFSET, of its line; empty where it is in no log that can be read.
    """

    DEFAULT_CSS = """
    RoundScreen { align: center middle; background: transparent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "Copy", id="round.copy", show=False, tooltip="Copy the whole record as JSON"),
        Binding("vertical_line", "pager", "Pager", id="round.pager", show=False, tooltip="Read it in $PAGER"),
        Binding("E", "editor", "Editor", id="round.editor", show=False, tooltip="Read a copy of it in $EDITOR"),
    ]

    def __init__(self, decision: Decision, place: str) -> None:
        self._decision, self._place = decision, place
        self._record = decision.raw.decode("utf-8", "replace")
        self._whole = False
        known = detail_of(decision, None)
        title, lines = known if known is not None else ("Decision", [])
        super().__init__(title if decision.sequence else "Decision", lines)

    def compose(self) -> ComposeResult:
        for panel in super().compose():
            assert isinstance(panel, Panel)
            panel.note = "y copies   | pager   E editor   esc closes"
            yield panel

    def on_mount(self) -> None:
        """Read the whole."""
        if self._place:
            self.host.run_worker(self._read(), group="round", exclusive=True, exit_on_error=False)

    @property
    def host(self) -> Host:
        """The app."""
        return cast("Host", self.app)

    @property
    def _verb(self) -> str:
        """The verb that shows a round by its place."""
        catalogue = self.host.operator.catalogue
        return next(info.name for info in catalogue if info.reads and any(one.name == PLACE for one in info.params))

    async def _read(self) -> None:
        try:
            answer = await self.host.operator.answer(self._verb, {PLACE: self._place})
        except ConsoleError as error:
            self._put([*self._lines, (), ((f" Not read in full: {clean(error.message, 200)}", "warn"),)])
            return
        document = answer.document
        if isinstance(document, dict) and "record" in document:
            self._record = await asyncio.to_thread(_pretty, document["record"])
            self._whole = True
            self._put([*self._wrapped(answer.lines), *(((f" {note}", "warn"),) for note in answer.notes)])

    def _wrapped(self, lines: tuple[str, ...]) -> list[tuple[Span, ...]]:
        width = max(30, self.app.size.width - FRAME)
        shown: list[tuple[Span, ...]] = []
        record = False
        for line in lines:
            safe = clean(line, 4000)
            record = record or not safe
            label = "" if record else safe[:11]
            text = safe[len(label) :]
            indent = len(text) - len(text.lstrip(" ")) if record else 0
            for number, part in enumerate(wrap_words(text.lstrip(" "), max(20, min(width, 96) - 14 - indent)) or [""]):
                head = label if number == 0 else " " * len(label)
                shown.append(((f" {head}", "dim"), (" " * indent + part, "")))
            if len(shown) > MOST_LINES:
                return [*shown[:MOST_LINES], ((" … | shows the rest", "dim"),)]
        return shown

    def _put(self, lines: list[tuple[Span, ...]]) -> None:
        if not self.is_attached:
            return
        self._lines = tuple(tuple(line) for line in lines)
        for body in self.query(Lines):
            body.styles.height = len(self._lines)
            body.show(self._lines)
        for around in self.query(Vertical):
            around.refresh(layout=True)

    def action_copy(self) -> None:
        """The record, to the clipboard of the operator's own terminal."""
        self.host.copy(plain(self._record) if "\n" not in self._record else self._safe())
        self._say("Copied the whole record." if self._whole else "Copied what the list has of the record.")

    def _safe(self) -> str:
        return "\n".join(plain(line) for line in self._record.split("\n"))

    def action_pager(self) -> None:
        """In the operator's pager."""
        from console.screens.terminal.outside import PAGER, read_outside

        self._outside(read_outside(self.app, PAGER, self._safe() + "\n"))

    def action_editor(self) -> None:
        """In the operator's editor: a copy, which is thrown away."""
        from console.screens.terminal.outside import EDITOR, read_outside

        self._outside(read_outside(self.app, EDITOR, self._safe() + "\n"))

    def _outside(self, problem: str) -> None:
        self.app.refresh()
        if problem:
            self._say(problem)

    def _say(self, text: str) -> None:
        for panel in self.query(Panel):
            panel.note = text
        self.host.say(text, "info")
