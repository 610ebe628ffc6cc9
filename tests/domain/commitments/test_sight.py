"""A version is drained only by a read of the venue that is whole, newer than its last act, and shows nothing of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from console.domain.commitments.commitment import Commitment, Kind, Owed
from console.domain.commitments.left import Acts, Left, version_facts
from console.domain.commitments.listing import Listing, Place, Thing, Unread
from console.domain.commitments.sight import Opened, Sight
from console.domain.commitments.versions import Verdict, VersionState, judge
from console.domain.fence.deployment import ActiveKey, ActiveState, Authority, Deployment, Instance, Phase, Slot
from console.domain.text import Safe

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ACTED = NOW - timedelta(seconds=60)
GREEN = Deployment(ActiveKey(ActiveState.SLOT, Slot.GREEN), Authority(9, 2, Phase.RUN, Slot.GREEN, previous=Slot.BLUE))
ESCROW = Thing("esc_1", Kind.ESCROW, Decimal(25), "USD")
EVERY = frozenset(Kind)
WHOLE = Listing(Place.VENUE, "casino", NOW - timedelta(seconds=5), (), EVERY)


def verdict(sight: Sight, opened: dict[str, Opened] | None = None, *, owed: tuple[Owed, ...] = ()) -> Verdict:
    """Of 2.4.0, whose one instance acted a minute ago and stands by."""
    blue = Instance(Safe("blue-1"), Slot.BLUE, Safe("2.4.0"), 9, NOW)
    left = Left(owed, (), 0, (blue,), {"2.4.0": Slot.BLUE}, {}, NOW)
    acts = Acts({"blue-1": ACTED}, None, {name: frozenset({one}) for name, one in (opened or {}).items()})
    return judge(next(one for one in version_facts(left, acts, GREEN, sight=sight) if one.version == "2.4.0"))


def test_a_whole_read_that_is_newer_than_its_last_act_and_shows_nothing_drains_it() -> None:
    assert verdict(Sight(WHOLE)).state is VersionState.DRAINED


@pytest.mark.parametrize("age_s", [60, 61, 3600])
def test_a_read_that_is_no_newer_than_its_last_act_says_nothing(age_s: int) -> None:
    old = WHOLE._replace(at=NOW - timedelta(seconds=age_s))
    assert verdict(Sight(old)) == (VersionState.UNKNOWN, "the venue has not been read since its last act")


@pytest.mark.parametrize(
    "why", ["timed out: no answer within 2 s", "stale: a guard read the venue 400 s ago", "error: 5xx"]
)
def test_a_read_that_failed_or_is_stale_is_unknown_with_its_reason(why: str) -> None:
    assert verdict(Sight(None, why)) == (VersionState.UNKNOWN, why)
    assert verdict(Sight(WHOLE, why)) == (VersionState.UNKNOWN, why)


def test_a_gap_in_a_read_is_unknown() -> None:
    gap = Unread("positions", "timeout", frozenset({Kind.POSITION}))
    told = verdict(Sight(WHOLE._replace(unread=(gap,), whole=EVERY - {Kind.POSITION})))
    assert told.state is VersionState.UNKNOWN and "positions: timeout" in told.why


def test_a_thing_of_that_version_at_the_venue_keeps_it_draining_though_the_list_says_that_it_is_over() -> None:
    sight = Sight(WHOLE._replace(things=(ESCROW,)))
    told = verdict(sight, {"esc_1": Opened("2.4.0", Kind.ESCROW)})
    assert told.state is VersionState.DRAINING and "nobody to take them" in told.why
    assert (
        verdict(sight._replace(looked_at=NOW), {"esc_1": Opened("2.4.0", Kind.ESCROW)}).state is VersionState.DRAINING
    )
    assert verdict(sight, {"esc_1": Opened("2.5.0", Kind.ESCROW)}).state is VersionState.DRAINED


def test_a_thing_at_the_venue_that_nobody_is_known_to_have_opened_may_be_of_every_version() -> None:
    told = verdict(Sight(WHOLE._replace(things=(ESCROW,))))
    assert told.state is VersionState.UNKNOWN and "esc_1" in told.why
    other = verdict(Sight(WHOLE._replace(things=(ESCROW,))), {"esc_1": Opened("2.5.0", Kind.POSITION)})
    assert other.state is VersionState.UNKNOWN, "another thing of that name"


def test_what_is_listed_is_no_stranger_at_the_venue() -> None:
    green = Owed(Commitment("esc_1", Kind.ESCROW), None, Slot.GREEN, "2.5.0", 9, NOW)
    assert verdict(Sight(WHOLE._replace(things=(ESCROW,))), owed=(green,)).state is VersionState.DRAINED


def test_what_it_opened_and_the_venue_was_not_asked_about_is_unknown() -> None:
    blind = WHOLE._replace(whole=frozenset({Kind.POSITION}))
    opened = {"esc_1": Opened("2.4.0", Kind.ESCROW)}
    told = verdict(Sight(blind), opened)
    assert told.state is VersionState.UNKNOWN and "esc_1" in told.why
    assert verdict(Sight(blind._replace(over={"esc_1": "released"})), opened).state is VersionState.DRAINED
    assert verdict(Sight(blind), {"r1": Opened("2.4.0", Kind.ROUND)}).state is VersionState.DRAINED


def test_an_operators_own_look_counts_where_no_read_tells() -> None:
    assert verdict(Sight(None, "error: 5xx", NOW)).state is VersionState.DRAINED
    assert verdict(Sight(None, "error: 5xx", ACTED)).state is VersionState.UNKNOWN
