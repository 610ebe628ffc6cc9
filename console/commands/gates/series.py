"""A source of volatility as points: a number, a series, or the field of decision records."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from console.domain.gates.fact import Lack, Lacking
from console.domain.gates.facts import VolatilitySeen
from console.domain.gates.plain_state import when
from console.domain.seen.decision import Decision
from console.domain.untrusted import real

MOST: Final = 100_000
Point = tuple[datetime, float]


def points_of(document: object, now: datetime, *, prices: bool) -> VolatilitySeen:
    """The points in a document: a number (as of now), `{"value": …, "at": …}`, or a list of `[at, value]` or of such.

    Raises:
        Lacking: there is none in it.
    """
    raw = document if isinstance(document, list) else [document]
    points = [point for point in (_point(one, now, alone=raw is not document) for one in raw[-MOST:]) if point]
    if not points or len(points) < len(raw[-MOST:]):
        raise Lacking(Lack.ERROR, f"{len(raw) - len(points)} of {len(raw)} values are no figures with a time")
    return VolatilitySeen(tuple(points), prices)


def _point(one: object, now: datetime, *, alone: bool) -> Point | None:
    if isinstance(one, dict):
        at, value = when(one.get("at", one.get("timestamp"))), _number(one.get("value"))
    elif isinstance(one, list) and len(one) == 2:
        at, value = when(one[0]), _number(one[1])
    else:
        at, value = (now if alone else None), _number(one)
    return (at, value) if at is not None and value is not None else None


def _number(value: object) -> float | None:
    if isinstance(value, str) and len(value) < 64:
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, Decimal):
        value = float(value)
    return real(value)


def points_in(decisions: Iterable[Decision], path: str, *, prices: bool) -> VolatilitySeen:
    """The points in decision records.

    Raises:
        Lacking: no record holds a figure there.
    """
    names = path.split(".")
    points: list[Point] = []
    seen = 0
    for decision in decisions:
        seen += 1
        value = _number(_at(decision.raw, names))
        if value is not None:
            points.append((decision.at, value))
    if not points:
        raise Lacking(Lack.MISSING, f"none of the newest {seen} records has a figure at {path}")
    return VolatilitySeen(tuple(points), prices)


def _at(raw: bytes, names: list[str]) -> Any:
    try:
        document = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None  # a record that was too long to be kept whole
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    return document
