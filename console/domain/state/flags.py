"""Feature flags: their types, their registry, and why a value is refused.

A flag is text in the store (`flag:{name}`): `True` or `False`, a number, or else a string. Agents read it each cycle,
and a missing one means the default in their code, so a typo or a value of another type is a silent default. The
registry says what a name means; a wrong type is refused when written and reported when read, and a name is never reused
with another type.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from enum import StrEnum
from typing import Final, NamedTuple

from console.domain.errors import Refused, UsageError
from console.domain.text import Safe, clean

UNREADABLE: Final = "key that can't be read"
"""What stands for the type of a flag that the server would not let us read."""


class FlagType(StrEnum):
    """What a flag's text means."""

    BOOL = "bool"
    NUMBER = "number"
    STRING = "string"


MAX_NAME: Final = 128
MAX_VALUE: Final = 4096
UNDECODABLE: Final = "\ufffd"
"""What a reader puts in place of bytes that are not UTF-8."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:/-]*\Z")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?\Z")

FlagValue = bool | Decimal | str


class FlagSpec(NamedTuple):
    """A registered flag.

    Args:
        name: as in the key `flag:{name}`.
        type: what its text must be.
        default: the default in the agent's code, as text; None where it is not known.
        description: one sentence.
        choices: the only values allowed; empty for any of the type.
    """

    name: str
    type: FlagType
    default: str | None = None
    description: str = ""
    choices: tuple[str, ...] = ()


USUAL_FLAGS: Final[Mapping[str, FlagSpec]] = {
    spec.name: spec
    for spec in (
        FlagSpec("accept_escrows", FlagType.BOOL, "True", "Whether new escrows are accepted."),
        FlagSpec("bet_sizing", FlagType.STRING, "kelly_floor", "How stakes are sized."),
        FlagSpec("crash_target", FlagType.NUMBER, "2.0", "Multiplier at which a crash round is cashed out."),
        FlagSpec("game", FlagType.STRING, None, "Which game is played.", ("coinflip", "dice", "crash")),
        FlagSpec("max_session_bets", FlagType.NUMBER, "50", "The most bets in one session."),
        FlagSpec("stop_loss_pct", FlagType.NUMBER, "0.20", "Share of capital lost at which the agent stops."),
    )
}
"""The flags named in the contract for plain agents; a configuration may add to them or replace them."""


class FlagReading(NamedTuple):
    """A flag as it was read.

    Args:
        name: made safe.
        raw: its text, made safe and capped; for a wrong Redis type, that type's name; empty when missing.
        type: the type that its text has; None when missing or not text at all.
        spec: its registration, if there is one.
        problem: what is wrong with it, in words; empty when nothing is.
        missing: registered but not in the store: agents use their default.
        text: what the store holds, bytes that are not UTF-8 replaced; for comparing (`is_exact`), never for drawing.
    """

    name: Safe
    raw: Safe
    type: FlagType | None
    spec: FlagSpec | None = None
    problem: Safe = Safe("")
    missing: bool = False
    text: str = ""

    @property
    def is_exact(self) -> bool:
        """Whether `text` is all that the store holds, so that it can be compared with and put back."""
        return self.type is not None and len(self.text) <= MAX_VALUE and UNDECODABLE not in self.text

    @property
    def value(self) -> FlagValue | None:
        """The value its text stands for; None when it is missing or not text."""
        return None if self.type is None else parse_value(self.text, self.type)


def type_of(raw: str) -> FlagType:
    """The type of a flag's text: exactly `True` or `False`, a finite decimal number, or else a string."""
    if raw in ("True", "False"):
        return FlagType.BOOL
    if _NUMBER.match(raw):
        return FlagType.NUMBER
    return FlagType.STRING


def parse_value(raw: str, type: FlagType) -> FlagValue:
    """The value of a text whose type is known from `type_of`; numbers are exact."""
    if type is FlagType.BOOL:
        return raw == "True"
    if type is FlagType.NUMBER:
        try:
            return Decimal(raw)
        except InvalidOperation:
            return raw
    return raw


def read_flag(name: str, raw: str | None, spec: FlagSpec | None = None, wrong_type: str = "") -> FlagReading:
    """A flag's meaning.

    Args:
        name: without its prefix.
        raw: the text; None when the key does not exist.
        spec: its registration.
        wrong_type: the key's Redis type, where that is not a string.
    """
    safe_name = clean(name, MAX_NAME)
    if wrong_type:
        return FlagReading(
            safe_name, clean(wrong_type, 32), None, spec, clean(f"the key holds a {wrong_type}, not text")
        )
    if raw is None:
        return FlagReading(safe_name, Safe(""), None, spec, missing=True)
    type_ = type_of(raw)
    problem = ""
    if spec is not None and spec.type is not type_ and spec.type is not FlagType.STRING:
        problem = f"registered as {spec.type.value}, but the text is a {type_.value}"
    elif spec is not None and spec.choices and raw not in spec.choices:
        problem = f"not one of {', '.join(spec.choices)}"
    return FlagReading(safe_name, clean(raw), type_, spec, clean(problem), text=raw)


def check_name(name: str) -> str:
    """The name, if it may be a flag's.

    Raises:
        UsageError: it is empty, too long, or holds characters that shells and keys trip over.
    """
    if not _NAME.match(name) or len(name) > MAX_NAME:
        raise UsageError(
            f"{clean(name, 40)!r} can't be a flag's name.",
            f"Use letters, digits and _ . : / -, at most {MAX_NAME} characters, beginning with a letter, a digit or _.",
        )
    return name


def normalise(text: str, spec: FlagSpec | None) -> str:
    """The text to store for what a person typed: `true`, `on`, `yes` mean `True` where a bool is registered.

    Raises:
        UsageError: the text is too long or holds control characters.
    """
    if len(text) > MAX_VALUE:
        raise UsageError(f"A flag's value may have at most {MAX_VALUE} characters; this one has {len(text)}.")
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in text):
        raise UsageError("A flag's value may not hold control characters or line breaks.")
    lowered = text.lower()
    if lowered in ("true", "false") or (spec is not None and spec.type is FlagType.BOOL):
        if lowered in ("true", "on", "yes"):
            return "True"
        if lowered in ("false", "off", "no"):
            return "False"
    return text


def check_write(
    name: str, text: str, current: FlagReading | None, registry: Mapping[str, FlagSpec], *, new: bool = False
) -> None:
    """Refuse a write that would become a silent default in an agent.

    Args:
        name: the flag.
        text: the normalised text to write.
        current: what the store holds now; None when it is missing.
        registry: the registered flags.
        new: the operator says that this name, or this type, is meant.

    Raises:
        Refused: the type is not the registered one, the value is not among the choices, the type would change, or the
            name is so near to a known one that it is most likely a typo.
    """
    type_ = type_of(text)
    spec = registry.get(name)
    if spec is not None:
        if spec.type is not FlagType.STRING and type_ is not spec.type:
            raise Refused(
                f"flag {name} is registered as {spec.type.value}; {clean(text, 40)!r} is a {type_.value}.",
                f"Give a {spec.type.value}, or change the registration in the configuration.",
            )
        if spec.choices and text not in spec.choices:
            raise Refused(f"flag {name} takes {', '.join(spec.choices)}; not {clean(text, 40)!r}.")
        return
    if new:
        return
    if current is not None and current.type is not None and current.type is not type_:
        raise Refused(
            f"flag {name} holds a {current.type.value} ({clean(current.raw, 40)}); "
            f"{clean(text, 40)!r} is a {type_.value}.",
            "A name is not reused with another type: take a new name, or say --new if every reader agrees.",
        )
    if current is None or current.missing:
        near = get_close_matches(name, list(registry), n=1, cutoff=0.82)
        if near:
            raise Refused(f"No flag is called {name}. Did you mean {near[0]}?", "If the name is meant, say --new.")
