"""Reading decision logs: a whole file, and the end of an enormous one.

Parsing is bound by the processor, so its rates are per second of processor time: whatever else runs is left out.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from console.logs.files.tail import tail_lines
from console.logs.follower import LogSet
from console.logs.mapping.mapping import Mapping
from console.logs.options import LogOptions
from tests.bench.figures import median
from tests.bench.line import Line, at_least, at_most, beside, unmeasured
from tests.bench.records import write_log
from tests.bench.stage import Stage

HUGE_BYTES = 10_000_000_000
LAST = 1000
SLOTS = {"blue": ("2.4.0",), "green": ("2.5.0",)}

MAPPING = Mapping(
    version="agent_version",
    time="timestamp",
    time_format="s",
    type="decision_type",
    pnl="output.pnl",
    reasoning="reasoning",
    inputs="inputs",
    output="output",
)


def measure(stage: Stage) -> Iterator[Line]:
    """First the whole file, then the end of the huge one."""
    yield from _whole(stage)
    yield from _end(stage)


# a whole file


class _Output(msgspec.Struct, gc=False):
    pnl: float | None = None


class RawInputs(msgspec.Struct, gc=False):
    """A line with what statistics need of it; the inputs stay bytes."""

    agent_version: str
    timestamp: float
    decision_type: str
    inputs: msgspec.Raw
    output: _Output
    reasoning: str


def _decoders() -> dict[str, Callable[[bytes], Any] | None]:
    """The peers: None where one is not installed."""
    found: dict[str, Callable[[bytes], Any] | None] = {
        "msgspec, inputs raw": msgspec.json.Decoder(RawInputs).decode,
        "json": json.loads,
        "orjson": None,
        "pydantic": None,
    }
    with suppress(ImportError):
        found["orjson"] = import_module("orjson").loads
    try:
        pydantic = import_module("pydantic")
    except ImportError:
        return found
    model = pydantic.create_model(
        "Record",
        agent_version=(str, ...),
        timestamp=(float, ...),
        decision_type=(str, ...),
        inputs=(dict[str, Any], ...),
        output=(dict[str, Any], ...),
        reasoning=(str, ...),
    )
    found["pydantic"] = model.model_validate_json
    return found


def _whole(stage: Stage) -> Iterator[Line]:
    count = stage.few(200_000, 60_000)
    log = stage.folder / "whole.jsonl"
    write_log(log, count, span_s=count / 10)
    lines = log.read_bytes().split(b"\n")[:-1]
    decoders = _decoders()
    ours: list[float] = []
    theirs: dict[str, list[float]] = {name: [] for name, decode in decoders.items() if decode is not None}
    for _ in range(stage.few(5, 3)):
        ours.append(count / _reduced(log, count))
        for name, rates in theirs.items():
            decode = decoders[name]
            assert decode is not None
            part = lines[: 20_000 if name != "msgspec, inputs raw" else count]
            began = time.process_time()
            for line in part:
                decode(line)
            rates.append(len(part) / (time.process_time() - began))
    rate = median(ours)
    mapped = count / _reduced(log, count, MAPPING)
    yield beside("whole log, read through a mapping", mapped, "lines/s", "the same, plain", rate)
    name = "whole log, parsed and reduced"
    first = "msgspec, inputs raw"
    yield at_least(name, rate, "lines/s", 400_000, f"{first}, decoded only", median(theirs[first]))
    for peer, decode in decoders.items():
        if peer == first:
            continue
        if decode is None:
            yield unmeasured(f"{name}, beside {peer}", f"{peer} is not installed")
        else:
            yield beside(f"{name}, beside {peer}", rate, "lines/s", f"{peer}, decoded only", median(theirs[peer]))
    log.unlink()


def _reduced(log: Path, count: int, mapping: Mapping | None = None) -> float:
    """Seconds of processor time until a follower has read the whole file and said what it holds."""
    follower = LogSet([log], options=LogOptions(last_lines=None, slots=SLOTS).mapped(mapping))
    began = time.process_time()
    while follower.behind:
        follower.poll(datetime.now(UTC))
    reading = follower.reading(datetime.now(UTC))
    taken = time.process_time() - began
    follower.close()
    if reading.total != count:
        raise RuntimeError(f"{reading.total} of {count} decisions were read; refused: {reading.rejected}")
    return taken


# the end of a huge one


def _end(stage: Stage) -> Iterator[Line]:
    log = stage.folder / "huge.jsonl"
    write_log(log, 20_000)
    lines = log.read_bytes()
    with log.open("wb") as file:
        file.truncate(HUGE_BYTES - len(lines))
        file.seek(0, 2)
        file.write(b"\n" + lines[:-1] + b"\n")
    expected = lines.split(b"\n")[-LAST - 1 : -1]
    ours: list[float] = []
    theirs: list[float] = []
    followed: list[float] = []
    for _ in range(stage.few(40, 15)):
        began = time.perf_counter()
        found = tail_lines(log, LAST)
        ours.append(time.perf_counter() - began)
        if found != expected:
            raise RuntimeError("these are not the last lines")
        began = time.perf_counter()
        subprocess.run(["tail", "-n", str(LAST), str(log)], stdout=subprocess.DEVNULL, check=True)
        theirs.append(time.perf_counter() - began)
        followed.append(_first_reading(log))
    size = f"{log.stat().st_size / 1e9:.0f} GB"
    log.unlink()
    tail = 1000 * median(theirs)
    name = f"last {LAST:,} lines of a {size} log"
    yield at_most(name, 1000 * median(ours), "ms", 10.0, f"tail -n {LAST}", tail)
    yield at_most(f"{name}, reduced", 1000 * median(followed), "ms", 10.0, f"tail -n {LAST}", tail)


def _first_reading(log: Path) -> float:
    follower = LogSet([log], options=LogOptions(last_lines=LAST, slots=SLOTS))
    began = time.perf_counter()
    while follower.behind:
        follower.poll(datetime.now(UTC))
    taken = time.perf_counter() - began
    total = follower.reading(datetime.now(UTC)).total
    follower.close()
    if total != LAST:
        raise RuntimeError(f"{total} of {LAST} decisions were read")
    return taken
