"""The README says what is."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import redis

from tests.readme import README, rewritten


def test_the_tables_of_keys_and_verbs_are_those_of_the_declarations() -> None:
    assert README.read_text() == rewritten(README.read_text()), "run `python -m tests.readme`"


def test_every_picture_is_in_the_repository() -> None:
    for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README.read_text()):
        assert (README.parent / picture).is_file(), picture


def test_the_plain_agent_in_the_readme_runs_and_obeys(valkey_sync: redis.Redis, store_url: str, tmp_path: Path) -> None:
    code = next(block for block in re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL) if "bet" in block)
    assert len([line for line in code.splitlines() if line.strip()]) <= 30
    (tmp_path / "agent.py").write_text(code.replace("time.sleep(1)", "time.sleep(0.01)"))
    log = tmp_path / "decisions.jsonl"
    valkey_sync.set("agent:active_version", "blue")
    agents = [
        subprocess.Popen([sys.executable, str(tmp_path / "agent.py"), slot, store_url, str(log)])
        for slot in ("blue", "green")
    ]
    try:
        assert _bets_of(log, "blue", 3)
        valkey_sync.set("agent:active_version", "green")
        assert _bets_of(log, "green", 3)
    finally:
        for agent in agents:
            agent.kill()
            agent.wait()


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
