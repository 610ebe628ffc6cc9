"""What has no end yet: commitments, claims, who watches what; and what that says of every version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, NamedTuple

from console.domain.commitments.commitment import Owed
from console.domain.commitments.sight import NO_SIGHT, Opened, OpenedBy, Sight, Witness
from console.domain.commitments.versions import VersionFacts, items_of
from console.domain.fence.claims import OpenClaim
from console.domain.fence.deployment import Deployment, Instance, Slot
from console.domain.text import Safe

NOBODY: Final[Mapping[str, Retired]] = MappingProxyType({})


class Left(NamedTuple):
    """What has no end yet.

    Args:
        owed: every commitment, by deadline.
        claims: every claim without an end, oldest first.
        unreadable: how many of them can't be read.
        instances: every instance that is known, those that said goodbye and left something included; name and version
            as they are recorded, not safe to draw.
        versions: every version that ever said its name → where it ran last.
        watched: instance → ids of what it says that it watches; of living instances alone.
        now: the server's clock.
        begun: version → when its newest process was new.
        opening: what claims in flight open.
    """

    owed: tuple[Owed, ...]
    claims: tuple[OpenClaim, ...]
    unreadable: int
    instances: tuple[Instance, ...]
    versions: Mapping[str, Slot | None]
    watched: Mapping[str, frozenset[str]]
    now: datetime
    begun: Mapping[str, datetime] = {}
    opening: Mapping[str, frozenset[Opened]] = {}

    @property
    def server_ms(self) -> int:
        """The server's clock, in milliseconds."""
        return round(self.now.timestamp() * 1000)

    def living(self, slot: Slot | None = None) -> tuple[Instance, ...]:
        """Instances with a fresh heartbeat, of one slot or of both."""
        return tuple(one for one in self.instances if slot in (None, one.slot) and one.heard(self.now))

    def eyes(self, slot: Slot) -> frozenset[str]:
        """What living instances of a slot say that they watch."""
        return frozenset().union(*(self.watched.get(str(one.name), frozenset()) for one in self.living(slot)))


class Acts(NamedTuple):
    """Who acted last, and who opened what, by the newest actions.

    Args:
        last: instance → when its newest action was.
        before: an instance that is not among them has not acted since; None where it never has.
        opened: who opened what.
        over: id → when the list said last that it is over, whoever ended it.
        numbers: instance → number of its newest action in the chain.
    """

    last: Mapping[str, datetime]
    before: datetime | None
    opened: Mapping[str, frozenset[Opened]] = {}
    over: Mapping[str, datetime] = {}
    numbers: Mapping[str, int] = {}


class Retired(NamedTuple):
    """That a version is done with.

    Args:
        at: when somebody said so, by the store's clock.
        who: said so.
        number: of the newest action before that; None where an earlier release wrote it down.
    """

    at: datetime
    who: Safe = Safe("")
    number: int | None = None


def version_facts(
    left: Left,
    acts: Acts,
    deployment: Deployment,
    *,
    retired: Mapping[str, Retired] = NOBODY,
    sight: Sight = NO_SIGHT,
) -> tuple[VersionFacts, ...]:
    """What is known of every version that ever said its name and has not been forgotten.

    Args:
        left: what has no end yet.
        acts: who acted last.
        deployment: who is active.
        retired: which versions were retired. One that has acted since, or has a newer process, is not done
            with.
        sight: what was seen at the venue.
    """
    authority = deployment.authority
    of = {str(one.name): str(one.version) for one in left.instances}
    stamped = {one.version for one in left.owed}
    claims = [(of.get(claim.instance, ""), claim) for claim in left.claims]
    watched: dict[tuple[Slot, str], frozenset[str]] = {}
    for one in left.living():
        if one.slot is not None:
            place = (one.slot, str(one.version))
            watched[place] = watched.get(place, frozenset()) | left.watched.get(str(one.name), frozenset())
    nobodys = sum(name == "" for name, _claim in claims)
    unreadable = f"{left.unreadable} claims can't be read" if left.unreadable else ""
    unreadable = unreadable or (f"{nobodys} claims are of a process that nobody knows" if nobodys else "")
    witness = Witness(sight, left.owed, _both(acts.opened, left.opening))
    ended = _ended(acts)
    facts = []
    others = {*left.versions, *stamped, *retired, *(name for name, _claim in claims), *witness.versions}
    for version in sorted({*of.values(), *others}):
        living = [one for one in left.living() if str(one.version) == version]
        last_act = max(_last_act(version, of, acts), ended.get(version, _NEVER))
        number = max((at for name, at in acts.numbers.items() if of.get(name, version) == version), default=0)
        shown = witness.of(version, last_act, number)
        listed = items_of(version, left.owed, claims, authority=authority, watched=watched, server_ms=left.server_ms)
        facts.append(
            VersionFacts(
                version,
                _slots(version, left),
                len(living),
                authority is not None and any(one.slot is authority.active for one in living),
                (*listed, *shown.items),
                last_act,
                shown.read_at,
                shown.unseen,
                unreadable,
                _retired(version, retired.get(version), left, acts, of),
            )
        )
    return tuple(facts)


_NEVER: Final = datetime.fromtimestamp(0, UTC)


def _slots(version: str, left: Left) -> tuple[Slot, ...]:
    """Where a version ran."""
    told = {one.slot for one in left.instances if str(one.version) == version} | {left.versions.get(version)}
    told |= {one.slot for one in left.owed if one.version == version}
    return tuple(sorted(slot for slot in told if slot is not None))


def _both(one: OpenedBy, other: OpenedBy) -> OpenedBy:
    return {name: one.get(name, frozenset()) | other.get(name, frozenset()) for name in {*one, *other}}


def _ended(acts: Acts) -> Mapping[str, datetime]:
    """When something was over, last, that a version had opened: a read from before that shows it says nothing."""
    ended: dict[str, datetime] = {}
    for name, at in acts.over.items():
        for one in acts.opened.get(name, ()):
            ended[one.version] = max(at, ended.get(one.version, at))
    return ended


def _retired(version: str, was: Retired | None, left: Left, acts: Acts, of: Mapping[str, str]) -> datetime | None:
    """When a version was retired; None where it has acted since, or a process of it is newer than that.

    Actions have numbers, which say what came after what however the store's clock was set meanwhile.
    """
    if was is None or left.begun.get(version, _NEVER) >= was.at:
        return None
    if was.number is None:
        later = (name for name, when in acts.last.items() if when >= was.at)
    else:
        later = (name for name, number in acts.numbers.items() if number > was.number)
    return None if any(of.get(name) == version for name in later) else was.at


def _last_act(version: str, of: Mapping[str, str], acts: Acts) -> datetime:
    """No act of a version is later than this. What an instance did of which nobody knows the version any more (it said
    goodbye) may have been its own."""
    times = [at for instance, at in acts.last.items() if of.get(instance, version) == version]
    return max([*times, acts.before or _NEVER])
