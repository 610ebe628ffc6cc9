"""The README says what is."""

from __future__ import annotations

import difflib
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import redis

from console.cli.main import run
from console.store.fence.blocking import Fence
from console.store.keys import Keys
from tests.readme import README, rewritten


def test_the_tables_of_keys_and_verbs_are_those_of_the_declarations() -> None:
    assert README.read_text() == rewritten(README.read_text()), "run `python -m tests.readme`"


def test_every_picture_is_in_the_repository() -> None:
    for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README.read_text()):
        assert (README.parent / picture).is_file(), picture


def agents() -> tuple[str, str]:
    """The plain agent and the fenced one, as they stand in the README."""
    plain, fenced = (b for b in re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL) if "log.write" in b)
    return plain, fenced


def test_the_plain_agent_in_the_readme_runs_and_obeys(valkey_sync: redis.Redis, store_url: str, tmp_path: Path) -> None:
    code, _ = agents()
    assert len([line for line in code.splitlines() if line.strip()]) <= 30
    (tmp_path / "agent.py").write_text(code.replace("time.sleep(1)", "time.sleep(0.01)"))
    log = tmp_path / "decisions.jsonl"
    valkey_sync.set("agent:active_version", "blue")
    running = [
        subprocess.Popen([sys.executable, str(tmp_path / "agent.py"), slot, store_url, str(log)])
        for slot in ("blue", "green")
    ]
    try:
        assert _bets_of(log, "blue", 3)
        valkey_sync.set("agent:active_version", "green")
        assert _bets_of(log, "green", 3)
    finally:
        for agent in running:
            agent.kill()
            agent.wait()


def test_fencing_the_plain_agent_takes_under_fifteen_changed_lines() -> None:
    plain, fenced = (text.splitlines() for text in agents())
    changed = [line for line in difflib.ndiff(plain, fenced) if line.startswith("+ ") and line[2:].strip()]
    assert len(changed) < 15, changed


def test_the_fenced_agent_in_the_readme_crashes_between_claim_and_settle_and_its_doubt_is_resolved(
    valkey_sync: redis.Redis, store_url: str, tmp_path: Path
) -> None:
    _, fenced = agents()
    (tmp_path / "agent.py").write_text(
        fenced.replace("time.sleep(1)", "time.sleep(0.05)").replace("int(started)", "started")
    )
    crashing = fenced.replace("            act.settle(", "            os.kill(os.getpid(), 9)\n            act.settle(")
    (tmp_path / "crash.py").write_text("import os\n" + crashing)
    log = tmp_path / "decisions.jsonl"
    run(["--url", store_url, "switch", "blue", "--yes"])
    agent = subprocess.Popen([sys.executable, str(tmp_path / "agent.py"), "blue", store_url, str(log)])
    try:
        assert _bets_of(log, "blue", 3)
    finally:
        agent.kill()
        agent.wait()
    crash = subprocess.run([sys.executable, str(tmp_path / "crash.py"), "blue", store_url, str(log)], check=False)
    assert crash.returncode == -9
    fence = Fence(valkey_sync, Keys.of())
    deadline = time.monotonic() + 60
    while not (doubts := [c for c in fence.open_claims() if c.in_doubt]):
        assert time.monotonic() < deadline
        fence.tend()
        time.sleep(0.1)
    for claim in doubts:
        assert (
            run(["--url", store_url, "doubts", "resolve", claim.key, "executed", "--evidence", "venue", "--yes"]) == 0
        )
    assert run(["--url", store_url, "doubts", "list"]) == 0


def _bets_of(log: Path, version: str, count: int) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        lines = log.read_text().splitlines()[:-1] if log.exists() else []
        records = [json.loads(line) for line in lines]
        if sum(r["agent_version"] == version and r["output"]["action"] == "BET" for r in records) >= count:
            return True
        time.sleep(0.05)
    return False


def test_every_command_is_found_under_the_name_it_declares() -> None:
    from console.commands.catalogue import commands, find

    assert commands()
    for command in commands():
        assert find(command.info.name) is command


def test_the_plan_in_the_readme_is_one(tmp_path: Path) -> None:
    from console.commands.canary.plan import read_plan_file

    (plan,) = (
        b for b in re.findall(r"```toml\n(.*?)```", README.read_text(), re.DOTALL) if b.startswith("# plan.toml")
    )
    (tmp_path / "plan.toml").write_text(plan)
    found = read_plan_file(tmp_path / "plan.toml")
    assert [str(step.share) for step in found.plan.steps] == ["0", "0.05", "0.20"]


def test_the_desk_in_the_readme_plays_rounds(store_url: str) -> None:
    from decimal import Decimal
    from types import SimpleNamespace

    (code,) = (b for b in re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL) if "CanaryDesk(" in b)
    played: list[object] = []
    decision = SimpleNamespace(amount=Decimal(1))

    class Strategy:
        def __init__(self, venue: object) -> None:
            self.venue = venue

        def decide(self, state: object) -> object:
            return {"amount": 1}

    def play(decision: object) -> Decimal:
        played.append(decision)
        return Decimal(1)

    names: dict[str, object] = {
        "url": store_url,
        "NewStrategy": Strategy,
        "new": SimpleNamespace(decide=lambda state: decision),
        "old": SimpleNamespace(decide=lambda state: decision),
        "rounds": lambda: [SimpleNamespace(round_id=f"r{number}") for number in range(5)],
        "play": play,
    }
    exec(code, names)
    assert len(played) == 5
    for name in ("desk", "reporter"):
        names[name].stop()  # type: ignore[attr-defined]
