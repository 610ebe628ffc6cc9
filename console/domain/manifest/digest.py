"""The SHA-256 of any value that a manifest is made of, in a canonical form: of equal values it is equal.

Each value is written with its kind and its length, so that no two different values have the same form; members of
mappings are put in order, members of sequences keep theirs.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from itertools import islice
from typing import Any, Final

from console.domain.errors import UsageError

MAX_BYTES: Final = 256 * 1024 * 1024
"""Of one part's text, together."""
MAX_VALUES: Final = 1_000_000
MAX_DEPTH: Final = 64


def digest(value: object, what: str = "the value") -> str:
    """64 hexadecimal digits: the SHA-256 of a value's canonical form.

    Args:
        value: text, bytes, numbers, truth values, None, and mappings (by text), sequences, sets, named tuples and
            dataclasses of such.
        what: its name, for an error.

    Raises:
        UsageError: it holds something else, a number that is none, or is too large.
    """
    total = hashlib.sha256()
    left = MAX_BYTES
    for number, piece in enumerate(_pieces(value, what, 0)):
        left -= len(piece)
        if left < 0 or number > MAX_VALUES:
            raise UsageError(
                f"{what} is more than a manifest is made of ({MAX_BYTES >> 20} MiB, {MAX_VALUES:,} values)."
            )
        total.update(piece)
    return total.hexdigest()


def _framed(kind: str, data: bytes) -> Iterator[bytes]:
    yield f"{kind}{len(data)}:".encode()
    yield data


def _pieces(value: Any, what: str, depth: int) -> Iterator[bytes]:
    if depth > MAX_DEPTH:
        raise UsageError(f"{what} is nested more than {MAX_DEPTH} deep.")
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, bool):
        yield {None: b"n", True: b"t", False: b"f"}[value]
    elif isinstance(value, str):
        yield from _framed("s", value.encode("utf-8", "surrogatepass"))
    elif isinstance(value, bytes | bytearray | memoryview):
        yield from _framed("b", bytes(value))
    elif isinstance(value, int | float | Decimal):
        yield from _framed("d", _number(value, what))
    elif isinstance(value, Mapping):
        yield from _mapping(value, what, depth)
    elif is_dataclass(value) and not isinstance(value, type):
        named = {one.name: getattr(value, one.name) for one in fields(value)}
        yield from _mapping(named, what, depth)
    elif isinstance(value, Set):
        hashes = sorted(digest(one, what) for one in islice(value, MAX_VALUES + 1))
        yield from _framed("x", "".join(hashes).encode())
    elif isinstance(value, Sequence):
        yield from _row(value, what, depth)
    else:
        raise UsageError(
            f"{what} holds a {type(value).__name__}, which has no canonical form.",
            "A manifest is made of text, numbers, lists and dictionaries: say what is meant in such.",
        )


def _number(value: int | float | Decimal, what: str) -> bytes:
    if isinstance(value, int):
        if value.bit_length() > 4096:
            raise UsageError(f"{what} holds a number of more than 4,096 bits.")
        return str(value).encode()
    if not math.isfinite(value):
        raise UsageError(f"{what} holds {value}, which is no number.")
    return (repr(value) if isinstance(value, float) else f"D{value}").encode()


def _row(value: Iterable[Any], what: str, depth: int) -> Iterator[bytes]:
    yield b"["
    for one in value:
        yield from _pieces(one, what, depth + 1)
    yield b"]"


def _mapping(value: Mapping[Any, Any], what: str, depth: int) -> Iterator[bytes]:
    names = list(islice(value, MAX_VALUES + 1))
    if any(not isinstance(name, str) for name in names):
        raise UsageError(f"{what} has a member whose name is no text.")
    yield b"{"
    for name in sorted(names):
        yield from _pieces(name, what, depth + 1)
        yield from _pieces(value[name], what, depth + 1)
    yield b"}"
