"""Recording: what it costs, how many bytes an hour takes, how soon a moment of it is there again."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from console.logs.follower import LogSet
from console.logs.options import LogOptions
from console.recording.ring import Ring, parts_of
from console.recording.timeline import RecordedTimeline
from tests import ROOT
from tests.bench.feeder import feeding
from tests.bench.figures import cpu_s, percentile
from tests.bench.line import Line, at_most
from tests.bench.records import halves, stamped, write_log
from tests.bench.stage import Stage
from tests.scenarios import observation

BUSY: Final = 200.0
HOUR_S: Final = 3600
SETTLE_S: Final = 3.0


def measure(stage: Stage) -> Iterator[Line]:
    """A recording process at 200 decisions a second; then an hour at ten, simulated, and seeks in it."""
    share, took = _recording(stage)
    yield at_most("record, 200 decisions/s: processor", share, "% core", 10.0, note="reading store and log included")
    yield at_most("record, 200 decisions/s: an hour", took, "MB", 150.0)
    span_s = stage.few(HOUR_S, HOUR_S // 6)
    log, path = stage.folder / "hour.jsonl", stage.folder / "hour.rec"
    writing_s = _simulated(log, path, span_s)
    size = sum(part.stat().st_size for part in parts_of(path))
    an_hour = size / span_s * HOUR_S / 1e6
    its_log = log.stat().st_size / span_s * HOUR_S / 1e6
    yield at_most("record, 10 decisions/s: an hour", an_hour, "MB", 20.0, "its decision log", its_log)
    yield at_most("record, 10 decisions/s: writing alone", 100 * writing_s / span_s, "% core", 2.0)
    times = _seeks(path, stage.few(60, 15))
    yield at_most("replay: a moment in that recording, p50", 1000 * percentile(times, 0.5), "ms", 100.0)
    yield at_most("replay: a moment in that recording, p99", 1000 * percentile(times, 0.99), "ms", 400.0)


def _recording(stage: Stage) -> tuple[float, float]:
    """Percent of a core, and megabytes an hour, of a process that records."""
    log, path = stage.folder / "busy.jsonl", stage.folder / "busy.rec"
    write_log(log, 1000)
    words = stage.console("record", "-o", str(path), "--decisions", str(log))
    seconds = stage.few(30, 8)
    with feeding(log, BUSY):
        process = subprocess.Popen(words, cwd=ROOT, env=stage.environment(), stderr=subprocess.DEVNULL)
        try:
            time.sleep(SETTLE_S)
            before_s, size = cpu_s(process.pid), path.stat().st_size
            time.sleep(seconds)
            used_s, grown = cpu_s(process.pid) - before_s, path.stat().st_size - size
        finally:
            process.terminate()
            process.wait(30)
    return 100 * used_s / seconds, grown / seconds * HOUR_S / 1e6


def _simulated(log: Path, path: Path, span_s: int) -> float:
    """An hour as a console sees it, written down; the processor seconds that writing took."""
    base = observation("fenced")
    assert base.store is not None
    logs, parts = LogSet([log], options=LogOptions(built=100)), halves()
    ring = Ring(path)
    began = datetime.now(UTC) - timedelta(seconds=span_s)
    used_s = 0.0
    with log.open("ab", buffering=0) as file:
        for turn in range(span_s * 5):
            at = began + timedelta(seconds=turn / 5)
            file.write(stamped(parts, turn * 2, iter([at.timestamp()] * 2)))
            logs.poll(at)
            deployment = base.store.deployment
            beats = tuple(one._replace(heartbeat_at=at) for one in deployment.instances)
            deployment = deployment._replace(instances=beats)
            store = base.store._replace(at=at, server_at=at, deployment=deployment, latency_ms=0.3 + turn % 7 / 10)
            seen = base._replace(now=at, store=store, logs=logs.reading(at))
            before_s = time.process_time()
            ring.add(seen)
            used_s += time.process_time() - before_s
    ring.close()
    return used_s


def _seeks(path: Path, count: int) -> list[float]:
    """Seconds until a moment anywhere in it is there."""
    timeline = RecordedTimeline(parts_of(path))
    first, last = timeline.bounds()
    chance, times = random.Random(3), []
    for _ in range(count):
        moment = first + (last - first) * chance.random()
        before = time.perf_counter()
        timeline.at(moment)
        times.append(time.perf_counter() - before)
    timeline.close()
    return times
