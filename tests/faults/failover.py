"""Failover under load: what happens on the side that is cut off, with and without waiting for a replica."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from console.agent import AgentController, Settings
from console.domain.errors import ConsoleError
from console.domain.fence.chain import verify_chain
from console.domain.fence.deployment import Phase
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from console.store.server.connect import connect_sync
from tests.faults.fleet import Worker
from tests.faults.venue import Venue
from tests.topologies import Cluster, Sentinels, cluster_connect, sentinel_connect, until

QUICK = {"lease_ms": 1000, "margin_ms": 200, "timeout_ms": 300}


def isolated_primary(
    folder: Path, *, replicas: int, seconds: float = 6.0, program: Path | None = None
) -> dict[str, Any]:
    """Primary and active agent are cut off together; the rest promotes a replica and an operator switches there.

    Args:
        folder: for everything.
        replicas: how many replicas a claim waits for; 0 for none.
        seconds: how long the cut lasts.
    """
    setup = Sentinels(folder, program=program, proxied=True)
    venue = Venue(folder)
    old = setup.primary
    blue = Worker(
        url="",
        venue=str(venue.path),
        slot="blue",
        sentinels=setup.addresses,
        pinned=old.tcp_url,
        replicas=replicas,
        lost=0,
        **QUICK,
    )
    green = Worker(
        url="", venue=str(venue.path), slot="green", sentinels=setup.addresses, replicas=replicas, lost=0, **QUICK
    )
    outcome: dict[str, Any] = {}
    try:
        fence = Fence(sentinel_connect(setup.addresses)(1.0), Keys.of())
        fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
        blue.start(1).wait_ready()
        green.start(2).wait_ready()
        client = venue.client()
        until(lambda: client.size() > 30)

        setup.cut()
        began, before = time.monotonic(), len(client.history())

        outcome["promoted_after_s"] = round(until(lambda: setup.current is not old), 2)

        def switched() -> bool:
            with suppress(ConsoleError), sentinel_connect(setup.addresses)(1.0) as connection:
                reply = Fence(connection, Keys.of()).switch(
                    SwitchRequest("green", expected_epoch="any", mode="now", by="op", why="failover", resume=True)
                )
                return reply.active == "green"
            return False

        until(switched)
        until(lambda: any(e.slot == "green" for e in client.history()[before:]))
        time.sleep(max(0.0, seconds - (time.monotonic() - began)))
        book = client.history()[before:]
        granted = _granted(setup.addresses)
        cut_off = [e for e in book if e.slot == "blue"]
        outcome["isolated_executions"] = sum(e.claim_id not in granted for e in cut_off)
        outcome["in_flight_at_the_cut"] = sum(e.claim_id in granted for e in cut_off)
        outcome["other_side_executions"] = sum(e.slot == "green" for e in book)
        outcome["twice"] = sum(count > 1 for count in Counter(e.key for e in client.history()).values())
        client.close()
    finally:
        for worker in (blue, green):
            worker.kill()
        venue.stop()
        setup.stop()
    return outcome


def _granted(addresses: list[tuple[str, int]]) -> set[str]:
    """The claims that the surviving side knows of; what was on its way to the venue at the cut is fenced there."""
    with sentinel_connect(addresses)(2.0) as connection:
        entries: Any = connection.xrange(Keys.of().actions)
    records = [fields[b"d"].decode().split("\n") for _id, fields in entries]
    return {record[4] for record in records if record[0] == "claim"}


def lost_switch_is_detected(folder: Path, *, program: Path | None = None) -> dict[str, Any]:
    """Without waiting, an acknowledged switch can be lost at failover: whoever saw it stops everything."""
    setup = Sentinels(folder, program=program, proxied=True)
    try:
        keys = Keys.of()
        connect = sentinel_connect(setup.addresses)
        first = Fence(connect(1.0), keys)
        first.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
        first.client.execute_command("WAIT", 2, 2000)
        agent = AgentController(
            slot="blue",
            version="1",
            connect=sentinel_connect(setup.addresses, setup.primary.tcp_url),
            settings=Settings(heartbeat_ms=50, command_timeout_ms=300, money=False),  # unprotected on purpose
        )
        agent.start()
        first.client.execute_command("WAIT", 2, 2000)
        setup.cut()  # the replicas miss what comes now
        with connect_sync(setup.primary.tcp_url) as direct:
            lost = Fence(direct, keys).switch(SwitchRequest("green", expected_epoch="any", mode="now", by="op"))
        until(lambda: agent.epoch == lost.epoch)
        setup.primary.kill()
        seen: dict[str, Any] = {}

        def halted() -> bool:
            with connect(0.5) as connection:
                authority = Fence(connection, keys).authority()
                if authority is None or authority.phase is not Phase.HALT:
                    return False
                seen["epoch"] = authority.epoch
                entries: Any = connection.xrange(keys.log)
                seen["why"] = (
                    entries[-1][1][b"why"].decode()
                    if entries[-1][1][b"k"] == b"halt"
                    else next(fields[b"why"].decode() for _id, fields in reversed(entries) if fields[b"k"] == b"halt")
                )
                return True

        took = until(halted)
        agent.stop()
        return {
            "lost_epoch": lost.epoch,
            "halt_epoch": seen["epoch"],
            "why": seen["why"],
            "halted_after_s": round(took, 2),
        }
    finally:
        setup.stop()


def cluster_failover(folder: Path, *, replicas: int = 1, program: Path | None = None) -> dict[str, Any]:
    """The node that owns the agent's slot is killed under load."""
    cluster = Cluster(folder, program=program)
    venue = Venue(folder)
    workers = [
        Worker(url="", venue=str(venue.path), slot=slot, cluster=cluster.ports, replicas=replicas, lost=0, **QUICK)
        for slot in ("blue", "green")
    ]
    keys = Keys.of(cluster=True)
    try:
        connect = cluster_connect(cluster.ports)
        with connect(1.0) as connection:
            Fence(connection, keys).switch(SwitchRequest("blue", expected_epoch=0, by="op"))
        for number, worker in enumerate(workers):
            worker.start(number).wait_ready()
        client = venue.client()
        until(lambda: client.size() > 30)
        owner = cluster.owner()
        owner.kill()
        killed, size = time.monotonic(), client.size()
        until(lambda: client.size() > size + 20)
        resumed = next(e for e in client.history()[size:])
        outcome: dict[str, Any] = {"resumed_within_s": round(time.monotonic() - killed, 2), "next_key": resumed.key}
        for worker in workers:
            worker.kill()
        with connect(2.0) as connection:
            fence = Fence(connection, keys)
            authority = fence.authority()
            assert authority is not None
            entries: Any = connection.xrange(keys.actions)
            log: Any = connection.xrange(keys.log)
            outcome["chains_whole"] = (
                verify_chain(entries, head=authority.action_head).ok and verify_chain(log, head=authority.log_head).ok
            )
            outcome["in_doubt_or_open"] = len(fence.open_claims())
        outcome["executions"] = len(client.history())
        outcome["twice"] = sum(count > 1 for count in Counter(e.key for e in client.history()).values())
        client.close()
        return outcome
    finally:
        for worker in workers:
            worker.kill()
        venue.stop()
        cluster.stop()
