"""Versions drain: may one be stopped, what is left of it, until when, and who takes it.

A version is *drained* only where that is shown: nothing that it opened is left, and the venue was read after its last
act and shows nothing of it. What can't be read is *unknown*, and unknown is never drained.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from console.domain.commitments.commitment import Owed
from console.domain.fence.claims import OpenClaim
from console.domain.fence.deployment import Authority, Slot

NOT_SINCE: Final = "the venue has not been read since its last act"


class VersionState(StrEnum):
    """How far a version is on its way out."""

    ACTIVE = "active"
    DRAINING = "draining"
    """It isn't active, and something that it opened is left."""
    DRAINED = "drained"
    """Nothing of it is left, and the venue was read after its last act."""
    RETIRED = "retired"
    UNKNOWN = "unknown"
    """Nothing is listed, but nobody can vouch for that."""


class Item(NamedTuple):
    """Something that a version has opened and that has no end yet.

    Args:
        what: "claim", "doubt", the commitment's kind, or "escrow at the venue" for what no list of ours has.
        id: idempotency key or commitment's id.
        until: when it ends by itself; None where never.
        taken_by: which slot brings it to its end; None where nobody does.
    """

    what: str
    id: str
    until: datetime | None
    taken_by: Slot | None


class VersionFacts(NamedTuple):
    """What is known of one version.

    Args:
        version: its name.
        slots: where it ran.
        living: its instances with a fresh heartbeat.
        is_active: whether one of them is of the active slot.
        items: what is left of it.
        last_act: no act of it is later than this; None where that can't be told.
        venue_read: when the venue was read, or looked at by an operator, by the store's clock; None where it was not.
        unseen: why that read can't tell that nothing is left of it there; empty where it can.
        unreadable: why something can't be told; empty where everything can.
        retired_at: when an operator retired it.
    """

    version: str
    slots: tuple[Slot, ...] = ()
    living: int = 0
    is_active: bool = False
    items: tuple[Item, ...] = ()
    last_act: datetime | None = None
    venue_read: datetime | None = None
    unseen: str = ""
    unreadable: str = ""
    retired_at: datetime | None = None


class Verdict(NamedTuple):
    """Whether a version may be stopped, and why not."""

    state: VersionState
    why: str

    @property
    def may_stop(self) -> bool:
        """Whether nothing is lost if its processes are stopped for good."""
        return self.state in (VersionState.DRAINED, VersionState.RETIRED)


def judge(facts: VersionFacts) -> Verdict:
    """How far a version is on its way out."""
    if facts.is_active:
        return Verdict(VersionState.ACTIVE, "it acts")
    if facts.items:
        left = len(facts.items)
        alone = sum(item.taken_by is None for item in facts.items)
        words = f"{left} left" + (f", {alone} of them with nobody to take them" if alone else "")
        return Verdict(VersionState.DRAINING, words)
    if facts.unreadable:
        return Verdict(VersionState.UNKNOWN, facts.unreadable)
    if facts.retired_at is not None:
        return Verdict(VersionState.RETIRED, f"since {facts.retired_at:%Y-%m-%d %H:%M}Z")
    if facts.last_act is None:
        return Verdict(VersionState.UNKNOWN, "when it acted last can't be told")
    if facts.unseen:
        return Verdict(VersionState.UNKNOWN, facts.unseen)
    if facts.venue_read is None:
        return Verdict(VersionState.UNKNOWN, "the venue has not been read")
    if facts.venue_read <= facts.last_act:
        return Verdict(VersionState.UNKNOWN, NOT_SINCE)
    return Verdict(VersionState.DRAINED, "nothing is left of it")


def items_of(
    version: str,
    owed: Iterable[Owed],
    claims: Iterable[tuple[str, OpenClaim]],
    *,
    authority: Authority | None,
    watched: dict[tuple[Slot, str], frozenset[str]],
    server_ms: int,
) -> tuple[Item, ...]:
    """What is left of a version.

    Args:
        version: its name.
        owed: all commitments.
        claims: all claims without an end, each with the version of the instance that holds it.
        authority: who is active.
        watched: by slot and version, what living instances say that they watch. A commitment that another version of
            its owner watches has been passed on.
        server_ms: the server's clock.
    """
    items = []
    for one in owed:
        if one.version != version:
            continue
        owner = one.owner(authority)
        others = (ids for (slot, name), ids in watched.items() if slot is owner and name != version)
        if not any(one.id in ids for ids in others):
            alive = any(slot is owner for slot, _name in watched)
            items.append(Item(one.commitment.kind.value, one.id, one.commitment.due, owner if alive else None))
    for name, claim in claims:
        if name == version:
            doubt = claim.is_doubt(server_ms)
            holder = None if doubt else Slot(claim.slot)
            items.append(Item("doubt" if doubt else "claim", claim.key, None, holder))
    return tuple(items)
