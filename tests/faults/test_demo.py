"""The demo: everything runs, trades and obeys, and nothing of it is left, however its owner ended."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from console.cli.demo import begin_canary
from console.demo.headless import run_headless
from console.demo.owed import ESCROWS, ORDER, POSITION
from console.demo.stage import Stage
from console.domain.canary.plan import RunState
from console.store.keys import Keys
from console.store.records.canary import read
from console.store.records.shadows import read_shadows
from console.store.server.connect import connect_sync
from console.views.canary.figures import evidence_of, judged_text
from tests.waiting import until

DEADLINE_S = 60.0
OWNER = """
import json, sys, time
from console.demo.stage import Stage
with Stage(period_s=0.1, seed=7) as stage:
    print(json.dumps({"folder": str(stage.folder), "processes": stage.processes, "url": stage.url}), flush=True)
    sys.stdin.readline()
"""


def is_running(pid: int) -> bool:
    """Whether a process with this id runs; one that has ended and was not yet collected does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    if Path("/proc/self/stat").exists():
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
        except (FileNotFoundError, ProcessLookupError):
            return False
    process = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(process.stdout.strip()) and not process.stdout.strip().startswith("Z")


def records(log: Path) -> list[dict[str, Any]]:
    if not log.exists():
        return []
    return [json.loads(line) for line in log.read_bytes().split(b"\n")[:-1]]


def executed(log: Path) -> list[dict[str, Any]]:
    return [record for record in records(log) if record["output"].get("executed")]


@pytest.fixture
def owner() -> Iterator[Callable[[], tuple[subprocess.Popen[str], dict[str, Any]]]]:
    """Starts processes that own a stage, as a console does."""
    started: list[subprocess.Popen[str]] = []

    def start() -> tuple[subprocess.Popen[str], dict[str, Any]]:
        process = subprocess.Popen(
            [sys.executable, "-c", f"import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL)\n{OWNER}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        return process, json.loads(process.stdout.readline())

    yield start
    for process in started:
        process.kill()
        process.communicate()


def assert_nothing_is_left(told: dict[str, Any]) -> None:
    for name, pid in told["processes"].items():
        until(lambda pid=pid: not is_running(pid), f"the end of {name}")
    until(lambda: not Path(told["folder"]).exists(), "the removal of the folder")


def test_store_venue_and_both_agents_run_and_only_the_active_one_plays() -> None:
    with Stage(period_s=0.1, seed=1) as stage:
        blue, green = stage.decision_logs
        assert set(stage.processes) == {"store", "venue", "blue", "green", "stagehand"}
        assert all(is_running(pid) for pid in stage.processes.values())
        until(lambda: len(executed(blue)) >= 5 and len(records(green)) >= 5, "decisions of both")
        assert executed(green) == []
        for record in records(blue) + records(green):
            six = {"agent_version", "timestamp", "decision_type", "inputs", "output", "reasoning"}
            assert six | {"latency_ms"} <= record.keys()
        assert all(record["output"]["currency"] == "USD" for record in executed(blue))
        assert any(record["output"]["pnl"] != 0 for record in executed(blue))
        assert all("pnl" not in record["output"] for record in records(green))


def test_the_agents_obey_the_plain_key_and_the_flags() -> None:
    with Stage(period_s=0.1, seed=1) as stage, connect_sync(stage.url, timeout_s=5.0) as store:
        blue, green = stage.decision_logs
        until(lambda: executed(blue), "a round of blue")
        store.set("agent:active_version", "green")
        store.set("flag:game", "crash")
        until(lambda: executed(green) and executed(green)[-1]["inputs"]["game"] == "crash", "green playing crash")
        for nobody in ("draining", "halted", "nonsense"):
            store.set("agent:active_version", nobody)
            before = len(records(blue)), len(records(green))
            until(lambda b=before: len(records(blue)) > b[0] + 2 and len(records(green)) > b[1] + 2, "more cycles")
            assert not records(blue)[-1]["output"]["executed"]
            assert not records(green)[-1]["output"]["executed"]


def test_the_state_file_has_the_contracts_fields() -> None:
    with Stage(period_s=0.1, seed=1) as stage:
        until(lambda: all(path.exists() for path in stage.state_files), "state files")
        state = json.loads(stage.state_files[0].read_text())
        assert set(state) == {
            "version",
            "timestamp",
            "escrow_ids",
            "escrows",
            "open_rounds",
            "open_positions",
            "open_orders",
            "balance",
            "last_action_time",
            "rate_limit_tokens",
            "decision_log",
        }
        assert state["version"] == "2.4.0"


def test_the_venue_speaks_http_and_counts_what_it_executed_for_each_version() -> None:
    with Stage(period_s=0.1, seed=1) as stage:
        until(lambda: len(executed(stage.decision_logs[0])) >= 3, "rounds of blue")
        link = http.client.HTTPConnection(stage.venue_url.removeprefix("http://"), timeout=10)

        def get(path: str, key: str) -> tuple[int, dict[str, Any]]:
            link.request("GET", path, headers={"Authorization": f"Bearer {key}"})
            answer = link.getresponse()
            return answer.status, json.loads(answer.read())

        assert get("/health", "")[1]["status"] == "ok"
        assert get("/api/v1/auth/balance", "wrong")[0] == 401
        assert get("/api/v1/auth/balance", stage.venue_key)[1]["balance_usd"] > 0
        assert get("/nowhere", stage.venue_key)[0] == 404
        assert get("/executions", stage.venue_key)[1]["by_version"]["2.4.0"] >= 3
        for bet in (
            b"{",
            b"[]",
            b'{"amount": -1, "side": "heads"}',
            b'{"amount": 1, "side": "edge"}',
            b'{"amount": "NaN"}',
        ):
            link.request("POST", "/games/coin-flip", bet, {"Authorization": f"Bearer {stage.venue_key}"})
            answer = link.getresponse()
            assert (answer.status, "error" in json.loads(answer.read())) == (400, True)
        link.request(
            "POST", "/games/dice", b'{"amount": 1e9, "call": "low"}', {"Authorization": f"Bearer {stage.venue_key}"}
        )
        assert link.getresponse().status == 402
        link.close()


def test_nobody_else_can_look_into_the_demos_folder() -> None:
    with Stage(period_s=0.1, seed=1) as stage:
        until(lambda: all(path.exists() for path in stage.decision_logs), "logs")
        assert stage.folder.stat().st_mode & 0o777 == 0o700
        assert all(path.lstat().st_mode & 0o077 == 0 for path in stage.folder.rglob("*"))


@pytest.mark.parametrize("how", ["leaving", "SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"])
def test_nothing_is_left_after_the_owner(
    how: str, owner: Callable[[], tuple[subprocess.Popen[str], dict[str, Any]]]
) -> None:
    process, told = owner()
    assert Path(told["folder"]).is_dir()
    assert all(is_running(pid) for pid in told["processes"].values())
    if how == "leaving":
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.wait(DEADLINE_S) == 0
    else:
        process.send_signal(signal.Signals[how])
        process.wait(DEADLINE_S)
    assert_nothing_is_left(told)


def test_nothing_is_left_when_the_stagehand_is_killed_before_the_owner_leaves(
    owner: Callable[[], tuple[subprocess.Popen[str], dict[str, Any]]],
) -> None:
    process, told = owner()
    os.kill(told["processes"]["stagehand"], signal.SIGKILL)
    process.communicate("\n", timeout=DEADLINE_S)
    assert_nothing_is_left(told)


def test_a_hung_store_does_not_outlive_its_owner(
    owner: Callable[[], tuple[subprocess.Popen[str], dict[str, Any]]],
) -> None:
    process, told = owner()
    os.kill(told["processes"]["store"], signal.SIGSTOP)
    process.kill()
    process.wait(DEADLINE_S)
    assert_nothing_is_left(told)


async def test_without_a_terminal_it_switches_rolls_back_reports_and_leaves_nothing() -> None:
    said: list[str] = []
    assert await run_headless(4.0, out=said.append) == 0
    text = "\n".join(said)
    for pattern in (
        r"switch: active version blue → green in [\d.]+ ms, epoch \d+; green obeyed after \d+ ms",
        r"rollback: active version green → blue in [\d.]+ ms, epoch \d+; blue obeyed after \d+ ms",
        r"halt: nobody acts",
        r"late: \d+ rounds",
    ):
        assert re.search(pattern, text), text
    for version in ("blue 2.4.0", "green 2.5.0"):
        counted = re.search(rf"{version}: \d+ decisions, (\d+) rounds played, .* the venue counted (\d+) rounds", text)
        assert counted, text
        assert int(counted[1]) == int(counted[2]) > 0


@pytest.mark.long
def test_the_demo_climbs_the_whole_ladder_and_takes_the_capital_back() -> None:
    with Stage(period_s=0.06, seed=11, guard=True) as stage, connect_sync(stage.url, name="t", timeout_s=5.0) as client:
        receipt = asyncio.run(begin_canary(stage))
        assert receipt.changes[0].after == "RUNNING, step 1, share 0"
        shares: list[str] = []
        told: set[str] = set()
        deadline = time.monotonic() + 120.0
        while True:
            reading = read(client, Keys.of()).reading
            assert reading is not None
            evidence = evidence_of(reading.desk)
            if evidence is not None and evidence.priced > 1:
                told |= set(judged_text(evidence).split(", "))
            if not shares or shares[-1] != str(reading.run.share):
                shares.append(str(reading.run.share))
            if not reading.run.live:
                break
            assert time.monotonic() < deadline, f"{shares}: {reading.desk}"
            time.sleep(0.05)
        assert shares == ["0", "0.05", "0.20", "0"]
        assert "money-weighted" in told, told
        assert any("rounds priced for both" in words for words in told), told
        # The desk and the guard read the same loss: whichever is first takes the capital back, and the store lets one.
        assert reading.run.state is RunState.ABORTED
        assert str(reading.run.by).startswith(("desk blue-desk", "guard ")), reading.run.by
        played = [record for record in executed(stage.folder / "blue.jsonl") if record["slot"] == "green"]
        assert all(record["agent_version"] == "2.5.0" for record in played)
        assert len(played) >= 10
        assert client.hgetall("ac:{agent:active_version}:guards"), "the guard watches"
        (shadow,) = read_shadows(client.hgetall("ac:{agent:active_version}:shadows"))
        assert shadow.name == "2.5.0"
        assert shadow.reading.pairs is not None
        assert shadow.reading.pairs.rounds > 50, "the shadow is priced"
        assert client.xlen("ac:{agent:active_version}:divergences") > 0


def verb(stage: Stage, *words: str) -> subprocess.CompletedProcess[str]:
    """A verb as an operator gives it beside the running demo."""
    given = ("--url", stage.url, "--state-file", str(stage.state_files[0]), "--who", "ann")
    return subprocess.run(
        [sys.executable, "-P", "-m", "console", *given, *words], capture_output=True, text=True, timeout=60, check=False
    )


def test_a_switch_of_the_demo_is_blocked_by_its_escrow_until_it_is_overridden() -> None:
    with Stage(seed=3) as stage:
        until(stage.state_files[0].exists, "the agent to write its state")
        blocked = verb(stage, "switch", "green", "--yes")
        assert blocked.returncode == 4, blocked
        assert "esc_soon is released in 20 min" in blocked.stderr
        over = verb(stage, "switch", "green", "--yes", "--override", "seen with the venue", "--confirm", "agent")
        assert over.returncode == 0, over


@pytest.mark.long
@pytest.mark.parametrize("fenced", [False, True], ids=["plain", "fenced"])
def test_the_venues_word_stands_beside_ours_and_the_guard_keeps_the_dead_mans_switch_alive(fenced: bool) -> None:
    with Stage(seed=3, guard=True, fenced=fenced) as stage:
        given = ("--venue", str(stage.venue_file))
        ids = {*ESCROWS, POSITION, ORDER}

        def listed() -> bool:
            told = verb(stage, "commitments", "list", "--json", *given)
            rows = {row["id"]: row for row in json.loads(told.stdout)} if told.returncode in (0, 1) else {}
            own = [rows[name] for name in ids if name in rows]
            seen = [one for one in own if "venue" in {each["place"] for each in one["seen"]} and not one["apart"]]
            return len(seen) == len(ids)

        until(stage.state_files[0].exists, "the agent to write its state")
        until(listed, "everything that is owed to be listed by the venue, too", timeout_s=60)
        until(lambda: verb(stage, "balances", *given).returncode == 0, "the books to agree", timeout_s=60)
        checked = verb(stage, "venue", "check", *given)
        assert checked.returncode == 0, checked

        def kept() -> Any:
            return json.loads(verb(stage, "guard", "status", "--json").stdout)["deadman"]

        until(
            lambda: (switch := kept()) and switch["due_at"] and not switch["let_fall"] and switch["slot"] == "blue",
            timeout_s=60,
        )
        assert verb(stage, "halt", "--yes", "--reason", "a test").returncode == 0
        until(lambda: kept()["let_fall"], "no sign of life once all is halted", timeout_s=60)


@pytest.mark.long
@pytest.mark.timeout(240)
def test_the_demo_walks_a_whole_upgrade_and_seals_its_report(tmp_path: Path) -> None:
    report = tmp_path / "report.md"
    done = subprocess.run(
        [sys.executable, "-P", "-m", "console", "demo", "--upgrade", "-o", str(report)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert "CLOSED       auto-release: 1 of 2 escrows: esc_soon is released in 20 min" in done.stdout
    for step in ("snapshot", "shadow", "gates", "health", "state", "superset", "switch", "review", "watch", "warm"):
        assert f"## ✓ {step}: done" in done.stdout
    checked = subprocess.run(
        [sys.executable, "-P", "-m", "console", "upgrade", "verify", str(report)],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert checked.returncode == 0
