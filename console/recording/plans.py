"""How a value of a type is written down and read again: one plan for each type, made from the type itself.

A plan packs a value into what msgpack can hold, and tells how a value differs from the one before: `[packed]` where it
is another value, a mapping where only parts of it are. What is read is from outside: types are checked, text is made
safe again, and what can't be is refused.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Final

from console.domain.text import Safe, clean
from console.recording.errors import Damaged

MOST_TEXT: Final = 65_536
"""Characters of one text."""
MOST_DIGITS: Final = 4_000
DEEPEST: Final = 100
"""Levels of a value in JSON: who draws it goes down one by one."""
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1


class Plan(ABC):
    """Writes down, compares and reads values of one type."""

    @abstractmethod
    def pack(self, value: Any) -> Any:
        """The value as msgpack can hold it."""

    @abstractmethod
    def unpack(self, packed: Any) -> Any:
        """The value again.

        Raises:
            Damaged: it is none of this type.
        """

    def same(self, before: Any, after: Any) -> bool:
        """Whether two values are the same, in how they are written too."""
        return before is after or bool(before == after)

    def diff(self, before: Any, after: Any) -> Any:
        """What has to be done to a value to have the next one; None where nothing has."""
        return None if self.same(before, after) else [self.pack(after)]

    def patch(self, before: Any, delta: Any) -> Any:
        """The next value, from the one before.

        Raises:
            Damaged: it can't be done to this value.
        """
        if isinstance(delta, list) and len(delta) == 1:
            return self.unpack(delta[0])
        return self.patch_parts(before, delta)

    def patch_parts(self, before: Any, delta: Any) -> Any:
        """The same where only parts differ; what has no parts is refused."""
        raise Damaged("A change of parts is told of a value that has none.")


class Exactly(Plan):
    """Values of a type that msgpack has."""

    def __init__(self, *kinds: type) -> None:
        self._kinds = frozenset(kinds)

    def pack(self, value: Any) -> Any:
        """As it is."""
        return value

    def unpack(self, packed: Any) -> Any:
        """As it is, if it is one."""
        if type(packed) not in self._kinds:
            raise Damaged(f"A {type(packed).__name__} stands where another type is due.")
        return packed


class Whole(Exactly):
    """Whole numbers; those that msgpack can't hold are written in digits."""

    def __init__(self) -> None:
        super().__init__(int)

    def pack(self, value: Any) -> Any:
        """As it is, or in digits."""
        return value if _SMALLEST <= value <= _LARGEST else str(value)

    def unpack(self, packed: Any) -> Any:
        """The number."""
        if isinstance(packed, str) and len(packed) <= MOST_DIGITS:
            try:
                return int(packed)
            except ValueError as error:
                raise Damaged("What should be a whole number is none.") from error
        return super().unpack(packed)


class Real(Exactly):
    """Numbers; NaN is the same as NaN here, and 0 not the same as −0."""

    def __init__(self) -> None:
        super().__init__(float, int)

    def same(self, before: Any, after: Any) -> bool:
        """Whether they are written alike."""
        return before is after or (type(before) is type(after) and repr(before) == repr(after))


class Text(Plan):
    """Text; it comes back in its safe form, whether it claimed to be safe or not: a recording is text from outside."""

    def pack(self, value: Any) -> Any:
        """As it is; half of a surrogate pair, which UTF-8 can't hold, is replaced."""
        return value if value.isascii() else value.encode("utf-8", "replace").decode()

    def unpack(self, packed: Any) -> Safe:
        """The text made safe."""
        if not isinstance(packed, str):
            raise Damaged(f"A {type(packed).__name__} stands where text is due.")
        return clean(packed, MOST_TEXT)


class Moment(Plan):
    """Times."""

    def pack(self, value: Any) -> Any:
        """msgpack has them."""
        return value

    def unpack(self, packed: Any) -> datetime:
        """An aware time."""
        if not isinstance(packed, datetime) or packed.tzinfo is None:
            raise Damaged("What should be a time is none.")
        return packed.astimezone(UTC)


class Amount(Plan):
    """Exact numbers, with every digit that was written; money is finite."""

    def pack(self, value: Any) -> Any:
        """In digits."""
        return str(value)

    def unpack(self, packed: Any) -> Decimal:
        """The number."""
        if not isinstance(packed, str) or len(packed) > MOST_DIGITS:
            raise Damaged("What should be an amount is none.")
        try:
            amount = Decimal(packed)
        except InvalidOperation as error:
            raise Damaged("What should be an amount is none.") from error
        if not amount.is_finite() or abs(amount.adjusted()) > MOST_DIGITS:
            raise Damaged("What should be an amount is none.")
        return amount

    def same(self, before: Any, after: Any) -> bool:
        """Whether they are written alike: 1.0 and 1.00 are shown otherwise."""
        return before is after or str(before) == str(after)


class Choice(Plan):
    """One of the names of an enumeration."""

    def __init__(self, kind: type[Enum]) -> None:
        self._kind = kind

    def pack(self, value: Any) -> Any:
        """Its value."""
        return value.value

    def unpack(self, packed: Any) -> Enum:
        """The name again."""
        try:
            return self._kind(packed)
        except (ValueError, TypeError) as error:
            raise Damaged(f"{clean(packed, 40)!r} is no {self._kind.__name__}.") from error


class Standing(Plan):
    """What judges. That there is something that does is written down, not what: a recording judges nothing anew."""

    def pack(self, value: Any) -> Any:
        """True."""
        return True

    def unpack(self, packed: Any) -> Any:
        """What refuses to judge."""
        if packed is not True:
            raise Damaged("What should say that something judges does not.")
        return judged_then

    def same(self, before: Any, after: Any) -> bool:
        """Whether both judge; which they do."""
        return True


def judged_then(*_of: object) -> Any:
    """In the place of what judged when it was recorded.

    Raises:
        Damaged: always.
    """
    raise Damaged("What was recorded can't be judged anew.")


def _too_deep(value: object) -> bool:
    level, depth = [value], 0
    while level and depth <= DEEPEST:
        inner = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        level, depth = [one for many in inner for one in many], depth + 1
    return bool(level)


class Foreign(Plan):
    """What anybody wrote as JSON, kept as it was: who draws it cleans it."""

    def pack(self, value: Any) -> Any:
        """As JSON; what JSON has no form for, by its text."""
        try:
            return json.dumps(value, default=str)
        except (ValueError, RecursionError):
            return json.dumps("nested too deeply to be recorded")

    def unpack(self, packed: Any) -> Any:
        """The value."""
        if not isinstance(packed, str):
            raise Damaged("What should be a value in JSON is none.")
        try:
            value = json.loads(packed)
        except (ValueError, RecursionError) as error:
            raise Damaged("What should be a value in JSON is none.") from error
        if _too_deep(value):
            raise Damaged("A value is nested too deeply.")
        return value

    def same(self, before: Any, after: Any) -> bool:
        """Whether they are written alike."""
        return before is after or bool(self.pack(before) == self.pack(after))
