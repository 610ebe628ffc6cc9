"""Whole logs: the index built and taken up again, exact sums, replays on every core, and what a slow disk delays."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from console.domain.seen.asking import Ask
from console.domain.triggers.settings import TriggerSettings, changed
from console.guard.replay.cores import replay_each
from console.live.beside import Beside
from console.logs.follower import LogSet
from console.logs.index.counting import Counting
from console.logs.index.logs import indexed
from console.logs.options import LogOptions
from tests.bench.line import Line, at_least, at_most, beside
from tests.bench.records import write_log
from tests.bench.stage import Stage

OPTIONS = LogOptions(last_lines=None, slots={"blue": ("2.4.0",), "green": ("2.5.0",)})

DISK_S = 0.02
KEYS = 400
KEY_S = 0.01


def measure(stage: Stage) -> Iterator[Line]:
    """The index first, then the replays."""
    count = stage.few(400_000, 60_000)
    log = stage.folder / "history.jsonl"
    write_log(log, count, span_s=count / 10)
    yield from _indexed(log, count, stage.folder / "index")
    yield from _replayed(log)
    yield asyncio.run(_delayed(log))
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


async def _delayed(log: Path) -> Line:
    """How late the loop that answers keys is while threads read logs on a disk of 20 ms a call, and count them."""
    pread = os.pread

    def slow(fd: int, length: int, offset: int) -> bytes:
        time.sleep(DISK_S)
        return pread(fd, length, offset)

    def now() -> datetime:
        return datetime.now(UTC)

    followed = Beside(LogSet([log], options=OPTIONS), now, 0.2)
    counted = Beside(Counting([log], OPTIONS, None), now, 0.2)
    os.pread = slow
    late = []
    try:
        followed.start(lambda: None)
        counted.start(lambda: None)
        for _ in range(KEYS):
            began = time.perf_counter()
            await asyncio.sleep(KEY_S)
            late.append((time.perf_counter() - began - KEY_S) * 1000)
    finally:
        os.pread = pread
        followed.stop()
        counted.stop()
    late.sort()
    return at_most("key delayed by logs on a disk of 20 ms a call, p99", late[int(len(late) * 0.99)], "ms", 50.0)
