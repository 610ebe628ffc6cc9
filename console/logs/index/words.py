"""Which words a stretch of a log may hold: a row of bits a stretch, so that a search leaves most of them unread.

A text is brought into one form: small ASCII letters and `_`, every other character a gap, but for digits, the signs of
numbers, quotes, braces and what is not ASCII, which are taken out: what holds a word before holds it after. Every four
letters that follow one another set a bit of the row. A word whose bits are not all set is in no line of the stretch;
the contrary proves nothing. Numbers set no bits: a log has so many that a row would be full of them.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from re import error as PatternError  # noqa: N812 - its own name says nothing here
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
GRAM: Final = 4
"""Letters that set a bit."""
MOST_LETTERS: Final = 8192
"""Of new words in one stretch; with more its row would be full, and take long."""
MOST_KEPT: Final = 2048
"""Lines whose bits are remembered."""
MOST_WORDS: Final = 16_384
"""Words whose bits are."""
LONGEST_WORD: Final = 32
"""Letters of a word that is remembered."""
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
_CODE: Final = re.compile(rb"\\u([0-9a-fA-F]{4})")
_SMALL_IN_ASCII: Final = frozenset("\u0130\u212a")


def form_of(text: bytes) -> bytes:
    """The one form; its lines stay lines."""
    return text.translate(_FORM, _TAKEN_OUT)


def places_of(word: bytes) -> tuple[int, ...]:
    """The bits of a word in that form."""
    return tuple([zlib.crc32(word[at : at + GRAM]) % _BITS + _RESERVED for at in range(len(word) - GRAM + 1)])


class Words:
    """Makes rows; what repeats from line to line and from stretch to stretch is worked out once."""

    def __init__(self) -> None:
        self._lines: dict[bytes, int] = {}
        self._seen: set[int] = set()
        """Lines that were met once, by their hashes."""
        self._words: dict[bytes, tuple[int, ...]] = {}

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
            escaped = [line for line in data.split(b"\n") if _ESCAPED in line]
            chars, written = _as_written(escaped)
            bits |= _odd(chars)
            texts += map(form_of, written)
        fresh: list[bytes] = []
        lines = self._lines
        for text in texts:
            for line in set(text.split(b"\n")):
                known = lines.get(line)
                if known is None:
                    fresh.append(line)
                else:
                    bits |= known
        again = [line for line in fresh if hash(line) in self._seen]
        if again:
            self._keep(again)
            for line in again:
                bits |= lines.get(line, 0)
            fresh = [line for line in fresh if line not in lines]
        if not fresh:
            return bits.to_bytes(ROW_BYTES, "little")
        if len(self._seen) + len(fresh) > MOST_KEPT:
            self._seen.clear()
        self._seen.update(map(hash, fresh))
        added = self._bits(set(b" ".join(fresh).split()))
        return FULL if added is None else (bits | added).to_bytes(ROW_BYTES, "little")

    def _keep(self, again: list[bytes]) -> None:
        """Remember lines that are met again; one that is never met a second time is not worth it."""
        if len(self._lines) + len(again) > MOST_KEPT:
            self._lines.clear()
        for line in again:
            bits = self._bits(set(line.split())) if len(line) <= LONGEST_KEPT else None
            if bits is not None:
                self._lines[line] = bits

    def _bits(self, words: set[bytes]) -> int | None:
        """The bits of words; None where too many of them were not met before."""
        known = self._words
        flags = bytearray(b"0" * (ROW_BYTES * 8))
        letters = 0
        for word in words:
            places = known.get(word)
            if places is None:
                letters += len(word)
                if letters > MOST_LETTERS:
                    return None
                places = places_of(word)
                if len(word) <= LONGEST_WORD:
                    if len(known) >= MOST_WORDS:
                        known.clear()
                    known[word] = places
            for place in places:
                flags[place] = 49
        flags.reverse()
        return int(flags, 2)


def _as_written(lines: list[bytes]) -> tuple[str, list[bytes]]:
    """Lines with every character as itself: what of them is not ASCII, and the rest, where any of it may differ."""
    whole = b"\n".join(lines)
    chars = "".join(chr(int(code, 16)) for code in set(_CODE.findall(whole)))
    if not any(char < "\x80" for char in chars) and b"\\\\u" not in whole:
        return chars, [_CODE.sub(b"", whole)]
    written = [as_written(line) for line in lines]
    return "".join(written), [text.encode("utf-8", "surrogatepass") for text in written]


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
    return [(at >> 3, 1 << (at & 7)) for at in places_of(part)]


def literals_of(pattern: str) -> list[bytes]:
    """Runs of ASCII letters that every text has which a pattern matches, in small letters; single letters
    are left out.

    A run ends at every other character: what a pattern takes for the same (accents, parted thousands, numbers written
    in another way) are never letters, then.
    """
    if not pattern.isascii():  # what becomes of an accent before a repeat is for those who compile it
        return []
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
