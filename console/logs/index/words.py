"""Which words a stretch of a log may hold: a row of bits a stretch, so that a search leaves most of them unread.

A text is brought into one form: small ASCII letters and `_`, every other character a gap, but for digits, the signs of
numbers, quotes, braces and what is not ASCII, which are taken out: what holds a word before holds it after. Every three
and every four letters that follow one another set a bit of the row. A word whose bits are not all set is in no line of
the stretch; the contrary proves nothing. Numbers set no bits: a log has so many that a row would be full of them.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from re import error as PatternError  # noqa: N812 - its name is a builtin's there
from typing import Any, Final

from console.logs.lines.careful import as_written

ROW_BYTES: Final = 1024
FULL: Final = b"\xff" * ROW_BYTES
"""Of a stretch with so many words that none could be left out."""
ODD_WORD: Final = 0
"""The bit of a stretch with a letter that is an ASCII one in its small form."""
ODD_PATTERN: Final = 1
"""The bit of a stretch with a character that a pattern may take for an ASCII letter."""
_RESERVED: Final = 8
_BITS: Final = ROW_BYTES * 8 - _RESERVED
MOST_LETTERS: Final = 16_384
"""Of new words in one stretch; with more its row would be full."""
MOST_KEPT: Final = 2048
"""Lines and words whose bits are remembered."""
LONGEST_KEPT: Final = 512
"""Of a line that is remembered."""
SIGNS: Final = frozenset("\u2212\u2013\u2014\u2018\u2019\u201c\u201d\u2022\u2192\u2190\u20ac\u00a3\u00b0\u00b7\ufffd")
"""Not ASCII, and taken for an ASCII letter by nobody."""

_TAKEN_OUT: Final = bytes(code for code in range(256) if code >= 128 or chr(code) in '0123456789.-+"{}[]')
_ASCII: Final = bytes(range(128))
_FORM: Final = bytes(
    ord(chr(code).lower()) if code < 128 and (chr(code).isalpha() or chr(code) in "_\n") else 32 for code in range(256)
)
_ESCAPED: Final = b"\\u"
_SMALL_IN_ASCII: Final = frozenset("\u0130\u212a")


def form_of(text: bytes) -> bytes:
    """The one form; its lines stay lines."""
    return text.translate(_FORM, _TAKEN_OUT)


def bits_of(word: bytes) -> int:
    """The bits of a word in that form, as one number."""
    bits = 0
    for size in (3, 4):
        for at in range(len(word) - size + 1):
            bits |= 1 << (zlib.crc32(word[at : at + size]) % _BITS + _RESERVED)
    return bits


class Words:
    """Makes rows; what repeats from line to line and from stretch to stretch is worked out once."""

    def __init__(self) -> None:
        self._lines: dict[bytes, int] = {}
        self._words: dict[bytes, int] = {}

    def row(self, data: bytes) -> bytes:
        """The row of a stretch.

        Args:
            data: its records, one a line.
        """
        bits = 0
        if not data.isascii():
            bits |= _odd(data.translate(None, _ASCII).decode("utf-8", "replace"))
        texts = [form_of(data)]
        if b"\\" in data and _ESCAPED in data:
            for line in data.split(b"\n"):
                if _ESCAPED in line:
                    written = as_written(line)
                    bits |= _odd(written)
                    texts.append(form_of(written.encode("utf-8", "surrogatepass")))
        fresh: list[bytes] = []
        lines = self._lines
        for text in texts:
            for line in set(text.split(b"\n")):
                known = lines.get(line)
                if known is None:
                    fresh.append(line)
                else:
                    bits |= known
        added = self._fresh(fresh)
        return FULL if added is None else (bits | added).to_bytes(ROW_BYTES, "little")

    def _fresh(self, lines: list[bytes]) -> int | None:
        """The bits of lines that were not met before; None where there are too many words in them."""
        bits = letters = 0
        words = self._words
        if len(self._lines) + len(lines) > MOST_KEPT:
            self._lines.clear()
        keep = len(lines) <= MOST_KEPT // 4  # else no two are alike, and none is worth to be remembered
        for line in lines if keep else [b" ".join(lines)]:
            of_line = 0
            for word in set(line.split()):
                known = words.get(word)
                if known is None:
                    letters += len(word)
                    if letters > MOST_LETTERS:
                        return None
                    if len(words) >= MOST_KEPT:
                        words.clear()
                    known = words[word] = bits_of(word)
                of_line |= known
            bits |= of_line
            if keep and len(line) <= LONGEST_KEPT:
                self._lines[line] = of_line
        return bits


def _odd(text: str) -> int:
    chars = {char for char in set(text) if char > "\x7f"} - SIGNS
    if not chars:
        return 0
    return 1 << ODD_PATTERN | (1 << ODD_WORD if chars & _SMALL_IN_ASCII else 0)


class Needs:
    """What a row has to have set for a stretch to be read.

    Args:
        words: that a line has to hold.
        patterns: that have to match one.
    """

    def __init__(self, words: Iterable[str], patterns: Iterable[str]) -> None:
        parts = {part for word in words for part in form_of(word.encode("utf-8", "replace")).split()}
        self._sets = [(places, ODD_WORD) for part in parts if (places := _places(part))]
        literals = {part for pattern in patterns for part in literals_of(pattern)}
        self._sets += [(places, ODD_PATTERN) for part in literals if (places := _places(part))]

    def __bool__(self) -> bool:
        """Whether any row could be passed over."""
        return bool(self._sets)

    def met(self, row: bytes | memoryview) -> bool:
        """Whether the stretch of a row could hold all of it."""
        first = row[0]
        return all(first >> odd & 1 or all(row[at] & mask for at, mask in places) for places, odd in self._sets)


def _places(part: bytes) -> list[tuple[int, int]]:
    bits = bits_of(part)
    return [(at >> 3, 1 << (at & 7)) for at in range(bits.bit_length()) if bits >> at & 1]


def literals_of(pattern: str) -> list[bytes]:
    """Runs of ASCII letters that every text has which a pattern matches, in small letters; single letters
    are left out.

    A run ends at every other character: what a pattern takes for the same (accents, parted thousands, numbers written
    in another way) are never letters, then.
    """
    try:
        tree = parser.parse(pattern)
    except (PatternError, OverflowError, RecursionError):
        return []
    runs: list[bytearray] = [bytearray()]
    try:
        _walk(tree, runs)
    except RecursionError:
        return []
    return [bytes(run) for run in runs if len(run) >= 2 and bytes(run) not in _INSTEAD]


_INSTEAD: Final = (b"nu", b"ul", b"ll", b"nul", b"ull", b"null", b"na", b"an", b"nan")
"""What stands in a record's text for a number that is none, whatever was written."""


def _walk(tree: Any, runs: list[bytearray]) -> None:
    for code, value in tree:
        if code is codes.LITERAL and value < 128 and chr(value).isalpha():
            runs[-1].append(ord(chr(value).lower()))
            continue
        if code is codes.SUBPATTERN:
            _walk(value[-1], runs)
            continue
        runs.append(bytearray())
        if code in _REPEATS and value[0] >= 1:
            _walk(value[2], runs)
            runs.append(bytearray())


_REPEATS: Final[tuple[Any, ...]] = tuple(
    getattr(codes, name) for name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT") if hasattr(codes, name)
)
