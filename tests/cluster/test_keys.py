"""On a Cluster all keys of an agent lie in one slot, whoever writes them, and nobody can name others by mistake."""

from __future__ import annotations

import pytest
from redis.crc import key_slot

from console.agent import AgentController, Flags, FlagSpec, FlagType, Settings
from console.agent.aio import AgentController as AsyncController
from console.domain.errors import Refused, WritesRefused
from console.guard.keep import drill
from console.store.agents import index_keys
from console.store.fence.aio import AsyncFence
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import GuardKeys, Keys, ProofKeys, StateKeys
from console.store.records import gates
from console.store.records.venue import VenueKeys
from console.store.server.cluster import keys_on
from console.store.server.connect import connect, connect_sync
from tests.cli.agents import Two
from tests.cli.conftest import Cli
from tests.clusters import Cluster, slot_of_agent
from tests.waiting import until

PLAY = Settings(money=False)


@pytest.mark.parametrize("agent", ["agent", "atlas", "a.b-c_1", "0"])
def test_every_key_of_an_agent_has_the_slot_of_its_plain_key(agent: str) -> None:
    keys = Keys.of(agent, cluster=True)
    own = [value for name in dir(Keys) if isinstance(getattr(Keys, name), property) for value in [getattr(keys, name)]]
    beside = [keys.flag("x"), keys.active, keys.done("k"), keys.sent("k"), keys.watch("i"), keys.beside("lease:x")]
    lists = [*ProofKeys.of(keys), *StateKeys.of(keys), *GuardKeys.of(keys), *VenueKeys.of(keys), gates.key(keys)]
    drills = [drill.stream_of(keys), keys.beside("drill:1"), keys.beside("decisions"), keys.beside("restoring:acts")]
    everything = [*own, *beside, *lists, *drills]
    assert len(set(everything)) > 40
    assert {key_slot(key.encode()) for key in everything} == {slot_of_agent(agent)}


def test_a_console_an_operator_and_agents_on_a_nodes_own_url_act_on_the_same_keys(cli: Cli, cluster: Cluster) -> None:
    for node in cluster.primaries:  # whichever of them somebody names
        cluster_agent = cluster.agent_on(node)
        assert cli("switch", "blue", "--yes", "--agent", cluster_agent, url=cluster.url_of(cluster.nodes[0])).code == 0
        assert cli("status", "--agent", cluster_agent, "--json", url=cluster.url).json["active"] == "blue"


def test_what_operator_and_agents_write_lies_in_the_agents_slot(cli: Cli, cluster: Cluster, store_url: str) -> None:
    two = Two(store_url, cli)
    try:
        with two.blue.action("bet-1", amount=1, currency="USD") as act:
            act.settle("done", pnl=1)
        for line in ("flag set game dice", "snapshot take", "checklist tick plan-read --reason why", "audit verify"):
            assert cli(*line.split(), *(() if "audit" in line else ("--yes",))).code == 0
        assert cli("guard", "--once").code == 0
        assert cli("halt", "--yes").code == 0
        until(lambda: not two.blue.active, "blue to have heard of the halt")
    finally:
        two.stop()
    found = {key for node in cluster.primaries for key in cluster.client(node).scan_iter()}
    found -= {key.encode() for key in index_keys()}  # a hint about all agents, which no script touches
    assert len(found) > 8
    assert {key_slot(key) for key in found} == {slot_of_agent("agent")}


def test_a_key_without_a_hash_tag_is_sent_nowhere(cluster: Cluster) -> None:
    client = connect_sync(cluster.url)
    assert keys_on(client, "atlas") == Keys.of("atlas", cluster=True)
    with pytest.raises(WritesRefused, match="keys as they are on a server"):
        Fence(client, Keys.of("atlas")).halt("op", "why")
    client.close()
    assert all(node.command("DBSIZE") == "0" for node in cluster.primaries)


def test_keys_of_no_agent_are_read_together_from_whatever_nodes_they_lie_on(cluster: Cluster) -> None:
    client = connect_sync(cluster.url)
    names = [f"ac:agents:{number}" for number in range(16)]
    pipe = client.pipeline(transaction=False)
    for name in names:
        pipe.zadd(name, {"atlas": 1})
    assert pipe.execute() == [1] * 16
    assert len({cluster.client(node).dbsize() for node in cluster.primaries} - {0, 16}) > 0, "on several nodes"
    client.close()


@pytest.mark.parametrize("says", [True, False])
def test_an_agent_that_says_wrongly_what_its_store_is_does_not_start(
    cluster: Cluster, valkey_server: object, says: bool
) -> None:
    url = cluster.url if not says else valkey_server().url  # type: ignore[operator]
    agent = AgentController(url, slot="blue", version="1", settings=PLAY, cluster=says)
    with pytest.raises(Refused, match=f"says cluster={says}"):
        agent.start()
    agent.stop()


def test_flags_are_read_where_the_agents_other_keys_are(cluster: Cluster) -> None:
    names = [f"flag{number}" for number in range(4)]
    with connect_sync(cluster.url) as client:
        keys = keys_on(client, "agent")
        for name in names[1:]:
            client.set(keys.flag(name), "7")
    flags = Flags([FlagSpec(name, FlagType.NUMBER, "1") for name in names])
    with AgentController(cluster.url, slot="blue", version="1", flags=flags, settings=PLAY):
        until(lambda: [flags[name] for name in names] == [1, 7, 7, 7], "the flags")
        assert flags.problems == {}


async def test_an_agent_whose_author_connects_to_one_node_follows_the_cluster(cluster: Cluster) -> None:
    import redis.asyncio

    client = await connect(cluster.url)
    agent_name = cluster.agent_on(cluster.nodes[2])
    fence = AsyncFence(client, keys_on(client, agent_name))
    await fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))

    async def to_one_node(timeout_s: float) -> redis.asyncio.Redis:
        return redis.asyncio.Redis(port=cluster.ports[0], socket_timeout=timeout_s)

    agent = AsyncController(slot="blue", version="1", agent=agent_name, settings=PLAY, connect=to_one_node)
    await agent.start()
    try:
        assert list(await fence.heartbeats()) == [agent.instance]
    finally:
        await agent.stop()
        await client.aclose()


async def test_who_may_not_say_a_connections_name_is_let_in_without_one(cluster: Cluster) -> None:
    for node in cluster.primaries:
        node.command("ACL", "SETUSER", "quiet", "reset", "on", ">pw", "~*", "+@all", "-client|setname")
    try:
        for url in (cluster.url, cluster.url_of(cluster.nodes[0])):
            told = url.replace("://", "://quiet:pw@")
            client = await connect(told, name="a-name")
            assert await client.ping()
            await client.aclose()
            with connect_sync(told, name="a-name") as blocking:
                assert blocking.ping()
    finally:
        for node in cluster.primaries:
            node.command("ACL", "DELUSER", "quiet")
