"""One changed cell in a table of flags: ours, beside Textual's DataTable."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack

from tests import ROOT
from tests.bench.figures import median
from tests.bench.line import Line, at_most
from tests.bench.stage import Stage
from tests.bench.terminal import Terminal, holding


def measure(stage: Stage) -> Iterator[Line]:
    """The same change in both, in turn."""
    sizes: dict[str, list[float]] = {"grid": [], "datatable": []}
    files = {name: stage.folder / f"{name}.json" for name in sizes}
    with ExitStack() as cleanup:
        programs = {
            name: cleanup.enter_context(
                Terminal(
                    [sys.executable, "-m", f"tests.bench.programs.{name}", str(file)], env=stage.environment(), cwd=ROOT
                )
            )
            for name, file in files.items()
        }
        for terminal in programs.values():
            terminal.until("flag_29")
            terminal.run(0.5)
        for number in range(1, stage.few(60, 12) + 1):
            for name, terminal in programs.items():
                before = terminal.bytes
                terminal.press(b"c", holding(f"{number:05d}"))
                terminal.run(0.05)
                sizes[name].append(terminal.bytes - before)
        for terminal in programs.values():
            terminal.type(b"q")
            terminal.until_ended()
    times = {name: 1000 * median(json.loads(file.read_text())) for name, file in files.items()}
    size = {name: median(bytes_) for name, bytes_ in sizes.items()}
    yield at_most("one changed cell: bytes", size["grid"], "B", 400, "DataTable", size["datatable"])
    yield at_most("one changed cell: processor time", times["grid"], "ms", 2.0, "DataTable", times["datatable"])
