"""A console that is left open for 24 hours: as many decisions, 200 switches and 50 times a store that went away, in
minutes. What it holds is counted after each of 200 rounds, in each of which every screen is looked at."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Final

from tests import ROOT
from tests.bench.figures import rise
from tests.bench.line import Line, at_most
from tests.bench.memory import DECISIONS, SLOPE_MIB
from tests.bench.stage import Stage
from tests.soak import Counts

ROUNDS: Final = 200
"""As many as switches."""
RECONNECTS: Final = 50


def measure(stage: Stage) -> Iterator[Line]:
    """Rises are from the middle of the day to its end: by then what is bounded is full."""
    rounds, decisions = stage.few(ROUNDS, ROUNDS // 8), stage.few(DECISIONS, DECISIONS // 8)
    words = [sys.executable, "-m", "tests.soak", *map(str, (rounds, decisions, rounds, stage.few(RECONNECTS, 6)))]
    done = subprocess.run(words, cwd=ROOT, env=stage.environment(), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr[-400:])
    half = [Counts(**one) for one in json.loads(done.stdout)][rounds // 2 :]
    note = f"{decisions:,} decisions, {rounds} switches, {stage.few(RECONNECTS, 6)} reconnects"
    for number, name in enumerate(Counts._fields[:4]):
        first, last = half[0][number], half[-1][number]
        allowed = OBJECTS if name == "objects" else 0
        yield at_most(f"24 h in one console: {name} more at the end", last - first, "", allowed, "at half", first, note)
    memory = [one.memory_mib for one in half]
    note = f"{memory[0]:.1f} at half, {memory[-1]:.1f} at the end; with what runs the console beside it"
    yield at_most("24 h in one console: rise of memory over the second half", rise(memory), "MiB", SLOPE_MIB, note=note)


OBJECTS: Final = 100
"""Of our own: what is on the screen at that moment differs by a few."""
