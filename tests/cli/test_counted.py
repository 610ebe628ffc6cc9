"""`status` counts what its own lines do not cover, by the index that is kept."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from console.cli import log_options
from console.cli.main import run
from tests.guard.records import record, write


def test_status_tells_the_exact_sum_of_24_hours_where_its_own_lines_cover_less(
    store_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_CONSOLE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(log_options, "BACK_BYTES", 0)
    now = time.time()
    rounds = [record(now - 3000 + number, "blue", pnl=1.0 if number % 2 else -0.5) for number in range(3000)]
    log = write(tmp_path / "d.jsonl", rounds)
    run(["status", "--url", store_url, "--decisions", str(log), "--json"])
    pnl = json.loads(capsys.readouterr().out)["slots"]["blue"]["pnl"][0]
    assert (pnl["last_24h_cover"], pnl["rounds"]) == ("exact", 1000)
    assert float(pnl["last_24h"]) == 750.0
