"""The careful way to read one line: slower, finds values at any path, and names what is wrong.

Numbers keep their digits: no amount of money passes through a float. Python agents write NaN and Infinity into JSON,
which is none then; such a value is taken for what it is, a number that is not finite, so that the rest of the record is
not lost.
"""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from console.domain.seen.decision import Rejection
from console.logs.lines.money import is_money
from console.logs.lines.shape import MANDATORY, Row
from console.logs.lines.times import seconds_of
from console.logs.options import LogOptions

_BOM: Final = b"\xef\xbb\xbf"
MAX_DEPTH: Final = 64
_BRACKETS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[{\]}]')
_NOT_FINITE: Final = Decimal("NaN")
_MISSING: Final = object()


def read_carefully(line: bytes, options: LogOptions) -> tuple[Row, bool] | Rejection:
    """The row in a line and whether its PnL had to be left out, or why the line is refused.

    Args:
        line: without its newline.
        options: where in the record the values lie.
    """
    try:
        value = load_shallow(line)
    except (ValueError, RecursionError):
        return Rejection.NOT_JSON
    if not isinstance(value, dict):
        return Rejection.NOT_AN_OBJECT
    if not value.keys() >= MANDATORY:
        return Rejection.MISSING_FIELD
    version, kind = _version(value["agent_version"]), value["decision_type"]
    if version is None or not isinstance(kind, str):
        return Rejection.WRONG_TYPE
    timestamp = seconds_of(value["timestamp"])
    if timestamp is None:
        return Rejection.BAD_TIMESTAMP
    amount, bad_pnl = _pnl(value, options)
    currency, dry, slot = (_at(value, path) for path in (options.currency_path, options.dry_path, options.slot_path))
    row = Row(
        version=version,
        time_s=timestamp,
        kind=kind,
        amount=amount,
        currency=_currency(currency),
        dry=dry if isinstance(dry, bool) else None,
        latency_ms=_float(_at(value, options.latency_path)),
        slot=slot if isinstance(slot, str) else None,
    )
    return row, bad_pnl


def load(line: bytes) -> object:
    """Any JSON value, its fractions as Decimal, its NaN and Infinity as a Decimal that is not finite, and U+FFFD for
    bytes that are not UTF-8.

    Raises:
        ValueError: it is not JSON, even so.
        RecursionError: it is nested too deeply.
    """
    try:
        return _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        text = line.removeprefix(_BOM).decode("utf-8", "replace")
        return json.loads(text, parse_float=_number, parse_int=_number, parse_constant=lambda _name: _NOT_FINITE)


def as_written(line: bytes) -> str:
    """A record's text with every character as itself, whatever the writer escaped."""
    try:
        return msgspec.json.encode(load(line)).decode("utf-8", "replace")
    except (ValueError, TypeError, RecursionError, msgspec.MsgspecError):
        return line.decode("utf-8", "replace")


def load_shallow(raw: bytes) -> Any:
    """The same, but what is nested too deeply is null: what else stands in the record is not lost by it.

    Raises:
        ValueError, RecursionError: it is not JSON, even so.
    """
    try:
        return load(raw)
    except RecursionError:
        return load(_shallow(raw))


def _shallow(raw: bytes) -> bytes:
    """The same JSON with everything nested more than `MAX_DEPTH` deep replaced by null."""
    kept: list[bytes] = []
    depth = begin = 0
    for token in _BRACKETS.finditer(raw):
        mark = token[0]
        if mark in b"[{":
            depth += 1
            if depth == MAX_DEPTH + 1:
                kept += [raw[begin : token.start()], b"null"]
        elif mark in b"]}":
            depth -= 1
            if depth == MAX_DEPTH:
                begin = token.end()
    return b"".join([*kept, raw[begin:]])


def amount_at(value: object, path: str) -> Decimal | None:
    """The amount of money at a path of a decoded record; None where there is none that can be understood."""
    stated = _at(value, path)
    return None if stated is _MISSING else _amount(stated)


def text_at(value: object, path: str) -> str:
    """The text or whole number at a path of a decoded record, as a text; empty where there is none."""
    stated = _at(value, path)
    if isinstance(stated, str):
        return stated
    return str(stated) if isinstance(stated, int) and not isinstance(stated, bool) else ""


def _number(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except InvalidOperation:  # an exponent that no Decimal holds
        return _NOT_FINITE


_decoder: Final = msgspec.json.Decoder(float_hook=_number)


def _at(value: object, path: str) -> object:
    if not path:
        return _MISSING
    for name in path.split("."):
        if not isinstance(value, dict) or name not in value:
            return _MISSING
        value = value[name]
    return value


def _version(value: object) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    number = Decimal(value)
    return str(number) if number.is_finite() else None


def _float(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    try:
        number = float(value)
    except (OverflowError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _pnl(value: object, options: LogOptions) -> tuple[Decimal | None, bool]:
    """The amount, where one is stated, and whether what is stated has to be left out."""
    stated, dry = _at(value, options.pnl_path), _at(value, options.dry_path)
    if stated is _MISSING or stated is None:
        return None, False
    amount = _amount(stated)
    if amount is None or not (dry is _MISSING or dry is None or isinstance(dry, bool)):
        return None, True
    return amount, False


def _currency(value: object) -> str | None:
    if value is _MISSING or value is None:
        return None
    return value if isinstance(value, str) else str(value)


def _amount(value: object) -> Decimal | None:
    """An amount of money: a JSON number, or text that holds one (as agents that keep money in decimals write it)."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    try:
        amount = Decimal(value)
    except (InvalidOperation, ValueError):
        return None
    return amount if is_money(amount) else None
