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
