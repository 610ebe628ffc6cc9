"""An operator asks the venue itself: what was read, what is unknown, and how our books stand beside its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.demo.faulty import Fault, FaultyVenue
from tests.cli.conftest import Cli
from tests.venue.stage import write_document
from tests.waiting import until

PAYEE = '[escrow]\npayee = "counterparty"\nprovenance = "the terms of 2026"\n'
KNOWN = """[deadman.terms]
timeout_s = 60
every_s = 10
takes = "all"
goodbye = "disarms"
provenance = "the API reference"
"""


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyVenue]:
    with FaultyVenue() as venue:
        venue.holdings.add_escrow("25.00", 24)
        venue.holdings.add_position("pos_1")
        monkeypatch.setenv("VENUE_KEY", venue.key)
        yield venue


def state_file(folder: Path, venue: FaultyVenue, **other: object) -> Path:
    path = folder / "state.json"
    kept = {"balance": 1000.0, "open_positions": ["pos_1"], "open_orders": [], "escrow_ids": [*venue.holdings.escrows]}
    path.write_text(json.dumps({**kept, "timestamp": time.time(), **other}))
    return path


def test_without_a_venue_the_verb_says_how_to_name_one(cli: Cli) -> None:
    result = cli("venue", "check")
    assert result.code == 2
    assert "--venue" in result.err


def test_check_tries_every_probe_without_a_store_and_is_well_where_nothing_is_unknown(
    cli: Cli, home: Path, venue: FaultyVenue
) -> None:
    document = write_document(home, venue, "rest", PAYEE)
    given = ("--venue", str(document), "--state-file", str(state_file(home, venue)))
    result = cli("venue", "check", *given, url=None)
    assert result.code == 0, result.out
    for probe in ("health of api", "key", "balance", "positions", "orders", "order monitor", "history", "escrow esc_"):
        assert f"ok       {probe}" in result.out
    report = cli("venue", "check", *given, "--json").json
    assert report["fine"]
    assert all(probe["why"] is None for probe in report["probes"])


def test_check_ends_with_one_where_something_is_unknown_and_shows_no_key(
    cli: Cli, home: Path, venue: FaultyVenue
) -> None:
    document = write_document(home, venue, "rest")
    venue.turn(Fault.ECHO, "/v1/balance")
    result = cli("venue", "check", "--venue", str(document))
    assert result.code == 1
    assert "UNKNOWN  balance  refused" in result.out
    assert venue.key not in result.out + result.err
    as_json = cli("venue", "check", str(document), "--json")
    assert as_json.code == 1
    assert venue.key not in as_json.out


def test_balances_agree_differ_or_are_unknown(cli: Cli, home: Path, venue: FaultyVenue) -> None:
    document = str(write_document(home, venue, "rest", PAYEE))
    given = ("balances", "--venue", document, "--state-file", str(state_file(home, venue)))
    agreeing = cli(*given)
    assert agreeing.code == 0, agreeing.out
    venue.turn(Fault.DRIFTED)
    differing = cli(*given, "--json")
    assert differing.code == 1
    (balance,) = (row for row in differing.json["rows"] if row["what"] == "balance")
    assert (balance["standing"], balance["difference"]) == ("differs", "-12.34")
    assert 0 <= balance["venue_age_s"] < 5
    assert balance["ours_age_s"] >= 0
    venue.turn("")
    venue.turn(Fault.SERVER_ERROR, "/v1/balance")
    (balance,) = (row for row in cli(*given, "--json").json["rows"] if row["what"] == "balance")
    assert (balance["standing"], balance["venue"], balance["difference"]) == ("unknown", None, None)


def test_without_a_state_file_the_newest_snapshot_is_held_against_the_venue(
    cli: Cli, home: Path, venue: FaultyVenue
) -> None:
    document = str(write_document(home, venue, "rest", PAYEE))
    assert cli("snapshot", "take", "--state-file", str(state_file(home, venue))).code == 0
    result = cli("balances", "--venue", document)
    assert result.code == 0, result.out
    assert "snapshot " in result.out


@pytest.mark.parametrize("spoilt", ['{"balance": tru', "[]", '{"balance": "NaN"}', '{"escrow_ids": 5}', "\xff"])
def test_a_state_file_that_can_not_be_read_is_said_and_never_taken_for_empty_books(
    cli: Cli, home: Path, venue: FaultyVenue, spoilt: str
) -> None:
    document = str(write_document(home, venue, "rest", PAYEE))
    path = home / "state.json"
    path.write_bytes(spoilt.encode("latin-1"))
    result = cli("balances", "--venue", document, "--state-file", str(path))
    assert result.code == 1
    assert "state.json" in result.err


def test_a_pipe_is_no_state_file_and_is_not_waited_for(cli: Cli, home: Path, venue: FaultyVenue) -> None:
    document = str(write_document(home, venue, "rest", PAYEE))
    os.mkfifo(home / "pipe")
    assert "is no file" in cli("balances", "--venue", document, "--state-file", str(home / "pipe")).err


def test_the_configuration_can_name_the_venue_of_each_agent(cli: Cli, home: Path, venue: FaultyVenue) -> None:
    write_document(home, venue, "rest", PAYEE).rename(home / "a7.toml")
    (home / "config").mkdir()
    (home / "config" / "config.toml").write_text(f'venue = "{home}/{{agent}}.toml"\n')
    result = cli("--agent", "a7", "venue", "check")
    assert "test: " in result.out, result.err


def test_a_guard_does_not_start_with_a_document_that_can_not_be_gone_by(cli: Cli, home: Path) -> None:
    (home / "v.toml").write_text('preset = "rest"\nnme = "x"\n')
    result = cli("guard", "--once", "--venue", str(home / "v.toml"))
    assert result.code == 2
    assert "there is no nme; did you mean name?" in result.err


def test_a_look_by_cron_arms_no_switch(cli: Cli, home: Path, venue: FaultyVenue) -> None:
    document = write_document(home, venue, "rest", PAYEE + "[deadman]\narmed = true\n" + KNOWN)
    cli("switch", "green", "--yes")
    cli("guard", "--once", "--venue", str(document))
    assert not venue.received


def test_a_guard_of_many_agents_wants_the_name_in_the_path(cli: Cli, home: Path) -> None:
    result = cli("guard", "--all", "--once", "--venue", str(home / "v.toml"))
    assert result.code == 2
    assert "{agent}" in result.err


def test_guard_status_shows_what_a_guard_saw_of_the_venue(
    cli: Cli, home: Path, venue: FaultyVenue, store_url: str
) -> None:
    document = write_document(home, venue, "rest", PAYEE + "[deadman]\narmed = true\n" + KNOWN)
    cli("switch", "green", "--yes")
    venue.turn(Fault.MONITOR_STOPPED)
    log = home / "decisions.jsonl"
    log.write_text(json.dumps({"agent_version": "green", "timestamp": time.time(), "decision_type": "bet"}) + "\n")
    given = ["--venue", str(document), "--state-file", str(state_file(home, venue)), "--decisions", str(log)]
    command = [sys.executable, "-m", "console", "--url", store_url, *given, "guard"]
    running = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        until(lambda: venue.holdings.signs and cli("guard", "status", "--json").json["venue"], timeout_s=20)
        report = cli("guard", "status", "--json").json
        shown = cli("guard", "status").out
        drill = cli("drill", "deadman", "--timeout", "10", "--json").json
        status = cli("status").out
    finally:
        running.terminate()
        running.wait(20)
    assert report["venue"]["closed"] == 1
    assert report["deadman_state"] == "armed"
    assert 0 < report["deadman_left_s"] <= 60
    assert "venue test: 1 unknown" in shown
    assert "falls in" in shown
    assert "last door" in status
    assert [answer["did"] for answer in drill["answers"].values()] == ["sent a sign of life"]
    assert drill["state"] == "armed"


def test_where_the_guard_is_killed_the_venue_cancels_by_itself(
    cli: Cli, home: Path, venue: FaultyVenue, store_url: str
) -> None:
    quick = KNOWN.replace("timeout_s = 60", "timeout_s = 2").replace("every_s = 10", "every_s = 0.5")
    document = write_document(home, venue, "rest", PAYEE + "[deadman]\narmed = true\n" + quick)
    cli("switch", "green", "--yes")
    log = home / "decisions.jsonl"
    log.write_text(json.dumps({"agent_version": "green", "timestamp": time.time(), "decision_type": "bet"}) + "\n")
    given = ["--venue", str(document), "--state-file", str(state_file(home, venue)), "--decisions", str(log)]
    running = subprocess.Popen(
        [sys.executable, "-m", "console", "--url", store_url, *given, "guard"], stderr=subprocess.DEVNULL
    )
    venue.holdings.add_order("o1")
    until(lambda: venue.holdings.signs >= 3, timeout_s=20)
    assert venue.holdings.falls == 0
    running.kill()
    running.wait(20)
    time.sleep(2.2)
    assert cli("venue", "check", "--venue", str(document), "--json").json
    assert venue.holdings.falls == 1
    assert venue.holdings.orders == []
    assert "fallen" in cli("guard", "status").out
