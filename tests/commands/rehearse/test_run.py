"""A version under rehearsal is a hostile process: each way to fail has its class, and nothing of it outlives that."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from console.commands.rehearse import process
from console.commands.rehearse.recording import Recording, Wanted
from console.commands.rehearse.rehearsing import Rehearsed, Trial, rehearse
from console.domain.errors import UsageError
from console.domain.rehearsal.answer import Fault
from console.domain.shadow.compare import Rules
from tests.commands.rehearse.recorded import BEGAN, record, write

HEAD = """
import json, os, subprocess, sys, time

def say(number, output=None, **more):
    print(json.dumps({"round": number, "output": {"bet": "1"} if output is None else output, **more}))

rounds = (json.loads(line) for line in sys.stdin)
"""
ANSWERS = "for one in rounds: say(one['round'])"


async def run(
    folder: Path, body: str, *, rounds: int = 3, runs: int = 1, version: str = "2.5.0", **more: Any
) -> Rehearsed:
    """A version that does this, over so many rounds."""
    (folder / "version.py").write_text(HEAD + body)
    log = write(folder / "d.jsonl", [record(number) for number in range(rounds)])
    env = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", "FOLDER": str(folder)}
    command = (sys.executable, "-S", "-E", "-u", str(folder / "version.py"))
    trial = Trial(command, env, runs, more.pop("timeout_s", 60.0), more.pop("deadline_s", 120.0), Rules(), **more)
    return await rehearse(Recording([log], Wanted(version=version)), trial)


async def test_a_version_that_decides_the_same_has_no_fault(tmp_path: Path) -> None:
    rehearsed = await run(tmp_path, ANSWERS, runs=2)
    assert (rehearsed.asked, rehearsed.compared.rounds, rehearsed.compared.differing) == (3, 3, 0)
    assert (rehearsed.faults, rehearsed.problem) == ({}, None)
    assert (rehearsed.first, rehearsed.last) == (BEGAN, BEGAN + timedelta(seconds=2))


async def test_each_round_is_given_as_recorded_and_only_once_the_one_before_was_answered(tmp_path: Path) -> None:
    body = """
import select
seen = open(os.environ["FOLDER"] + "/seen", "w")
for line in iter(sys.stdin.readline, ""):
    time.sleep(0.02)
    ahead = bool(select.select([sys.stdin], [], [], 0)[0])
    seen.write(json.dumps([line, ahead]) + "\\n")
    say(json.loads(line)["round"])
"""
    rehearsed = await run(tmp_path, body)
    assert rehearsed.faults == {}
    seen = [json.loads(line) for line in (tmp_path / "seen").read_text().splitlines()]
    assert [ahead for _, ahead in seen[:-1]] == [False, False]
    given = json.loads(seen[1][0])
    assert given == {"round": 2, **{name: record(1)[name] for name in ("timestamp", "decision_type", "inputs")}}


CASES: Mapping[Fault, tuple[str, Mapping[Fault, int]]] = {
    Fault.MISSING: ("next(rounds); say(1)", {Fault.MISSING: 1}),
    Fault.DUPLICATE: ("for one in rounds: say(one['round']); one['round'] == 1 and say(1)", {Fault.DUPLICATE: 1}),
    Fault.LATE: (
        "for one in rounds: print('?') if one['round'] == 1 else (one['round'] == 2 and say(1), say(one['round']))",
        {Fault.MALFORMED: 1, Fault.LATE: 1},
    ),
    Fault.OUT_OF_ORDER: (
        "for one in rounds: one['round'] == 1 and say(3); say(one['round'])",
        {Fault.OUT_OF_ORDER: 1},
    ),
    Fault.EXTRA: (f"{ANSWERS}\nsay(4); print('bye')", {Fault.EXTRA: 2}),
    Fault.MALFORMED: (
        "for one in rounds: print('[1]' if one['round'] == 2 else '{\"round\": true}')",
        {Fault.MALFORMED: 3},
    ),
    Fault.NOT_FINITE: ("for one in rounds: say(one['round'], {'bet': float('nan')})", {Fault.NOT_FINITE: 3}),
    Fault.TOO_LONG: (
        "for one in rounds: say(one['round'], 'x' * (3 << 20 if one['round'] == 2 else 1))",
        {Fault.TOO_LONG: 1},
    ),
    Fault.OTHER_VERSION: ("for one in rounds: say(one['round'], agent_version='2.4.0')", {Fault.OTHER_VERSION: 3}),
    Fault.EXIT: (f"{ANSWERS}\nsys.exit(3)", {Fault.EXIT: 1}),
}


@pytest.mark.parametrize("fault", list(CASES))
async def test_each_failure_to_answer_is_counted_under_its_own_name(tmp_path: Path, fault: Fault) -> None:
    body, faults = CASES[fault]
    rehearsed = await run(tmp_path, body)
    assert rehearsed.faults == faults
    assert rehearsed.problem is not None
    assert rehearsed.problem.run == 1


async def test_no_answer_in_time_and_too_long_in_all_are_two_classes(tmp_path: Path) -> None:
    silent = "for one in rounds: pass"
    assert (await run(tmp_path, silent, timeout_s=0.05)).faults == {Fault.TIMED_OUT: 3}
    rehearsed = await run(tmp_path, silent, deadline_s=0.1)
    assert rehearsed.faults == {Fault.OUT_OF_TIME: 1}
    assert rehearsed.problem is not None and rehearsed.problem.fault is Fault.OUT_OF_TIME


async def test_a_version_that_holds_its_answers_back_is_given_three_rounds_and_no_more(tmp_path: Path) -> None:
    rehearsed = await run(tmp_path, "for one in rounds: pass", rounds=50, timeout_s=0.05)
    assert (rehearsed.asked, rehearsed.faults) == (3, {Fault.TIMED_OUT: 3})
    assert rehearsed.problem is not None and "flush" in rehearsed.problem.words


async def test_a_version_that_does_not_read_is_given_no_more(tmp_path: Path) -> None:
    (tmp_path / "big").mkdir()
    log = write(tmp_path / "d.jsonl", [record(n, inputs={"x": "y" * 500_000}) for n in range(5)])
    trial = Trial(("sleep", "60"), {"PATH": os.environ["PATH"]}, 1, 0.2, 60.0, Rules())
    rehearsed = await rehearse(Recording([log], Wanted()), trial)
    assert rehearsed.asked == 1
    assert rehearsed.faults[Fault.TIMED_OUT] == 1


async def test_a_version_that_goes_on_after_the_end_is_ended(tmp_path: Path) -> None:
    body = f"open(os.environ['FOLDER'] + '/pid', 'w').write(str(os.getpid()))\n{ANSWERS}\ntime.sleep(600)"
    rehearsed = await run(tmp_path, body, grace_s=0.1)
    assert rehearsed.faults == {Fault.NOT_ENDED: 1}
    assert not lives(tmp_path)


async def test_more_output_than_is_read_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "MAX_OUTPUT", 1 << 20)
    rehearsed = await run(tmp_path, "next(rounds)\nwhile True: print(' ' * 1000)")
    assert rehearsed.faults[Fault.TOO_MUCH] == 1
    assert rehearsed.asked == 1


async def test_stderr_is_drained_kept_short_and_made_safe(tmp_path: Path) -> None:
    body = """
for one in rounds:
    sys.stderr.write("noise " * 100_000 + "\\n")
    say(one["round"])
sys.stderr.write("\\x1b[31mred token=abcdefghijklmnop1234\\u202e\\n")
sys.exit(1)
"""
    rehearsed = await run(tmp_path, body)
    assert rehearsed.faults == {Fault.EXIT: 1}
    assert len(rehearsed.stderr) <= process.STDERR_LINES
    last = rehearsed.stderr[-1]
    assert "red" in last and "abcdefghijklmnop" not in last
    assert "\x1b" not in last and "\u202e" not in last


FAMILY = """
child = subprocess.Popen(["sleep", "600"])
open(os.environ["FOLDER"] + "/pid", "w").write(str(child.pid))
"""


def lives(folder: Path) -> bool:
    """Whether the process whose id stands there runs; one that nobody has waited for yet does not."""
    pid = int((folder / "pid").read_text())
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


async def until_gone(folder: Path) -> None:
    """Wait for a process that was killed; one that was not is waited for until the test's own time is over."""
    while lives(folder):
        await asyncio.sleep(0.01)


async def test_what_a_version_started_ends_with_it(tmp_path: Path) -> None:
    await run(tmp_path, FAMILY + ANSWERS, grace_s=0.1)
    await until_gone(tmp_path)


async def test_an_interrupted_rehearsal_leaves_no_process_behind(tmp_path: Path) -> None:
    task = asyncio.create_task(run(tmp_path, FAMILY + "time.sleep(600)"))
    while not ((tmp_path / "pid").exists() and (tmp_path / "pid").read_text()):
        await asyncio.sleep(0.01)
    assert lives(tmp_path)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until_gone(tmp_path)


@pytest.mark.parametrize("command", ["/no/such/program", "/", "a\0b", __file__])
async def test_what_can_not_be_started_is_a_mistake_in_the_call(tmp_path: Path, command: str) -> None:
    log = write(tmp_path / "d.jsonl", [record(0)])
    with pytest.raises(UsageError, match="can't be started"):
        await rehearse(Recording([log], Wanted()), Trial((command,), {}, 2, 1.0, 5.0, Rules()))


async def test_nothing_is_started_for_an_empty_recording(tmp_path: Path) -> None:
    log = write(tmp_path / "d.jsonl", [])
    late = Wanted(since=datetime(2030, 1, 1, tzinfo=UTC))
    rehearsed = await rehearse(Recording([log], late), Trial(("/no/such/program",), {}, 2, 1.0, 5.0, Rules()))
    assert (rehearsed.asked, rehearsed.faults, rehearsed.first) == (0, {}, None)


HOSTILE = (
    b"\xff\xfe\n",
    b"\x00\n",
    b"null\n",
    b"{" * 100_000 + b"\n",
    b'{"round":1' + b"0" * 9000 + b',"output":1}\n',
    b'{"round":1.5,"output":1}\n',
    b'{"round":-1,"output":NaN}\n',
    b'{"round":1,"output":"\\ud800"}\n',
    b'{"round":1,"output":1e999999999}\n',
    b'{"round":1,"output":' + b"[" * 3000 + b"]" * 3000 + b"}\n",
)


@pytest.mark.parametrize("line", HOSTILE, ids=range(len(HOSTILE)))
async def test_no_line_that_a_version_can_write_ends_the_rehearsal(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "line").write_bytes(line)
    log = write(tmp_path / "d.jsonl", [record(0)])
    trial = Trial(
        ("sh", "-c", f"read x; cat {tmp_path}/line; cat >/dev/null"), {"PATH": os.environ["PATH"]}, 1, 60, 60, Rules()
    )
    rehearsed = await rehearse(Recording([log], Wanted()), trial)
    assert rehearsed.faults or rehearsed.compared.differing == 1
    json.dumps(rehearsed.compared.first.rehearsed if rehearsed.compared.first else "").encode()
