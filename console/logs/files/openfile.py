"""One open log file, read block by block: knows its own place, and notices when the file was cut or written anew."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import Final

from console.logs.files.form import FORM_BYTES, form_of
from console.logs.files.reread import FIRST_LINE_BYTES, HEAD_BYTES, TAIL_BYTES, Memory, Trace, mark_of
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
        memory: of what other files held; what is in it is not read again. None to read whatever is there.

    Raises:
        NotAFile: it is no regular file.
        OSError: it can't be opened.
    """

    def __init__(self, path: str, max_line_bytes: int, memory: Memory | None = None) -> None:
        self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        try:
            status = os.fstat(self._fd)
            refuse_other_kinds(status)
        except BaseException:
            os.close(self._fd)
            raise
        self.identity: Identity = (status.st_dev, status.st_ino)
        self.size = status.st_size
        self._path = path
        self._max = max_line_bytes
        self._offset = 0
        self._held = bytearray()
        self._skipping = False
        self._cut_at_start = 0
        """1 until it was told that reading began within a line too long to look for its beginning."""
        self._mark = b""
        self._changed_ns = -1
        self._memory = memory
        self._trace: Trace | None = None
        self._twin: Trace | None = None
        """What this file repeats, as far as it was compared."""
        self._line_at = 0
        """Where the line begins up to which it was."""
        self._sure = True
        """Whether every byte of it was."""
        self._head = self._tail = b""
        self.back = 0
        """Up to where lines at the beginning were left out; 0 where none were, or none can be read any more."""
        self._back_mark = b""
        self.left_out = False
        """Whether reading did not begin at the first byte."""
        self.form = ""
        """What the file is if it holds no lines of text, and what to do; see `form_of`."""
        self._looked: tuple[int, int] | None = None

    @property
    def copying(self) -> bool:
        """Whether what is in the file was read elsewhere, as far as it was compared."""
        return self._twin is not None

    @property
    def offset(self) -> int:
        """Up to where lines were read: the start of the line that is not complete yet."""
        return self._offset - len(self._held)

    @property
    def written_ns(self) -> int:
        """When the file was changed last, by its own clock.

        Raises:
            OSError: it can't be asked.
        """
        return os.fstat(self._fd).st_mtime_ns

    @property
    def mark(self) -> bytes:
        """The bytes before the place up to which was read."""
        return self._mark

    def look_at_form(self) -> bool:
        """Whether the file, as far as nothing was read of it, holds no lines of text; `form` says what it holds."""
        status = os.fstat(self._fd)
        if not self._offset and self._looked != (looked := (status.st_size, status.st_mtime_ns)):
            self._looked = looked
            self.form = form_of(os.pread(self._fd, FORM_BYTES, 0))
        return bool(self.form)

    def recognise(self) -> bool:
        """Whether the file begins as one that was read before; it is compared with that one then."""
        if self._memory is None or self._trace is not None:
            return False
        mark = mark_of(os.pread(self._fd, FIRST_LINE_BYTES, 0))
        if not mark:
            return False
        self._twin = self._memory.twin(mark) if not self.offset else None
        self._trace = Trace(mark, lambda length, offset: os.pread(self._fd, length, offset))
        self._memory.add(self._trace)
        left = self._memory.trimmed(self._path, self._trace, lambda length, offset: os.pread(self._fd, length, offset))
        if self._twin is None:
            if left and not self.offset:
                self._held.clear()
                self._go_to(left)
                self._note()
            return False
        self._trace.copying = True
        self._held.clear()
        self._line_at, self._sure = 0, True
        self._go_to(0)
        return True

    def start_at_last_lines(self, n: int) -> int:
        """Skip to the last `n` complete lines; returns how many bytes were skipped.

        Raises:
            OSError: the file can't be read.
        """
        self._go_to(start_of_last_lines(self._fd, self.size, n))
        self._note()
        before = os.pread(self._fd, 1, self._offset - 1) if self._offset else b"\n"
        self._skipping = before not in (b"", b"\n")
        self._cut_at_start = int(self._skipping)
        self.left_out = self._offset > 0
        if not self._skipping:
            self.back = self._offset
            self._back_mark = os.pread(self._fd, min(MARK_BYTES, self.size - self.back), self.back)
        return self._offset

    def pull_back(self) -> Pull:
        """Read the block before what was left out at the beginning; `back` says what is left. A file that was cut or
        written anew meanwhile holds none of it any more.

        Raises:
            OSError: the file can't be read.
        """
        length = BLOCK_BYTES
        while True:
            start = max(0, self.back - length)
            data = os.pread(self._fd, self.back - start + len(self._back_mark), start)
            if len(data) < self.back - start or data[self.back - start :] != self._back_mark:
                self.back = 0
                return Pull()
            begin = data.find(b"\n", 0, self.back - start - 1) + 1 if start else 0
            if begin or not start:
                break
            length *= 2
            if length > self._max + BLOCK_BYTES:  # a line that is too long lies there
                self.back = 0
                return Pull()
        block = data[begin : self.back - start - 1]
        read, self.back = len(block) + 1, start + begin
        self._back_mark = data[begin : begin + MARK_BYTES]
        return Pull(advanced=read, start=self.back, block=block)

    def start_at(self, offset: int) -> None:
        """Begin at a place where a line begins.

        Raises:
            OSError: the file can't be read.
        """
        self._go_to(offset)

    def resume(self, offset: int, mark: bytes) -> bool:
        """Go on where an earlier reader of the same file stopped, if the same bytes still stand before that place."""
        if not mark or os.pread(self._fd, len(mark), offset - len(mark)) != mark:
            return False
        self._go_to(offset)
        return True

    def _go_to(self, offset: int) -> None:
        self._offset = offset
        self._mark = os.pread(self._fd, min(MARK_BYTES, offset), max(0, offset - MARK_BYTES))
        if self._memory is not None:
            self._tail = os.pread(self._fd, min(TAIL_BYTES, offset), max(0, offset - TAIL_BYTES))

    def pull(self) -> Pull:
        """Read the next block, if there is any.

        Raises:
            OSError: the file can't be read.
        """
        status = os.fstat(self._fd)
        self.size = status.st_size
        if self.size == self._offset and status.st_mtime_ns == self._changed_ns:
            return Pull()
        if not self._offset and self.look_at_form():
            return Pull()
        self.recognise()
        if self._twin is not None:
            return self._compare(self._twin, status.st_mtime_ns)
        marked = len(self._mark)
        data = os.pread(self._fd, marked + BLOCK_BYTES, self._offset - marked)
        if not data.startswith(self._mark):  # also where the file ends before that place by now
            return self._restart()
        if len(data) == marked:
            self._changed_ns = status.st_mtime_ns
            self._note()
            return Pull()
        self._mark = data[-MARK_BYTES:]
        if self._memory is not None:
            self._tail = (self._tail + data[marked:])[-TAIL_BYTES:]
        pull = self._take(data[marked:])
        self._note()
        return pull

    def _compare(self, twin: Trace, changed_ns: int) -> Pull:
        """Go on over what is the same in the file that this one repeats; where that ends, go on by itself."""
        marked = len(self._mark)
        length = max(0, min(BLOCK_BYTES, twin.offset - self._offset))
        data = os.pread(self._fd, marked + length, self._offset - marked)
        if not data.startswith(self._mark):
            return self._restart()
        data = data[marked:]
        same, sure = twin.agrees(self._offset, data)
        self._sure = self._sure and sure
        newline = data.rfind(b"\n", 0, same)
        if newline >= 0:
            self._line_at = self._offset + newline + 1
        self._go_to(self._offset + same)
        beyond = self._offset >= twin.offset and twin.at_end and self.size > self._offset
        if same == len(data) and not beyond:
            self._changed_ns = changed_ns if self.size == self._offset else -1
            return Pull(advanced=same)
        self._twin = None
        if self._trace is not None:
            self._trace.copying = False
        self._go_to(self._line_at if same == len(data) or self._sure else 0)
        return Pull(advanced=same) if same else self.pull()

    def _note(self) -> None:
        """Tell copies of this file how far it was read."""
        if self._trace is not None and self._twin is None:
            self._trace.offset = self.offset
            self._trace.at_end = self.size <= self._offset
            if len(self._head) < min(HEAD_BYTES, self._offset):
                self._head = os.pread(self._fd, HEAD_BYTES, 0)

    def _leave(self) -> None:
        """What was read so far is not to be read again, wherever it turns up."""
        trace, self._trace = self._trace, None
        if trace is None or self._memory is None:
            return
        if self._twin is None and self.offset:
            trace.offset = self.offset
            trace.freeze(self._head, self._tail)
            self._memory.keep(trace)
        else:
            trace.freeze(b"", b"")  # its descriptor is somebody else's soon
            self._memory.forget(trace)
        self._twin = None

    @property
    def rest(self) -> bytes:
        """The line that is not complete yet, as far as it was read."""
        return bytes(self._held)

    def bytes_at(self, offset: int, length: int) -> bytes:
        """Bytes of the file, wherever the reader is.

        Raises:
            OSError: the file can't be read.
        """
        return os.pread(self._fd, length, offset)

    def take_rest(self) -> Pull:
        """The incomplete last line, as the line it will stay: nobody is going to complete it."""
        rest, start = bytes(self._held), self.offset
        self._held.clear()
        return Pull(start=start, block=rest or None)

    def close(self) -> None:
        """Give the descriptor back."""
        self._leave()
        os.close(self._fd)

    def _restart(self) -> Pull:
        rest = self.take_rest()
        self._leave()
        self._head, self._tail, self.form, self._looked = b"", b"", "", None
        self._offset, self._mark, self._skipping, self._changed_ns, self.back = 0, b"", False, -1, 0
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
