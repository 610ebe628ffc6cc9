"""An agent that is under test: a real process on the real library, which acts at the venue as fast as it may.

All workers try the same keys in the same order, so that every key is a race between instances and between sides.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from console.agent import (
    ActionRefused,
    AgentController,
    AlreadyDone,
    Busy,
    InDoubt,
    LeaseEnded,
    NotSent,
    Settings,
)
from tests.faults.venue import Client


def main() -> None:
    """Work until killed. The first argument is a JSON object; see `Worker` in `fleet.py`."""
    told: dict[str, Any] = json.loads(sys.argv[1])
    if told.get("clock_jumps"):
        _shift_clock(float(told["clock_jumps"]))
    unprotected = bool(told.get("sentinels") or told.get("cluster")) and not told.get("replicas")
    settings = Settings(
        lease_ms=told.get("lease_ms", 400),
        margin_ms=told.get("margin_ms", 100),
        heartbeat_ms=50,
        claim_patience_ms=200,
        command_timeout_ms=told.get("timeout_ms", 150),
        stale_after_ms=500,
        replicas=told.get("replicas", 0),
        spool_dir=Path(told["spool"]) if told.get("spool") else None,
        wake_ms=told.get("wake_ms", 600_000),
        quarantine_ms=50,
        money=not unprotected,
    )
    venue = Client(told["venue"])
    dice = random.Random(told["seed"])
    connect = None
    if told.get("sentinels"):
        from tests.faults.topology import sentinel_connect

        connect = sentinel_connect([tuple(address) for address in told["sentinels"]], told.get("pinned"))
    if told.get("cluster"):
        from tests.faults.topology import cluster_connect

        connect = cluster_connect(told["cluster"])
    controller = AgentController(
        told["url"],
        slot=told["slot"],
        version="1",
        settings=settings,
        connect=connect,
        cluster=bool(told.get("cluster")),
    )
    controller.start()
    os.write(1, f"{controller.instance}\n".encode())
    number = max(0, venue.size() - 20)  # a worker that starts again tries the last keys again
    while True:
        key = f"{told.get('prefix', 'k')}-{number}"
        try:
            with controller.action(key) as act:
                time.sleep(dice.random() * told.get("think_s", 0.0))
                if not told.get("no_check"):
                    act.check()
                time.sleep(dice.random() * told.get("gap_s", 0.0))
                if dice.random() < 0.02:
                    raise NotSent("thought better of it")
                venue.execute(key, act.intent.claim_id, controller.instance, controller.slot)
                if dice.random() < told.get("lost", 0.02):
                    raise TimeoutError("the answer was lost")
                act.settle("done")
            number += 1
        except (AlreadyDone, InDoubt, LeaseEnded, NotSent, TimeoutError):
            number += 1
        except Busy:
            number += dice.randrange(2)
        except ActionRefused:
            controller.wait_change(0.05)
        if told.get("pause_s"):
            time.sleep(told["pause_s"])
        if told.get("resolve") and dice.random() < 0.01:
            with suppress(Exception):
                _resolve(controller, venue)


def _resolve(controller: AgentController, venue: Client) -> None:
    from console.agent import Evidence
    from console.domain.fence.claims import OpenClaim

    def probe(claim: OpenClaim) -> Evidence:
        executed = venue.count(claim.key) > 0
        return Evidence(executed, "the venue's history", result="found")

    controller.resolve(probe)


def _shift_clock(amount_s: float) -> None:
    """This process's wall clock jumps by ±amount every call; the monotonic clock stays honest, as it does in life."""
    real, sign = time.time, [1]

    def jumping() -> float:
        sign[0] = -sign[0]
        return real() + sign[0] * amount_s

    time.time = jumping


if __name__ == "__main__":
    main()
