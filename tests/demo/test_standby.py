"""In the demo with the library the old version goes on after the switch, as a priced shadow of the new one."""

from __future__ import annotations

import pytest
import redis

from console.demo.stage import Stage
from console.domain.triggers.finding import Trigger
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys, ProofKeys
from console.store.records.guards import read_guards
from console.store.records.shadows import read_shadows
from console.store.server.connect import connect_sync
from tests.waiting import until

KEYS = Keys.of()
AGAINST = "against blue's shadow on the same"


def guards_word(client: redis.Redis) -> str:
    """What the guard says of the money."""
    guards = read_guards(client.hgetall("ac:{agent:active_version}:guards"))
    return " ".join(str(one.reason) for guard in guards for one in guard.triggers if one.trigger is Trigger.PNL)


@pytest.mark.parametrize("guarded", [False, pytest.param(True, marks=pytest.mark.long)], ids=["alone", "guarded"])
def test_after_the_switch_the_guard_holds_green_against_blues_shadow_on_the_same_rounds(guarded: bool) -> None:
    with Stage(period_s=0.05, seed=5, guard=guarded, fenced=True) as stage, connect_sync(stage.url, name="t") as client:
        until(lambda: client.hlen(KEYS.instances) == 2, "both sides to report")
        until(lambda: client.xlen(KEYS.actions) > 2, "rounds of blue's")
        epoch = int(client.hget(KEYS.ctl, "ep"))
        Fence(client, KEYS).switch(SwitchRequest("green", expected_epoch=epoch, mode="now", by="op"))

        def blues() -> int:
            shadows = {str(one.name): one for one in read_shadows(client.hgetall(ProofKeys.of(KEYS).shadows))}
            one = shadows.get("2.4.0")
            if one is None or one.reading.pairs is None:
                return 0
            assert (one.slot, one.currency, one.acted) == ("blue", "USD", True)
            assert one.reading.own is not None, "the money at risk is told"
            return one.reading.pairs.rounds

        until(lambda: blues() >= (40 if guarded else 5), "pairs of the old version's", timeout_s=60)
        if guarded:
            until(lambda: AGAINST in guards_word(client), "the guard's word", timeout_s=60)
