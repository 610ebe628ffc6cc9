"""A store with its default user switched off and a user for each role, and everything that these roles do."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path

import redis

from console.agent import (
    AgentController,
    CanaryDesk,
    Commitment,
    Evidence,
    Experiments,
    Flags,
    FlagSpec,
    FlagType,
    Kind,
    Manifest,
    Settings,
    StandBy,
    StandbyShadow,
    State,
)
from console.agent.aio import AgentController as AsyncAgentController
from console.agent.decisions import to_stream
from console.guard.run.fleet import Fleet
from console.guard.run.process import Guard
from console.guard.setup.options import GuardOptions
from console.guard.setup.settings import GuardFile
from console.logs.options import LogOptions
from console.store.acl import Role, Rules, rules
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from console.store.scripts import NAMES as SCRIPTS
from console.store.scripts import sha1
from console.store.server.connect import connect_sync
from tests.cli.conftest import Cli
from tests.servers import Server
from tests.waiting import until, until_async

TOLERATED = frozenset(
    {"fcall", "config|get", "acl|getuser", "function|list", "function|stats", "memory|usage", "monitor"}
)
"""Commands that are tried, and done without where they are not permitted."""
KEYS = Keys.of()


class Heard:
    """Commands that a server carried out, and what they were given."""

    def __init__(self) -> None:
        self.sent: set[str] = set()
        self.words: set[str] = set()
        self.scripts: set[str] = set()

    def listen(self, lines: Iterator[dict[str, str]]) -> None:
        """Until somebody says `ECHO over`."""
        names = {sha1(name): name for name in SCRIPTS}
        for line in lines:
            words = line["command"].split()
            if [word.lower() for word in words] == ["echo", "over"]:
                return
            self.words.update(words)
            if line["client_type"] == "lua":
                continue
            first = words[0].lower()
            self.sent.add(f"{first}|{words[1].lower()}" if first in ("acl", "client", "script") else first)
            if first == "evalsha":
                self.scripts.add(names.get(words[1], "?"))

    def touched(self, pattern: str) -> bool:
        """Whether one of the words fits a pattern of keys."""
        return any(fnmatchcase(word, pattern) for word in self.words)


class Roles:
    """The store and its users.

    Args:
        server: of the test's own.
        cli: the command line.
        folder: for files.
        every: whether users but the agent's are made for every agent.
    """

    def __init__(self, server: Server, cli: Cli, folder: Path, *, every: bool = True) -> None:
        self.server, self._cli, self.folder = server, cli, folder
        self.rules = {role: rules(role, every=every) for role in Role}
        server.command("ACL", "SETUSER", "root", "on", ">pw", "~*", "&*", "+@all")
        self.admin = redis.Redis(
            unix_socket_path=str(server.socket), username="root", password="pw", socket_timeout=None
        )
        for role in Role:
            self.allow(self.rules[role])
        self.admin.execute_command("ACL", "SETUSER", "default", "off")

    def _root(self) -> redis.Redis:
        socket = str(self.server.socket)
        return redis.Redis(unix_socket_path=socket, username="root", password="pw", socket_timeout=None)

    def allow(self, given: Rules) -> None:
        """Make a role's user anew."""
        self.admin.execute_command("ACL", "SETUSER", given.role, "reset", "on", ">pw", *given.words)

    def url(self, role: Role) -> str:
        return f"unix://{role}:pw@{self.server.socket}"

    def cli(self, role: Role, *words: str) -> int:
        return self._cli(*words, url=self.url(role)).code

    def move(self, slot: str) -> None:
        """Make a side active, as nobody's role."""
        Fence(self.admin, KEYS).switch(SwitchRequest(slot, expected_epoch="any", by="root", mode="now"))

    @contextmanager
    def heard(self) -> Iterator[Heard]:
        """What is carried out meanwhile, but for what root does: that goes by functions."""
        heard = Heard()
        watcher = redis.Redis(
            unix_socket_path=str(self.server.socket), username="root", password="pw", socket_timeout=None
        )
        with watcher.monitor() as monitor:
            thread = threading.Thread(target=heard.listen, args=(monitor.listen(),))
            thread.start()
            try:
                yield heard
            finally:
                self.admin.execute_command("ECHO", "over")
                thread.join(20)

    def denied(self) -> set[tuple[str, str, str]]:
        """Everything that was refused since the last time: user, why, and which command or key."""
        log = self.admin.execute_command("ACL", "LOG")
        self.admin.execute_command("ACL", "LOG", "RESET")
        rows = {(_text(one, "username"), _text(one, "reason"), _text(one, "object")) for one in log}
        return {row for row in rows if row[2].lower() not in TOLERATED}


def _text(row: dict[object, object], name: str) -> str:
    told = row.get(name, row.get(name.encode()))
    return told.decode() if isinstance(told, bytes) else str(told)


def agents(roles: Roles) -> None:
    """A blue agent in threads and a green one with asyncio: claim, settle, heartbeat, state, canary, what is owed."""
    url, settings = roles.url(Role.AGENT), Settings(hand_over=True, memory_dir=None)
    alone = settings._replace(money=False, replicas=1)
    flags = Flags((FlagSpec("game", FlagType.STRING, "dice"),))
    told = to_stream(connect_sync(url, timeout_s=5.0), KEYS)
    shadow = StandbyShadow(url, lambda _proposal, _played: None, warm_s=60, every_s=0.05)
    blue = AgentController(url, slot="blue", version="2.4.0", settings=settings, flags=flags)
    with blue, Experiments(url) as trial, CanaryDesk(url, cap=Decimal(1000), currency="USD", report_s=0.1) as desk:
        blue.declare(Manifest())
        roles.move("blue")
        until(lambda: blue.active, "blue to be active")
        blue.keep(State(version="2.4.0", timestamp=1, extra={"n": 1}), why="a test")
        until(lambda: blue.kept is not None, "the state to be kept")
        with blue.action("bet-1", amount=Decimal(1), currency="USD") as act:
            act.settle("won")
        with suppress(TimeoutError), blue.action("bet-2", amount=Decimal(1), currency="USD"):
            raise TimeoutError
        blue.commitments.put(Commitment("esc_1", Kind.ESCROW))
        blue.commitments.watch([one.id for one in blue.commitments.mine()])
        blue.commitments.watch([])
        blue.commitments.watch(["esc_1"])
        roles.admin.unlink(KEYS.watch(blue.instance))
        blue.commitments.watch(["esc_1", "esc_2"])
        assert blue.commitments.all()
        assert blue.resolve(lambda _claim: Evidence(executed=False, evidence="never seen"))
        with AgentController(url, slot="blue", version="2.4.1", settings=alone) as waiting:
            until(lambda: waiting.active, "another blue to be active")
            with suppress(StandBy), waiting.action("bet-9", amount=Decimal(1), currency="USD"):
                raise AssertionError("no replica has the claim")
        desk.settle("b1") if desk.assign("b1", Decimal(1)) else None
        trial.value("bet_sizing", "r1", "default", "c1")
        told({"version": "2.4.0"})
        asyncio.run(_green(url, settings, roles, shadow))
        blue.trip("a test")
        blue.halt("a test")


async def _green(url: str, settings: Settings, roles: Roles, shadow: StandbyShadow) -> None:
    async with AsyncAgentController(url, slot="green", version="2.5.0", settings=settings, shadow=shadow) as green:
        await until_async(lambda: not shadow.why_not)
        roles.move("green")
        await until_async(lambda: green.active)
        await green.take_over()
        await green.commitments.all()
        async with green.action("bet-3", amount=Decimal(1), currency="USD") as act:
            await act.settle("won")
        await green.drain(1.0)


async def guards(roles: Roles) -> None:
    """A guard on every agent, and one look at one of them."""
    options = GuardOptions(roles.url(Role.GUARD), "agent", (), LogOptions(), GuardFile(), name="g1")
    for guard in (Fleet(options, lambda *_event, **_fields: None), Guard(options, lambda *_event, **_fields: None)):
        await guard.open()
        stop = asyncio.Event()
        task = asyncio.create_task(guard.run(stop))
        await asyncio.sleep(2.5)
        stop.set()
        await task
        await guard.once()
        await guard.aclose()
