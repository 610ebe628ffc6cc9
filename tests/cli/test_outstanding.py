"""What is owed by an agent that keeps no list comes from its state file and from the venue, each with its age."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import redis

from console.agent import Commitment, Kind
from console.demo.faulty import Fault, FaultyVenue
from console.domain.commitments.kept_listing import KeptListing, kept_listing
from console.domain.commitments.listing import Listing, Place, Thing
from console.store.keys import Keys
from console.store.records.venue import VenueKeys
from tests.cli.agents import Two
from tests.cli.conftest import Cli
from tests.venue.stage import PATIENT_S, write_document

PAYEE = """[escrow]
payee = "counterparty"
provenance = "the terms of 2026"
said_by = "ann"
said_on = "2026-03-01"
"""


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyVenue]:
    with FaultyVenue() as venue:
        monkeypatch.setenv("VENUE_KEY", venue.key)
        yield venue


class Plain:
    """A plain agent: two keys, a state file, a venue; and what an operator says of it."""

    def __init__(self, cli: Cli, home: Path, venue: FaultyVenue) -> None:
        self.cli, self.home, self.venue = cli, home, venue
        self.document = write_document(home, venue, "rest", PAYEE)
        self.state = home / "state.json"
        self.write()

    def write(self, age_s: float = 0.0, **other: object) -> None:
        """The agent's state file, as the contract has it."""
        kept = {"escrow_ids": [*self.venue.holdings.escrows], "open_positions": [], "rate_limit_tokens": 5}
        self.state.write_text(json.dumps({"timestamp": time.time() - age_s, **kept, **other}))

    def __call__(self, *words: str, venue: bool = True) -> Any:
        named = ("--venue", str(self.document)) if venue else ()
        return self.cli("--state-file", str(self.state), *named, *words)

    def rows(self, *words: str) -> dict[str, dict[str, Any]]:
        """The list, by id."""
        return {one["id"]: one for one in self("commitments", "list", "--json", *words).json}

    def gate(self, item: str) -> dict[str, Any]:
        """One item of the checklist."""
        items = self("checklist", "--phase", "before", "--json").json["items"]
        return next(one for one in items if one["item"] == item)


@pytest.fixture
def plain(cli: Cli, home: Path, venue: FaultyVenue, valkey_sync: redis.Redis) -> Plain:
    valkey_sync.set(Keys.of().active, "blue")
    return Plain(cli, home, venue)


def test_a_plain_agents_escrows_and_positions_come_from_state_file_and_venue_with_the_age_of_each(
    plain: Plain,
) -> None:
    escrow = plain.venue.holdings.add_escrow("25.00", 24)
    plain.venue.holdings.add_position("pos_1")
    plain.write(age_s=40, open_positions=[{"id": "pos_1"}])
    result = plain("commitments", "list", "--json")
    assert result.code == 0, result.out
    rows = {one["id"]: one for one in result.json}
    assert {name: one["kind"] for name, one in rows.items()} == {escrow: "escrow", "pos_1": "position"}
    assert (rows[escrow]["amount"], rows[escrow]["currency"]) == ("25", "USD")
    assert 86_000 < rows[escrow]["due_in_s"] <= 86_400
    assert [one["place"] for one in rows[escrow]["seen"]] == ["state file", "venue"]
    assert 39 < rows[escrow]["seen"][0]["age_s"] < 100 and rows[escrow]["seen"][1]["age_s"] < 30
    assert "the counterparty is paid (the terms of 2026; ann said so on 2026-03-01)" in rows[escrow]["time_out"]
    shown = plain("commitments", "list").out
    assert "state file" in shown and "the counterparty is paid" in shown


def test_what_only_one_of_them_knows_is_named(plain: Plain) -> None:
    listed = plain.venue.holdings.add_escrow("25.00", 24)
    plain.write(escrow_ids=[listed, "esc_gone"], open_positions=["pos_gone"])
    alone = plain.venue.holdings.add_escrow("9.00", 5)
    plain.venue.holdings.add_order("o1")
    result = plain("commitments", "list")
    assert result.code == 1
    rows = plain.rows()
    assert rows[listed]["apart"] == []
    assert "not listed" in rows[alone]["apart"][0] and "not listed" in rows["o1"]["apart"][0]
    assert rows["pos_gone"]["apart"] == ["not at the venue"]
    assert rows["esc_gone"]["apart"] == ["not at the venue"]
    assert "DIFFERS not at the venue" in result.out


@pytest.mark.parametrize(
    "fault", [Fault.SERVER_ERROR, Fault.UNAUTHORISED, Fault.MALFORMED, Fault.SLOW, Fault.TIMEOUT_AFTER_COMMIT]
)
def test_a_venue_that_fails_is_unknown_in_the_list_and_in_the_gates_and_never_empty(plain: Plain, fault: Fault) -> None:
    escrow = plain.venue.holdings.add_escrow("25.00", 24)
    plain.write()
    plain.document.write_text(plain.document.read_text().replace("timeout_s = 0.6", "timeout_s = 0.15"))
    plain.venue.turn(fault, "/v1/")
    result = plain("commitments", "list", "--json")
    rows = {one["id"]: one for one in result.json}
    assert result.code == 1
    assert rows[escrow]["unknown"] and rows[escrow]["seen"][0]["place"] == "state file"
    gaps = {one["id"] for one in result.json if one["kind"] == "unknown"}
    assert {"positions", "orders", "list of escrows"} <= gaps
    assert plain.gate("disputes")["state"] == "unknown"


def test_an_empty_venue_that_fails_is_not_an_empty_list(plain: Plain) -> None:
    plain.state.unlink()
    plain.venue.turn(Fault.SERVER_ERROR, "/v1/")
    shown = plain("commitments", "list")
    assert shown.code == 1 and "UNKNOWN" in shown.out and "Nothing is owed" not in shown.err


@pytest.mark.parametrize("spoilt", ["{", "[]", "", '{"timestamp": 5}', '{"open_positions": 7}'])
def test_a_state_file_that_can_not_be_read_is_unknown_and_what_is_at_the_venue_may_be_listed(
    plain: Plain, spoilt: str
) -> None:
    plain.venue.holdings.add_position("pos_1")
    plain.state.write_text(spoilt)
    rows = plain.rows()
    assert any(one["kind"] == "unknown" for one in rows.values())
    assert rows["pos_1"]["apart"] == [] and rows["pos_1"]["unknown"]


def test_without_a_venue_the_state_file_alone_is_the_list(plain: Plain) -> None:
    plain.write(escrow_ids=["esc_7"])
    result = plain("commitments", "list", "--json", venue=False)
    (row,) = result.json
    assert (row["id"], row["apart"], row["unknown"], row["time_out"]) == ("esc_7", [], [], None)
    assert result.code == 0


def test_gates_go_by_the_venue_where_a_plain_agents_file_says_nothing_of_when(plain: Plain) -> None:
    plain.venue.holdings.add_escrow("25.00", 0.2)
    plain.write()
    assert plain.gate("auto-release")["state"] == "closed"
    plain.venue.holdings.escrows.clear()
    disputed = plain.venue.holdings.add_escrow("25.00", 24, status="disputed")
    plain.write()
    dispute = plain.gate("disputes")
    assert dispute["state"] == "closed" and disputed in dispute["evidence"]


def test_who_is_paid_at_the_time_out_blocks_while_nobody_says_it(plain: Plain) -> None:
    escrow = plain.venue.holdings.add_escrow("25.00", 24)
    plain.write()
    assert plain.gate("payee")["state"] == "open"
    write_document(plain.home, plain.venue, "rest")
    payee = plain.gate("payee")
    assert payee["state"] == "closed" and escrow in payee["evidence"]
    assert plain.rows()[escrow]["time_out"] == "nobody said who is paid at its time-out"
    refused = plain("switch", "green", "--yes", "--json")
    assert refused.code == 4
    assert "payee" in {one["name"] for one in refused.json["error"]["gates"]}
    assert plain("halt", "--yes").code == 0, "reducing risk asks nobody"


def test_a_date_that_is_none_is_no_provenance(plain: Plain) -> None:
    write_document(plain.home, plain.venue, "rest", PAYEE.replace("2026-03-01", "last week"))
    assert plain("venue", "check").code == 2


def test_a_fenced_agents_list_is_held_against_the_venue(cli: Cli, two: Two, home: Path, venue: FaultyVenue) -> None:
    escrow = venue.holdings.add_escrow("12.50", 24)
    due = venue.holdings.escrows[escrow].release_at
    known = Commitment(escrow, Kind.ESCROW, venue.holdings.escrows[escrow].amount, "USD", due=due)
    two.blue.commitments.put(known, Commitment("esc_gone", Kind.ESCROW), Commitment("r1", Kind.ROUND))
    two.blue.commitments.watch([escrow, "esc_gone", "r1"])
    venue.holdings.add_position("pos_1")
    result = cli("--venue", str(write_document(home, venue, "rest", PAYEE)), "commitments", "list", "--json")
    rows = {one["id"]: one for one in result.json}
    assert result.code == 1
    assert (rows[escrow]["apart"], rows[escrow]["owner"], rows[escrow]["version"]) == ([], "blue", "2.4.0")
    assert rows["esc_gone"]["apart"] == ["not at the venue"]
    assert rows["r1"]["apart"] == [] and rows["r1"]["taken"]
    assert "not listed" in rows["pos_1"]["apart"][0]


@pytest.mark.parametrize("spoilt", ["{", "[]", '{"at": 5}', "x" * 200])
def test_a_spoilt_record_of_a_guards_look_is_none(plain: Plain, valkey_sync: redis.Redis, spoilt: str) -> None:
    valkey_sync.set(VenueKeys.of(Keys.of()).things, spoilt)
    plain.venue.holdings.add_position("pos_1")
    plain.write(open_positions=["pos_1"])
    assert plain("commitments", "list").code == 0


def test_a_venue_that_lists_no_escrows_is_asked_for_ours_one_by_one(plain: Plain) -> None:
    plain.document = write_document(plain.home, plain.venue, "purple-flea", PAYEE)
    open_one, over, dark = (plain.venue.holdings.add_escrow("25.00", 24) for _ in range(3))
    plain.venue.holdings.escrows[over].status = "released"
    plain.venue.turn(Fault.SERVER_ERROR, f"/escrow/{dark}")
    plain.write()
    rows = plain.rows()
    assert rows[open_one]["apart"] == rows[open_one]["unknown"] == []
    assert rows[over]["apart"] == ["over at the venue: released"]
    assert "server error" in rows[dark]["unknown"][0]
    assert plain.gate("auto-release")["state"] == "unknown"


def test_a_guards_look_that_was_not_asked_about_an_escrow_of_ours_is_no_answer_about_it(
    plain: Plain, valkey_sync: redis.Redis
) -> None:
    plain.document = write_document(plain.home, plain.venue, "purple-flea", PAYEE, timeout_s=PATIENT_S)
    escrow = plain.venue.holdings.add_escrow("25.00", 24)
    plain.write()
    look = Listing(Place.VENUE, "test", datetime.now(UTC), whole=frozenset({Kind.POSITION}))
    valkey_sync.set(VenueKeys.of(Keys.of()).things, json.dumps(kept_listing(KeptListing(look, 60.0))))
    assert [one["place"] for one in plain.rows()[escrow]["seen"]] == ["state file", "venue"]
    asked = dict(plain.venue.received)
    known = look._replace(things=(Thing(escrow, Kind.ESCROW, Decimal(25), "USD"),))
    valkey_sync.set(VenueKeys.of(Keys.of()).things, json.dumps(kept_listing(KeptListing(known, 60.0))))
    assert [one["place"] for one in plain.rows()[escrow]["seen"]] == ["state file", "venue"]
    assert dict(plain.venue.received) == asked, "and one that was is enough"
