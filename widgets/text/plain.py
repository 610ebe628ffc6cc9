"""The second wall against hostile text: what is drawn is plain, whatever it was when it was given.

The console cleans text where it enters. Widgets don't rely on it: every string passes `plain` right before it becomes a
segment, so that no control byte, no bidirectional override and no flood of combining marks reaches the terminal.
"""

from __future__ import annotations

import re
from typing import Final

from rich.cells import cell_len, set_cell_size

from widgets.text.glyphs import is_ascii, to_ascii

REPLACEMENT: Final = "�"

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u08e2\u180b-\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb\ud800-\udfff\ue000-\uf8ff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)
_MARKS = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{2})[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)

_NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.,-])[+\-−]?[0-9][0-9.,]{0,30}(?:E[+\-−]?[0-9]+)?"
    r"(?:\s?(?:[A-Z]{2,6}|ms|min|[smhd%σ]))?(?![A-Za-z0-9_])"
)
MAX_NUMBER: Final = 48
"""Characters before and after a cut in which a number is looked for."""

MAX_CHARS: Final = 4096
"""The most characters of one string that are looked at; no terminal line is longer."""


def plain(text: str) -> str:
    """The text with everything a terminal might obey replaced by `�`; never more than `MAX_CHARS` characters."""
    if len(text) > MAX_CHARS:
        text = text[:MAX_CHARS]
    if text.isascii():
        if text.isprintable():
            return text
        return _UNSAFE.sub(REPLACEMENT, text)
    return _MARKS.sub(r"\1", _UNSAFE.sub(REPLACEMENT, text))


def fit(text: str, width: int, align: str = "left", ellipsis: str = "…") -> str:
    """The text made safe and exactly `width` cells wide: padded, or cut with an ellipsis; never within a number, and
    never between an amount and its currency or unit, since half a number is another number.

    Args:
        text: any text.
        width: cells, 0 or more.
        align: "left", "right" or "center".
        ellipsis: one cell wide; drawn where text was cut.
    """
    if width <= 0:
        return ""
    text = to_ascii(plain(text)) if is_ascii() else plain(text)
    length = len(text) if text.isascii() else cell_len(text)
    if length > width:
        kept = set_cell_size(text, width - 1)
        whole = _before_number(text, kept if text.startswith(kept) else kept[:-1])
        if whole is None:
            return kept + ellipsis
        text = whole + ellipsis
        length = cell_len(text)
    gap = " " * (width - length)
    if align == "right":
        return gap + text
    if align == "center":
        half = (width - length) // 2
        return gap[:half] + text + gap[half:]
    return text + gap


def _before_number(text: str, kept: str) -> str | None:
    """What stands before the number that a cut after `kept` would part; None where it parts none."""
    end = len(kept)
    if not any(char.isdigit() for char in text[max(0, end - MAX_NUMBER) : end + 1]):
        return None
    for match in _NUMBER.finditer(text, max(0, end - MAX_NUMBER), end + MAX_NUMBER):
        if match.start() < end < match.end():
            before = text[: match.start()].rstrip()
            return f"{before} " if before else ""
    return None


def width_of(text: str) -> int:
    """How many cells the text takes once it is made safe, and drawn in the set of signs in use."""
    text = to_ascii(plain(text)) if is_ascii() else plain(text)
    return len(text) if text.isascii() else cell_len(text)
