"""Lines that others write become the plain records that every reader reads: the one place where a mapping is applied.

A record keeps what it was made of, in `original`: so what no mapping names can be searched for, shown and asked for.
Nothing is judged here: whether a PnL is money, a version is text or a time is there is found out by the same parser as
for plain logs.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import msgspec

from console.domain.seen.decision import Rejection
from console.logs.lines.careful import load_shallow
from console.logs.lines.declared import NS_A, declared_s, number_of
from console.logs.mapping.mapping import VALUES, Mapping, paths_of
from console.logs.mapping.path import MISSING, Known, Path, Scope

MOST_RECORDS: Final = 10_000
"""Of one line; what follows is refused."""
MOST_DIGITS: Final = 300
"""Of a whole number that is written as one."""
_BOM: Final = b"\xef\xbb\xbf"
_TIMES: Final = ("time", "end_time")
_encode: Final = msgspec.json.Encoder(decimal_format="number").encode


class Missed:
    """What a mapping looked for and did not get.

    Attributes:
        lines: that were looked at.
        records: that were in them; counted: those of them that count as decisions.
        lacked: what a mapping names → of how many of these it was not there.
    """

    __slots__ = ("counted", "lacked", "lines", "records")

    def __init__(self) -> None:
        self.lines = self.records = self.counted = 0
        self.lacked: Counter[str] = Counter()

    def add(self, more: Missed) -> None:
        """Count what another part of the logs lacked, too."""
        self.lines += more.lines
        self.records += more.records
        self.counted += more.counted
        self.lacked.update(more.lacked)

    def never(self, mapping: Mapping) -> dict[str, int]:
        """What has to be there and never was: its name and where it was looked for, with how many lines or records
        lacked it."""
        of = {"each": self.lines, "only": self.records}
        return {
            f"{name} ({where})": count
            for name, where in mapping.expected().items()
            if (count := self.lacked[name]) and count == of.get(name, self.counted)
        }


class _Source:
    """Where one value stands."""

    __slots__ = ("_constant", "_paths")

    def __init__(self, name: str, texts: tuple[str, ...]) -> None:
        constant = next((text[1:] for text in texts if text.startswith("=")), None)
        self._constant: Any = (constant == "true" if name == "dry" else constant) if constant else MISSING
        self._paths = tuple(Path(text) for text in texts if not text.startswith("="))

    def find(self, scope: Scope) -> Any:
        """The value; MISSING where there is none, or null."""
        for path in self._paths:
            value = path.find(scope)
            if value is not MISSING and value is not None:
                return value
        return self._constant


class Rewriter:
    """Rewrites lines.

    Args:
        mapping: as somebody wrote it.

    Raises:
        UsageError: it can't be understood.
    """

    def __init__(self, mapping: Mapping) -> None:
        mapping = mapping.whole()
        self._mapping = mapping
        self._each = Path(mapping.each, every=True) if mapping.each else None
        self._only = Path(mapping.only) if mapping.only else None
        self._sources = [(name, _Source(name, texts)) for name in VALUES if (texts := paths_of(getattr(mapping, name)))]

    def records(self, line: bytes, missed: Missed) -> Iterator[bytes | Rejection]:
        """The plain records in a line, in its order, each without a newline in it, or why there is none.

        Args:
            line: without its newline.
            missed: is told what was not there.
        """
        try:
            value = load_shallow(line)
        except (ValueError, RecursionError):
            yield Rejection.NOT_JSON
            return
        missed.lines += 1
        known = Known()
        if self._each is None:
            raw = line.removeprefix(_BOM).strip()
            yield from self._record(value, (), known, missed, raw)
            return
        number = 0
        for number, (record, *around) in enumerate(self._each.records(value), 1):
            if number > MOST_RECORDS:
                yield Rejection.TOO_LONG
                return
            yield from self._record(record, tuple(around), known, missed, b"")
        if not number:
            missed.lacked["each"] += 1
            if not isinstance(value, dict):
                yield Rejection.NOT_AN_OBJECT

    def _record(
        self, record: Any, around: tuple[dict[str, Any], ...], known: Known, missed: Missed, raw: bytes
    ) -> Iterator[bytes | Rejection]:
        if not isinstance(record, dict):
            yield Rejection.NOT_AN_OBJECT
            return
        scope = Scope(record, around, known)
        missed.records += 1
        if self._only is not None and self._only.find(scope) in (MISSING, None):
            missed.lacked["only"] += 1
            return
        missed.counted += 1
        values: dict[str, Any] = {}
        for name, source in self._sources:
            value = source.find(scope)
            if value is MISSING:
                missed.lacked[name] += 1
            else:
                values[name] = value
        yield _written(self._plain(values))[:-1] + b',"original":' + (raw or _written(record)) + b"}"

    def _plain(self, values: dict[str, Any]) -> dict[str, Any]:
        """A plain record with these values."""
        plain: dict[str, Any] = {}
        for name, ours in _AS_IT_IS:
            if name in values:
                plain[ours] = values[name]
        if "time" in values:
            plain["timestamp"] = declared_s(values["time"], self._mapping.time_format)
        latency = self._latency(values)
        if latency is not None:
            plain["latency_ms"] = latency
        output = _output(values)
        if output is not MISSING:
            plain["output"] = output
        return plain

    def _latency(self, values: dict[str, Any]) -> Decimal | float | None:
        if "latency" in values:
            number, unit = number_of(values["latency"]), self._mapping.latency_unit
            return None if number is None else number * NS_A[unit] / NS_A["ms"]
        if not all(name in values for name in _TIMES):
            return None
        if self._mapping.time_format == "rfc3339":
            begin_s, end_s = (declared_s(values[name], "rfc3339") for name in _TIMES)
            return None if begin_s is None or end_s is None else round((end_s - begin_s) * 1000, 3)
        begin, end = (number_of(values[name]) for name in _TIMES)
        return None if begin is None or end is None else (end - begin) * NS_A[self._mapping.time_format] / NS_A["ms"]


_AS_IT_IS: Final = (
    ("version", "agent_version"),
    ("type", "decision_type"),
    ("slot", "slot"),
    ("outcome", "outcome"),
    ("reasoning", "reasoning"),
    ("inputs", "inputs"),
    ("stake", "stake"),
    ("key", "idempotency_key"),
    ("epoch", "epoch"),
    ("id", "decision_id"),
)
"""What a plain record calls the same."""
_IN_OUTPUT: Final = (("pnl", "pnl"), ("currency", "currency"), ("dry", "dry"), ("error", "exception"))


def _output(values: dict[str, Any]) -> Any:
    """What was decided, with its money."""
    stated = values.get("output", MISSING)
    inside = {ours: values[name] for name, ours in _IN_OUTPUT if name in values}
    if stated is MISSING and "outcome" in values:
        inside = {"action": values["outcome"], **inside}
    if isinstance(stated, dict):
        return {**stated, **inside}
    if stated is MISSING or not inside:
        return inside or stated
    return {"action": stated, **inside}


def _written(value: dict[str, Any]) -> bytes:
    """As JSON, numbers with their digits."""
    try:
        return _encode(value)
    except (ValueError, TypeError, OverflowError, RecursionError, msgspec.MsgspecError):  # half of a surrogate pair
        return json.dumps(value, default=_digits).encode()


def _digits(value: object) -> int | float | str:
    """A Decimal as the number that is written with its digits; as text, which an amount may be, where floats have
    none."""
    if isinstance(value, Decimal):
        if value.is_finite() and value.as_tuple().exponent == 0 and value.adjusted() < MOST_DIGITS:
            return int(value)
        number = float(value)
        if not value.is_finite() or Decimal(repr(number)) == value:
            return number
    return str(value)
