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


HIDDEN: Final = "***"
"""What stands in place of a secret."""

_USERINFO = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]{1,20}://)(?P<userinfo>[^\s\"'<>]*)@", re.IGNORECASE)
_NAMES: Final = (
    r"[\w.-]{0,32}(?:pass(?:word|wd|phrase|code)|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|signing[_-]?key"
    r"|routing[_-]?key|signature|authorization|cookie|access[_-]sign|session[_-]?id|jwt)s?"
)
_SHORT_NAMES: Final = r"(?:[\w.]{0,32}[-_.])?(?:sig|sign|key|otp|auth|credentials?)"
_VALUE: Final = r"""(?:"(?:[^"\\]|\\.){0,4096}"?|'(?:[^'\\]|\\.){0,4096}'?|[^\s&"',;<>)}\]]{1,4096})"""
_IN_QUERY = re.compile(rf"(?P<before>[?&](?:{_NAMES}|{_SHORT_NAMES})=)[^&\s\"'<>]*", re.IGNORECASE)
_ASSIGNED = re.compile(
    rf"""(?P<before>(?<![\w-])(?:["']?(?:{_NAMES})["']?[ \t]{{0,3}}(?:=>|[=:])[ \t]{{0,3}}|{_SHORT_NAMES}=)"""
    rf"""(?:b(?=["']))?)(?!//|\*\*\*)(?:(?:Bearer|Basic|Token|Digest)[ \t]+)?{_VALUE}""",
    re.IGNORECASE,
)
_PHRASE = re.compile(r"(?P<before>(?:mnemonic|seed[ _-]?phrase)s?[\"']?[ \t]{0,3}[=:])[^;]+", re.IGNORECASE)
_SCHEME = re.compile(r"(?P<before>\b(?:Bearer|Basic)[ \t]+)(?=[\w.~+/=-]*[\d_.~+/=-])[\w.~+/=-]{8,}", re.IGNORECASE)
_SHAPES = re.compile(
    r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"  # JSON web tokens
    r"|\b(?:sk|pk|rk)[-_](?:[a-z]{2,12}[-_]){0,3}\w{16,}[\w-]*"  # model providers, payment providers
    r"|\bgh[pousr]_\w{16,}|\bgithub_pat_\w{16,}|\bglpat-[\w-]{16,}"
    r"|\bxox[abeoprs]-[\w-]{10,}|\bA(?:KIA|SIA)[0-9A-Z]{16}\b|\bAIza[\w-]{30,}"
    r"|https://hooks\.slack\.com/[\w/-]{8,}"
    r"|-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----.*"
)


def redact_url(url: str, limit: int = DEFAULT_LIMIT) -> Safe:
    """The URL as it may be shown: a password, in the user part or in the query, becomes `***`; so does one that holds a
    raw `#`, `/` or `?`, which ends the user part for every reader of URLs."""
    return clean(_USERINFO.sub(_without_password, _IN_QUERY.sub(rf"\g<before>{HIDDEN}", url)), limit)


def redact(text: object, limit: int = DEFAULT_LIMIT) -> Safe:
    """One safe line without what looks like a secret: passwords in URLs, values of names such as `api_key`, `signature`
    or `token` (in a query, a header, JSON or prose), bearer tokens, and keys that are told by their shape.

    For words that leave their origin: reasons and exceptions on the way to an alert, a webhook or the audit. Redacted
    before it is cut, so that no half of a secret stays. A name that is no secret may lose its value; never the reverse.
    """
    return clean(without_secrets(str(clean(text, max(limit, MAX_REDACTED)))), limit)


def without_secrets(text: str) -> str:
    """The text with what looks like a secret replaced by `***`, and nothing else changed; see `redact`."""
    line = _USERINFO.sub(_without_password, _IN_QUERY.sub(rf"\g<before>{HIDDEN}", text))
    line = _PHRASE.sub(rf"\g<before> {HIDDEN}", line)
    line = _ASSIGNED.sub(rf"\g<before>{HIDDEN}", line)
    return _SHAPES.sub(HIDDEN, _SCHEME.sub(rf"\g<before>{HIDDEN}", line))


MAX_REDACTED: Final = 8192
"""Of a text that are searched for secrets; what is beyond is cut off."""


def _without_password(match: re.Match[str]) -> str:
    user, colon, _password = match["userinfo"].partition(":")
    if any(char in user for char in "/?#"):
        return match[0] if not colon else f"{match['scheme']}{HIDDEN}@"
    return f"{match['scheme']}{user}{f':{HIDDEN}' if colon else ''}@"
