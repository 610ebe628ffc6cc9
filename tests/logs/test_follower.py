"""Files followed by polling: whatever happens to them, every complete line is counted exactly once."""

from __future__ import annotations

import json
import os
import socket
import stat
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from console.domain.seen.decision import Rejection
from console.domain.seen.observation import LogFile, LogReading
from console.logs.files import following, openfile, places
from console.logs.files.form import form_of
from console.logs.follower import LogSet
from console.logs.options import LogOptions

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
T = NOW.timestamp() - 3600


def line(number: float = 0, version: str = "blue-1", **fields: object) -> bytes:
    record = {"agent_version": version, "timestamp": T + number, "decision_type": f"d{number:g}"}
    return json.dumps(record | fields).encode() + b"\n"


def lines(*numbers: float) -> bytes:
    return b"".join(line(number) for number in numbers)


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


class Follower:
    """A LogSet with a clock of its own."""

    def __init__(self, *patterns: Path | str, **options: object) -> None:
        self.logs = LogSet(patterns, options=LogOptions(**options))  # type: ignore[arg-type]
        self.now = NOW

    def read(self, after_s: float = 0.05) -> LogReading:
        """Poll until all that is there was read."""
        self.now += timedelta(seconds=after_s)
        self.logs.poll(self.now)
        while self.logs.behind:
            self.logs.poll(self.now)
        return self.logs.reading(self.now)

    def kinds(self, after_s: float = 0.05) -> list[str]:
        return [decision.kind for decision in self.read(after_s).recent]

    def file(self, after_s: float = 0.05) -> LogFile:
        (only,) = self.read(after_s).files
        return only


Follow = Callable[..., Follower]


@pytest.fixture
def follow() -> Iterator[Follow]:
    opened: list[Follower] = []

    def make(*patterns: Path | str, **options: object) -> Follower:
        opened.append(Follower(*patterns, **options))
        return opened[-1]

    yield make
    for one in opened:
        one.logs.close()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "decisions.jsonl"


# Where reading begins and goes on


def test_a_file_that_is_there_at_the_start_is_read_from_its_last_lines(log: Path, follow: Follow) -> None:
    log.write_bytes(lines(*range(50)))
    one = follow(log, last_lines=3)
    assert one.kinds() == ["d47", "d48", "d49"]
    assert one.read().skipped_bytes == len(lines(*range(47)))
    append(log, lines(50))
    assert one.kinds() == ["d47", "d48", "d49", "d50"]


def test_no_last_lines_means_from_now_on_and_none_means_all(log: Path, follow: Follow) -> None:
    log.write_bytes(lines(1, 2))
    from_now_on, everything = follow(log, last_lines=0), follow(log, last_lines=None)
    assert (from_now_on.kinds(), everything.kinds()) == ([], ["d1", "d2"])
    append(log, lines(3))
    assert (from_now_on.kinds(), everything.kinds()) == (["d3"], ["d1", "d2", "d3"])


def test_a_partial_last_line_is_held_until_its_newline(log: Path, follow: Follow) -> None:
    whole = line(1)
    log.write_bytes(whole[:20])
    one = follow(log)
    reading = one.read()
    assert (reading.total, reading.rejected, reading.files[0].offset) == (0, {}, 0)
    append(log, whole[20:-1])
    assert one.read().total == 0
    append(log, b"\n")
    assert one.kinds() == ["d1"]


def test_a_file_that_appears_later_is_read_from_its_first_byte(log: Path, follow: Follow) -> None:
    one = follow(log, last_lines=1)
    assert one.file() == LogFile(path=one.file().path, problem=one.file().problem)
    assert one.file().problem == "no such file yet"
    log.write_bytes(lines(1, 2, 3))
    assert one.kinds() == ["d1", "d2", "d3"]
    assert one.file().problem == ""


def test_a_decision_says_where_its_line_stands(log: Path, follow: Follow) -> None:
    log.write_bytes(b"garbage\n" + line(1) + b"\n" + line(2, output="HOLD", reasoning="why", latency_ms=3.5))
    first, second = follow(log).read().recent
    data = log.read_bytes()
    for decision in (first, second):
        assert data[decision.offset :].startswith(decision.raw + b"\n")
        assert json.loads(decision.raw)["decision_type"] == decision.kind
    assert (second.outcome, second.reasoning, second.latency_ms, second.sequence) == ("HOLD", "why", 3.5, 2)
    assert second.source == str(log)
    assert second.at == datetime.fromtimestamp(T + 2, UTC)


def test_a_timestamp_in_the_future_is_accepted_and_marked(log: Path, follow: Follow) -> None:
    log.write_bytes(line(3600 + 90.5) + line(0))
    one = follow(log)
    ahead, behind = one.read(after_s=0.5).recent
    assert (ahead.future_s, behind.future_s) == (90.0, 0.0)


# What may happen to a file


def test_after_a_rename_the_old_file_is_read_to_its_end_before_the_new_one(log: Path, follow: Follow) -> None:
    log.write_bytes(lines(1, 2))
    one = follow(log)
    one.read()
    append(log, lines(3))
    log.rename(log.with_suffix(".1"))
    log.write_bytes(lines(4, 5))
    reading = one.read()
    assert [decision.kind for decision in reading.recent] == ["d1", "d2", "d3", "d4", "d5"]
    assert reading.files[0].inode == log.stat().st_ino


def test_a_writer_that_has_not_noticed_the_rename_loses_no_line(log: Path, follow: Follow) -> None:
    log.write_bytes(lines(1))
    one = follow(log)
    one.read()
    with log.open("ab") as writer:
        log.rename(log.with_suffix(".1"))
        log.write_bytes(lines(10))
        assert one.kinds() == ["d1", "d10"]
        writer.write(lines(2))
        writer.flush()
        assert one.kinds(after_s=5) == ["d1", "d10", "d2"]
        writer.write(line(3)[:-1])
    assert one.kinds(after_s=5) == ["d1", "d10", "d2"]
    assert one.kinds(after_s=places.RETIRE_AFTER_S) == ["d1", "d10", "d2", "d3"], (
        "the last line stays without a newline"
    )


def test_nameless_files_are_closed_once_they_stop_growing(log: Path, follow: Follow) -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd" if Path("/proc/self/fd").exists() else "/dev/fd"))

    log.write_bytes(lines(1))
    one = follow(log)
    one.read()
    before = descriptors()
    for number in range(5):
        log.rename(log.with_suffix(f".{number}"))
        log.write_bytes(lines(number))
        one.read()
    assert descriptors() == before + 5
    one.read(after_s=places.RETIRE_AFTER_S)
    assert descriptors() == before


def test_a_copied_and_truncated_file_is_read_again_from_its_first_byte(log: Path, follow: Follow) -> None:
    log.write_bytes(lines(1, 2, 3))
    one = follow(log)
    one.read()
    os.truncate(log, 0)
    append(log, lines(4))
    assert one.kinds() == ["d1", "d2", "d3", "d4"]


def test_a_truncated_file_that_is_empty_for_a_while_goes_on_when_it_grows(log: Path, follow: Follow) -> None:
    log.write_bytes(lines(1, 2))
    one = follow(log)
    one.read()
    os.truncate(log, 0)
    assert one.file().offset == 0
    append(log, lines(3))
    assert one.kinds() == ["d1", "d2", "d3"]


def test_a_file_that_was_cut_and_grew_past_the_old_place_between_two_looks_loses_no_line(
    log: Path, follow: Follow
) -> None:
    log.write_bytes(lines(1, 2))
    one = follow(log)
    one.read()
    os.truncate(log, 0)
    append(log, lines(3, 4, 5, 6, 7))
    assert one.kinds() == ["d1", "d2", "d3", "d4", "d5", "d6", "d7"]


def test_a_file_that_was_cut_and_grew_to_exactly_the_old_size_loses_no_line(log: Path, follow: Follow) -> None:
    log.write_bytes(lines(1, 2))
    one = follow(log)
    one.read()
    os.truncate(log, 0)
    append(log, lines(3, 4))
    os.utime(log, (1, 1))
    assert one.kinds() == ["d1", "d2", "d3", "d4"]


def test_a_partial_line_that_is_cut_off_is_counted_and_not_glued_to_the_next(log: Path, follow: Follow) -> None:
    log.write_bytes(lines(1) + line(2)[:30])
    one = follow(log)
    one.read()
    os.truncate(log, 0)
    append(log, lines(3))
    reading = one.read()
    assert [decision.kind for decision in reading.recent] == ["d1", "d3"]
    assert reading.rejected == {Rejection.NOT_JSON: 1}


def test_a_file_that_is_removed_and_comes_back_is_followed_again(log: Path, follow: Follow) -> None:
    log.write_bytes(lines(1))
    one = follow(log)
    one.read()
    log.unlink()
    assert one.file().problem == "is gone; waiting for it to come back"
    log.write_bytes(lines(2))
    assert one.kinds() == ["d1", "d2"]
    assert one.file().problem == ""


def test_a_file_that_is_moved_away_and_back_is_not_read_twice(log: Path, follow: Follow) -> None:
    log.write_bytes(lines(1))
    one = follow(log)
    one.read()
    log.rename(log.with_suffix(".away"))
    one.read()
    one.read(after_s=2 * places.RETIRE_AFTER_S)
    append(log.with_suffix(".away"), lines(2))
    log.with_suffix(".away").rename(log)
    assert one.kinds() == ["d1", "d2"]


# Paths that lead to no file of lines


def test_a_directory_in_place_of_a_file_is_a_problem(tmp_path: Path, follow: Follow) -> None:
    assert follow(tmp_path).file().problem == "is a directory, not a file of lines"


def test_a_named_pipe_is_a_problem_and_blocks_nothing(log: Path, follow: Follow) -> None:
    os.mkfifo(log)
    assert follow(log).file().problem == "is a named pipe, not a file of lines"


def test_a_path_that_becomes_a_named_pipe_while_it_is_opened_blocks_nothing(log: Path) -> None:
    os.mkfifo(log)
    with pytest.raises(openfile.NotAFile):
        openfile.OpenFile(str(log), 1000)


def test_a_socket_or_a_device_is_a_problem(log: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(log.parent)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s")
        assert follow("s").file().problem == "is a socket, not a file of lines"
    assert follow("/dev/null").file().problem == "is a device, not a file of lines"


@contextmanager
def as_somebody_else() -> Iterator[None]:
    """Without the rights of root, which would read anything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_that_may_not_be_read_is_a_problem_until_it_may(log: Path, follow: Follow) -> None:
    for folder in [log.parent, *log.parent.parents][:4]:
        folder.chmod(folder.stat().st_mode | stat.S_IXOTH | stat.S_IXGRP)
    log.write_bytes(lines(1, 2))
    log.chmod(0)
    one = follow(log, last_lines=1)
    with as_somebody_else():
        assert one.file().problem == "can't be read: Permission denied"
    log.chmod(0o644)
    with as_somebody_else():
        assert one.kinds() == ["d2"]
        assert one.file().problem == ""


def test_a_path_that_no_system_takes_is_a_problem(log: Path, follow: Follow) -> None:
    assert follow("a\x00b").file().problem != ""
    log.symlink_to(log)
    assert follow(log).file().problem.startswith("can't be read: ")


def test_a_path_through_a_file_is_no_such_file(log: Path, follow: Follow) -> None:
    log.write_bytes(b"")
    assert follow(log / "below").file().problem == "no such file yet"


# Lines that are too long


def test_a_line_of_a_hundred_megabytes_is_skipped_in_bounded_memory_and_counted_once(log: Path, follow: Follow) -> None:
    log.write_bytes(lines(1))
    one = follow(log)
    one.read()
    with log.open("ab") as file:
        for _ in range(100):
            file.write(b"x" * 1_000_000)
    tracemalloc.start()
    try:
        reading = one.read()
        assert (reading.total, reading.rejected) == (1, {Rejection.TOO_LONG: 1})
        append(log, b"x\n" + lines(2))
        reading = one.read()
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [decision.kind for decision in reading.recent] == ["d1", "d2"]
    assert reading.rejected == {Rejection.TOO_LONG: 1}
    assert peak < 8 * 1024 * 1024


def test_a_last_line_without_end_at_the_start_is_skipped_and_counted_once(
    log: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.logs.files.tail.MAX_SCAN_BYTES", 100_000)
    log.write_bytes(lines(1) + b"x" * 300_000)
    one = follow(log, max_line_bytes=1000)
    one.read()
    append(log, b"x\n" + lines(2))
    assert one.kinds() == ["d2"]
    assert one.read().rejected == {Rejection.TOO_LONG: 1}


def test_long_lines_are_shown_short(log: Path, follow: Follow) -> None:
    log.write_bytes(line(1, reasoning="y" * 500_000) + line(2))
    first, _second = follow(log).read().recent
    assert len(first.raw) == 8192
    assert len(first.reasoning) == 256


def test_long_lines_by_the_hundred_are_held_in_bounded_memory(log: Path, follow: Follow) -> None:
    with log.open("wb") as file:
        for number in range(100):
            file.write(line(number, reasoning="y" * 600_000))
    one = follow(log, last_lines=None)
    tracemalloc.start()
    try:
        reading = one.read()
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(reading.recent) == reading.total == 100
    assert peak < 32 * 1024 * 1024


# Several files


def test_several_files_are_merged_by_time_and_each_keeps_its_order(tmp_path: Path, follow: Follow) -> None:
    (tmp_path / "a").write_bytes(lines(1, 4, 3, 9))
    (tmp_path / "b").write_bytes(lines(2, 5, 8))
    reading = follow(tmp_path / "a", tmp_path / "b").read()
    assert [decision.kind for decision in reading.recent] == ["d1", "d2", "d4", "d3", "d5", "d8", "d9"]
    assert sorted(decision.sequence for decision in reading.recent) == [1, 2, 3, 4, 5, 6, 7]


def test_what_arrives_later_is_shown_behind_however_old_it_claims_to_be(tmp_path: Path, follow: Follow) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_bytes(lines(10, 20))
    b.write_bytes(b"")
    one = follow(a, b, recent=3)
    one.read()
    append(b, lines(1))
    assert one.kinds() == ["d10", "d20", "d1"]
    append(a, lines(30))
    assert one.kinds() == ["d20", "d1", "d30"]


def test_a_clock_far_ahead_does_not_hold_the_end_of_the_list(tmp_path: Path, follow: Follow) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_bytes(line(9e9, version="ahead"))
    b.write_bytes(lines(1))
    one = follow(a, b, recent=2)
    one.read()
    append(b, lines(2))
    append(b, lines(3))
    assert one.kinds() == ["d2", "d3"]


def test_a_file_with_one_timestamp_far_ahead_is_merged_by_time_again_after_that(tmp_path: Path, follow: Follow) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_bytes(line(9e8))
    b.write_bytes(b"")
    one = follow(a, b)
    one.read()
    append(a, lines(3601))
    append(b, lines(3602))
    assert one.kinds(after_s=10)[1:] == ["d3601", "d3602"]


def test_only_the_newest_decisions_are_kept_and_all_are_counted(log: Path, follow: Follow) -> None:
    log.write_bytes(b"".join(line(number, output={"pnl": 1}) for number in range(5000)))
    reading = follow(log, last_lines=None, recent=7).read()
    assert [decision.sequence for decision in reading.recent] == list(range(4994, 5001))
    assert reading.total == reading.by_version["blue-1"].decisions == 5000
    assert reading.by_slot["blue"].pnl[0].total == 5000


def test_a_reading_builds_no_more_new_decisions_than_asked_for_and_catches_up_later(log: Path, follow: Follow) -> None:
    log.write_bytes(lines(*range(10)))
    one = follow(log, last_lines=None, built=4)
    first = one.read().recent
    assert [decision.kind for decision in first] == ["d6", "d7", "d8", "d9"]
    append(log, lines(10))
    second = one.read().recent
    assert [decision.kind for decision in second] == ["d3", "d4", "d5", "d6", "d7", "d8", "d9", "d10"]
    assert all(old is new for old, new in zip(first, second[3:], strict=False))
    append(log, lines(*range(20, 40)))
    assert one.kinds() == ["d36", "d37", "d38", "d39"]
    assert one.read().total == 31


def test_a_file_that_two_patterns_find_is_followed_once(tmp_path: Path, follow: Follow) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines(1))
    (tmp_path / "b.jsonl").symlink_to(path)
    os.link(path, tmp_path / "c.jsonl")
    reading = follow(tmp_path / "*.jsonl", path, f"{tmp_path}/**/*.jsonl").read()
    assert [file.path for file in reading.files] == [str(path)]
    assert reading.total == 1


def test_patterns_reach_into_folders_in_a_fixed_order_and_leave_hidden_ones_out(tmp_path: Path, follow: Follow) -> None:
    for name in ("b/x/2.jsonl", "a/1.jsonl", "3.jsonl", ".hidden/4.jsonl", "a/.5.jsonl", "a/6.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(lines(1))
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    paths = [file.path for file in follow(f"{tmp_path}/**/*.jsonl").read().files]
    assert paths == [f"{tmp_path}/{name}" for name in ("3.jsonl", "a/1.jsonl", "b/x/2.jsonl")]
    assert [file.path for file in follow(f"{tmp_path}/?/[0-9].jsonl").read().files] == [f"{tmp_path}/a/1.jsonl"]


def test_a_path_with_the_characters_of_a_pattern_stands_for_itself_if_it_exists(tmp_path: Path, follow: Follow) -> None:
    path = tmp_path / "log[1].jsonl"
    path.write_bytes(lines(1))
    (tmp_path / "log1.jsonl").write_bytes(lines(2))
    assert follow(path).kinds() == ["d1"]


def test_a_pattern_that_matches_nothing_is_no_file_until_it_does(tmp_path: Path, follow: Follow) -> None:
    one = follow(tmp_path / "*.jsonl", last_lines=1)
    assert one.read().files == ()
    (tmp_path / "a.jsonl").write_bytes(lines(1, 2))
    assert one.kinds(after_s=places.LOOK_EVERY_S) == ["d1", "d2"]


def test_a_file_renamed_within_the_pattern_is_not_read_twice(tmp_path: Path, follow: Follow) -> None:
    current = tmp_path / "d.jsonl"
    current.write_bytes(lines(1))
    one = follow(tmp_path / "d.jsonl*")
    one.read()
    for number in range(2, 6):
        for age in range(number, 0, -1):
            older = tmp_path / f"d.jsonl.{age}"
            if older.exists():
                older.rename(tmp_path / f"d.jsonl.{age + 1}")
        current.rename(tmp_path / "d.jsonl.1")
        current.write_bytes(lines(number))
        one.read(after_s=0.7 * number)
    reading = one.read(after_s=30)
    assert reading.total == 5
    assert [decision.kind for decision in reading.recent] == ["d1", "d2", "d3", "d4", "d5"]
    assert len(reading.files) == 5


def test_files_beyond_the_bound_are_not_followed_and_said_so(
    tmp_path: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "MAX_FILES", 3)
    for number in range(5):
        (tmp_path / f"{number}.jsonl").write_bytes(lines(number))
    reading = follow(tmp_path / "*.jsonl").read()
    assert reading.total == 3
    assert reading.files[-1] == LogFile(path=reading.files[-1].path, problem=reading.files[-1].problem)
    assert (reading.files[-1].path, reading.files[-1].problem) == ("2 more files", "not followed: 3 are the most")


def test_a_search_through_too_many_folders_is_cut_short_and_said_so(
    tmp_path: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "MAX_NAMES", 10)
    for number in range(20):
        (tmp_path / str(number)).mkdir()
    assert "cut short" in follow(f"{tmp_path}/**/*.jsonl").file().problem


def test_a_search_of_many_folders_is_spread_over_many_polls(
    tmp_path: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "MAX_SECONDS_A_POLL", 0.0)
    for number in range(30):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "log").write_bytes(lines(number))
    one = follow(f"{tmp_path}/**/log")
    assert one.logs.poll(NOW)
    assert one.logs.reading(NOW).files == ()
    assert one.read().total == 30


# One poll, one reading


def test_a_poll_reads_a_bounded_amount_and_says_that_there_is_more(
    log: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "MAX_BYTES_A_POLL", 1)
    log.write_bytes(lines(*range(10_000)))
    one = follow(log, last_lines=None)
    polls = 0
    while one.logs.poll(NOW):
        polls += 1
        assert one.logs.reading(NOW).files[0].offset <= polls * openfile.BLOCK_BYTES
    assert polls >= len(log.read_bytes()) / openfile.BLOCK_BYTES
    assert one.logs.reading(NOW).total == 10_000


def test_no_busy_file_keeps_the_others_waiting(tmp_path: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "MAX_BYTES_A_POLL", 1)
    for number, name in enumerate("abc"):
        (tmp_path / name).write_bytes(lines(*range(number, 10_000)))
    one = follow(tmp_path / "?", last_lines=None)
    for _ in range(6):
        one.logs.poll(NOW)
    offsets = [file.offset for file in one.logs.reading(NOW).files]
    assert min(offsets) > openfile.BLOCK_BYTES


def test_a_poll_that_finds_nothing_new_says_so_and_the_reading_is_the_same_but_for_its_time(
    log: Path, follow: Follow
) -> None:
    log.write_bytes(lines(1, 2))
    one = follow(log)
    before = one.read()
    assert one.logs.reading(one.now) is before
    later = one.now + timedelta(seconds=1)
    assert not one.logs.poll(later)
    after = one.logs.reading(later)
    assert after == before._replace(at=later)
    assert after.recent is before.recent
    assert after.by_version is before.by_version


def test_what_did_not_change_is_the_same_object_in_the_next_reading(log: Path, follow: Follow) -> None:
    log.write_bytes(line(1) + line(2, version="green-1"))
    one = follow(log)
    before = one.read()
    append(log, line(3))
    after = one.read()
    assert after.by_version["green-1"] is before.by_version["green-1"]
    assert after.by_version["blue-1"] is not before.by_version["blue-1"]
    assert after.recent[:2] == before.recent
    assert all(new is old for new, old in zip(after.recent, before.recent, strict=False))


def test_a_rate_that_falls_with_time_is_a_difference(log: Path, follow: Follow) -> None:
    log.write_bytes(line(3600))
    one = follow(log)
    assert one.read().by_slot["blue"].rate_per_s == 1
    assert one.logs.poll(NOW + timedelta(seconds=90))
    assert one.logs.reading(NOW).by_slot["blue"].rate_per_s == 0


def test_before_the_first_poll_a_reading_is_empty(log: Path, follow: Follow) -> None:
    assert follow(log).logs.reading(NOW) == LogReading(at=NOW)


def test_no_patterns_are_no_files(follow: Follow) -> None:
    assert follow().read().files == ()


def test_every_hostile_line_is_counted_by_its_reason(log: Path, follow: Follow) -> None:
    log.write_bytes(
        line(1)
        + b"\xff\xfe\n"
        + b'{"a":"\x00"}\n'
        + b"[]\n"
        + b"{}\n"
        + line(2, timestamp="soon")
        + line(3, agent_version=None)
        + line(4, output={"pnl": float("nan")})
        + line(5, inputs={"x": float("inf")})
        + b"z" * 3000
        + b"\n"
        + line(6)
    )
    reading = follow(log, max_line_bytes=2000).read()
    assert [decision.kind for decision in reading.recent] == ["d1", "d4", "d5", "d6"]
    assert reading.recent[1].pnl is None
    assert reading.rejected == {
        Rejection.NOT_UTF8: 1,
        Rejection.NOT_JSON: 1,
        Rejection.NOT_AN_OBJECT: 1,
        Rejection.MISSING_FIELD: 1,
        Rejection.BAD_TIMESTAMP: 1,
        Rejection.WRONG_TYPE: 1,
        Rejection.BAD_PNL: 1,
        Rejection.TOO_LONG: 1,
    }


# Properties

GOOD = st.builds(
    lambda at, version, pnl: line(at, version, output={"pnl": str(pnl), "currency": "USD"}, latency_ms=float(at)),
    st.integers(0, 3000),
    st.sampled_from(["blue-1", "green-1"]),
    st.decimals(-100, 100, places=2),
)
BYTES = st.lists(st.binary(max_size=60) | GOOD | st.just(b"\n") | st.just(b"q" * 400), max_size=25).map(b"".join)
QUIET = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
LIMIT = 300


@QUIET
@given(BYTES)
def test_every_complete_line_of_any_bytes_is_accepted_or_refused_once(tmp_path: Path, data: bytes) -> None:
    assume(not form_of(data))
    path = tmp_path / "log"
    path.write_bytes(data)
    one = Follower(path, last_lines=None, max_line_bytes=LIMIT)
    reading = one.read()
    one.logs.close()
    unfinished = data.rpartition(b"\n")[2]
    refused = sum(reading.rejected.values()) - reading.rejected.get(Rejection.BAD_PNL, 0)
    assert reading.total + refused == data.count(b"\n") + (len(unfinished) > LIMIT)


@QUIET
@given(BYTES, st.lists(st.integers(0, 4000), max_size=8))
def test_bytes_that_arrive_in_any_portions_give_the_same_reading(tmp_path: Path, data: bytes, cuts: list[int]) -> None:
    assume(not form_of(data))
    path = tmp_path / "log"
    path.write_bytes(b"")
    portions, whole = (Follower(path, last_lines=None, max_line_bytes=LIMIT, recent=10) for _ in range(2))
    portions.read(after_s=0)
    places_ = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for start, end in pairwise(places_):
        append(path, data[start:end])
        portions.read(after_s=0)
    assert portions.read(after_s=0) == whole.read(after_s=0)
    portions.logs.close()
    whole.logs.close()


ACTS = st.lists(
    st.sampled_from(["write", "begin", "rename", "regrow", "truncate", "read", "long after"]), min_size=1, max_size=25
)


@QUIET
@given(ACTS)
def test_whatever_is_done_to_a_file_no_line_is_lost_or_doubled(tmp_path: Path, acts: list[str]) -> None:
    for old in tmp_path.iterdir():
        old.unlink()
    path = tmp_path / "log"
    path.write_bytes(b"")
    one = Follower(path)
    one.read()
    written: list[str] = []
    rest = b""
    for number, act in enumerate(acts):
        if act == "write":
            append(path, rest + line(number))
            rest = b""
            written.append(f"d{number}")
        elif act == "begin" and not rest:
            append(path, line(number)[:25])
            rest = line(number)[25:]
            written.append(f"d{number}")
        elif act == "read":
            one.read()
        elif act == "long after":
            one.read(after_s=2 * places.RETIRE_AFTER_S)
        elif act != "begin":
            append(path, rest)
            rest = b""
            one.read()  # nobody can read what is destroyed, or named differently, before it was ever looked at
            if act == "rename":
                path.rename(tmp_path / f"old{number}")
                path.write_bytes(b"")
            else:
                os.truncate(path, 0)
            if act == "regrow":
                append(path, lines(*[number + step / 32 for step in range(32)]))
                written += [f"d{number + step / 32:g}" for step in range(32)]
    append(path, rest)
    assert sorted(one.kinds()) == sorted(written)
    assert one.read().rejected == {}
    one.logs.close()


def test_a_cheap_look_tells_whether_a_poll_could_find_anything_new(follow: Follow, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    append(path, lines(1))
    one = follow(path)
    one.read()
    assert not one.logs.stirred()
    append(path, lines(2))
    assert one.logs.stirred()
    one.read()
    assert not one.logs.stirred()
    path.rename(tmp_path / "a.1")
    assert one.logs.stirred()
    one.read()
    assert one.logs.stirred(), "the file without a name is read until nobody can be writing to it any more"
    one.read(after_s=2 * places.RETIRE_AFTER_S)
    assert not one.logs.stirred()
    append(path, lines(3))
    assert one.logs.stirred()
