"""What clusters (customers, markets) returned before an experiment began, from decision logs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from math import inf, isfinite
from pathlib import Path
from typing import Final, NamedTuple

from console.logs.files.whole import pulls, starts
from console.logs.lines.careful import amount_at, load, text_at
from console.logs.lines.parse import Parser
from console.logs.options import LogOptions, check_path

LEAD_S: Final = 60.0
"""Records this close to the beginning count as within: the log's clock and the store's are two."""
MOST_BYTES: Final = 64 << 20
"""Read of the end of each file: some 250,000 records, a few seconds."""
MOST_CLUSTERS: Final = 65_536


class Before(NamedTuple):
    """What was read.

    Args:
        means: of a round's return, by cluster.
        rounds: that count.
        left_out: rounds that state no cluster, no stake above 0, no return that is a number, or belong to clusters
            beyond `MOST_CLUSTERS`.
    """

    means: dict[str, float]
    rounds: int
    left_out: int


def read_before(
    paths: Sequence[Path],
    cluster_path: str,
    stake_path: str,
    *,
    until: datetime,
    currency: str,
    options: LogOptions | None = None,
) -> Before:
    """Mean returns by cluster of the executed rounds of one currency before a moment, and of none after it.

    Args:
        paths: of whole files, oldest first.
        cluster_path, stake_path: where in a record the cluster and the money at risk stand, as names joined by dots.
        until: when the experiment began; aware UTC.
        currency: whose rounds count; those that name none count too.
        options: where the rest stands; None for the usual places.

    Raises:
        UsageError: a file can't be read, or a path is none.
    """
    check_path(cluster_path)
    check_path(stake_path)
    given = options or LogOptions()
    parser, end_s = Parser(given), until.timestamp() - LEAD_S
    sums: dict[str, tuple[int, float]] = {}
    rounds = left_out = 0
    sizes = [path.stat().st_size if path.is_file() else 0 for path in paths]
    begins = [max(start, size - MOST_BYTES) for start, size in zip(starts(paths), sizes, strict=True)]
    files = zip(paths, begins, strict=True)
    for pull in (pull for path, start in files for pull in pulls(path, given.max_line_bytes, start=start)):
        if pull.block is None:
            continue
        parsed = parser.parse(pull.block)
        for line, row in zip(parsed.accepted(), parsed.rows(), strict=True):
            if row.amount is None or row.dry or row.currency not in (None, currency) or not float(row.time_s) < end_s:
                continue
            cluster, stake = _placed(line, cluster_path, stake_path)
            value = float(row.amount / stake) if stake is not None and stake > 0 else inf
            if not cluster or not isfinite(value) or (cluster not in sums and len(sums) >= MOST_CLUSTERS):
                left_out += 1
                continue
            count, total = sums.get(cluster, (0, 0.0))
            sums[cluster] = (count + 1, total + value)
            rounds += 1
    return Before({cluster: total / count for cluster, (count, total) in sums.items()}, rounds, left_out)


def _placed(line: bytes, cluster_path: str, stake_path: str) -> tuple[str, Decimal | None]:
    try:
        value = load(line)
    except (ValueError, RecursionError):  # in a part of the record that nothing else looks into
        return "", None
    return text_at(value, cluster_path), amount_at(value, stake_path)
