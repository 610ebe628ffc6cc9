"""The seal of an evidence file: a digest over every byte before it, in the comment that ends a zip.

It shows that a file is as it was written. Who can write a new one can seal it anew: only the digest that was printed
when it was made, kept elsewhere, shows that.
"""

from __future__ import annotations

import hashlib
import os
from typing import BinaryIO, Final

MARK: Final = b"agent-console evidence 1 sha256:"
DIGITS: Final = 64
UNSEALED: Final = MARK + b"0" * DIGITS
"""The comment while a file is written."""
_PIECE: Final = 1 << 20


def set_seal(file: BinaryIO) -> None:
    """Put the digest in its place, at the end of a zip with the comment `UNSEALED`.

    Raises:
        OSError: it can't be read or written.
    """
    digest = _digest(file)
    file.seek(-DIGITS, os.SEEK_END)
    file.write(digest)


def seal_problem(file: BinaryIO) -> str:
    """What is wrong with a file's seal, in words; empty where nothing is.

    Raises:
        OSError: it can't be read.
    """
    size = file.seek(0, os.SEEK_END)
    if size < len(UNSEALED):
        return "it is too short to be an evidence file"
    file.seek(-len(UNSEALED), os.SEEK_END)
    comment = file.read(len(UNSEALED))
    if not comment.startswith(MARK):
        return "it does not end in the seal of an evidence file: it is cut, or another file"
    if comment[len(MARK) :] != _digest(file):
        return "its bytes are not those that were sealed: it was changed"
    return ""


def _digest(file: BinaryIO) -> bytes:
    left = file.seek(0, os.SEEK_END) - DIGITS
    file.seek(0)
    digest = hashlib.sha256()
    while left > 0 and (piece := file.read(min(_PIECE, left))):
        digest.update(piece)
        left -= len(piece)
    return digest.hexdigest().encode()
