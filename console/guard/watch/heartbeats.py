"""What a guard says of itself to each of its agents: that it is there, and what it sees."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from datetime import datetime
from os import getpid
from typing import Any, NamedTuple

import msgspec

from console.domain.guard.alerts import finding_document
from console.domain.text import Safe
from console.domain.triggers.look import Assessment
from console.guard.keep.state import GuardState
from console.guard.watch.feed import Counts
from console.guard.watch.tools import Tools
from console.store.records.revisions import Part, moved
from console.store.server.cluster import is_away
from console.store.server.trouble import wrap_errors

HOST = socket.gethostname()


class Sight(NamedTuple):
    """What a guard sees of one agent.

    Args:
        last: the last look; None before the first.
        watching: the side looked at; empty while nobody is active.
        problem: why it can't be seen or judged; empty when it can.
        notifies: whether this guard is the one that sends its alerts.
        counts: what was read of it, and what was not.
        failures: how often it could not be watched.
    """

    last: Assessment | None
    watching: str
    problem: Safe
    notifies: bool
    counts: Counts
    failures: int


class Voice:
    """Speaks to one agent; what has not changed since the last time is not put into words anew.

    Args:
        state: for the agent's list of guards.
        sight: what is seen of it now.
        begun: since when anything could be seen.
    """

    __slots__ = ("_rest", "_sight", "_worded", "evaluated_at", "gone", "state")

    def __init__(self, state: GuardState, sight: Callable[[], Sight], begun: datetime) -> None:
        self.state = state
        self.evaluated_at = begun
        """When it was looked at last, or was known to be as the last look found it."""
        self.gone = False
        """Whether we said goodbye to it."""
        self._sight = sight
        self._worded: object = None
        self._rest = b""

    def words(self, tools: Tools, server_ms: int, every_s: float) -> bytes:
        """The heartbeat as JSON.

        Args:
            tools: what all agents share.
            server_ms: the server's clock.
            every_s: how long until the next one.
        """
        sight = self._sight()
        last = sight.last
        if self._worded != (sight, every_s):
            document = {
                "every_s": round(every_s, 3),
                "agent": self.state.agent,
                "host": HOST,
                "pid": getpid(),
                "started_at": tools.started.isoformat(),
                "watching": sight.watching,
                "problem": sight.problem,
                "notifies": sight.notifies,
                **sight.counts._asdict(),
                "failures": sight.failures,
                "triggers": [finding_document(finding) for finding in last.findings] if last else [],
            }
            self._worded, self._rest = (sight, every_s), msgspec.json.encode(document)[1:]
        at = self.evaluated_at.isoformat().encode()
        return b'{"ms":%d,"evaluated_at":"%b",%b' % (server_ms, at, self._rest)


async def beat(voices: Sequence[Voice], tools: Tools, every_s: float) -> None:
    """Say to several agents that we are here; an agent whose list of guards is spoiled is told of it, and no more.

    Args:
        voices: the agents'.
        tools: what they share.
        every_s: how long until the next one.

    Raises:
        StoreUnreachable: no answer.
    """
    server_ms = await voices[0].state.server_ms()
    pipe: Any = tools.client.pipeline(transaction=False)
    there = [voice for voice in voices if not voice.gone]  # who said goodbye meanwhile must not be heard once more
    for voice in there:
        words = voice.words(tools, server_ms, every_s)
        pipe.execute_command("HSET", voice.state.names.guards, tools.name, words)
        pipe.execute_command(*moved(voice.state.keys, Part.GUARDS))
    with wrap_errors():
        replies = await pipe.execute(raise_on_error=False)
    for voice, reply in zip(there, replies[::2], strict=True):  # the marks only help who reads
        if is_away(reply):
            continue  # the node of that agent: told where it is looked at
        if isinstance(reply, Exception):
            voice.state.spoil(voice.state.names.guards, reply)
        elif voice.state.spoiled:
            voice.state.spoiled.pop(voice.state.names.guards, None)
