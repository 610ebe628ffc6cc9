"""JSON lines become records: fast where a line is as expected, exact about what is wrong where it is not.

A block of lines is decoded at once into structs that hold only what statistics need. A line that does not fit them is
read again by the careful way (`console.logs.careful`), which names the reason or finds that the line is merely unusual.
What a line holds beyond that (inputs, reasoning, the whole output) stays bytes until somebody looks
(`console.logs.present`).

A record needs `agent_version` (text, or a number), `timestamp` (epoch seconds, a finite number in the years 1970 to
9999) and `decision_type` (text); everything else may be missing or of any type. A PnL that is there and is no amount of
money, and one of which it can't be told whether real money moved, never becomes a number: the record is accepted
without it, and `Rejection.BAD_PNL` is counted beside it.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Final

import msgspec

from console.domain.decision import Rejection
from console.logs.money import is_money, surely_money
from console.logs.options import LogOptions

MAX_TIMESTAMP_S: Final = 253402300800.0
"""The first second of the year 10000."""


class Output(msgspec.Struct, gc=False):
    """What statistics need of a record's `output` (or of wherever the configured paths lead)."""

    pnl: Decimal | None = None
    currency: str | None = None
    dry: bool | None = None


class Record(msgspec.Struct, gc=False):
    """One accepted line, reduced to what statistics need.

    `output` may still be any JSON value right after decoding; `Parsed.outputs` holds the normalised one.
    """

    agent_version: str | int
    timestamp: float
    decision_type: str
    output: Output | str | float | int | bool | list[msgspec.Raw] | None = None
    latency_ms: float | None = None
    slot: str | None = None


NO_OUTPUT: Final = Output()
_DEFAULT_PATHS: Final = LogOptions().paths
_UNREADABLE: Final = (msgspec.MsgspecError, ValueError, RecursionError)


class Parsed:
    """The lines of one block: columns of the accepted ones, all of equal length, and the count of the others.

    Attributes:
        records, outputs: the accepted records in the order of their lines, and their outputs.
        times: their timestamps, epoch seconds.
        lines: every line of the block; `index` says which of them was accepted, None where all were.
        rejected: lines refused, by reason; BAD_PNL counts records that were accepted without their PnL.
    """

    __slots__ = ("index", "lines", "outputs", "records", "rejected", "times")

    def __init__(self, lines: list[bytes]) -> None:
        self.lines = lines
        self.index: list[int] | None = None
        self.records: list[Record] = []
        self.outputs: list[Output] = []
        self.times: list[float] = []
        self.rejected: Counter[Rejection] = Counter()


class Parser:
    """Parses blocks of lines as the options say."""

    def __init__(self, options: LogOptions) -> None:
        self._options = options
        self._max = options.max_line_bytes
        self._decode = msgspec.json.Decoder(Record).decode
        self._usual = options.paths == _DEFAULT_PATHS

    def parse(self, block: bytes) -> Parsed:
        """Parse complete lines, without the newline of the last one. Never raises for what they hold."""
        parsed = Parsed(block.split(b"\n"))
        if not (self._usual and self._as_expected(block, parsed)):
            self._one_by_one(parsed)
        return parsed

    def _as_expected(self, block: bytes, parsed: Parsed) -> bool:
        """Decode the whole block at once; False, with nothing counted, if any line needs a closer look."""
        if len(block) > self._max and max(map(len, parsed.lines)) > self._max:
            return False
        if not _is_utf8(block):
            return False
        try:
            records = list(map(self._decode, parsed.lines))
        except _UNREADABLE:
            return False
        times = [record.timestamp for record in records]
        if not (min(times) >= 0.0 and max(times) < MAX_TIMESTAMP_S):
            return False
        outputs = _outputs(records)
        if not surely_money([amount for output in outputs if (amount := output.pnl) is not None]):
            return False
        parsed.records, parsed.times, parsed.outputs = records, times, outputs
        return True

    def _one_by_one(self, parsed: Parsed) -> None:
        from console.logs.careful import read_carefully

        index: list[int] = []
        for number, line in enumerate(parsed.lines):
            if len(line) > self._max:
                parsed.rejected[Rejection.TOO_LONG] += 1
                continue
            if not _is_utf8(line):
                parsed.rejected[Rejection.NOT_UTF8] += 1
                continue
            record = self._usual_record(line) if self._usual else None
            if record is None:
                found = read_carefully(line, self._options)
                if isinstance(found, Rejection):
                    parsed.rejected[found] += 1
                    continue
                record, bad_pnl = found
                if bad_pnl:
                    parsed.rejected[Rejection.BAD_PNL] += 1
            index.append(number)
            parsed.records.append(record)
        parsed.index = index
        parsed.times = [record.timestamp for record in parsed.records]
        parsed.outputs = _outputs(parsed.records)

    def _usual_record(self, line: bytes) -> Record | None:
        try:
            record = self._decode(line)
        except _UNREADABLE:
            return None
        if not 0.0 <= record.timestamp < MAX_TIMESTAMP_S:
            return None
        output = record.output
        if isinstance(output, Output) and output.pnl is not None and not is_money(output.pnl):
            return None
        return record


def version_text(version: str | int) -> str:
    """The version as text; a number's digits, however many."""
    return version if isinstance(version, str) else str(Decimal(version))


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _outputs(records: list[Record]) -> list[Output]:
    outputs = [record.output for record in records]
    return [output if type(output) is Output else NO_OUTPUT for output in outputs]
