"""What a file is that holds no records as lines of UTF-8: named, with what to do about it, instead of refused line by
line."""

from __future__ import annotations

import json
from typing import Final

FORM_BYTES: Final = 64 * 1024
"""How much of a file's beginning is looked at."""
_PACKED: Final = (
    (b"\x1f\x8b", "gzip", "gunzip"),
    (b"\x28\xb5\x2f\xfd", "zstd", "unzstd"),
    (b"\xfd7zXZ\x00", "xz", "unxz"),
    (b"BZh", "bzip2", "bunzip2"),
    (b"PK\x03\x04", "a zip archive", "unzip"),
    (b"\x04\x22\x4d\x18", "lz4", "unlz4"),
)
_WIDE: Final = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
    (b"{\x00", "UTF-16"),
    (b"\x00{", "UTF-16"),
)
_BOM: Final = b"\xef\xbb\xbf"


def form_of(beginning: bytes) -> str:
    """What is wrong with a file's form and what to do; empty where there is nothing to be said against it.

    Args:
        beginning: its first FORM_BYTES.
    """
    for magic, name, tool in _PACKED:
        if beginning.startswith(magic):
            return f"is {name}, no text: unpack it first ({tool})"
    for magic, name in _WIDE:
        if beginning.startswith(magic):
            return f"is {name}, not UTF-8: convert it (iconv -f {name} -t UTF-8)"
    text = beginning.removeprefix(_BOM).lstrip(b" \t\r\n")
    if b"\n" not in beginning and b"}\r" in text:
        return "ends its lines with CR alone: convert it (tr '\\r' '\\n')"
    rest = text[1:].lstrip(b" \t")
    if text.startswith(b"[") and (rest[:1] in (b"{", b"\n", b"\r")) and not _any_record(beginning):
        return "is one JSON array, not a record a line: take it apart (jq -c '.[]')"
    if text.startswith(b"{") and rest[:1] in (b"\n", b"\r") and not _any_record(beginning):
        return "spreads a record over many lines: one record a line (jq -c .)"
    return ""


def _any_record(beginning: bytes) -> bool:
    """Whether any line is an object by itself."""
    for line in beginning.split(b"\n"):
        if line.lstrip().startswith(b"{") and line.rstrip().endswith(b"}"):
            try:
                json.loads(line)
            except (ValueError, RecursionError):
                continue
            return True
    return False
