"""What the console is started with: the operator's themes, and what a protected profile lets through."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from console import config
from console.cli.attach import own_themes
from console.domain.errors import UsageError
from tests.cli.conftest import Cli
from tests.cli.test_canary import PLAN


def theme(home: Path, name: str, text: str) -> None:
    folder = home / "config" / "themes"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


def profile(home: Path) -> None:
    (home / "config").mkdir(exist_ok=True)
    (home / "config" / "config.toml").write_text("[profiles.prod]\nprotected = true\n")


def test_themes_of_ones_own_are_there_to_choose(cli: Cli, home: Path) -> None:
    assert own_themes() == ()
    theme(home, "harbour.toml", '[colors]\nslot-blue = "#6cb0ff"\n')
    assert [one.name for one in own_themes()] == ["harbour"]
    (home / "config" / "config.toml").write_text('[ui]\ntheme = "harbour"\n')
    result = cli("export", "--format", "svg")
    assert (result.code, "#6cb0ff" in result.out.lower()) == (0, True)


def test_everything_wrong_with_the_themes_is_one_message_and_exit_code_2(cli: Cli, home: Path) -> None:
    theme(home, "a.toml", '[colors]\nslot-blue = "bluish"\nnothing = "red"\n')
    theme(home, "b.toml", "name = [")
    with pytest.raises(UsageError) as raised:
        own_themes()
    for words in ("a.toml", "bluish", "nothing", "b.toml", "not TOML"):
        assert words in raised.value.message
    result = cli("export")
    assert result.code == 2
    assert result.err.count("Usage:") == 1
    assert "bluish" in result.err
    assert "not TOML" in result.err


def test_on_a_protected_profile_a_verb_is_refused_unless_it_says_that_it_is_meant(cli: Cli, home: Path) -> None:
    profile(home)
    refused = cli("--profile", "prod", "switch", "blue", "--yes")
    assert refused.code == 4
    assert "--no-read-only" in refused.err
    assert cli("--profile", "prod", "--no-read-only", "switch", "blue", "--yes").code == 0


def test_only_what_the_profile_locks_can_be_unlocked(home: Path) -> None:
    profile(home)
    assert config.load(profile="prod").locked
    assert not config.load({"read_only": True}, profile="prod").locked
    assert config.load({"read_only": True}, profile="prod").read_only
    assert not config.load({"read_only": False}, profile="prod").read_only
    assert not config.load().locked


def test_a_protected_profile_never_stands_in_the_way_of_what_reduces_risk(
    cli: Cli, home: Path, valkey_sync: redis.Redis, tmp_path: Path
) -> None:
    profile(home)
    for slot in ("blue", "green"):
        assert cli("--profile", "prod", "--no-read-only", "switch", slot, "--yes", "--now").code == 0
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN.replace('canary = "green"', 'canary = "blue"'))
    assert cli("--profile", "prod", "--no-read-only", "canary", "start", str(plan), "--yes", "--reason", "x").code == 0
    assert cli("--profile", "prod", "canary", "abort").code == 0
    assert cli("--profile", "prod", "rollback").code == 0
    assert valkey_sync.get("agent:active_version") == b"blue"
    assert cli("--profile", "prod", "halt").code == 0
    assert valkey_sync.get("agent:active_version") == b"halted"
    assert cli("--profile", "prod", "resume", "blue", "--yes", "--reason", "x").code == 4
    assert cli("--profile", "prod", "--read-only", "halt").code == 4
