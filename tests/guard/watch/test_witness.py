"""A guard finds out what its store has lost, what is damaged, and when it stops being fit for money: on real servers
that are put back, emptied and cut."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from console.domain.errors import StoreUnreachable
from console.domain.fence.claims import Direction, Outcome
from console.domain.fence.deployment import Phase
from console.domain.triggers.settings import TriggerSettings, changed
from console.guard.keep.state import GuardState
from console.guard.run.process import Guard
from console.guard.setup.options import GuardOptions
from console.guard.setup.settings import GuardFile
from console.guard.watch import witness
from console.logs.options import LogOptions
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import Heartbeat, SwitchRequest
from console.store.fence.claims import Intent, Proof, Resolution
from console.store.fence.memory import Memory, default_folder, store_name
from console.store.fence.replies import Seen
from console.store.keys import Keys
from console.store.records.guards import read_alerts
from console.store.server.connect import connect
from tests import ROOT
from tests.processes import Agent
from tests.servers import Server
from tests.waiting import until, until_async

KEYS = Keys.of()


class Scene:
    """A server on which blue is active and has acted; guards are in this process, and are told when to look."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.told: list[dict[str, Any]] = []
        self.guards: list[Guard] = []
        self.number = 0

    async def begin(self) -> Scene:
        self.client = await connect(self.server.url, timeout_s=10.0)
        self.fence, self.state = AsyncFence(self.client, KEYS), GuardState(self.client, KEYS)
        if await self.fence.authority() is None:
            await self.fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
        return self

    async def claim(self) -> Intent:
        """One more action, claimed."""
        authority = await self.fence.authority()
        assert authority is not None
        self.number += 1
        name, epoch = f"bet-{self.number}", authority.epoch
        wanted = Intent(name, name, "blue", epoch, "i", Decimal(1), "USD", Direction.ENTER, "", 5_000, epoch)
        assert (await self.fence.claim(wanted)).granted
        return wanted

    async def act(self, count: int = 3) -> None:
        """So many actions, claimed and settled."""
        for _ in range(count):
            await self.fence.settle(await self.claim(), Outcome.OK, result="won")

    async def guard(self, name: str = "g1", **settings: str) -> Guard:
        values = {key.replace("__", "."): value for key, value in settings.items()}
        file = GuardFile(changed(TriggerSettings(), values))
        options = GuardOptions(self.server.url, "agent", (), LogOptions(), file, None, name)
        guard = Guard(options, lambda event, **fields: self.told.append({"event": event, **fields}))
        self.guards.append(guard)
        await guard.open()
        return guard

    async def alerts(self) -> list[str]:
        return [str(alert.reason) for alert in read_alerts(await self.state.hash(self.state.names.alerts))]

    async def alert(self, guard: Guard, words: str) -> str:
        """Tend until there is an alert with these words."""

        async def there() -> str:
            await guard.tend()
            return next((reason for reason in await self.alerts() if words in reason), "")

        await until_async(there, f"an alert with {words!r}")
        return await there()

    async def phase(self) -> Phase:
        authority = await self.fence.authority()
        assert authority is not None
        return authority.phase

    def verify(self) -> subprocess.CompletedProcess[str]:
        """`agent-console audit verify`."""
        return self.command("audit", "verify", "--json")

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`agent-console …`."""
        words = (sys.executable, "-m", "console", "--url", self.server.url, *words)
        return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)

    def copy(self) -> Path:
        """The data on disk, as it is now."""
        kept = self.server.folder / "kept"
        shutil.copytree(self.server.folder / "appendonlydir", kept)
        return kept

    async def put_back(self, kept: Path) -> None:
        """Another day's data under the same server."""
        self.server.kill()
        shutil.rmtree(self.server.folder / "appendonlydir")
        shutil.move(kept, self.server.folder / "appendonlydir")
        await self.restart()

    async def restart(self) -> None:
        self.server.restart()
        await self.client.aclose()
        await self.begin()

    async def tend(self, guard: Guard) -> None:
        """One round, on whatever connection comes back."""

        async def once() -> bool:
            try:
                await guard.tend()
            except StoreUnreachable:
                return False
            return True

        await until_async(once)

    async def close(self) -> None:
        for guard in self.guards:
            await guard.aclose()
        await self.client.aclose()


@pytest.fixture
async def scene(valkey_server: Callable[..., Server]) -> AsyncIterator[Scene]:
    made = await Scene(valkey_server()).begin()
    await made.act()
    yield made
    await made.close()


async def test_a_whole_store_gives_no_alert(scene: Scene) -> None:
    guard = await scene.guard(guard__examine_s="0.01")
    for _ in range(5):
        await scene.act(1)
        await guard.tend()
    run = guard.ward._upkeep.witness._run
    assert run is not None
    await run
    assert await scene.alerts() == []
    assert guard.ward._upkeep.witness.problem == ""
    assert scene.verify().returncode == 0


async def test_entries_that_were_deleted_from_the_actions_are_an_alert_and_verify_says_no(scene: Scene) -> None:
    guard = await scene.guard()
    entries: Any = await scene.client.xrange(KEYS.actions)
    await scene.client.xdel(KEYS.actions, entries[2][0], entries[3][0])
    reason = await scene.alert(guard, "chain of acts")
    assert "2 entries are missing" in reason
    answer = scene.verify()
    assert answer.returncode == 1
    assert json.loads(answer.stdout)[0]["whole"] is False


@pytest.mark.long
async def test_entries_that_were_deleted_from_the_control_events_are_an_alert(scene: Scene) -> None:
    for target in ("green", "blue", "green"):
        await scene.fence.switch(SwitchRequest(target, expected_epoch="any", by="op", mode="now"))
    guard = await scene.guard()
    entries: Any = await scene.client.xrange(KEYS.log)
    await scene.client.xdel(KEYS.log, entries[1][0])
    await scene.alert(guard, "chain of log does not verify: 1 entry is missing")
    assert scene.verify().returncode == 1


@pytest.mark.long
async def test_receipts_that_were_deleted_from_the_audit_are_an_alert(scene: Scene) -> None:
    for number in range(3):
        await scene.fence.receipt({"id": str(number), "command": "flag set"})
    guard = await scene.guard()
    entries: Any = await scene.client.xrange(KEYS.audit)
    await scene.client.xdel(KEYS.audit, entries[1][0])
    await scene.alert(guard, "chain of audit does not verify")
    assert scene.verify().returncode == 1


async def test_a_broken_chain_is_one_alert_however_often_it_is_looked_at_and_by_however_many(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witness, "VERIFY_S", 0.0)
    guards = [await scene.guard("g1"), await scene.guard("g2")]
    entries: Any = await scene.client.xrange(KEYS.actions)
    await scene.client.xdel(KEYS.actions, entries[1][0])
    await scene.alert(guards[0], "chain of acts")
    for _ in range(5):
        await scene.act(1)
        for guard in guards:
            await guard.tend()
            run = guard.ward._upkeep.witness._run
            assert run is not None
            await run
            guard.ward._upkeep.witness._verify_at = 0.0
    assert len(await scene.alerts()) == 1


async def test_data_that_was_put_back_beside_a_running_guard_is_halted_and_named(scene: Scene) -> None:
    guard = await scene.guard()
    await guard.tend()
    kept = scene.copy()
    await scene.act(4)
    await guard.tend()
    await scene.put_back(kept)
    await scene.tend(guard)
    assert await scene.phase() is Phase.HALT
    assert await scene.alert(guard, "went back") == (
        "the store went back in time: 6 actions of 14 that were seen; everything is halted"
    )
    assert "went back" in guard.ward.problem
    until(lambda: [one for one in scene.told if one["event"] == "alert"])


async def test_data_that_was_put_back_before_a_guard_with_the_same_memory_starts_is_halted_and_named(
    scene: Scene,
) -> None:
    before = await scene.guard()
    kept = scene.copy()
    await scene.act(4)
    await before.tend()
    await before.aclose()
    scene.guards.clear()
    await scene.put_back(kept)
    guard = await scene.guard("g2")
    assert await scene.phase() is Phase.HALT
    await scene.alert(guard, "6 actions of 14 that were seen")


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_store_that_was_emptied_is_halted_and_named(scene: Scene, restarted: bool) -> None:
    guard = await scene.guard()
    authority = await scene.fence.authority()
    assert authority is not None
    await guard.tend()
    if restarted:
        await guard.aclose()
        scene.guards.clear()
    await scene.client.flushall()
    if restarted:
        guard = await scene.guard("g2")
    await guard.tend()
    assert await scene.phase() is Phase.HALT
    await scene.alert(guard, f"no authority; epoch {authority.epoch} and 6 actions were seen")


async def test_a_store_that_was_emptied_and_begun_anew_by_others_is_halted_too(scene: Scene) -> None:
    guard = await scene.guard()
    await guard.tend()
    await scene.client.flushall()
    await scene.fence.switch(SwitchRequest("blue", expected_epoch=0, by="somebody"))
    await scene.act(30)
    await guard.tend()
    assert await scene.phase() is Phase.HALT
    await scene.alert(guard, "another authority than the one that was seen")


async def test_after_an_operator_has_resumed_with_a_reason_the_loss_is_known_and_is_no_alert_any_more(
    scene: Scene,
) -> None:
    guard, other = await scene.guard("g1"), await scene.guard("g2")
    await guard.tend()
    await other.tend()
    await scene.client.flushall()
    await guard.tend()
    assert await scene.phase() is Phase.HALT
    await scene.fence.switch(
        SwitchRequest("blue", expected_epoch="any", mode="now", by="op", why="emptied on purpose", resume=True)
    )
    before = len(await scene.alerts())
    for one in (guard, other, await scene.guard("g3")):
        await one.tend()
        assert one.ward._upkeep.witness.problem == ""
    assert await scene.phase() is Phase.RUN
    assert len(await scene.alerts()) == before
    await scene.client.flushall()
    await guard.tend()
    assert await scene.phase() is Phase.HALT  # and the next loss is found out again


async def test_an_operator_resumes_on_the_command_line_with_a_reason_and_not_without(scene: Scene) -> None:
    guard = await scene.guard()
    await guard.tend()
    await scene.client.flushall()
    await guard.tend()
    assert scene.command("resume", "blue", "--yes").returncode != 0
    assert await scene.phase() is Phase.HALT
    assert scene.command("resume", "blue", "--yes", "--reason", "6 lost, reconciled").returncode == 0
    await guard.tend()
    assert await scene.phase() is Phase.RUN
    assert guard.ward.problem == "" or "went back" not in guard.ward.problem


async def test_with_everysec_the_last_second_that_a_crash_took_ends_halted(
    valkey_server: Callable[..., Server],
) -> None:
    scene = await Scene(valkey_server(appendfsync="everysec")).begin()
    await scene.act()
    guard = await scene.guard()
    aof = next((scene.server.folder / "appendonlydir").glob("*.incr.aof"))
    await until_async(lambda: aof.stat().st_size)
    size = aof.stat().st_size
    await scene.act(2)
    await guard.tend()
    await until_async(lambda: aof.stat().st_size > size)
    scene.server.kill()
    with aof.open("r+b") as file:
        file.truncate(size)
    await scene.restart()
    await scene.tend(guard)
    assert await scene.phase() is Phase.HALT
    await scene.alert(guard, "6 actions of 10 that were seen")
    await scene.close()


async def test_a_key_of_the_authority_that_was_deleted_is_damage_halted_and_named(scene: Scene) -> None:
    guard = await scene.guard()
    await guard.tend()
    await scene.client.delete(KEYS.actions)
    await guard.tend()
    assert await scene.phase() is Phase.HALT
    await scene.alert(guard, "actions")


async def test_a_server_that_stops_being_fit_for_money_is_an_alert_within_the_interval(scene: Scene) -> None:
    guard = await scene.guard(guard__examine_s="0.05")
    await scene.fence.beat(Heartbeat("blue-1", "blue"), epoch=0, seen=0)
    await guard.tend()
    assert await scene.alerts() == []
    await scene.client.config_set("maxmemory-policy", "allkeys-lru")
    assert "eviction" in await scene.alert(guard, "not fit for money")
    for _ in range(3):
        await guard.tend()
    assert len(await scene.alerts()) == 1


async def test_where_nobody_claims_a_server_need_not_be_fit(scene: Scene) -> None:
    await scene.client.config_set("maxmemory-policy", "allkeys-lru")
    guard = await scene.guard(guard__examine_s="0.05")
    for _ in range(3):
        await guard.tend()
        run = guard.ward._upkeep.witness._run
        assert run is not None
        await run
    assert await scene.alerts() == []


async def test_a_late_report_is_an_alert(scene: Scene) -> None:
    guard = await scene.guard()
    wanted = await scene.claim()
    await scene.fence.settle(wanted, Outcome.UNKNOWN)
    await scene.fence.resolve(
        Resolution(wanted.key, wanted.claim_id, executed=False, proof=Proof.BURNED, by="op", evidence="said so")
    )
    await scene.fence.settle(wanted, Outcome.OK, result="it did happen")
    await scene.alert(guard, "late reports: 1")


async def test_an_epoch_that_the_store_s_clock_has_not_reached_is_an_alert_and_not_silence(scene: Scene) -> None:
    memory = Memory(default_folder(), store_name(scene.client), "agent")
    memory.take(Seen(1 << 52, "f" * 40))
    memory.close()
    guard = await scene.guard()
    await guard.tend()
    assert "behind an epoch" in guard.ward.problem
    await scene.alert(guard, "clock is behind")


async def test_a_state_folder_that_can_not_be_written_is_told_once_and_the_guard_goes_on(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    guard = await scene.guard()
    for _ in range(3):
        await guard.tend()
    assert [one["event"] for one in scene.told].count("memory not kept") == 1
    await scene.client.flushall()
    await guard.tend()
    assert await scene.phase() is Phase.HALT  # what this process saw it still knows


@pytest.mark.long
async def test_a_stream_that_is_none_is_an_alert_and_the_guard_goes_on(scene: Scene) -> None:
    guard = await scene.guard()
    await scene.client.delete(KEYS.audit)
    await scene.client.set(KEYS.audit, "text")
    await scene.alert(guard, "another type")


async def test_agents_of_the_same_name_on_two_databases_are_remembered_apart(scene: Scene) -> None:
    one = await scene.guard()
    await one.tend()
    second = await connect(f"{scene.server.url}?db=1", timeout_s=10.0)
    fence = AsyncFence(second, KEYS)
    await fence.switch(SwitchRequest("green", expected_epoch=0, by="op"))
    options = GuardOptions(
        f"{scene.server.url}?db=1", "agent", (), LogOptions(), GuardFile(TriggerSettings()), None, "h"
    )
    other = Guard(options, lambda _event, **_fields: None)
    scene.guards.append(other)
    await other.open()
    for guard in (one, other):
        await guard.tend()
        assert guard.ward._upkeep.witness.problem == ""
    authority = await fence.authority()
    assert authority is not None and authority.phase is Phase.RUN
    await second.aclose()


async def test_an_agent_that_remembers_halts_a_store_that_was_put_back_without_any_guard(
    scene: Scene,
) -> None:
    with Agent(scene.server.url, "blue").until("ready") as agent:
        await scene.act(2)
        kept = scene.copy()
        await scene.act(2)
        await until_async(lambda: _remembers(scene.client, 14))
        agent.kill()
    await scene.put_back(kept)
    with Agent(scene.server.url, "blue").until("ready"):
        await until_async(lambda: _is_halted(scene))


def _remembers(client: Any, number: int) -> bool:
    return Memory(default_folder(), store_name(client), "agent").seen.actions.number >= number


async def _is_halted(scene: Scene) -> bool:
    return await scene.phase() is Phase.HALT
