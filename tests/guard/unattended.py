"""A canary that climbs with nobody there: a real desk that plays, a guard's process, and a gate that can be closed."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple, Self

from console.agent.canary.desk import CanaryDesk
from console.domain.canary.plan import Plan, Step
from console.domain.canary.run import CanaryReading
from console.domain.statistics.evidence import Settings
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from console.store.records.canary import Act, RunChange, change, read
from console.store.server.connect import connect_sync

FEW, ENDLESS = 5, 1_000_000
SHARES = (("0.05", FEW), ("0.20", FEW), ("0.50", ENDLESS), ("1", ENDLESS))
PLAN = Plan(
    tuple(Step(Decimal(share), Decimal(900), min_rounds=rounds, min_dwell_s=0) for share, rounds in SHARES),
    Settings(margin=5.0, sigma=1.0, lowest=-1.0, highest=9.0, due_rounds=200, min_blocks=2),
    automatic=True,
    interval_s=0.05,
)
THIRD = Decimal("0.50")
CALM, WILD = "0.1", "9"


class Taken(NamedTuple):
    """What came of a gate that closed, in seconds since it did.

    Args:
        known_s: until a process had asked and said so.
        back_s: until all of the capital was the stable side's, in the store and in the desk.
        reading: the run then.
    """

    known_s: float
    back_s: float
    reading: CanaryReading


class Unattended:
    """The play.

    Args:
        url: of an empty store.
        folder: for the guard's settings.
        environment: of its process.
    """

    def __init__(self, url: str, folder: Path, environment: Mapping[str, str]) -> None:
        self._client = connect_sync(url, timeout_s=30, name="unattended")
        self._keys, self._url, self._number = Keys.of(), url, 0
        self._chance = random.Random(3)
        self._desk = CanaryDesk(url, cap=Decimal(1000), currency="USD")
        (folder / "config.toml").write_text('[volatility]\nkey = "vol"\nlimit = 1.0\n')
        words = [sys.executable, "-m", "console", "guard", "--name", "g1", "--url", url]
        own = {**environment, "AGENT_CONSOLE_CONFIG_DIR": str(folder), "XDG_STATE_HOME": str(folder)}
        self._guard = subprocess.Popen(words, env=own, stderr=subprocess.DEVNULL)

    def __enter__(self) -> Self:
        self._client.set("vol", CALM)
        fence = Fence(self._client, self._keys)
        fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
        start = RunChange(
            Act.START, "r1", plan=PLAN, slot="green", currency="USD", capital=Decimal(1000), by="op", why=""
        )
        fence.call(change(self._keys, start))
        self._desk.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._desk.stop()
        self._guard.kill()
        self._guard.wait()
        self._client.close()

    def _reading(self) -> CanaryReading:
        reading = read(self._client, self._keys).reading
        assert reading is not None
        return reading

    def _play_until(self, holds: Callable[[], object], what: str, timeout_s: float = 60.0) -> float:
        """Play rounds until something is so; when, on the monotonic clock."""
        deadline = time.monotonic() + timeout_s
        while not holds():
            assert time.monotonic() < deadline, f"waited in vain for {what}"
            self._number += 1
            given = self._desk.assign(f"b{self._number}", Decimal(1))
            won = Decimal(str(round(self._chance.uniform(-0.48, 0.52), 4)))
            self._desk.settle(
                given.round_id,
                canary_pnl=won if given.to_canary else Decimal(0),
                stable_pnl=Decimal(0) if given.to_canary else won,
            )
            time.sleep(0.002)
        return time.monotonic()

    def climb(self) -> None:
        """Until the third step is in force."""
        self._play_until(lambda: self._desk.share == THIRD, "the third step")

    def close_the_gate(self) -> Taken:
        """Until the capital is back."""
        began = time.monotonic()
        self._client.set("vol", WILD)
        known = self._play_until(lambda: any(one.closed for one in self._reading().gates), "somebody to ask")
        back = self._play_until(lambda: self._desk.share == 0, "the capital to be back")
        return Taken(known - began, back - began, self._reading())
