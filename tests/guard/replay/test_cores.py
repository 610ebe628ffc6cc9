"""Replays on several cores find what they find on one."""

from __future__ import annotations

import json
from gzip import compress
from pathlib import Path

import pytest

from console.cli.main import run
from console.domain.errors import UsageError
from console.domain.triggers.settings import TriggerSettings, changed
from console.guard.replay.cores import replay_each
from console.logs.options import LogOptions
from tests.guard.replay.test_replay import two_versions

OPTIONS = LogOptions(last_lines=None)
SETTINGS = [changed(TriggerSettings(), {"pnl.sigmas": value}) for value in ("2", "3", "200")]


def test_replays_on_several_cores_find_what_they_find_on_one_in_the_same_order(tmp_path: Path) -> None:
    logs = [two_versions(tmp_path / "a.jsonl", -3.0)]
    alone = list(replay_each(logs, SETTINGS, options=OPTIONS, cores=1))
    together = list(replay_each(logs, SETTINGS, options=OPTIONS, cores=2))
    assert together == alone
    assert len({str(one.firings) for one in alone}) > 1, "they are not all alike"


def test_what_one_core_says_of_a_log_that_cannot_be_read_is_what_the_operator_is_told(tmp_path: Path) -> None:
    for cores in (1, 2):
        with pytest.raises(UsageError, match="No such file"):
            list(replay_each([tmp_path / "none.jsonl"], SETTINGS, options=OPTIONS, cores=cores))


def test_a_packed_log_is_replayed_as_its_text_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_CONSOLE_CACHE_DIR", str(tmp_path / "cache"))
    log = two_versions(tmp_path / "a.jsonl", -3.0)
    packed = tmp_path / "a.jsonl.gz"
    packed.write_bytes(compress(log.read_bytes()))
    seen = []
    for path in (log, packed):
        assert run(["backtest", str(path), "--json"]) == 0
        seen.append(json.loads(capsys.readouterr().out))
    assert seen[0] == seen[1]
    packed.write_bytes(packed.read_bytes()[:-9])
    assert run(["backtest", str(packed)]) == UsageError.exit_code
    assert "torn gzip archive" in capsys.readouterr().err
