"""Logs packed by gzip, as rotation leaves them: unpacked once into the cache folder, and read there like any other.

A log is looked into at many places, and gzip can only be read from its beginning; so the text is kept on disk, never in
memory. An archive that is torn, that is no archive after all, or that would fill the disk is named instead.
"""

from __future__ import annotations

import gzip
import os
import shutil
import tempfile
import zlib
from pathlib import Path
from typing import Final

from console.logs.files.openfile import NotAFile
from console.regular import open_regular

MAGIC: Final = b"\x1f\x8b"
CHUNK: Final = 1 << 20
MOST_BYTES: Final = 16 << 30
"""Of one unpacked log."""
MOST_TIMES: Final = 200
"""A log is not packed tighter; a bomb is."""
SMALL_BYTES: Final = 64 << 20
"""What is smaller is unpacked however tight it is."""
FREE_BYTES: Final = 512 << 20
"""What is left free on the disk."""


def readable(path: Path, folder: Path | None) -> Path:
    """Where the lines of a log can be read: the log itself, or its unpacked text where it is packed by gzip.

    Args:
        path: of the log.
        folder: where unpacked texts are kept; None to unpack none.

    Raises:
        NotAFile: it is an archive that can't be unpacked.
        OSError: it can't be read, or its text can't be written.
    """
    if folder is None or not path.is_file():  # whoever reads it says what it is
        return path
    with open_regular(path) as file:
        if file.read(len(MAGIC)) != MAGIC:
            return path
        status = os.fstat(file.fileno())
        of_log = folder / "unpacked" / f"{status.st_dev:x}-{status.st_ino:x}"
        text = of_log / f"{status.st_size:x}-{status.st_mtime_ns:x}" / path.name.removesuffix(".gz")
        if text.exists():
            return text
        text.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        for before in of_log.iterdir():  # of what stood in the archive before
            if before.name != text.parent.name:
                shutil.rmtree(before, ignore_errors=True)
        file.seek(0)
        part = tempfile.NamedTemporaryFile(dir=text.parent, prefix=".part-", delete=False)  # noqa: SIM115
        try:
            with part:
                _unpack(gzip.GzipFile(fileobj=file, mode="rb"), part, status.st_size)
            Path(part.name).rename(text)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise NotAFile("is a torn gzip archive: it can't be unpacked to its end") from error
        finally:
            Path(part.name).unlink(missing_ok=True)
        return text


def _unpack(packed: gzip.GzipFile, text: tempfile._TemporaryFileWrapper[bytes], size: int) -> None:
    """Write the text out.

    Raises:
        NotAFile: it is larger than a log may be, or than the disk can hold.
        EOFError, OSError, zlib.error: the archive is torn.
    """
    written = 0
    while data := packed.read(CHUNK):
        written += len(data)
        if written > max(SMALL_BYTES, MOST_TIMES * size) or written > MOST_BYTES:
            raise NotAFile(f"is a gzip archive of more than {written - 1:,} bytes: no log is packed so tight")
        if shutil.disk_usage(text.name).free < FREE_BYTES + len(data):
            raise NotAFile("is a gzip archive whose text does not fit on the disk of the cache folder")
        text.write(data)
