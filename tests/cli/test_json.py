"""`--json`: every verb prints what `docs/json.md` says, key by key; programs rest on nothing else."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis

from console.cli.main import cli as command_line
from console.commands import catalogue
from console.commands.base import Query
from console.views.status.report import StatusReport, status_report
from tests.cli.conftest import Cli, Result
from tests.cli.test_canary import EXPERIMENT, PLAN
from tests.generate.json_shapes import ERROR, answers, keys, problems, records
from tests.generate.tables import leaves
from tests.scenarios import NAMES, observation

SILENT = {
    "completion install",
    "completion show",
    "demo",
    "guard run",
    "man",
    "replay",
    "schema",
    "serve",
    "snapshot show",
    "sql",
}
"""They print no document of ours, and the page says so."""

CALLS: dict[str, tuple[tuple[str, ...], ...]] = {
    "status": (("status",),),
    "switch": (("switch", "green"), ("switch", "blue")),
    "flag set": (("flag", "set", "game", "dice"), ("flag", "set", "ready", "True")),
    "flag get": (("flag", "get", "game"), ("flag", "get", "none")),
    "flag list": (("flag", "list"),),
    "flag toggle": (("flag", "toggle", "ready"),),
    "flag unset": (("flag", "unset", "ready"),),
    "snapshot take": (("snapshot", "take"),),
    "snapshot list": (("snapshot", "list"),),
    "snapshot restore": (("snapshot", "restore", "latest"),),
    "snapshot verify": (("snapshot", "verify", "latest"), ("snapshot", "verify", "STATE")),
    "snapshot diff": (("snapshot", "diff", "latest", "STATE"),),
    "snapshot export": (("snapshot", "export", "STATE", "--force", "-o", "EXPORT"),),
    "snapshot prune": (("snapshot", "prune", "--keep", "1"),),
    "state migrate": (("state", "migrate", "--check", "moves.py", "STATE"),),
    "canary plan": (
        ("canary", "plan", "PLAN"),
        ("canary", "plan", "PLAN", "--history", "LOG", "--stake", "output.bet"),
    ),
    "canary start": (("canary", "start", "PLAN"),),
    "canary show": (("canary", "show"),),
    "canary pause": (("canary", "pause"),),
    "canary resume": (("canary", "resume"),),
    "canary set": (("canary", "set", "5"),),
    "canary abort": (("canary", "abort"),),
    "experiment define": (("experiment", "define", "sizing", "EXPERIMENT"),),
    "experiment show": (("experiment", "show"),),
    "experiment show NAME": (("experiment", "show", "sizing"),),
    "experiment start": (("experiment", "start", "sizing"),),
    "experiment stop": (("experiment", "stop", "sizing"),),
    "experiment adopt": (("experiment", "adopt", "sizing", "--arm", "B"),),
    "upgrade start": (("upgrade", "start", "green", "--detach"),),
    "upgrade go": (("upgrade", "go"),),
    "upgrade show": (("upgrade", "show"),),
    "upgrade resume": (("upgrade", "resume"),),
    "upgrade abort": (("upgrade", "abort"),),
    "upgrade report": (("upgrade", "report", "-o", "UPGRADE"),),
    "upgrade verify": (("upgrade", "verify", "UPGRADE"),),
    "halt": (("halt",),),
    "fleet": (("fleet",),),
    "fleet halt": (("fleet", "halt", "agent", "--yes"),),
    "resume": (("resume", "blue"),),
    "rollback": (("rollback",),),
    "undo": (("undo",),),
    "checklist tick": (("checklist", "tick", "first-ten"),),
    "approve": (("approve",),),
    "doubts list": (("doubts", "list"),),
    "doctor": (("doctor",),),
    "acl": (("acl", "guard"),),
    "audit": (("audit",),),
    "archive run": (("archive", "run"),),
    "config path": (("config", "path"),),
    "config show": (("config", "show"),),
    "export --format json": (("export", "--format", "json"),),
    "record": (("record", "-o", "NEW", "--for", "1s"),),
    "backtest": (("backtest", "LOG"),),
    "backtest --sweep": (("backtest", "LOG", "--sweep", "pnl.alpha=0.01,0.05"),),
    "rehearse": (
        ("rehearse", "--log", "LOG", "--since", "2026-03-14", "--", sys.executable, "decide.py"),
        ("rehearse", "--log", "LOG", "--since", "2026-03-14", "--runs", "1", "--", "false"),
    ),
    "venue check": (("venue", "check", "VENUE"),),
    "balances": (("balances", "VENUE"),),
    "guard status": (("guard", "status"),),
    "guard status --all": (("guard", "status", "--all"),),
    "guard set": (("guard", "set", "pnl.alpha=0.02"),),
    "guard ack": (("guard", "ack"),),
    "drill": (("drill", "pnl", "--timeout", "0.1"),),
    "drill deadman": (("drill", "deadman", "--timeout", "0.1"),),
    "store start": (("store", "start"),),
    "store status": (("store", "status"),),
    "store stop": (("store", "stop"),),
}
"""Verb → the calls that are made of it, in this order on one store."""

DECIDE = """
import json, sys
for line in sys.stdin:
    print(json.dumps({"round": json.loads(line)["round"], "output": {"action": "BUY", "bet": "1.00", "pnl": "1"}}))
"""
"""A version that buys."""

CALLS["evidence"] = (("evidence", "--from", "15m", "--output", "EVIDENCE", "--no-pictures"),)
CALLS["evidence verify"] = (("evidence", "verify", "EVIDENCE"),)
CALLS["decisions show"] = (("decisions", "show", "PLACE"),)
CALLS["logs check"] = (("logs", "check", "LOG"),)
for _query in (command.info for command in catalogue.commands() if isinstance(command, Query)):
    _given = ["game" for param in _query.params if param.required and not param.option]
    CALLS.setdefault(_query.name, ((*_query.name.split(), *_given),))

ELSEWHERE = {"archive restore", "canary promote", "commitments give", "doubts resolve", "retire", "upgrade review"}
"""They need an empty store, a canary's evidence, an agent's doubt, debt or decisions: tests of these verbs read the
same receipt."""


def decision(index: int) -> dict[str, Any]:
    output = {"action": "HOLD", "bet": "1.00", "pnl": 0.5 if index % 3 else -0.7, "currency": "USD"}
    at = datetime(2026, 3, 14, tzinfo=UTC).timestamp() + index
    version = ("v1", "v2")[index % 2]
    return {
        "agent_version": version,
        "timestamp": at,
        "decision_type": "bet",
        "inputs": {},
        "output": output,
        "reasoning": "because",
        "latency_ms": 12.5,
    }


def write_files(folder: Path) -> dict[str, str]:
    """What the calls name, as paths."""
    written = {
        "PLAN": PLAN,
        "EXPERIMENT": EXPERIMENT,
        "STATE": '{"version": "1", "timestamp": 1772366400, "escrow_ids": ["esc_1"]}',
        "EXPORT": "",
        "UPGRADE": "",
        "moves.py": "from console.agent import migration\n\n\n@migration(1, 2)\ndef to_2(state):\n    return state\n",
        "decide.py": DECIDE,
        "VENUE": 'preset = "rest"\nname = "gone"\nservices.api.url = "http://127.0.0.1:9"\n',
        "LOG": "".join(json.dumps(decision(index)) + "\n" for index in range(60)),
    }
    for name, text in written.items():
        (folder / name).write_text(text)
    return {
        **{name: str(folder / name) for name in written},
        "PLACE": f"{folder / 'LOG'}:0",
        "NEW": str(folder / "NEW"),
        "EVIDENCE": str(folder / "EVIDENCE"),
    }


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """What the calls name, as paths."""
    return write_files(tmp_path)


def test_every_verb_prints_what_the_page_says(cli: Cli, files: dict[str, str]) -> None:
    common = ("--slot", "blue=v1", "--slot", "green=v2", "--decisions", files["LOG"], "--yes", "--reason", "a test")

    def call(words: tuple[str, ...]) -> Result:
        return cli(*common, "--json", *(files.get(word, word) for word in words))

    wrong = {}
    for verb, calls in CALLS.items():
        for words in calls:
            result = call(words)
            assert result.out, (words, result.err)
            if unlike := problems(result.json, answers()[verb]):
                wrong[" ".join(words)] = (unlike, result.out)
    assert wrong == {}


def test_what_could_not_be_done_is_told_in_a_document(cli: Cli) -> None:
    for words in (("snapshot", "show", "none"), ("experiment", "show", "none"), ("flag", "set", "a b", "1")):
        result = cli(*words, "--json")
        assert problems(result.json, ERROR) == []
        assert result.json["error"]["exit_code"] == result.code


@pytest.mark.parametrize("name", NAMES)
def test_the_status_of_every_scenario_has_the_documented_shape(name: str) -> None:
    document = json.loads(json.dumps(status_report(observation(name)).document(), allow_nan=False))
    assert problems(document, StatusReport) == []


def test_every_verb_is_on_the_page_and_called_here() -> None:
    verbs = {name for name, _ in leaves(command_line, "")}
    assert {verb for verb in verbs - SILENT if not any(f"{one} ".startswith(f"{verb} ") for one in answers())} == set()
    assert set(answers()) == {*CALLS, *ELSEWHERE}


def test_no_key_is_without_a_meaning() -> None:
    every = records([*answers().values(), ERROR])
    assert [(record.__name__, key.name) for record in every for key in keys(record) if not key.meaning] == []


def test_a_key_too_many_a_key_too_few_and_another_type_are_found(cli: Cli, valkey_sync: redis.Redis) -> None:
    document = cli("flag", "get", "game", "--json").json
    kind = answers()["flag get"]
    assert problems(document, kind) == []
    assert problems({**document, "new": 1}, kind) == ["$: new"]
    assert problems({key: document[key] for key in list(document)[1:]}, kind) == ["$: name"]
    assert problems(dict(reversed(document.items())), kind) == ["$: another order"]
    assert problems({**document, "missing": 1}, kind) == ["$.missing: 1 is no <class 'bool'>"]
