"""A process of the canary's fault run: `python -m tests.faults.canary_process {desk|operator} URL FILE SEED`.

A desk plays rounds without pause and writes each stake of the canary's down, as a venue would. An operator moves the
capital up, down and out, and writes down each move that the store acknowledged. Both are killed at any line.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from decimal import Decimal
from typing import Any

from console.agent.canary.desk import CanaryDesk
from console.domain.canary.plan import Plan, RunState, Step
from console.domain.errors import ConsoleError
from console.domain.statistics.evidence import Settings
from console.store.fence.blocking import Fence
from console.store.keys import Keys
from console.store.records.canary import Act, CanaryCode, RunChange, change, read
from console.store.server.connect import connect_sync

SHARES = ("0", "0.05", "0.20", "0.50", "1")
PLAN = Plan(
    tuple(Step(Decimal(share), Decimal(10**9 if share != "0" else 0), min_dwell_s=0) for share in SHARES),
    Settings(margin=1.0, sigma=1.0, lowest=-1.0, highest=1.0),
)


def note(file: int, **what: Any) -> None:
    """One line, whole or not at all."""
    os.write(file, (json.dumps(what) + "\n").encode())


def desk(url: str, file: int, dice: random.Random) -> None:
    """Rounds without pause; what an earlier desk left open is settled first."""
    desk = CanaryDesk(url, cap=Decimal(10**6), currency="USD", report_s=0.05)
    desk.start()
    for number in range(1 << 40):
        try:
            for round_id in desk.open_rounds:
                desk.settle(round_id)
            round_id = f"{os.getpid()}-{number}"
            given = desk.assign(round_id, Decimal(dice.choice((1, 2, 5))))
            if given.to_canary:
                note(file, rev=given.position.revision, step=given.position.step, canary=str(given.canary))
            desk.settle(round_id)
        except ConsoleError:
            time.sleep(0.02)


def operator(url: str, file: int, dice: random.Random) -> None:
    """Up, down, out, and in again, each time from what was seen."""
    keys = Keys.of()
    while True:
        try:
            with connect_sync(url, timeout_s=0.5, name="operator") as client:
                while True:
                    _move(Fence(client, keys), keys, file, dice)
                    time.sleep(dice.random() * 0.03)
        except ConsoleError:
            time.sleep(0.02)


def _move(fence: Fence, keys: Keys, file: int, dice: random.Random) -> None:
    reading = read(fence.client, keys).reading
    by = f"op-{os.getpid()}"
    if reading is None or not reading.run.live:
        run, act, target, seen = f"r{dice.randrange(1 << 40)}", Act.START, 0, None
    else:
        run, seen, at = str(reading.run.name), reading.run.position, reading.run.position.step
        drawn = dice.random()
        act, target = Act.STEP, at + 1
        if drawn < 0.05 or at + 1 == len(SHARES):
            act, target, seen = Act.ABORT, 0, None
        elif drawn < 0.2 and at:
            act, target = Act.LOWER, dice.randrange(at)
        elif drawn < 0.3:
            act, target = (Act.RESUME if reading.run.state is RunState.PAUSED else Act.PAUSE), 0
        elif reading.run.state is RunState.PAUSED:
            act, target = Act.RESUME, 0
    reply = fence.call(
        change(
            keys,
            RunChange(
                act,
                run,
                seen,
                by=by,
                why="chaos",
                target=target,
                plan=PLAN,
                slot="green",
                currency="USD",
                capital=Decimal(1000),
            ),
        )
    )
    if reply.code is CanaryCode.DONE:
        note(file, act=act.value, run=run, rev=reply.position.revision, step=reply.position.step)


if __name__ == "__main__":
    kind, url, path, seed = sys.argv[1:]
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    {"desk": desk, "operator": operator}[kind](url, handle, random.Random(int(seed)))
