"""Logs packed by gzip or zstd, as rotation leaves them: unpacked once into the cache folder, and read there like any
other.

A log is looked into at many places, and an archive can only be read from its beginning; so the text is kept on disk,
never in memory. An archive that is torn, that is no archive after all, or that would fill the disk is named instead.
"""

from __future__ import annotations

import gzip
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from console.logs.files.openfile import NotAFile
from console.regular import open_regular

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_PASSED_OVER: Final = b"\x2a\x4d\x18"
"""Behind its first byte, of a frame of zstd that holds no text."""
MAGIC_BYTES: Final = 4
PIECE: Final = 512
"""Of a zstd archive, at once: four bytes of it may stand for 128 KiB of text."""
_HEAD_BYTES: Final = 18
MOST_WINDOW: Final = 64 << 20
"""What zstd may ask to be held in memory, bytes."""
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
    """Where the lines of a log can be read: the log itself, or its unpacked text where it is packed.

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
        kind = _kind_of(file.read(MAGIC_BYTES))
        if not kind:
            return path
        status = os.fstat(file.fileno())
        of_log = folder / "unpacked" / f"{status.st_dev:x}-{status.st_ino:x}"
        text = (
            of_log / f"{status.st_size:x}-{status.st_mtime_ns:x}" / path.name.removesuffix(".gz").removesuffix(".zst")
        )
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
                _unpack(_of_gzip(file) if kind == "gzip" else _of_zstd(file), kind, part, status.st_size)
            Path(part.name).rename(text)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise NotAFile(f"is a torn {kind} archive: it can't be unpacked to its end") from error
        finally:
            Path(part.name).unlink(missing_ok=True)
        return text


def _kind_of(beginning: bytes) -> str:
    """By what a file is packed; empty for any other."""
    if beginning.startswith(_GZIP):
        return "gzip"
    empty = beginning[1:] == _PASSED_OVER and beginning[0] >> 4 == 5
    return "zstd" if beginning == _ZSTD or empty else ""


def _of_gzip(file: BinaryIO) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=file, mode="rb") as packed:
        while data := packed.read(CHUNK):
            yield data


def _of_zstd(file: BinaryIO) -> Iterator[bytes]:
    """The text of every frame.

    Raises:
        EOFError: the last frame is torn, or something else follows it.
        NotAFile: it asks for too much memory.
    """
    import zstandard

    unpacker = zstandard.ZstdDecompressor(max_window_size=MOST_WINDOW)
    frame, head = None, b""
    for piece in _pieces(file):
        while piece:
            frame, head = (frame, head) if frame else (unpacker.decompressobj(), b"")
            head = (head + piece)[:_HEAD_BYTES]
            try:
                data = frame.decompress(piece)
            except zstandard.ZstdError as error:
                if _window_of(head) > MOST_WINDOW:
                    raise NotAFile(
                        f"is a zstd archive that takes more than {MOST_WINDOW >> 20} MiB of memory"
                    ) from error
                raise EOFError from error
            piece = frame.unused_data if frame.eof else b""
            frame = None if frame.eof else frame
            if data:
                yield data
    if frame is not None:
        raise EOFError


def _window_of(head: bytes) -> int:
    """What a frame asks to be held in memory; 0 where it does not say."""
    import zstandard

    try:
        return zstandard.get_frame_parameters(head).window_size
    except zstandard.ZstdError:
        return 0


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while data := file.read(CHUNK):
        for at in range(0, len(data), PIECE):
            yield data[at : at + PIECE]


def _unpack(packed: Iterator[bytes], kind: str, text: tempfile._TemporaryFileWrapper[bytes], size: int) -> None:
    """Write the text out.

    Raises:
        NotAFile: it is larger than a log may be, or than the disk can hold.
        EOFError, OSError, zlib.error: the archive is torn.
    """
    written = looked = 0
    for data in packed:
        written += len(data)
        if written > max(SMALL_BYTES, MOST_TIMES * size) or written > MOST_BYTES:
            raise NotAFile(f"is a {kind} archive of more than {written - 1:,} bytes: no log is packed so tight")
        if written > looked and shutil.disk_usage(text.name).free < FREE_BYTES + len(data):
            raise NotAFile(f"is a {kind} archive whose text does not fit on the disk of the cache folder")
        if written > looked:
            looked = written + CHUNK
        text.write(data)
