"""Local books from an agent's state file, at the places that the venue's document names."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from console.domain.errors import ConsoleError
from console.domain.text import Safe, clean
from console.domain.venue.books import Books
from console.domain.venue.values import MISSING, amount_of, at_pointer, moment_of
from console.venue.document import LocalBooks

MOST_BYTES: Final = 16 * 1024 * 1024
_IDS: Final = ("id", "escrow_id", "position_id", "order_id")


def read_books(path: Path, places: LocalBooks) -> Books:
    """What a state file says that we have.

    Raises:
        ConsoleError: it can't be read, or what stands at one of the places is of another kind: that is not "nothing".
    """
    shown = clean(str(path), 120)
    if path.exists() and not path.is_file():
        raise ConsoleError(f"The state file {shown} is no file.", "Check --state-file.")
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
        written_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError as error:
        raise ConsoleError(f"The state file {shown} can't be read: {error.strerror}.", "Check --state-file.") from error
    if len(raw) > MOST_BYTES:
        raise ConsoleError(f"The state file {shown} has more than {MOST_BYTES} bytes.")
    return books_of(raw, places, written_at, shown)


def books_of(raw: bytes, places: LocalBooks, written_at: datetime, source: Safe) -> Books:
    """The same, from its bytes.

    Args:
        raw: of the file.
        places: where in it things stand.
        written_at: its time, where it doesn't say one itself.
        source: what it is, for people.

    Raises:
        ConsoleError: as for `read_books`.
    """
    try:
        document: Any = json.loads(raw.decode("utf-8-sig"), parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise ConsoleError(f"{source} is no JSON: {clean(error, 120)}.", "A torn file says nothing.") from error
    if not isinstance(document, dict):
        raise ConsoleError(f"{source} is no object of names and values.")

    def at(pointer: str, read: Callable[[Any], Any]) -> Any:
        value = at_pointer(document, pointer)
        if value is MISSING or value is None:
            return None
        try:
            made = read(value)
        except ValueError as error:
            raise ConsoleError(f"{source}: at {pointer} stands {clean(value, 40)!r}.") from error
        if made is None:
            raise ConsoleError(f"{source}: at {pointer} is no list of ids.")
        return made

    return Books(
        at(places.taken_at, moment_of) or written_at,
        source,
        at(places.balance, amount_of),
        at(places.positions, ids_in),
        at(places.orders, ids_in),
        at(places.escrows, ids_in),
    )


def ids_in(value: object) -> tuple[str, ...] | None:
    """Ids in our own books: a list of them, or of objects with an `id`, or an object by id; None for anything else."""
    if isinstance(value, dict):
        return tuple(str(one) for one in value)
    if not isinstance(value, list):
        return None
    every = [next((one[n] for n in _IDS if n in one), None) if isinstance(one, dict) else one for one in value]
    names = [one for one in every if isinstance(one, str) and one]
    return tuple(names) if len(names) == len(every) else None
