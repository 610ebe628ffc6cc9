"""The code of a version as a manifest declares it: files by their names below a folder, each by its hash."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from console.domain.errors import UsageError

MAX_FILES: Final = 10_000
MAX_BYTES: Final = 256 * 1024 * 1024
"""Of all files together."""
_BLOCK: Final = 1 << 20
_LEFT_OUT: Final = frozenset({"__pycache__", "node_modules"})


def source_files(*paths: Path | str) -> dict[str, str]:
    """What `Manifest.of(code=…)` takes: name → SHA-256 of each file. It reads them: call it once, at the start.

    Args:
        paths: files, or folders of which everything counts but hidden names, `__pycache__` and `node_modules`. Links to
            folders are not followed.

    Raises:
        UsageError: one is missing, can't be read or is no regular file; or they are more than `MAX_FILES` files or
            `MAX_BYTES`.
    """
    hashes: dict[str, str] = {}
    left = MAX_BYTES
    for path in map(Path, paths):
        for name, file in _files(path):
            if name in hashes:
                raise UsageError(f"{name} is there twice.", "Name the folder above both.")
            if len(hashes) >= MAX_FILES:
                raise UsageError(f"{path} has more than {MAX_FILES:,} files.", "Name the folders of the agent's own.")
            hashes[name], size = _hash(file, left)
            left -= size
    if not hashes:
        raise UsageError("There are no files of which a manifest could be made.")
    return hashes


def _files(path: Path) -> Iterator[tuple[str, Path]]:
    if not path.is_dir():
        yield path.name, path
        return
    for folder, folders, names in os.walk(path, onerror=_unreadable):
        folders[:] = sorted(one for one in folders if not one.startswith(".") and one not in _LEFT_OUT)
        for name in sorted(names):
            if not name.startswith("."):
                file = Path(folder, name)
                yield f"{path.name}/{file.relative_to(path).as_posix()}", file


def _unreadable(error: OSError) -> None:
    raise UsageError(f"The code can't be read: {error}.") from error


def _hash(file: Path, left: int) -> tuple[str, int]:
    """The hash of a file, and its size."""
    total, size = hashlib.sha256(), 0
    try:
        number = os.open(file, os.O_RDONLY | os.O_NONBLOCK)  # a FIFO would wait for ever for its other end
        with os.fdopen(number, "rb") as stream:
            if not stat.S_ISREG(os.fstat(number).st_mode):
                raise UsageError(f"{file} is no regular file.")
            while block := stream.read(_BLOCK):
                size += len(block)
                if size > left:
                    raise UsageError(f"The code has more than {MAX_BYTES >> 20} MiB.")
                total.update(block)
    except OSError as error:
        _unreadable(error)
    return total.hexdigest(), size
