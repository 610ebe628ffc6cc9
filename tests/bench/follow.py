"""From a line's end being written to its words standing on the screen."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

from tests import ROOT
from tests.bench.figures import percentile
from tests.bench.line import Line, at_most
from tests.bench.records import line_of, write_log
from tests.bench.stage import Stage
from tests.bench.terminal import Terminal

FRAME_MS = 200.0
BEYOND_MS = 60.0


def measure(stage: Stage) -> Iterator[Line]:
    """Single lines at times that have nothing to do with the frames; and beside them a look every 5 ms at the file."""
    log = stage.folder / "follow.jsonl"
    write_log(log, 1000)
    chance = random.Random(5)
    taken: list[float] = []
    with Terminal(stage.attached(log), env=stage.environment(), cwd=ROOT) as terminal, log.open("ab", 0) as file:
        terminal.until("● LIVE")
        terminal.run(3.0)
        for number in range(stage.few(80, 12)):
            kind = f"seen_{number:05d}"
            line = line_of(number, time.time(), chance).replace(
                b'"decision_type":"', f'"decision_type":"{kind}'.encode()
            )
            file.write(line)
            written_at = time.perf_counter()
            taken.append(terminal.until(kind) - written_at)
            terminal.run(chance.uniform(0.05, 0.45))
    floor = 1000 * _poll_floor(stage.folder / "poll.log", stage.few(60, 12))
    p50, p99 = 1000 * percentile(taken, 0.5), 1000 * percentile(taken, 0.99)
    limit = FRAME_MS + BEYOND_MS
    note = f"p50 {p50:.0f} ms; one frame and {BEYOND_MS:.0f} ms"
    yield at_most("line written to line on screen, p99", p99, "ms", limit, "polling the size at 20 Hz", floor, note)


def _poll_floor(path: Path, rounds: int) -> float:
    """How late a reader is that asks for the file's size twenty times a second: p99."""
    chance = random.Random(5)
    path.touch()
    late = []
    for _ in range(rounds):
        size = os.stat(path).st_size
        wait = chance.uniform(0, 0.05)
        time.sleep(0.05 - wait)
        with path.open("ab") as file:
            file.write(b"x\n")
        written_at = time.perf_counter()
        time.sleep(wait)
        while os.stat(path).st_size == size:
            time.sleep(0.05)
        late.append(time.perf_counter() - written_at)
    return percentile(late, 0.99)
