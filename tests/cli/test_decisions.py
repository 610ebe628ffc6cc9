"""`decisions`: whole logs are listed, searched, shown and summed up, without a store."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli

START = datetime(2026, 3, 14, 14, 0, tzinfo=UTC)


def record(number: int, **other: Any) -> dict[str, Any]:
    return {
        "timestamp": START.timestamp() + number,
        "agent_version": "2.5.0",
        "slot": "green" if number % 2 else "blue",
        "decision_type": "bet",
        "inputs": {"number": number},
        "output": {"action": "BET", "pnl": f"{3 - number % 5}.10", "currency": "USD"},
        "reasoning": "below target",
        **other,
    }


@pytest.fixture
def log(home: Path) -> Path:
    path = home / "decisions.jsonl"
    path.write_text("".join(json.dumps(record(number)) + "\n" for number in range(600)))
    return path


@pytest.fixture
def ask(cli: Cli, log: Path) -> Any:
    return lambda *words: cli("--decisions", str(log), "decisions", *words)


def test_why_green_lost_money_between_two_times_is_one_question(ask: Any) -> None:
    result = ask("search", "slot:green pnl<0", "--since", "2026-03-14T14:01", "--until", "2026-03-14T14:02", "--json")
    assert result.code == 0
    assert [row["pnl"] for row in result.json] == ["-1.10"] * 6
    assert all(row["slot"] == "green" and row["at"].startswith("2026-03-14T14:01") for row in result.json)
    summed = ask("sum", "--since", "2026-03-14T14:01", "--until", "2026-03-14T14:02", "--json").json
    assert {(row["slot"], row["rounds"], row["pnl"]) for row in summed} == {
        ("blue", 30, "31.80"),
        ("green", 30, "31.80"),
    }


def test_the_newest_come_last_as_in_the_log(ask: Any) -> None:
    rows = ask("list", "--last", "3", "--json").json
    assert [row["at"] for row in rows] == [f"2026-03-14T14:09:5{second}Z" for second in (7, 8, 9)]
    assert len(ask("list").out.splitlines()) == 100


def test_a_round_is_shown_in_full_by_its_place(ask: Any) -> None:
    row = ask("list", "--last", "1", "--json").json[0]
    shown = ask("show", row["place"], "--json").json
    assert shown["record"] == record(599) and shown["decision"] == row
    assert "below target" in ask("show", row["place"]).out
    assert ask("show", f"{row['place']}1").code == 4
    assert ask("show", "nowhere").code == 2


def test_rows_are_csv_that_a_spreadsheet_takes_for_what_it_is(ask: Any, log: Path) -> None:
    log.write_text(json.dumps(record(0, reasoning='=HYPERLINK("http://x","a,b")')) + "\n")
    (row,) = csv.DictReader(io.StringIO(ask("list", "--csv").out))
    assert (row["pnl"], row["why"]) == ("3.10", '\'=HYPERLINK("http://x","a,b")')


def test_csv_of_what_has_no_rows_is_refused_and_never_ignored(cli: Cli, home: Path) -> None:
    plan = home / "plan.toml"
    plan.write_text("")
    result = cli("schema", "--csv")
    assert result.code == 2 and "CSV" in result.err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("search", "nowhere"), 1),
        (("list", "--since", "1s"), 1),
        (("search", "slot:purple"), 2),
        (("search", "re:(a+)+b"), 2),
        (("list", "--last", "0"), 2),
        (("list", "--last", "NaN"), 2),
        (("list", "--since", "yesterday"), 2),
    ],
)
def test_nothing_is_1_and_what_can_not_be_asked_is_2(ask: Any, words: tuple[str, ...], code: int) -> None:
    assert ask(*words).code == code


def test_without_a_log_or_with_none_that_can_be_read_it_is_said(cli: Cli, home: Path) -> None:
    assert "No decision log" in cli("decisions", "list").err
    (home / "d").mkdir()
    result = cli("--decisions", str(home / "d"), "decisions", "list")
    assert result.code == 2 and "is a directory" in result.err


def test_a_sum_in_which_a_log_is_missing_is_not_taken_for_the_whole(cli: Cli, log: Path, home: Path) -> None:
    logs = ("--decisions", str(log), "--decisions", str(home / "gone.jsonl"))
    result = cli(*logs, "decisions", "sum", "--json")
    assert result.code == 1 and len(result.json) == 2
    assert "gone.jsonl" in cli(*logs, "decisions", "sum").err
    assert cli("--decisions", str(log), "decisions", "sum").code == 0


def test_a_hostile_record_is_shown_without_its_control_bytes(ask: Any, log: Path) -> None:
    log.write_text(json.dumps(record(0, reasoning="\x1b[2J\x07boo", agent_version="\x1b]0;x\x07")) + "\n")
    for words in (("list",), ("search", "boo"), ("show", ask("list", "--json").json[0]["place"])):
        out = ask(*words).out
        assert "boo" in out and not any(char < " " and char != "\n" for char in out)
