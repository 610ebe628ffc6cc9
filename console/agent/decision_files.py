"""The files of a decision log: the one that is written, those it was rotated into, and the lock of their one writer.

`path.1` is the newest of the rotated ones. The lock is that of `.NAME.lock` beside the file, which rotation leaves
alone, and of the file itself: so a lock file that somebody removed lets no second writer in, and where none can be made
(in a folder that belongs to somebody else nothing can be rotated either) the file's is enough. Both end with the
process.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO, Final

from console.domain.fence.chain import Mark
from console.domain.fence.sealed import LinesVerdict, Seal, read_seal, verify_lines
from console.domain.text import clean

MAX_LINE: Final = 16 << 20
"""Bytes of a line that is read; what is longer is no record."""
TRIES: Final = 50
"""How often the files of a log are opened anew because they were rotated meanwhile."""
_ROTATED: Final = re.compile(r"\.([1-9][0-9]{0,4})\Z")
_WINDOW: Final = 64 << 10
_LONGEST_NAME: Final = 200


class HeldByAnother(Exception):  # noqa: N818 - it is a state
    """Another writer has the lock; the text says who."""


def place_of(path: Path | str, slot: str, instance: str) -> Path:
    """The file that a log is written to: in a folder one that is named after its writer.

    Nothing in a name leads out of the folder: what is not a letter, a digit, `.`, `_` or `-` is replaced, and a hash of
    the whole name added so that two names stay two.
    """
    if not (str(path).endswith("/") or os.path.isdir(path)):  # noqa: PTH112 - which raises nothing, as a Path may
        return Path(path)
    whole = "-".join(part for part in (slot, instance) if part)
    name = re.sub(r"[^A-Za-z0-9._-]", "_", whole).lstrip(".")[:_LONGEST_NAME]
    if name != whole:
        name = f"{name}-{hashlib.sha256(whole.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    return Path(path) / f"{name}.jsonl"


def open_file(path: Path | str, mode: int, flags: int = 0) -> int:
    """A file to read and append to; made with these permissions if it is missing, and given them where it lacks some.

    Raises:
        OSError: it can't be had.
    """
    flags |= os.O_RDWR | os.O_APPEND | os.O_CLOEXEC
    try:
        file = os.open(path, flags | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        file = os.open(path, flags | os.O_CREAT, mode)
    has = os.fstat(file).st_mode
    if stat.S_ISREG(has) and mode & ~has:  # the process's umask took some, or it was made with fewer
        with suppress(PermissionError):  # it belongs to somebody else, who has decided
            os.fchmod(file, stat.S_IMODE(has) | mode)
    return file


def is_regular(path: Path) -> bool:
    """Whether a path is a file's, or free for one; devices and pipes have no lock and no past."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return True


def lock_beside(path: Path, mode: int, who: str) -> int | None:
    """Take the lock of a log's path; None in a folder where none can be made.

    Args:
        path: of the log.
        mode: the lock file's permissions.
        who: is told to those who are refused.

    Raises:
        HeldByAnother: another writer has it.
        OSError: there is no way to lock.
    """
    folder, name = os.path.split(os.path.realpath(path))
    lock = Path(folder) / f".{name}.lock"
    while True:
        try:
            file = open_file(lock, mode, os.O_NOFOLLOW)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
                return None
            raise
        try:
            lock_file(file)
            with suppress(FileNotFoundError):
                if lock.stat().st_ino == os.fstat(file).st_ino:
                    _sign(file, who)
                    return file
            os.close(file)  # it was removed before it was locked
        except BaseException:
            os.close(file)
            raise


def lock_file(file: int) -> None:
    """Lock an open file for this writer, for as long as it is open.

    Raises:
        HeldByAnother: another writer has it.
        OSError: its file system has no locks.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise HeldByAnother(_signature(file)) from None


def _sign(file: int, who: str) -> None:
    with suppress(OSError):  # the disk is full: the lock holds without a name
        os.ftruncate(file, 0)
        os.write(file, f"{os.getpid()} {clean(socket.gethostname(), 64)} {clean(who, 80)}\n".encode())


def _signature(file: int) -> str:
    """Who has signed a lock file."""
    pid, _, rest = os.pread(file, 512, 0).partition(b"\n")[0].partition(b" ")
    if not pid.isdigit() or len(pid) > 20:
        return "another writer"
    host, _, who = clean(rest, 160).partition(" ")
    here = host == clean(socket.gethostname(), 64)
    if here and int(pid) == os.getpid():
        return f"process {os.getpid()}, this one, in another DecisionLog ({who})"
    return f"process {int(pid)}{'' if here else f' on {host}'} ({who})"


def last_seal(file: int) -> Seal | None:
    """The last whole record of a file, as far back as `MAX_LINE`; None without one."""
    size, window = os.fstat(file).st_size, _WINDOW
    while True:
        start = max(0, size - window)
        lines = os.pread(file, size - start, start).split(b"\n")
        for line in reversed(lines[1:] if start else lines):
            seal = read_seal(line)
            if seal is not None:
                return seal
        if start == 0 or window >= MAX_LINE:
            return None
        window *= 4


def is_torn(file: int) -> bool:
    """Whether a file ends in the middle of a line."""
    size = os.fstat(file).st_size
    return size > 0 and os.pread(file, 1, size - 1) != b"\n"


def numbered(path: Path, number: int) -> Path:
    """The file that a log was rotated into; 0 for the one that is written."""
    return path.with_name(f"{path.name}.{number}") if number else path


def rotate(path: Path, keep: int) -> None:
    """Move every file of a log one on; the oldest of `keep` rotated ones is dropped.

    Raises:
        OSError: one can't be moved; the next attempt goes on from there, and loses none.
    """
    free = next((number for number in range(1, keep) if not numbered(path, number).exists()), keep)
    for number in range(free, 0, -1):
        with suppress(FileNotFoundError):
            numbered(path, number - 1).replace(numbered(path, number))


def verify_files(path: Path | str, remembered: Mark | None = None, after: str | None = None) -> LinesVerdict:
    """Whether a log is whole, over the files it was rotated into; it may be written meanwhile.

    Args:
        path: of the file that is written.
        remembered: number and hash of the last record at an earlier look (`sequence` and `head` of a verdict).
        after: the hash before the first record that is kept; None to take its word for it, empty from the beginning.

    Raises:
        OSError: a file can't be read, or there is none and nothing is remembered of it.
    """
    path = Path(path)
    with ExitStack() as stack:
        files = _open_all(path, stack)
        if not files and remembered is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return verify_lines((line for file in files for line in _lines(file)), after, remembered)


def _open_all(path: Path, stack: ExitStack) -> list[BinaryIO]:
    """The files of a log, the oldest first, as they stood at one moment."""
    for _ in range(TRIES):
        with ExitStack() as attempt:
            files: list[BinaryIO] = []
            for one in _paths(path):
                with suppress(FileNotFoundError):
                    files.append(attempt.enter_context(one.open("rb")))
            if [_identity(one) for one in _paths(path)] == [os.fstat(file.fileno()).st_ino for file in files]:
                stack.enter_context(attempt.pop_all())
                return files
    raise BlockingIOError(errno.EAGAIN, "it is rotated faster than it can be opened", str(path))


def _paths(path: Path) -> list[Path]:
    beside = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
    numbers = [
        int(match[1])
        for name in beside
        if name.startswith(path.name) and (match := _ROTATED.fullmatch(name[len(path.name) :]))
    ]
    return [*(numbered(path, number) for number in sorted(numbers, reverse=True)), *([path] if path.exists() else [])]


def _identity(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def _lines(file: BinaryIO) -> Iterator[bytes]:
    while line := file.readline(MAX_LINE):
        if not line.endswith(b"\n") and len(line) < MAX_LINE:
            time.sleep(0.05)  # it may just be written
            line += file.readline(MAX_LINE)
        yield line
