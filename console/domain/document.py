"""Records as JSON values: the fields of a record are the keys of its document, in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final

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
