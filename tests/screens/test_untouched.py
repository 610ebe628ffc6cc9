"""Whatever is typed into a console that may only look, the store is afterwards what it was, byte for byte."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from console.cli.main import run
from console.demo.stage import Stage
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from console.store.server.connect import connect_sync
from tests.attached import attached, seen
from tests.attacks.scene import Scene
from tests.keys_by_chance import Hand, keys_by_chance
from tests.waiting import until, until_async

HOUR_MS = 3_600_000


@pytest.fixture(autouse=True)
def _nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"AGENT_CONSOLE_{name}_DIR", str(tmp_path / name))
    for name in ("PAGER", "EDITOR", "VISUAL"):
        monkeypatch.setenv(name, "true")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def held(client: Any) -> Mapping[bytes, tuple[bytes, bytes, int]]:
    """Every key of a store, with its type, its value as the server writes it down, and when it expires."""
    return {key: (client.type(key), client.dump(key), client.pexpiretime(key)) for key in sorted(client.scan_iter())}


def nothing_expires(client: Any) -> None:
    """What would go by itself meanwhile stays for an hour."""
    for key in client.scan_iter():
        if client.pttl(key) >= 0:
            client.pexpire(key, HOUR_MS)


async def typed(url: str, seed: int, count: int, **given: Any) -> None:
    """So many keys by chance into a console that may only look."""
    async with attached(url, read_only=True, **given) as pilot:
        hand = Hand(pilot.app)
        for number, piece in enumerate(keys_by_chance(seed, count)):
            hand.type(piece)
            if number % 10 == 0:
                await pilot.pause()
            assert pilot.app.is_running
        await until_async(lambda: not pilot.app.is_running or seen(pilot.app).read_only)
        assert pilot.app.is_running
        await asyncio.sleep(0.2)  # what was begun last may still be on its way


def test_three_hundred_keys_leave_the_store_as_it_was(store_url: str, valkey_sync: Any) -> None:
    scene = Scene(store_url, Fence(valkey_sync, Keys.of()))
    scene.fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    agent = scene.agent()
    scene.attempt(agent, "bet-1")
    scene.doubt(agent, "bet-2")
    for words in (["flag", "set", "crash_target", "2.5"], ["snapshot", "take"]):
        assert run(["--url", store_url, *words, "--yes", "--reason", "try"]) == 0
    scene.close()
    nothing_expires(valkey_sync)
    before = held(valkey_sync)
    asyncio.run(typed(store_url, 14, 300))
    assert len(before) > 8
    assert held(valkey_sync) == before
    assert list(Path().iterdir()) == []


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_ten_thousand_keys_leave_a_demo_as_it_was() -> None:
    with Stage(guard=True, fenced=True) as stage, connect_sync(stage.url, timeout_s=5.0, name="test") as client:
        until(lambda: all(log.exists() and log.stat().st_size > 20_000 for log in stage.decision_logs[:1]))
        run(["--url", stage.url, "flag", "set", "crash_target", "2.5", "--yes", "--reason", "try"])
        frozen = [pid for name, pid in stage.processes.items() if name not in ("store", "venue", "stagehand")]
        try:
            for pid in frozen:
                os.kill(pid, signal.SIGSTOP)
            time.sleep(0.2)
            nothing_expires(client)
            before = held(client)
            logs = tuple(map(str, stage.decision_logs))
            asyncio.run(typed(stage.url, 14, 10_000, decisions=logs, venue=str(stage.venue_file)))
            assert len(before) > 20
            assert held(client) == before
            assert list(Path().iterdir()) == []
        finally:
            for pid in frozen:
                os.kill(pid, signal.SIGCONT)
