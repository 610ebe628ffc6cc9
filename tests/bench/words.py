"""Ten million lines: the index and its rows of words made, taken up again, and the first hit of each kind of question.

What is looked for stands in the first stretches of the log, so that everything else is passed over. It runs in a
process of its own, for its memory: `python -m tests.bench.words LOG FOLDER`.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from console.cli.runtime import _pattern
from console.domain.seen.asking import parse_ask
from console.logs.index.build import FileIndex
from console.logs.index.logs import LogIndex
from console.logs.index.sought import Sought
from console.logs.options import LogOptions
from tests import ROOT
from tests.bench.line import Line, at_least, at_most, beside
from tests.bench.records import write_log
from tests.bench.stage import Stage

OPTIONS: Final = LogOptions(last_lines=None, slots={"blue": ("2.4.0",), "green": ("2.5.0",)})
PLACE: Final = 300_000
"""Where in the log it stands, bytes."""
CHANGES: Final = ((b"kelly fraction", b"needl fraction"), (b'"decision_type":"deny"', b'"decision_type":"dent"'))
QUESTIONS: Final = {
    "a word": "needl",
    "a pattern": "re:needl.*floor",
    "a type": "type:dent",
    "a slot that nobody has": "slot:none",
    "a loss that nobody made": "pnl<-24",
    "a word that is nowhere": "absentword",
}
WITHOUT: Final = 100_000
"""Lines that are indexed with rows and without."""


def measure(stage: Stage) -> Iterator[Line]:
    """The log is written here, and gone afterwards."""
    count = stage.few(10_000_000, 300_000)
    log = stage.folder / "words.jsonl"
    write_log(log, count)
    _change(log)
    words = [sys.executable, "-m", "tests.bench.words", str(log), str(stage.folder / "words")]
    seen = json.loads(subprocess.run(words, cwd=ROOT, capture_output=True, check=True, text=True).stdout)
    began = time.perf_counter()
    subprocess.run(["grep", "-c", "absentword", str(log)], stdout=subprocess.DEVNULL)
    grep_ms = (time.perf_counter() - began) * 1000
    lines = f"{count:,} lines"
    yield at_least("index that is kept", count / seen["built_s"], "lines/s", 400_000, "not kept", seen["bare"])
    yield beside("rows of words, made after it", count / seen["filled_s"], "lines/s", "index", count / seen["built_s"])
    yield at_most("the same, taken up again", seen["attached_ms"], "ms", 600.0, note=lines)
    for name in QUESTIONS:
        wall, own = seen["first"][name]
        note = f"{lines}, {own:.0f} ms of processor"
        yield at_most(f"first hit of {name}, far back", wall, "ms", 100.0, "grep -c", grep_ms, note=note)
    yield beside("rows of words on disk", seen["disk"] / 1e6, "MB", "the log", log.stat().st_size / 1e6)
    yield at_most("memory of an index and its searches", seen["memory_mib"], "MiB", 120.0, note=lines)
    log.unlink()


def _change(log: Path) -> None:
    with log.open("r+b") as file:
        for before, after in CHANGES:
            file.seek(PLACE)
            file.seek(PLACE + file.read(1 << 20).index(before))
            file.write(after)


def _built(log: Path, options: LogOptions, folder: Path | None, most: int = sys.maxsize) -> tuple[float, int]:
    """Seconds of processor time, and the lines."""
    began = time.process_time()
    index = FileIndex(log, options, folder)
    while not index.step(0.05) and sum(block.rows for block in index.blocks) < most:
        pass
    lines = sum(block.rows for block in index.blocks)
    index.close()
    return time.process_time() - began, lines


def _filled(log: Path, options: LogOptions, folder: Path) -> float:
    """Seconds of processor time that the rows take after the index."""
    index = FileIndex(log, options, folder)
    began = time.process_time()
    while not (index.step(1.0) and index.fill(1.0)):
        pass
    index.close()
    return time.process_time() - began


def child(log: Path, folder: Path) -> dict[str, Any]:
    """What is seen of a log."""
    built_s, _lines = _built(log, OPTIONS, folder)
    bare_s, lines = _built(log, OPTIONS, None, WITHOUT)
    filled_s = _filled(log, OPTIONS, folder)
    began = time.perf_counter()
    index = LogIndex([str(log)], OPTIONS, folder)
    while not index.step(1.0):
        pass
    attached_ms = (time.perf_counter() - began) * 1000
    first: dict[str, tuple[float, float]] = {}
    now = datetime.now(UTC)
    for name, text in QUESTIONS.items():
        began, own = time.perf_counter(), time.process_time()
        sought = Sought(text, parse_ask(text, now, _pattern), index.files, OPTIONS, now.timestamp())
        while sought.step(0.01) and not sought.found:
            pass
        first[name] = (time.perf_counter() - began) * 1000, (time.process_time() - own) * 1000
    index.close()
    return {
        "built_s": built_s,
        "filled_s": filled_s,
        "bare": lines / bare_s,
        "attached_ms": attached_ms,
        "first": first,
        "disk": sum(path.stat().st_size for path in folder.rglob("*.words")),
        "memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(child(Path(sys.argv[1]), Path(sys.argv[2]))))
