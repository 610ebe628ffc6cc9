"""Everything that an upgrade is made of, as processes that can be killed: store, two traders, a guard, who walks;
and a venue over real HTTP that counts. All end when the block is left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import IO, Any, Self

import redis

from console.commands.context import Context
from console.commands.gateway.gateway import Gateway
from console.demo.faulty import FaultyVenue
from console.domain.errors import StoreUnreachable
from console.domain.upgrade.run import UpgradeRun
from console.store.fence.blocking import Fence
from console.store.keys import Keys
from console.store.records.upgrades import CURRENT, stored_run
from console.store.server.connect import connect, connect_sync
from tests import ROOT
from tests.faults import capital
from tests.faults.trader import PAUSE
from tests.servers import Server
from tests.waiting import until

KEYS = Keys.of()
VERSIONS = {"blue": "2.4.0", "green": "2.5.0"}
AWAY = (StoreUnreachable, redis.ConnectionError, redis.TimeoutError)
"""What is raised while the store is away."""
SHADOWED = 3
"""Rounds that a version has to play as a shadow, in the runs whose plan wants that."""
CANARY = "canary.toml"
PLAN = """\
review = 2
review_by_operator = false
watch_s = 0.4
warm_s = 0.6
"""


class Started:
    """One program of the company, begun anew after each death.

    Args:
        words: after `python -m`.
        environment: its process's.
        errors: where it says what it does.
    """

    def __init__(self, *words: str, environment: dict[str, str], errors: IO[bytes]) -> None:
        self.words, self.environment, self.errors = words, environment, errors
        self.kills = 0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Begin."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", *self.words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            cwd=ROOT,
            env=self.environment,
        )
        return self

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def line(self) -> str:
        """The first line that it says."""
        assert self.process is not None and self.process.stdout is not None
        return self.process.stdout.readline().decode().strip()

    def kill(self) -> None:
        """kill -9."""
        if self.process is not None:
            self.kills += self.alive
            self.process.kill()
            self.process.communicate()
            self.process = None


class Company:
    """All of them.

    Args:
        folder: for everything.
        program: the server's binary.
    """

    def __init__(self, folder: Path, program: Path | None = None) -> None:
        self.folder = folder
        self.cleanup = ExitStack()
        self.server = Server(folder, {}, program)
        self.venue = FaultyVenue()
        self.lives = 0
        self.instances: dict[str, str] = {}
        self.read: tuple[bytes | None, UpgradeRun | None] = (None, None)
        """The run's text as it was read last, and the run."""

    def __enter__(self) -> Self:
        names = {"XDG_STATE_HOME": "state", "AGENT_CONSOLE_CONFIG_DIR": "config", "AGENT_CONSOLE_DATA_DIR": "data"}
        self.environment = {**os.environ, **{name: str(self.folder / part) for name, part in names.items()}}
        self.errors = self.cleanup.enter_context((self.folder / "said.log").open("ab"))
        self.decisions = self.folder / "decisions.jsonl"
        self.decisions.touch()
        self.plan = self.folder / "plan.toml"
        self.planned(shadow=False)
        self.server.start()
        self.cleanup.callback(self.server.kill)
        self.cleanup.enter_context(self.venue)
        self.client = connect_sync(self.server.url, timeout_s=5.0, name="operator")
        self.cleanup.callback(self.client.close)
        self.fence = Fence(self.client, KEYS)
        self.traders = {slot: self.trader(slot) for slot in VERSIONS}
        self.guard = self.console("guard", "--name", "g1").start()
        self.walker = self.console("upgrade", "go")
        self.cleanup.callback(self.walker.kill)
        self.cleanup.callback(self.guard.kill)
        return self

    def __exit__(self, *_error: object) -> None:
        for one in self.traders.values():
            one.kill()
        self.cleanup.close()

    def planned(self, *, shadow: bool, ladder: str = "") -> None:
        """What the next run is to do.

        Args:
            shadow: whether its version has to have played as one.
            ladder: the side that climbs a canary's ladder; empty for none.
        """
        climbs = f'canary = "{CANARY}"\n' if ladder else ""
        (self.folder / CANARY).write_text(f'canary = "{ladder}"\n{capital.PLAN}')
        self.plan.write_text(f"shadow_rounds = {SHADOWED if shadow else 0}\n{climbs}{PLAN}")

    def console(self, *words: str) -> Started:
        """`agent-console`, with all that this company has to say to it."""
        told = ["--url", self.server.url, "--who", "ann", "--yes", "--decisions", str(self.decisions)]
        told += [word for slot, version in VERSIONS.items() for word in ("--slot", f"{slot}={version}")]
        return Started("console", *told, *words, environment=self.environment, errors=self.errors)

    def say(self, *words: str) -> int:
        """A verb to its end; its exit code."""
        verb = self.console(*words).start()
        assert verb.process is not None
        verb.process.communicate(timeout=60)
        return int(verb.process.returncode)

    @asynccontextmanager
    async def here(self) -> AsyncIterator[Context]:
        """A console in this process."""
        client = await connect(self.server.url, name="agent-console", timeout_s=10.0)
        gateway = Gateway(client, KEYS, url=self.server.url, registry={}, who="bea")
        try:
            yield Context(gateway, {}, self.folder / "snapshots")
        finally:
            await gateway.aclose()

    def trader(self, slot: str) -> Started:
        """The agent of a side, in its next life."""
        self.lives += 1
        told = {
            "url": self.server.url,
            "slot": slot,
            "version": VERSIONS[slot],
            "other": next(version for side, version in VERSIONS.items() if side != slot),
            "port": self.venue.port,
            "key": self.venue.key,
            "folder": str(self.folder),
            "seed": self.lives,
        }
        words = ("tests.faults.trader", json.dumps(told))
        return Started(*words, environment=self.environment, errors=self.errors).start()

    def trader_dies(self, slot: str) -> None:
        """kill -9, and another one of that side."""
        self.traders[slot].kill()
        self.instances.pop(slot, None)
        self.traders[slot] = self.trader(slot)

    def supervise(self) -> list[str]:
        """Begin anew whoever ended by itself, as a host would; in words, those that should not have.

        A process that starts while the store is away says so and ends; one that was up never ends by itself.
        """
        wrong = []
        if not self.guard.alive:
            self.guard.kill()
            self.guard.start()
        for slot, trader in self.traders.items():
            if not trader.alive:
                if slot in self.instances:
                    wrong.append(f"the trader of {slot} died of an exception")
                self.trader_dies(slot)
        return wrong

    def instance(self, slot: str) -> str:
        """The trader's name in the store; waits until it has one."""
        while not self.instances.get(slot):
            self.instances[slot] = self.traders[slot].line()
            if not self.instances[slot]:  # the store was away when it started
                self.trader_dies(slot)
        return self.instances[slot]

    def run(self) -> UpgradeRun | None:
        """The run that goes on, or the last one; waits for a store that is away."""

        def read() -> bool:
            raw: Any = self.client.hget(KEYS.upgrades, CURRENT)
            if raw != self.read[0]:
                self.read = (raw, stored_run(raw).run)
            return True

        until(read, "the run to be read", despite=AWAY)
        return self.read[1]

    def pause(self) -> None:
        """Nothing is sent any more, and nothing is in flight or in doubt."""
        (self.folder / PAUSE).touch()
        for slot in VERSIONS:
            heard = self.folder / f"{PAUSE}-{self.instance(slot)}"
            until(heard.exists, f"the trader of {slot} to pause", despite=AWAY)
        until(lambda: not self.fence.open_claims(), "every doubt to be resolved", despite=AWAY)

    def go_on(self) -> None:
        """They trade again."""
        for path in self.folder.glob(f"{PAUSE}*"):
            path.unlink()
