"""The sections of a state: what each may hold. One that was checked before costs nothing again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from console.domain.errors import UsageError
from console.domain.state import values
from console.domain.state.records import Balance, Credential, Escrow, Position, RateLimit, Record, Round
from console.domain.state.values import Frozen, Row

DECISIONS_KEPT: Final = 50
"""Of the decision log, the newest."""
KEYS_KEPT: Final = 1_000
"""Of the idempotency keys, the newest."""

RECORDS: Final[Mapping[str, type[Record]]] = {
    "balances": Balance,
    "rounds": Round,
    "escrows": Escrow,
    "positions": Position,
    "rate_limits": RateLimit,
    "credentials": Credential,
}
"""Sections that are lists of records."""


def _rows(kind: type[Record]) -> Callable[[Any, str], Row]:
    def check(value: Any, at: str) -> Row:
        if type(value) is Row:
            return value
        if not isinstance(value, list | tuple):
            raise UsageError(f"State.{at} is a tuple of {kind.__name__} records, not a {type(value).__name__}.")
        for index, one in enumerate(value):
            if type(one) is not kind:
                raise UsageError(f"State.{at}[{index}] is a {kind.__name__}, not a {type(one).__name__}.")
        return Row(value)

    return check


def _newest(most: int) -> Callable[[Any, str], Row]:
    def check(value: Any, at: str) -> Row:
        if type(value) is Row and len(value) <= most:
            return value
        if not isinstance(value, list | tuple):
            raise UsageError(f"State.{at} is a list, not a {type(value).__name__}.")
        return values.freeze(value[-most:], f"State.{at}") if type(value) is not Row else Row(value[-most:])

    return check


def _keys(value: Any, at: str) -> Row:
    newest = _newest(KEYS_KEPT)(value, at)
    if newest is not value and not all(isinstance(one, str) for one in newest):
        raise UsageError(f"State.{at} is a list of texts.")
    return newest


def _listed(value: Any, at: str) -> Row:
    if not isinstance(value, list | tuple):
        raise UsageError(f"State.{at} is a list, not a {type(value).__name__}.")
    return values.freeze(value, f"State.{at}")  # type: ignore[no-any-return]


def _object(value: Any, at: str) -> Frozen:
    if not isinstance(value, Mapping):
        raise UsageError(f"State.{at} is a mapping, not a {type(value).__name__}.")
    return values.freeze(value, f"State.{at}")  # type: ignore[no-any-return]


def _times(value: Any, at: str) -> Frozen:
    if type(value) is Frozen:
        return value
    if not isinstance(value, Mapping):
        raise UsageError(f"State.{at} is a mapping, not a {type(value).__name__}.")
    times = {str(kind): values.moment(time, f"State.{at}[{kind!r:.40}]") for kind, time in value.items()}
    for kind in times:
        values.checked_text(kind, f"a key of State.{at}")
    return Frozen(times)


def _label(value: Any, at: str) -> str:
    if not isinstance(value, str):
        raise UsageError(f"State.{at} is a text, not {value!r:.40}.")
    return values.checked_text(str.__str__(value), f"State.{at}")


def _name(value: Any, at: str) -> str | int | Decimal:
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return values.number(value, f"State.{at}")
    return _label(value, at)


def _seconds(value: Any, at: str) -> Decimal | int:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise UsageError(f"State.{at} is a number of epoch seconds, not {value!r:.40}.")
    return values.number(value, f"State.{at}")


def _version(value: Any, at: str) -> int:
    if type(value) is not int or not 0 <= value < 2**31:
        raise UsageError(f"State.{at} is a whole number from 0 on, not {value!r:.40}.")
    return value


SECTIONS: Final[Mapping[str, Callable[[Any, str], Any]]] = {
    "schema": _version,
    "version": _name,
    "timestamp": _seconds,
    "session_id": _label,
    **{name: _rows(kind) for name, kind in RECORDS.items()},
    "parameters": _object,
    "signals": _listed,
    "last_actions": _times,
    "idempotency": _keys,
    "decision_log": _newest(DECISIONS_KEPT),
    "extra": _object,
}
"""Section → what checks it; one that was checked before costs nothing again."""
