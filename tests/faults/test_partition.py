"""Agent and store cut off from each other, each direction alone: no action without the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from console.agent import ActionRefused, AgentController, Level, Settings
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from console.store.server.connect import connect_sync
from tests.faults.proxy import Proxy
from tests.servers import Server, free_port
from tests.waiting import until

SETTINGS = Settings(
    heartbeat_ms=20, stale_after_ms=300, command_timeout_ms=100, claim_patience_ms=150, lease_ms=2_000, margin_ms=500
)


class Cut:
    """One agent behind a proxy, and an operator who reaches the store directly."""

    def __init__(self, server: Server) -> None:
        self.proxy = Proxy(server.port)
        self.fence = Fence(connect_sync(server.url, timeout_s=5), Keys.of())
        self.fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
        self.agent = AgentController(self.proxy.url, slot="blue", version="1", settings=SETTINGS)
        self.agent.start()
        self.sent: list[str] = []

    def act(self, key: str) -> bool:
        try:
            with self.agent.action(key) as act:
                act.check()
                self.sent.append(key)
                act.settle("done")
        except ActionRefused:
            return False
        return True

    def close(self) -> None:
        self.proxy.heal()
        self.agent.stop()
        self.fence.client.close()
        self.proxy.close()


@pytest.fixture
def cut(valkey_server: Callable[..., Server]) -> Iterator[Cut]:
    made = Cut(valkey_server(port=str(free_port())))
    yield made
    made.close()


def stall_there(proxy: Proxy) -> None:
    proxy.there.stalled = True


def stall_back(proxy: Proxy) -> None:
    proxy.back.stalled = True


def lose_there(proxy: Proxy) -> None:
    proxy.there.lost = True


def lose_back(proxy: Proxy) -> None:
    proxy.back.lost = True


def cut_off(proxy: Proxy) -> None:
    proxy.cut()


@pytest.mark.parametrize("harm", [stall_there, stall_back, lose_there, lose_back, cut_off])
def test_an_agent_that_is_cut_off_does_not_act_and_goes_reduce_only_at_its_limit(
    cut: Cut, harm: Callable[[Proxy], None]
) -> None:
    assert cut.act("before")
    harm(cut.proxy)
    assert not cut.act("during")
    until(lambda: cut.agent.level is Level.REDUCE_ONLY and not cut.agent.active)
    cut.fence.switch(SwitchRequest("green", expected_epoch="any", mode="now", by="op"))
    assert not cut.act("after the switch")
    cut.proxy.heal()
    until(lambda: cut.agent.core.view.active == "green")
    assert not cut.act("healed")
    assert cut.sent == ["before"]
    cut.fence.switch(SwitchRequest("blue", expected_epoch="any", mode="now", by="op"))
    # On a new connection the server is examined anew before anything is claimed.
    until(lambda: cut.agent.active and len(cut.agent.spool) == 0 and not cut.agent.core.unexamined)
    assert cut.act("again")


def test_a_claim_that_was_granted_and_never_answered_frees_its_key_again(cut: Cut) -> None:
    assert cut.act("bet-0")
    cut.proxy.back.lost = True
    assert not cut.act("bet-1")
    assert [claim.key for claim in cut.fence.open_claims()] == ["bet-1"]
    cut.proxy.heal()
    until(lambda: len(cut.agent.spool) == 0)
    assert cut.fence.open_claims() == []
    entries: Any = cut.fence.client.xrange(cut.fence.keys.actions)
    lines = [fields[b"d"].split(b"\n") for _entry, fields in entries]
    kinds = [line[0] for line in lines if line[0] != b"doubt"]  # if healing took longer than the lease
    assert kinds == [b"claim", b"settle"] * 2 and lines[-1][8] == b"abort"
    assert cut.sent == ["bet-0"]


def test_a_result_that_got_no_answer_is_told_again_and_recorded_once(cut: Cut) -> None:
    with cut.agent.action("bet-1") as act:
        cut.proxy.back.lost = True
        act.settle("done")
    assert len(cut.agent.spool) == 1
    cut.proxy.heal()
    until(lambda: len(cut.agent.spool) == 0)
    entries: Any = cut.fence.client.xrange(cut.fence.keys.actions)
    kinds = [fields[b"d"].split(b"\n")[0] for _entry, fields in entries]
    assert kinds == [b"claim", b"settle"]


def test_a_slow_link_delays_and_changes_nothing(cut: Cut) -> None:
    cut.proxy.there.delay_s = cut.proxy.back.delay_s = 0.02
    assert cut.act("slow")
    reply = cut.fence.switch(SwitchRequest("green", expected_epoch="any", by="op"))
    until(lambda: cut.fence.heartbeats()[cut.agent.instance]["epoch"] == reply.epoch)
    assert not cut.act("standby")
