"""The quiesced switch: plain agents can't be fenced, but one can wait until each has seen that it is not its turn.

Flipping the plain key lets the old version act after the new one is active, with a decision it had already begun.
So the key says `draining` first; every plain agent that reads it stands by; once each has read it again, whatever it
had begun is over, and the target is activated. A connection that reads no more blocks this up to a deadline, and is
named.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from redis.exceptions import RedisError, ResponseError

from console.domain.text import Safe, clean
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import SwitchRequest
from console.store.fence.ids import new_id
from console.store.fence.replies import SwitchCode, SwitchReply
from console.store.scripts import translate

if TYPE_CHECKING:
    from redis.asyncio import Redis

OWN_NAMES: Final = ("ac:", "agent-console")
"""Connections whose names begin like this are fenced agents and consoles: they don't go by the plain key."""
READS: Final = frozenset({"get", "mget", "getex", "exists", "scan", "keys"})
"""What a plain agent's last command may be: it reads the active key and its flags in every cycle."""
LOOK_EVERY_S: Final = 0.002
"""How often what MONITOR told us is looked at, which costs the server nothing."""
ASK_EVERY_S: Final = 0.02
"""How often the server is asked for its list of connections: with a thousand of them it is work for it."""


class Method(StrEnum):
    """How it was known who has read the key again, best first."""

    MONITOR = "MONITOR"
    COUNTS = "command counts"
    """Weaker: a connection has sent *something*; and the agents' poll period has passed."""
    DEAD_TIME = "dead time"
    """Nothing is known of anybody: the agents' poll period has passed, twice."""


class Quiesced(NamedTuple):
    """What a quiesced switch did.

    Args:
        reply: of the switch: its last state.
        method: how it was known.
        acknowledged: names (or addresses) of connections that read the key while it said `draining`.
        silent: those that used to read it and did not until the deadline.
        waited_ms: how long nobody was active.
    """

    reply: SwitchReply
    method: Method
    acknowledged: tuple[Safe, ...]
    silent: tuple[Safe, ...]
    waited_ms: int


class Connection(NamedTuple):
    """A line of CLIENT LIST, as far as it is needed here."""

    id: str
    address: str
    name: str
    command: str
    sent: int

    @property
    def label(self) -> Safe:
        """Its name, or else its address."""
        return clean(self.name or self.address, 64)


def parse_clients(text: str) -> list[Connection]:
    """The connections that may be plain agents: normal ones, not ours."""
    connections = []
    for line in text.splitlines():
        facts = dict(word.partition("=")[::2] for word in line.split(" "))
        name, flags = facts.get("name", ""), facts.get("flags", "")
        if name.startswith(OWN_NAMES) or any(flag in flags for flag in "SMOP"):
            continue
        count = facts.get("tot-cmds", "")
        connections.append(
            Connection(
                facts.get("id", ""),
                facts.get("addr", ""),
                name,
                facts.get("cmd", "").partition("|")[0],
                int(count) if count.isdigit() else -1,
            )
        )
    return connections


def reads(command: str, key: str) -> bool:
    """Whether a command of MONITOR's reads the plain key."""
    words = command.split(" ")
    return words[0].upper() in ("GET", "MGET", "GETEX") and key in words[1:]


class _Watch:
    """Who reads the plain key, as MONITOR tells it."""

    def __init__(self, client: Redis, key: str) -> None:
        self._client = client
        self._key = key
        self.readers: dict[str, float] = {}
        """address → our clock at its last read."""
        self._task: asyncio.Task[None] | None = None
        self._started = asyncio.Event()
        self.usable = True

    async def start(self) -> bool:
        """Begin; False where MONITOR isn't allowed, or can't tell connections apart (Unix sockets)."""
        self._task = asyncio.create_task(self._run())
        done = asyncio.create_task(self._started.wait())
        await asyncio.wait({self._task, done}, return_when=asyncio.FIRST_COMPLETED)
        done.cancel()
        if self._task.done():
            self._task.exception()
            self.usable = False
        return self.usable

    async def _run(self) -> None:
        monitor: Any
        async with self._client.monitor() as monitor:
            self._started.set()
            while True:
                command = await monitor.next_command()
                if command["client_type"] == "lua" or not reads(command["command"], self._key):
                    continue
                if command["client_type"] != "tcp" or not command["client_port"]:
                    self.usable = False
                address = f"{command['client_address']}:{command['client_port']}"
                self.readers[address] = time.monotonic()

    async def stop(self) -> None:
        """End it and give the connection back."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError, RedisError, OSError):
                await self._task


class Waiting(NamedTuple):
    """How plain agents are waited for.

    Args:
        watcher: a connection without a time-out for replies, for MONITOR; None not to use it.
        poll_ms: how often they read the key; for so long it is observed first who does.
        deadline_ms: the longest that nobody is active.
        expect: names of connections that must have read it, besides those that were observed.
    """

    watcher: Redis | None = None
    poll_ms: int = 1_000
    deadline_ms: int = 5_000
    expect: Iterable[str] = ()


async def quiesced_switch(fence: AsyncFence, request: SwitchRequest, waiting: Waiting) -> Quiesced:
    """Switch with plain agents about.

    Args:
        fence: on a connection of its own.
        request: what is wanted; how it is done (drain, and for how long) is decided here.
        waiting: how plain agents are waited for.

    Raises:
        StoreUnreachable: no answer. Whoever calls next finishes the switch: its deadline is in the store.
    """
    poll_s, deadline_ms = waiting.poll_ms / 1000, waiting.deadline_ms
    request = request._replace(
        mode="drain",
        drain_ms=deadline_ms,
        hold_ms=deadline_ms,
        switch_id=request.switch_id or new_id(),
    )
    wanted = set(waiting.expect)
    watch = _Watch(waiting.watcher, fence.keys.active) if waiting.watcher is not None else None
    try:
        watching = watch is not None and await watch.start()
        if watching:
            await asyncio.sleep(poll_s * 1.5)  # who reads it at all?
        before = {connection.id: connection for connection in await _clients(fence)}
        readers = _readers(before.values(), set(watch.readers) if watch else set(), wanted)
        reply = await fence.switch(request)
        began = time.monotonic()
        if reply.code is not SwitchCode.DRAINING:
            return Quiesced(reply, Method.MONITOR, (), (), 0)
        method, ready = Method.DEAD_TIME, _after(began + 2 * poll_s)
        if watching and watch is not None and watch.usable:
            method, ready = Method.MONITOR, _all_read(watch, readers, began)
        elif any(connection.sent >= 0 for connection in before.values()):
            method, ready = Method.COUNTS, _all_counted(fence, before, began + poll_s)
        every_s = LOOK_EVERY_S if method is Method.MONITOR else ASK_EVERY_S
        silent = await _wait(ready, began + deadline_ms / 1000, every_s)
        reply = await _finish(fence, request, began + deadline_ms / 1000)
        waited_ms = int((time.monotonic() - began) * 1000)
        known = readers
        if method is not Method.MONITOR:
            known = {c.id: c.label for c in before.values() if c.command in READS or c.name in wanted}
        names = {key: label for key, label in known.items() if key not in silent}
        return Quiesced(
            reply, method, tuple(names.values()), tuple(known[key] for key in silent if key in known), waited_ms
        )
    finally:
        if watch is not None:
            await watch.stop()


async def plain_readers(fence: AsyncFence) -> list[Connection]:
    """Connections that may be plain agents: not ours, and what they did last was to read keys.

    Raises:
        StoreUnreachable: no answer.
    """
    return [connection for connection in await _clients(fence) if connection.command in READS]


async def _finish(fence: AsyncFence, request: SwitchRequest, deadline: float) -> SwitchReply:
    """End the dead time; what fenced agents have in flight ends or goes in doubt at the same deadline."""
    end = SwitchRequest(request.target, expected_epoch="any", mode="finish", switch_id=request.switch_id, by=request.by)
    while True:
        reply = await fence.switch(end)
        if reply.code is not SwitchCode.DRAINING or time.monotonic() > deadline + 1:
            return reply
        await asyncio.sleep(0.01)


async def _clients(fence: AsyncFence) -> list[Connection]:
    try:
        listing: Any = await fence.runner.execute("CLIENT", "LIST")
    except ResponseError:
        return []  # not allowed: nothing is known of anybody
    except RedisError as error:
        raise translate(error, "CLIENT LIST") from error
    if isinstance(listing, list):
        listing = "\n".join(" ".join(f"{k}={v}" for k, v in line.items()) for line in listing)
    return parse_clients(listing.decode("utf-8", "replace") if isinstance(listing, bytes) else listing)


def _readers(connections: Iterable[Connection], seen: set[str], expected: set[str]) -> dict[str, Safe]:
    """address → label of every connection that was seen reading, or is expected to, or which read keys last."""
    return {
        connection.address: connection.label
        for connection in connections
        if connection.address in seen or connection.name in expected or connection.command in READS
    }


Ready = Callable[[], Awaitable[set[str]]]
"""Which connections are still waited for; empty when none is."""


def _after(moment: float) -> Ready:
    async def ready() -> set[str]:
        return set() if time.monotonic() >= moment else {""}

    return ready


def _all_read(watch: _Watch, readers: dict[str, Safe], since: float) -> Ready:
    async def ready() -> set[str]:
        return {address for address in readers if watch.readers.get(address, 0.0) < since}

    return ready


def _all_counted(fence: AsyncFence, before: dict[str, Connection], not_before: float) -> Ready:
    async def ready() -> set[str]:
        now = {connection.id: connection for connection in await _clients(fence)}
        still = {
            key
            for key, connection in before.items()
            if connection.command in READS and key in now and now[key].sent <= connection.sent
        }
        return still or (set() if time.monotonic() >= not_before else {""})

    return ready


async def _wait(ready: Ready, deadline: float, every_s: float) -> set[str]:
    while True:
        missing = await ready()
        if not missing or time.monotonic() >= deadline:
            return missing
        await asyncio.sleep(every_s)
