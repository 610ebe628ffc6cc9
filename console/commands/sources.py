"""Where gates read what neither the store nor the logs tell; nothing is configured by default."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from console.domain.fence.deployment import Slot

if TYPE_CHECKING:
    from console.domain.commitments.listing import Listing
    from console.domain.gates.facts import VenueFacts


async def no_venue() -> VenueFacts:
    """Nothing of the venue is read: every gate of it is *not checked*."""
    from console.domain.gates.facts import VenueFacts

    return VenueFacts()


@dataclass(frozen=True, slots=True)
class GateSources:
    """Sources of facts.

    Args:
        key: the Redis key of volatility; of `key`, `log_field` and `url` at most one is given.
        log_field: the field of decision records, as names joined by dots.
        url, pointer: the HTTP address, and where in its JSON the figure stands (RFC 6901).
        prices: whether they are prices.
        health: side → the version's own health address.
        venue: reads the venue; it may take its time, and is given up after the gates' own time-out.
    """

    key: str = ""
    log_field: str = ""
    url: str = ""
    pointer: str = ""
    prices: bool = False
    health: Mapping[Slot, str] = field(default_factory=dict)
    venue: Callable[[], Awaitable[VenueFacts]] = no_venue


NO_SOURCES: Final = GateSources()
"""Nothing is configured."""


@dataclass(slots=True)
class OwnLook:
    """The last look of this process: who asks again within the venue's pace gets the same one.

    Args:
        until: on the monotonic clock, when another look may be made.
        ids: of the escrows that were asked about one by one.
        listing: what it brought; None before the first.
    """

    until: float = field(default=0.0)
    ids: frozenset[str] = frozenset()
    listing: Listing | None = None
