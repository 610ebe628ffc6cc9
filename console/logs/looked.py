"""The first lines of a log, looked at one by one: what is read of each, and what a mapping looks for in vain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from console.logs.files.whole import pulls
from console.logs.lines.parse import Parser
from console.logs.lines.rewrite import Missed
from console.logs.lines.shape import Row
from console.logs.options import LogOptions

MOST_LINES: Final = 200
"""Looked at of a log before a verb answers from it."""
MOST_FILES: Final = 20


class Looked(NamedTuple):
    """One line.

    Args:
        number: counted from 1.
        rows: the decisions in it.
        refused: why other records of it, or the line itself, are none.
        missed: what a mapping did not get; None without one.
    """

    number: int
    rows: tuple[Row, ...]
    refused: tuple[str, ...]
    missed: Missed | None


def look(path: Path, options: LogOptions, most: int) -> Iterator[Looked]:
    """The first lines of a log.

    Args:
        path: of a regular file.
        options: how it is read.
        most: lines.

    Raises:
        UsageError: it can't be read.
    """
    parser, number = Parser(options), 0
    for pull in pulls(path, options.max_line_bytes):
        for line in pull.block.split(b"\n") if pull.block is not None else ():
            number += 1
            parsed = parser.parse(line)
            refused = tuple(str(reason) for reason in parsed.rejected.elements())
            yield Looked(number, tuple(parsed.rows()), refused, parsed.missed)
            if number >= most:
                return
        if pull.too_long:
            number += pull.too_long
            yield Looked(number, (), ("line too long",) * pull.too_long, None)
            if number >= most:
                return


def never_there(paths: Sequence[Path], options: LogOptions) -> tuple[str, ...]:
    """A note on each path of the mapping that leads nowhere in the first lines of these logs; none without a mapping.

    Raises:
        UsageError: one can't be read.
    """
    if options.mapping is None:
        return ()
    missed = Missed()
    for path in paths[:MOST_FILES]:
        for one in look(path, options, MOST_LINES):
            if one.missed is not None:
                missed.add(one.missed)
    never = missed.never(options.mapping)
    return tuple(f"never there: {name}, in the first {count} records" for name, count in never.items())
