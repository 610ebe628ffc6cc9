"""A slot that moves, and a node that is lost: what was certainly not carried out is asked again, and no more is."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from redis import Redis

from console.domain.errors import WritesRefused
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.server.cluster import keys_on
from console.store.server.connect import connect_sync
from tests.clusters import Cluster, slot_of_agent


@pytest.fixture
def client(cluster: Cluster) -> Iterator[Redis]:
    with connect_sync(cluster.url, name="test") as made:
        yield made


def others(cluster: Cluster, agent: str) -> list:
    owner = cluster.owner(agent)
    return [node for node in cluster.primaries if node is not owner]


def test_a_slot_that_moved_is_followed_by_who_is_connected_already(cluster: Cluster, client: Redis) -> None:
    fence = Fence(client, keys_on(client, "atlas"))
    fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    cluster.move("atlas", others(cluster, "atlas")[0])
    assert fence.halt("op", "why").code == "HALTED"  # and the library of functions comes after the slot
    cluster.move_at_once("atlas", others(cluster, "atlas")[0])
    assert fence.authority().phase == "HALT"


def test_while_keys_move_one_by_one_no_script_runs_on_a_part_of_them(cluster: Cluster, client: Redis) -> None:
    keys = keys_on(client, "atlas")
    fence = Fence(client, keys)
    fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    here, there = cluster.client(cluster.owner("atlas")), cluster.client(others(cluster, "atlas")[0])
    slot = slot_of_agent("atlas")
    there.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", cluster.id_of(cluster.owner("atlas")))
    here.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", cluster.id_of(others(cluster, "atlas")[0]))
    before = [here.dump(key) for key in (keys.ctl, keys.log)]
    try:
        with pytest.raises(WritesRefused, match="giving these keys to another node"):
            fence.halt("op", "why")
        assert [here.dump(key) for key in (keys.ctl, keys.log)] == before
        assert client.get(keys.active) == b"blue" and client.get(keys.flag("none")) is None  # what is read is read
    finally:
        there.execute_command("CLUSTER", "SETSLOT", slot, "STABLE")
        here.execute_command("CLUSTER", "SETSLOT", slot, "STABLE")
    assert fence.halt("op", "why").code == "HALTED"


def test_a_command_waits_for_the_end_of_a_move(cluster: Cluster, client: Redis) -> None:
    fence = Fence(client, keys_on(client, "atlas"))
    fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    to = others(cluster, "atlas")[0]
    moving = threading.Thread(target=cluster.move, args=("atlas", to), kwargs={"pause_s": 0.05})
    moving.start()
    levels = 0
    while moving.is_alive():
        levels += fence.halt("op", "why").code in ("HALTED", "AGAIN")
    moving.join()
    assert levels and cluster.owner("atlas") is to
    assert len(client.xrange(fence.keys.log)) == 2, "the switch, and one halt"
