"""Blocks of log lines become rows for the triggers.

The values that statistics need come from `console.logs`, as fast and as careful as everywhere. What only the triggers
need is decoded beside them, and looked into only where a cheap look at the bytes says that there is something.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from typing import Any, Final

import msgspec

from console.domain.seen.decision import Rejection
from console.domain.text import clean, redact
from console.domain.triggers.windows import Row
from console.guard.setup.signals import Signals
from console.logs.lines.careful import amount_at, load_shallow
from console.logs.lines.parse import Parsed, Parser, version_text
from console.logs.options import LogOptions

NO_AMOUNT: Final = Decimal("NaN")
"""The PnL of a round that states one which is no amount of money: NaN, 1e30, a word."""
_NULL: Final = msgspec.Raw(b"null")
_KEY_LIMIT: Final = 400
_WORDS: Final = ("exception", "error", "message", "text", "reason")
"""Where in the output of a report of a fault its own words may stand."""


class _Extra(msgspec.Struct, gc=False):
    inputs: msgspec.Raw = _NULL
    output: msgspec.Raw = _NULL
    outcome: msgspec.Raw = _NULL
    epoch: msgspec.Raw = _NULL
    decision_id: msgspec.Raw = _NULL


_extra: Final = msgspec.json.Decoder(_Extra)
_anything: Final = msgspec.json.Decoder()
_UNREADABLE: Final = (msgspec.MsgspecError, ValueError, RecursionError)
_ESCAPED: Final = b"\\u"
"""A name may be spelled with escapes: a look at the bytes can't tell, then."""


class _Line:
    """What of one line is decoded only where it is needed.

    Args:
        line: an accepted one: a JSON object, whatever stands in it.
    """

    __slots__ = ("_members", "_raw", "line")

    def __init__(self, line: bytes) -> None:
        self.line = line
        self._members: dict[str, Any] | None = None
        self._raw: _Extra | None
        try:
            self._raw = _extra.decode(line)
        except _UNREADABLE:  # it holds what JSON doesn't know; what else it holds is read all the same
            self._raw = None

    def members(self) -> dict[str, Any]:
        """Of the record itself."""
        if self._members is None:
            self._members = _members(self.line)
        return self._members

    def bytes_of(self, name: str) -> bytes:
        """A member as it stands in the line; the whole line where that can't be told."""
        return self.line if self._raw is None else bytes(getattr(self._raw, name))

    def value_of(self, name: str) -> Any:
        """A member's value; None where there is none."""
        if self._raw is None:
            return self.members().get(name)
        raw = bytes(getattr(self._raw, name))
        return None if raw == b"null" else _value(raw)

    def members_of(self, name: str) -> dict[str, Any]:
        """The members of a member; none where it is no object."""
        value = self.value_of(name)
        return value if isinstance(value, dict) else {}


class RowReader:
    """Reads rows from blocks of lines.

    Args:
        options: where the values lie.
        signals: what is looked for.
    """

    def __init__(self, options: LogOptions, signals: Signals) -> None:
        self.options = options
        self._signals = signals
        self._parser = Parser(options, lenient=True)  # what can't be shown is harm all the same
        self._in_outputs = tuple(
            b'"%s"' % name.encode() for name in (*signals.exception_fields, *signals.auth_fields, "http_status")
        )
        self._in_inputs = tuple(b'"%s"' % name.encode() for name in (*signals.identity_fields, signals.escrow_field))
        self._of_fills = tuple(b'"%s"' % name.encode() for name in signals.fill_fields)
        self._of_places = tuple(b'"%s"' % name.encode() for name in signals.place_fields)
        self._stake_path = options.stake_path
        self._of_stake = b'"%s"' % options.stake_path.rpartition(".")[2].encode()
        self._faults_by_kind = signals.faults | signals.auth_kinds
        self._in_line = tuple(b'"%s"' % name.encode() for name in signals.key_fields)

    def parse(self, block: bytes) -> Parsed:
        """The block's columns, of lines that are decisions."""
        return self._parser.parse(block)

    def rows(self, parsed: Parsed, name: str, start: int) -> Iterator[Row]:
        """The accepted lines as rows.

        Args:
            parsed: from `parse`.
            name: the file's, for ids.
            start: where in the file the block begins.
        """
        records, places = parsed.accepted(), parsed.places(start)
        slot_of: dict[tuple[object, object], str] = {}
        left_out = parsed.rejected[Rejection.BAD_PNL] > 0
        for at, record in enumerate(records):
            version = version_text(parsed.versions[at])
            stated = parsed.slots[at]
            slot = slot_of.get((version, stated))
            if slot is None:
                slot = slot_of[version, stated] = self.options.slot_of(version, stated)
            amount, dry, latency = parsed.amounts[at], parsed.dries[at] is True, parsed.latencies[at]
            if amount is None and left_out and self._states_pnl(record):
                amount = NO_AMOUNT
            currency = str(clean(parsed.currencies[at], 16)) if parsed.currencies[at] else ""
            took_ms = latency if latency is not None and latency >= 0.0 else None
            place = f"{name}@{places[at]}"
            row = Row(parsed.times[at], version, slot, place, amount, currency, dry, took_ms)
            yield self._with_signals(row, record, parsed.kinds[at])

    def _with_signals(self, row: Row, line: bytes, kind: str) -> Row:
        signals, read = self._signals, _Line(line)
        more: dict[str, Any] = {}
        if kind in self._faults_by_kind:
            more["fault"] = "auth" if kind in signals.auth_kinds else "exception"
            report = read.members_of("output")
            words = next((report[name] for name in _WORDS if report.get(name)), read.bytes_of("output"))
            more["fault_text"] = str(redact(words, 120))
        if _names_one(self._in_outputs, read.bytes_of("output")):
            more |= self._faults(read.members_of("output"))
        if row.amount is not None and self._stake_path and _names_one((self._of_stake,), line):
            more["stake"] = self._stake(read)
        if (stated := read.value_of("epoch")) is not None and (epoch := _whole(stated) or 0) > 0:
            more["epoch"] = epoch
        if (identity := read.value_of("decision_id")) is not None:
            more["id"] = str(clean(identity, 64))
        acts = row.amount is not None or read.value_of("outcome") == "ok"
        if _names_one(self._in_inputs, read.bytes_of("inputs")) or (acts and _names_one(self._in_line, line)):
            more |= self._names(kind, read, acts)
        return row._replace(**more) if more else row

    def _states_pnl(self, line: bytes) -> bool:
        """Whether a line that has no amount states something in its place."""
        value: Any = load_shallow(line)
        for name in self.options.pnl_path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return value is not None

    def _stake(self, read: _Line) -> Decimal | None:
        """What was at risk; None where that is no amount above 0."""
        first, _, rest = self._stake_path.partition(".")
        if first in ("inputs", "output") and rest:
            stake = amount_at(read.members_of(first), rest)
        else:
            stake = amount_at(read.members(), self._stake_path)
        return stake if stake is not None and stake > 0 else None

    def _faults(self, output: dict[str, Any]) -> dict[str, Any]:
        signals = self._signals
        status = _whole(output.get("http_status"))
        for name in signals.auth_fields:
            if output.get(name):
                return {"fault": "auth", "fault_text": str(redact(output[name], 120))}
        if status in signals.auth_statuses:
            return {"fault": "auth", "fault_text": f"HTTP {status}"}
        for name in signals.exception_fields:
            if output.get(name):
                return {"fault": "exception", "fault_text": str(redact(output[name], 120))}
        return {}

    def _names(self, kind: str, read: _Line, acts: bool) -> dict[str, Any]:
        signals, more = self._signals, dict[str, Any]()
        inputs, output = read.members_of("inputs"), read.members_of("output")
        if escrow := _name(inputs.get(signals.escrow_field)):
            more["escrow"] = escrow
            more["escrow_over"] = kind in signals.escrow_over_kinds
        if not acts:
            return more
        more["fill"] = any(_plain(word) in signals.fill_kinds for word in (kind, output.get("status")))
        key = trade = ""
        keyed, parted = _names_one(self._in_line, read.line), _names_one(self._of_fills, read.line)
        if keyed or parted:
            places = (read.members(), output, inputs)
            key = _first(signals.key_fields, places) if keyed else ""
            trade = _first(signals.fill_fields, places) if parted else ""
        if key:
            more["key"] = f"{key}\n{trade}" if trade else key
        elif any(inputs.get(name) not in (None, "") for name in signals.identity_fields):
            pnl = self.options.pnl_path.removeprefix("output.")
            kept = {name: value for name, value in output.items() if name != pnl}
            content: list[Any] = [kind, inputs, kept, trade]
            if _names_one(self._of_places, read.line):
                content += [read.members().get(name) for name in signals.place_fields]
            more["content"] = hashlib.blake2b(_canonical(content), digest_size=12).digest()
        return more


def _names_one(names: tuple[bytes, ...], raw: bytes) -> bool:
    """Whether any of the names may stand in it."""
    for name in names:  # asked of every line: a generator would take longer than the looking
        if name in raw:
            return True
    return _ESCAPED in raw


def _first(names: tuple[str, ...], places: tuple[dict[str, Any], ...]) -> str:
    """What the first of the names that is there names; empty where none is."""
    for name in names:
        for place in places:
            if name in place and (named := _name(place[name])):
                return named[:_KEY_LIMIT]
    return ""


def _plain(word: Any) -> str:
    """A kind or a status, however it is spelled."""
    return word.lower().replace("-", "_").replace(" ", "_") if isinstance(word, str) else ""


def _name(value: Any) -> str:
    """What a text or a number names; empty for anything else."""
    return str(value) if isinstance(value, str | int | float | Decimal) and not isinstance(value, bool) else ""


def _whole(value: Any) -> int | None:
    """A whole number, also one that stands there as text or with a fraction of 0; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        number = Decimal(value)
        return int(number) if number.is_finite() and abs(number) < 1 << 53 and number == int(number) else None
    except ArithmeticError:
        return None


def _canonical(value: list[Any]) -> bytes:
    """The same bytes for the same content, whatever it holds."""
    try:
        return msgspec.json.encode(value, order="deterministic")
    except _UNREADABLE:  # half of a surrogate pair
        return json.dumps(value, sort_keys=True, default=str).encode()


def _value(raw: bytes) -> Any:
    try:
        return _anything.decode(raw)
    except _UNREADABLE:
        with suppress(ValueError, RecursionError):  # it is no JSON by any reading: nothing is known of it
            return load_shallow(raw)
        return None


def _members(raw: bytes) -> dict[str, Any]:
    value = _value(raw)
    return value if isinstance(value, dict) else {}
