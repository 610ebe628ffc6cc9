"""An agent declares what it is made of, and is held to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import redis

from console.agent import (
    ActionRefused,
    AgentController,
    Direction,
    Flags,
    FlagSpec,
    FlagType,
    Level,
    Manifest,
    Settings,
    StandBy,
    State,
    StateOfOtherSchema,
    migration,
    source_files,
)
from console.domain.errors import UsageError
from console.domain.manifest.lines import MAX_TEXT
from console.domain.state import migration as migrations
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from console.store.records.manifests import Manifests, decode
from tests.waiting import until

Make = Callable[..., AgentController]
SECRET = "you are a careful trader, and the vault is under the third stone"
OLD = Manifest.of(code="a = 1", model="m-2026-01-01", prompt=SECRET, state={"extra.limit": "int", "positions": 1})
NEW = Manifest.of(code="a = 2", model="m-2026-01-01", prompt="bold", state={"extra.risk": "int", "positions": 1})
STATE = State(version="2.4.0", extra={"limit": 5})


@pytest.fixture
def fence(valkey_sync: redis.Redis, keys: Keys) -> Fence:
    fence = Fence(valkey_sync, keys)
    fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    return fence


@pytest.fixture
def make(store_url: str, fence: Fence) -> Iterator[Make]:
    made: list[AgentController] = []

    def start(slot: str = "blue", version: str = "2.4.0", **options: Any) -> AgentController:
        controller = AgentController(store_url, slot=slot, version=version, **options)
        controller.start()
        made.append(controller)
        return controller

    yield start
    for controller in made:
        controller.stop()
    migrations._registered.clear()


def manifests(fence: Fence) -> Manifests:
    return decode(fence.client.hgetall(fence.keys.manifests))


def act(controller: AgentController, key: str, direction: Direction = Direction.ENTER) -> None:
    with controller.action(key, amount=Decimal(1), currency="USD", direction=direction) as action:
        action.settle("done")


def switch(fence: Fence, to: str) -> None:
    authority = fence.authority()
    assert authority is not None
    fence.switch(SwitchRequest(to, expected_epoch=authority.epoch, by="op", mode="now"))


def test_what_an_agent_declares_is_recorded_and_nothing_of_its_text_leaves_the_process(
    make: Make, fence: Fence
) -> None:
    controller = make(manifest=OLD, flags=Flags([FlagSpec("crash_target", FlagType.NUMBER, "2.0")]))
    held = manifests(fence).recorded["2.4.0"].declared.manifest
    assert held is not None and held == controller.core.manifest
    assert (held.model.label, held.schema, held.flags.members[0].name) == ("m-2026-01-01", 1, "crash_target")
    everything = [fence.client.dump(key) for key in fence.client.scan_iter("*")]
    assert everything and not any(dump is not None and SECRET[:20].encode() in dump for dump in everything)


def test_an_agent_that_declares_none_goes_on_as_ever(make: Make, fence: Fence) -> None:
    act(make(), "bet-1")
    assert manifests(fence).recorded == {}


def test_a_version_that_begins_anew_as_another_thing_opens_nothing_new_and_may_reduce(make: Make, fence: Fence) -> None:
    make(manifest=OLD)
    other = make(manifest=replace(OLD, prompt=NEW.prompt))
    with pytest.raises(ActionRefused):
        act(other, "bet-1")
    act(other, "sell-1", Direction.REDUCE)
    assert other.level is Level.NO_NEW_ENTRIES
    assert "prompt" in manifests(fence).recorded["2.4.0"].change()


def test_what_is_declared_while_it_runs_is_in_force_before_the_call_returns(make: Make, fence: Fence) -> None:
    controller = make(manifest=OLD)
    act(controller, "bet-1")
    controller.declare(replace(OLD, prompt=NEW.prompt))
    with pytest.raises(ActionRefused):
        act(controller, "bet-2")
    authority = fence.authority()
    assert authority is not None and authority.level is Level.NO_NEW_ENTRIES


def test_nothing_is_entered_by_a_manifest_that_the_store_does_not_know_yet(make: Make, fence: Fence) -> None:
    controller = make(manifest=OLD)
    controller.core.declare(NEW)
    with pytest.raises(StandBy, match="manifest"):
        act(controller, "bet-1")


def kept_by_blue(make: Make, fence: Fence, **green: Any) -> AgentController:
    """Green, active, after blue has kept a state."""
    blue = make(manifest=OLD)
    blue.keep(STATE)
    until(lambda: blue.kept is not None)
    other = make("green", "2.5.0", **green)
    switch(fence, "green")
    until(lambda: other.active)
    return other


def test_a_state_of_another_manifest_under_the_same_number_is_refused_with_the_field_named(
    make: Make, fence: Fence
) -> None:
    green = kept_by_blue(make, fence, manifest=NEW)
    with pytest.raises(StateOfOtherSchema, match=r"state \(-extra.limit, \+extra.risk\).*both say schema 1"):
        green.take_over()


def test_a_state_of_another_manifest_is_taken_once_it_is_migrated_explicitly(make: Make, fence: Fence) -> None:
    green = kept_by_blue(make, fence, manifest=NEW, settings=Settings(schema=2))
    with pytest.raises(StateOfOtherSchema, match="nothing migrates schema 1 to 2"):
        green.take_over()

    @migration(1, 2)
    def to_2(state: dict[str, Any]) -> dict[str, Any]:
        state["extra"] = {"risk": state["extra"]["limit"]}
        return state

    taken = green.take_over()
    assert taken.state.extra == {"risk": 5} and taken.migrated


@pytest.mark.parametrize("green", [{"manifest": OLD}, {}, {"manifest": Manifest.of(code="x")}])
def test_a_state_of_the_same_schema_or_of_one_that_nobody_declared_is_taken_as_ever(
    make: Make, fence: Fence, green: dict[str, Any]
) -> None:
    assert kept_by_blue(make, fence, **green).take_over().state.extra == {"limit": 5}


def test_what_is_no_manifest_is_refused_before_anything_is_begun(store_url: str) -> None:
    with pytest.raises(UsageError, match="Manifest"):
        AgentController(store_url, slot="blue", version="1", manifest={"code": "x"})  # type: ignore[arg-type]


def test_files_are_declared_by_their_names_and_contents(tmp_path: Path) -> None:
    bot = tmp_path / "bot"
    (bot / "__pycache__").mkdir(parents=True)
    (bot / "main.py").write_text("a = 1")
    (bot / "__pycache__" / "main.pyc").write_text("x")
    (bot / ".env").write_text("KEY=1")
    (bot / "loop").symlink_to(bot)
    before = source_files(bot)
    assert list(before) == ["bot/main.py"]
    (bot / "main.py").write_text("a = 2")
    assert Manifest.of(code=before).hash != Manifest.of(code=source_files(bot)).hash
    assert len(Manifest.of(code=before).code.members) == 1


@pytest.mark.parametrize("what", ["missing", "fifo", "empty"])
def test_code_that_can_not_be_read_is_refused_and_never_waited_for(tmp_path: Path, what: str) -> None:
    path = tmp_path / what
    if what == "fifo":
        os.mkfifo(path)
    elif what == "empty":
        path.mkdir()
    with pytest.raises(UsageError):
        source_files(path)


def test_a_heartbeat_with_the_largest_manifest_stays_bounded(make: Make, fence: Fence) -> None:
    tools = [{"name": f"tool {number} {'x' * 100}"} for number in range(32)]
    controller = make(manifest=Manifest.of(tools=tools, flags=dict.fromkeys(map(str, range(32)), 1), state={"a": 1}))
    assert len(controller.core.heartbeat().manifest.encode()) <= MAX_TEXT
    assert manifests(fence).recorded["2.4.0"].declared.manifest is not None
