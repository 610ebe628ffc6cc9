"""The files of a recording: one, or where it is bounded several that follow each other, the oldest of which go."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import BinaryIO, Final

from console.domain.board.boards import Seen
from console.domain.errors import ConsoleError, Refused
from console.domain.seen.observation import Observation
from console.domain.text import clean
from console.recording.frame import Frame, FrameCodec
from console.recording.frames import KEY_EVERY_S, Frames

PARTS: Final = 4
"""A bounded recording lies in so many files: when it is full, a quarter of it goes."""
LEAST_BYTES: Final = 1024 * 1024
"""A recording can't be bounded to less: a whole observation must fit."""


class Ring:
    """Writes a recording. Each frame stands in the file before the next is taken: what was recorded survives a kill.

    Args:
        path: the first file; others are called `path.2`, `path.3`, …
        most_bytes: of all files together; None for no bound.
        key_every_s: between two key frames.

    Raises:
        Refused: something is there already.
        ConsoleError: it can't be written.
    """

    def __init__(self, path: Path, *, most_bytes: int | None = None, key_every_s: float = KEY_EVERY_S) -> None:
        if most_bytes is not None and most_bytes < LEAST_BYTES:
            raise Refused(f"A recording can't be bounded to {most_bytes} bytes.", "Give 1MB or more.")
        if there := parts_of(path):
            raise Refused(f"{clean(there[0])} is there already, and is not written over.", "Name another file.")
        self.path = path
        self._most, self._key_every_s = most_bytes, key_every_s
        self._codec = FrameCodec()
        self._files: list[tuple[Path, int]] = []
        self._number = self._place = 0
        self._frames = Frames(self._codec, key_every_s=key_every_s)
        self._file: BinaryIO | None = None
        self.written = 0
        """Frames."""
        self._open()

    @property
    def size(self) -> int:
        """Of all files that are there."""
        return sum(size for _path, size in self._files) + self._place

    def add(self, observation: Observation, boards: Seen | None = None) -> None:
        """Write one frame down.

        Args:
            observation: of store and logs.
            boards: as they were read by then; None where nobody reads them.

        Raises:
            ConsoleError: it can't be written; what stands in the file is whole but for this frame.
        """
        if self._most is not None and self._place >= self._most // PARTS:
            self._next()
        if self._place == 0:
            self._write(self._frames.begin(observation))
        self._write(self._frames.add(Frame(observation, boards), self._place))
        self.written += 1

    def close(self) -> None:
        """End the recording: its index is written.

        Raises:
            ConsoleError: it can't be; what was recorded is there.
        """
        if self._file is None:
            return
        try:
            if self._frames.frames:
                self._write(self._frames.end(self._place))
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._failed(error) from error
        finally:
            self._file.close()
            self._file = None
        if not self._frames.frames and not self._files:
            self._path.unlink(missing_ok=True)

    @property
    def _path(self) -> Path:
        return self.path if self._number == 1 else self.path.with_name(f"{self.path.name}.{self._number}")

    def _open(self) -> None:
        self._number += 1
        self._place = 0
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            raise Refused(f"{clean(self._path)} is there already, and is not written over.") from None
        except OSError as error:
            raise self._failed(error) from error
        self._file = os.fdopen(handle, "wb", buffering=0)

    def _next(self) -> None:
        """The next file begins, and the oldest go until there is room for it."""
        assert self._most is not None
        last, path = self._frames.last, self._path
        self.close()
        self._files.append((path, self._place))
        self._place = 0
        while self._files and self.size > self._most - self._most // PARTS:
            oldest, _size = self._files.pop(0)
            with contextlib.suppress(FileNotFoundError):
                oldest.unlink()
        self._frames = Frames(self._codec, last, key_every_s=self._key_every_s)
        self._open()

    def _write(self, data: bytes) -> None:
        assert self._file is not None
        left = memoryview(data)
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            with contextlib.suppress(OSError):  # half a frame is no frame; where this fails too, a reader cuts it off
                self._file.truncate(self._place)
            raise self._failed(error) from error
        self._place += len(data)

    def _failed(self, error: OSError) -> ConsoleError:
        return ConsoleError(
            f"{clean(self._path)} can't be written: {error.strerror or error}.",
            "What was recorded until then is there.",
        )


def parts_of(path: Path) -> tuple[Path, ...]:
    """The files of a recording that are there, in their order."""
    numbered = re.compile(re.escape(path.name) + r"\.([0-9]{1,9})\Z")
    folder = path.parent
    parts: list[tuple[int, Path]] = [(1, path)] if os.path.lexists(path) else []
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        matches = ((numbered.match(one.name), one) for one in folder.iterdir())
        parts += [(int(match[1]), one) for match, one in matches if match is not None]
    return tuple(one for _number, one in sorted(parts))
