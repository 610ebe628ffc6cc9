"""The index of one log, built a little at a time and gone on with where it ended the last time.

    index = FileIndex(Path("decisions.jsonl"), options, folder)
    while not index.step():
        ...                                     # a bounded amount of work each time
    index.blocks, index.tail                    # whole stretches, and what is too little for one yet

Lines are read as by every other reader of logs (`console.logs.files.openfile`, `console.logs.lines.parse`).
"""

from __future__ import annotations

import contextlib
import random
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from console.domain.seen.decision import Rejection
from console.logs.files.openfile import OpenFile
from console.logs.files.packed import readable
from console.logs.index.block import Block, block_of
from console.logs.index.keep import FORM, MARK_BYTES, Head, Kept, Line, digest, options_digest
from console.logs.index.rows import Rows
from console.logs.index.words import Words
from console.logs.lines.parse import Parsed, Parser
from console.logs.options import LogOptions

STEP_S: Final = 0.05
"""How long one step takes, about."""
FILL_S: Final = 0.01
"""So long each step that finds nothing new goes on with the rows of words."""
LEAST_BYTES: Final = 64 * 1024
"""What is less than that at the end of a log is not a block yet: it is read each time."""
FIRST_BYTES: Final = 4096
"""By which a log is known, together with its inode."""
SAMPLED: Final = 8
"""Stretches of a kept index that are held against the log before it is believed."""
WRITE_EVERY: Final = 256
"""Blocks from one write to the next."""


class FileIndex:
    """The index of one log.

    Args:
        path: of the log.
        options: where values lie in a record.
        folder: where indexes are kept, and the text of packed logs; None to keep none.

    Raises:
        OSError, NotAFile: the log can't be opened.
    """

    def __init__(self, path: Path, options: LogOptions, folder: Path | None) -> None:
        self.path = path
        self.data = readable(path, folder)
        """Where its lines are read: the log itself, or the text of one that is packed."""
        self._options = options
        self._parser = Parser(options)
        self._file = OpenFile(str(self.data), options.max_line_bytes)
        self.blocks: list[Block] = []
        self.tail: Block | None = None
        """What follows the blocks, as of the last step; None where nothing does."""
        self.at = 0
        """Up to where lines were read."""
        self.done = False
        """Whether there was nothing more to be read at the last step."""
        self.kept_problem = ""
        """Why the index is not kept for the next time; empty where it is."""
        self.stale = False
        """Whether a stretch is known not to hold what was indexed; the next step reads the log anew."""
        self._written_ns = 0
        """When the log was changed last, as of the last step that found its end."""
        self._ended_at = -1
        self._unwritten: list[Line] = []
        self._held: list[Block] = []
        self._kept = Kept(folder, self._file.identity) if folder is not None else None
        self._words = Words()
        self.rows: Rows | None = None
        """Which words each block may hold, by its number; None where no index is kept."""
        self._filled: tuple[int, int] | None = None
        """The blocks from here to there have their rows; None before the first look."""
        self._begin()

    @property
    def identity(self) -> tuple[int, int]:
        """Device and inode of the log."""
        return self._file.identity

    @property
    def is_named(self) -> bool:
        """Whether its path still leads to it."""
        try:
            status = self.data.stat()
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self.identity

    @property
    def form(self) -> str:
        """What the file is if it holds no lines of text."""
        return self._file.form

    @property
    def size(self) -> int:
        """Of the log, as of the last step."""
        return self._file.size

    def _begin(self) -> None:
        self._head = Head(FORM, options_digest(self._options), "")
        if self._kept is None:
            return
        first = self._bytes(0, FIRST_BYTES)
        if len(first) < FIRST_BYTES:  # it is read in no time, and can't be told from another one yet
            self._kept = None
            return
        self.rows = Rows(self._kept.path)
        self._head = Head(FORM, options_digest(self._options), digest(first))
        writable = self._kept.open()
        if not writable:
            self.kept_problem = "another process keeps it, or its folder can't be written to"
        lines = self._kept.read(self._head)
        self.rows.open(writable=writable)
        while lines and not self._fits(lines[-1]):
            lines.pop()  # the log was cut, or written anew, after that place
            if lines and not self._fits(lines[len(lines) // 2]):
                del lines[len(lines) // 2 :]
        self.blocks = [line.block for line in lines]
        if lines:
            self.at = lines[-1].block.end
            self.stale = any(self._differs(block) for block in random.sample(self.blocks, min(SAMPLED, len(lines))))
            self._file.start_at(self.at)
        self.rows.cut(len(lines))
        self._writing(lambda kept: kept.begin(self._head, lines))

    def _fits(self, line: Line) -> bool:
        return line.block.end <= self._file.size and self._mark(line.block.end) == line.mark

    def _mark(self, end: int) -> str:
        return digest(self._bytes(max(0, end - MARK_BYTES), min(MARK_BYTES, end)))

    def _bytes(self, offset: int, length: int) -> bytes:
        return self._file.bytes_at(offset, length)

    def step(self, budget_s: float = STEP_S) -> bool:
        """Read on for a while; whether everything that is there now was read.

        Raises:
            OSError: the log can't be read.
        """
        until = time.monotonic() + budget_s
        if self.stale:
            self._file.start_at(0)
            self._anew()
        while True:
            pull = self._file.pull()
            if pull.restarted:
                self._anew()
                continue
            if not pull.advanced:
                if self._rewritten():
                    self.stale = True
                    return False
                self.done = True
                self._write()
                self.fill(min(budget_s, FILL_S))
                return True
            self.done = False
            self._take(pull.block, pull.too_long)
            if time.monotonic() > until:
                return False

    def _rewritten(self) -> bool:
        """Whether a log that has not grown was written to, and holds something else now."""
        written_ns, before_ns = self._file.written_ns, self._written_ns
        self._written_ns = written_ns
        before_end, self._ended_at = self._ended_at, self._file.offset
        if not before_ns or written_ns == before_ns or before_end != self._ended_at:
            return False
        return any(self._differs(block) for block in self.blocks)

    def _differs(self, block: Block) -> bool:
        return block.crc is not None and zlib.crc32(self.read(block)) != block.crc

    def _anew(self) -> None:
        """The log was cut or written anew."""
        self.stale = False
        self.blocks, self._held, self.tail, self.at = [], [], None, 0
        self._unwritten, self._filled = [], None
        if self.rows is not None:
            self.rows.cut(0)
        if self._kept is not None:
            self._head = Head(FORM, options_digest(self._options), digest(self._bytes(0, FIRST_BYTES)))
            self._writing(lambda kept: kept.begin(self._head, []))

    def _take(self, block: bytes | None, too_long: int) -> None:
        end = self._file.offset
        refused, bad_pnl = too_long, 0
        if block is not None:
            parsed = self._parser.parse(block)
            bad_pnl = parsed.rejected[Rejection.BAD_PNL]
            refused += parsed.rejected.total() - bad_pnl
            made = block_of(parsed, self.at, end, bad_pnl, refused)
            if len(block) == end - self.at - 1:  # nothing was left out of it
                made = msgspec.structs.replace(made, crc=zlib.crc32(block))
        elif too_long or end > self.at:
            made = Block(self.at, end, 0, refused, 0, 0.0, 0.0, (), (), ())
        else:
            return
        if made.end <= made.start:
            return
        self.at = end
        if made.end - made.start < LEAST_BYTES:
            self._hold(made)
            return
        self._settle()
        self._add(made)

    def _hold(self, made: Block) -> None:
        """Little came in; once it is enough it is read again as one block."""
        self._held.append(made)
        start = self._held[0].start
        if made.end - start >= LEAST_BYTES:
            self._settle()
        else:
            self.tail = self._read(start, made.end)

    def _settle(self) -> None:
        if self._held:
            start, end = self._held[0].start, self._held[-1].end
            self._add(self._read(start, end))
            self._held, self.tail = [], None

    def _read(self, start: int, end: int) -> Block:
        data = self._bytes(start, end - start - 1)
        return self._block(data, start, end, self._parser.parse(data))

    def _block(self, data: bytes, start: int, end: int, parsed: Parsed) -> Block:
        bad_pnl = parsed.rejected[Rejection.BAD_PNL]
        made = block_of(parsed, start, end, bad_pnl, parsed.rejected.total() - bad_pnl)
        return msgspec.structs.replace(made, crc=zlib.crc32(data))

    def fill(self, budget_s: float) -> bool:
        """Make rows of words for a while, of what is new first and then from the end of the log to its beginning;
        whether none is lacking that can be had. It takes longer than the index: nobody waits for it.

        Raises:
            OSError: the log can't be read.
        """
        rows, until = self.rows, time.monotonic() + budget_s
        if rows is None or not rows.writable:
            return True
        first, end = self._filled or (len(self.blocks), len(self.blocks))
        while end < len(self.blocks) or first > 0:
            if end < len(self.blocks):
                number, end = end, end + 1
            else:
                number = first = first - 1
            if rows.lacks(number, self.blocks[number]) and not self._fill_one(rows, number):
                self._filled = None  # another look, once it is known again what stands there
                return True
            if time.monotonic() > until:
                break
        self._filled = (first, end)
        return first == 0 and end == len(self.blocks)

    def _fill_one(self, rows: Rows, number: int) -> bool:
        block = self.blocks[number]
        data = self.read(block)
        if self.stale:
            return False
        records = self._parser.parse(data).records
        return rows.put(number, self._words.row(data if records is None else b"\n".join(records)), block)

    def _add(self, made: Block) -> None:
        self.blocks.append(made)
        if self._kept is not None:
            self._unwritten.append(Line(self._mark(made.end), made))
            if len(self._unwritten) >= WRITE_EVERY:
                self._write()

    def _write(self) -> None:
        lines, self._unwritten = self._unwritten, []
        if lines:
            self._writing(lambda kept: kept.add(lines))

    def _writing(self, write: Callable[[Kept], None]) -> None:
        """Keep it, or go on without: an index that can't be kept is built again the next time."""
        if self._kept is None or self.kept_problem:
            return
        try:
            write(self._kept)
        except OSError as error:
            self.kept_problem = f"it can't be kept: {error.strerror}"

    def read(self, block: Block) -> bytes:
        """The bytes of a block, without its last newline; where they are not those that were indexed, the next step
        begins anew (`stale`).

        Raises:
            OSError: the log can't be read.
        """
        data = self._bytes(block.start, block.end - block.start - 1)
        if block.crc is not None and zlib.crc32(data) != block.crc and block is not self.tail:
            self.stale = True
        return data

    def all_blocks(self) -> list[Block]:
        """Every stretch that was read, in the order of the file."""
        return [*self.blocks, *self.rest()]

    def rest(self) -> list[Block]:
        """What was read and is too little for a block; a last line without a newline is one, too."""
        tail = [self.tail] if self.tail is not None else []
        rest = self._file.rest
        if rest:
            end = self.at + len(rest) + 1  # as if its newline stood there
            tail.append(self._block(rest, self.at, end, self._parser.parse(rest)))
        return tail

    def close(self) -> None:
        """Give the descriptors back."""
        self._write()
        if self._kept is not None:
            self._kept.close()
        if self.rows is not None:
            self.rows.close()
        with contextlib.suppress(OSError):
            self._file.close()
