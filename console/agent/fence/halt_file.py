"""The third door of a halt: a file on the agent's host. What can't be looked at counts as halted."""

from __future__ import annotations

from pathlib import Path

from console.domain.fence.claims import Level

_LIMIT = 64


def local_level(path: Path | None) -> tuple[Level, str]:
    """The level that the file asks for, and why in words.

    Args:
        path: the file; None where this door isn't used.
    """
    if path is None:
        return Level.NONE, ""
    try:
        with path.open("rb") as file:
            text = file.read(_LIMIT).decode("utf-8", "replace").strip().lower()
    except FileNotFoundError:
        if path.parent.is_dir():
            return Level.NONE, ""
        return Level.HALT, f"the halt file's folder {path.parent} is missing"
    except OSError as error:
        return Level.HALT, f"the halt file can't be looked at: {error.strerror or error}"
    if text in (Level.NO_NEW_ENTRIES.value, Level.REDUCE_ONLY.value):
        return Level(text), f"halt file {path.name}: {text}"
    return Level.HALT, f"halt file {path.name}"
