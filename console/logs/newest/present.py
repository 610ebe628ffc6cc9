"""A line becomes a `Decision` to show: the words in it, made safe and short. Done only for the newest lines, when
asked."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import msgspec

from console.domain.seen.decision import Decision, Money
from console.domain.text import Safe, clean
from console.logs.lines.careful import load
from console.logs.lines.parse import version_text
from console.logs.lines.shape import Row
from console.logs.options import LogOptions
from console.logs.statistics.windows import CURRENCY_LIMIT, VERSION_LIMIT

RAW_LIMIT: Final = 8 * 1024
KIND_LIMIT: Final = 64
WORDS_LIMIT: Final = 256
_NULL: Final = msgspec.Raw(b"null")
_TOO_DEEP: Final = Safe("(nested too deeply to be shown)")
_HIDDEN: Final = frozenset({"pnl", "currency", "dry"})


class _Words(msgspec.Struct, gc=False):
    output: msgspec.Raw = _NULL
    reasoning: msgspec.Raw = _NULL


_words: Final = msgspec.json.Decoder(_Words)
_object: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_text: Final = msgspec.json.Decoder(str)


class Sighting(msgspec.Struct, gc=False):
    """An accepted line as it was read; `decision` builds what can be shown of it, once.

    Args:
        key: where it belongs in the order of time.
        row: what was parsed.
        line: all of it, at most RAW_LIMIT bytes; longer lines have to be shown at once, and are let go then.
        read_at_s: the reader's clock, epoch seconds.
    """

    key: float
    row: Row
    line: bytes
    source: Safe
    offset: int
    sequence: int
    read_at_s: float
    shown: Decision | None = None

    def decision(self, options: LogOptions) -> Decision:
        """What can be shown of the line; the same object each time."""
        if self.shown is None:
            self.shown = self._show(options)
            self.line = b""
        return self.shown

    def _show(self, options: LogOptions) -> Decision:
        row = self.row
        version = version_text(row.version)
        outcome, reasoning = words(self.line)
        latency = row.latency_ms
        return Decision(
            at=datetime.fromtimestamp(row.time_s, UTC),
            version=_repeated(version, VERSION_LIMIT),
            slot=options.slot_of(version, row.slot),
            kind=_repeated(row.kind, KIND_LIMIT),
            outcome=outcome,
            reasoning=reasoning,
            pnl=None
            if row.amount is None
            else Money(row.amount, _repeated(row.currency or "", CURRENCY_LIMIT), bool(row.dry)),
            latency_ms=latency if latency is not None and latency >= 0.0 else None,
            future_s=max(0.0, row.time_s - self.read_at_s),
            raw=self.line[:RAW_LIMIT],
            source=self.source,
            offset=self.offset,
            sequence=self.sequence,
        )


def _repeated(text: str, limit: int) -> Safe:
    """Clean text of which there are few different ones, many times over."""
    return _few(text, limit) if len(text) <= KIND_LIMIT else clean(text, limit)


_few: Final = lru_cache(maxsize=512)(clean)


def words(line: bytes) -> tuple[Safe, Safe]:
    """The `output` and the `reasoning` of a line that was accepted, each on one line.

    An object becomes its `action`, then `name=value` for the rest (what is shown as PnL left out); text stays text;
    anything else is shown as the JSON it is.
    """
    try:
        try:
            words = _words.decode(line)
            return _one_line(words.output), _one_line(words.reasoning)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            value = load(line)  # it was accepted by the careful way, which also reads what strictly is no JSON
            fields = value if isinstance(value, dict) else {}
            return _one_line_of(fields.get("output")), _one_line_of(fields.get("reasoning"))
    except (ValueError, RecursionError):
        return _TOO_DEEP, Safe("")  # less of the stack is left here than where the line was accepted


def _one_line(raw: msgspec.Raw) -> Safe:
    data = bytes(raw)
    if data.startswith(b"{"):
        return _fields(
            {name: _value(bytes(value)) for name, value in _object.decode(raw).items() if name not in _HIDDEN}
        )
    return clean(_value(data), WORDS_LIMIT)


def _one_line_of(value: object) -> Safe:
    if isinstance(value, dict):
        return _fields({name: str(part) for name, part in value.items() if name not in _HIDDEN})
    return clean("" if value is None else value, WORDS_LIMIT)


def _fields(fields: dict[str, str]) -> Safe:
    parts = [fields.pop("action")] if "action" in fields else []
    parts += [f"{name}={value}" for name, value in fields.items()]
    return clean(" ".join(parts), WORDS_LIMIT)


def _value(data: bytes) -> str:
    if data.startswith(b'"'):
        return _text.decode(data)
    return "" if data == b"null" else data.decode("utf-8", "replace")
