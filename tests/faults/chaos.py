"""Handovers under load, while agents are killed and frozen, and the server too if asked."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from console.domain.errors import ConsoleError
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.fence.replies import SwitchCode
from tests.faults.fleet import Fleet, Worker
from tests.faults.invariants import check


def run(
    folder: Path,
    *,
    handovers: int,
    seconds: float,
    kill_server: bool = False,
    seed: int = 1,
    program: Path | None = None,
    worker: dict[str, Any] | None = None,
    each_side: int = 2,
    **options: str,
) -> dict[str, Any]:
    """Run until both the number of handovers and the time are reached; what was counted, and `violations`."""
    options = {"appendonly": "yes", "appendfsync": "always", **options}
    with Fleet(folder, program, **options) as fleet:
        fleet.dice.seed(seed)
        fence = fleet.fence(timeout_s=0.5)
        epoch = fence.switch(SwitchRequest("blue", expected_epoch=0, by="op")).epoch
        acknowledged = [epoch]
        told = {"spool": str(folder / "spool"), "resolve": True, "gap_s": 0.002, **(worker or {})}
        for _ in range(each_side):
            for slot in ("blue", "green"):
                fleet.add(slot, **told)
        for each in fleet.workers:
            each.wait_ready()
        counts = {"handovers": 0, "halts": 0, "conflicts": 0, "unanswered": 0, "server_kills": 0}
        frozen: dict[Worker, float] = {}
        began = time.monotonic()
        while counts["handovers"] < handovers or time.monotonic() - began < seconds:
            if time.monotonic() - began > seconds * 10 + 120:
                break
            command(fleet, fence, acknowledged, counts)
            harm(fleet, frozen)
            if kill_server and fleet.dice.random() < 0.03:
                fleet.server.restart()
                counts["server_kills"] += 1
            time.sleep(fleet.dice.random() * 0.06)
        for each in frozen:
            each.thaw()
        died = sum(not each.alive for each in fleet.workers)
        for each in fleet.workers:
            each.kill()
        client = fleet.fence(timeout_s=10).client
        with_venue = fleet.venue.client()
        findings = check(client, fence.keys, with_venue.history(), acknowledged)
        with_venue.close()
        if died:
            findings.violations.append(f"{died} workers died of an exception")
        counts["kills"] = sum(each.kills for each in fleet.workers)
        counts["freezes"] = sum(each.freezes for each in fleet.workers)
        counts["seconds"] = int(time.monotonic() - began)
        return counts | asdict(findings)


def command(fleet: Fleet, fence: Fence, acknowledged: list[int], counts: dict[str, int]) -> None:
    """One act of the operator's: mostly a switch, sometimes a halt and its end."""
    dice = fleet.dice
    try:
        authority = fence.authority()
        if authority is None:
            return
        if dice.random() < 0.05:
            acknowledged.append(fence.halt("op", "chaos").epoch)
            counts["halts"] += 1
            return
        target = authority.active.other if authority.active else dice.choice(["blue", "green"])
        reply = fence.switch(
            SwitchRequest(
                str(target),
                expected_epoch=authority.epoch,
                mode=dice.choice(["drain", "now"]),
                drain_ms=150,
                by="op",
                why="chaos",
                resume=True,
            )
        )
        if reply.code in (SwitchCode.SWITCHED, SwitchCode.DRAINING):
            acknowledged.append(reply.epoch)
            counts["handovers"] += 1
        else:
            counts["conflicts"] += 1
    except ConsoleError:
        counts["unanswered"] += 1
        with suppress(ConsoleError, OSError):
            fence.client.close()


def harm(fleet: Fleet, frozen: dict[Worker, float]) -> None:
    """Kill one, freeze one, let one run on."""
    dice, now = fleet.dice, time.monotonic()
    for worker in [each for each, till in frozen.items() if till < now]:
        del frozen[worker]
        worker.thaw()
    awake = [worker for worker in fleet.workers if worker not in frozen]
    if awake and dice.random() < 0.15:
        worker = dice.choice(awake)
        worker.freeze()
        frozen[worker] = now + 0.05 + dice.random() * 0.9
    elif awake and dice.random() < 0.1:
        worker = dice.choice(awake)
        worker.kill()
        worker.start(dice.randrange(1 << 30))
