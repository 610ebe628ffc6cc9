"""Untrusted text made safe to draw: the one place where words from outside become words on a screen.

Agents, logs, stores and venues are hostile by assumption: their text can hold escape sequences, bidirectional
overrides, zero-width characters, floods of combining marks, or a megabyte without a line break. `clean` returns one
printable line of bounded length. Markup is not escaped here, since safe text is never parsed as markup: widgets draw it
as plain segments (`widgets/`, tested on the bytes that reach a terminal).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NewType

from console.domain.secrets import without_passwords, without_secrets

Safe = NewType("Safe", str)
"""Text that went through `clean`: one line, printable, bounded."""

ELLIPSIS: Final = "…"
REPLACEMENT: Final = "�"
DEFAULT_LIMIT: Final = 256
MAX_COMBINING: Final = 2
"""Combining marks kept after one base character; real scripts need two, a flood is an attack on the layout."""

_MAX_SCANNED: Final = 4
"""How many times the limit is read before cutting: characters that vanish may stand before visible ones."""

_VISIBLE_CONTROLS = {code: chr(0x2400 + code) for code in range(0x20)} | {
    0x09: " ",
    0x0A: "␤",
    0x7F: "␡",
    0x2028: "␤",
    0x2029: "␤",
}
_UNSAFE_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mc"})
"""Marks that take a cell of their own (Mc) are in it: half of the terminals give them one, the others none."""

_UNEVEN: Final = re.compile(
    "[\u115f-\u11ff\ud7b0-\ud7ff\u3164\uffa0\u2800"  # fillers, and parts of syllables without their first one
    "\u2630-\u2637\u268a-\u268f\u3248-\u324f\u4dc0-\u4dff\U0001d300-\U0001d376"  # one cell or two, by version
    "\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff"  # two cells alone, none or one beside others
    "\ufe00-\ufe0f\U000e0100-\U000e01ef\u180b-\u180d\u180f]"  # whether the one before takes one cell or two
)
"""What shows nothing, or is wider in one terminal than in another, so that no column stands where it is counted to."""

_SYLLABLE_PARTS: Final = re.compile("[\u1160-\u11ff]")
_JOINER: Final = 0x200D
_SIGN_CATEGORIES: Final = frozenset({"So", "Sk", "Sm"})
_ASCII_PRINTABLE = re.compile(r"[ -~]*\Z")


def clean(value: object, limit: int = DEFAULT_LIMIT) -> Safe:
    """One safe line of at most `limit` characters, drawn from any value.

    Args:
        value: text, bytes (read as UTF-8, what is not is replaced), or anything else (`str()` of it).
        limit: the most characters returned, at least 1; text that was cut ends in `…`.
    """
    scanned = limit * _MAX_SCANNED
    if isinstance(value, str):
        text = value[: scanned + 1]
    elif isinstance(value, bytes | bytearray | memoryview):
        text = bytes(value[: scanned * 4 + 4]).decode("utf-8", "replace")[: scanned + 1]
    else:
        text = str(value)[: scanned + 1]
    if not _ASCII_PRINTABLE.match(text):
        text = _replace_unsafe(text)
    if len(text) > limit:
        text = text[: limit - 1] + ELLIPSIS
    return Safe(text)


def _replace_unsafe(text: str) -> str:
    if _SYLLABLE_PARTS.search(text):
        text = unicodedata.normalize("NFC", text)
    out: list[str] = []
    combining = 0
    base = ""  # the category of the last character that takes a cell
    last = len(text) - 1
    for index, char in enumerate(text):
        code = ord(char)
        category = unicodedata.category(char)
        shown: str | None = _VISIBLE_CONTROLS.get(code)
        if shown is None and category == "Zs":
            shown = " "
        elif shown is None and (category in _UNSAFE_CATEGORIES or _UNEVEN.match(char)):
            after = text[index + 1] if index < last else " "
            keycap = code == 0xFE0F and after == "\u20e3"
            joins = code == _JOINER and unicodedata.category(after) in _SIGN_CATEGORIES
            shown = "" if keycap and base else _of_uneven(char, base, joins=joins)
        elif shown is None and category in ("Mn", "Me"):
            combining += 1
            if combining <= MAX_COMBINING and base:
                out.append(char)
            continue
        if shown == "":
            continue
        out.append(char if shown is None else shown)
        combining, base = 0, category if shown is None else "Zs"
    return "".join(out)


def _of_uneven(char: str, base: str, *, joins: bool) -> str:
    """What is shown of a character whose width is uncertain, or that shows nothing: "" where the sign before it says
    the same without it (how an emoji is drawn, its skin tone, that it is one with the next), letters for the letters of
    a flag, else `�`: two names that differ are never shown alike."""
    code = ord(char)
    if 0x1F1E6 <= code <= 0x1F1FF:
        return chr(code - 0x1F1E6 + ord("A"))
    if base in _SIGN_CATEGORIES and (joins or code in (0xFE0E, 0xFE0F) or 0x1F3FB <= code <= 0x1F3FF):
        return ""
    return REPLACEMENT


def is_clean(text: str) -> bool:
    """Whether every character of `text` could have come out of `clean`."""
    return not any(unicodedata.category(char) in _UNSAFE_CATEGORIES or _UNEVEN.match(char) for char in text)


def redact_url(url: str, limit: int = DEFAULT_LIMIT) -> Safe:
    """The URL as it may be shown: a password, in the user part or in the query, becomes `***`; so does one that holds a
    raw `#`, `/` or `?`, which ends the user part for every reader of URLs."""
    return clean(without_passwords(url), limit)


def redact(text: object, limit: int = DEFAULT_LIMIT) -> Safe:
    """One safe line without what looks like a secret: passwords in URLs, values of names such as `api_key`, `signature`
    or `token` (in a query, a header, JSON or prose), bearer tokens, and keys that are told by their shape.

    For words that leave their origin: reasons and exceptions on the way to an alert, a webhook or the audit. Redacted
    before it is cut, so that no half of a secret stays. A name that is no secret may lose its value; never the reverse.
    """
    return clean(without_secrets(str(clean(text, max(limit, MAX_REDACTED)))), limit)


MAX_REDACTED: Final = 8192
"""Of a text that are searched for secrets; what is beyond is cut off."""
