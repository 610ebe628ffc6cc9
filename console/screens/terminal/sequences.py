"""Escape sequences, put together before anybody takes their pieces for keys.

A slow link hands over `ESC [ H` in pieces, and whoever gives up waiting after a tenth of a second sees the keys `esc`,
`[` and `H`. Here what begins as a sequence is a sequence, however late its end comes; one that never ends, is damaged
or longer than any terminal sends commands nothing.
"""

from __future__ import annotations

import re
from typing import Final

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._parser import ParseTimeout
from textual._xterm_parser import XTermParser
from textual.events import Key
from textual.message import Message

ESC: Final = "\x1b"
ALONE_S: Final = 0.1
"""An escape after which so long nothing came is the key."""
LATE_S: Final = 1.0
"""So long the rest of a sequence may be on its way."""
MOST: Final = 32
"""More characters no sequence has that stands for a key, the mouse or an answer."""

_PASTE: Final = f"{ESC}[200~"
_PASTED: Final = f"{ESC}[201~"
_NUMBERS: Final = re.compile(r"\d+")
_ALT_TEXT: Final = re.compile(r"(\x1b\[[\d:]*;)(\d+)(?::\d+)?;[\d:]+u")
_MOST_NUMBER: Final = 0xFFFF
_MOST_CELLS: Final = 500_000
_STRINGS: Final = "PX]^_"
"""What begins a string that ends with BEL or ESC \\: none of them is a key."""


class Sequences:
    """Takes text as it is read, and hands on keys and whole sequences."""

    def __init__(self) -> None:
        self._begun = ""
        self._at = 0.0
        self._escaped_at = float("-inf")
        self._told = False
        self._pasted: list[str] | None = None
        """What has been pasted so far; None while nobody pastes."""
        self._string = False

    def feed(self, text: str, now: float) -> list[str]:
        """What is whole by now: pieces to be read one after the other.

        Args:
            text: as it came.
            now: seconds, steady.
        """
        pieces = self.tick(now)
        for character in text:
            piece = self._take(character, now)
            if piece:
                pieces.append(piece)
        if text:
            self._at = now
        return pieces

    def tick(self, now: float) -> list[str]:
        """What is a key since nothing followed, and the end of a paste that was cut off."""
        waited = now - self._at
        if self._pasted is not None and waited > LATE_S:
            return [self._end_paste(self._pasted)]
        if self._string or len(self._begun) > 1:
            if waited > LATE_S:
                self._begun, self._string = "", False
        elif self._begun and waited > ALONE_S:
            self._begun, self._escaped_at = "", now
            return [ESC]
        return []

    def _take(self, character: str, now: float) -> str:
        if self._pasted is not None:
            return self._take_pasted(character, self._pasted)
        if self._string:
            return self._take_string(character)
        if not self._begun:
            if character == ESC:
                self._begun = ESC
                return ""
            late = now - self._escaped_at < LATE_S
            self._escaped_at = float("-inf")
            if late and character in "[O":
                self._begun, self._told = (
                    ESC + character,
                    True,
                )  # the escape was taken for a key: what follows is no key
                return ""
            return _key(character)
        if character == ESC:
            alone, self._begun, self._told = self._begun == ESC, ESC, False
            return ESC if alone else ""
        self._begun += character
        kind = self._begun[1]
        if kind in _STRINGS:
            self._string, self._begun = True, ESC
            return ""
        ends = len(self._begun) > 2 and "@" <= character <= "~" if kind in "[O" else True
        if kind == "[" and self._begun[2:3] == "M":
            ends = len(self._begun) == 6  # the old report of the mouse: three characters follow
        if kind == "[" and self._begun[2:3] == "[":
            ends = len(self._begun) == 4  # the function keys of a Linux console: `ESC [ [ A`
        if not ends:
            return ""
        whole, told = self._begun, self._told
        self._begun, self._told = "", False
        return "" if told else self._whole(whole)

    def _take_pasted(self, character: str, pasted: list[str]) -> str:
        pasted.append(character)
        if character == "~" and "".join(pasted[-len(_PASTED) :]) == _PASTED:
            return self._end_paste(pasted[: -len(_PASTED)])
        return ""

    def _end_paste(self, pasted: list[str]) -> str:
        self._pasted = None
        return f"{_PASTE}{''.join(pasted).replace(ESC, '')}{_PASTED}"

    def _take_string(self, character: str) -> str:
        if character == "\x07" or (character == "\\" and self._begun == ESC + ESC):
            self._string, self._begun = False, ""
        else:
            self._begun = ESC + ESC if character == ESC else ESC
        return ""

    def _whole(self, sequence: str) -> str:
        if sequence == _PASTE:
            self._pasted = []
            return ""
        if len(sequence) > MOST:
            return ""
        numbers = [int(number) for number in _NUMBERS.findall(sequence)]
        if any(number > _MOST_NUMBER or 0xD800 <= number <= 0xDFFF for number in numbers):
            return ""
        if sequence.endswith("t") and not (len(numbers) > 2 and 0 < numbers[1] * numbers[2] <= _MOST_CELLS):
            return ""
        with_text = _ALT_TEXT.fullmatch(sequence)
        if with_text is not None and (int(with_text[2]) - 1) & 2:
            return f"{with_text[1]}{with_text[2]}u"  # alt with a letter is not that letter
        return sequence


class KeyParser(XTermParser):
    """Textual's parser, given one key or one whole sequence at a time: what it does not know stands for nothing, where
    Textual would take its characters for keys."""

    def messages(self, piece: str) -> list[Message]:
        """What a piece stands for.

        Args:
            piece: of `Sequences`.
        """
        if piece == ESC:
            return [Key("escape", ESC)]
        if len(piece) == 2 and piece[0] == ESC and piece not in ANSI_SEQUENCES_KEYS:
            return [Key(f"alt+{'shift+' if piece[1].isupper() else ''}{piece[1].lower()}", None)]
        messages = list(self.feed(piece))
        if self._awaiting.timeout is not None:
            self._awaiting = self._gen.throw(ParseTimeout())
            self._tokens.clear()
            self._timeout_time = None
        return messages


def _key(character: str) -> str:
    """The character, unless it is a control character of eight bits or half of a surrogate pair: no key sends these."""
    return "" if "\x80" <= character <= "\x9f" or "\ud800" <= character <= "\udfff" else character
