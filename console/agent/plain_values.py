"""Any value as JSON that every strict reader takes (RFC 8259): what an agent says of itself is never refused.

What JSON has stays what it is, so do dataclasses (objects), sets and arrays (lists). What it lacks becomes text:
`"NaN"`, `"Infinity"`, `"-Infinity"`, Decimals, times (ISO 8601), whole numbers beyond `MAX_BITS`, bytes (UTF-8, or else
`0x…`), anything else by its `str`. Half a surrogate pair is U+FFFD; names of an object are unique. Iterators are not
consumed. What is too deep, runs in a circle or does not fit is cut: `…` stands in its place.
"""

from __future__ import annotations

import json
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, MappingView, Sequence, Set
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from datetime import time as time_of_day
from decimal import Decimal
from enum import Enum
from numbers import Integral, Real
from operator import index
from typing import Any, Final
from uuid import UUID

from console.agent.plain_text import CUT, Converted, fraction_text, name_of, number_text, quoted, size_of, text_of

MAX_BYTES: Final = 256 << 10
MAX_DEPTH: Final = 64
MAX_BITS: Final = 14_000
"""The longest whole number that is written as one: Python's own reader refuses more than 4,300 digits."""

_MARK: Final = f'"{CUT}"'
_NOTHING: Final = Converted(_MARK, 1)
_SMALL: Final = frozenset({float, bool, type(None), Decimal, datetime, date, time_of_day, UUID})
_LISTS: Final = (list, tuple, set, frozenset, deque, range, Sequence, Set, MappingView)
_OBJECTS: Final = frozenset({dict, OrderedDict, defaultdict, Counter})
_WITH_PARTS: Final = _OBJECTS | {list, tuple}
_MOST: Final = 1 << MAX_BITS
_LEAST: Final = -_MOST
_CLOSING: Final = 16
"""Bytes kept for the end of a list or an object: `,"…":"…"}`."""
_ITEM: Final = 64
"""Bytes without which no further item is begun."""
_ENDS: Final = (MemoryError, KeyboardInterrupt, SystemExit)
"""What ends the program, and is no property of a value."""


def as_json(value: object, *, max_bytes: int = MAX_BYTES) -> str:
    """Any value as JSON of at most `max_bytes` (64 or more); raises nothing that the value could be the cause of.

    Only MemoryError and what ends the program (KeyboardInterrupt, SystemExit) pass.
    """
    try:
        return convert(value, max_bytes).text
    except RecursionError:
        return _MARK


def convert(value: object, max_bytes: int = MAX_BYTES) -> Converted:
    """`as_json`, and how much of the value it left out."""
    try:
        text = plain_json(value, max_bytes)
        if text is not None:
            return Converted(text, 0)
        writer = _Writer(max(max_bytes, _ITEM), fair=False)
        writer.write(value, 0)
        if writer.full:  # once more, so that what comes first does not take the room of all the rest
            writer = _Writer(max(max_bytes, _ITEM), fair=True)
            writer.write(value, 0)
    except RecursionError:  # the caller has left no stack to look into the value
        return _NOTHING
    return Converted("".join(writer.parts), writer.cuts)


def plain_json(value: object, max_bytes: int = MAX_BYTES) -> str | None:
    """A value that is plain data already, as JSON at full speed; None for one that has to be converted or cut."""
    try:
        if not _is_plain(value, max_bytes):
            return None
        text = _ENCODER.encode(value)
        size = len(text) if text.isascii() else len(text.encode())
    except _ENDS:
        raise
    except BaseException:  # noqa: BLE001 - not finite, half a pair, changed meanwhile: the careful way takes it
        return None
    return text if size <= max_bytes else None


def _is_plain(value: object, spare: int) -> bool:
    """Whether a value is plain data of a bounded depth that may fit into `spare` bytes.

    Raises:
        TypeError: an object has a name that is no text.
    """
    level: list[Any] = [(value,)]
    for _ in range(MAX_DEPTH + 1):
        below: list[Any] = []
        for part in level:
            items: Iterable[Any] = part
            kind = type(part)
            if kind is dict or kind in _OBJECTS:
                items = part.values()
                spare -= len("".join(part))
            spare -= 2 * len(part)
            if spare < 0:
                return False
            for item in items:
                kind = type(item)
                if kind is str:
                    spare -= len(item)
                elif kind is float or item is None:
                    continue
                elif kind is int:
                    if not _LEAST < item < _MOST:
                        return False
                elif kind in _WITH_PARTS:
                    below.append(item)
                elif kind not in _SMALL and not _is_kind_of_small(item, kind):
                    return False
        if not below:
            return spare >= 0
        level = below
    return False


def _is_kind_of_small(value: Any, kind: type) -> bool:
    """Whether it is text or a number to the encoder, though of a class of its own."""
    return issubclass(kind, (str, float)) or (issubclass(kind, int) and int.bit_length(value) <= MAX_BITS)


def _simple_text(value: Any) -> str:
    """What the encoder does not know itself, of the few kinds that `_is_plain` lets pass."""
    kind = type(value)
    return str(value if kind is Decimal or kind is UUID else value.isoformat())


_ENCODER: Final = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":"), default=_simple_text
)


class _Writer:
    """Writes one value in pieces, in a given room.

    Args:
        room: bytes.
        fair: each part of a value gets at most half of what room is left, so that the later ones get some.
    """

    def __init__(self, room: int, *, fair: bool) -> None:
        self.parts: list[str] = []
        self.cuts = 0
        self.full = False
        """Whether something was cut for want of room."""
        self._room = room
        self._fair = fair
        self._within: set[int] = set()

    def write(self, value: object, depth: int) -> None:
        """Write a value; what can't be made of it is said in its place."""
        parts, room, cuts = len(self.parts), self._room, self.cuts
        try:
            self._write(value, depth)
        except _ENDS:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever its methods raise, the value is taken
            del self.parts[parts:]
            self._room, self.cuts = room, cuts
            self._text(f"({name_of(type(value))}: no text, {name_of(type(error))})")

    def _write(self, value: object, depth: int) -> None:
        kind = type(value)
        if value is None or value is True or value is False:
            self._put({None: "null", True: "true", False: "false"}[value])
        elif issubclass(kind, int):
            self._whole(value)  # type: ignore[arg-type]
        elif issubclass(kind, float):
            self._fraction(float.__float__(value))  # type: ignore[arg-type]
        elif (text := text_of(value, self._room)) is not None:
            self._text(text)
        elif depth >= MAX_DEPTH or id(value) in self._within:
            self._cut()
        elif not self._parts(value, kind, depth):
            self._other(value, kind, depth)

    def _parts(self, value: Any, kind: type, depth: int) -> bool:
        """Whether it has parts, which are then written."""
        self._within.add(id(value))
        try:
            if issubclass(kind, Enum):
                self.write(value.value, depth + 1)
            elif issubclass(kind, Mapping):
                self._object(((name, item) for name, item in value.items()), depth)
            elif is_dataclass(kind):
                self._object(((each.name, getattr(value, each.name)) for each in fields(kind)), depth)
            elif issubclass(kind, _LISTS) or (hasattr(kind, "tolist") and _has_length(value)):
                self._list(value, depth)
            else:
                return False
        finally:
            self._within.discard(id(value))
        return True

    def _other(self, value: Any, kind: type, depth: int) -> None:
        plain = _number_in(value, kind)
        if plain is None:
            self._text(str.__str__(str(value)))
        else:
            self.write(plain, depth + 1)

    def _object(self, pairs: Iterator[tuple[object, object]], depth: int) -> None:
        names = {_MARK: 1}  # which the end may need

        def entry(pair: tuple[object, object]) -> None:
            name = self._name(pair[0], names)
            self._put(name + ":")
            self.write(pair[1], depth + 1)

        self._many("{", pairs, entry, f"{_MARK}:{_MARK}", "}")

    def _list(self, items: Iterable[object], depth: int) -> None:
        self._many("[", items, lambda item: self.write(item, depth + 1), _MARK, "]")

    def _many(self, opening: str, items: Iterable[Any], entry: Any, mark: str, closing: str) -> None:
        if self._room < 2 * _CLOSING:
            self._cut(full=True)
            return
        self._put(opening)
        self._room -= _CLOSING
        comma = end = ""
        iterator = iter(items)
        while True:
            try:
                item = next(iterator)
            except StopIteration:
                break
            except _ENDS:
                raise
            except BaseException:  # noqa: BLE001 - it broke off, or changed while it was read: what came is kept
                self.cuts += 1
                end = comma + mark
                break
            if self._room < _ITEM:
                self.cuts, self.full = self.cuts + 1, True
                end = comma + mark
                break
            self._put(comma)
            whole = self._room
            given = whole // 2 if self._fair else whole
            self._room = given
            entry(item)
            self._room = whole - (given - self._room)
            comma = ","
        self._room += _CLOSING
        self._put(end + closing)

    def _name(self, name: object, names: dict[str, int]) -> str:
        """A name of an object as JSON, unlike the others in it."""
        kind = type(name)
        try:
            if name is None or name is True or name is False:
                text = {None: "null", True: "true", False: "false"}[name]
            elif issubclass(kind, int):
                text = number_text(name)  # type: ignore[arg-type]
            elif issubclass(kind, float):
                text = fraction_text(float.__float__(name))  # type: ignore[arg-type]
            else:
                known = text_of(name, self._room)
                text = str.__str__(str(name)) if known is None else known
        except _ENDS:
            raise
        except BaseException as error:  # noqa: BLE001 - as in write
            text = f"({name_of(kind)}: no text, {name_of(type(error))})"
        json_name, cuts = quoted(text, max(self._room - 32, 8) if self._room < 1 << 12 else self._room // 2)
        self._was_cut(cuts)
        if json_name in names:
            base, number = json_name[:-1], names[json_name]
            while json_name in names:
                number += 1
                json_name = f'{base}~{number}"'
            names[f'{base}"'] = number
        names[json_name] = 1
        return json_name

    def _whole(self, value: int) -> None:
        if int.bit_length(value) > MAX_BITS:
            self._text(number_text(value))
            return
        digits = number_text(value)
        if len(digits) <= self._room:
            self._put(digits)
        else:
            self._cut(full=True)

    def _fraction(self, value: float) -> None:
        text = fraction_text(value)
        if text[-1].isdigit() and len(text) <= self._room:
            self._put(text)
        else:
            self._text(text)

    def _text(self, text: str) -> None:
        json_text, cuts = quoted(text, max(self._room, 8))
        self._was_cut(cuts)
        self._put(json_text)

    def _was_cut(self, cuts: int) -> None:
        if cuts:
            self.cuts, self.full = self.cuts + 1, True

    def _cut(self, *, full: bool = False) -> None:
        self.cuts, self.full = self.cuts + 1, self.full or full
        self._put(_MARK)

    def _put(self, text: str) -> None:
        self.parts.append(text)
        self._room -= size_of(text)


def _number_in(value: Any, kind: type) -> object:
    """What JSON has for a number (or a time) of numpy's kind; None for anything else: an amount of money that can
    tell itself as text does not pass through a float."""
    try:
        if issubclass(kind, Integral):
            return index(value)
        if hasattr(kind, "tolist") and type(plain := value.tolist()) is not kind:
            return plain
        if issubclass(kind, Real):
            return float(value)
        if hasattr(kind, "__float__") and kind.__str__ is object.__str__ and kind.__repr__ is object.__repr__:
            return float(value)
    except _ENDS:
        raise
    except BaseException:  # noqa: BLE001 - it is none then
        return None
    return None


def _has_length(value: Any) -> bool:
    """Whether it is an array with items; numpy's single numbers have the same methods, but none."""
    try:
        len(value)
    except TypeError:
        return False
    return True
