"""Files that people name, opened so that nothing hangs: a FIFO, a device or a folder is refused before it is read."""

from __future__ import annotations

import errno
import os
import stat
from io import FileIO
from pathlib import Path


def open_regular(path: Path | str) -> FileIO:
    """Open a file for reading, unbuffered bytes from its beginning.

    Args:
        path: of a regular file, or of a link to one.

    Raises:
        OSError: it can't be opened, or is no regular file: a FIFO would be waited for, a device never ends.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    mode = os.fstat(handle).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(handle, "rb", buffering=0)
    os.close(handle)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise OSError(errno.EINVAL, "It is no regular file", str(path))


class SharedFileError(OSError):
    """A file that holds a secret can be read by others than its owner."""


def read_owned(path: Path | str, most_bytes: int) -> bytes:
    """All of a file that nobody but its owner can read; its mode is that of the very file that is read.

    Args:
        path: of a regular file.
        most_bytes: what it may have.

    Raises:
        SharedFileError: others can read it.
        OSError: as `read_regular`.
    """
    with open_regular(path) as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise SharedFileError(errno.EACCES, "Others than its owner can read it", str(path))
        return _read_all(file, path, most_bytes)


def read_regular(path: Path | str, most_bytes: int) -> bytes:
    """All of a file.

    Args:
        path: of a regular file.
        most_bytes: what it may have.

    Raises:
        OSError: as `open_regular`; or it is larger.
    """
    with open_regular(path) as file:
        return _read_all(file, path, most_bytes)


def _read_all(file: FileIO, path: Path | str, most_bytes: int) -> bytes:
    if os.fstat(file.fileno()).st_size > most_bytes:
        raise OSError(errno.EFBIG, f"It has more than {most_bytes:,} bytes", str(path))
    data = bytearray()
    while piece := file.read(min(1 << 20, most_bytes + 1 - len(data))):
        data += piece
    if len(data) > most_bytes:
        raise OSError(errno.EFBIG, f"It has more than {most_bytes:,} bytes", str(path))
    return bytes(data)
