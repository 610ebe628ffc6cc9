"""The last lines of a file, found from its end."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.logs.files import tail
from console.logs.files.tail import find_start, tail_lines


@pytest.mark.parametrize(
    ("content", "n", "lines"),
    [
        (b"", 3, []),
        (b"a\nb\nc\n", 0, []),
        (b"a\nb\nc\n", 2, [b"b", b"c"]),
        (b"a\nb\nc\n", 9, [b"a", b"b", b"c"]),
        (b"a\nb\nc", 2, [b"b", b"c"]),
        (b"abc", 1, [b"abc"]),
        (b"\n\n\n", 2, [b"", b""]),
        (b"\n", 1, [b""]),
    ],
)
def test_the_last_lines_are_those_of_tail(tmp_path: Path, content: bytes, n: int, lines: list[bytes]) -> None:
    path = tmp_path / "log"
    path.write_bytes(content)
    assert tail_lines(path, n) == lines


@given(
    st.lists(st.binary(max_size=9).map(lambda data: data.replace(b"\n", b"")), max_size=40),
    st.integers(0, 50),
    st.integers(1, 20),
)
def test_the_start_of_the_last_lines_leaves_exactly_so_many_behind_it(lines: list[bytes], n: int, block: int) -> None:
    content = b"".join(one + b"\n" for one in lines) + b"rest"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tail, "_FIRST_BLOCK", block)
        patch.setattr(tail, "_MAX_BLOCK", 2 * block)
        start = find_start(lambda length, offset: content[offset : offset + length], len(content), n)
    assert content[start:].split(b"\n")[:-1] == (lines[-n:] if n else [])


def test_lines_that_span_many_blocks_are_found(tmp_path: Path) -> None:
    path = tmp_path / "log"
    long = [bytes([65 + number]) * 300_000 for number in range(10)]
    path.write_bytes(b"\n".join(long) + b"\n")
    assert tail_lines(path, 3) == long[-3:]


def test_of_a_file_of_ten_gigabytes_only_its_end_is_read(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("wb") as file:
        file.truncate(10 * 1024**3)
        file.seek(0, os.SEEK_END)
        file.write(b"\n" + b"".join(b"line %d\n" % number for number in range(2000)))
    read = 0

    with path.open("rb") as file:

        def count(length: int, offset: int) -> bytes:
            nonlocal read
            read += length
            return os.pread(file.fileno(), length, offset)

        start = find_start(count, path.stat().st_size, 1000)
        assert os.pread(file.fileno(), 10, start) == b"line 1000\n"
    assert read < 100_000
    assert tail_lines(path, 2) == [b"line 1998", b"line 1999"]


@pytest.mark.parametrize(
    ("megabytes", "kept"), [(20, [b"before", b"x" * tail.MAX_LINE_BYTES, b"after"]), (100, [b"after"])]
)
def test_a_line_of_megabytes_is_cut_or_left_out_in_bounded_memory(
    tmp_path: Path, megabytes: int, kept: list[bytes]
) -> None:
    path = tmp_path / "log"
    with path.open("wb") as file:
        file.write(b"before\n")
        for _ in range(megabytes):
            file.write(b"x" * 1_000_000)
        file.write(b"\nafter\n")
    tracemalloc.start()
    try:
        lines = tail_lines(path, 3)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert lines == kept
    assert peak < 16 * 1024 * 1024


def test_where_no_line_ends_near_the_end_the_search_stops_at_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "MAX_SCAN_BYTES", 1000)
    content = b"early\n" + b"x" * 5000
    assert find_start(lambda length, offset: content[offset : offset + length], len(content), 5) == len(content) - 1000
    content += b"\nlate\n"
    start = find_start(lambda length, offset: content[offset : offset + length], len(content), 5)
    assert content[start:] == b"late\n"


def test_a_file_that_can_not_be_opened_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        tail_lines(tmp_path / "none", 1)
