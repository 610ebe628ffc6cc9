"""What is checked of the logs: nothing read is never well, and what counts nowhere is said with its money."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.logs.follower import LogSet
from console.logs.mapping.mapping import Mapping
from console.logs.options import LogOptions
from console.views.check import Check
from console.views.health import health_view
from console.views.status.text import status_text
from console.views.tone import Tone
from tests.scenarios.catalogue import observation

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def record(version: str, timestamp: object = None, **output: object) -> str:
    stamp = NOW.timestamp() if timestamp is None else timestamp
    line = {"agent_version": version, "timestamp": stamp, "decision_type": "bet", "output": output}
    return json.dumps(line) + "\n"


def checks(folder: Path, text: str) -> dict[str, Check]:
    path = folder / "decisions.jsonl"
    path.write_text(text)
    logs = LogSet([path], options=LogOptions())
    try:
        logs.poll(NOW)
        seen = observation("blue-active")._replace(logs=logs.reading(NOW), now=NOW)
    finally:
        logs.close()
    return {check.name: check for check in health_view(seen)}


def test_rounds_that_count_nowhere_are_a_warning_with_their_money(tmp_path: Path) -> None:
    lost = [record("v2", pnl="-1.00", currency="USD")] * 7 + [record("v3", pnl="-0.5", currency="EUR", dry=True)]
    told = checks(tmp_path, "".join([*lost, record("green", pnl="-1.00", currency="USD"), record("green-2", pnl=0)]))
    check = told["slots"]
    assert check.tone is Tone.WARN
    assert check.text == "8 of 10 rounds belong to no slot, −7.00 USD, −0.50 EUR (dry) are counted nowhere"
    assert check.hint == "Map them: --slot green=v2"


def test_where_all_belongs_somewhere_nothing_is_said(tmp_path: Path) -> None:
    assert "slots" not in checks(tmp_path, record("green", pnl=1))


@pytest.mark.parametrize("text", ["", record("green", "soon"), "[{}]", "x" * 10 + "\n"])
def test_nothing_read_is_never_well(tmp_path: Path, text: str) -> None:
    told = checks(tmp_path, text)
    assert told["log"].tone is not Tone.GOOD
    assert told["lines"].tone is not Tone.GOOD


def test_where_lines_are_refused_nobody_is_asked_whether_the_agent_runs(tmp_path: Path) -> None:
    assert "running" not in checks(tmp_path, record("green", "soon"))["agent"].hint


def test_in_however_long_a_folder_a_log_stands_what_is_wrong_with_it_is_told_whole(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(b"\x1f\x8b\x08\x00")
    (folder / "b.jsonl").write_bytes(b"\x1f\x8b\x08\x00")
    logs = LogSet([folder / "a.jsonl", folder / "b.jsonl"], options=LogOptions())
    try:
        logs.poll(NOW)
        seen = observation("blue-active")._replace(logs=logs.reading(NOW), now=NOW)
    finally:
        logs.close()
    told = " ".join(" ".join(status_text(seen, 80)).split())
    assert "a.jsonl: is gzip, no text: unpack it first (gunzip); 1 other can't be read either It stands in" in told


def test_who_writes_a_timestamp_that_is_none_is_told_what_one_is(tmp_path: Path) -> None:
    check = checks(tmp_path, record("green", "11/27/2026 18:06:45"))["lines"]
    assert check.text == "1 refused: 1 bad timestamp"
    assert "ISO 8601" in check.hint


def test_a_path_of_a_mapping_that_is_never_there_is_a_warning_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "others.jsonl"
    path.write_text('{"v":"green","at":1,"money":{"eur":"1"}}\n' * 3)
    mapping = Mapping(version="v", type="=x", time="at", time_format="s", pnl="money.usd", slot="side")
    logs = LogSet([path], options=LogOptions().mapped(mapping))
    try:
        logs.poll(NOW)
        seen = observation("blue-active")._replace(logs=logs.reading(NOW), now=NOW)
    finally:
        logs.close()
    check = {check.name: check for check in health_view(seen)}["lines"]
    assert check.tone is Tone.WARN
    assert check.text == "slot (side): never there, in 3 records; 1 other path too"
    assert "logs check" in check.hint
