"""What a console is attached to, and how it is attached to another agent or profile while it runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, Protocol

from console.domain.board.boards import Boards
from console.domain.fleet.board import FleetBoard
from console.domain.operator.command import Operator
from console.domain.seen.browsing import Browser
from console.domain.seen.source import Source


async def nothing_to_close() -> None:
    """Where nothing was opened."""


class Attached(NamedTuple):
    """Everything that is one agent's, of one profile.

    Args:
        source: where observations come from.
        operator: what carries out commands.
        boards: what is read only while a screen shows it.
        browser: reads whole decision logs while a screen shows them.
        fleet: the agents of the same store.
        agent: whose.
        profile: the profile's name; empty for none.
        protected: whether that profile is protected.
        aclose: ends all of it, its descriptors and threads with it; the fleet only where another store follows.
    """

    source: Source
    operator: Operator
    boards: Boards
    browser: Browser
    fleet: FleetBoard
    agent: str = ""
    profile: str = ""
    protected: bool = False
    aclose: Callable[[], Awaitable[None]] = nothing_to_close


class Scoped(Operator, Protocol):
    """Carries out one command on several agents."""

    told: Callable[[int], None]
    """Called after each of them, with how many are done."""

    @property
    def agents(self) -> Sequence[str]:
        """Whom it is said to."""
        ...

    @property
    def lines(self) -> Sequence[tuple[str, str, bool]]:
        """What came of it: each agent, its receipt or why it has none, and whether it has one; who failed first."""
        ...


class Attachments(Protocol):
    """Attaches the console to another agent or another profile."""

    @property
    def agents(self) -> Sequence[str]:
        """The agents of this store that are known by now."""
        ...

    @property
    def profiles(self) -> Sequence[tuple[str, str]]:
        """The profiles that there are, each with its store."""
        ...

    async def to_agent(self, name: str) -> Attached:
        """Attach to another agent of the same store; what was attached before is ended by whoever asked.

        Raises:
            UsageError: there is none of this name; the text lists those that are known.
            StoreUnreachable: whether there is one can't be told.
        """
        ...

    async def to_profile(self, name: str) -> Attached:
        """Attach to another profile as a console that starts with it: a protected one is locked.

        Raises:
            UsageError: there is none of this name, or something in it is wrong.
            ConsoleError: its store is none that can be commanded.
        """
        ...

    def several(self, agents: Sequence[str]) -> Scoped:
        """An operator on several agents of this store."""
        ...


class NoAttachments:
    """A picture, and a replay: there is nothing else to attach to."""

    agents: Sequence[str] = ()
    profiles: Sequence[tuple[str, str]] = ()

    async def to_agent(self, name: str) -> Attached:
        """Refused."""
        raise _refused()

    async def to_profile(self, name: str) -> Attached:
        """Refused."""
        raise _refused()

    def several(self, agents: Sequence[str]) -> Scoped:
        """Refused."""
        raise _refused()


def _refused() -> Exception:
    from console.domain.errors import Refused

    return Refused("This console shows one agent only.")
