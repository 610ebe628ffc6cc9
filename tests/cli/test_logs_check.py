"""`logs check`, and mappings in the configuration: what is read, what is missed, and what every verb says of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli

MAPPING = """
[logs.mapping]
version = "v"
type = "=trade"
time = "t"
time_format = "rfc3339"
pnl = "result.money"
currency = "=EUR"

[profiles.other.logs.mapping]
version = "=9"
type = "kind"
time = "ms"
time_format = "ms"
"""


@pytest.fixture
def config(home: Path) -> Path:
    path = home / "mapped.toml"
    path.write_text(MAPPING)
    return path


@pytest.fixture
def log(home: Path) -> Path:
    path = home / "others.jsonl"
    lines = [{"t": f"2026-03-14T14:00:0{at}Z", "v": "green-1", "result": {"money": f"{at}.50"}} for at in range(5)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"t":"yesterday","v":"1"}\nno json\n')
    return path


@pytest.fixture
def ask(cli: Cli, config: Path, log: Path) -> Any:
    return lambda *words: cli("--config", str(config), "--decisions", str(log), *words)


def test_every_line_is_told_with_what_is_read_of_it_and_every_path_with_how_often_it_led_somewhere(
    ask: Any, log: Path
) -> None:
    result = ask("logs", "check", str(log), "--json")
    assert result.code == 1
    assert [row["pnl"] for line in result.json["lines_read"] for row in line["decisions"]] == [
        f"{at}.50" for at in range(5)
    ]
    assert [line["refused"] for line in result.json["lines_read"][5:]] == [["bad timestamp"], ["not JSON"]]
    assert result.json["lines_read"][5]["lacks"] == ["pnl"]
    assert {path["name"]: (path["looked"], path["lacked"]) for path in result.json["paths"]} == {
        "version": (6, 0),
        "time": (6, 0),
        "pnl": (6, 1),
    }
    text = ask("logs", "check", str(log)).out
    assert "PnL 4.50 EUR" in text
    assert "refused: bad timestamp (no pnl)" in text


def test_a_path_that_is_never_there_is_named_by_every_verb_that_answers_from_the_log(
    ask: Any, config: Path, log: Path
) -> None:
    config.write_text(MAPPING.replace("result.money", "result.pnl"))
    assert "NEVER THERE, lacking in 6" in ask("logs", "check", str(log)).out
    for words in (("decisions", "sum"), ("backtest", str(log)), ("sql", "select 1")):
        assert "never there: pnl (result.pnl), in the first 6 records" in ask(*words).err


def test_sql_lists_and_sums_see_the_mapped_rows(ask: Any) -> None:
    pytest.importorskip("duckdb")
    (summed,) = ask("decisions", "sum", "--json").json
    assert (summed["slot"], summed["currency"], summed["pnl"]) == ("green", "EUR", "12.50")
    (asked,) = ask("sql", "select sum(pnl) as pnl, min(currency) as currency from decisions", "--json").json
    assert (asked["pnl"].rstrip("0"), asked["currency"]) == ("12.5", "EUR")
    (first, *_) = ask("decisions", "list", "--json").json
    shown = ask("decisions", "show", first["place"], "--json").json
    assert shown["record"]["original"]["result"] == {"money": "0.50"}


def test_a_profile_has_a_mapping_of_its_own(ask: Any, log: Path) -> None:
    log.write_text('{"ms":1773496800000,"kind":"x"}\n')
    (row,) = ask("--profile", "other", "decisions", "list", "--json").json
    assert (row["version"], row["type"], row["at"]) == ("9", "x", "2026-03-14T14:00:00Z")
    shown = ask("--profile", "other", "config", "show", "--json").json["logs.mapping"]
    assert shown["value"]["time_format"] == "ms"
    assert "[profiles.other.logs]" in shown["origin"]


def test_what_a_mapping_says_wrongly_stops_every_verb_and_is_named(ask: Any, config: Path, log: Path) -> None:
    config.write_text(MAPPING.replace('time_format = "rfc3339"', ""))
    result = ask("logs", "check", str(log))
    assert (result.code, "time_format" in result.err) == (2, True)
    config.write_text(MAPPING.replace("result.money", "result..money"))
    assert "`pnl`" in ask("status").err


def test_a_plain_log_is_checked_too(cli: Cli, home: Path) -> None:
    path = home / "plain.jsonl"
    path.write_text('{"agent_version":"1","timestamp":1,"decision_type":"x"}\n')
    result = cli("logs", "check", str(path), "--json")
    assert (result.code, result.json["paths"]) == (0, [])
    assert cli("logs", "check", str(home / "none.jsonl")).code == 2
