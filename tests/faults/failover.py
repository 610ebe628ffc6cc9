"""Failover under load: what happens on the side that is cut off, with and without waiting for a replica."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from console.agent import AgentController, Settings
from console.domain.errors import ConsoleError
from console.domain.fence.deployment import Phase
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from console.store.server.connect import connect_sync
from tests.faults.fleet import Worker
from tests.faults.venue import Venue
from tests.topologies import Sentinels, sentinel_connect, until

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
