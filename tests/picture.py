"""What stands on a terminal's screen after some bytes: enough of a terminal for what Textual and the console write."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from typing import Final

from rich.cells import get_character_cell_size

_TOKEN: Final = re.compile(
    r"\x1b\[(?P<args>[0-9;:?<>=]*)[ $]?(?P<final>[a-zA-Z])"
    r"|\x1b\](?P<osc>[^\x07\x1b]*)(?:\x07|\x1b\\)"
    r"|\x1b[=>78]|(?P<control>[\r\n])|(?P<text>[^\x1b\r\n]+)"
)
_UNFINISHED: Final = re.compile(r"\x1b(?:\[[0-9;:?<>=]*[ $]?|\][^\x07\x1b]*)?\Z")

Cell = tuple[str, str]
"""A character, and how it is drawn: attributes/colour/background."""

BLANK: Final[Cell] = (" ", "//")
_SHOWN_ON_BLANKS: Final = frozenset({"4", "7", "9", "21", "51", "52", "53"})


class Picture:
    """The cells of a screen.

    Args:
        columns, rows: its size.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.cells: list[list[Cell]] = [[BLANK] * columns for _ in range(rows)]
        self._x = self._y = 0
        self._attributes: set[str] = set()
        self._color = self._back = ""
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._left = ""

    def feed(self, data: bytes) -> None:
        """Draw what was written."""
        text = self._left + self._decode(data)
        unfinished = _UNFINISHED.search(text)
        self._left = unfinished[0] if unfinished else ""
        for token in _TOKEN.finditer(text, 0, len(text) - len(self._left)):
            if token["text"]:
                self._write(token["text"])
            elif token["control"] == "\r":
                self._x = 0
            elif token["control"] == "\n":
                self._y = min(self.rows - 1, self._y + 1)
            elif token["final"]:
                self._obey(token["final"], token["args"])

    def has(self, text: str) -> bool:
        """Whether the text stands on one of the lines."""
        return any(text in line for line in self.lines())

    def lines(self) -> list[str]:
        """The characters, line by line."""
        return ["".join(char for char, _ in row) for row in self.cells]

    def visible(self) -> list[list[Cell]]:
        """The cells as an eye can tell them apart: a blank has no colour, and neither weight nor slant."""
        return [[(char, _of_blank(ink) if char == " " else ink) for char, ink in row] for row in self.cells]

    def _obey(self, final: str, args: str) -> None:
        if args[:1] in ("?", "<", ">", "="):
            if final == "h" and args == "?1049":
                self.cells = [[BLANK] * self.columns for _ in range(self.rows)]
            return
        numbers = [int(part or 0) for part in args.split(";")] if args else []
        if final == "H":
            row, column = [*numbers, 1, 1][:2] if len(numbers) != 1 else (numbers[0], 1)
            self._y, self._x = min(self.rows, max(1, row)) - 1, min(self.columns, max(1, column)) - 1
        elif final == "C":
            self._x = min(self.columns - 1, self._x + max(1, numbers[0] if numbers else 1))
        elif final == "m":
            self._restyle([str(number) for number in numbers] or ["0"])

    def _restyle(self, codes: list[str]) -> None:
        rest = iter(codes)
        for code in rest:
            number = int(code)
            if number in (38, 48):
                kind = next(rest)
                value = ";".join([code, kind, *(next(rest) for _ in range(3 if kind == "2" else 1))])
                self._color, self._back = (value, self._back) if number == 38 else (self._color, value)
            elif number == 0:
                self._attributes, self._color, self._back = set(), "", ""
            elif number == 39 or 30 <= number <= 37 or 90 <= number <= 97:
                self._color = "" if number == 39 else code
            elif number == 49 or 40 <= number <= 47 or 100 <= number <= 107:
                self._back = "" if number == 49 else code
            else:
                self._attributes.add(code)

    def _write(self, text: str) -> None:
        ink = "/".join([",".join(sorted(self._attributes)), self._color, self._back])
        row = self.cells[self._y]
        for char in text:
            size = get_character_cell_size(char)
            if size == 0:
                continue
            for place in range(self._x, min(self.columns, self._x + size)):
                row[place] = (char if place == self._x else "", ink)
            self._x = min(self.columns, self._x + size)


def _of_blank(ink: str) -> str:
    attributes, _color, back = ink.split("/")
    return ink if _SHOWN_ON_BLANKS & set(attributes.split(",")) else f"//{back}"
