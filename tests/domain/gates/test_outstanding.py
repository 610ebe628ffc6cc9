"""Gates about commitments go by one list: the store's, a plain agent's state file and the venue, put together."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from console.domain.commitments.commitment import Kind
from console.domain.commitments.listing import Listing, Thing, Unread
from console.domain.gates.fact import Lack, known, lacking
from console.domain.gates.facts import GateFacts, PlainEscrow, PlainState
from console.domain.gates.gate import Act, Judged, State
from console.domain.gates.items import BY_ID
from console.domain.gates.plain_state import plain_state
from console.domain.venue.terms import EscrowTerms, Payee
from tests.domain.gates.stage import LISTED, NOW, TERMS, asked, at, escrow, facts, unchecked


def judged(item: str, seen: GateFacts) -> Judged:
    judge = BY_ID[item].judge
    assert judge is not None
    return judge(seen, asked())


def at_the_venue(listing: Listing | None, **changes: Any) -> GateFacts:
    things = (
        lacking("venue", NOW, Lack.TIMEOUT, "no answer within 2 s") if listing is None else known("v", NOW, listing)
    )
    return facts(venue=facts().venue._replace(things=things), **changes)


def one(due_s: float | None, *, disputed: bool = False, name: str = "esc_1") -> Thing:
    return Thing(name, Kind.ESCROW, Decimal(50), "USD", None if due_s is None else at(due_s), disputed)


def test_a_release_that_only_the_venue_knows_of_closes() -> None:
    plain = {"owed": known("commitments", NOW, ()), "state": unchecked("state file")}
    answer = judged("auto-release", at_the_venue(LISTED._replace(things=(one(600),)), **plain))
    assert answer.state is State.CLOSED and "esc_1 is released in 10 min" in answer.words


def test_where_two_lists_differ_over_a_release_each_of_the_two_times_closes() -> None:
    owed = known("commitments", NOW, (escrow("esc_1", 7200),))
    assert judged("auto-release", at_the_venue(LISTED._replace(things=(one(600),)), owed=owed)).state is State.CLOSED
    owed = known("commitments", NOW, (escrow("esc_1", 600),))
    assert judged("auto-release", at_the_venue(LISTED._replace(things=(one(7200),)), owed=owed)).state is State.CLOSED


def test_the_venue_tells_the_time_that_a_state_file_leaves_out() -> None:
    state = known("state file", NOW, PlainState(NOW, (PlainEscrow("esc_1"),)))
    answer = judged("auto-release", at_the_venue(LISTED, owed=known("commitments", NOW, ()), state=state))
    assert answer.state is State.OPEN


def test_a_dispute_that_only_the_venue_knows_of_closes() -> None:
    answer = judged("disputes", at_the_venue(LISTED._replace(things=(one(7200, disputed=True),))))
    assert (answer.state, answer.words) == (State.CLOSED, "1 in dispute: esc_1")


@pytest.mark.parametrize("item", ["disputes", "auto-release", "escrows", "payee"])
def test_a_venue_that_can_not_be_read_is_unknown_and_never_without_escrows(item: str) -> None:
    assert judged(item, at_the_venue(None)).state is State.UNKNOWN
    gap = Unread("list of escrows", "timeout", frozenset({Kind.ESCROW}))
    answer = judged(item, at_the_venue(LISTED._replace(things=(), unread=(gap,))))
    assert answer.state is State.UNKNOWN and "timeout" in answer.words


def test_a_gap_in_positions_is_no_gap_in_escrows() -> None:
    gap = Unread("positions", "timeout", frozenset({Kind.POSITION}))
    assert judged("disputes", at_the_venue(LISTED._replace(unread=(gap,)))).state is State.OPEN


def test_an_escrow_that_stands_otherwise_at_the_venue_closes_and_is_named() -> None:
    more = LISTED._replace(things=(*LISTED.things, one(9000, name="esc_9")))
    answer = judged("escrows", at_the_venue(more))
    assert answer.state is State.CLOSED and "esc_9 not listed" in answer.words
    gone = judged("escrows", at_the_venue(LISTED._replace(things=())))
    assert gone.state is State.CLOSED and "esc_1 not at the venue" in gone.words


def test_who_is_paid_at_a_time_out_is_said_by_somebody_or_it_blocks_every_raise() -> None:
    def said(*terms: EscrowTerms) -> GateFacts:
        return facts(venue=facts().venue._replace(terms=known("venue's terms", NOW, terms)))

    opened = judged("payee", said(TERMS))
    assert opened.state is State.OPEN
    for word in ("the counterparty is paid", "their terms, section 7", "ann said so", "on 2026-03-01"):
        assert word in opened.words
    unset = judged("payee", said(EscrowTerms()))
    assert unset.state is State.CLOSED and "nobody said who is paid" in unset.words and "esc_1" in unset.words
    differ = judged("payee", said(TERMS, replace(TERMS, payee=Payee.CREATOR)))
    assert differ.state is State.CLOSED and "differ" in differ.words
    assert judged("payee", said(TERMS, EscrowTerms())).state is State.CLOSED
    assert {Act.SWITCH, Act.RESUME, Act.CANARY_UP} <= BY_ID["payee"].acts


def test_without_an_active_escrow_an_unset_payee_blocks_nothing() -> None:
    terms = facts().venue._replace(terms=known("venue's terms", NOW, (EscrowTerms(),)))
    nothing = known("commitments", NOW, ())
    assert judged("payee", facts(owed=nothing, venue=terms)).state is State.OPEN
    answer = judged("payee", facts(owed=nothing, state=unchecked("state file"), venue=terms))
    assert answer.state is State.NOT_CHECKED


@pytest.mark.parametrize("field", ["open_rounds", "rounds"])
@pytest.mark.parametrize("spoilt", ["three", True, 0.5])
def test_rounds_that_can_not_be_read_are_unknown_and_not_none(field: str, spoilt: object) -> None:
    state = plain_state({field: spoilt}, NOW)
    assert state is not None
    assert judged("rounds", facts(state=known("state file", NOW, state))).state is State.UNKNOWN


def test_a_state_file_lists_positions_orders_and_rounds_in_whatever_shape() -> None:
    document = {
        "timestamp": NOW.isoformat(),
        "open_positions": [{"position_id": "p1", "symbol": "BTC", "size": Decimal("1.5")}, "p2", None],
        "open_orders": {"o1": {"amount": "2", "currency": "USD", "protective": True}},
        "open_rounds": 2,
        "escrow_ids": ["e1"],
    }
    state = plain_state(document, NOW)
    assert state is not None
    listing = state.listing("state.json")
    assert {(thing.id, thing.kind, thing.amount) for thing in listing.things} == {
        ("e1", Kind.ESCROW, None),
        ("p1", Kind.POSITION, Decimal("1.5")),
        ("p2", Kind.POSITION, None),
        ("open_positions 3", Kind.POSITION, None),
        ("o1", Kind.STOP_ORDER, Decimal(2)),
    }
    assert listing.whole == {Kind.ESCROW, Kind.POSITION, Kind.LIMIT_ORDER, Kind.STOP_ORDER}


@pytest.mark.parametrize("spoilt", ["p1", 5, True])
def test_a_field_that_is_no_list_is_a_gap_and_not_nothing(spoilt: object) -> None:
    state = plain_state({"open_positions": spoilt}, NOW)
    assert state is not None
    assert [one.what for one in state.listing("s").unread] == ["open_positions"]


def test_an_amount_that_is_none_is_not_said() -> None:
    state = plain_state({"open_positions": [{"id": "p", "size": float("nan")}, {"id": "q", "size": True}]}, NOW)
    assert state is not None
    assert [one.amount for one in state.others] == [None, None]
