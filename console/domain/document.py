"""Records as JSON values, and back: the fields of a record are the keys of its document, in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from sys import float_info
from types import NoneType
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

from console.domain.errors import UsageError
from console.domain.text import clean

T = TypeVar("T")

KEY: Final = "key"
"""In a field's metadata: its key in the document, where that is no name in Python (`from`); empty for a field
that is not in the document."""
FORM: Final = "form"
"""In a field's metadata: the function that makes its value plain, where that is not the usual way; None stays None."""


def document(record: Any) -> dict[str, Any]:
    """A record as plain JSON values.

    Args:
        record: a dataclass or a named tuple, of plain values, times, amounts, enumerations, and of more records, in
            sequences and mappings too.
    """
    if isinstance(record, tuple):
        return {name: _plain(value) for name, value in record._asdict().items()}  # type: ignore[attr-defined]
    return {
        field.metadata.get(KEY, field.name): _formed(field.metadata.get(FORM), getattr(record, field.name))
        for field in fields(record)
        if field.metadata.get(KEY) != ""
    }


def _formed(form: Callable[[Any], Any] | None, value: Any) -> Any:
    return _plain(value if form is None or value is None else form(value))


def _plain(value: Any) -> Any:
    if is_dataclass(value) or hasattr(value, "_asdict"):
        return document(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | frozenset):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.value if isinstance(value, Enum) else value


def record_from(kind: type[T], document: object) -> T:
    """A dataclass from its document: strict, since what it holds decides about money.

    Args:
        kind: whose fields are amounts, numbers, flags, texts, times, enumerations, and further dataclasses, alone or
        in tuples.
        document: plain values, from outside.

    Raises:
        UsageError: something in it is missing, unknown or of another kind, or breaks a rule of the record's.
    """
    if not isinstance(document, Mapping):
        raise UsageError(f"{kind.__name__} is a table of names and values.")
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(str(name) for name in document if name not in known):
        raise UsageError(f"{kind.__name__} has no {clean(unknown[0], 40)!r}.", f"It has {', '.join(sorted(known))}.")
    for name, field in known.items():
        if name not in document and field.default is MISSING and field.default_factory is MISSING:
            raise UsageError(f"{name} is missing.")
    hints = _hints(kind)  # type: ignore[arg-type]
    return kind(**{name: _typed(value, hints[name], name) for name, value in document.items()})


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _typed(value: Any, hint: Any, name: str) -> Any:
    """A value of a field's kind."""
    inner = get_args(hint)
    if NoneType in inner:
        return None if value is None else _typed(value, inner[0], name)
    if get_origin(hint) is tuple and isinstance(value, list):
        return tuple(_typed(item, inner[0], name) for item in value)
    if is_dataclass(hint) and isinstance(hint, type):
        return record_from(hint, value)
    if hint is Decimal:
        return exact(value, name)
    if hint is datetime:
        return _moment(value, name)
    if isinstance(hint, type) and issubclass(hint, Enum) and value in [one.value for one in hint]:
        return hint(value)
    if hint is float and type(value) in (int, float) and abs(value) <= float_info.max:
        return float(value)
    if hint in (int, bool, str) and type(value) is hint:
        return str(clean(value, 256)) if hint is str else value
    raise UsageError(f"{name} can't be {clean(value, 20)!r}.")


def _moment(value: object, name: str) -> datetime:
    moment = None
    if isinstance(value, str) and len(value) <= 40:
        with suppress(ValueError):
            moment = datetime.fromisoformat(value)
    if moment is None or moment.utcoffset() is None:
        raise UsageError(f"{name} is a time with its zone, not {clean(value, 20)!r}.")
    return moment.astimezone(UTC)


def exact(value: object, name: str) -> Decimal:
    """An exact amount from a text, a whole number, or a number as short as it was written.

    Raises:
        UsageError: it is none, or not finite.
    """
    if isinstance(value, str | int | float | Decimal) and not isinstance(value, bool):
        try:
            amount = Decimal(str(value))
        except InvalidOperation:
            amount = Decimal("NaN")
        if amount.is_finite():
            return amount
    raise UsageError(f"{name} is an amount, not {clean(value, 20)!r}.")


class Record:
    """A dataclass whose fields are its document."""

    __slots__ = ()

    def document(self) -> dict[str, Any]:
        """The record as plain JSON values: what `--json` prints, and what is kept in the store."""
        return document(self)


class Report(Record):
    """A record that a verb shows."""

    __slots__ = ()

    @property
    def well(self) -> bool:
        """Whether the answer is yes; a verb's exit code is 1 where it is not."""
        return True

    def lines(self) -> Iterator[str]:
        """The report for people."""
        raise NotImplementedError
