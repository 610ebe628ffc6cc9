"""A flag in a document."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from console.domain.document import Record
from console.domain.state.flags import FlagReading
from console.views.format import decimal_text

_LARGEST_EXPONENT: Final = 300


@dataclass(frozen=True)
class _Name:
    name: str


@dataclass(frozen=True)
class FlagRecord(Record):
    """A flag.

    Args:
        value: as `true` or `false`, a number, or text; null where it is not set.
        type: `bool`, `number` or `string`, by its text.
        raw: its text, with a number's exact digits; null where it is not set.
        default: what its registration says.
        missing: whether it is registered and not set: agents use their default.
        problem: what is wrong with it.
    """

    value: bool | int | float | str | None
    type: str | None
    raw: str | None
    default: str | None
    missing: bool
    problem: str | None


@dataclass(frozen=True)
class NamedFlag(FlagRecord, _Name):
    """A flag and its name.

    Args:
        name: of the flag.
        value, type, raw, default, missing, problem: as in a list of flags.
    """


def flag_record(flag: FlagReading) -> FlagRecord:
    """The record of a flag."""
    return FlagRecord(**_fields(flag))


def named_flag(name: str, flag: FlagReading) -> NamedFlag:
    """The record of a flag that was asked for by its name."""
    return NamedFlag(name, **_fields(flag))


def _fields(flag: FlagReading) -> dict[str, Any]:
    return {
        "value": _number(flag.value) if isinstance(flag.value, Decimal) else flag.value,
        "type": flag.type.value if flag.type else None,
        "raw": None if flag.missing else flag.raw,
        "default": flag.spec.default if flag.spec else None,
        "missing": flag.missing,
        "problem": flag.problem or None,
    }


def _number(value: Decimal) -> int | float | str:
    """A JSON number, or text where no such number comes near it."""
    if abs(value.adjusted()) > _LARGEST_EXPONENT:
        return decimal_text(value)
    return int(value) if value == value.to_integral_value() and abs(value) < 2**53 else float(value)
