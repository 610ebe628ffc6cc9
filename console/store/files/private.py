"""Files that must never be torn: written beside their place, synced, then moved into it."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path


def write_private(path: Path, data: bytes, *, mode: int = 0o600, owner: tuple[int, int] | None = None) -> None:
    """Put `data` at `path` so that after a crash at any moment either the old file stands there or the new one.

    What stands there and is no file (`/dev/null`, `/dev/stdout`, a named pipe) is written to and never replaced; of a
    symbolic link, what it leads to is replaced.

    The folder is made (mode 0700) if it is missing. Steps: a temporary file in the same folder, fsync, rename, fsync of
    the folder.

    Args:
        path: where.
        data: the whole content.
        mode: of the file.
        owner: user and group ids of the file; None for ours.

    Raises:
        OSError: as the system says; then the old file stands, and no temporary file is left.
    """
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(path.stat().st_mode):
            with path.open("wb") as there:
                there.write(data)
            return
        path = path.resolve()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            if owner is not None and owner != (os.geteuid(), os.getegid()):
                os.fchown(file.fileno(), *owner)
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
