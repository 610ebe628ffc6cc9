"""One guard on many agents, and many guards on one store: everybody is watched, by two, whoever comes, goes or dies."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from console.domain.guard.alerts import AlertKind
from console.domain.triggers.facts import Facts
from console.domain.triggers.finding import Trigger, Verdict
from console.domain.triggers.windows import Row
from console.guard.hear import listen
from console.guard.run import fleet as fleet_module
from console.guard.run.fleet import Fleet
from console.guard.setup import pace
from console.guard.setup.settings import Webhook
from console.guard.watch import feed
from console.guard.watch.heartbeats import beat
from console.store.keys import Keys
from console.store.reading import discovery
from console.store.records.guards import FLEET
from tests.guard.fleet_stage import FleetStage
from tests.guard.receiver import Receiver
from tests.guard.records import record, write
from tests.waiting import until_async


async def settled(many: FleetStage, name: str, **wanted: int) -> None:
    """Wait until a guard says that it stands so."""

    async def so() -> bool:
        told = [one for one in many.events("shared out") if one["by"] == name]
        return bool(told) and all(told[-1][key] == value for key, value in wanted.items())

    await until_async(so)


# every agent


async def test_plain_and_fenced_agents_are_found_and_one_that_fails_is_rolled_back_alone(many: FleetStage) -> None:
    for agent in ("agent", "atlas", "zeus"):
        await many.plain(agent)
    for agent in ("hera", "iris"):
        await many.fenced(agent)
    fleet = many.fleet(pnl__budget="5")
    async with many.running(fleet):
        await many.watched(fleet, agents=("agent", "atlas", "zeus", "hera", "iris"))
        many.fails("atlas")
        await many.becomes("atlas", "blue")
        await many.loses("iris", 6)
        await many.becomes("iris", "blue")
        assert [await many.active(agent) for agent in ("agent", "zeus", "hera")] == ["green"] * 3

        async def told() -> bool:
            acted = [one["agent"] for one in many.events("acted")]
            kinds = [one.kind for one in await many.alerts("iris")]
            return acted == ["atlas", "iris"] and kinds == [AlertKind.ROLLED_BACK]

        await until_async(told)


async def test_few_connections_carry_many_agents(many: FleetStage) -> None:
    for number in range(120):
        await many.fenced(f"a{number}")
    fleet = many.fleet()
    async with many.running(fleet):
        await many.watched(fleet, agents=[f"a{number}" for number in range(120)])
        names = [client["name"] for client in await many.client.client_list()]
        assert sum(name.startswith("guard") for name in names) == 2


async def test_agents_that_come_are_watched_and_those_whose_keys_are_gone_are_let_go(
    many: FleetStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet_module, "DISCOVER_S", 0.05)
    # Whoever tends an agent and remembers its authority halts it where that is missing: here nobody does meanwhile.
    monkeypatch.setattr(pace, "tend_s", lambda _agents: 3600.0)
    await many.plain("atlas")
    fleet = many.fleet()
    async with many.running(fleet):
        await many.watched(fleet, agents=("atlas",))
        await many.plain("zeus")
        await many.watched(fleet, agents=("atlas", "zeus"))
        keys = Keys.of("atlas")
        await many.client.delete(keys.active, keys.ctl)

        async def gone() -> bool:
            return "atlas" not in fleet.patrol.wards

        await until_async(gone)
        assert many.events("left")[0]["reason"] == "its keys are gone"
        many.fails("zeus")
        await many.becomes("zeus", "blue")


async def test_keys_that_are_no_agents_are_counted_and_left_alone(many: FleetStage) -> None:
    await many.plain("atlas")
    await many.client.set("shop:active_version", "v42")
    await many.client.rpush("list:active_version", "green")
    await many.client.set("what a name!:active_version", "green")
    fleet = many.fleet()
    async with many.running(fleet):
        await many.watched(fleet, agents=("atlas",))
        assert set(fleet.patrol.wards) == {"atlas"}
        notes = " ".join(many.events("found")[0]["notes"])
        assert "2 keys named like a plain agent's hold no slot" in notes
        assert "1 keys named like an agent's whose name can't be one" in notes
        assert await many.client.get("shop:active_version") == b"v42"


async def test_a_plain_agent_that_nothing_is_known_of_is_shown_and_not_frozen(many: FleetStage) -> None:
    await many.plain("dark", log=False)
    fleet = many.fleet()
    async with many.running(fleet):
        await many.watched(fleet, agents=("dark",))
        many.ahead_s = 1000.0
        await asyncio.sleep(0.6)
        assert (await many.state("dark").control()).level == 0
        ward = fleet.patrol.wards["dark"]
        assert "nothing to judge it by" in ward.problem
        assert ward.watch.last is not None
        assert {finding.reason for finding in ward.watch.last.findings} == {"off: no decision log is followed"}


async def test_a_log_that_turns_up_is_read_from_then_on(many: FleetStage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "SEARCH_S", 0.05)
    await many.plain("late", log=False)
    fleet = many.fleet()
    async with many.running(fleet):
        await many.watched(fleet, agents=("late",))
        await many.plain("late")

        async def read() -> bool:
            return fleet.patrol.wards["late"].feed.log is not None

        await until_async(read)
        many.fails("late")
        await many.becomes("late", "blue")


async def test_once_looks_at_everybody_acts_and_says_so(many: FleetStage) -> None:
    for agent in ("atlas", "zeus"):
        await many.plain(agent)
    first = many.fleet()
    await first.open()
    assert not await first.once(), "they are taken over as they are found, and all is well"
    await first.aclose()
    many.fails("zeus")
    fleet = many.fleet("f2")
    await fleet.open()
    outcome = await fleet.once()
    await fleet.aclose()
    assert (outcome.agents, outcome.acted, outcome.failed, bool(outcome)) == (2, 1, 0, True)
    assert [await many.active(agent) for agent in ("atlas", "zeus")] == ["green", "blue"]


# shared out


@pytest.mark.long
async def test_each_agent_is_watched_by_two_of_three_guards_and_by_one_where_there_is_one(many: FleetStage) -> None:
    agents = [f"a{number}" for number in range(30)]
    for agent in agents:
        await many.fenced(agent)
    alone = many.fleet("f1")
    async with many.running(alone):
        await many.watched(alone, agents=agents)
        two, three = many.fleet("f2"), many.fleet("f3")
        async with many.running(two, three):
            fleets = (alone, two, three)

            async def even() -> bool:
                loads = [len(fleet.patrol.wards) for fleet in fleets]
                return sum(loads) == 60 and min(loads) >= 10

            await until_async(even)
            await many.watched(*fleets, agents=agents)

            async def both_say_so() -> bool:
                return len(await many.guards("a0")) == 2

            await until_async(both_say_so)


async def test_when_a_guard_dies_without_a_word_the_others_take_over_within_seconds(many: FleetStage) -> None:
    agents = [f"a{number}" for number in range(12)]
    for agent in agents:
        await many.plain(agent)
    one, two, three = (many.fleet(name) for name in ("f1", "f2", "f3"))
    async with many.running(one, two):
        async with many.running(three):
            await many.watched(one, two, three, agents=agents)

            async def dumb(*_args: Any) -> None:
                await asyncio.Event().wait()

            three._membership.beat = dumb  # type: ignore[method-assign, assignment]
            began = asyncio.get_running_loop().time()
            await many.watched(one, two, agents=agents)
            assert asyncio.get_running_loop().time() - began < 15.0
        many.fails("a7")
        await many.becomes("a7", "blue")
        assert sum(event.automatic_rollback for event in await many.state("a7").events()) == 1


async def test_who_takes_an_agent_over_does_not_act_on_old_news(many: FleetStage) -> None:
    await many.plain("atlas")
    async with many.running(first := many.fleet("f1")):
        await many.watched(first, agents=("atlas",))
    many.fails("atlas")
    many.ahead_s = 120.0
    write(many.log("atlas"), [record(many.clock().timestamp(), "green")])
    async with many.running(second := many.fleet("f2")):
        await many.watched(second, agents=("atlas",))

        async def warned() -> bool:
            return ["not acted on" in alert.reason for alert in await many.alerts("atlas")] == [True]

        await until_async(warned)
        assert await many.active("atlas") == "green"


async def test_a_list_of_guards_that_cannot_be_read_leaves_no_agent_unwatched(many: FleetStage) -> None:
    await many.client.set(FLEET, "text")
    await many.plain("atlas")
    one, two = many.fleet("f1"), many.fleet("f2")
    async with many.running(one, two):
        await many.watched(one, two, agents=("atlas",))
        assert "ac:guards" in many.events("refused")[0]["reason"]


async def test_hostile_entries_on_the_list_of_guards_harm_nobody(many: FleetStage) -> None:
    await many.client.hset(
        FLEET,
        mapping={"x": b"\xff", "y": "[]", "z": json.dumps({"ms": -1}), "w": json.dumps({"ms": 1e99, "scope": []})},
    )
    await many.plain("atlas")
    fleet = many.fleet()
    async with many.running(fleet):
        await many.watched(fleet, agents=("atlas",))
        await settled(many, "f1", guards=1, watching=1)


# one agent's trouble


@pytest.mark.long  # beside many others it waits in vain now and then, and nobody knows yet for what
async def test_whoever_is_in_the_index_is_watched_although_the_search_has_hardly_begun(
    many: FleetStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "BITE", 1)
    monkeypatch.setattr(fleet_module, "SEARCH_S", 0.0)
    await many.client.mset({f"other:{number}": "x" for number in range(10_000)})
    for agent in ("atlas", "zeus"):
        await many.fenced(agent)
    fleet = many.fleet()
    async with many.running(fleet):
        await many.watched(fleet, agents=("atlas", "zeus"))
        assert not fleet._discovery.passes


async def test_an_agent_whose_keys_are_spoiled_is_named_and_the_others_are_watched_on(
    many: FleetStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a key that is replaced wakes nobody who waits for a stream: it is noticed when the wait is over
    monkeypatch.setattr(listen, "IDLE_BLOCK_MS", listen.BLOCK_MS)
    for agent in ("good", "bad", "ugly"):
        await many.fenced(agent)
    await many.client.hset(Keys.of("bad").ctl, "ep", "many")
    fleet = many.fleet(pnl__budget="5")
    async with many.running(fleet):
        await many.watched(fleet, agents=("good", "ugly"))
        await many.client.delete(Keys.of("ugly").actions)
        await many.client.set(Keys.of("ugly").actions, "text")

        async def named() -> bool:
            """Whoever comes first upon the key says so: the guard that reads it, or the fence, which puts it aside."""
            told = {one["agent"] for one in many.events("watch failed")}
            halted = [one for one in many.events("alert") if one["agent"] == "ugly" and "acts was a" in one["reason"]]
            return "bad" in told and ("ugly" in told or bool(halted))

        await until_async(named)
        await many.loses("good", 6)
        await many.becomes("good", "blue")
        reasons = {one["agent"]: one["reason"] for one in many.events("watch failed")}
        assert "holds no number as ep" in reasons["bad"]
        assert {line.partition(":")[0] for line in fleet.member().why} <= {"bad", "ugly"}
        await many.client.delete(Keys.of("ugly").actions)

        async def well() -> bool:
            return [ward.agent for ward in fleet.patrol.failing] == ["bad"]

        await until_async(well)


async def test_a_guard_that_cannot_judge_an_agent_again_and_again_freezes_new_risk_and_says_so(
    many: FleetStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for agent in ("good", "bad"):
        await many.plain(agent)
    honest = Facts.add

    def poisoned(self: Facts, row: Row) -> None:
        if row.fault_text == "poison":
            raise ZeroDivisionError("poison")
        honest(self, row)

    monkeypatch.setattr(Facts, "add", poisoned)
    fleet = many.fleet()
    async with many.running(fleet):
        await many.watched(fleet, agents=("good", "bad"))
        now_s = many.clock().timestamp()
        write(
            many.log("bad"), [record(now_s, "green", decision_type="exception", pnl=None, output={"error": "poison"})]
        )

        async def frozen() -> bool:
            return (await many.state("bad").control()).level == 1

        await until_async(frozen)
        failed = many.events("watch failed")[0]
        assert (failed["agent"], "ZeroDivisionError: poison" in failed["reason"]) == ("bad", True)
        assert "watch.py" in failed["where"], "the last line of ours that it passed"

        async def told() -> bool:
            return any("can't judge this agent" in alert.reason for alert in await many.alerts("bad"))

        await until_async(told)

        async def shown() -> bool:
            (seen,) = await many.guards("bad")
            return "can't be judged" in seen.problem and seen.failures >= 2

        await until_async(shown)
        many.fails("good")
        await many.becomes("good", "blue")


async def test_a_log_that_vanishes_is_an_error_for_its_agent_alone(many: FleetStage) -> None:
    for agent in ("atlas", "zeus"):
        await many.plain(agent)
    fleet = many.fleet()
    async with many.running(fleet):
        await many.watched(fleet, agents=("atlas", "zeus"))
        many.log("atlas").unlink()

        async def gone() -> bool:
            return fleet.patrol.wards["atlas"].feed.source().problem_since is not None

        await until_async(gone)

        async def frozen() -> bool:
            many.ahead_s += 5  # not before it lasts as long as silence may
            write(many.log("zeus"), [record(many.clock().timestamp(), "green", pnl=None)])
            return (await many.state("atlas").control()).level == 1

        await until_async(frozen)
        last = fleet.patrol.wards["atlas"].watch.last
        assert last is not None
        assert last.by_trigger[Trigger.PNL].verdict is Verdict.ERROR
        assert (await many.state("zeus").control()).level == 0


# the store and the receivers


async def test_alerts_of_all_agents_are_delivered_once_each_by_two_guards(many: FleetStage) -> None:
    agents = [f"a{number}" for number in range(10)]
    for agent in agents:
        await many.plain(agent)
    with Receiver() as receiver:
        hooks = (Webhook("w", "json", receiver.url),)
        one, two = many.fleet("f1", webhooks=hooks), many.fleet("f2", webhooks=hooks)
        async with many.running(one, two):
            await many.watched(one, two, agents=agents)
            for agent in agents:
                many.fails(agent)

            async def delivered() -> bool:
                return len(receiver.taken) >= len(agents)

            await until_async(delivered)
            await asyncio.sleep(1.0)
        got = [one.json["alert"] for one in receiver.taken]
        assert sorted(one["agent"] for one in got) == agents
        assert {one["kind"] for one in got} == {"rolled back"}


async def test_a_fleet_outlives_its_store(many: FleetStage, valkey_server: Any) -> None:
    from console.store.server.connect import connect

    server = valkey_server()
    client = await connect(server.url, timeout_s=10.0)
    other = FleetStage(client, server.url, many.folder)
    for number in range(20):
        await other.plain(f"a{number}")
    fleet = other.fleet()
    async with other.running(fleet):
        await other.watched(fleet, agents=[f"a{number}" for number in range(20)])
        server.restart()
        await client.aclose()
        other.client = client = await connect(server.url, timeout_s=10.0)
        other.fails("a3")
        await other.becomes("a3", "blue")
        assert len(other.events("store unreachable")) <= 6, "it is said once by what notices it, not by every agent"
        assert not other.events("watch failed")
    await client.aclose()


async def test_at_the_end_it_leaves_every_list(many: FleetStage) -> None:
    for agent in ("atlas", "zeus"):
        await many.plain(agent)
    fleet: Fleet = many.fleet()
    async with many.running(fleet):
        await many.watched(fleet, agents=("atlas", "zeus"))
        await settled(many, "f1", watching=2)
    assert await many.client.hlen(FLEET) == 0
    assert [await many.guards(agent) for agent in ("atlas", "zeus")] == [(), ()]
    assert many.told[-1]["event"] == "stopped"


async def test_who_said_goodbye_to_an_agent_is_not_heard_of_once_more(many: FleetStage) -> None:
    await many.plain("atlas")
    fleet = many.fleet()
    async with many.running(fleet):
        await many.watched(fleet, agents=("atlas",))
        fleet._wanted, fleet._placed = frozenset(), (fleet._discovery.agents, fleet._guards)
        ward = fleet.patrol.wards["atlas"]
        late = asyncio.create_task(beat([ward.voice], ward._tools, 1.0))
        await asyncio.sleep(0)
        await fleet.patrol.let_go("atlas")
        await late
        assert await many.guards("atlas") == ()


# rights that are missing


async def test_without_the_right_to_the_list_of_guards_every_agent_is_watched_and_that_is_told_once(
    many: FleetStage,
) -> None:
    for agent in ("atlas", "zeus"):
        await many.plain(agent)
    await many.client.execute_command("ACL", "SETUSER", "gus", "reset", "on", "nopass", "~ac:{*", "~*:*", "+@all")
    await many.client.execute_command("ACL", "SETUSER", "gus", "resetkeys", "~ac:{*", "~atlas:*", "~zeus:*")
    many.url = many.url.replace("unix://", "unix://gus:x@")
    fleet = many.fleet()
    async with many.running(fleet):
        await many.watched(fleet, agents=("atlas", "zeus"))
        many.fails("atlas")
        await many.becomes("atlas", "blue")
        (told,) = many.events("refused")
        assert "does not permit" in told["reason"]
        assert "agent-console acl" in told["hint"]
    await many.client.execute_command("ACL", "DELUSER", "gus")


async def test_an_agent_whose_keys_are_not_permitted_is_named_and_all_others_are_watched(many: FleetStage) -> None:
    for agent in ("atlas", "zeus"):
        await many.plain(agent)
    await many.client.execute_command(
        "ACL", "SETUSER", "gus", "reset", "on", "nopass", "~ac:guards", "~ac:{atlas:*", "~atlas:*", "+@all"
    )
    many.url = many.url.replace("unix://", "unix://gus:x@")
    fleet = many.fleet()
    async with many.running(fleet):
        await many.watched(fleet, agents=("atlas",))
        shut, *index = many.events("found")[0]["notes"]
        assert shut == "1 agents' keys are not permitted to this user of the store: left out"
        assert [note.split(" can't be ")[1].split(" ")[0] for note in index] == ["read", "written"]
        await many.client.execute_command("ACL", "SETUSER", "gus", "~zeus:*")  # its plain key alone
        await settled(many, "f1", known=2, failing=1)
        (ward,) = fleet.patrol.failing
        assert (ward.agent, "does not permit" in ward.trouble.why) == ("zeus", True)
        assert not many.events("store unreachable", "refused")
    await many.client.execute_command("ACL", "DELUSER", "gus")
