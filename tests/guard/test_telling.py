"""A guard's log: one JSON object a line, and a reader that stalls never stalls the guard."""

from __future__ import annotations

import io
import json
import os
import time

from console.guard.telling import Writer


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
