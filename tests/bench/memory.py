"""Memory over a day at ten decisions a second: as many decisions, stamped over 24 hours, in a few minutes."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests import ROOT
from tests.bench.feeder import feeding
from tests.bench.line import Line, at_most
from tests.bench.records import write_log
from tests.bench.stage import Stage
from tests.bench.terminal import Terminal

DAY_S = 86_400.0
DECISIONS = 864_000
EVERY_S = 1.0
SLOPE_MIB = 4.0
"""How much the second half may end above where it began and still be called flat."""


def measure(stage: Stage) -> Iterator[Line]:
    """One attached console, all screens visited once, memory read every second."""
    seconds = stage.few(120, 12)
    count = DECISIONS if not stage.quick else DECISIONS // 8
    log = stage.folder / "memory.jsonl"
    write_log(log, 1000, end_s=time.time() - DAY_S)
    samples: list[float] = []
    with Terminal(stage.attached(log), env=stage.environment(), cwd=ROOT) as terminal:
        terminal.until("● LIVE")
        for key in b"24567":
            terminal.type(bytes([key]))
            terminal.run(0.6)
        terminal.type(b"1")
        terminal.run(1.0)
        start = terminal.rss_mib()
        with feeding(log, count / seconds, seconds, DAY_S) as feeder:
            while feeder.poll() is None:
                terminal.run(EVERY_S)
                samples.append(terminal.rss_mib())
        terminal.run(3.0)
        samples.append(terminal.rss_mib())
    half = samples[len(samples) // 2 :]
    span = f"{count:,} decisions stamped over 24 h, in {seconds} s"
    yield at_most("memory after them", samples[-1], "MiB", 120.0, "at the start", start, span)
    yield at_most(
        "memory: rise over the second half",
        rise(half),
        "MiB",
        SLOPE_MIB,
        note=f"{half[0]:.1f} at half, {half[-1]:.1f} at the end",
    )


def rise(samples: list[float]) -> float:
    """The rise of the straight line that fits them best, from the first to the last."""
    count = len(samples)
    middle, mean = (count - 1) / 2, sum(samples) / count
    spread = sum((index - middle) ** 2 for index in range(count)) or 1.0
    slope = sum((index - middle) * (sample - mean) for index, sample in enumerate(samples)) / spread
    return slope * (count - 1)
