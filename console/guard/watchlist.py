"""The escrows that the active side has on its own list, from its state file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from console.domain.text import clean
from console.domain.triggers_windows import MAX_ESCROWS

MAX_BYTES: Final = 4 << 20


def watch_list(path: Path, since_s: float) -> frozenset[str] | None:
    """The escrows in a state file's `escrow_ids`; None where nothing can be told from it.

    Args:
        path: of the state file.
        since_s: when the active side's tenure began, epoch seconds: an older file is the other side's.
    """
    try:
        with path.open("rb") as file:
            if path.stat().st_mtime < since_s:
                return None
            document = json.loads(file.read(MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    names = document.get("escrow_ids") if isinstance(document, dict) else None
    if not isinstance(names, list):
        return None
    return frozenset(str(clean(name, 64)) for name in names[:MAX_ESCROWS] if isinstance(name, str | int))
