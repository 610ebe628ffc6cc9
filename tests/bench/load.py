"""Ten thousand decisions a second arriving in the log: processor, bytes, and whether keys still answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tests import ROOT
from tests.bench.feeder import feeding
from tests.bench.figures import percentile
from tests.bench.keys import key_times
from tests.bench.line import Line, at_most, beside, unmeasured
from tests.bench.logs import RawInputs
from tests.bench.peers import toolong
from tests.bench.records import write_log
from tests.bench.stage import Stage
from tests.bench.start import TRIVIAL
from tests.bench.terminal import Terminal, holding

RATE = 10_000.0
SETTLE_S = 3.0
PARSE_ONLY = "parse the same lines (msgspec)"


def measure(stage: Stage) -> Iterator[Line]:
    """One console under load; then the peer on a log of its own."""
    seconds = stage.few(20, 4)
    log = stage.folder / "load.jsonl"
    write_log(log, 1000)
    with Terminal(stage.attached(log), env=stage.environment(), cwd=ROOT) as terminal:
        terminal.until("● LIVE")
        with feeding(log, RATE):
            terminal.run(SETTLE_S)
            before = terminal.bytes
            share = terminal.cpu_share(seconds)
            kib = (terminal.bytes - before) / seconds / 1024
            keys = key_times(terminal, stage.few(160, 24))
    yield at_most("10,000 decisions/s: processor", share, "% core", 25.0, PARSE_ONLY, _parse_share(log))
    yield at_most("10,000 decisions/s: to the terminal", kib, "KiB/s", 64.0)
    floor = _trivial_keys(stage, len(keys))
    p50, p99 = 1000 * percentile(keys, 0.5), 1000 * percentile(keys, 0.99)
    name = "trivial Textual app, no load"
    yield beside("10,000 decisions/s: key to screen, p50", p50, "ms", name, 1000 * percentile(floor, 0.5))
    yield at_most("10,000 decisions/s: key to screen, p99", p99, "ms", 50.0, name, 1000 * percentile(floor, 0.99))
    yield _peer(stage, share, seconds)


def _parse_share(log: Path) -> float:
    """Percent of a core that decoding alone takes at this rate, on lines of this very log."""
    lines = log.read_bytes()[: 16 << 20].split(b"\n")[:-1]
    decode = msgspec.json.Decoder(RawInputs).decode
    began = time.process_time()
    for line in lines:
        decode(line)
    return 100.0 * (time.process_time() - began) / len(lines) * RATE


def _trivial_keys(stage: Stage, count: int) -> list[float]:
    with Terminal(TRIVIAL, env=stage.environment(), cwd=ROOT) as terminal:
        terminal.until("READY")
        terminal.run(0.5)
        taken = []
        for number in range(1, count + 1):
            taken.append(terminal.press(b"k", holding(f"K{number:06d}#")))
            terminal.run(0.03)
        return taken


def _peer(stage: Stage, share: float, seconds: float) -> Line:
    name = "10,000 decisions/s: processor, beside a log viewer"
    command = toolong(stage)
    if command is None:
        return unmeasured(name, "toolong is not there" + (" (--quick installs nothing)" if stage.quick else ""))
    log = stage.folder / "peer.jsonl"
    write_log(log, 1000)
    with Terminal([*command, str(log)], env=stage.environment(), cwd=stage.folder) as terminal:
        terminal.until("agent_version")
        with feeding(log, RATE):
            terminal.run(SETTLE_S)
            return beside(name, share, "% core", "toolong", terminal.cpu_share(seconds))
