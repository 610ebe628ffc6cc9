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
_UNSAFE_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
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
    out: list[str] = []
    combining = 0
    for char in text:
        code = ord(char)
        visible = _VISIBLE_CONTROLS.get(code)
        if visible is not None:
            out.append(visible)
            combining = 0
            continue
        category = unicodedata.category(char)
        if category in _UNSAFE_CATEGORIES:
            out.append(REPLACEMENT)
            combining = 0
        elif category in ("Mn", "Me") or 0x1F3FB <= code <= 0x1F3FF:
            combining += 1
            if combining <= MAX_COMBINING and out:
                out.append(char)
        else:
            out.append(char)
            combining = 0
    return "".join(out)


def is_clean(text: str) -> bool:
    """Whether every character of `text` could have come out of `clean`."""
    return all(unicodedata.category(char) not in _UNSAFE_CATEGORIES for char in text)


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
