"""From the start of the process to the first frame with live data, beside a Textual app that shows one word."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from tests import ROOT
from tests.bench.figures import median
from tests.bench.line import Line, at_most_times, beside
from tests.bench.peers import toolong
from tests.bench.records import write_log
from tests.bench.stage import Stage
from tests.bench.terminal import Terminal

TIMES = 1.8
TRIVIAL = (sys.executable, "-m", "tests.bench.programs.trivial")


def measure(stage: Stage) -> Iterator[Line]:
    """Console, floor and peer in turn; medians."""
    log = stage.folder / "start.jsonl"
    write_log(log, 1000)
    peer = toolong(stage)
    ours: list[float] = []
    floor: list[float] = []
    theirs: list[float] = []
    for _ in range(stage.few(13, 3)):
        ours.append(_until(stage, stage.attached(log), "● LIVE"))
        floor.append(_until(stage, TRIVIAL, "READY"))
        if peer is not None:
            theirs.append(_until(stage, [*peer, str(log)], "agent_version"))
    took = 1000 * median(ours)
    yield at_most_times("start to the first live frame", took, "ms", TIMES, "trivial Textual app", 1000 * median(floor))
    if theirs:
        yield beside("start, beside a log viewer", took, "ms", "toolong", 1000 * median(theirs))


def _until(stage: Stage, command: Sequence[str], marker: str) -> float:
    with Terminal(command, env=stage.environment(), cwd=ROOT) as terminal:
        return terminal.until(marker) - terminal.started_at
