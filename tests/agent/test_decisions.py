"""The decision log: one write a record, a chain that rotation does not break, and a failure that is not swallowed."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from console.agent.decisions import DecisionLog, DecisionLogBroken, to_stream, verify_lines
from console.store.keys import Keys


def record(log: DecisionLog, n: int = 1) -> str:
    return log.write(
        "bet", inputs={"n": n}, output={"pnl": 1}, reasoning="ü⚡\n", epoch=7, outcome="ok", latency_ms=1.5
    )


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines()


def test_a_record_has_the_contracts_six_names_verbatim_and_ours_beside_them(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "d.jsonl", version="2.4.0", slot="blue", instance="blue-1")
    record(log)
    body = json.loads(lines(log.path)[0])
    assert set(body) == {
        "agent_version",
        "timestamp",
        "decision_type",
        "inputs",
        "output",
        "reasoning",
        "slot",
        "sequence",
        "instance",
        "epoch",
        "decision_id",
        "latency_ms",
        "outcome",
        "prev",
        "hash",
    }
    assert (body["agent_version"], body["epoch"], body["sequence"], body["prev"]) == ("2.4.0", 7, 1, "")
    assert isinstance(body["timestamp"], float)


def test_the_chain_shows_edits_cuts_and_torn_lines(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "d.jsonl", version="1")
    heads = [record(log, n) for n in range(5)]
    good = lines(log.path)
    verdict = verify_lines(good, after="")
    assert (verdict.problem, verdict.lines, verdict.head) == ("", 5, heads[-1])
    assert "changed" in verify_lines([good[0].replace(b'"n":0', b'"n":9'), *good[1:]]).problem
    assert "missing" in verify_lines([good[0], *good[2:]]).problem
    assert "missing" in verify_lines(good[1:], after="").problem
    assert "torn" in verify_lines([*good[:4], good[4][:30]]).problem
    assert verify_lines(good[:4]).head != heads[-1]


def test_the_chain_runs_on_through_rotated_files_and_only_so_many_are_kept(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "d.jsonl", version="1", max_bytes=1000, keep=3)
    head = [record(log, n) for n in range(40)][-1]
    files = sorted(p for p in tmp_path.iterdir() if p.name != ".d.jsonl.lock")
    assert [p.name for p in files] == ["d.jsonl", "d.jsonl.1", "d.jsonl.2", "d.jsonl.3"]
    assert all(p.stat().st_size <= 1000 for p in files)
    written = [line for name in ("d.jsonl.3", "d.jsonl.2", "d.jsonl.1", "d.jsonl") for line in lines(tmp_path / name)]
    verdict = verify_lines(written)
    assert (verdict.problem, verdict.head) == ("", head)


def test_the_chain_runs_on_from_what_an_earlier_process_left(tmp_path: Path) -> None:
    first = DecisionLog(tmp_path / "d.jsonl", version="1")
    record(first)
    first.close()
    second = DecisionLog(tmp_path / "d.jsonl", version="2")
    record(second)
    assert verify_lines(lines(second.path), after="").problem == ""


def test_after_a_torn_line_the_next_record_is_whole_and_follows_the_last_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    first = DecisionLog(path, version="1")
    record(first)
    first.close()
    with path.open("ab") as file:
        file.write(b'{"agent_version":"1","ti')
    second = DecisionLog(path, version="1")
    record(second)
    written = lines(path)
    assert len(written) == 3
    assert verify_lines([written[0], written[2]], after="").problem == ""
    assert verify_lines(written).problem != ""


def test_each_record_is_one_write_so_that_several_threads_do_not_mix(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "d.jsonl", version="1", fsync=True)
    threads = [threading.Thread(target=lambda: [record(log, n) for n in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    written = lines(log.path)
    assert len(written) == 200 and verify_lines(written, after="").problem == ""
    assert [json.loads(line)["sequence"] for line in written] == list(range(1, 201))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_record_that_can_not_be_written_is_an_error_and_stays_a_problem(tmp_path: Path) -> None:
    log = DecisionLog("/dev/full", version="1")
    with pytest.raises(DecisionLogBroken, match="can't be written"):
        record(log)
    assert log.problem


def test_a_log_that_can_not_be_opened_is_a_problem_until_it_can(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    log = DecisionLog(folder / "d.jsonl", version="1")
    assert "can't be opened" in log.problem
    with pytest.raises(DecisionLogBroken):
        record(log)
    folder.mkdir()
    log.retry()
    assert log.problem == ""
    record(log)
    assert len(lines(folder / "d.jsonl")) == 1


def test_a_stream_that_fails_is_counted_and_stops_nothing(tmp_path: Path) -> None:
    def broken(_fields: object) -> None:
        raise OSError("away")

    log = DecisionLog(tmp_path / "d.jsonl", version="1", stream=broken)
    record(log)
    assert log.stream_failures == 1 and log.problem == ""


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "d.jsonl", version="1")
    record(log)
    assert os.stat(log.path).st_mode & 0o777 == 0o600


def test_records_go_to_the_stream_as_they_stand_in_the_file(tmp_path: Path, valkey_sync: Any, keys: Keys) -> None:
    log = DecisionLog(tmp_path / "d.jsonl", version="1", stream=to_stream(valkey_sync, keys))
    record(log)
    [(_entry, fields)] = valkey_sync.xrange("ac:{agent:active_version}:decisions")
    assert fields[b"v"] + b"\n" == log.path.read_bytes()
    valkey_sync.set("ac:{agent:active_version}:decisions", "x")
    record(log)
    assert (log.stream_failures, len(lines(log.path))) == (1, 2)
