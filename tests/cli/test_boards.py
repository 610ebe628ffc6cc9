"""`export` of the screens 6 and 7: what was read for the board, in every format, and unknown where it could not be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import redis

from console.demo.faulty import FaultyVenue
from console.domain.commitments.commitment import Commitment, Kind, to_record
from console.store.keys import Keys
from tests.cli.conftest import Cli
from tests.venue.stage import write_document

PAYEE = '[escrow]\npayee = "counterparty"\nprovenance = "the terms of 2026"\n'


def test_the_state_as_json_holds_what_is_owed_and_what_the_venue_says_now(
    cli: Cli, valkey_sync: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owed = Commitment("esc_1", Kind.ESCROW, detail='{"status": "disputed"}')
    valkey_sync.hset(Keys.of().owed, "esc_1", f"\nblue\n2.4.0\n41\n1773490000000\n{to_record(owed)}")
    with FaultyVenue() as venue:
        monkeypatch.setenv("VENUE_KEY", venue.key)
        document = write_document(tmp_path, venue, "rest", PAYEE)
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
    assert "UNKNOWN, which is not nothing" in cli("export", "--screen", "state", "--format", "txt").out


def test_the_checklist_as_json_is_what_the_verb_gives(cli: Cli, valkey_sync: redis.Redis) -> None:
    told = json.loads(cli("export", "--screen", "checklist", "--format", "json").out)
    verb = cli("checklist", "--phase", "all", "--json").json
    assert [one["item"] for one in told["items"]] == [one["item"] for one in verb["items"]]
    assert told["phases"] == verb["phases"]
