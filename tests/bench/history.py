"""Whole logs: the index built and taken up again, exact sums on it, and replays on every core."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from console.domain.seen.asking import Ask
from console.domain.triggers.settings import TriggerSettings, changed
from console.guard.replay.cores import replay_each
from console.logs.index.logs import indexed
from console.logs.options import LogOptions
from tests.bench.line import Line, at_least, at_most, beside
from tests.bench.records import write_log
from tests.bench.stage import Stage

OPTIONS = LogOptions(last_lines=None, slots={"blue": ("2.4.0",), "green": ("2.5.0",)})


def measure(stage: Stage) -> Iterator[Line]:
    """The index first, then the replays."""
    count = stage.few(400_000, 60_000)
    log = stage.folder / "history.jsonl"
    write_log(log, count, span_s=count / 10)
    yield from _indexed(log, count, stage.folder / "index")
    yield from _replayed(log)
    log.unlink()


def _indexed(log: Path, count: int, folder: Path) -> Iterator[Line]:
    began = time.process_time()
    with indexed([str(log)], OPTIONS, folder):
        built_s = time.process_time() - began
    yield at_least("whole log, indexed", count / built_s, "lines/s", 400_000)
    began = time.perf_counter()
    with indexed([str(log)], OPTIONS, folder) as index:
        attached_s = time.perf_counter() - began
        yield at_most("index taken up again", attached_s * 1000, "ms", 600.0, note=f"{count:,} lines")
        began = time.perf_counter()
        index.earned(Ask(since=datetime.now(UTC) - timedelta(hours=24)))
        yield beside("exact sums over 24 hours", (time.perf_counter() - began) * 1000, "ms", "", 0.0)


def _replayed(log: Path) -> Iterator[Line]:
    settings = [changed(TriggerSettings(), {"pnl.sigmas": str(sigmas)}) for sigmas in (3, 4)]
    took = []
    for cores in (1, os.cpu_count() or 1):
        began = time.perf_counter()
        list(replay_each([log], settings, options=OPTIONS, cores=cores))
        took.append(time.perf_counter() - began)
    yield beside("backtest, two settings on every core", took[1], "s", "on one core", took[0])
