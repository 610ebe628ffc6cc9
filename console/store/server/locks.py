"""Locks between processes, on files: the kernel gives them back when their holder dies, however it dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from console.domain.errors import ConsoleError
from console.domain.text import clean


def take_lock(path: Path, kind: int = fcntl.LOCK_EX) -> int | None:
    """Take the lock on a file, made if it is missing.

    Returns:
        The file's descriptor: the lock lasts until it, and each copy that a child process inherited, is closed. None
        while somebody else holds the lock.

    Raises:
        ConsoleError: the file can't be opened.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise ConsoleError(
            f"The lock file {clean(path)} can't be opened ({clean(error.strerror or error, 80)}).",
            "Is the folder yours, and its disk writable?",
        ) from error
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def is_locked(path: Path) -> bool:
    """Whether somebody holds the lock for good; those who look share it with each other."""
    if not path.exists():
        return False
    descriptor = take_lock(path, fcntl.LOCK_SH)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False
