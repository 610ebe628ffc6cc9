"""Records as JSON values: the fields of a record are the keys of its document, in their order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final

KEY: Final = "key"
"""In a field's metadata: its key in the document, where that is no name in Python (`from`)."""


def document(record: Any) -> dict[str, Any]:
    """A record as plain JSON values.

    Args:
        record: a dataclass, of plain values, times, amounts, enumerations, and of more records, in sequences and
            mappings too.
    """
    return {field.metadata.get(KEY, field.name): _plain(getattr(record, field.name)) for field in fields(record)}


def _plain(value: Any) -> Any:
    if is_dataclass(value):
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
