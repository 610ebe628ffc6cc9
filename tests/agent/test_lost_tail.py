"""A primary that Sentinels name anew and that lacks the newest events: who is connected looks at it before it acts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from console.agent import AgentController, Settings
from console.agent.aio import AgentController as AioController
from console.agent.fence.errors import Halted
from console.store.fence.blocking import Fence
from console.store.fence.calls import Limits, SwitchRequest
from console.store.keys import Keys
from console.store.server.connect import connect_sync
from console.store.server.lookout import lookout_for
from console.store.server.url import parse_url
from tests.servers import Server, free_port
from tests.store.server.fronts import lying
from tests.topologies import NAME, Sentinels, info
from tests.waiting import until

BETWEEN_BEATS: dict[str, Any] = {
    "slot": "blue",
    "version": "1",
    "settings": Settings(money=False, heartbeat_ms=600_000, stale_after_ms=1_200_000),
}
"""No heartbeat finds out what was lost: only who looks before it acts."""
CAP = Limits(currency="EUR", cap_amount=Decimal(1))


class Behind:
    """A primary behind a Sentinel, and a replica that misses what comes last."""

    def __init__(self, folder: Path, replica: Server) -> None:
        self.replica = replica
        self.setup = Sentinels(folder, replicas=0, sentinels=1)
        self.primary = self.setup.primary
        self.named = [self.primary.port]
        self.primary.command("CONFIG", "SET", "repl-diskless-sync-delay", "0")
        replica.command("REPLICAOF", "127.0.0.1", str(self.primary.port))
        until(lambda: info(replica, "master_link_status") == "up")
        self.fence = Fence(connect_sync(self.primary.url), Keys.of())
        self.fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))

    @asynccontextmanager
    async def url(self) -> Any:
        """Of a Sentinel that names whom `named` says."""
        async with lying(self.setup.sentinels[0], self.primary.port, self.named) as port:
            yield f"redis+sentinel://127.0.0.1:{port}/{NAME}"

    def lose_a_cap(self, agent: Any) -> None:
        """An agent hears of an operator's cap, and the replica does not."""
        until(lambda: info(self.replica, "master_repl_offset") == info(self.primary, "master_repl_offset"))
        self.replica.command("REPLICAOF", "NO", "ONE")
        self.fence.set_limits(CAP, by="op")
        number = int(self.fence.client.hget(self.fence.keys.ctl, "ln"))  # type: ignore[arg-type]
        until(lambda: agent.core.seen.events.number == number)

    def fail_over(self, url: str) -> None:
        """The Sentinels name the replica, whatever it lacks; the old primary goes on as if nothing was."""
        self.named[0] = self.replica.port
        lookout = lookout_for(parse_url(url))
        until(lambda: lookout.standing.primary == ("127.0.0.1", self.replica.port))


@pytest.fixture
def behind(short_dir: Path, valkey_server: Callable[..., Server]) -> Iterator[Behind]:
    scene = Behind(short_dir, valkey_server(port=str(free_port())))
    yield scene
    scene.fence.client.close()
    scene.setup.stop()


@pytest.mark.long
async def test_a_task_goes_on_to_no_other_primary_before_it_was_looked_at(behind: Behind) -> None:
    async with behind.url() as url, AioController(url, **BETWEEN_BEATS) as agent:
        async with agent.action("before") as act:
            await act.settle()
        await asyncio.to_thread(behind.lose_a_cap, agent)
        await asyncio.to_thread(behind.fail_over, url)
        with pytest.raises(Halted):
            async with agent.action("after", amount=Decimal(5), currency="EUR"):
                pytest.fail("its cap was lost, and what else is not known")
        assert agent.core.lost


async def test_a_thread_goes_on_to_no_other_primary_before_it_was_looked_at(behind: Behind) -> None:
    def acts(url: str) -> None:
        with AgentController(url, **BETWEEN_BEATS) as agent:
            with agent.action("before") as act:
                act.settle()
            behind.lose_a_cap(agent)
            behind.fail_over(url)
            with pytest.raises(Halted), agent.action("after", amount=Decimal(5), currency="EUR"):
                pytest.fail("its cap was lost, and what else is not known")
            assert agent.core.lost

    async with behind.url() as url:
        await asyncio.to_thread(acts, url)
