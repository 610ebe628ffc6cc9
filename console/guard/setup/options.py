"""What a guard is started with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from console.guard.setup.settings import GuardFile
from console.logs.options import LogOptions

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from console.domain.fence.promise import Promise

AGENT: Final = "{agent}"
"""Stands for an agent's name in patterns."""
LAST_LINES: Final = 100_000
"""Lines read from each log at the start: the tenure's rounds, and the baseline's before them."""


def utc_now() -> datetime:
    """The clock that guards run by."""
    return datetime.now(UTC)


class Attends(Protocol):
    """Asks the gates for a canary that nobody attends."""

    async def look(self) -> StrEnum | None:
        """Ask once; how taking capital back ended, None where it was not due.

        Raises:
            ConsoleError: nothing could be asked.
        """
        ...


AttendantOf = Callable[[str, "Redis", str], Attends]
"""Makes one for an agent, on a client, by a name."""


@dataclass(frozen=True, slots=True)
class GuardOptions:
    """What a guard is started with.

    Args:
        url: of the store.
        agent: whose keys; of a fleet, whose a log without a name in its pattern is.
        decisions: paths and patterns of decision logs, in which `{agent}` stands for the agent's name; none for a
            fenced agent known by its actions in the store.
        logs: how they are read.
        file: thresholds, signals, webhooks.
        state_file: the agent's state, of which the escrows on its list are read; `{agent}` as in `decisions`; None
            where there is none.
        venue: the venue's document; `{agent}` as in `decisions`; None where there is none.
        attendant_of: makes what asks the gates for a canary; None where nobody gave an operator's settings.
        promise: what is vouched for of a server that does not tell.
        name: unique to the process; made up if empty.
        clock: the time now; a test may run it faster.
        fleet: whether every agent of the store is watched, and not `agent` alone.
    """

    url: str
    agent: str
    decisions: tuple[str, ...]
    logs: LogOptions
    file: GuardFile = field(default_factory=GuardFile)
    state_file: Path | None = None
    name: str = ""
    clock: Callable[[], datetime] = utc_now
    fleet: bool = False
    venue: Path | None = None
    attendant_of: AttendantOf | None = None
    promise: Promise | None = None

    def decisions_of(self, agent: str) -> tuple[str, ...]:
        """The paths and patterns of one agent's decision logs."""
        return tuple(
            str(Path(pattern.replace(AGENT, agent)).expanduser())
            for pattern in self.decisions
            if agent == self.agent or AGENT in pattern
        )

    def state_file_of(self, agent: str) -> Path | None:
        """One agent's state file."""
        return self._file_of(agent, self.state_file)

    def venue_of(self, agent: str) -> Path | None:
        """The document of one agent's venue."""
        return self._file_of(agent, self.venue)

    def _file_of(self, agent: str, path: Path | None) -> Path | None:
        if path is None or not (agent == self.agent or AGENT in str(path)):
            return None
        return Path(str(path).replace(AGENT, agent)).expanduser()
