"""The values of a state: JSON that can't be changed, with the digits of its numbers kept, and times.

A number with a point is a Decimal, never a float: `1.10` stays `1.10` through every round trip.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NoReturn
from uuid import uuid4

from console.domain.errors import Refused, UsageError
from console.domain.text import clean

MAX_DEPTH: Final = 60
"""Containers within one another."""
MAX_DIGITS: Final = 400
"""Of a number, before or behind its point."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Frozen(dict[str, Any]):
    """A JSON object that can't be changed; equal to any mapping with the same items."""

    __slots__ = ()

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("What a state holds can't be changed; make a new one (dataclasses.replace).")

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = __ior__ = _refuse

    def __deepcopy__(self, _: Any) -> Frozen:
        return self

    def __reduce__(self) -> Any:
        return Frozen, (dict(self),)


class Row(tuple[Any, ...]):
    """A JSON list that can't be changed, and neither can anything in it; equal to any tuple with the same items."""

    __slots__ = ()


def freeze(value: Any, at: str, depth: int = 0) -> Any:
    """JSON that nobody can change any more. What was frozen before is taken as it is, whatever its size.

    Args:
        value: None, a bool, a number, a text, or lists and mappings of them.
        at: what to call it in errors.
        depth: how deep it lies.

    Raises:
        UsageError: something in it is no JSON; the text names where.
    """
    kind = type(value)
    if value is None or kind is bool or kind is Frozen or kind is Row:
        return value
    if isinstance(value, str):
        return checked_text(str.__str__(value), at)
    if isinstance(value, bool | int | Decimal | float):
        return number(value, at)
    if depth >= MAX_DEPTH:
        raise UsageError(f"{at} lies deeper than {MAX_DEPTH} containers.")
    if isinstance(value, Mapping):
        items = {}
        for key, inner in value.items():
            if not isinstance(key, str):
                raise UsageError(f"{at} has the key {key!r:.40}; JSON knows only texts.")
            name = checked_text(str.__str__(key), f"a key of {at}")
            items[name] = freeze(inner, f"{at}.{clean(name, 40)}", depth + 1)
        return Frozen(items)
    if isinstance(value, list | tuple):
        return Row(freeze(inner, f"{at}[{index}]", depth + 1) for index, inner in enumerate(value))
    hint = "Write a time as ISO 8601 text." if isinstance(value, datetime) else ""
    raise UsageError(f"{at} is a {kind.__name__}, which is no JSON.", hint)


def checked_text(value: str, at: str) -> str:
    """A text that can be written.

    Raises:
        UsageError: it has half a character.
    """
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise UsageError(f"{at} is no text that can be written: {error.reason}.") from error
    return value


def number(value: Any, at: str) -> int | Decimal | bool:
    """A finite number with its digits; a float becomes the shortest decimal that means it.

    Raises:
        UsageError: it is not finite, or has too many digits.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        if value.bit_length() > MAX_DIGITS * 3:
            raise UsageError(f"{at} has more than {MAX_DIGITS} digits.")
        return int(value)
    exact = Decimal(repr(float(value))) if isinstance(value, float) else Decimal(value)
    if not exact.is_finite():
        raise UsageError(f"{at} is {exact}, which is no number.")
    if len(exact.as_tuple().digits) > MAX_DIGITS or abs(exact.adjusted()) > MAX_DIGITS:
        raise UsageError(f"{at} has more than {MAX_DIGITS} digits.")
    return exact


def thaw(value: Any) -> Any:
    """The same JSON as lists and dictionaries that may be changed."""
    if isinstance(value, Mapping):
        return {key: thaw(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [thaw(inner) for inner in value]
    return value


def moment(value: Any, at: str) -> datetime:
    """An aware time, in UTC.

    Raises:
        UsageError: it is none, or doesn't say where on earth.
    """
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise UsageError(f"{at} is an aware datetime, not {value!r:.60}.")
    return value if value.tzinfo is UTC else value.astimezone(UTC)


def time_text(value: datetime) -> str:
    """A time as ISO 8601 text, exact to the microsecond."""
    return value.isoformat(timespec="microseconds").replace("+00:00", "Z")


def read_time(value: Any, at: str) -> datetime:
    """A time from its text.

    Raises:
        Refused: it is none.
    """
    try:
        return moment(datetime.fromisoformat(value), at)
    except (TypeError, ValueError, OverflowError, UsageError) as error:
        raise Refused(f"{at} is no time with its zone: {clean(value, 40)!r}.") from error


def epoch_seconds(value: datetime) -> Decimal:
    """Seconds since 1970, exact to the microsecond, without zeros at the end."""
    delta = value - _EPOCH
    micros = (delta.days * 86400 + delta.seconds) * 1_000_000 + delta.microseconds
    whole, rest = divmod(micros, 1_000_000)
    return Decimal(f"{whole}.{rest:06}".rstrip("0").rstrip(".")) if rest else Decimal(whole)


def from_epoch(seconds: Decimal | int, at: str) -> datetime:
    """The moment of so many seconds since 1970, to the microsecond.

    Raises:
        Refused: no calendar has it.
    """
    try:
        return _EPOCH + timedelta(microseconds=int(Decimal(seconds) * 1_000_000))
    except (OverflowError, ArithmeticError) as error:
        raise Refused(f"{at} is no time: {clean(seconds, 40)}.") from error


def _whole(text: str) -> int | Decimal:
    if len(text) > MAX_DIGITS + 1:
        raise ValueError(f"a number with more than {MAX_DIGITS} digits")
    return Decimal(text) if text == "-0" else int(text)


def _broken(text: str) -> Decimal:
    if len(text) > 2 * MAX_DIGITS:
        raise ValueError(f"a number with more than {MAX_DIGITS} digits")
    return Decimal(text)


def _nothing(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    items = dict(pairs)
    if len(items) != len(pairs):
        raise ValueError("a key stands there twice")
    return items


def parse(data: bytes | str) -> Any:
    """JSON with exact numbers.

    Raises:
        ValueError: it is not JSON, says NaN, has a key twice, or a number of more than `MAX_DIGITS` digits.
    """
    text = data.decode("utf-8") if isinstance(data, bytes) else data
    try:
        return json.loads(text, parse_float=_broken, parse_int=_whole, parse_constant=_nothing, object_pairs_hook=_once)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except ArithmeticError as error:
        raise ValueError("a number that is none") from error


def dump(value: Any) -> bytes:
    """JSON without a blank, keys sorted: the same value gives the same bytes.

    Raises:
        ValueError, TypeError: something in it is no JSON.
    """
    return _text(value).encode()


_MARK: Final = f"number {uuid4().hex}"
"""What stands in place of a number until its digits are put there: nobody who writes a text can know it; checked."""


def _text(value: Any) -> str:
    numbers: list[str] = []

    def decimal(inner: Any) -> str:
        if type(inner) is not Decimal:
            raise TypeError(f"{type(inner).__name__} is no JSON")
        numbers.append(str(inner))
        return _MARK

    text = json.dumps(
        value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True, default=decimal
    )
    if not numbers:
        return text
    parts = text.split(f'"{_MARK}"')
    if len(parts) != len(numbers) + 1:
        raise ValueError("a text is the very mark that stands for a number")
    return parts[0] + "".join(written + part for written, part in zip(numbers, parts[1:], strict=True))
