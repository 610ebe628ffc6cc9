"""Decision logs whose lines are in a hash chain: which files are one log, and whether it is whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import Final

from console.domain.errors import Refused
from console.domain.fence.chain import Mark
from console.domain.fence.sealed import LinesVerdict, verify_lines
from console.logs.files.expand import expand
from console.regular import open_regular

TRIES: Final = 3
_ROTATED: Final = re.compile(r"\.[1-9][0-9]{0,4}\Z")


def logs_of(patterns: Iterable[str]) -> tuple[Path, ...]:
    """The logs that patterns name, each once; a rotated file (`path.1`) is a part of its log."""
    paths = (path for pattern in patterns for path in expand(pattern) if path is not None)
    return tuple(dict.fromkeys(Path(_ROTATED.sub("", path)) for path in paths))


def verify_log(path: Path, remembered: Mark | None = None) -> LinesVerdict:
    """Whether a log is whole, over its rotated files.

    Args:
        path: of its newest file.
        remembered: what an earlier look ended with, which has to be in it.

    Raises:
        Refused: it can't be read.
    """
    try:
        for _ in range(TRIES):
            before = _identity(path)
            verdict = verify_lines(_lines(path), remembered=remembered)
            if not verdict.wrong or _identity(path) == before:
                break  # else it was rotated under our eyes
        return verdict
    except OSError as error:
        raise Refused(f"The decision log {path} can't be read: {error.strerror or error}.", "Is it yours?") from error


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _lines(path: Path) -> Iterator[bytes]:
    beside = path.parent.iterdir() if path.parent.is_dir() else iter(())
    numbers = [
        int(other.name[len(path.name) + 1 :])
        for other in beside
        if other.name.startswith(path.name) and _ROTATED.fullmatch(other.name[len(path.name) :])
    ]
    for file in (*(path.with_name(f"{path.name}.{number}") for number in sorted(numbers, reverse=True)), path):
        if file.exists():
            with BufferedReader(open_regular(file)) as opened:
                yield from (line for line in opened if file != path or line.endswith(b"\n"))  # else it is being written
