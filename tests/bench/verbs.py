"""What a headless verb costs as a whole process, beside the least that any program pays that asks Redis one thing."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

from tests import ROOT
from tests.bench.figures import median
from tests.bench.line import Line, at_most_times, beside
from tests.bench.stage import Stage

TIMES = 1.35
VERBS: dict[str, tuple[str, ...]] = {
    "status": ("status", "--json"),
    "switch": ("switch", "{slot}", "--yes", "--json"),
    "flag get": ("flag", "get", "bench"),
    "snapshot take": ("snapshot", "take", "--json"),
    "audit": ("audit", "--json"),
}
FLOOR = "import redis; GET"


def measure(stage: Stage) -> Iterator[Line]:
    """Each verb and the floor in turn, many times; medians."""
    env = stage.environment()
    floor = [sys.executable, "-c", f"import redis; redis.Redis(unix_socket_path={str(stage.socket)!r}).get('x')"]
    bare = [sys.executable, "-c", "pass"]
    _seconds(stage.console("flag", "set", "bench", "True"), env)
    taken: dict[str, list[float]] = {name: [] for name in (*VERBS, FLOOR, "bare")}
    for turn in range(stage.few(21, 4)):
        slot = ("blue", "green")[turn % 2]
        for name, words in VERBS.items():
            taken[name].append(_seconds(stage.console(*(word.format(slot=slot) for word in words)), env))
            taken[FLOOR].append(_seconds(floor, env))
        taken["bare"].append(_seconds(bare, env))
    ours = {name: 1000 * median(seconds) for name, seconds in taken.items()}
    for name in VERBS:
        yield at_most_times(f"verb: {name}", ours[name], "ms", TIMES, FLOOR, ours[FLOOR])
    yield beside("verb: what Python itself takes", ours["bare"], "ms")


def _seconds(command: Sequence[str], env: dict[str, str]) -> float:
    """How long a command takes that must succeed (`status` may also answer that something is wrong)."""
    began = time.perf_counter()
    done = subprocess.run(command, env=env, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    taken = time.perf_counter() - began
    if done.returncode not in ((0, 1) if "status" in command else (0,)):
        raise RuntimeError(f"{command} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-500:]}")
    return taken
