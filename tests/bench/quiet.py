"""What an attached console costs while nothing happens, and while ten decisions a second arrive."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests import ROOT
from tests.bench.feeder import feeding
from tests.bench.line import Line, at_most
from tests.bench.records import write_log
from tests.bench.stage import Stage
from tests.bench.start import TRIVIAL
from tests.bench.terminal import Terminal

SETTLE_S = 3.0
TEN_A_SECOND = 10.0


def measure(stage: Stage) -> Iterator[Line]:
    """One console without and with a feed; the trivial app meanwhile."""
    seconds = stage.few(25, 4)
    log = stage.folder / "quiet.jsonl"
    write_log(log, 1000, end_s=time.time() - 3600.0)
    with Terminal(stage.attached(log), env=stage.environment(), cwd=ROOT) as terminal:
        terminal.until("● LIVE")
        terminal.run(SETTLE_S)
        before = terminal.bytes
        idle = terminal.cpu_share(seconds)
        idle_kib = (terminal.bytes - before) / seconds / 1024
        with Terminal(TRIVIAL, env=stage.environment(), cwd=ROOT) as trivial:
            trivial.until("READY")
            trivial.run(1.0)
            floor = trivial.cpu_share(seconds / 2)
        with feeding(log, TEN_A_SECOND):
            terminal.run(SETTLE_S)
            before = terminal.bytes
            terminal.run(seconds)
            fed_kib = (terminal.bytes - before) / seconds / 1024
    yield at_most("attached, nothing changing: processor", idle, "% core", 2.0, "trivial Textual app", floor)
    yield at_most("10 decisions/s: to the terminal", fed_kib, "KiB/s", 12.0, "the same without a feed", idle_kib)
