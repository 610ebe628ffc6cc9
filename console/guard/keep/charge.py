"""One agent in a guard's charge: what everything that this guard does about it needs."""

from __future__ import annotations

from dataclasses import dataclass

from console.guard.keep.control import BY
from console.guard.keep.state import GuardState
from console.guard.telling import Tell
from console.store.fence.aio import AsyncFence
from console.store.keys import Keys


@dataclass(frozen=True, slots=True)
class Charge:
    """One agent in a guard's charge.

    Args:
        guard: this guard's name.
        fence: the agent's control side; its client's retries are off.
        state: what guards read and keep of it.
        tell: what happens, for the log.
    """

    guard: str
    fence: AsyncFence
    state: GuardState
    tell: Tell

    @property
    def agent(self) -> str:
        """Its name."""
        return self.state.agent

    @property
    def keys(self) -> Keys:
        """Its keys."""
        return self.state.keys

    @property
    def by(self) -> str:
        """How the guard signs what it does."""
        return f"{BY}{self.guard}"
