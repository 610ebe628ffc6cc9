"""A guard's log: one JSON object a line, and a reader that stalls never stalls the guard."""

from __future__ import annotations

import io
import json
import os
import time
from datetime import UTC, datetime

import pytest

from console.guard.telling import LONGEST, Format, Log, Writer


def test_every_line_is_one_json_object() -> None:
    stream = io.StringIO()
    writer = Writer(stream)
    writer.put({"event": "a", "reason": "two\nlines \x1b[31m"})
    writer.put({"event": "b"})
    assert writer.flush()
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["a", "b"]
    assert "\x1b" not in stream.getvalue()


def test_a_reader_that_stalls_costs_lines_and_no_time_and_what_was_left_out_is_said() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream, os.fdopen(reading, "r") as reader:
        writer = Writer(stream, most=10)
        began = time.monotonic()
        for number in range(5000):
            writer.put({"event": "x" * 100, "number": number})
        assert time.monotonic() - began < 5.0
        assert writer.dropped > 0
        dropped = writer.dropped
        while not writer.flush(0.05):
            os.read(reader.fileno(), 1 << 16)
        writer.put({"event": "last"})
        assert writer.flush()
        os.set_blocking(reading, False)
        rest = reader.read()
    assert json.loads(rest.splitlines()[-1]) == {"event": "last", "lines_dropped": dropped}


HOSTILE = (
    'two\nlines\r\n<0>{"event":"forged"}',
    "\u2028\u2029\x00\x1b[2J",
    "\ud800",
    "x" * 1_000_000,
    float("nan"),
    float("inf"),
    10**5000,
    [["deep"] * 10_000] * 10_000,
    {"key\n" * 1000: object()},
    datetime(2026, 3, 1, tzinfo=UTC),
)


@pytest.mark.parametrize("format", Format)
def test_text_from_outside_begins_no_line_and_makes_none_that_a_collector_would_cut(format: Format) -> None:
    stream = io.StringIO()
    log = Log("g", format, stream)
    for value in HOSTILE:
        log("alert", agent="a", reason=value, more=value)
    log("alert", **{f"field{number}": "x" * 1_000 for number in range(1_000)})
    assert log.flush()
    lines = stream.getvalue().split("\n")
    assert lines.pop() == ""
    assert len(lines) == len(HOSTILE) + 1
    for line in lines:
        prefix = "<4>" if format is Format.JOURNALD else ""
        assert line.startswith(f"{prefix}{{") and line.isascii() and len(line) <= LONGEST + 3
        told = json.loads(line.removeprefix(prefix), parse_constant=pytest.fail)
        assert (told["event"], told["level"], told["guard"]) == ("alert", "warning", "g")
        assert datetime.fromisoformat(told["time"]).tzinfo is not None
    assert json.loads(lines[-2].removeprefix("<4>"))["more"] == "2026-03-01T00:00:00+00:00"


def test_what_is_said_is_counted_by_its_name() -> None:
    log = Log("g", stream=io.StringIO())
    for event in ("started", "alert", "alert"):
        log(event)
    assert log.counts == {"started": 1, "alert": 2}
