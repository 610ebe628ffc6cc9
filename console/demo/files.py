"""The files that a demo agent writes: a log that is appended to, and documents that are put in place as a whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

BOOKS: Final = ".books.json"
"""How the name of the file with an agent's books ends."""
LOG_BYTES: Final = 32 * 1024 * 1024
"""A log that has grown so large is put aside as `NAME.1`, in place of the one before."""


class Log:
    """The decision log: appended to, and put aside when it is large.

    Args:
        path: where.
        most_bytes: what it grows to.
    """

    def __init__(self, path: Path, most_bytes: int = LOG_BYTES) -> None:
        self._path = path
        self._most = most_bytes
        self._file = path.open("ab", buffering=0)

    def write(self, line: bytes) -> None:
        """Append a line."""
        if self._file.tell() + len(line) > self._most:
            self._file.close()
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))
            self._file = self._path.open("ab", buffering=0)
        self._file.write(line)

    def close(self) -> None:
        """Nothing more is written."""
        self._file.close()


def write_json(path: Path, document: dict[str, Any]) -> None:
    """Put a file in place as a whole."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(document))
    temporary.replace(path)
