"""Content that was read already is not read again, wherever it turns up; what is new in it is."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.logs.files import places, reread
from console.logs.files.following import Following
from console.logs.files.openfile import Pull
from console.logs.files.places import Source
from console.logs.options import LogOptions


class Lines(Following):
    """Keeps every line that it is handed."""

    def __init__(self, pattern: Path, last_lines: int | None = None) -> None:
        super().__init__([pattern], options=LogOptions(last_lines=last_lines))
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)
        self.got: list[int] = []

    def read(self, after_s: float = 1.1) -> list[int]:
        """What is new, by number."""
        self.got = []
        self.now += timedelta(seconds=after_s)
        self.poll(self.now)
        while self.behind:
            self.poll(self.now)
        return self.got

    def _take(self, source: Source, pull: Pull, now_s: float) -> None:
        self.got += [json.loads(line)["n"] for line in (pull.block or b"").split(b"\n") if line]


def lines(*numbers: int, pad: int = 0) -> bytes:
    return b"".join(b'{"n": %d, "pad": "%s"}\n' % (number, b"x" * pad) for number in numbers)


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "decisions.jsonl"


@pytest.fixture
def follow(tmp_path: Path) -> Iterator[Callable[..., Lines]]:
    opened: list[Lines] = []

    def make(**more: int | None) -> Lines:
        opened.append(Lines(tmp_path / "*", **more))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


Follow = Callable[..., Lines]
PADS = pytest.mark.parametrize("pad", [0, 5_000], ids=["short", "longer than what is remembered"])


@PADS
def test_a_copy_beside_the_log_is_not_read_and_the_log_goes_on(log: Path, follow: Follow, pad: int) -> None:
    log.write_bytes(lines(*range(20), pad=pad))
    one = follow()
    assert one.read() == list(range(20))
    shutil.copyfile(log, log.with_name("a-copy.jsonl"))
    append(log, lines(20))
    assert one.read() == [20]
    append(log, lines(21))
    assert one.read() == [21]


@PADS
def test_a_log_that_is_copied_and_cut_is_read_once(log: Path, follow: Follow, pad: int) -> None:
    log.write_bytes(lines(*range(20), pad=pad))
    one = follow()
    one.read()
    append(log, lines(20))
    shutil.copyfile(log, log.with_name("decisions-1.jsonl"))
    os.truncate(log, 0)
    append(log, lines(21, 22))
    assert sorted(one.read()) == [20, 21, 22], "also what only the copy still has"
    append(log, lines(23))
    assert one.read() == [23]


@PADS
@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("kept", [3, 10])
def test_a_log_that_was_trimmed_to_its_last_lines_is_read_on(
    log: Path, follow: Follow, pad: int, in_place: bool, kept: int
) -> None:
    if in_place and pad * kept > reread.TAIL_BYTES:
        pytest.skip("of what was written over, so much is not remembered")
    log.write_bytes(lines(*range(20), pad=pad))
    one = follow()
    assert one.read() == list(range(20))
    left = lines(*range(20 - kept, 21), pad=pad)
    if in_place:
        log.write_bytes(left)
    else:
        new = log.parent.with_name(f"{log.parent.name}-new")
        new.write_bytes(left)
        new.replace(log)
    assert one.read() == [20]
    append(log, lines(21, pad=pad))
    assert one.read() == [21]


def test_of_a_copy_that_was_let_go_nothing_is_asked(log: Path, follow: Follow) -> None:
    log.write_bytes(lines(1, 2, 3))
    one = follow()
    one.read()
    copy = log.with_name("copy.jsonl")
    shutil.copyfile(log, copy)
    one.read()
    copy.unlink()
    one.read(700.0)
    copy.write_bytes(lines(7, 8))
    assert one.read() == [7, 8]
    append(copy, lines(9))
    assert one.read() == [9]


def test_a_log_that_begins_anew_with_a_line_of_the_old_one_is_read(log: Path, follow: Follow) -> None:
    log.write_bytes(lines(1, 2, 3, 4))
    one = follow()
    one.read()
    log.rename(log.with_name("old"))
    log.write_bytes(lines(2, 9))
    assert one.read() == [2, 9]


@PADS
def test_a_copy_that_is_found_after_the_log_was_cut_and_read_on_is_not_read(
    log: Path, follow: Follow, pad: int
) -> None:
    log.write_bytes(lines(*range(20), pad=pad))
    one = follow()
    one.read()
    copied = log.read_bytes()
    os.truncate(log, 0)
    append(log, lines(20))
    assert one.read() == [20]
    log.with_name("copy.jsonl").write_bytes(copied)
    assert one.read() == []


@PADS
def test_copies_that_are_there_at_the_start_are_read_once(log: Path, follow: Follow, pad: int) -> None:
    log.write_bytes(lines(*range(20), pad=pad))
    shutil.copyfile(log, log.with_name("a.jsonl"))
    shutil.copyfile(log, log.with_name("z.jsonl"))
    append(log, lines(20))
    one = follow()
    assert sorted(one.read()) == list(range(21))
    append(log, lines(21))
    assert one.read() == [21]


def test_of_copies_only_the_last_lines_are_read_once(log: Path, follow: Follow) -> None:
    log.write_bytes(lines(*range(20)))
    shutil.copyfile(log, log.with_name("z.jsonl"))
    one = follow(last_lines=3)
    assert one.read() == [17, 18, 19]
    append(log, lines(20))
    assert one.read() == [20]


@PADS
def test_a_file_written_anew_with_what_it_held_is_read_on(log: Path, follow: Follow, pad: int) -> None:
    log.write_bytes(lines(*range(20), pad=pad))
    one = follow()
    one.read()
    log.write_bytes(lines(*range(20), pad=pad) + lines(20))  # the same inode
    assert one.read() == [20]
    other = log.with_name(".new")
    other.write_bytes(log.read_bytes() + lines(21))
    other.replace(log)  # another
    assert one.read() == [21]


@PADS
def test_a_file_that_comes_back_after_it_was_let_go_is_read_on(log: Path, follow: Follow, pad: int) -> None:
    log.write_bytes(lines(*range(20), pad=pad))
    one = follow()
    one.read()
    data = log.read_bytes()
    log.unlink()
    one.read()
    one.read(places.RETIRE_AFTER_S + 1)
    log.write_bytes(data + lines(20))
    assert one.read() == [20]


def test_a_copy_that_is_still_being_written_is_not_read(log: Path, follow: Follow) -> None:
    log.write_bytes(lines(*range(20)))
    one = follow()
    one.read()
    data, copy = log.read_bytes(), log.with_name("copy.jsonl")
    for end in (5, 30, 100, len(data) - 3, len(data)):
        copy.write_bytes(data[:end])
        assert one.read() == []
    append(copy, lines(20))
    assert one.read() == [20]


@PADS
def test_what_differs_after_the_same_beginning_is_read(log: Path, follow: Follow, pad: int) -> None:
    log.write_bytes(lines(*range(20), pad=pad))
    one = follow()
    one.read()
    log.with_name("other.jsonl").write_bytes(lines(*range(5), 77, *range(6, 25), pad=pad))
    assert one.read()[:2] == [77, 6]


def test_where_the_remembered_end_differs_all_is_read(
    log: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.write_bytes(lines(*range(20), pad=5_000))
    one = follow()
    one.read()
    log.write_bytes(lines(*range(10), *range(110, 120), pad=5_000))
    assert one.read() == [*range(10), *range(110, 120)]


def test_equal_lines_within_one_file_are_all_read(log: Path, follow: Follow) -> None:
    log.write_bytes(lines(1, 1))
    one = follow()
    assert one.read() == [1, 1]
    append(log, lines(1))
    assert one.read() == [1]


def test_what_is_remembered_of_closed_files_is_bounded(
    log: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reread, "MAX_TRACES", 2)
    one = follow()
    for number in range(5):
        log.write_bytes(lines(number))
        assert one.read() == [number]
        os.truncate(log, 0)
        one.read()
    log.write_bytes(lines(4))
    assert one.read() == []
    os.truncate(log, 0)
    one.read()
    log.write_bytes(lines(0))
    assert one.read() == [0]
