"""Where an index is kept between two runs: one file a log, appended to, thrown away whenever it does not fit.

The first line says of what it is an index; each further line is a block; each ends in its own digest. Nothing in it is
believed without a look at the log: the bytes before the last block's end have to be those that stood there.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path
from typing import Any, Final

import msgspec

from console.logs.index.block import Block
from console.logs.options import LogOptions

FORM: Final = 4
"""Of what is kept; another one is begun anew."""
MARK_BYTES: Final = 256


class Head(msgspec.Struct, array_like=True, frozen=True):
    """Of what it is an index.

    Args:
        form: see `FORM`.
        options: digest of where values lie in a record.
        first: digest of the log's first bytes.
    """

    form: int
    options: str
    first: str


class Line(msgspec.Struct, array_like=True, frozen=True):
    """A block as it is kept.

    Args:
        mark: digest of the bytes before its end.
        block: what it holds.
    """

    mark: str
    block: Block


_head: Final = msgspec.json.Decoder(Head)
_line: Final = msgspec.json.Decoder(Line)
_encode: Final = msgspec.json.Encoder().encode


def digest(data: bytes) -> str:
    """Of bytes that have to be the same."""
    return hashlib.blake2b(data, digest_size=12).hexdigest()


def options_digest(options: LogOptions) -> str:
    """Of what of the options an index depends on: slots are worked out when it is asked."""
    mapping = () if options.mapping is None else (options.mapping,)
    return digest(repr((options.paths, options.max_line_bytes, *mapping)).encode())


class Kept:
    """The file of one log's index.

    Args:
        folder: of all of them.
        identity: device and inode of the log: it may be renamed.
    """

    def __init__(self, folder: Path, identity: tuple[int, int]) -> None:
        self.path = folder / f"{identity[0]:x}-{identity[1]:x}.idx"
        self._fd = -1

    def open(self) -> bool:
        """Whether it may be written to: not while another process does, nor where the folder can't be written to."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError:
            return False
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._fd)
            self._fd = -1
            return False
        return True

    def read(self, head: Head) -> list[Line]:
        """The blocks that are kept, as far as they follow one another; none where they are of another log."""
        try:
            lines = self.path.read_bytes().split(b"\n")
        except OSError:
            return []
        kept: list[Line] = []
        alike: dict[object, Any] = {}
        try:
            if _head.decode(_sealed(lines[0])) != head:
                return []
            for raw in lines[1:-1]:  # what follows the last newline was cut
                line = _line.decode(_sealed(raw))
                if line.block.start != (kept[-1].block.end if kept else 0) or line.block.end <= line.block.start:
                    break
                block = line.block
                who, kinds = (alike.setdefault(names, names) for names in (block.who, block.kinds))
                kept.append(Line(line.mark, msgspec.structs.replace(block, who=who, kinds=kinds)))
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return kept
        return kept

    def begin(self, head: Head, lines: list[Line]) -> None:
        """Write all of it anew.

        Raises:
            OSError: it can't be written.
        """
        if self._fd < 0:
            return
        text = b"".join([_seal(head), *map(_seal, lines)])
        os.ftruncate(self._fd, 0)
        os.lseek(self._fd, 0, os.SEEK_SET)
        _write(self._fd, text)

    def add(self, lines: list[Line]) -> None:
        """Write further blocks down.

        Raises:
            OSError: it can't be written.
        """
        if self._fd >= 0 and lines:
            os.lseek(self._fd, 0, os.SEEK_END)
            _write(self._fd, b"".join(map(_seal, lines)))

    def close(self) -> None:
        """Let another process write it."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _seal(one: Head | Line) -> bytes:
    data = _encode(one)
    return data + b"\t" + digest(data).encode() + b"\n"


def _sealed(raw: bytes) -> bytes:
    """What a line holds.

    Raises:
        ValueError: it is not as it was written.
    """
    data, _, seal = raw.rpartition(b"\t")
    if digest(data).encode() != seal:
        raise ValueError("a line of an index is not as it was written")
    return data


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
