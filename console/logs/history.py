"""Past returns from decision logs: what a round won or lost over what was at risk in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from console.domain.decision import Rejection
from console.domain.errors import UsageError
from console.domain.text import clean
from console.logs.careful import amount_at, load, read_carefully
from console.logs.openfile import NotAFile, OpenFile
from console.logs.options import LogOptions, check_path


class Read(NamedTuple):
    """What was read of the logs.

    Args:
        returns: of each round that moved money, in the order of the files.
        refused: lines that are no decision.
        without_stake: rounds with a PnL that state no stake above 0.
        of_no_slot: rounds with a PnL whose version belongs to no slot.
    """

    returns: list[float]
    refused: int
    without_stake: int
    of_no_slot: int


def read_returns(paths: list[Path], stake_path: str, options: LogOptions, *, slot: str, currency: str) -> Read:
    """The returns of one slot's executed rounds in one currency.

    Args:
        paths: of whole files, oldest first.
        stake_path: where in a record the money at risk stands, as names joined by dots.
        options: where the rest stands.
        slot: whose rounds count.
        currency: whose rounds count; those that name none count too.

    Raises:
        UsageError: a file can't be read, or the path is none.
    """
    check_path(stake_path)
    returns: list[float] = []
    counts: Counter[str] = Counter()
    for path in paths:
        for line in _lines(path, options.max_line_bytes):
            found = read_carefully(line, options) if _is_text(line) else Rejection.NOT_UTF8
            if isinstance(found, Rejection):
                counts["refused"] += 1
                continue
            row, _bad_pnl = found
            if row.amount is None or row.dry or row.currency not in (None, currency):
                continue
            placed = options.slot_of(str(row.version), row.slot)
            if placed != slot:
                counts["nobody's"] += not placed
                continue
            stake = amount_at(load(line), stake_path)
            if stake is None or stake <= 0:
                counts["without"] += 1
                continue
            returns.append(float(row.amount / stake))
    return Read(returns, counts["refused"], counts["without"], counts["nobody's"])


def _is_text(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _lines(path: Path, longest: int) -> Iterator[bytes]:
    shown = clean(str(path), 120)
    try:
        opened = OpenFile(str(path), longest)
    except (OSError, NotAFile) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"{shown} can't be read: {why}.") from error
    try:
        while (pull := opened.pull()).advanced:
            yield from pull.block.split(b"\n") if pull.block is not None else ()
        rest = opened.take_rest().block
        if rest is not None:
            yield rest
    except OSError as error:
        raise UsageError(f"{shown} can't be read: {error.strerror}.") from error
    finally:
        opened.close()
