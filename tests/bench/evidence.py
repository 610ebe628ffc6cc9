"""Evidence over a long log: seconds and memory of the whole process, and of verifying what it wrote."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tests import ROOT
from tests.bench.line import Line, at_most
from tests.bench.records import halves, stamped
from tests.bench.stage import Stage

LINES: Final = 1_000_000
AT_ONCE: Final = 100_000
SPAN_S: Final = 20 * 3600.0


def measure(stage: Stage) -> Iterator[Line]:
    """One file over all lines of a log, without pictures; then whether it is as it was written."""
    lines = stage.few(LINES, LINES // 10)
    log, path = stage.folder / "long.jsonl", stage.folder / "evidence.zip"
    _write(log, lines)
    words = stage.console("evidence", "--from", "24h", "-o", str(path), "--no-pictures", "--decisions", str(log))
    seconds, peak = _run(words, stage)
    per = 1e6 / lines
    yield at_most("evidence over 1 M decisions", seconds * per, "s", 90.0, note=f"{lines:,} lines measured")
    yield at_most("evidence over 1 M decisions: memory", peak, "MiB", 160.0, note="peak of the process")
    yield at_most("evidence over 1 M decisions: the file", path.stat().st_size * per / 1e6, "MB", 400.0)
    seconds, peak = _run(stage.console("evidence", "verify", str(path)), stage)
    yield at_most("evidence verify, 1 M decisions", seconds * per, "s", 60.0)
    yield at_most("evidence verify, 1 M decisions: memory", peak, "MiB", 120.0)


def _write(log: Path, lines: int) -> None:
    parts = halves()
    start = time.time() - SPAN_S
    with log.open("wb") as out:
        for first in range(0, lines, AT_ONCE):
            count = min(AT_ONCE, lines - first)
            times = (start + (first + number) * SPAN_S / lines for number in range(count))
            out.write(stamped(parts, first, times))


def _run(words: Sequence[str], stage: Stage) -> tuple[float, float]:
    """Seconds of a process, and MiB that it had at most.

    Raises:
        RuntimeError: it failed.
    """
    began = time.monotonic()
    process = subprocess.Popen(
        words, cwd=ROOT, env=stage.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{words[-1]} ended with {process.returncode}")
    return time.monotonic() - began, usage.ru_maxrss / 1024
