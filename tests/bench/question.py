"""The question before a roll back and a halt on a slow link: until it can be read, beside its bare text."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from tests import ROOT
from tests.bench.figures import median
from tests.bench.line import Line, at_most, beside
from tests.bench.stage import Stage
from tests.bench.terminal import Terminal, beginning

LINKS = (20_000.0, 8_000.0)
"""Bytes a second that the terminal reads."""
MOST_MS = 300.0
MOST_BYTES = 3_500
KEYS = (("R", "rollback?"), ("H", "halt?"))


def measure(stage: Stage) -> Iterator[Line]:
    """A console with sixteen decisions a second, on each link."""
    program = [sys.executable, "-m", "tests.screens.console_process", "fenced", "16"]
    for speed in LINKS:
        sizes: list[float] = []
        times: list[float] = []
        with Terminal(program, env=stage.environment(), cwd=ROOT) as terminal:
            terminal.until("● LIVE")
            terminal.run(1.0)
            terminal.bytes_per_s = speed
            terminal.run(2.0)
            for _ in range(stage.few(10, 3)):
                for key, title in KEYS:
                    before = terminal.bytes
                    times.append(1000 * terminal.press(key.encode(), beginning(f" {title}")))
                    sizes.append(terminal.bytes - before)
                    text = _text_of(terminal.shown, title)
                    terminal.type(b"n")
                    terminal.run(1.5)
        floor = float(len(text.encode()))
        name = f"the question of R and H at {speed / 1000:.0f} kB/s"
        own, least = median(times), 1000 * floor / speed
        if speed < LINKS[0]:  # the frame that is on its way takes as long as the question
            yield beside(f"{name}: bytes", median(sizes), "B", "its text", floor)
            yield beside(f"{name}: median", own, "ms", "its text", least)
        else:
            yield at_most(f"{name}: bytes", median(sizes), "B", MOST_BYTES, "its text", floor)
            yield at_most(f"{name}: median", own, "ms", MOST_MS, "its text", least)


def _text_of(shown: str, title: str) -> str:
    """What the question says, without blanks at the ends of its lines."""
    lines = shown.split("\n")
    first = next(number for number, line in enumerate(lines) if line.startswith(f" {title}"))
    return "\n".join(lines[first:])
