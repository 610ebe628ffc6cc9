"""Text as it is looked for: what people type on any keyboard and what is drawn are brought to one form.

A minus sign is a hyphen, a letter of any width is the same letter, accents and what shows nothing are left out. Where a
console draws ASCII signs, they are what is looked for.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from widgets.text.glyphs import is_ascii, to_ascii_signs

_ONE_FORM: Final = str.maketrans(
    {
        **dict.fromkeys("−‐‑‒–—―﹣－", "-"),
        **dict.fromkeys("“”„‟″", '"'),
        **dict.fromkeys("‘’‚‛′", "'"),
        **{chr(0x1F1E6 + index): chr(ord("A") + index) for index in range(26)},
        **dict.fromkeys(
            (0xAD, *range(0x200B, 0x2010), 0x2060, 0xFEFF, *range(0xFE00, 0xFE10), *range(0x1F3FB, 0x1F400)), None
        ),
    }
)
_ACCENTS: Final = re.compile("[\u0300-\u036f]+")
_SEPARATOR: Final = re.compile(r"(?<=[0-9])[,'_](?=[0-9]{3}(?![0-9]))")


def folded(text: str, *, either_case: bool = False) -> str:
    """The text in the form in which it is compared.

    Args:
        text: what was typed, or what is drawn.
        either_case: whether capital letters are as small ones.
    """
    if is_ascii():
        text = to_ascii_signs(text)
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.translate(_ONE_FORM)).translate(_ONE_FORM)
        text = unicodedata.normalize("NFC", _ACCENTS.sub("", text))
    return text.casefold() if either_case else text


def folded_pattern(pattern: str) -> str:
    """A regular expression in that form: its letters are folded one by one, and none becomes a sign of its own."""
    return "".join(char if char.isascii() else re.escape(folded(char)) for char in pattern)


def without_separators(text: str) -> str:
    """The text with its thousands not parted: `1,204.50` is `1204.50`."""
    return _SEPARATOR.sub("", text) if any(sign in text for sign in ",'_") else text
