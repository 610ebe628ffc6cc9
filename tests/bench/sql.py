"""The same sum by the index, in SQL over our tables, and by DuckDB's own reader of JSON, which knows nothing of slots,
times in four forms, or lines that are none."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from console.domain.seen.asking import Ask
from console.logs.index.logs import indexed
from console.logs.options import LogOptions
from tests.bench.figures import median
from tests.bench.line import Line, beside, unmeasured
from tests.bench.records import write_log
from tests.bench.stage import Stage

_OPTIONS = LogOptions(slots={"blue": ("2.4.0",), "green": ("2.5.0",)})
_PEER = "DuckDB alone, decoded only"


def measure(stage: Stage) -> Iterator[Line]:
    """A sum over a log that was never seen before, and by an index that is there."""
    try:
        import duckdb
    except ModuleNotFoundError:
        yield unmeasured("a sum over decisions in SQL", "duckdb is not installed")
        return
    count = stage.few(300_000, 50_000)
    log, cache = stage.folder / "sql.jsonl", stage.folder / "sql-index"
    write_log(log, count)

    def alone() -> None:
        duckdb.sql(f"select agent_version, sum(output.pnl) from read_json('{log}') group by all").fetchall()

    ways = {
        "index, first time": lambda: _indexed(log, None),
        "index, again": lambda: _indexed(log, cache),
        "SQL over our tables": lambda: _asked(log, cache),
        _PEER: alone,
    }
    _indexed(log, cache)
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(stage.few(5, 2)):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            taken[name].append(time.perf_counter() - began)
    log.unlink()
    peer = median(taken.pop(_PEER))
    for name, seconds in taken.items():
        yield beside(f"a sum over {count:,} decisions: {name}", median(seconds), "s", _PEER, peer)


def _indexed(log: Path, cache: Path | None) -> None:
    with indexed([str(log)], _OPTIONS, cache) as index:
        index.earned(Ask(()))


def _asked(log: Path, cache: Path) -> None:
    from console.sql.tables import opened

    with indexed([str(log)], _OPTIONS, cache) as index, opened() as tables:
        tables.add_decisions(index.every(Ask(())), _OPTIONS)
        tables.close_doors()
        tables.ask("select slot, version, currency, sum(pnl) from decisions group by all", 100)
