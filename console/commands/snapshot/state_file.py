"""The agent's own state file, as commands read and put it back."""

from __future__ import annotations

from pathlib import Path

from console.domain.errors import ConsoleError
from console.regular import read_regular
from console.store.files.private import write_private

MAX_BYTES = 16 * 1024 * 1024


def read_state_text(path: Path) -> str:
    """Its text.

    Raises:
        ConsoleError: it is missing, too large, unreadable, or not UTF-8: a snapshot without it would be a lie.
    """
    try:
        return read_regular(path, MAX_BYTES).decode()
    except OSError as error:
        raise ConsoleError(f"The state file {path} can't be read: {error.strerror}.", "Check --state-file.") from error
    except UnicodeDecodeError as error:
        raise ConsoleError(f"The state file {path} is not UTF-8.") from error


def write_state_text(path: Path, text: str) -> None:
    """Put it back whole, keeping the file's owner, group and mode.

    Raises:
        ConsoleError: it can't be written; then the old file stands.
    """
    try:
        if not path.exists():
            write_private(path, text.encode())
            return
        path = path.resolve()  # a link stays one
        before = path.stat()
        write_private(path, text.encode(), mode=before.st_mode & 0o7777, owner=(before.st_uid, before.st_gid))
    except OSError as error:
        raise ConsoleError(f"The state file {path} can't be written: {error.strerror}.") from error
