"""What goes on beside a controller while its side stands by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from console.agent.fence.action import Proposal
    from console.domain.manifest.manifest import Manifest
    from console.store.keys import Keys


class Whose(Protocol):
    """Of a controller's core, what one beside it needs to know."""

    slot: str
    version: str
    instance: str
    keys: Keys
    manifest: Manifest | None

    def keys_on(self, client: Any) -> Keys:
        """The agent's keys as they are on the store behind a client."""


class Standing(Protocol):
    """Is told what the side that stands by wants; `console.agent.StandbyShadow` is one. No method waits or raises."""

    def begin(self, core: Whose) -> None:
        """The controller has started."""

    def end(self) -> None:
        """The controller stops."""

    def looked(self, wanted: Proposal | None) -> None:
        """This side decided while the other one acts: what it wanted, and could not have; None for nothing."""
