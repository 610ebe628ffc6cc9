"""What looks like a secret in a text: passwords in URLs, values of telling names, tokens, keys that are told by their
shape.

A name that is no secret may lose its value; never the reverse. The time that a text takes grows with its length,
whatever stands in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import Final

HIDDEN: Final = "***"
"""What stands in place of a secret."""


class _Late:
    """A pattern that is compiled when it is first needed: most texts need none, and a start would pay for all.

    Args:
        source: the pattern.
        flags: as for `re.compile`.
    """

    def __init__(self, source: str, flags: re.RegexFlag = re.NOFLAG) -> None:
        self._source, self._flags = source, flags

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The pattern."""
        return re.compile(self._source, self._flags)

    def sub(self, instead: str | Callable[[re.Match[str]], str], text: str) -> str:
        """The text with what is found replaced."""
        return self.compiled.sub(instead, text)


_USERINFO = _Late(r"(?P<scheme>://)(?P<userinfo>[^\s\"'<>]{0,512})@")
_KEYS: Final = (
    *("api", "access", "private", "signing", "routing", "encrypt", "encryption", "consumer", "listen", "master"),
    *("session", "security", "shared", "client", "auth"),
)
_NAMES: Final = (
    r"(?:pass(?:word|wd|phrase|code)|pwd|secret(?:[ _-]?(?:access[ _-]?)?key)?|token|signature|authorization|cookie"
    r"|session[_-]?id|jwt|hmac|-sign|_sign|" + "|".join(f"{whose}[ _-]?key" for whose in _KEYS) + r")s?"
)
_SHORT: Final = r"(?:sig|sign|key|otp|auth|credentials?|pass|pw)"
_SHORT_NAMES: Final = rf"(?<![a-z0-9]){_SHORT}"
_QUOTE: Final = r"(?:\\{0,3}[\"']|%22)?"
_IS: Final = rf"{_QUOTE}[ \t]{{0,3}}(?:=>|[=:]|%3[AD])[ \t]{{0,3}}"
_VALUE: Final = (
    r"""(?:\\{1,3}["'][^"'\\]{0,4096}|%22[^%\s]{0,4096}|"(?:[^"\\]|\\.){0,4096}"?|'(?:[^'\\]|\\.){0,4096}'?"""
    r"""|[^\s&"',;<>)}\]]{1,4096})"""
)
_IN_QUERY = _Late(rf"(?P<before>[?&][\w.-]{{0,40}}?(?:{_NAMES}|{_SHORT_NAMES})=)(?!\*\*\*)[^&\s\"'<>]*", re.IGNORECASE)
_ASSIGNED = _Late(
    rf"""(?P<before>(?:{_NAMES}{_IS}|{_SHORT_NAMES}=)(?:b(?=["']))?)(?!//|b?\*\*\*)"""
    rf"""(?P<value>(?:(?:Bearer|Basic|Token|Digest)[ \t]+)?{_VALUE})""",
    re.IGNORECASE,
)
_NEAR: Final = (_Late(rf"{_NAMES}{_IS}".replace("%3[AD]", "%3[ad]")), _Late(rf"{_SHORT}="))
"""In small letters: without any of them nothing is assigned. They are found many times as fast."""
_TICKER = _Late(r"[\"'\\]*[A-Z]{2,6}[\"'\\]*\Z")
"""A token that is traded is no token that opens anything."""
_PHRASE = _Late(r"(?P<before>(?:mnemonic|seed[ _-]?phrase)s?[\"']?[ \t]{0,3}[=:])[^;]+", re.IGNORECASE)
_COOKIES = _Late(r"(?P<before>\bcookies?[\"']?[ \t]{0,3}[=:][ \t]{0,3})[^\"'\s][^\"'\n]{0,4095}", re.IGNORECASE)
_SCHEME = _Late(
    r"(?P<before>\b(?:Bearer|Basic|Api-?Key|password|passphrase)[ \t]+)(?=[\w.~+/=-]{0,4096}[\d_.~+/=-])[\w.~+/=-]{8,}",
    re.IGNORECASE,
)
_FLAG = _Late(r"(?P<before>--[\w-]{0,32}(?:password|passphrase|token|secret|key)[ \t]+)(?!-)\S{1,4096}", re.IGNORECASE)
_SHAPES = _Late(
    r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"  # JSON web tokens
    r"|\b(?:sk|pk|rk)[-_](?:[a-z0-9]{2,12}[-_]){0,3}\w{16,}[\w-]*"  # model providers, payment providers
    r"|\bgh[pousr]_\w{16,}|\bgithub_pat_\w{16,}|\bglpat-[\w-]{16,}|\bhf_\w{16,}|\bnpm_\w{16,}"
    r"|\bSG\.[\w-]{16,}\.[\w-]{16,}"
    r"|\bxox[abeoprs]-[\w-]{10,}|\bA(?:KIA|SIA)[0-9A-Z]{16}\b|\bAIza[\w-]{30,}|\bxprv[0-9A-Za-z]{50,}"
    r"|(?<!\d)\d{6,12}:AA[\w-]{30,}"  # bots of Telegram
    r"|https://hooks\.slack\.com/[\w/-]{8,}|(?<=/)webhook(?:s|b2)?/[\w@.-]{4,}(?:/[\w@.-]{4,})*"  # who knows them posts
    r"|-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]{0,20}PRIVATE KEY-----|\Z)"
)
_SECRET_MEMBER = _Late(
    r"(?:.*[^a-z])?"
    r"(?:pass(?:word|wd|phrase|code)|pwd|mnemonic|seed[ _-]?phrase|authorization|cookie|jwt|api[ _-]?sign)s?"
    r"|.*(?:secret|(?:secret|api|access|private|signing|routing|encryption)[ _-]?key"
    r"|(?:access|auth|refresh|bearer|session|security|api|id|bot)[ _-]?token)s?",
    re.IGNORECASE | re.DOTALL,
)


def without_secrets(text: str) -> str:
    """The text with what looks like a secret replaced by `***`, and nothing else changed."""
    low = text.lower()
    for marks, pattern, instead in _STEPS:
        for mark in marks:  # most texts hold none: that costs next to nothing
            if mark in low:
                if pattern is not _ASSIGNED or any(near.compiled.search(low) for near in _NEAR):
                    text = pattern.sub(instead, text)
                break
    return text


def without_passwords(url: str) -> str:
    """A URL, or a text with URLs, without the passwords in their user parts and queries."""
    return _USERINFO.sub(_without_password, _IN_QUERY.sub(_without_value, url))


def is_secret_name(name: str) -> bool:
    """Whether a member of this name holds a secret, whatever its value is. Less is taken for one than in a text: a
    `token` may be what is traded, and a `signature` the id of a transaction."""
    return len(name) <= 64 and _SECRET_MEMBER.compiled.fullmatch(name) is not None


def _without_value(match: re.Match[str]) -> str:
    value = match.groupdict().get("value") or match[0][len(match["before"]) :]
    if _TICKER.compiled.match(value) and re.search(r"token[\s\"'\\%A-F0-9]*[=:>]", match["before"], re.IGNORECASE):
        return match[0]
    return f"{match['before']}{HIDDEN}"


def _without_password(match: re.Match[str]) -> str:
    user, colon, _password = match["userinfo"].partition(":")
    if any(char in user for char in "/?#"):
        return match[0] if not colon else f"{match['scheme']}{HIDDEN}@"
    if not colon and len(user) >= 16 and any(char.isdigit() for char in user):  # a key stands there alone
        return f"{match['scheme']}{HIDDEN}@"
    return f"{match['scheme']}{user}{f':{HIDDEN}' if colon else ''}@"


_HIDDEN_AFTER: Final = rf"\g<before>{HIDDEN}"
_NAMING: Final = ("pass", "pwd", "pw=", "secret", "token", "key", "sig", "auth", "cookie", "session", "jwt", "hmac")
_SHAPED: Final = (
    *("eyj", "sk-", "sk_", "pk-", "pk_", "rk-", "rk_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-"),
    *("hf_", "npm_", "sg.", "xox", "akia", "asia", "aiza", "xprv", ":aa", "hooks.slack", "/webhook", "-----begin"),
)
_STEPS: Final[tuple[tuple[tuple[str, ...], _Late, str | Callable[[re.Match[str]], str]], ...]] = (
    (("?", "&"), _IN_QUERY, _without_value),
    (("://",), _USERINFO, _without_password),
    (("mnemonic", "phrase"), _PHRASE, rf"\g<before> {HIDDEN}"),
    (("cookie",), _COOKIES, _HIDDEN_AFTER),
    ((*_NAMING, "otp=", "credential"), _ASSIGNED, _without_value),
    (("--",), _FLAG, _HIDDEN_AFTER),
    (("bearer", "basic", "api-key", "apikey", "password", "passphrase"), _SCHEME, _HIDDEN_AFTER),
    (_SHAPED, _SHAPES, HIDDEN),
)
"""In their order: marks in small letters, without any of which a text has nothing that the pattern finds."""
