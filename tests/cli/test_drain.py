"""A switch while fifty actions are in flight: nothing new, nothing cut, and everybody sees how many are left."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from console.agent import Action, AgentController, Settings
from console.agent.fence.errors import ActionRefused
from console.domain.operator.command import Waits
from console.store.keys import Keys
from console.store.reading.reader import StoreReader
from console.store.server.connect import connect
from console.views.fence.progress import progress_text
from tests.cli.conftest import Cli
from tests.cli.test_upgrade import guard, plan, run_of
from tests.processes import Process
from tests.scenarios.parts import observed
from tests.waiting import until

if TYPE_CHECKING:
    import redis

__all__ = ["guard"]

KEYS = Keys.of()
MANY = 50
LONG_MS = 300_000
"""No lease and no drain ends by itself, however busy the machine is."""


@pytest.fixture
def blue(cli: Cli, store_url: str) -> Iterator[AgentController]:
    """The active agent; green stands by."""
    settings = Settings(money=False, lease_ms=LONG_MS)
    one, other = (AgentController(store_url, slot=slot, version=slot, settings=settings) for slot in ("blue", "green"))
    one.start()
    other.start()
    assert cli("switch", "blue", "--yes").code == 0
    until(lambda: one.active, "blue to be active")
    yield one
    other.stop()
    one.stop()


def in_the_dialog(url: str) -> str:
    """What the console's switch says while it waits."""

    async def read() -> str:
        client = await connect(url, timeout_s=10.0)
        try:
            reading = await StoreReader(client, KEYS, {}).read(datetime.now(UTC))
        finally:
            await client.aclose()
        return progress_text(None, observed(reading), Waits.PLAIN_AGENTS, 1.0)

    return asyncio.run(read())


def done_in(store: redis.Redis) -> list[str]:
    """What became of claims, in order: claim, settle, doubt."""
    return [fields[b"d"].split(b"\n")[0].decode() for _id, fields in store.xrange(KEYS.actions)]


def test_fifty_in_flight_end_before_the_other_side_acts_none_cut_none_new_and_their_count_is_seen_down_to_0(
    cli: Cli, blue: AgentController, guard: None, store_url: str, valkey_sync: redis.Redis, tmp_path: Path
) -> None:
    (tmp_path / "config").mkdir(exist_ok=True)
    (tmp_path / "config" / "config.toml").write_text(f"[switch]\ndrain_ms = {LONG_MS}\n")
    with ExitStack() as stack:
        flying: list[Action] = []
        for number in range(MANY):
            action = blue.action(f"bet-{number}", amount=Decimal(1), currency="USD")
            flying.append(stack.enter_context(action))
        assert cli("upgrade", "start", "green", "--plan", plan(tmp_path), "--detach", "--yes").code == 0
        walker = Process("console", "--url", store_url, "upgrade", "go")
        until(lambda: valkey_sync.get(KEYS.active) == b"draining", "the drain to begin")
        before = len(done_in(valkey_sync))
        for left in range(MANY, 0, -1):
            if left in (MANY, MANY // 2, 1):
                status: Any = cli("status", "--json").json
                shown = cli("upgrade", "show")
                assert f"draining: {left} in flight, nobody acts" in shown.out
                assert cli("upgrade", "show", "--json").json["in_flight"] == left
                assert status["authority"]["in_flight"] == left, status["authority"]
                assert f"waiting for {left} in flight" in in_the_dialog(store_url)
                with pytest.raises(ActionRefused), blue.action(f"new-{left}", amount=Decimal(1), currency="USD"):
                    raise AssertionError("nothing new is let through")
            flying[left - 1].settle("won")
    until(lambda: valkey_sync.get(KEYS.active) == b"green", "green to act")
    walker.process.wait(120)
    while run_of(cli)["state"] == "running":
        cli("upgrade", "go")
    assert done_in(valkey_sync)[before:] == ["settle"] * MANY, "0 new, 0 cut"
    assert (run_of(cli)["state"], cli("upgrade", "show", "--json").json["in_flight"]) == ("done", None)
    assert cli("status", "--json").json["authority"]["in_flight"] == 0
