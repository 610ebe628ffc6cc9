"""`export` of the screens 6 and 7: what was read for the board, in every format, and unknown where it could not be."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from console.demo.faulty import Fault, FaultyVenue
from console.domain.commitments.commitment import Commitment, Kind, to_record
from console.store.keys import Keys
from tests.cli.conftest import Cli
from tests.venue.stage import PATIENT_S, write_document

PAYEE = '[escrow]\npayee = "counterparty"\nprovenance = "the terms of 2026"\n'


def test_the_state_as_json_holds_what_is_owed_and_what_the_venue_says_now(
    cli: Cli, valkey_sync: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owed = Commitment("esc_1", Kind.ESCROW, detail='{"status": "disputed"}')
    valkey_sync.hset(Keys.of().owed, "esc_1", f"\nblue\n2.4.0\n41\n1773490000000\n{to_record(owed)}")
    with FaultyVenue() as venue:
        monkeypatch.setenv("VENUE_KEY", venue.key)
        document = write_document(tmp_path, venue, "rest", PAYEE, timeout_s=PATIENT_S)
        told = json.loads(cli("export", "--screen", "state", "--format", "json", "--venue", str(document)).out)
    assert [one["id"] for one in told["commitments"]] == ["esc_1"]
    assert told["disputed"] == ["esc_1"]
    assert told["payee"] == "counterparty"
    assert told["venue_by"] == "this console"
    assert "balance" in [row["what"] for row in told["books"]]
    assert [one["version"] for one in told["versions"]] == ["2.4.0"]


def test_a_part_that_can_not_be_read_is_listed_as_unknown_and_not_as_nothing(
    cli: Cli, valkey_sync: redis.Redis
) -> None:
    valkey_sync.hset(Keys.of().owed, "esc_1", "no record")
    told = json.loads(cli("export", "--screen", "state", "--format", "json").out)
    assert {one["part"]: one["lack"] for one in told["unknown"]} == {
        "commitments": "error",
        "versions": "error",
        "venue": "not checked",
        "payee": "not checked",
    }
    assert [(one["kind"], one["id"]) for one in told["commitments"]] == [("unknown", "commitments")]
    assert "✖ 1 UNKNOWN" in cli("export", "--screen", "state", "--format", "txt").out


def test_the_checklist_as_json_is_what_the_verb_gives(cli: Cli, valkey_sync: redis.Redis) -> None:
    told = json.loads(cli("export", "--screen", "checklist", "--format", "json").out)
    verb = cli("checklist", "--phase", "all", "--json").json
    assert [one["item"] for one in told["items"]] == [one["item"] for one in verb["items"]]
    assert told["phases"] == verb["phases"]


class Plain:
    """A plain agent that owes an escrow: no list in the store, a state file, a venue."""

    def __init__(self, cli: Cli, venue: FaultyVenue, folder: Path) -> None:
        self.escrow = venue.holdings.add_escrow("25.00", 24)
        venue.holdings.add_position("pos_1")
        state = folder / "state.json"
        state.write_text(json.dumps({"timestamp": time.time(), "escrow_ids": [self.escrow], "open_positions": []}))
        document = write_document(folder, venue, "purple-flea", PAYEE, timeout_s=PATIENT_S)
        self._cli, self._given = cli, ("--state-file", str(state), "--venue", str(document))

    def board(self, form: str = "json") -> Any:
        """Screen 6."""
        told = self._cli(*self._given, "export", "--screen", "state", "--format", form, "--size", "160x48").out
        return json.loads(told) if form == "json" else told

    def listed(self) -> Any:
        """`commitments list`."""
        return self._cli(*self._given, "commitments", "list", "--json").json


@pytest.fixture
def plain(
    cli: Cli, valkey_sync: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Plain, FaultyVenue]]:
    valkey_sync.set(Keys.of().active, "blue")
    with FaultyVenue() as venue:
        monkeypatch.setenv("VENUE_KEY", venue.key)
        yield Plain(cli, venue, tmp_path), venue


def test_screen_6_lists_what_every_place_lists_just_as_commitments_list_does(plain: tuple[Plain, FaultyVenue]) -> None:
    agent, _venue = plain
    moving = {"age_s", "due_in_s", "at"}

    def still(row: dict[str, Any]) -> dict[str, Any]:
        seen = [{name: value for name, value in one.items() if name not in moving} for one in row["seen"]]
        return {name: value for name, value in row.items() if name not in moving} | {"seen": seen}

    board, listed = agent.board()["commitments"], agent.listed()
    assert [still(row) for row in board] == [still(row) for row in listed]
    by_id = {row["id"]: row for row in board}
    assert [one["place"] for one in by_id[agent.escrow]["seen"]] == ["state file", "venue"]
    assert by_id["pos_1"]["apart"], "on no list of ours"


def test_a_plain_agent_sees_its_escrows_on_screen_6_with_their_deadline_and_who_is_paid(
    plain: tuple[Plain, FaultyVenue],
) -> None:
    agent, _venue = plain
    shown = agent.board("txt")
    (line,) = [line for line in shown.splitlines() if agent.escrow in line]
    assert "23:59" in line or "24:00" in line or "1 d 00 h" in line
    assert "25.00 USD" in line and "counterparty" in line and "file, venue" in line
    assert "DIFFERS" in next(line for line in shown.splitlines() if "pos_1" in line)


def test_a_place_that_can_not_be_read_is_a_loud_line_of_screen_6(plain: tuple[Plain, FaultyVenue]) -> None:
    agent, venue = plain
    venue.turn(Fault.SERVER_ERROR, "/v1/trade/positions")
    shown = agent.board("txt")
    (line,) = [line for line in shown.splitlines() if "server error" in line and "UNKNOWN" in line]
    assert "venue" in line and "positions" in line and "nobody knows" in line
    assert "✖ 1 UNKNOWN" in shown and agent.escrow in shown
    gaps = [row for row in agent.board()["commitments"] if row["kind"] == "unknown"]
    assert [gap["id"] for gap in gaps] == ["positions"]
