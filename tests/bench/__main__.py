"""`python -m tests.bench`: every budget beside its floor or a peer, measured now; as a table, and in bench.json."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Final

from tests import ROOT
from tests.bench.line import Line, unmeasured
from tests.bench.stage import Stage, stage
from tests.bench.table import header, row
from tests.bench.terminal import Gone

GROUPS: Final = (
    "verbs",
    "start",
    "quiet",
    "load",
    "link",
    "question",
    "follow",
    "grid",
    "fleet",
    "chart",
    "logs",
    "history",
    "words",
    "sql",
    "memory",
    "soak",
    "recording",
    "evidence",
    "fence",
    "many",
    "owed",
    "telemetry",
    "turns",
    "bounded",
    "growth",
    "state",
    "canary",
    "guard",
    "guard_pair",
    "unattended",
)
"""Modules of this package, each with `measure(stage)`; one that isn't there is left out."""

RESULT: Final = ROOT / "bench.json"


def main(arguments: list[str]) -> int:
    """Measure, print, write down; 1 where a budget does not hold."""
    there = [name for name in GROUPS if importlib.util.find_spec(f"tests.bench.{name}")]
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=there, help="measure this group only; repeatable")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: two minutes instead of twelve")
    given = parser.parse_args(arguments)
    began = time.monotonic()
    lines: list[Line] = []
    print(header(), flush=True)
    with stage(quick=given.quick) as here:
        for name in given.only or there:
            for line in _measured(name, here):
                print(row(line), flush=True)
                lines.append(line)
    failed = [line for line in lines if line.holds is False]
    print(f"\n{len(lines)} lines, {len(failed)} budgets do not hold; {time.monotonic() - began:.0f} s")
    _write(lines, quick=given.quick, complete=not given.only)
    return 1 if failed else 0


def _measured(name: str, here: Stage) -> Iterator[Line]:
    measure: Callable[[Stage], Iterator[Line]] = importlib.import_module(f"tests.bench.{name}").measure
    try:
        yield from measure(here)
    except (Gone, OSError, RuntimeError) as error:
        yield unmeasured(name, f"{type(error).__name__}: {error}"[:600], budget="can be measured")


def _write(lines: list[Line], *, quick: bool, complete: bool) -> None:
    document = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "quick": quick,
        "complete": complete,
        "lines": [asdict(line) for line in lines],
    }
    RESULT.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
