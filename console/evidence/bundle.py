"""Writing an evidence file: member by member, never in memory, each hashed as it is written; whole or not there."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from console.domain.errors import ConsoleError, Refused
from console.domain.text import clean
from console.evidence.names import SUMS, is_sound
from console.evidence.seal import UNSEALED, set_seal

LEVEL: Final = 3
"""Of compression: JSON lines get little smaller by more of it, and take twice as long."""
_PIECE: Final = 1 << 20
_NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})


class Bundle:
    """An evidence file that is being written.

    Args:
        archive: into which.
        at: the time that its members carry, aware UTC.
    """

    def __init__(self, archive: ZipFile, at: datetime) -> None:
        self._zip = archive
        self._at = at
        self.sums: dict[str, str] = {}
        """Member → its SHA-256, in the order in which they were written."""

    @contextmanager
    def member(self, name: str) -> Iterator[Callable[[bytes], object]]:
        """A member that is written piece by piece."""
        assert is_sound(name) and name not in self.sums, name
        info = ZipInfo(name, date_time=self._at.timetuple()[:6])
        info.compress_type = ZIP_DEFLATED
        info._compresslevel = LEVEL  # type: ignore[attr-defined]
        info.external_attr = 0o100600 << 16
        digest = hashlib.sha256()
        with self._zip.open(info, "w", force_zip64=True) as out:

            def write(data: bytes) -> None:
                digest.update(data)
                out.write(data)

            yield write
        self.sums[name] = digest.hexdigest()

    def add(self, name: str, data: bytes) -> None:
        """A member that is there already."""
        with self.member(name) as write:
            write(data)

    def add_file(self, name: str, path: Path) -> None:
        """A member from a file.

        Raises:
            OSError: it can't be read.
        """
        with path.open("rb") as file, self.member(name) as write:
            while piece := file.read(_PIECE):
                write(piece)

    def end(self) -> str:
        """Write the list of hashes; its own hash, which proves all of them."""
        data = "".join(f"{digest}  {name}\n" for name, digest in sorted(self.sums.items())).encode()
        self.add(SUMS, data)
        return hashlib.sha256(data).hexdigest()


@contextmanager
def bundle(path: Path, at: datetime) -> Iterator[Bundle]:
    """Write an evidence file, readable by its owner alone; nothing stands at `path` until all of it does.

    Raises:
        Refused: something is there already.
        ConsoleError: it can't be written.
    """
    if os.path.lexists(path):
        raise _there(path)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=".tmp", dir=path.parent)
    except OSError as error:
        raise ConsoleError(f"{clean(str(path))} can't be written: {error.strerror}.") from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w+b") as file:
            with ZipFile(file, "w", allowZip64=True) as archive:
                archive.comment = UNSEALED
                yield Bundle(archive, at)
            set_seal(file)
            file.flush()
            os.fsync(file.fileno())
        _place(temporary, path)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def _place(temporary: Path, path: Path) -> None:
    """Give it its name, where none is yet."""
    try:
        os.link(temporary, path)
    except FileExistsError as error:
        raise _there(path) from error
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(path):
            raise _there(path) from error
        temporary.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _there(path: Path) -> Refused:
    return Refused(f"{clean(str(path))} is there already, and is not written over.", "Name another file.")
