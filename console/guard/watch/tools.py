"""What all agents in a guard's care share."""

from __future__ import annotations

import asyncio
import os
import socket
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from console.domain.guard.members import Member
from console.domain.text import clean
from console.guard.hear.rows import RowReader
from console.guard.setup.options import GuardOptions
from console.guard.tell.posts import Posts
from console.guard.telling import Tell
from console.guard.watch.closely import Closely

if TYPE_CHECKING:
    from redis.asyncio import Redis


@dataclass(frozen=True, slots=True)
class Tools:
    """What all agents in a process's care share.

    Args:
        options: what the process was started with.
        name: the guard's.
        client: for everything but listening.
        posts: for webhooks.
        tell: for the log.
        started: since when the process runs.
        reader: makes rows of log lines.
        catching_up: held by the one log that is read from its beginning, so that the others stay responsive.
        closely: turns for looking closely at an agent's store.
    """

    options: GuardOptions
    name: str
    client: Redis
    posts: Posts
    tell: Tell
    started: datetime
    reader: RowReader
    catching_up: asyncio.Lock = field(default_factory=asyncio.Lock)
    closely: Closely = field(default_factory=Closely)

    def member(self) -> Member:
        """The process, as it tells other guards of itself."""
        host, name = clean(socket.gethostname(), 64), clean(self.name, 64)
        return Member(name, self.started, self.started, host, os.getpid())
