"""A console that is left open: rounds of what a day brings, and what it holds after each.

`python -m tests.soak ROUNDS DECISIONS SWITCHES RECONNECTS` runs them in a process of its own and prints what was
counted after each, as JSON. The decisions are stamped over 24 hours.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

from console.domain.seen.observation import LinkState
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from console.store.server.connect import connect_sync
from tests.attached import attached, seen
from tests.bench.figures import rss_mib
from tests.bench.records import halves, stamped
from tests.servers import Server
from tests.waiting import until_async

DAY_S: Final = 86_400.0
OURS: Final = frozenset({"console", "widgets", "themes"})
STAYS_S: Final = 30.0
SCREENS: Final = "2345678901"
"""Every screen, by its key."""


class Counts(NamedTuple):
    """What a console holds.

    Args:
        tasks: of asyncio.
        threads: that live, those of the pool aside, which is bounded and fills by chance.
        descriptors: that are open.
        objects: of our own types that the garbage collector knows; the framework fills caches that are bounded.
        memory_mib: of the process.
    """

    tasks: int
    threads: int
    descriptors: int
    objects: int
    memory_mib: float


def counts() -> Counts:
    """What this process holds now, garbage aside."""
    gc.collect()
    threads = sum(not thread.name.startswith("asyncio_") for thread in threading.enumerate())
    descriptors = len(os.listdir("/proc/self/fd"))
    objects = sum(type(one).__module__.partition(".")[0] in OURS for one in gc.get_objects())
    return Counts(len(asyncio.all_tasks()), threads, descriptors, objects, rss_mib(os.getpid()))


async def settled(first: Counts | None) -> Counts:
    """What this process holds once no more tasks, threads and descriptors are there than after the first round: those
    of a turn come and go. Where they stay, what is there after a while."""
    began_s = time.monotonic()
    while True:
        now = counts()
        more = first is not None and any(one > before for one, before in zip(now[:3], first[:3], strict=True))
        if not more or time.monotonic() - began_s > STAYS_S:
            return now
        await asyncio.sleep(0.05)


class Plan(NamedTuple):
    """What happens, evenly over all rounds.

    Args:
        rounds: how many.
        decisions: all that are logged.
        switches: of the active side.
        reconnects: the server is killed and comes back so often.
        screens: looked at in each round, by their keys; the overview last.
    """

    rounds: int
    decisions: int
    switches: int
    reconnects: int
    screens: str = SCREENS


def share(of: int, number: int, rounds: int) -> int:
    """How many of so many fall into this round."""
    return of * (number + 1) // rounds - of * number // rounds


async def soak(server: Server, folder: Path, plan: Plan) -> list[Counts]:
    """Go through all rounds in one console; what it holds after each.

    Args:
        server: running.
        folder: for the decision log.
        plan: what happens.
    """
    log, parts, after = folder / "decisions.jsonl", halves(400), []
    log.write_bytes(b"")
    began_s, every_s, logged, slot = time.time() - DAY_S, DAY_S / plan.decisions, 0, "blue"
    async with attached(server.url, decisions=(str(log),), slot_map=("blue=2.4.0", "green=2.5.0")) as pilot:
        app: Any = pilot.app

        def caught_up() -> bool:
            store, logs = seen(app).store, seen(app).logs
            return (
                seen(app).link.state is LinkState.LIVE
                and (store is not None and store.deployment.active.raw == slot)
                and (logs is not None and logs.total == logged)
            )

        for number in range(plan.rounds):
            for _ in range(share(plan.reconnects, number, plan.rounds)):
                await asyncio.to_thread(server.restart)
            for _ in range(max(share(plan.switches, number, plan.rounds), not number)):
                slot = "green" if slot == "blue" else "blue"
                await asyncio.to_thread(_switch, server.url, slot)
            more = share(plan.decisions, number, plan.rounds)
            times = (began_s + place * every_s for place in range(logged, logged + more))
            with log.open("ab") as file:
                file.write(stamped(parts, logged, times))
            logged += more
            for key in plan.screens:
                await pilot.press(key)
                await pilot.pause()
            await until_async(caught_up, "the console has seen all that happened")
            after.append(await settled(after[0] if after else None))
    return after


def _switch(url: str, slot: str) -> None:
    with connect_sync(url, timeout_s=5.0, name="soak") as client:
        Fence(client, Keys.of()).switch(SwitchRequest(slot, expected_epoch="any", mode="now", by="soak"))


def main(words: list[str]) -> int:
    """Run the rounds on a server of their own."""
    with tempfile.TemporaryDirectory(prefix="ac-soak-") as name:
        for kind in ("CONFIG", "DATA", "CACHE"):
            os.environ[f"AGENT_CONSOLE_{kind}_DIR"] = str(Path(name) / kind.lower())
        os.environ["XDG_STATE_HOME"] = str(Path(name) / "state")
        server = Server(Path(name), {"appendfsync": "no"}).start()
        try:
            after = asyncio.run(soak(server, Path(name), Plan(*map(int, words))))
        finally:
            server.kill()
    json.dump([one._asdict() for one in after], sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
