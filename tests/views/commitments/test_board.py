"""What is owed, as the board lists it: the loudest thing first, never a cut number, unknown never taken for nothing."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from console.domain.commitments.commitment import Kind
from console.domain.commitments.listing import Listing, Place, Thing, Unread
from console.domain.fence.deployment import Slot
from console.domain.gates.fact import Fact, Lack, known, lacking
from console.domain.gates.facts import PlainEscrow, PlainState
from console.domain.venue.terms import EscrowTerms, Payee
from console.views.commitments.board import OwedBoard, nothing_owed
from console.views.commitments.drain import drain_rows, glances
from tests.scenarios import NOW
from tests.scenarios.boards import held, nothing_held, owed

COUNTERPARTY = known("doc", NOW, (EscrowTerms(Payee.COUNTERPARTY, "ticket 4411"),))


def test_a_commitment_says_the_loudest_thing_that_is_wrong_with_it() -> None:
    board = OwedBoard(held())
    said = {row.id: row.state for row in (board.row(one, NOW) for one in board.owed)}
    assert said == {
        "wd_0098": "OVERDUE",
        "round-88412": "soon",
        "esc_91ab": "soon",
        "esc_7c20": "DISPUTE",
        "ord-551": "watched",
        "chal-12": "UNWATCHED",
        "BTC-PERP": "watched",
        "stop-BTC-PERP": "watched",
    }
    assert board.title(NOW) == "Owed, by deadline: 8 · ✖ 1 in dispute · ✖ 1 overdue · ▲ 1 unwatched"


def test_the_countdown_goes_on_between_readings() -> None:
    board = OwedBoard(held())
    one = board.owed[1]
    assert board.row(one, NOW).due == "0:00:41"
    assert board.row(one, NOW + timedelta(seconds=40)).due == "0:00:01"
    assert board.row(one, NOW + timedelta(seconds=95)).due == "−0:00:54"
    assert board.row(one, NOW + timedelta(seconds=95)).state == "OVERDUE"


@pytest.mark.parametrize(
    ("role", "terms", "said"),
    [
        ("creator", COUNTERPARTY, "counterparty: not us"),
        ("counterparty", COUNTERPARTY, "counterparty: us"),
        ("arbitrator", COUNTERPARTY, "counterparty"),
        ("creator", known("doc", NOW, (EscrowTerms(),)), "✖ UNSET"),
        ("creator", lacking("doc", NOW, Lack.NOT_CHECKED, "no document"), "▲ unknown"),
    ],
)
def test_who_gets_the_money_at_time_out_is_the_venues_word_and_never_guessed(
    role: str, terms: Fact[tuple[EscrowTerms, ...]], said: str
) -> None:
    escrow = owed("esc_1", Kind.ESCROW, "5", 60, detail=f'{{"role": "{role}"}}')
    board = OwedBoard(held([escrow], terms=terms))
    assert board.row(board.owed[0], NOW).pays == said


def test_what_is_no_escrow_has_no_payee() -> None:
    board = OwedBoard(held())
    rows = [board.row(one, NOW) for one in board.owed]
    assert {row.pays for row in rows if row.kind != Kind.ESCROW.value} == {"–"}


def test_what_belongs_to_a_side_without_a_living_process_has_no_owner() -> None:
    seen = held()
    left = seen.left.value
    assert left is not None
    dead = left._replace(instances=tuple(one for one in left.instances if one.slot is not Slot.BLUE))
    board = OwedBoard(seen._replace(left=known("commitments", seen.at, dead), runs={Slot.GREEN: ("2.5.0",)}))
    row = board.row(board.owed[1], NOW)
    assert (row.state, row.owner) == ("NO OWNER", "□ blue nobody lives")


def test_text_from_outside_is_made_safe_and_its_id_stays_what_it_is() -> None:
    hostile = owed("esc\x1b[31m\u202e1", Kind.ESCROW, "5", 60, currency="U\x07D", detail="{\x1b]52;c;x\x07")
    board = OwedBoard(held([hostile]))
    row = board.row(board.owed[0], NOW)
    assert board.named(row.key) == hostile.id
    assert not any(char in "".join(row[1:]) for char in "\x1b\u202e\x07")


def test_what_can_not_be_read_is_unknown_and_not_empty() -> None:
    lost = held()._replace(left=lacking("commitments", NOW, Lack.TIMEOUT, "no answer within 5 s"))
    assert "UNKNOWN, which is not nothing: no answer within 5 s" in " ".join(nothing_owed(lost, ""))
    assert next(nothing_owed(nothing_held(), "")).startswith("Nothing is owed")
    assert next(nothing_owed(None, "It does not answer.")) == "Not read: It does not answer. r tries again."


def test_may_it_be_stopped_is_answered_for_each_version_what_needs_somebody_first() -> None:
    rows = drain_rows(held(), NOW)
    assert [(row.version, row.answer, row.left, row.taken) for row in rows] == [
        ("2.4.0", "NO, draining", "3", "blue 2, green 1"),
        ("2.5.0", "NO, active", "1", "green 1"),
        ("2.3.9", "YES, drained", "0", "nothing is left of it"),
        ("2.3.8", "YES, retired", "0", "since 2026-03-13 13:03Z"),
    ]


def test_what_nobody_takes_stands_first_and_is_loud() -> None:
    seen = held()
    left = seen.left.value
    facts = seen.versions.value
    assert left is not None
    assert facts is not None
    alone = tuple(
        one._replace(items=tuple(item._replace(taken_by=None) for item in one.items)) if one.version == "2.4.0" else one
        for one in facts
    )
    row = drain_rows(seen._replace(versions=known("versions", seen.at, alone)), NOW)[0]
    assert (row.taken, row.taken_tone.value) == ("NOBODY 3", "bad")


def test_each_side_gets_one_answer_and_a_side_that_tells_nothing_is_unknown() -> None:
    blue, green = glances(held(), Slot.GREEN, "", NOW)
    assert blue.answer == "may NOT be stopped"
    assert blue.why == "3 left, last 3 d 00 h, taken by blue 2, green 1"
    assert green.answer == "may NOT be stopped"
    blue, green = glances(nothing_held(), Slot.BLUE, "", NOW)
    assert (blue.answer, blue.why) == ("may NOT be stopped", "it acts")
    assert green.answer == "UNKNOWN if it may be stopped"
    blue, _green = glances(None, None, "The store does not answer.", NOW)
    assert blue.why == "The store does not answer."


def test_an_order_and_a_position_of_the_same_name_are_two_and_each_tells_of_itself() -> None:
    things = (Thing("BTC", Kind.POSITION, Decimal(5)), Thing("BTC", Kind.LIMIT_ORDER, Decimal(7)))
    board = OwedBoard(held([], there=known("venue", NOW, Listing(Place.VENUE, "flea", NOW, things))))
    rows = [board.row(one, NOW) for one in board.owed]
    assert len({row.key for row in rows}) == 2 and {board.named(row.key) for row in rows} == {"BTC"}
    told = {dict(board.facts(row.key, NOW))["what"]: dict(board.facts(row.key, NOW))["amount"] for row in rows}
    assert told == {"position BTC": "5.00", "limit order BTC": "7.00"}


def test_hostile_text_of_a_file_or_a_venue_is_made_safe_wherever_it_is_shown() -> None:
    bad = "\x1b[31m\u202e\x07\n"
    things = (Thing(f"x{bad}", Kind.ESCROW, Decimal(5), bad),)
    unread = (Unread(f"positions{bad}", f"why{bad}", frozenset({Kind.POSITION})),)
    board = OwedBoard(held([], there=known("venue", NOW, Listing(Place.VENUE, bad, NOW, things, unread=unread))))
    rows = [board.row(one, NOW) for one in board.owed]
    shown = "".join("".join(row[1:]) for row in rows) + str([board.facts(row.key, NOW) for row in rows])
    assert len(rows) == 2
    assert not any(char in shown for char in "\x1b\u202e\x07\n")
    assert not any(sign in shown for sign in ("\\x1b", "\\u202e", "\\n"))


def test_a_place_that_can_not_be_read_stands_first_is_counted_and_gives_no_id_to_a_key() -> None:
    board = OwedBoard(held(there=lacking("venue", NOW, Lack.TIMEOUT, "no answer within 15 s")))
    row = board.row(board.owed[0], NOW)
    assert (row.state, row.kind, row.id, row.owner) == ("UNKNOWN", "venue", "venue", "nobody knows")
    assert board.named(row.key) == ""
    assert "UNKNOWN" in board.title(NOW)
    assert dict(board.facts(row.key, NOW))["why"] == "timed out: no answer within 15 s"


def test_a_plain_agents_state_file_is_who_watches_and_its_life_is_not_guessed() -> None:
    file = PlainState(NOW, (PlainEscrow("esc_1", NOW + timedelta(hours=2), amount=Decimal(5), currency="USD"),))
    board = OwedBoard(held([], state=known("state file", NOW, file)))
    row = board.row(board.owed[0], NOW)
    assert (row.state, row.owner, row.places) == ("watched", "■ green 2.5.0", "file")
    alone = OwedBoard(held([], state=known("state file", NOW, file))._replace(runs={}, authority=None))
    assert alone.row(alone.owed[0], NOW).owner == "nobody"
