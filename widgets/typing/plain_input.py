"""A line of text typed by the operator, into which nothing a terminal obeys can be pasted."""

from __future__ import annotations

from typing import Final

from textual.widgets import Input

from widgets.text.plain import plain

LONGEST: Final = 2_000
"""Characters: each that is typed costs time by how many stand there already, and a terminal that doesn't mark a paste
types all of it."""


class PlainInput(Input):
    """An input of one plain line, whose cursor stands still: blinking would write twice a second for nothing."""

    DEFAULT_CSS = """
    PlainInput { border: none; height: 1; padding: 0; background: transparent; }
    PlainInput:focus { border: none; background-tint: transparent; }
    """

    def on_mount(self) -> None:
        self.cursor_blink = False
        self.max_length = LONGEST

    def validate_value(self, value: str) -> str:
        return plain(value)
