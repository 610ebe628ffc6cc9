"""The last lines of a file of any size, found from its end."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

MAX_SCAN_BYTES: Final = 64 * 1024 * 1024
"""How far back the end of a file is searched for lines: a bound on work, whatever the file holds."""
MAX_LINE_BYTES: Final = 1024 * 1024
_FIRST_BLOCK: Final = 64 * 1024
_MAX_BLOCK: Final = 1024 * 1024


def tail_lines(path: str | Path, n: int, *, max_line_bytes: int = MAX_LINE_BYTES) -> list[bytes]:
    """The last `n` lines, oldest first, without their newlines; a last line that has none yet counts as one.

    Args:
        path: a regular file.
        n: 0 or more.
        max_line_bytes: of a longer line only this many bytes, its first ones, are kept.

    Only the last MAX_SCAN_BYTES are looked at: lines that begin before them are left out, unless no line ends there.

    Raises:
        OSError: it can't be opened or read.
    """
    with Path(path).open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        last = os.pread(file.fileno(), 1, size - 1) if size else b"\n"
        complete = n if last == b"\n" else n - 1
        start = start_of_last_lines(file.fileno(), size, complete) if n > 0 else size
        lines: list[bytes] = []
        line = bytearray()
        while start < size and (block := os.pread(file.fileno(), min(_MAX_BLOCK, size - start), start)):
            start += len(block)
            *ended, rest = block.split(b"\n")
            for end in ended:
                lines.append(bytes(line + end)[:max_line_bytes])
                line.clear()
            line += rest[: max(0, max_line_bytes - len(line))]
        if line:
            lines.append(bytes(line))
        return lines[-n:] if n > 0 else []


def start_of_last_lines(fd: int, size: int, n: int) -> int:
    """Where the last `n` complete lines begin among the first `size` bytes; what follows the last newline is no line.

    Where fewer lines lie within the last MAX_SCAN_BYTES, the first of those; where none ends there, that bound itself,
    in the middle of a line.

    Raises:
        OSError: the file can't be read.
    """
    return find_start(lambda length, offset: os.pread(fd, length, offset), size, n)


def find_start(read: Callable[[int, int], bytes], size: int, n: int) -> int:
    """`start_of_last_lines` over any way to read `length` bytes at an offset."""
    floor = max(0, size - MAX_SCAN_BYTES)
    end, length, seen, earliest = size, _FIRST_BLOCK, 0, -1
    while end > floor:
        start = max(floor, end - length)
        block = read(end - start, start)
        newlines = block.count(b"\n")
        if seen + newlines > n:
            place = len(block)
            for _ in range(n - seen + 1):
                place = block.rfind(b"\n", 0, place)
            return start + place + 1
        if newlines:
            earliest = start + block.find(b"\n") + 1
        seen += newlines
        end, length = start, min(length * 2, _MAX_BLOCK)
    if floor == 0:
        return 0
    return earliest if earliest >= 0 else floor
