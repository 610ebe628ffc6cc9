"""Keys on a slow link while ten thousand decisions a second arrive: frames are shed, keys are not."""

from __future__ import annotations

from collections.abc import Iterator

from tests import ROOT
from tests.bench.feeder import feeding
from tests.bench.figures import percentile
from tests.bench.keys import key_times
from tests.bench.line import Line, at_most
from tests.bench.load import RATE
from tests.bench.records import write_log
from tests.bench.stage import Stage
from tests.bench.terminal import Terminal

LINKS = ((60_000.0, 150.0), (20_000.0, 400.0))
"""Bytes a second that the terminal reads, and the milliseconds a key may take."""


def measure(stage: Stage) -> Iterator[Line]:
    """A console on each link."""
    for speed, limit in LINKS:
        log = stage.folder / f"link-{speed:.0f}.jsonl"
        write_log(log, 1000)
        with Terminal(stage.attached(log), env=stage.environment(), cwd=ROOT) as terminal:
            terminal.until("● LIVE")
            with feeding(log, RATE):
                terminal.run(3.0)
                terminal.bytes_per_s = speed
                terminal.run(4.0)
                keys = key_times(terminal, stage.few(100, 16))
        p50, p99 = 1000 * percentile(keys, 0.5), 1000 * percentile(keys, 0.99)
        yield at_most(f"the same at {speed / 1000:.0f} kB/s, p99", p99, "ms", limit, "its p50", p50)
