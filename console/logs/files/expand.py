"""Patterns become paths, a little at a time: a folder tree of any size never stops the event loop."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from fnmatch import translate
from pathlib import Path

_MAGIC = re.compile(r"[*?\[]")
MAX_DEPTH = 32


def expand(pattern: str) -> Iterator[str | None]:
    """The paths a pattern matches, in a fixed order; None in between, at each folder looked into, to take a breath.

    `*`, `?` and `[…]` match within a name, `**` any number of folders; names that begin with a dot are matched only by
    a part that does too. A path without any of these, or one that exists as it is written, stands for itself, whether
    it exists or not.
    """
    path = str(Path(pattern).expanduser())
    if not _MAGIC.search(path) or os.path.lexists(path):
        yield path
        return
    root, parts = ("/", path[1:].split("/")) if path.startswith("/") else ("", path.split("/"))
    yield from _walk(root, parts, 0)


def _walk(folder: str, parts: list[str], depth: int) -> Iterator[str | None]:
    part, rest = parts[0], parts[1:]
    if part == "**":
        yield from _walk_any(folder, rest or ["*"], depth)
    elif not _MAGIC.search(part):
        path = str(Path(folder, part))
        if rest:
            yield from _walk(path, rest, depth)
        elif os.path.lexists(path):
            yield path
    else:
        matches = re.compile(translate(part)).match
        for name, is_folder in _entries(folder):
            if matches(name) and (part.startswith(".") or not name.startswith(".")):
                path = str(Path(folder, name))
                if not rest:
                    yield path
                elif is_folder:
                    yield from _walk(path, rest, depth)
        yield None


def _walk_any(folder: str, rest: list[str], depth: int) -> Iterator[str | None]:
    yield from _walk(folder, rest, depth)
    if depth < MAX_DEPTH:
        for name, is_folder in _entries(folder, follow=False):
            if is_folder and not name.startswith("."):
                yield from _walk_any(str(Path(folder, name)), rest, depth + 1)
    yield None


def _entries(folder: str, *, follow: bool = True) -> list[tuple[str, bool]]:
    """Names in a folder, sorted, and whether each is a folder; none where it can't be read: nothing in it can match."""
    try:
        with os.scandir(folder or ".") as entries:
            return sorted((entry.name, entry.is_dir(follow_symlinks=follow)) for entry in entries)
    except OSError:
        return []
