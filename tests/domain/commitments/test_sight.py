"""A version is drained only by a read of the venue that is whole, newer than its last act, and shows nothing of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from console.domain.commitments.commitment import Commitment, Kind, Owed
from console.domain.commitments.left import Acts, Left, Retired, version_facts
from console.domain.commitments.listing import Listing, Place, Thing, Unread
from console.domain.commitments.sight import Opened, OpenedBy, Sight
from console.domain.commitments.versions import Verdict, VersionFacts, VersionState, judge
from console.domain.fence.deployment import ActiveKey, ActiveState, Authority, Deployment, Instance, Phase, Slot
from console.domain.text import Safe

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ACTED = NOW - timedelta(seconds=60)
GREEN = Deployment(ActiveKey(ActiveState.SLOT, Slot.GREEN), Authority(9, 2, Phase.RUN, Slot.GREEN, previous=Slot.BLUE))
ESCROW = Thing("esc_1", Kind.ESCROW, Decimal(25), "USD")
EVERY = frozenset(Kind)
WHOLE = Listing(Place.VENUE, "casino", NOW - timedelta(seconds=5), (), EVERY)


def by(**who: Opened) -> dict[str, frozenset[Opened]]:
    """Ids, each with the one who opened it."""
    return {name: frozenset({one}) for name, one in who.items()}


def facts(sight: Sight, opened: OpenedBy | None = None, *, owed: tuple[Owed, ...] = (), **more: Any) -> VersionFacts:
    """Of 2.4.0, whose one instance acted a minute ago and stands by."""
    blue = Instance(Safe("blue-1"), Slot.BLUE, Safe("2.4.0"), 9, NOW)
    left = Left(owed, (), 0, (blue,), {"2.4.0": Slot.BLUE}, {}, NOW, opening=more.pop("opening", {}))
    acts = Acts({"blue-1": ACTED}, None, opened or {}, more.pop("over", {}))
    return next(one for one in version_facts(left, acts, GREEN, sight=sight, **more) if one.version == "2.4.0")


def verdict(sight: Sight, opened: OpenedBy | None = None, **more: Any) -> Verdict:
    """How far it is on its way out."""
    return judge(facts(sight, opened, **more))


def test_a_whole_read_that_is_newer_than_its_last_act_and_shows_nothing_drains_it() -> None:
    assert verdict(Sight(WHOLE)).state is VersionState.DRAINED


@pytest.mark.parametrize("age_s", [60, 61, 3600])
def test_a_read_that_is_no_newer_than_its_last_act_says_nothing(age_s: int) -> None:
    old = WHOLE._replace(at=NOW - timedelta(seconds=age_s))
    assert verdict(Sight(old)) == (VersionState.UNKNOWN, "the venue has not been read since its last act")


def test_a_read_that_began_before_its_last_action_says_nothing_though_the_clock_was_set_back_since() -> None:
    blue = Instance(Safe("blue-1"), Slot.BLUE, Safe("2.4.0"), 9, NOW)
    left = Left((), (), 0, (blue,), {}, {}, NOW)
    for newest, state in ((41, VersionState.UNKNOWN), (42, VersionState.DRAINED), (None, VersionState.DRAINED)):
        acts = Acts({"blue-1": ACTED}, None, numbers={"blue-1": 42})
        told = version_facts(left, acts, GREEN, sight=Sight(WHOLE._replace(newest=newest)))
        assert judge(told[0]).state is state


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
    told = verdict(sight, by(esc_1=Opened("2.4.0", Kind.ESCROW)))
    assert told.state is VersionState.DRAINING and "nobody to take them" in told.why
    assert verdict(sight._replace(looked_at=NOW), by(esc_1=Opened("2.4.0", Kind.ESCROW))).state is VersionState.DRAINING
    assert verdict(sight, by(esc_1=Opened("2.5.0", Kind.ESCROW))).state is VersionState.DRAINED


def test_a_thing_at_the_venue_that_nobody_is_known_to_have_opened_may_be_of_every_version() -> None:
    told = verdict(Sight(WHOLE._replace(things=(ESCROW,))))
    assert told.state is VersionState.UNKNOWN and "esc_1" in told.why
    other = verdict(Sight(WHOLE._replace(things=(ESCROW,))), by(esc_1=Opened("2.5.0", Kind.POSITION)))
    assert other.state is VersionState.UNKNOWN, "another thing of that name"


def test_a_version_that_is_forgotten_is_known_again_by_what_it_left_at_the_venue() -> None:
    left = Left((), (), 0, (), {}, {}, NOW)
    acts = Acts({}, None, by(esc_1=Opened("2.3.9", Kind.ESCROW)))
    told = version_facts(left, acts, GREEN, sight=Sight(WHOLE._replace(things=(ESCROW,))))
    assert [(one.version, judge(one).state) for one in told] == [("2.3.9", VersionState.DRAINING)]


def test_what_is_listed_is_no_stranger_at_the_venue() -> None:
    green = Owed(Commitment("esc_1", Kind.ESCROW), None, Slot.GREEN, "2.5.0", 9, NOW)
    assert verdict(Sight(WHOLE._replace(things=(ESCROW,))), owed=(green,)).state is VersionState.DRAINED


def test_what_it_opened_and_the_venue_was_not_asked_about_is_unknown() -> None:
    blind = WHOLE._replace(whole=frozenset({Kind.POSITION}))
    opened = by(esc_1=Opened("2.4.0", Kind.ESCROW))
    told = verdict(Sight(blind), opened)
    assert told.state is VersionState.UNKNOWN and "esc_1" in told.why
    assert verdict(Sight(blind._replace(over={"esc_1": "released"})), opened).state is VersionState.DRAINED
    assert verdict(Sight(blind), by(r1=Opened("2.4.0", Kind.ROUND))).state is VersionState.DRAINED


def test_an_operators_own_look_counts_where_no_read_tells() -> None:
    assert verdict(Sight(None, "error: 5xx", NOW)).state is VersionState.DRAINED
    assert verdict(Sight(None, "error: 5xx", ACTED)).state is VersionState.UNKNOWN


BLUES, GREENS = Opened("2.4.0", Kind.ESCROW), Opened("2.5.0", Kind.ESCROW)


def test_a_thing_that_two_versions_opened_one_after_the_other_is_left_of_both() -> None:
    told = verdict(Sight(WHOLE._replace(things=(ESCROW,))), {"esc_1": frozenset({BLUES, GREENS})})
    assert told.state is VersionState.DRAINING


def test_what_a_claim_in_flight_opens_is_no_stranger_though_it_is_not_listed_yet() -> None:
    sight = Sight(WHOLE._replace(things=(ESCROW,)))
    assert verdict(sight, opening=by(esc_1=GREENS)).state is VersionState.DRAINED
    assert verdict(sight, opening=by(esc_1=BLUES)).state is VersionState.DRAINING


def test_a_read_from_before_what_it_had_opened_was_over_says_nothing_of_it_whoever_ended_it() -> None:
    sight = Sight(WHOLE._replace(things=(ESCROW,)))
    told = verdict(sight, by(esc_1=BLUES), over={"esc_1": NOW - timedelta(seconds=5)})
    assert told == (VersionState.UNKNOWN, "the venue has not been read since its last act")
    assert verdict(Sight(WHOLE), over={"esc_9": NOW}).state is VersionState.DRAINED, "nobody knows whose that was"


def test_a_gap_about_one_escrow_is_of_the_versions_that_opened_it() -> None:
    gap = WHOLE._replace(unread=(Unread("escrow esc_1", "timeout", frozenset({Kind.ESCROW}), "esc_1"),))
    assert verdict(Sight(gap), by(esc_1=GREENS)).state is VersionState.DRAINED
    for opened in (by(esc_1=BLUES), {}):
        told = verdict(Sight(gap), opened)
        assert told.state is VersionState.UNKNOWN and "escrow esc_1: timeout" in told.why


def position(name: str) -> Thing:
    return Thing(name, Kind.POSITION, Decimal(1), symbol="BTC-PERP")


def test_a_position_is_known_by_its_symbol_where_it_is_the_only_one_in_it() -> None:
    greens = Owed(Commitment("BTC-PERP", Kind.POSITION), None, Slot.GREEN, "2.5.0", 9, NOW)
    one, two = position("p1"), position("p2")
    listed = Sight(WHOLE._replace(things=(one,)))
    assert verdict(listed, owed=(greens,)).state is VersionState.DRAINED
    assert verdict(Sight(WHOLE._replace(things=(one, two))), owed=(greens,)).state is VersionState.UNKNOWN
    blues = {"BTC-PERP": frozenset({Opened("2.4.0", Kind.POSITION)})}
    assert verdict(listed, blues).state is VersionState.DRAINING
    assert verdict(listed, {"p1": blues["BTC-PERP"]}, owed=(greens,)).state is VersionState.DRAINING


def test_an_order_is_the_same_whichever_of_two_kinds_the_venue_takes_it_for() -> None:
    sight = Sight(WHOLE._replace(things=(Thing("o1", Kind.STOP_ORDER),)))
    assert verdict(sight, {"o1": frozenset({Opened("2.4.0", Kind.LIMIT_ORDER)})}).state is VersionState.DRAINING


def test_of_ten_thousand_things_at_the_venue_each_is_held_against_who_opened_it() -> None:
    things = tuple(Thing(f"esc_{number}", Kind.ESCROW) for number in range(10_000))
    sight = Sight(WHOLE._replace(things=things))
    blues = {one.id: frozenset({BLUES}) for one in things[:4_000]}
    greens = {one.id: frozenset({GREENS}) for one in things[4_000:]}
    told = facts(sight, blues | greens)
    assert {item.id for item in told.items} == set(blues) and len(told.items) == 4_000
    assert verdict(sight, greens).why.startswith("esc_0 and 3999 more at the venue may be its own")
    assert verdict(sight, greens | {"esc_0": frozenset({GREENS})}).state is VersionState.UNKNOWN


def test_an_operators_own_look_does_not_hide_what_a_read_shows_to_be_its_own() -> None:
    told = facts(Sight(WHOLE._replace(things=(ESCROW,)), "", NOW), by(esc_1=BLUES))
    assert [(item.what, item.id, item.taken_by) for item in told.items] == [("escrow at the venue", "esc_1", None)]


@pytest.mark.parametrize("since", [timedelta(0), timedelta(milliseconds=1), timedelta(hours=1)])
def test_a_version_that_acts_again_after_it_was_retired_is_not_done_with(since: timedelta) -> None:
    retired = {"2.4.0": Retired(ACTED - since)}
    assert verdict(Sight(None), retired=retired).state is VersionState.UNKNOWN
    later = {"2.4.0": Retired(ACTED + timedelta(milliseconds=1))}
    assert verdict(Sight(None), retired=later).state is VersionState.RETIRED


@pytest.mark.parametrize("clock", [timedelta(hours=-1), timedelta(0), timedelta(hours=1)])
def test_what_came_after_a_retirement_is_told_by_its_number_whatever_the_stores_clock_said(clock: timedelta) -> None:
    gone = Instance(Safe("blue-1"), Slot.BLUE, Safe("2.4.0"), 7, NOW - timedelta(minutes=1))
    left = Left((), (), 0, (gone,), {"2.4.0": Slot.BLUE}, {}, NOW, {})
    acts = Acts({"blue-1": NOW}, None, numbers={"blue-1": 7})
    for number, state in ((6, VersionState.UNKNOWN), (7, VersionState.RETIRED), (8, VersionState.RETIRED)):
        (told,) = version_facts(left, acts, GREEN, retired={"2.4.0": Retired(NOW + clock, number=number)})
        assert judge(told).state is state


def test_a_version_of_which_a_process_began_after_it_was_retired_is_not_done_with() -> None:
    left = Left((), (), 0, (), {"2.4.0": Slot.BLUE}, {}, NOW, {"2.4.0": NOW})
    for at, state in ((NOW, VersionState.UNKNOWN), (NOW + timedelta(milliseconds=1), VersionState.RETIRED)):
        told = version_facts(left, Acts({}, None), GREEN, retired={"2.4.0": Retired(at)})
        assert judge(told[0]).state is state
