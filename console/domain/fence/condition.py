"""Whether a side is healthy and reconciled now: a pure rule over what was seen of it."""

from __future__ import annotations

from typing import NamedTuple

from console.domain.fence.deployment import Slot
from console.domain.fence.last_good import LastGood, Runs, told


class SideSeen(NamedTuple):
    """What was seen of a side.

    Args:
        side: which.
        active: whether it acts.
        runs: what its fresh, ready processes run; empty for a plain side.
        acted: whether what runs there is known to have acted: it does, or it stood there when the other side began.
        frozen: whether it acts, and not everything is allowed: it has another manifest than it was held to, say.
        silent: why its life can't be vouched for; empty where it can.
        harm: what a trigger sees there; empty for nothing.
        late: reports of this tenure that came too late.
        doubts: its own actions whose outcome nobody knows.
        unread: claims and commitments that can't be read: each may be its own.
        unwatched: what it owns, or would own, and does not watch.
        venue: why local books are not known to equal the venue's; empty where they do, and where no venue is read.
        last: the record that stands there.
    """

    side: Slot
    active: bool
    runs: tuple[Runs, ...] = ()
    acted: bool = False
    frozen: bool = False
    silent: str = ""
    harm: str = ""
    late: int = 0
    doubts: int = 0
    unread: int = 0
    unwatched: int = 0
    venue: str = ""
    last: LastGood | None = None


def unfit(seen: SideSeen) -> tuple[str, ...]:
    """Why a side is not healthy and reconciled, every reason; empty where it is."""
    side = seen.side.value
    stranger = not seen.acted and not (seen.last is not None and seen.last.runs == seen.runs)
    reasons = (
        "new risk is frozen" if seen.frozen else "",
        seen.silent,
        seen.harm,
        f"{seen.late} reports came too late" if seen.late else "",
        f"{side} has {seen.doubts} actions in doubt" if seen.doubts else "",
        f"{seen.unread} claims and commitments can't be read" if seen.unread else "",
        f"{side} does not watch {seen.unwatched} of what is owed" if seen.unwatched else "",
        seen.venue,
        f"{told(seen.runs) or side} has not acted yet" if stranger else "",
    )
    return tuple(reason for reason in reasons if reason)
