"""What a version is made of, as an operator sees it, holds it against another, and accepts a change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis

from console.agent import AgentController, Manifest, Settings, State, migration
from console.commands.upgrade import walk
from console.domain.gates import checklist
from console.domain.state import migration as migrations
from console.store.keys import Keys
from tests.cli.agents import Two
from tests.cli.conftest import Cli
from tests.waiting import until

SAME = {"prompt": "careful", "tools": []}
OLD = Manifest.of(code="1", model="m-2026-01-01", flags={"crash_target": 2}, state={"limit": "int"}, **SAME)
NEW = Manifest.of(code="2", model="m-2026-02-01", flags={"crash_target": 3}, state={"risk": "int"}, **SAME)
OVER = ("--override", "looked at it", "--confirm", "agent")
Start = Callable[..., AgentController]


@pytest.fixture
def start(store_url: str, cli: Cli) -> Iterator[Start]:
    """Starts agents with a manifest; the first one is made active."""
    made: list[AgentController] = []

    def begin(slot: str, version: str, manifest: Manifest | None, schema: int = 1) -> AgentController:
        settings = Settings(money=False, schema=schema)
        made.append(AgentController(store_url, slot=slot, version=version, settings=settings, manifest=manifest))
        made[-1].start()
        if len(made) == 1:
            assert cli("switch", slot, "--yes").code == 0
            until(lambda: made[0].active, "it to be active")
            if manifest is not None:
                declared = ("manifest", slot, "--json")
                until(lambda: cli(*declared).json["before"]["hash"] == manifest.hash, "its manifest to be declared")
        return made[-1]

    yield begin
    for one in made:
        one.stop()
    migrations._registered.clear()


def parts(document: Any) -> dict[str, str]:
    return {one["part"]: one["verdict"] for one in document["parts"]}


def test_blue_beside_green_says_which_parts_differ_and_ends_with_1(cli: Cli, start: Start) -> None:
    start("blue", "2.4.0", OLD)
    start("green", "2.5.0", NEW)
    result = cli("manifest", "--json")
    assert result.code == 1 and result.json["same"] is False
    assert [part for part, verdict in parts(result.json).items() if verdict == "same"] == ["prompt", "tools"]
    shown = cli("manifest", "--ascii")
    assert shown.code == 1 and shown.out.isascii()
    for words in ("2.4.0 blue", "2.5.0 green", "crash_target", "-limit, +risk", "m-2026-01-01 > m-2026-02-01"):
        assert words in shown.out
    assert not [line for line in shown.out.splitlines() if line.endswith(">")], "no arrow leads nowhere"
    assert "Changed: code, model, flags, state." in shown.err
    assert cli("manifest", "2.4.0", "blue").code == 0


def test_one_is_shown_by_its_version_or_by_its_side(cli: Cli, start: Start) -> None:
    blue = start("blue", "2.4.0", OLD)
    for name in ("blue", "2.4.0"):
        result = cli("manifest", name, "--json")
        assert result.code == 0 and result.json["after"] is None
        assert result.json["before"]["hash"] == OLD.hash and result.json["before"]["by"] == blue.instance
    assert cli("manifest", "9.9").code == 4


def test_who_declares_none_is_shown_as_such_and_is_never_the_same(cli: Cli, two: Two) -> None:
    result = cli("manifest", "--json")
    assert result.code == 1 and set(parts(result.json).values()) == {"unknown"}
    assert "2.4.0 blue not declared" in cli("manifest").out
    assert cli("manifest", "blue").code == 0
    assert "manifest not declared" in cli("versions").out
    line = next(one for one in cli("checklist", "--phase", "before").out.splitlines() if " manifest " in one)
    assert "not checked" in line and "green declares no manifest" in line


def test_versions_name_the_hash_that_each_is_held_to(cli: Cli, start: Start) -> None:
    start("blue", "2.4.0", OLD)
    assert cli("versions", "--json").json[0]["manifest"] == OLD.short
    assert f"manifest {OLD.short}" in cli("versions").out


def test_a_change_while_it_runs_is_frozen_shown_gated_and_accepted_by_resuming(cli: Cli, start: Start) -> None:
    blue = start("blue", "2.4.0", OLD)
    green = start("green", "2.5.0", NEW)
    green.declare(replace(NEW, prompt=NEW.code))
    shown = cli("manifest", "green")
    assert shown.code == 1 and "CHANGED while it runs: prompt" in shown.out
    refused = cli("switch", "green", "--yes")
    assert refused.code == 4 and "2.5.0 changed while it runs: prompt" in refused.err
    until(lambda: blue.level.rank == 1, "blue to be frozen too")
    (row,) = [one for one in cli("audit", "--json").json if one["trigger"] == "manifest"]
    assert row["who"] == green.instance and row["changes"][0]["after"] == "no new entries"

    asked = cli("resume", "--reason", "the new prompt is meant")
    assert asked.code == 2 and "accepts another manifest of 2.5.0, if it runs still: prompt" in asked.err
    assert cli("resume", "--yes", "--reason", "the new prompt is meant").code == 0
    assert cli("manifest", "green").code == 0
    assert "accepts the manifest of 2.5.0" in cli("audit", "--json").json[-1]["note"]
    assert cli("switch", "green", "--yes").code == 0


def keeping(start: Start, green: Manifest, schema: int = 1) -> AgentController:
    blue = start("blue", "2.4.0", OLD)
    start("green", "2.5.0", green, schema)
    blue.keep(State(version="2.4.0", extra={"limit": 5}))
    until(lambda: blue.kept is not None, "the state to be kept")
    return blue


@pytest.mark.parametrize("gate", [True, False], ids=["by the gate", "by the run's own step"])
def test_a_state_of_another_manifest_is_refused_before_the_switch_with_the_field_named(
    cli: Cli, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gate: bool
) -> None:
    monkeypatch.setattr(walk, "PATIENCE", 1)
    if not gate:
        monkeypatch.setattr(checklist, "ITEMS", [item for item in checklist.ITEMS if item.id != "manifest"])
    blue = keeping(start, NEW)
    file = tmp_path / "upgrade.toml"
    file.write_text("shadow_rounds = 0\nreview = 0\nwatch_s = 0\nwarm_s = 0\n")
    blocked = cli("upgrade", "start", "green", "--plan", str(file), "--yes")
    assert blocked.code == 1 and "of another manifest: state (-limit, +risk)" in blocked.out
    assert blue.active


def test_a_state_that_is_migrated_explicitly_opens_it(cli: Cli, start: Start) -> None:
    @migration(1, 2)
    def to_2(state: dict[str, Any]) -> dict[str, Any]:
        return state

    keeping(start, NEW, schema=2)
    assert cli("manifest", "green", "--json").json["before"]["reads"] == [1]
    assert cli("switch", "green", "--yes").code == 0


def test_an_instance_that_runs_another_one_than_its_version_is_held_to_is_named(cli: Cli, start: Start) -> None:
    start("blue", "2.4.0", OLD)
    one = start("green", "2.5.0", NEW)
    start("green", "2.5.0", replace(NEW, code=OLD.code))
    assert cli("resume", "--yes", "--reason", "both are meant").code == 0
    shown = cli("manifest", "green")
    assert shown.code == 1 and one.instance[:40] in shown.out
    assert "2.5.0 is held to" in cli("switch", "green", "--yes").err


@pytest.mark.parametrize("value", ["x", {"=2.4.0": "torn"}, {"=2.4.0": "1\nblue\nb\n\n" + "f" * 64}])
def test_what_can_not_be_read_is_never_taken_for_known(
    cli: Cli, start: Start, valkey_sync: redis.Redis, value: Any
) -> None:
    blue = start("blue", "2.4.0", OLD)
    blue.stop()
    key = Keys.of().manifests
    valkey_sync.delete(key)
    if isinstance(value, str):
        valkey_sync.set(key, value)
    else:
        valkey_sync.hset(key, mapping=value)
    assert cli("manifest", "2.4.0").code in (1, 4)
