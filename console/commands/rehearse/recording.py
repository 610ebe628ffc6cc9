"""The recorded rounds of a time, one after another, and the lines that a version gets for them: streamed, so that a log
of any length costs the memory of one line."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from console.domain.rehearsal.answer import is_comparable
from console.domain.rehearsal.compared import Recorded
from console.domain.rehearsal.money import Paths, money_in
from console.logs.files.whole import pulls, starts
from console.logs.lines.careful import load
from console.logs.lines.parse import Parser
from console.logs.lines.times import seconds_of
from console.logs.options import LogOptions

MAX_LINE: Final = 1 << 20
UNREADABLE: Final = "unreadable"
TOO_LONG: Final = "too long"
NO_DECISION: Final = "without inputs and output"
OTHER_TYPE: Final = "of another type"
OWN: Final = "decided by the version itself"


class Wanted(NamedTuple):
    """Which rounds are rehearsed.

    Args:
        since, until: aware UTC; None for no bound.
        kinds: decision types; empty for all.
        version: that is rehearsed: what it decided itself proves nothing about it.
        most: rounds, at most.
        paths: where outcomes lie in a record.
        options: how logs are read: with a mapping, the records that it makes are rehearsed.
    """

    since: datetime | None = None
    until: datetime | None = None
    kinds: frozenset[str] = frozenset()
    version: str = ""
    most: int = 10_000
    paths: Paths = Paths()
    options: LogOptions = LogOptions()


class Given(NamedTuple):
    """A round as it is given to a version.

    Args:
        recorded: the round.
        line: its line, with the recorded bytes of time, type and inputs.
    """

    recorded: Recorded
    line: bytes


class _Stamp(msgspec.Struct):
    """What decides whether a line is of the time; all else of it is skipped."""

    timestamp: float | str


class _Parts(msgspec.Struct):
    timestamp: msgspec.Raw
    decision_type: msgspec.Raw
    inputs: msgspec.Raw


_stamp: Final = msgspec.json.Decoder(_Stamp)
_parts: Final = msgspec.json.Decoder(_Parts)


@dataclass(slots=True)
class Recording:
    """Rounds in recorded logs.

    Args:
        files: decision logs; several are merged by their timestamps, and what one repeats of another counts once.
        wanted: which rounds.
    """

    files: Sequence[Path]
    wanted: Wanted
    skipped: Counter[str] = field(default_factory=Counter)
    """Why → how many lines within the time were left out; unreadable ones whenever they were written."""
    capped: bool = False
    """Whether there were more rounds than are rehearsed."""
    _since_s: float = -math.inf
    _until_s: float = math.inf
    _parser: Parser | None = None

    def __post_init__(self) -> None:
        """Bounds in the unit of what they are compared with, ten million times."""
        if self.wanted.options.mapping is not None:
            self._parser = Parser(self.wanted.options)
        if self.wanted.since is not None:
            self._since_s = self.wanted.since.timestamp()
        if self.wanted.until is not None:
            self._until_s = self.wanted.until.timestamp()

    def rounds(self) -> Iterator[Given]:
        """Every round, in order.

        Raises:
            UsageError: a file can't be read.
        """
        each = [self._of(path, start) for path, start in zip(self.files, starts(self.files), strict=True)]
        merged = each[0] if len(each) == 1 else heapq.merge(*each, key=lambda one: one[0])
        for number, (_, record, parts) in enumerate(merged, 1):
            if number > self.wanted.most:
                self.capped = True
                return
            yield self._given(number, record, parts)

    def _of(self, path: Path, start: int) -> Iterator[tuple[float, Mapping[str, Any], _Parts]]:
        for pull in pulls(path, MAX_LINE, start=start):
            self.skipped[TOO_LONG] += pull.too_long
            for line in self._lines(pull.block or b""):
                if len(line) > MAX_LINE:
                    self.skipped[TOO_LONG] += 1
                elif line.strip() and (at_s := self._at(line)) is not None:
                    read = self._read(line)
                    if read is not None:
                        yield (at_s, *read)

    def _lines(self, block: bytes) -> Sequence[bytes]:
        if self._parser is None:
            return block.split(b"\n")
        parsed = self._parser.parse(block)
        self.skipped[UNREADABLE] += parsed.rejected.total()
        return parsed.accepted()

    def _at(self, line: bytes) -> float | None:
        """When a line was written; None where it is not of the time, or that can't be told."""
        try:
            at_s = seconds_of(_stamp.decode(line).timestamp)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            at_s = None
        if at_s is None:
            self.skipped[UNREADABLE] += 1
            return None
        return at_s if self._since_s <= at_s < self._until_s else None

    def _read(self, line: bytes) -> tuple[Mapping[str, Any], _Parts] | None:
        try:
            record, parts = load(line), _parts.decode(line)
        except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
            record, parts = None, None
        if not isinstance(record, dict) or parts is None or "output" not in record:
            self.skipped[NO_DECISION] += 1
            return None
        kind, version = record["decision_type"], str(record.get("agent_version", ""))
        if not isinstance(kind, str) or not is_comparable(record["output"]):
            self.skipped[UNREADABLE] += 1
        elif self.wanted.kinds and kind not in self.wanted.kinds:
            self.skipped[OTHER_TYPE] += 1
        elif self.wanted.version and version == self.wanted.version:
            self.skipped[OWN] += 1
        else:
            return record, parts
        return None

    def _given(self, number: int, record: Mapping[str, Any], parts: _Parts) -> Given:
        at_s = seconds_of(record["timestamp"]) or 0.0
        line = b'{"round":%d,"timestamp":%b,"decision_type":%b,"inputs":%b}\n' % (
            number,
            bytes(parts.timestamp),
            bytes(parts.decision_type),
            bytes(parts.inputs),
        )
        recorded = Recorded(
            number=number,
            at=datetime.fromtimestamp(at_s, UTC),
            kind=record["decision_type"],
            version=str(record.get("agent_version", "")),
            document=record,
            price=money_in(record, self.wanted.paths),
        )
        return Given(recorded, line)
