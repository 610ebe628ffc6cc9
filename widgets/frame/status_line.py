"""What the last key did: one line that is loud at first and quiet later."""

from __future__ import annotations

from collections.abc import Sequence

from textual.timer import Timer

from widgets.text.glyphs import glyphs
from widgets.text.line_widget import LineWidget, Span

FADE_S = 8.0


class StatusLine(LineWidget):
    """The last receipt or refusal."""

    DEFAULT_CSS = """
    StatusLine { height: 1; width: 1fr; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._text = ""
        self._tone = ""
        self._faded = False
        self._timer: Timer | None = None

    @property
    def text(self) -> str:
        """What is said."""
        return self._text

    def show(self, text: str, tone: str = "", fade_s: float = FADE_S) -> None:
        """Say something.

        Args:
            text: one line; empty for silence.
            tone: "ok", "info", "warn" or "bad", which also choose the glyph; "" for none.
            fade_s: after how many seconds it turns grey; 0 for never.
        """
        self._text, self._tone, self._faded = text, tone, False
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if text and fade_s > 0 and self.is_attached:
            self._timer = self.set_timer(fade_s, self._fade)
        self.refresh()

    def _fade(self) -> None:
        self._faded = True
        self._timer = None
        self.refresh()

    def spans_of_line(self, y: int, width: int) -> tuple[Sequence[Span], str]:
        if not self._text:
            return (), ""
        signs = glyphs()
        sign = {"ok": signs.ok, "info": signs.info, "warn": signs.warn, "bad": signs.bad}.get(self._tone, " ")
        tone = "dim" if self._faded else self._tone
        return ((f" {sign} ", tone if self._faded else f"{tone} bold".strip()), (self._text, tone)), ""
