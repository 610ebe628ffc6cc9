"""The programs and files that the documents show are whole: they run, and they are read."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import redis

from console.documents.canary import read_plan_file
from console.documents.experiment import read_definition
from tests import ROOT

PROVING = (ROOT / "docs" / "proving.md").read_text("utf-8")


def block(language: str, number: int = 0) -> str:
    """A fenced block of the document on proving."""
    return re.findall(rf"```{language}\n(.*?)```", PROVING, re.DOTALL)[number]


def test_the_agent_with_a_shadow_and_a_canary_runs_as_it_stands(
    store_url: str, valkey_sync: redis.Redis, tmp_path: Path
) -> None:
    program = tmp_path / "agent.py"
    program.write_text(block("python"), "utf-8")
    command = [sys.executable, str(program), store_url, "40"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert any(b"shadow" in key for key in valkey_sync.scan_iter())


def test_the_plan_and_the_experiment_are_read_as_they_stand(tmp_path: Path) -> None:
    plan, experiment = tmp_path / "plan.toml", tmp_path / "experiment.toml"
    plan.write_text(block("toml"), "utf-8")
    experiment.write_text(block("toml", 1), "utf-8")
    assert len(read_plan_file(plan).plan.steps) == 3
    assert read_definition(experiment, "sizing")[0].flag == "bet_sizing"


def test_the_completion_in_the_readme_completes() -> None:
    (line,) = re.findall(r"_AGENT_CONSOLE_COMPLETE=(\w+) agent-console", (ROOT / "README.md").read_text("utf-8"))
    command = Path(sys.executable).with_name("agent-console")
    environ = {**os.environ, "_AGENT_CONSOLE_COMPLETE": line}
    script = subprocess.run([command], capture_output=True, text=True, check=True, env=environ).stdout
    assert "complete" in script
    environ |= {"_AGENT_CONSOLE_COMPLETE": "bash_complete", "COMP_WORDS": "agent-console can", "COMP_CWORD": "1"}
    words = subprocess.run([command], capture_output=True, text=True, check=True, env=environ).stdout
    assert words.split() == ["plain,canary"]


def test_the_help_of_experiments_says_where_the_format_of_the_file_stands() -> None:
    command = Path(sys.executable).with_name("agent-console")
    for words in (["experiment"], ["experiment", "define"]):
        told = subprocess.run([command, *words, "--help"], capture_output=True, text=True, check=True).stdout
        assert "agent-console schema experiment" in " ".join(told.split())
