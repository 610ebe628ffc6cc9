"""The text that stands in JSON for a value without parts, and text made fit for JSON."""

from __future__ import annotations

import json
from datetime import date
from datetime import time as time_of_day
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple
from uuid import UUID

CUT: Final = "…"


class Converted(NamedTuple):
    """A value as JSON, and in how many places something was left out."""

    text: str
    cuts: int


def whole_text(text: str) -> str:
    """Text that can be encoded: two halves of a surrogate pair become their character, a lone one U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def quoted(text: str, max_bytes: int) -> Converted:
    """Text as JSON of at most `max_bytes` (8 or more), cut where it is longer."""
    if len(text) < max_bytes:
        whole = json.dumps(whole_text(text), ensure_ascii=False)
        size = size_of(whole)
        if size <= max_bytes:
            return Converted(whole, 0)
        keep = len(text) * max_bytes // size
    else:
        keep = max_bytes
    while True:
        cut = json.dumps(whole_text(text[:keep]) + CUT, ensure_ascii=False)
        size = size_of(cut)
        if size <= max_bytes or not keep:
            return Converted(cut, 1)
        keep = min(keep - 1, keep * max_bytes // size)


def size_of(text: str) -> int:
    """Bytes in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def name_of(kind: type) -> str:
    """The name of a class."""
    name = type.__dict__["__name__"].__get__(kind)  # a metaclass may have its own idea of a name
    return name if isinstance(name, str) else "object"


def number_text(value: int) -> str:
    """A whole number of any length in decimal digits; beyond 64 Kibit in hexadecimal, which takes no quadratic time."""
    if int.bit_length(value) <= 1 << 16:
        return str(Decimal(int.__index__(value)))  # which knows no bound of digits
    return hex(int.__index__(value))


def text_of(value: object, room: int) -> str | None:
    """The text that stands for a value without parts; None for one that has parts."""
    kind = type(value)
    if issubclass(kind, str):
        return str.__str__(value)
    if issubclass(kind, bytes | bytearray | memoryview):
        return _bytes_text(value, room)  # type: ignore[arg-type]
    if issubclass(kind, date | time_of_day):
        return str(value.isoformat())  # type: ignore[attr-defined]
    if issubclass(kind, Decimal | Fraction | UUID):
        return str(value)
    if issubclass(kind, BaseException):
        return f"{name_of(kind)}: {value!s}"
    return None


def _bytes_text(value: bytes | bytearray | memoryview, room: int) -> str:
    raw = value.tobytes() if isinstance(value, memoryview) else bytes(value)
    some = raw[: room + 4]
    try:
        return some.decode()
    except UnicodeDecodeError as error:
        if len(some) < len(raw) and error.start >= len(some) - 3:  # cut within a character
            return some[: error.start].decode()
    return "0x" + some.hex()


def fraction_text(value: float) -> str:
    """Digits, or `NaN`, `Infinity`, `-Infinity`."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return float.__repr__(value)
