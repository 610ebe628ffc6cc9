"""Amounts and times in a venue's answer: exact, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

MOST_DIGITS: Final = 30
"""Before and behind the point; an amount beyond that is a slip, or an attack."""
MOST_TEXT: Final = 64
_MS_FROM: Final = 100_000_000_000
"""Numbers from here on are milliseconds: as seconds they would be in the year 5138."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MISSING: Final[Any] = object()
"""What a pointer finds where there is nothing; null is something."""


def amount_of(value: object) -> Decimal:
    """An exact amount, from a JSON number that was parsed as Decimal or int, or from a text.

    Raises:
        ValueError: it is none, not finite, or of no size that money has.
    """
    text = isinstance(value, str) and len(value) <= MOST_TEXT and value == value.strip() and "_" not in value
    number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    try:
        amount = Decimal(value if text or number else "")  # type: ignore[arg-type]
    except InvalidOperation as error:
        raise ValueError("no amount") from error
    if not amount.is_finite():
        raise ValueError("no finite amount")
    if amount and (abs(amount.adjusted()) > MOST_DIGITS or len(amount.as_tuple().digits) > 2 * MOST_DIGITS):
        raise ValueError("an amount of no size that money has")
    return amount


def moment_of(value: object) -> datetime:
    """An aware time in UTC, from ISO 8601 with a zone, or from seconds or milliseconds since 1970.

    Raises:
        ValueError: it is none, or nobody can tell of which zone.
    """
    if isinstance(value, str) and len(value) <= MOST_TEXT:
        at = datetime.fromisoformat(value)
        if at.tzinfo is None:
            raise ValueError("a time without its zone")
        try:
            return at.astimezone(UTC)
        except OverflowError as error:
            raise ValueError("no time") from error
    number = amount_of(None if isinstance(value, str) else value)
    seconds = number / 1000 if number >= _MS_FROM else number
    try:
        return _EPOCH + timedelta(seconds=float(seconds))
    except OverflowError as error:
        raise ValueError("no time") from error


def parts_of(pointer: str) -> tuple[str, ...]:
    """The parts of a JSON pointer (RFC 6901): "" is the whole document, "/a/0/b" goes down.

    Raises:
        ValueError: it is none.
    """
    if pointer == "":
        return ()
    if not pointer.startswith("/") or len(pointer) > 200 or not pointer.isprintable():
        raise ValueError("a JSON pointer begins with /")
    if any(part[:1] not in ("0", "1") for part in pointer.split("~")[1:]):
        raise ValueError("in a JSON pointer ~ is written ~0, and / ~1")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/"))


def at_pointer(document: object, pointer: str) -> Any:
    """What stands at a JSON pointer; `MISSING` where nothing does."""
    for part in parts_of(pointer):
        if isinstance(document, dict):
            document = document.get(part, MISSING)
        elif isinstance(document, list) and part.isascii() and part.isdigit() and (part == "0" or part[0] != "0"):
            document = document[int(part)] if len(part) < 10 and int(part) < len(document) else MISSING
        else:
            return MISSING
        if document is MISSING:
            return MISSING
    return document
