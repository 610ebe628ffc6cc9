"""Files that hold no lines of UTF-8 are named, with what to do about them."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.logs.files.form import form_of
from console.logs.follower import LogSet
from console.logs.options import LogOptions

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RECORD = {"agent_version": "green", "timestamp": NOW.timestamp(), "decision_type": "bet", "output": {"pnl": 1}}
LINES = (json.dumps(RECORD) + "\n") * 3

FORMS = [
    (gzip.compress(LINES.encode(), mtime=0), "gunzip"),
    (bz2.compress(LINES.encode()), "bunzip2"),
    (lzma.compress(LINES.encode()), "unxz"),
    (LINES.encode("utf-16"), "UTF-16"),
    (LINES.encode("utf-16-le"), "UTF-16"),
    (LINES.encode("utf-16-be"), "UTF-16"),
    (LINES.encode("utf-32"), "UTF-32"),
    (LINES.replace("\n", "\r").encode(), "CR alone"),
    (json.dumps([RECORD, RECORD]).encode(), "JSON array"),
    (json.dumps([RECORD, RECORD], indent=1).encode(), "JSON array"),
    (json.dumps(RECORD, indent=1).encode(), "many lines"),
]
READ = [
    b"",
    LINES.encode(),
    LINES.replace("\n", "\r\n").encode(),
    b"\xef\xbb\xbf" + LINES.encode(),
    b"\n\n" + LINES.encode(),
    b'{"agent_ver',
    b"[]\n" + LINES.encode(),
    b"[{}]\n" + LINES.encode(),
    b"{\n" + LINES.encode(),
]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "decisions.jsonl"


@pytest.fixture
def logs(log: Path) -> Iterator[LogSet]:
    one = LogSet([log], options=LogOptions())
    yield one
    one.close()


@pytest.mark.parametrize(("data", "word"), FORMS, ids=range(len(FORMS)))
def test_a_form_that_holds_no_lines_is_named_with_what_to_do(data: bytes, word: str) -> None:
    assert word in form_of(data)


@pytest.mark.parametrize("data", READ, ids=range(len(READ)))
def test_whatever_holds_a_line_is_read(data: bytes) -> None:
    assert form_of(data) == ""


@pytest.mark.parametrize(("data", "word"), FORMS, ids=range(len(FORMS)))
def test_such_a_file_has_a_problem_and_no_refused_lines(log: Path, logs: LogSet, data: bytes, word: str) -> None:
    log.write_bytes(data)
    logs.poll(NOW)
    reading = logs.reading(NOW)
    assert word in reading.files[0].problem
    assert (reading.total, dict(reading.rejected)) == (0, {})


def test_a_file_that_becomes_lines_is_read_from_its_beginning(log: Path, logs: LogSet) -> None:
    log.write_bytes(LINES.encode("utf-16"))
    logs.poll(NOW)
    log.write_bytes(LINES.encode())
    logs.poll(NOW)
    reading = logs.reading(NOW)
    assert (reading.total, reading.files[0].problem) == (3, "")
