"""The escrows that the active side has on its own list, from its state file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

from console.domain.text import clean
from console.domain.triggers.windows import MAX_ESCROWS
from console.regular import open_regular

MAX_BYTES: Final = 4 << 20


class WatchList:
    """A state file's `escrow_ids`; the file is read when it has changed, and only then.

    Args:
        path: of the state file.
    """

    __slots__ = ("_names", "_path", "_stamp")

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._names: frozenset[str] | None = None

    def read(self, since_s: float) -> frozenset[str] | None:
        """The escrows on the list; None where nothing can be told from the file.

        Args:
            since_s: when the active side's tenure began, epoch seconds: an older file is the other side's.
        """
        try:
            with open_regular(self._path) as file:
                status = os.fstat(file.fileno())
                if status.st_mtime < since_s:
                    return None
                stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
                if stamp != self._stamp:
                    self._names = _escrows(file.read(MAX_BYTES))
                    self._stamp = stamp
        except OSError:
            return None
        return self._names


def _escrows(raw: bytes) -> frozenset[str] | None:
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    names = document.get("escrow_ids") if isinstance(document, dict) else None
    if not isinstance(names, list):
        return None
    return frozenset(str(clean(name, 64)) for name in names[:MAX_ESCROWS] if isinstance(name, str | int))
