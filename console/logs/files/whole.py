"""Whole files, many lines at a time: for what reads recorded logs once, and follows none of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import BinaryIO, Final

from console.domain.errors import UsageError
from console.domain.text import clean
from console.logs.files.openfile import NotAFile, OpenFile, Pull
from console.logs.files.reread import FIRST_LINE_BYTES, common, mark_of

CHUNK: Final = 1 << 20


def pulls(path: Path, longest: int, *, start: int = 0) -> Iterator[Pull]:
    """The whole file; a line that is too long costs no more than its bytes.

    Args:
        path: of a regular file.
        longest: lines beyond so many bytes are counted and not held.
        start: where in the file to begin.

    Raises:
        UsageError: it can't be read, or holds no lines of text.
    """
    shown = clean(str(path), 120)
    try:
        opened = OpenFile(str(path), longest)
    except (OSError, NotAFile) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"{shown} can't be read: {why}.") from error
    try:
        if opened.look_at_form():
            raise UsageError(f"{shown} {opened.form}.")
        opened.start_at(start)
        while (pull := opened.pull()).advanced:
            yield pull
        yield opened.take_rest()
    except OSError as error:
        raise UsageError(f"{shown} can't be read: {error.strerror}.") from error
    finally:
        opened.close()


def starts(paths: Sequence[Path]) -> list[int]:
    """Where each of several files begins to hold what none before it did: a copy of a log repeats the log.

    Raises:
        UsageError: one can't be read.
    """
    marks: dict[bytes, list[Path]] = {}
    begins = []
    for path in paths:
        if not path.is_file():  # named where it is to be read; a named pipe must not be waited for
            begins.append(0)
            continue
        try:
            with path.open("rb") as file:
                mark = mark_of(file.read(FIRST_LINE_BYTES))
                alike = marks.setdefault(mark, []) if mark else []
                begins.append(max((_shared(file, other) for other in alike), default=0))
                alike.append(path)
        except OSError as error:
            raise UsageError(f"{clean(str(path), 120)} can't be read: {error.strerror}.") from error
    return begins


def _shared(file: BinaryIO, other: Path) -> int:
    """How many bytes of whole lines two files share at their beginning."""
    end = 0
    file.seek(0)
    with other.open("rb") as beside:
        for number in count():
            one, two = file.read(CHUNK), beside.read(CHUNK)
            same = common(one, two)
            newline = one.rfind(b"\n", 0, same)
            end = number * CHUNK + newline + 1 if newline >= 0 else end
            if same < CHUNK:
                return end
    return end
