"""One process with many tasks or threads, killed, frozen and bereft of its server, again and again: each time after it
has come so far, whatever the machine."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from console.store.fence.calls import SwitchRequest
from tests.faults.crowd import AT_ONCE
from tests.faults.fleet import Fleet
from tests.faults.invariants import check
from tests.waiting import until

HARMS: Final = ("kill the server", "kill the worker", "freeze the worker")
TOLD: Final = {"lease_ms": 2_000, "timeout_ms": 500}


def run(
    folder: Path, crowd: str, *, harms: int, seconds: float = 0.0, program: Path | None = None, seed: int = 1
) -> dict[str, Any]:
    """Harm until both the number of harms and the time are reached; what was counted, and `violations`.

    Args:
        folder: for everything.
        crowd: "tasks" or "threads".
        harms: how many of `HARMS`, one after the other.
        seconds: at least how long.
        program: the server's binary.
        seed: of chance.
    """
    with Fleet(folder, program, appendonly="yes", appendfsync="always") as fleet:
        fleet.dice.seed(seed)
        fence = fleet.fence(timeout_s=20.0)
        epoch = fence.switch(SwitchRequest("blue", expected_epoch=0, by="op")).epoch
        book = fleet.venue.client()
        worker = fleet.add("blue", crowd=crowd, spool=str(folder / "spool"), **TOLD).wait_ready()
        began, number, died = time.monotonic(), 0, 0

        def come_on() -> None:
            before = book.size()
            until(lambda: book.size() >= before + AT_ONCE // 2 or not worker.alive, f"progress after {number} harms")

        while number < harms or time.monotonic() - began < seconds:
            come_on()
            died += not worker.alive
            time.sleep(fleet.dice.random() * 0.02)
            match HARMS[number % len(HARMS)]:
                case "kill the server":
                    fleet.server.restart()
                case "kill the worker":
                    worker.kill()
                    worker.start(number).wait_ready()
                case _:
                    worker.freeze()
                    time.sleep(fleet.dice.random() * 3.0 if seconds else 0.6)  # some wake after their leases
                    worker.thaw()
            number += 1
        come_on()
        died += not worker.alive
        worker.kill()
        findings = check(fleet.fence(timeout_s=20.0).client, fence.keys, book.history(), [epoch])
        book.close()
        if died:
            findings.violations.append(f"{died} workers died of an exception")
        return {"harms": number, "seconds": int(time.monotonic() - began), **asdict(findings)}
