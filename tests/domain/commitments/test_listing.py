"""What is outstanding comes from every place that lists it; where two differ, or one can't be read, it is said."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from console.domain.commitments.at_venue import NOT_ASKED, listing_of
from console.domain.commitments.commitment import Commitment, Kind, Owed
from console.domain.commitments.kept_listing import MOST, KeptListing, kept_listing, listing_from
from console.domain.commitments.listing import NOT_LISTED, NOT_THERE, Listing, Outstanding, Place, Thing, Unread, merged
from console.domain.fence.deployment import Slot
from console.domain.text import Safe
from console.domain.venue.reading import Reading, Why, unknown
from console.domain.venue.terms import EscrowTerms, Payee
from console.domain.venue.things import Escrow, Look, Order, Position

NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
SOON = NOW + timedelta(hours=2)
ALL = frozenset({Kind.ESCROW, Kind.POSITION, Kind.LIMIT_ORDER, Kind.STOP_ORDER})
ESCROW = Thing("esc_1", Kind.ESCROW, Decimal(25), "USD", SOON)


def owed(thing: Thing = ESCROW) -> Owed:
    what = Commitment(thing.id, thing.kind, thing.amount or Decimal(0), thing.currency, due=thing.due)
    return Owed(what, None, Slot.BLUE, "2.4.0", 7, NOW)


def venue(*things: Thing, **more: Any) -> Listing:
    return Listing(Place.VENUE, "casino", NOW - timedelta(seconds=3), things, **{"whole": ALL, **more})


def state(*things: Thing, **more: Any) -> Listing:
    return Listing(Place.STATE_FILE, "state.json", NOW - timedelta(seconds=9), things, **{"whole": ALL, **more})


def row(*places: Listing, kept: tuple[Owed, ...] = ()) -> Outstanding:
    (one,) = merged(kept, NOW, places)
    return one


def test_one_thing_in_two_places_is_one_with_both_and_their_times() -> None:
    one = row(state(ESCROW), venue(ESCROW))
    assert [(place.value, at) for place, at in one.seen] == [
        ("state file", NOW - timedelta(seconds=9)),
        ("venue", NOW - timedelta(seconds=3)),
    ]
    assert one.apart == one.unknown == ()


def test_what_is_at_the_venue_and_on_no_list_is_named_and_so_is_what_the_venue_does_not_know() -> None:
    assert row(state(), venue(ESCROW)).apart == (NOT_LISTED,)
    assert row(state(ESCROW), venue()).apart == (NOT_THERE,)
    assert row(venue(), kept=(owed(),)).apart == (NOT_THERE,)
    assert row(state(ESCROW), venue(over={"esc_1": "released"}, whole=frozenset())).apart == (
        "over at the venue: released",
    )


def test_a_place_that_can_not_be_read_says_nothing_either_way() -> None:
    gap = Unread("list of escrows", "timeout", frozenset({Kind.ESCROW}))
    one = row(state(ESCROW), venue(unread=(gap,), whole=ALL - {Kind.ESCROW}))
    assert one.apart == () and "timeout" in one.unknown[0]
    mine = Unread("escrow esc_1", "timeout", frozenset({Kind.ESCROW}), "esc_1")
    assert row(state(ESCROW), venue(unread=(mine,), whole=frozenset())).unknown
    torn = Unread("state.json", "torn", frozenset(Kind))
    one = row(state(unread=(torn,), whole=frozenset()), venue(ESCROW))
    assert one.apart == () and "torn" in one.unknown[0]


def test_what_the_venue_is_not_asked_about_is_no_difference() -> None:
    assert row(state(Thing("r1", Kind.ROUND)), venue()).apart == ()
    one = row(state(ESCROW), venue(whole=frozenset({Kind.POSITION})))
    assert one.apart == one.unknown == ()


@pytest.mark.parametrize(
    ("there", "word"),
    [
        (ESCROW._replace(amount=Decimal(20)), "25 USD by the state file, 20 USD at the venue"),
        (ESCROW._replace(due=SOON + timedelta(minutes=1)), "11:27:53Z at the venue"),
    ],
)
def test_two_places_that_say_something_else_of_one_thing_are_named(there: Thing, word: str) -> None:
    (line,) = row(state(ESCROW), venue(there)).apart
    assert word in line


def test_a_fraction_of_a_second_is_no_difference() -> None:
    assert row(state(ESCROW), venue(ESCROW._replace(due=SOON + timedelta(seconds=0.4)))).apart == ()


def test_a_dispute_that_one_place_knows_of_is_one() -> None:
    assert row(state(ESCROW), venue(ESCROW._replace(disputed=True))).thing.disputed


def test_the_one_position_in_something_is_known_by_that_too() -> None:
    there = Thing("pos_9", Kind.POSITION, Decimal(3), symbol="BTC-PERP")
    ours = owed(Thing("BTC-PERP", Kind.POSITION))
    assert row(venue(there), kept=(ours,)).apart == ()
    two = merged((ours,), NOW, (venue(there, there._replace(id="pos_10")),))
    assert {one.thing.id: one.apart for one in two} == {
        "BTC-PERP": (NOT_THERE,),
        "pos_9": (NOT_LISTED,),
        "pos_10": (NOT_LISTED,),
    }


def test_an_order_is_the_same_whether_or_not_a_place_knows_that_it_is_protective() -> None:
    limit, stop = Thing("o1", Kind.LIMIT_ORDER), Thing("o1", Kind.STOP_ORDER)
    assert row(state(limit), venue(stop)).apart == ()
    both = merged((), NOW, (state(limit), venue(Thing("o1", Kind.ESCROW))))
    assert len(both) == 2, "of another kind it is another thing"


def test_ten_thousand_things_in_three_places_are_put_together() -> None:
    things = tuple(ESCROW._replace(id=f"esc_{n}") for n in range(10_000))
    kept = tuple(owed(thing) for thing in things)
    rows = merged(kept, NOW, (state(*things), venue(*things)))
    assert len(rows) == 10_000 and not any(one.apart for one in rows)


# -- of a look -----------------------------------------------------------------------------------------------------


def read(probe: str, value: Any) -> Reading[Any]:
    return Reading(Safe(probe), NOW, Safe("GET"), value)


def escrow(name: str, *, is_open: bool = True) -> Escrow:
    return Escrow(Safe(name), Safe("funded" if is_open else "released"), Decimal(25), "USD", is_open, release_at=SOON)


def listed(now: datetime = NOW, **parts: Any) -> Listing:
    return listing_of(Look(Safe("casino"), NOW, **parts), EscrowTerms(), now, 60.0, NOW)


def test_a_look_lists_what_is_open_and_all_of_a_kind_where_the_venue_lists_it() -> None:
    look = listed(
        positions=read("positions", (Position(Safe("p1"), Safe("BTC"), Safe("long"), Decimal(3)),)),
        orders=read("orders", (Order(Safe("o1"), Safe("BTC"), Safe("stop"), Decimal(1), True),)),
        listed=read("list of escrows", (escrow("e1"), escrow("e2", is_open=False))),
        escrows=(read("escrow e3", escrow("e3", is_open=False)),),
    )
    assert {(one.id, one.kind) for one in look.things} == {
        ("p1", Kind.POSITION),
        ("o1", Kind.STOP_ORDER),
        ("e1", Kind.ESCROW),
    }
    assert look.whole == ALL and look.over == {"e3": "released"} and look.known


@pytest.mark.parametrize("why", [Why.TIMEOUT, Why.UNAUTHORISED, Why.RATE_LIMITED, Why.STALE_SOURCE, Why.MALFORMED])
def test_a_read_that_failed_is_a_gap_of_its_kind(why: Why) -> None:
    failed = unknown(Safe("positions"), NOW, Safe("GET"), why)
    look = listed(positions=failed, listed=read("list of escrows", ()))
    assert look.whole == {Kind.ESCROW} and not look.known
    assert why.value in look.unread[0].why


def test_a_read_that_is_too_old_by_now_is_a_gap() -> None:
    look = listed(NOW + timedelta(seconds=61), positions=read("positions", ()))
    assert look.whole == frozenset() and "too old" in look.unread[0].why


def test_a_document_that_asks_for_nothing_of_it_is_a_gap_and_no_empty_venue() -> None:
    assert [one.why for one in listed().unread] == [NOT_ASKED]


# -- as it is kept ---------------------------------------------------------------------------------------------------


def kept(*things: Thing, **more: Any) -> dict[str, Any]:
    terms = EscrowTerms(Payee.CREATOR, "their terms", "ann", "2026-03-01")
    whole = venue(*things, terms=terms, over={"e3": "released"}, **more)
    return json.loads(json.dumps(kept_listing(KeptListing(whole, 15.0))))  # type: ignore[no-any-return]


def test_a_kept_look_comes_back_as_it_was() -> None:
    gap = Unread("escrow e9", "timeout", frozenset({Kind.ESCROW}), "e9")
    things = (ESCROW, Thing("p1", Kind.POSITION, Decimal("-1.5"), symbol="BTC"))
    back = listing_from(kept(*things, unread=(gap,)))
    assert back is not None
    terms = EscrowTerms(Payee.CREATOR, "their terms", "ann", "2026-03-01")
    assert back.listing == venue(*things, terms=terms, over={"e3": "released"}, unread=(gap,))


def test_more_than_are_kept_is_a_gap() -> None:
    back = listing_from(kept(*(ESCROW._replace(id=f"e{n}") for n in range(MOST + 3))))
    assert back is not None and len(back.listing.things) == MOST
    assert "3 more" in back.listing.unread[-1].why


@pytest.mark.parametrize(
    "spoilt",
    [
        {"things": 5},
        {"things": [{"id": "e1", "kind": "castle"}]},
        {"things": [{"id": "e1", "kind": "escrow", "amount": "NaN"}]},
        {"things": [{"id": "e1", "kind": "escrow", "due": "tomorrow"}]},
        {"things": [None]},
        {"whole": "escrow"},
        {"unread": {"what": "positions"}},
        {"unread": [5]},
    ],
)
def test_what_of_a_kept_look_can_not_be_read_is_a_gap_and_never_nothing(spoilt: dict[str, Any]) -> None:
    back = listing_from({**kept(ESCROW), **spoilt})
    assert back is not None and not back.listing.known


@pytest.mark.parametrize("spoilt", [{}, {"at": 5}, {"every_s": 0}, {"every_s": float("nan")}, {"at": "2026-03-14"}])
def test_what_is_no_look_is_none(spoilt: dict[str, Any]) -> None:
    assert listing_from({**kept(ESCROW), **spoilt} if spoilt else {}) is None


def test_hostile_text_in_a_kept_look_is_made_safe_and_a_spoilt_payee_is_nobodys_word() -> None:
    raw = kept(ESCROW._replace(id="e\x1b[31m\u202e1"))
    raw["terms"] = {"payee": "creator", "provenance": ""}
    back = listing_from(raw)
    assert back is not None and back.listing.terms is None
    assert back.listing.things[0].id.isprintable()


@pytest.mark.parametrize(("age_s", "is_stale"), [(-6.0, True), (-5.0, False), (75.0, False), (75.1, True)])
def test_a_kept_look_is_fresh_for_three_of_its_guards_paces(age_s: float, is_stale: bool) -> None:
    one = KeptListing(venue(), 15.0)
    assert one.listing.at is not None
    assert bool(one.stale(one.listing.at + timedelta(seconds=age_s))) is is_stale


def test_positions_that_the_document_excludes_are_left_out_and_two_without_an_id_are_two() -> None:
    many = tuple(Position(id_, Safe(coin), Safe("long"), Decimal(3)) for coin, id_ in
                 (("DOGE", None), ("BTC", None), ("BTC", None), ("DOGE", Safe("p1"))))  # fmt: skip
    look = Look(Safe("casino"), NOW, positions=read("positions", many))
    names = [one.id for one in listing_of(look, None, NOW, 60.0, NOW, frozenset({"DOGE"})).things]
    assert names == ["nobody's BTC", "nobody's BTC (2)", "p1"], "only what has no id may be excluded"
