"""`rehearse`: a new version over yesterday's inputs, as evidence that a gate reads; read by its exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import redis

from console.cli.runtime import connected
from console.commands.base import Call
from console.commands.rehearse.rehearse import Rehearse
from console.config import load
from tests import ROOT
from tests.cli.conftest import Cli, Result
from tests.cli.test_gates import GATES, beat, closed, configure
from tests.commands.rehearse.recorded import record, write

SINCE = ("--since", "2026-03-13")
DECIDE = """
import json, sys
bet = sys.argv[1]
for line in sys.stdin:
    one = json.loads(line)
    print(json.dumps({"round": one["round"], "output": {"bet": bet if one["round"] == 3 else "1"}}))
"""


@pytest.fixture
def call(cli: Cli, tmp_path: Path) -> Any:
    """`rehearse` of a version that bets something else in the third of 60 rounds."""
    log = write(tmp_path / "d.jsonl", [record(number) for number in range(60)])
    (tmp_path / "decide.py").write_text(DECIDE)

    def call(bet: str, *more: str, version: str = "2.5.0", **given: Any) -> Result:
        named = ("--agent-version", version) if version else ()
        command = (sys.executable, "-S", "-E", "-u", str(tmp_path / "decide.py"), bet)
        return cli("rehearse", "--log", str(log), *SINCE, *named, *more, "--", *command, **given)

    return call


def test_a_version_that_decides_the_same_is_kept_as_evidence_and_opens_its_gate(
    call: Any, cli: Cli, home: Path, valkey_sync: redis.Redis
) -> None:
    assert cli("switch", "blue", "--yes").code == 0
    configure(home, '[gates]\nrequire = ["rehearsal"]\n')
    beat(valkey_sync, "blue", version="2.4.0")
    beat(valkey_sync, "green", version="2.5.0")
    assert closed(cli("switch", "green", "--yes", "--json")) == {"rehearsal": "2.5.0 was never rehearsed"}
    assert call("2").code == 1
    assert "2.5.0 did not pass: 1 of 60 rounds differ" in closed(cli("switch", "green", "--yes", "--json"))["rehearsal"]
    same = call("1", version="")  # the version is that of the side which stands by
    assert same.code == 0, same
    assert "kept as evidence for 2.5.0" in same.out
    beat(valkey_sync, "green", version="2.5.0")
    assert cli("switch", "green", "--yes").code == 0
    entry = next(one for one in cli("audit", "--json").json if one["command"] == "rehearse")
    assert "2.5.0" in json.dumps(entry)


def test_evidence_of_one_version_opens_nothing_for_another(
    call: Any, cli: Cli, home: Path, valkey_sync: redis.Redis
) -> None:
    assert cli("switch", "blue", "--yes").code == 0
    configure(home, '[gates]\nrequire = ["rehearsal"]\n')
    assert call("1", version="2.5.0").code == 0
    beat(valkey_sync, "blue", version="2.4.0")
    beat(valkey_sync, "green", version="2.5.1")
    assert closed(cli("switch", "green", "--yes", "--json")) == {"rehearsal": "2.5.1 was never rehearsed"}


@pytest.mark.parametrize(
    "spoilt",
    [
        b"",
        b"1",
        b"1\n{",
        b"1\n[]",
        b'1\n{"version":"2.5.0","passed":true}',
        b"x\n{}",
        b"\xff\n\xff",
    ],
)
def test_evidence_that_can_not_be_read_counts_as_none(
    call: Any, cli: Cli, home: Path, valkey_sync: redis.Redis, spoilt: bytes
) -> None:
    assert cli("switch", "blue", "--yes").code == 0
    configure(home, '[gates]\nrequire = ["rehearsal"]\n')
    assert call("1").code == 0
    valkey_sync.hset(GATES, "rehearsal:2.5.0", spoilt)
    beat(valkey_sync, "blue", version="2.4.0")
    beat(valkey_sync, "green", version="2.5.0")
    assert "rehearsal" in closed(cli("switch", "green", "--yes", "--json"))


def test_evidence_under_another_version_s_name_is_none(call: Any, cli: Cli, valkey_sync: redis.Redis) -> None:
    assert call("1", version="2.5.0").code == 0
    valkey_sync.hset(GATES, "rehearsal:2.5.1", valkey_sync.hget(GATES, "rehearsal:2.5.0") or b"")
    beat(valkey_sync, "green", version="2.5.1")
    items = {
        one["item"] if "item" in one else one["id"]: one
        for one in cli("checklist", "--phase", "before", "--target", "green", "--json").json["items"]
    }
    assert items["rehearsal"]["state"] == "not checked"


def test_the_first_differing_round_is_in_the_report(call: Any) -> None:
    report = call("2", "--json").json
    assert (report["passed"], report["differing"], report["rounds"], report["kept"]) == (False, 1, 60, True)
    first = report["first_difference"]
    assert (first["round"], first["at"], first["decision_type"]) == (3, "2026-03-13T09:00:02+00:00", "bet")
    assert (first["recorded"], first["rehearsed"]) == ('{"bet": "1", "pnl": 0.5, "currency": "USD"}', '{"bet": "2"}')
    assert report["priced"] == {} and report["unpriced"] == 1 and report["earned"] == {"USD": "0.5"}
    told = call("2").out
    assert "round 3, 2026-03-13 09:00:02Z, bet by 2.4.0" in told and "not priced: 1 rounds" in told


def test_a_limit_lets_through_what_it_names_and_is_part_of_the_evidence(call: Any, valkey_sync: redis.Redis) -> None:
    assert call("2", "--allow", "0.02").code == 0
    assert b"share 0.02" in (valkey_sync.hget(GATES, "rehearsal:2.5.0") or b"")
    assert call("2", "--allow", "0.02", "--max-loss", "5 USD").code == 1  # it has no price
    assert call("2", "--allow", "0.01").code == 1


def test_without_a_store_nothing_is_kept_and_nothing_needed(call: Any) -> None:
    result = call("1", "--no-keep", "--json", version="", url="redis://127.0.0.1:9/0")
    assert (result.code, result.json["kept"], result.json["version"]) == (0, False, "")


def test_usage_refusal_and_an_unreachable_store_have_their_own_codes(call: Any, cli: Cli) -> None:
    assert call("1", "--runs", "9").code == 2
    assert call("1", version="").code == 2, "nobody says which version this is"
    assert call("1", "--until", "2026-03-13T08:00").code == 4
    assert call("1", "--read-only").code == 4
    assert call("1", url="redis://127.0.0.1:9/0").code == 3
    assert cli("rehearse").code == 2


def test_a_read_only_console_runs_nothing(call: Any, tmp_path: Path, cli: Cli) -> None:
    log = str(tmp_path / "d.jsonl")
    mark = tmp_path / "ran"
    assert (
        cli("rehearse", "--log", log, *SINCE, "--agent-version", "2", "--read-only", "--", "touch", str(mark)).code == 4
    )
    assert not mark.exists()


def test_no_more_than_32_versions_are_remembered(call: Any, valkey_sync: redis.Redis) -> None:
    assert call("1", version="2.5.0").code == 0
    body = (valkey_sync.hget(GATES, "rehearsal:2.5.0") or b"").partition(b"\n")[2]
    for number in range(60):
        other = json.loads(body) | {"version": f"1.{number}", "at": "2026-01-01T00:00:00+00:00"}
        valkey_sync.hset(GATES, f"rehearsal:1.{number}", f"1\n{json.dumps(other)}")
    assert call("1", version="2.5.0").code == 0
    names = [name for name in valkey_sync.hkeys(GATES) if name.startswith(b"rehearsal:")]
    assert len(names) == 32
    assert b"rehearsal:2.5.0" in names


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_console_that_is_told_to_end_takes_the_version_with_it(tmp_path: Path, number: signal.Signals) -> None:
    log = write(tmp_path / "d.jsonl", [record(0)])
    pid = tmp_path / "pid"
    command = ("sh", "-c", f"echo $$ > {pid}; exec sleep 600")
    console = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "console",
            "rehearse",
            "--log",
            str(log),
            *SINCE,
            "--runs",
            "1",
            "--no-keep",
            "--",
            *command,
        ]
    )
    try:
        while not (pid.exists() and pid.read_text().strip()):
            assert console.poll() is None
            time.sleep(0.01)
        console.send_signal(number)
        assert console.wait(60) == 130
    finally:
        console.kill()
        console.wait()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


IGNORED = "output.bet_id,output.result,output.won,output.amount_won,output.executed"


def demo_bet(number: int) -> dict[str, Any]:
    """A bet of the demo's agent, as its log has it."""
    inputs = {"game": "crash", "amount": 2.0, "balance": 1000.0, "flags": {"crash_target": 2.0}}
    told = {"bet_id": f"b{number}", "result": "2.40x", "won": True, "amount_bet": 2.0, "amount_won": 4.0}
    output = {"action": "BET 2.0 2.0", "cash_out": 2.0, **told, "executed": True, "pnl": 2.0, "currency": "USD"}
    return record(number, inputs=inputs, output=output)


def test_the_demo_s_agent_can_be_rehearsed_and_a_greedier_one_differs(cli: Cli, tmp_path: Path) -> None:
    log = str(write(tmp_path / "blue.jsonl", [demo_bet(number) for number in range(3)]))
    command = (sys.executable, "-m", "console.demo.rehearsal")
    asked = (
        "rehearse",
        "--log",
        log,
        *SINCE,
        "--type",
        "bet",
        "--ignore",
        IGNORED,
        "--no-keep",
        "--runs",
        "1",
        "--json",
    )
    path = ("--env", "PYTHONPATH") if "PYTHONPATH" in os.environ else ()
    assert cli(*asked, *path, "--", *command).json["why"] == ""
    report = cli(*asked, *path, "--", *command, "--greed", "1.5").json
    assert {one["path"] for one in report["fields"]} == {"output.action", "output.cash_out"}


def test_the_example_that_authors_copy_decides_and_says_where_it_can_not(cli: Cli, tmp_path: Path) -> None:
    output = {"action": "BUY", "amount": "1.50"}
    log = write(tmp_path / "d.jsonl", [record(0, output=output), record(1, inputs={}, output=output)])
    example = str(ROOT / "docs" / "examples" / "rehearse.py")
    report = cli("rehearse", "--log", str(log), *SINCE, "--no-keep", "--json", "--", sys.executable, example).json
    assert report["faults"] == {}
    assert [(one["path"], one["kind"]) for one in report["fields"]] == [("output", "raise vs value")]
    assert "KeyError" in report["first_difference"]["rehearsed"]


async def test_the_console_s_own_line_rehearses_and_keeps_it_too(home: Path, store_url: str, tmp_path: Path) -> None:
    log = write(tmp_path / "d.jsonl", [record(number) for number in range(3)])
    (tmp_path / "decide.py").write_text(DECIDE)
    command = f"{sys.executable} -S -E -u {tmp_path / 'decide.py'} 2"
    args = {"command": command, "log": str(log), "since": "2026-03-13", "agent_version": "2.5.0"}
    async with connected(load({"url": store_url})) as ctx:
        preview = await Rehearse().preview(ctx, Call(args))
        assert preview.title == "Rehearse 2.5.0?"
        receipt = await Rehearse().execute(ctx, Call(args))
        assert [change.after for change in receipt.changes] == [
            "failed: 1 of 3 rounds differ, 0 by its own noise, 1 not priced"
        ]
        loose = await Rehearse().execute(ctx, Call({**args, "no_keep": "yes"}))
        assert not loose.changes and "not kept" in loose.note
        kept = (await ctx.gateway.gates.read()).rehearsals["2.5.0"]
        assert (kept.passed, kept.rounds, kept.differing, kept.runs) == (False, 3, 1, 2)
