"""What proves a new version, without a terminal: `status`, `export`, the `show` verbs, `--divergences`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis

from console.domain.shadow.report import ShadowReport
from console.store.keys import Keys
from console.store.records.shadows import say
from tests.cli.conftest import Cli
from tests.cli.test_canary import EXPERIMENT, PLAN
from tests.scenarios.proving import shadow_report

EVIL = "\x1b]0;owned\x07[@click=app.quit]x[/]"


def record(number: int, **more: object) -> dict[str, object]:
    return {
        "state": {"round": number},
        "live": {"amount": 2.5, "action": "HOLD"},
        "shadow": {"amount": 5, "action": "BET"},
        "timestamp": 1_773_490_000 + number,
        **more,
    }


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "divergences.jsonl"
    lines = [json.dumps(record(number)) for number in range(3)] + ["nonsense", json.dumps(record(4, live=EVIL))]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def started(cli: Cli, tmp_path: Path, valkey_sync: redis.Redis) -> redis.Redis:
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN)
    assert cli("switch", "blue", "--yes").code == 0
    assert cli("canary", "start", str(plan), "--run", "r1", "--yes", "--reason", "2.5.0").code == 0
    return valkey_sync


def test_a_file_of_divergences_is_in_the_status_document(cli: Cli, file: Path) -> None:
    document = cli("--divergences", str(file), "status", "--json").json["divergences"]
    assert (document["total"], document["diverged"], document["rejected_by_reason"]) == (4, 4, {"not JSON": 1})
    assert document["files"][0]["path"] == str(file)
    assert {(one["path"], one["kind"], one["money"]) for one in document["fields"]} >= {
        ("amount", "value", True),
        ("action", "value", False),
        ("", "type", False),
    }


def test_globs_are_looked_up_and_the_option_may_be_repeated(cli: Cli, file: Path, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "x.jsonl").write_text(json.dumps(record(9)) + "\n")
    pattern = str(tmp_path / "more" / "*.jsonl")
    document = cli("status", "--json", "--divergences", str(file), "--divergences", pattern).json["divergences"]
    assert document["total"] == 5
    assert len(document["files"]) == 2


def test_none_followed_is_null_and_a_missing_file_is_told(cli: Cli, tmp_path: Path) -> None:
    assert cli("status", "--json").json["divergences"] is None
    missing = cli("status", "--json", "--divergences", str(tmp_path / "no.jsonl")).json["divergences"]
    assert (missing["total"], missing["files"][0]["problem"]) == (0, "no such file yet")
    assert "no.jsonl: no such file yet" in cli("status", "--divergences", str(tmp_path / "no.jsonl")).out


@pytest.mark.parametrize("where", ["environment", "file", "profile"])
def test_the_setting_can_stand_in_the_environment_the_file_or_a_profile(
    cli: Cli, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    options: tuple[str, ...] = ()
    if where == "environment":
        monkeypatch.setenv("AGENT_CONSOLE_DIVERGENCES", str(file))
    else:
        config = tmp_path / "config.toml"
        config.write_text(("" if where == "file" else "[profiles.p]\n") + f'divergences = ["{file}"]\n')
        options = ("--config", str(config), *(() if where == "file" else ("--profile", "p")))
    assert cli(*options, "status", "--json").json["divergences"]["total"] == 4
    shown = cli(*options, "config", "show", "--json").json["divergences"]
    assert shown["value"] == [str(file)]
    ends = {"environment": "AGENT_CONSOLE_DIVERGENCES", "file": "config.toml", "profile": "config.toml [profiles.p]"}
    assert shown["origin"].endswith(ends[where])


@pytest.mark.parametrize("size", ["160x48", "80x24"])
def test_the_screens_can_be_exported(cli: Cli, file: Path, started: redis.Redis, size: str) -> None:
    drawn = cli("export", "--screen", "shadow", "--size", size, "--format", "txt", "--divergences", str(file)).out
    assert "✖ amount" in drawn
    assert "\x1b" not in drawn
    assert "▶ RUNNING" in cli("export", "--screen", "canary", "--size", size, "--format", "txt").out
    assert (
        "No experiment is defined." in cli("export", "--screen", "experiments", "--size", size, "--format", "txt").out
    )


def test_every_screen_that_exists_can_be_exported() -> None:
    from console.cli.export import SCREENS
    from console.screens.frame.names import SCREENS as ALL

    assert list(SCREENS) == [info.name for info in ALL]


def test_a_canary_is_in_status_and_the_same_in_its_own_verb(cli: Cli, started: redis.Redis) -> None:
    of_status = cli("status", "--json").json["canary"]
    shown = cli("canary", "show", "--json")
    assert shown.code == 0
    assert shown.json == of_status
    assert (of_status["run"], of_status["state"], of_status["step"], of_status["desk"]) == ("r1", "RUNNING", 1, None)
    assert of_status["next"]["gate"] == "fresh analysis"
    text = cli("canary", "show").out
    assert "r1: green   ▶ RUNNING   [0] → 5 → 20 %" in text
    assert "no desk: nothing shares rounds out" in text
    assert "canary     r1: green" in cli("status").out


def test_without_a_canary_the_answer_is_no(cli: Cli) -> None:
    assert cli("status", "--json").json["canary"] is None
    shown = cli("canary", "show", "--json")
    assert (shown.code, shown.json) == (1, None)


def test_shadows_are_in_status(cli: Cli, valkey_sync: redis.Redis) -> None:
    report: ShadowReport = shadow_report()._replace(at=datetime.now(UTC))
    say(valkey_sync, Keys.of(), report)
    (found,) = cli("status", "--json").json["shadows"]
    assert (found["name"], found["rounds"], found["live_pnl"]) == ("green-2.5.0", 1204, "118.20")
    assert "✖ green-2.5.0   1,204 rounds, 3.2 % diverged, noise 0.8 %" in cli("status").out


def test_experiments_are_in_status_and_the_same_in_their_own_verb(cli: Cli, tmp_path: Path) -> None:
    definition = tmp_path / "e.toml"
    definition.write_text(EXPERIMENT)
    assert cli("experiment", "define", "sizing", str(definition)).code == 0
    document = cli("status", "--json").json["experiments"]
    assert [(one["name"], one["state"], one["report"]) for one in document] == [("sizing", "DEFINED", None)]
    assert cli("experiment", "show", "--json").json == document
    assert cli("experiment", "show", "sizing", "--json").json == document[0]
    assert "sizing" in cli("experiment", "show").out
    assert "kelly_floor" in cli("experiment", "show", "sizing").out
    assert cli("experiment", "show", "other").code == 4
