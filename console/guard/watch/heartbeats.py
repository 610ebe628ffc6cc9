"""What a guard says of itself to each of its agents: that it is there, and what it sees."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from os import getpid
from typing import TYPE_CHECKING, Any

import msgspec

from console.domain.guard.alerts import finding_document
from console.guard.watch.tools import Tools
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from console.guard.watch.ward import Ward

HOST = socket.gethostname()


class Words:
    """One agent's heartbeat as JSON; what has not changed since the last time is not put into words anew."""

    __slots__ = ("_of", "_rest")

    def __init__(self) -> None:
        self._of: object = None
        self._rest = b""

    def say(self, ward: Ward, tools: Tools, server_ms: int, every_s: float) -> bytes:
        """The heartbeat.

        Args:
            ward: the agent.
            tools: what it shares with others.
            server_ms: the server's clock.
            every_s: how long until the next one.
        """
        watch, counts, problem = ward.watch, ward.feed.counts(), ward.problem
        shown = (watch.last, watch.facts.tenure, problem, ward.notifier.held, tuple(counts.values()), every_s)
        if self._of != shown:
            document = {
                "every_s": round(every_s, 3),
                "agent": ward.agent,
                "host": HOST,
                "pid": getpid(),
                "started_at": tools.started.isoformat(),
                "watching": watch.facts.tenure.slot if watch.facts.tenure else "",
                "problem": problem,
                "notifies": ward.notifier.held,
                **counts,
                "failures": ward.trouble.failures,
                "triggers": [finding_document(finding) for finding in watch.last.findings] if watch.last else [],
            }
            self._of, self._rest = shown, msgspec.json.encode(document)[1:]
        at = ward.evaluated_at.isoformat().encode()
        return b'{"ms":%d,"evaluated_at":"%b",%b' % (server_ms, at, self._rest)


async def beat(wards: Sequence[Ward], tools: Tools, every_s: float) -> None:
    """Say to several agents that we are here; an agent whose list of guards is spoiled is told of it, and no more.

    Args:
        wards: the agents.
        tools: what they share.
        every_s: how long until the next one.

    Raises:
        StoreUnreachable: no answer.
    """
    server_ms = await wards[0].state.server_ms()
    pipe: Any = tools.client.pipeline(transaction=False)
    there = [ward for ward in wards if not ward.gone]  # who said goodbye meanwhile must not be heard of once more
    for ward in there:
        said = ward.words.say(ward, tools, server_ms, every_s)
        pipe.execute_command("HSET", ward.state.names.guards, tools.name, said)
    with wrap_errors():
        replies = await pipe.execute(raise_on_error=False)
    for ward, reply in zip(there, replies, strict=True):
        if isinstance(reply, Exception):
            ward.state.spoil(ward.state.names.guards, reply)
        elif ward.state.spoiled:
            ward.state.spoiled.pop(ward.state.names.guards, None)
