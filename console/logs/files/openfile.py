"""One open log file, read block by block: knows its own place, and notices when the file was cut or written anew."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import Final

from console.logs.files.tail import start_of_last_lines

BLOCK_BYTES: Final = 128 * 1024
MARK_BYTES: Final = 256
"""How many bytes before the reader's place are remembered. Inode and size alone can't tell a file that was cut and has
since grown past that place; that other bytes stand before it, can."""

Identity = tuple[int, int]
"""Device and inode."""


class NotAFile(Exception):  # noqa: N818 - a fact about a path, named as the operator reads it
    """What the path leads to is no regular file; the text says what it is."""


@dataclass(frozen=True, slots=True)
class Pull:
    """What one read brought.

    Args:
        advanced: bytes read; 0 means that there is nothing more for now.
        start: where in the file `block` begins.
        block: complete lines without the newline of the last one; None where no line was completed.
        too_long: how many lines were found to be too long while still incomplete; they are skipped to their end.
        restarted: the file was cut or written anew; reading goes on at its first byte.
    """

    advanced: int = 0
    start: int = 0
    block: bytes | None = None
    too_long: int = 0
    restarted: bool = False


class OpenFile:
    """Reads one file through one descriptor, wherever the file is renamed to meanwhile.

    Args:
        path: opened without blocking; a named pipe or a device is refused.
        max_line_bytes: what is held of an incomplete line.

    Raises:
        NotAFile: it is no regular file.
        OSError: it can't be opened.
    """

    def __init__(self, path: str, max_line_bytes: int) -> None:
        self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        try:
            status = os.fstat(self._fd)
            refuse_other_kinds(status)
        except BaseException:
            os.close(self._fd)
            raise
        self.identity: Identity = (status.st_dev, status.st_ino)
        self.size = status.st_size
        self._max = max_line_bytes
        self._offset = 0
        self._held = bytearray()
        self._skipping = False
        self._cut_at_start = 0
        """1 until it was told that reading began within a line too long to look for its beginning."""
        self._mark = b""
        self._changed_ns = -1

    @property
    def offset(self) -> int:
        """Up to where lines were read: the start of the line that is not complete yet."""
        return self._offset - len(self._held)

    @property
    def mark(self) -> bytes:
        """The bytes before the place up to which was read."""
        return self._mark

    def start_at_last_lines(self, n: int) -> int:
        """Skip to the last `n` complete lines; returns how many bytes were skipped.

        Raises:
            OSError: the file can't be read.
        """
        self._go_to(start_of_last_lines(self._fd, self.size, n))
        before = os.pread(self._fd, 1, self._offset - 1) if self._offset else b"\n"
        self._skipping = before not in (b"", b"\n")
        self._cut_at_start = int(self._skipping)
        return self._offset

    def resume(self, offset: int, mark: bytes) -> bool:
        """Go on where an earlier reader of the same file stopped, if the same bytes still stand before that place."""
        if not mark or os.pread(self._fd, len(mark), offset - len(mark)) != mark:
            return False
        self._go_to(offset)
        return True

    def _go_to(self, offset: int) -> None:
        self._offset = offset
        self._mark = os.pread(self._fd, min(MARK_BYTES, offset), max(0, offset - MARK_BYTES))

    def pull(self) -> Pull:
        """Read the next block, if there is any.

        Raises:
            OSError: the file can't be read.
        """
        status = os.fstat(self._fd)
        self.size = status.st_size
        if self.size == self._offset and status.st_mtime_ns == self._changed_ns:
            return Pull()
        marked = len(self._mark)
        data = os.pread(self._fd, marked + BLOCK_BYTES, self._offset - marked)
        if not data.startswith(self._mark):  # also where the file ends before that place by now
            return self._restart()
        if len(data) == marked:
            self._changed_ns = status.st_mtime_ns
            return Pull()
        self._mark = data[-MARK_BYTES:]
        return self._take(data[marked:])

    def take_rest(self) -> Pull:
        """The incomplete last line, as the line it will stay: nobody is going to complete it."""
        rest, start = bytes(self._held), self.offset
        self._held.clear()
        return Pull(start=start, block=rest or None)

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._fd)

    def _restart(self) -> Pull:
        rest = self.take_rest()
        self._offset, self._mark, self._skipping, self._changed_ns = 0, b"", False, -1
        return Pull(start=rest.start, block=rest.block, restarted=True)

    def _take(self, data: bytes) -> Pull:
        advanced = len(data)
        self._offset += advanced
        if self._skipping:
            newline = data.find(b"\n")
            if newline < 0:
                return Pull(advanced=advanced, too_long=self._shed())
            self._skipping = False
            data = data[newline + 1 :]
        last = data.rfind(b"\n")
        if last < 0:
            self._held += data
            return Pull(advanced=advanced, too_long=self._shed())
        start = self._offset - len(data) - len(self._held)
        block = bytes(self._held) + data[:last] if self._held else data[:last]
        self._held = bytearray(data[last + 1 :])
        return Pull(advanced=advanced, start=start, block=block, too_long=self._shed())

    def _shed(self) -> int:
        """Drop the incomplete line if it is too long already; how many lines are to be counted so now."""
        too_long, self._cut_at_start = self._cut_at_start, 0
        if len(self._held) > self._max:
            self._held.clear()
            self._skipping = True
            too_long += 1
        return too_long


def refuse_other_kinds(status: os.stat_result) -> None:
    """Refuse everything but a regular file, by name.

    Raises:
        NotAFile: it is something else.
    """
    kinds = {stat.S_IFDIR: "is a directory", stat.S_IFIFO: "is a named pipe", stat.S_IFSOCK: "is a socket"}
    if not stat.S_ISREG(status.st_mode):
        raise NotAFile(f"{kinds.get(stat.S_IFMT(status.st_mode), 'is a device')}, not a file of lines")
