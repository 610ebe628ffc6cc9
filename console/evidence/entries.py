"""Entries of a stream as lines of text, and back: byte for byte, or their chain could not be verified any more."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import IO, Final

LONGEST: Final = 4 << 20
"""Bytes of a line that is read."""


def entry_line(entry_id: str, fields: Mapping[bytes, bytes]) -> bytes:
    """One entry, its fields in their order."""
    pairs = [[_text(name), _text(value)] for name, value in fields.items()]
    return json.dumps({"id": entry_id, "fields": pairs}, separators=(",", ":")).encode() + b"\n"


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def read_entries(file: IO[bytes]) -> Iterator[tuple[str, dict[bytes, bytes]]]:
    """The entries that lines hold.

    Raises:
        ValueError: a line is none.
    """
    while line := file.readline(LONGEST + 1):
        if len(line) > LONGEST:
            raise ValueError("a line is too long")
        try:
            entry = json.loads(line)
            fields = {_raw(name): _raw(value) for name, value in entry["fields"]}
            entry_id = str(entry["id"])
        except (TypeError, KeyError, RecursionError, AttributeError) as error:
            raise ValueError("a line is no entry") from error
        yield entry_id, fields


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
