"""Writes decisions into a log at a steady rate: `python -m tests.bench.feeder FILE PER_SECOND SECONDS [SPAN_S]`.

With SPAN_S the timestamps are those of that many seconds up to now, however fast the lines are written.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import ROOT
from tests.bench.records import halves, stamped


def main(path: str, rate: float, seconds: float, span_s: float = 0.0) -> None:
    """Write until the time is over."""
    parts = halves()
    count = int(rate * seconds)
    began, began_s = time.perf_counter(), time.time()
    written = 0
    with open(path, "ab", buffering=0) as file:
        while written < count:
            due = min(count, int((time.perf_counter() - began) * rate))
            if due > written:
                numbers = range(written, due)
                if span_s:
                    stamps = (began_s - span_s * (count - number) / count for number in numbers)
                else:
                    stamps = (time.time() for _ in numbers)
                file.write(stamped(parts, written, stamps))
                written = due
            time.sleep(0.005 if rate >= 1000 else 0.02)


@contextmanager
def feeding(path: Path, rate: float, seconds: float = 3600.0, span_s: float = 0.0) -> Iterator[subprocess.Popen[bytes]]:
    """A process that writes into this log for as long as the block lasts."""
    words = [str(path), str(rate), str(seconds), str(span_s)]
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.feeder", *words], cwd=ROOT)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)


if __name__ == "__main__":
    main(sys.argv[1], *map(float, sys.argv[2:]))
