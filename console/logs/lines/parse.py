"""JSON lines become columns of values: fast where a line is as expected, exact about what is wrong where it is not.

A block of lines is decoded at once into what statistics need (`console.logs.lines.shape`). A line that does not fit is
read again by the careful way (`console.logs.lines.careful`), which names the reason or finds that the line is merely
unusual. What a line holds beyond that (inputs, reasoning, the whole output) stays bytes until somebody looks
(`console.logs.newest.present`).

A record needs `agent_version` (text, or a number), `timestamp` (of the years 1970 to 9999: `console.logs.lines.times`)
and `decision_type` (text); everything else may be missing or of any type. A PnL that is there and is no amount of
money, or of which it can't be told whether real money moved, never becomes a number: the record is accepted without it,
and `Rejection.BAD_PNL` is counted beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from itertools import accumulate
from types import NoneType
from typing import Any, Final

import msgspec

from console.domain.seen.decision import Rejection
from console.logs.lines.careful import read_carefully
from console.logs.lines.money import is_money, surely_money
from console.logs.lines.rewrite import Missed, Rewriter
from console.logs.lines.shape import Row, Shape, Unshapely
from console.logs.lines.times import MAX_TIMESTAMP_S, seconds_of
from console.logs.options import LogOptions

RECORD_BYTES: Final = 8
"""A record that a mapping makes has its values and what they were taken from: so many times a line's bytes, at most."""
_UNREADABLE: Final = (msgspec.MsgspecError, ValueError, RecursionError)


class Parsed:
    """The lines of one block: columns of Row's fields, a row for each accepted line, and a count of the others.

    Attributes:
        lines: every line of the block; `index` says which of them were accepted, None where all were.
        rejected: lines refused, by reason; BAD_PNL counts records that were accepted without their PnL.
        versions, times, kinds, amounts, currencies, dries, latencies, slots: the columns.
        records: the plain record of each row, and `parts`, which of its line's it is, counted from 0, where a mapping
            made them; None where lines are records.
        missed: what the mapping looked for and did not get; None without one.
    """

    __slots__ = (
        "amounts",
        "currencies",
        "dries",
        "index",
        "kinds",
        "latencies",
        "lines",
        "missed",
        "parts",
        "records",
        "rejected",
        "slots",
        "times",
        "versions",
    )

    def __init__(self, lines: list[bytes]) -> None:
        self.lines = lines
        self.index: list[int] | None = None
        self.records: list[bytes] | None = None
        self.parts: list[int] | None = None
        self.missed: Missed | None = None
        self.rejected: Counter[Rejection] = Counter()
        self.versions: list[str | int] = []
        self.times: list[float] = []
        self.kinds: list[str] = []
        self.amounts: list[Decimal | None] = []
        self.currencies: list[str | None] = []
        self.dries: list[bool | None] = []
        self.latencies: list[float | None] = []
        self.slots: list[str | None] = []

    def __len__(self) -> int:
        return len(self.times)

    def accepted(self) -> list[bytes]:
        """The record of each row."""
        if self.records is not None:
            return self.records
        return self.lines if self.index is None else [self.lines[number] for number in self.index]

    def places(self, start: int) -> list[int]:
        """Where each row's record stands: where its line begins, and so many bytes on as records of it went before.

        Args:
            start: where the first line begins.
        """
        offsets = list(accumulate(map(len, self.lines), _next_line, initial=start))
        if self.index is None:
            return offsets[: len(self.lines)]
        if self.parts is None:
            return [offsets[number] for number in self.index]
        return [offsets[number] + part for number, part in zip(self.index, self.parts, strict=True)]

    def rows(self) -> list[Row]:
        """The accepted lines, each as a row."""
        return list(
            map(
                Row,
                self.versions,
                self.times,
                self.kinds,
                self.amounts,
                self.currencies,
                self.dries,
                self.latencies,
                self.slots,
            )
        )

    def fill(self, columns: Iterable[Any]) -> None:
        """Take the columns, in the order of Row's fields."""
        (
            self.versions,
            self.times,
            self.kinds,
            self.amounts,
            self.currencies,
            self.dries,
            self.latencies,
            self.slots,
        ) = columns


class Parser:
    """Parses blocks of lines as the options say.

    Args:
        options: where in a record the values lie.
        lenient: whether a byte that is not UTF-8 costs its character alone, and not the record.
    """

    def __init__(self, options: LogOptions, *, lenient: bool = False) -> None:
        self._lenient = lenient
        self._options = options
        self._max = options.max_line_bytes
        self._rewriter = self._plain = None
        if options.mapping is not None:
            self._rewriter = Rewriter(options.mapping)
            most = RECORD_BYTES * self._max + RECORD_BYTES * 1024
            self._plain = Parser(replace(options, mapping=None, max_line_bytes=most), lenient=lenient)
        self._shape: Shape | None
        try:
            self._shape = Shape(options)
        except Unshapely:  # a path leads through the end of another: every line is read the careful way
            self._shape = None

    def parse(self, block: bytes) -> Parsed:
        """Parse complete lines, without the newline of the last one. Never raises for what they hold."""
        parsed = Parsed(block.split(b"\n"))
        if self._rewriter is not None and self._plain is not None:
            self._mapped(self._rewriter, self._plain, parsed)
        elif self._shape is None or not self._all_fit(self._shape, block, parsed):
            self._one_by_one(parsed)
        return parsed

    def _all_fit(self, shape: Shape, block: bytes, parsed: Parsed) -> bool:
        """Decode the whole block at once; False, with nothing counted, if any line needs a closer look."""
        if len(block) > self._max and max(map(len, parsed.lines)) > self._max:
            return False
        if not _is_utf8(block):
            return False
        try:
            columns = shape.columns(list(map(shape.decode, parsed.lines)))
        except _UNREADABLE:
            return False
        times, amounts = columns[1], columns[3]
        if set(map(type, times)) != {float} or not (min(times) >= 0.0 and max(times) < MAX_TIMESTAMP_S):
            times[:] = map(seconds_of, times)
            if None in times:
                return False
        if NoneType in set(map(type, amounts)):
            amounts = [amount for amount in amounts if amount is not None]
        if not surely_money(amounts):
            return False
        parsed.fill(columns)
        return True

    def _one_by_one(self, parsed: Parsed) -> None:
        index: list[int] = []
        rows: list[Row] = []
        for number, line in enumerate(parsed.lines):
            row = self._row(line)
            if isinstance(row, Rejection):
                parsed.rejected[row] += 1
                continue
            if row is None:
                careful = read_carefully(line, self._options)
                if isinstance(careful, Rejection):
                    parsed.rejected[careful if _is_utf8(line) else Rejection.NOT_UTF8] += 1
                    continue
                row, bad_pnl = careful
                if bad_pnl:
                    parsed.rejected[Rejection.BAD_PNL] += 1
            index.append(number)
            rows.append(row)
        parsed.index = index
        if rows:
            parsed.fill(list(column) for column in zip(*rows, strict=True))

    def _mapped(self, rewriter: Rewriter, plain: Parser, parsed: Parsed) -> None:
        """Read the records that the mapping makes of each line, as plain ones."""
        parsed.missed = Missed()
        records: list[bytes] = []
        origins: list[tuple[int, int]] = []
        for number, line in enumerate(parsed.lines):
            if len(line) > self._max or not (self._lenient or _is_utf8(line)):
                parsed.rejected[Rejection.TOO_LONG if len(line) > self._max else Rejection.NOT_UTF8] += 1
                continue
            for part, record in enumerate(rewriter.records(line, parsed.missed)):
                if isinstance(record, Rejection):
                    parsed.rejected[record] += 1
                else:
                    records.append(record)
                    origins.append((number, part))
        parsed.index, parsed.records, parsed.parts = [], [], []
        if not records:
            return
        read = plain.parse(b"\n".join(records))
        parsed.rejected.update(read.rejected)
        parsed.versions, parsed.times, parsed.kinds = read.versions, read.times, read.kinds
        parsed.amounts, parsed.currencies, parsed.dries = read.amounts, read.currencies, read.dries
        parsed.latencies, parsed.slots = read.latencies, read.slots
        parsed.records = read.accepted()
        of = origins if read.index is None else [origins[number] for number in read.index]
        parsed.index, parsed.parts = [number for number, _part in of], [part for _number, part in of]

    def _row(self, line: bytes) -> Row | Rejection | None:
        """The row in a line, or why there is none; None where the line needs to be read carefully."""
        if len(line) > self._max:
            return Rejection.TOO_LONG
        if not _is_utf8(line):
            return None if self._lenient else Rejection.NOT_UTF8
        if self._shape is None:
            return None
        try:
            row = self._shape.row(self._shape.decode(line))
        except _UNREADABLE:
            return None
        time_s = seconds_of(row.time_s)
        if time_s is None or not (row.amount is None or is_money(row.amount)):
            return None
        return row._replace(time_s=time_s)


def version_text(version: str | int) -> str:
    """The version as text; a number's digits, however many."""
    return version if isinstance(version, str) else str(Decimal(version))


def _next_line(offset: int, length: int) -> int:
    return offset + length + 1


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
