"""The second wall against hostile text: what is drawn is plain, whatever it was when it was given.

The console cleans text where it enters. Widgets don't rely on it: every string passes `plain` right before it becomes a
segment, so that no control byte, no bidirectional override and no flood of combining marks reaches the terminal, and
columns stand where they are counted to stand.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from rich.cells import cell_len, set_cell_size

from widgets.text.glyphs import is_ascii, to_ascii

REPLACEMENT: Final = "�"

_FAMILIAR: Final = re.compile(
    "[ -~\xa0-\xac\xae-\u024f\u0391-\u03a1\u03a3-\u03c9\u0400-\u0482\u048a-\u052f\u2010-\u2027\u2030-\u205e"
    "\u20a0-\u20bf\u2190-\u23fa\u2500-\u262f\u2713-\u27af\u2801-\u28ff\u3041-\u3096\u30a1-\u30ff\u4e00-\u9ffc"
    "\uac00-\ud7a3\ufffd]*\\Z"
)
"""Text of which every character is as wide in every terminal as it is here, and obeyed by none."""

_UNSAFE_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mc"})
_UNEVEN: Final = re.compile(
    "[\u115f-\u11ff\ud7b0-\ud7ff\u3164\uffa0\u2630-\u2637\u268a-\u268f\u3248-\u324f\u4dc0-\u4dff\U0001d300-\U0001d376"
    "\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff\ufe00-\ufe0f\u180b-\u180d\u180f\U000e0100-\U000e01ef]"
)
"""Wider in one terminal than in another: fillers, parts of syllables, signs that became wide,
 halves of flags, skin tones, and selectors."""

_SYLLABLE_PARTS: Final = re.compile("[\u1160-\u11ff]")

MAX_MARKS: Final = 2
"""Combining marks kept after one character."""

_NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.,-])[+\-−]?[0-9][0-9.,]{0,30}(?:E[+\-−]?[0-9]+)?"
    r"(?:\s?(?:[A-Z]{2,6}|ms|min|[smhd%σ]))?(?![A-Za-z0-9_])"
)
MAX_NUMBER: Final = 48
"""Characters before and after a cut in which a number is looked for."""

MIN_ENDS: Final = 5
"""Cells below which there is no room for both ends of a name."""

MAX_CHARS: Final = 4096
"""The most characters of one string that are looked at; no terminal line is longer."""


def plain(text: str) -> str:
    """The text with everything a terminal might obey, or draw wider or narrower than it is counted here, replaced by
    `�`; never more than `MAX_CHARS` characters."""
    if len(text) > MAX_CHARS:
        text = text[:MAX_CHARS]
    if (text.isascii() and text.isprintable()) or _FAMILIAR.match(text):
        return text
    return _made_plain(text)


@lru_cache(maxsize=1024)
def _made_plain(text: str) -> str:
    if _SYLLABLE_PARTS.search(text):
        text = unicodedata.normalize("NFC", text)
    out: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        if category in ("Mn", "Me") and not _UNEVEN.match(char):
            marks += 1
            if marks <= MAX_MARKS and out:
                out.append(char)
            continue
        marks = 0
        if category in _UNSAFE_CATEGORIES or _UNEVEN.match(char):
            out.append(REPLACEMENT)
        else:
            out.append(char)
    return "".join(out)


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


def fit_ends(text: str, width: int, ellipsis: str = "…") -> str:
    """A name made safe and exactly `width` cells wide; what is too long is cut in the middle, since names that begin
    alike differ at their ends."""
    text = plain(text)
    length = cell_len(text)
    if length <= width or width < MIN_ENDS:
        return fit(text, width, ellipsis=ellipsis)
    head = set_cell_size(text, (width - 1) // 2).rstrip()
    tail, left = "", width - cell_len(head) - 1
    for start in range(len(text) - 1, -1, -1):
        if cell_len(text[start:]) > left:
            break
        tail = text[start:]
    while tail and unicodedata.category(tail[0]) in ("Mn", "Me"):  # a mark belongs to what was cut
        tail = tail[1:]
    return fit(f"{head}{ellipsis}{tail}", width, ellipsis=ellipsis)


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
