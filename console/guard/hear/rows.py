"""Blocks of log lines become rows for the triggers.

The values that statistics need come from `console.logs`, as fast and as careful as everywhere. What only the triggers
need is decoded beside them, and looked into only where a cheap look at the bytes says that there is something.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import accumulate
from typing import Any, Final

import msgspec

from console.domain.text import clean, redact
from console.domain.triggers.windows import Row
from console.guard.setup.signals import Signals
from console.logs.lines.parse import Parsed, Parser, version_text
from console.logs.options import LogOptions

_NULL: Final = msgspec.Raw(b"null")
_KEY_LIMIT: Final = 400
_WORDS: Final = ("exception", "error", "message", "text", "reason")
"""Where in the output of a report of a fault its own words may stand."""


class _Extra(msgspec.Struct, gc=False):
    decision_type: str = ""
    inputs: msgspec.Raw = _NULL
    output: msgspec.Raw = _NULL
    outcome: msgspec.Raw = _NULL
    epoch: msgspec.Raw = _NULL
    decision_id: msgspec.Raw = _NULL


_extra: Final = msgspec.json.Decoder(_Extra)
_anything: Final = msgspec.json.Decoder()
_UNREADABLE: Final = (msgspec.MsgspecError, ValueError, RecursionError)


class RowReader:
    """Reads rows from blocks of lines.

    Args:
        options: where the values lie.
        signals: what is looked for.
    """

    def __init__(self, options: LogOptions, signals: Signals) -> None:
        self.options = options
        self._signals = signals
        self._parser = Parser(options)
        self._in_outputs = tuple(
            b'"%s"' % name.encode() for name in (*signals.exception_fields, *signals.auth_fields, "http_status")
        )
        self._in_inputs = tuple(b'"%s"' % name.encode() for name in (*signals.identity_fields, signals.escrow_field))
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
        lines = parsed.lines
        offsets = list(accumulate((len(line) + 1 for line in lines), initial=start))
        numbers = range(len(lines)) if parsed.index is None else parsed.index
        slot_of: dict[tuple[object, object], str] = {}
        for at, number in enumerate(numbers):
            version = version_text(parsed.versions[at])
            stated = parsed.slots[at]
            slot = slot_of.get((version, stated))
            if slot is None:
                slot = slot_of[version, stated] = self.options.slot_of(version, stated)
            amount, dry, latency = parsed.amounts[at], parsed.dries[at] is True, parsed.latencies[at]
            currency = str(clean(parsed.currencies[at], 16)) if parsed.currencies[at] else ""
            took_ms = latency if latency is not None and latency >= 0.0 else None
            place = f"{name}@{offsets[number]}"
            row = Row(parsed.times[at], version, slot, place, amount, currency, dry, took_ms)
            yield self._with_signals(row, lines[number], parsed.kinds[at])

    def _with_signals(self, row: Row, line: bytes, kind: str) -> Row:
        signals = self._signals
        try:
            extra = _extra.decode(line)
        except _UNREADABLE:
            return row
        more: dict[str, Any] = {}
        if kind in signals.exception_kinds or kind in signals.auth_kinds:
            more["fault"] = "auth" if kind in signals.auth_kinds else "exception"
            report = _members(bytes(extra.output))
            words = next((report[name] for name in _WORDS if report.get(name)), bytes(extra.output))
            more["fault_text"] = str(redact(words, 120))
        output, inputs = bytes(extra.output), bytes(extra.inputs)
        if any(name in output for name in self._in_outputs):
            more |= self._faults(_members(output))
        if bytes(extra.epoch) != b"null":
            epoch = _value(extra.epoch)
            if type(epoch) is int and 0 < epoch < 1 << 53:
                more["epoch"] = epoch
        if bytes(extra.decision_id) != b"null":
            more["id"] = str(clean(_value(extra.decision_id), 64))
        acts = row.amount is not None or _value(extra.outcome) == "ok"
        if any(name in inputs for name in self._in_inputs) or (acts and any(name in line for name in self._in_line)):
            more |= self._names(kind, line, _members(inputs), _members(output), acts)
        return row._replace(**more) if more else row

    def _faults(self, output: dict[str, Any]) -> dict[str, Any]:
        signals = self._signals
        status = output.get("http_status")
        for name in signals.auth_fields:
            if output.get(name):
                return {"fault": "auth", "fault_text": str(redact(output[name], 120))}
        if type(status) is int and status in signals.auth_statuses:
            return {"fault": "auth", "fault_text": f"HTTP {status}"}
        for name in signals.exception_fields:
            if output.get(name):
                return {"fault": "exception", "fault_text": str(redact(output[name], 120))}
        return {}

    def _names(
        self, kind: str, line: bytes, inputs: dict[str, Any], output: dict[str, Any], acts: bool
    ) -> dict[str, Any]:
        signals, more = self._signals, dict[str, Any]()
        escrow = inputs.get(signals.escrow_field)
        if isinstance(escrow, str | int) and escrow != "":
            more["escrow"] = str(escrow)
            more["escrow_over"] = kind in signals.escrow_over_kinds
        if not acts:
            return more
        places = (_members(line), output, inputs)
        for name in signals.key_fields:
            for place in places:
                if isinstance(place.get(name), str) and place[name]:
                    more["key"] = str(place[name])[:_KEY_LIMIT]
                    return more
        if any(inputs.get(name) not in (None, "") for name in signals.identity_fields):
            pnl = self.options.pnl_path.removeprefix("output.")
            kept = {name: value for name, value in output.items() if name != pnl}
            whole = msgspec.json.encode([kind, inputs, kept], order="deterministic")
            more["content"] = hashlib.blake2b(whole, digest_size=12).digest()
        return more


def _value(raw: msgspec.Raw) -> Any:
    try:
        return _anything.decode(raw)
    except _UNREADABLE:
        return None


def _members(raw: bytes) -> dict[str, Any]:
    try:
        value = _anything.decode(raw)
    except _UNREADABLE:
        return {}
    return value if isinstance(value, dict) else {}
