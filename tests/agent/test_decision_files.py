"""One writer a path, for as long as it lives; and what is wrong with a log's files is told by its kind."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from console.agent import decision_files
from console.agent.decisions import DecisionLog, DecisionLogBroken, Finding, Mark, verify_files, verify_lines
from console.logs.files.expand import expand
from tests import ROOT
from tests.agent.test_decisions import lines, record
from tests.waiting import until

WRITER = """
import sys
from console.agent.decisions import DecisionLog
log = DecisionLog(sys.argv[1], version="1", slot="green", instance="green-1", max_bytes=int(sys.argv[2]))
for n in range(int(sys.argv[3])):
    log.write("bet", inputs={"n": n}, output=1, reasoning="r")
print(log.problem or "ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a process that writes some records to `d.jsonl` and then holds it."""
    started: list[subprocess.Popen[str]] = []

    def start(records: int = 3, max_bytes: int = 1 << 20) -> subprocess.Popen[str]:
        words = [sys.executable, "-c", WRITER, str(tmp_path / "d.jsonl"), str(max_bytes), str(records)]
        process = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def in_child(work: Callable[[], str]) -> str:
    """What a forked child answers."""
    reader, end = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # other threads may live: that is the point
        pid = os.fork()
    if pid == 0:
        try:
            answer = work()
        except BaseException as error:
            answer = f"{type(error).__name__}: {error}"
        os.write(end, answer.encode())
        os._exit(0)
    os.close(end)
    with open(reader, encoding="utf-8") as file:
        answer = file.read()
    os.waitpid(pid, 0)
    return answer


def test_a_second_process_is_refused_and_told_who_has_the_log_and_takes_over_when_it_is_dead(
    writer: Any, tmp_path: Path
) -> None:
    first = writer()
    log = DecisionLog(tmp_path / "d.jsonl", version="2", slot="blue")
    assert (
        f"written by process {first.pid} (green green-1)" in log.problem and "another path, or a folder" in log.problem
    )
    before = log.path.read_bytes()
    with pytest.raises(DecisionLogBroken, match="Give this one another path, or a folder"):
        record(log)
    log.retry()
    assert log.problem and log.path.read_bytes() == before
    first.send_signal(signal.SIGKILL)
    first.wait()
    log.retry()
    assert log.problem == ""
    record(log)
    verdict = verify_files(log.path, after="")
    assert (verdict.problem, verdict.lines, verdict.sequence) == ("", 4, 4)


def test_the_lock_outlives_rotation(writer: Any, tmp_path: Path) -> None:
    writer(records=30, max_bytes=1000)
    assert (tmp_path / "d.jsonl.2").exists()
    log = DecisionLog(tmp_path / "d.jsonl", version="2")
    assert "has one writer" in log.problem


def test_a_second_log_in_the_same_process_is_refused_until_the_first_is_closed(tmp_path: Path) -> None:
    blue = DecisionLog(tmp_path / "d.jsonl", version="1", slot="blue")
    record(blue)
    green = DecisionLog(tmp_path / "d.jsonl", version="2", slot="green")
    assert f"process {os.getpid()}, this one, in another DecisionLog (blue " in green.problem
    blue.close()
    green.retry()
    record(green)
    with pytest.raises(DecisionLogBroken, match="has one writer"):
        record(blue)
    green.close()
    record(blue)
    assert verify_files(blue.path, after="").problem == "" and len(lines(blue.path)) == 3


def test_another_name_of_the_file_or_a_removed_lock_file_lets_no_second_writer_in(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "d.jsonl", version="1")
    record(log)
    (tmp_path / "soft.jsonl").symlink_to(log.path)
    (tmp_path / "hard.jsonl").hardlink_to(log.path)
    assert "has one writer" in DecisionLog(tmp_path / "soft.jsonl", version="1").problem
    assert "has one writer" in DecisionLog(tmp_path / "hard.jsonl", version="1").problem
    (tmp_path / ".d.jsonl.lock").unlink()
    assert "has one writer" in DecisionLog(log.path, version="1").problem


def test_a_log_that_nobody_holds_any_more_frees_its_path(tmp_path: Path) -> None:
    record(DecisionLog(tmp_path / "d.jsonl", version="1"))
    assert DecisionLog(tmp_path / "d.jsonl", version="1").problem == ""


def test_in_a_folder_without_room_for_a_lock_file_the_files_own_lock_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def refusing(path: Any, *arguments: Any) -> int:
        if str(path).endswith(".lock"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, *arguments)

    monkeypatch.setattr(decision_files.os, "open", refusing)
    log = DecisionLog(tmp_path / "d.jsonl", version="1")
    record(log)
    assert "another writer" in DecisionLog(log.path, version="1").problem
    record(log)
    assert verify_files(log.path, after="").problem == ""


def test_a_child_does_not_write_to_its_parents_log_and_does_not_hold_it(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "d.jsonl", version="1")
    record(log)

    def child() -> str:
        held = [
            os.readlink(f"/proc/self/fd/{fd}")
            for fd in os.listdir("/proc/self/fd")
            if Path(f"/proc/self/fd/{fd}").exists()
        ]
        assert not any(str(tmp_path) in name for name in held), held
        assert f"made by process {os.getppid()}" in log.problem
        log.retry()
        assert log.problem
        own = DecisionLog(tmp_path / "child.jsonl", version="1")
        record(own)
        record(log)
        return "written"

    answer = in_child(child)
    assert answer.startswith("DecisionLogBroken:") and "Make the log after the fork" in answer
    record(log)
    assert (log.problem, len(lines(log.path)), len(lines(tmp_path / "child.jsonl"))) == ("", 2, 1)


def test_a_child_that_lives_on_does_not_keep_the_log_from_the_parents_successor(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "d.jsonl", version="1")
    started, go = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(started[1], b"x")
        os.read(go[0], 1)
        os._exit(0)
    os.read(started[0], 1)
    log.close()
    assert DecisionLog(log.path, version="2").problem == ""
    os.write(go[1], b"x")
    os.waitpid(pid, 0)


def test_a_fork_while_another_thread_writes_leaves_a_child_that_is_refused_at_once(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "d.jsonl", version="1")
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            record(log)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        answers = {in_child(lambda: record(log))[:17] for _ in range(20)}
    finally:
        stop.set()
        thread.join()
    assert answers == {"DecisionLogBroken"}
    log.close()
    assert verify_files(log.path, after="").problem == ""


@pytest.mark.parametrize("end", ["", "/"])
def test_in_a_folder_each_instance_has_a_file_of_its_own(tmp_path: Path, end: str) -> None:
    logs = [DecisionLog(f"{tmp_path}{end}", version="1", slot=slot, instance="i-1") for slot in ("blue", "green")]
    for log in logs:
        record(log)
    assert [log.path.name for log in logs] == ["blue-i-1.jsonl", "green-i-1.jsonl"]
    assert [path for path in expand(f"{tmp_path}/*.jsonl") if path] == [str(log.path) for log in logs]


def test_a_folder_that_is_missing_is_a_problem_until_it_is_there(tmp_path: Path) -> None:
    log = DecisionLog(f"{tmp_path}/later/", version="1", slot="blue", instance="i")
    assert log.path == tmp_path / "later" / "blue-i.jsonl" and "can't be opened" in log.problem
    log.path.parent.mkdir()
    log.retry()
    record(log)


@pytest.mark.parametrize(
    "instance", ["../../evil", "/etc/evil", "..", ".hidden", "a\0b", "a\nb", "\ud800", "n" * 500, "a b"]
)
def test_no_instance_can_name_a_file_outside_the_folder(tmp_path: Path, instance: str) -> None:
    for slot in ("", "../up"):
        log = DecisionLog(tmp_path, version="1", slot=slot, instance=instance)
        record(log)
        assert log.path.parent == tmp_path and not log.path.name.startswith(".")
    assert len([path for path in tmp_path.iterdir() if path.suffix == ".jsonl"]) == 2
    assert DecisionLog(tmp_path, version="1", instance=f"{instance}?").path != log.path


def test_the_permissions_are_those_that_were_asked_for_on_every_file(tmp_path: Path) -> None:
    umask = os.umask(0o077)
    try:
        log = DecisionLog(tmp_path / "d.jsonl", version="1", max_bytes=1000, mode=0o640)
        for n in range(9):
            record(log, n)
    finally:
        os.umask(umask)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert set(modes) > {"d.jsonl", "d.jsonl.1", ".d.jsonl.lock"} and set(modes.values()) == {0o640}


def test_permissions_that_an_operator_gave_stay_and_those_asked_for_are_added(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    path.touch(0o600)
    DecisionLog(path, version="1", mode=0o640).close()
    assert path.stat().st_mode & 0o777 == 0o640
    DecisionLog(path, version="1").close()
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("path", ["a\0b", "x" * 5000, "/proc/nothing/d.jsonl", "/", "\ud800"])
def test_a_path_that_can_be_none_is_a_problem_and_no_exception_of_another_kind(path: str, tmp_path: Path) -> None:
    log = DecisionLog(
        path if path == "/" else f"{tmp_path}/{path}".replace(f"{tmp_path}//", "/"), version="1", instance="\0"
    )
    if path == "/":
        log.path = Path("/proc/none.jsonl")
        log.close()
    with pytest.raises(DecisionLogBroken):
        record(log)
    assert log.problem
    log.retry()
    assert log.problem


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EIO, "io"),
        PermissionError(errno.EACCES, "no"),
        InterruptedError(),
        TimeoutError("slow"),
        OSError(),
    ],
)
def test_any_trouble_with_the_disk_is_one_kind_of_exception_and_the_chain_goes_on_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    log = DecisionLog(tmp_path / "d.jsonl", version="1", fsync=True, max_bytes=2000)
    heads = [record(log)]

    def broken(*_: object) -> int:
        raise error

    for name in ("write", "fsync", "lseek"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, broken)
            with pytest.raises(DecisionLogBroken, match="can't be written"):
                record(log)
        assert log.problem
        heads.append(record(log))
        assert log.problem == ""
    verdict = verify_files(log.path, after="")
    written = b"".join(path.read_bytes() for path in tmp_path.glob("d.jsonl*"))
    assert verdict.problem == "" and all(head.encode() in written for head in heads)


def test_an_interrupt_right_after_a_record_does_not_break_the_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = DecisionLog(tmp_path / "d.jsonl", version="1")
    record(log)
    real = os.write

    def interrupted(file: int, data: bytes) -> int:
        real(file, data)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            record(log)
    record(log)
    verdict = verify_files(log.path, after="")
    assert (verdict.problem, verdict.lines, verdict.sequence) == ("", 3, 3)


def test_a_pipe_takes_records_without_lock_rotation_or_past(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    log = DecisionLog(tmp_path / "pipe", version="1", max_bytes=100)
    record(log)
    record(log)
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]
    assert verify_lines(os.read(log._file, 1 << 16).splitlines(), after="").lines == 2


def test_a_stream_may_fail_in_any_way(tmp_path: Path) -> None:
    def broken(_fields: object) -> None:
        raise ZeroDivisionError

    log = DecisionLog(tmp_path / "d.jsonl", version="1", stream=broken)
    record(log)
    assert log.stream_failures == 1


def test_a_deleted_file_is_begun_again_and_what_is_missing_shows(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "d.jsonl", version="1")
    record(log)
    log.path.unlink()
    until(lambda: bool(record(log)) and log.path.exists())
    assert len(lines(log.path)) == 1
    assert verify_files(log.path, after="").kind is Finding.HOLE


def test_numbers_and_chain_go_on_after_a_restart_though_the_last_line_is_long_or_the_file_new(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    log = DecisionLog(path, version="1")
    log.write("bet", inputs="x" * 200_000, output=1, reasoning="r")
    log.close()
    path.rename(tmp_path / "d.jsonl.1")  # a writer that ended between rotation and its next record
    path.touch()
    log = DecisionLog(path, version="1")
    record(log)
    assert (verify_files(path, after="").problem, verify_files(path).sequence) == ("", 2)


def test_rotation_that_is_stopped_midway_loses_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = DecisionLog(tmp_path / "d.jsonl", version="1", max_bytes=900, keep=9)
    while not (tmp_path / "d.jsonl.5").exists():
        record(log)
    real, moves = Path.replace, [0]

    def failing(self: Path, target: Any) -> Any:
        moves[0] += 1
        if moves[0] == 3:
            raise OSError(errno.EIO, "io")
        return real(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", failing)
        with pytest.raises(DecisionLogBroken):
            for _ in range(9):
                record(log)
    record(log)
    assert verify_files(log.path, after="").problem == ""


def test_four_findings_are_told_apart(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "d.jsonl", version="1", max_bytes=1500)
    for n in range(12):
        record(log, n)
    seen = verify_files(log.path, after="")
    head = Mark(seen.sequence, seen.head)
    assert (seen.problem, seen.sequence) == ("", 12)
    record(log)
    assert verify_files(log.path, head, after="").kind is None
    log.close()
    middle = tmp_path / "d.jsonl.2"
    whole = middle.read_bytes()
    gone = whole.splitlines(keepends=True)

    middle.write_bytes(b"".join(gone[1:]))
    assert verify_files(log.path, head).kind is Finding.HOLE
    middle.unlink()
    assert verify_files(log.path, head)[2:4] == (
        f"{len(gone)} lines are missing before line {verify_missing(tmp_path)}",
        Finding.HOLE,
    )
    middle.write_bytes(whole.replace(b'"pnl":1', b'"pnl":9', 1))
    assert verify_files(log.path, head).kind is Finding.CHANGED
    middle.write_bytes(whole[:-40])
    assert verify_files(log.path, head).kind is Finding.CHANGED
    middle.write_bytes(whole)
    assert verify_files(log.path, head).kind is None

    for name in ("d.jsonl", "d.jsonl.1"):
        (tmp_path / name).unlink()
    assert verify_files(log.path, head).kind is Finding.CUT
    for path in tmp_path.glob("d.jsonl*"):
        path.unlink()
    assert verify_files(log.path, head).kind is Finding.CUT
    with pytest.raises(FileNotFoundError):
        verify_files(log.path)
    log = DecisionLog(log.path, version="1")
    for n in range(12):
        record(log, n)
    assert verify_files(log.path, after="").kind is None
    assert verify_files(log.path, head, after="").kind is Finding.REWRITTEN


def verify_missing(folder: Path) -> int:
    """The line that stands after the hole which `d.jsonl.2` left."""
    older = sorted(folder.glob("d.jsonl.[3-9]"))
    return sum(len(lines(path)) for path in older) + 1


def test_a_changed_line_whose_own_hash_was_made_to_fit_is_a_change_and_no_hole(tmp_path: Path) -> None:
    other, log = (DecisionLog(tmp_path / name, version="1") for name in ("other.jsonl", "d.jsonl"))
    for n in range(4):
        record(other, n)
        record(log, n)
    good, bad = lines(log.path), lines(other.path)
    assert verify_lines([good[0], bad[1], *good[2:]]).kind is Finding.CHANGED
    assert verify_lines([good[0], good[2], good[1], good[3]]).wrong >= 2
    assert verify_lines([*good[:2], good[1], *good[2:]]).kind is Finding.CHANGED


def test_a_head_that_was_rotated_away_is_no_rewriting(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "d.jsonl", version="1", max_bytes=1000, keep=2)
    head = Mark(1, record(log))
    for n in range(20):
        record(log, n)
    verdict = verify_files(log.path, head)
    assert verdict.kind is Finding.HOLE and "rotated away" in verdict.problem


@pytest.mark.parametrize("line", [b"", b"{}", b"\xff", b"[" * 100_000, b'"x","hash":""}', b"null"])
def test_junk_between_lines_is_a_change_and_no_exception(tmp_path: Path, line: bytes) -> None:
    log = DecisionLog(tmp_path / "d.jsonl", version="1")
    record(log)
    assert verify_lines([*lines(log.path), line + b"\n"]).kind is Finding.CHANGED
    log.close()
    with log.path.open("ab") as file:
        file.write(line)
    record(log)
    assert verify_files(log.path).wrong == (1 if line else 0)


def test_a_log_is_verified_while_it_is_written_and_rotated(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "d.jsonl", version="1", max_bytes=100_000, keep=200)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            record(log)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        verdicts = [verify_files(log.path, after="")]
        while verdicts[-1].lines < verdicts[0].lines + 2000:
            verdicts.append(verify_files(log.path, after=""))
    finally:
        stop.set()
        thread.join()
    assert {verdict.problem for verdict in verdicts} == {""}
    assert len(list(tmp_path.iterdir())) > 4
