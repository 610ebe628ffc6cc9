"""Questions in SQL: a sum is the sum that every other verb gives, and no question opens a file or a door."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from console.cli.main import run

pytest.importorskip("duckdb")

SUMS = "select slot, currency, count(pnl) as rounds, sum(pnl) as pnl from decisions where pnl is not null group by all"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"AGENT_CONSOLE_{name}_DIR", str(tmp_path / name.lower()))
    return tmp_path


def line(at: object, pnl: object, version: str = "blue", **more: object) -> bytes:
    record = {
        "agent_version": version,
        "timestamp": at,
        "decision_type": "bet",
        "output": {"pnl": pnl, "currency": "USD"},
    }
    return json.dumps({**record, **more}).encode() + b"\n"


@pytest.fixture
def log(home: Path) -> Path:
    """What agents write: times in four forms, money that floats would spoil, lines that are none, hostile text."""
    file = home / "decisions.jsonl"
    file.write_bytes(
        line(1_795_600_000, "0.1")
        + line(1_795_600_001_000, "0.2")
        + line("2026-11-25T13:46:42Z", 0.3)
        + line(1_795_600_003.5, "-12345678901234567890123.45", "green")
        + line(1_795_600_004, "NaN", "green")
        + line(1_795_600_005, 1, "green-2.5", reasoning='quote " comma , \n \x1b[31m \x00 null')
        + line(1_795_600_006, None, "neither")
        + b"no json\n{}\n"
        + line(1_795_600_007, 7, "blue")[:-1]  # torn: no end of line
    )
    return file


def ask(capfd: pytest.CaptureFixture[str], log: Path, question: str, *words: str) -> tuple[int, object, str]:
    capfd.readouterr()
    code = run(["--decisions", str(log), "sql", question, "--json", *words])
    told = capfd.readouterr()
    return code, json.loads(told.out) if told.out.startswith("[") else told.out, told.err


def test_a_sum_in_sql_is_the_sum_of_every_other_verb(capfd: pytest.CaptureFixture[str], log: Path) -> None:
    run(["--decisions", str(log), "decisions", "sum", "--json"])
    ours = {(row["slot"], row["version"]): Decimal(row["pnl"]) for row in json.loads(capfd.readouterr().out)}

    code, rows, _ = ask(
        capfd, log, "select slot, version, sum(pnl) as pnl from decisions group by all having sum(pnl) is not null"
    )

    assert isinstance(rows, list)
    theirs = {(row["slot"], row["version"]): Decimal(row["pnl"]) for row in rows}
    assert theirs == {key: total for key, total in ours.items() if key != ("green", "green")} and len(theirs) == 2
    assert code == 1  # one amount has more digits than a column holds, and that is said


def test_an_amount_that_a_column_cannot_hold_is_null_and_told_of(capfd: pytest.CaptureFixture[str], log: Path) -> None:
    code, rows, said = ask(
        capfd, log, "select pnl, line from decisions where pnl is null and line like '%12345678901234%'"
    )

    assert code == 1 and isinstance(rows, list) and len(rows) == 1 and rows[0]["pnl"] is None
    assert "1 amounts have more digits" in said


def test_a_time_is_utc_in_whatever_form_it_was_written(capfd: pytest.CaptureFixture[str], log: Path) -> None:
    _, rows, _ = ask(capfd, log, "select time from decisions order by time limit 4")

    assert rows == [
        {"time": "2026-11-25T09:46:40Z"},
        {"time": "2026-11-25T09:46:41Z"},
        {"time": "2026-11-25T09:46:43.500000Z"},
        {"time": "2026-11-25T09:46:44Z"},
    ]


def test_a_line_is_asked_as_json_whatever_stands_in_it(capfd: pytest.CaptureFixture[str], log: Path) -> None:
    _, rows, _ = ask(capfd, log, "select line->>'$.reasoning' as why from decisions where version = 'green-2.5'")

    assert rows == [{"why": 'quote " comma , \n \x1b[31m \x00 null'}]
    run(["--decisions", str(log), "sql", "select line from decisions"])
    assert "\x1b" not in capfd.readouterr().out


@pytest.mark.parametrize(
    "question",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from '/etc/passwd'",
        "copy decisions to '{home}/out.csv'",
        "attach '{home}/out.db'",
        "export database '{home}/out'",
        "set enable_external_access = true",
        "reset lock_configuration",
        "install httpfs",
        "load httpfs",
        "select * from rows",
        "select getenv('HOME')",
        "not sql at all",
    ],
)
def test_no_question_opens_a_file_or_a_door(
    question: str, capfd: pytest.CaptureFixture[str], log: Path, home: Path
) -> None:
    before = sorted(home.iterdir())

    code, _, _ = ask(capfd, log, question.format(home=home))

    assert code == 2
    assert not {path.name for path in home.iterdir()} - {path.name for path in before} - {"cache", "data", "config"}


def test_what_was_commanded_and_done_is_asked_beside_it(
    capfd: pytest.CaptureFixture[str], log: Path, store_url: str
) -> None:
    run(["--url", store_url, "switch", "blue", "--yes", "--reason", "opening"])
    run(["--url", store_url, "flag", "set", "game", "dice", "--yes"])

    capfd.readouterr()
    assert run(["--url", store_url, "sql", "select command, why from audit order by time", "--json"]) == 0
    rows = json.loads(capfd.readouterr().out)

    assert {"command": "switch", "why": "opening"} in rows and {"command": "flag set", "why": ""} in rows
    assert run(["--url", store_url, "sql", "select count(*) from acts", "--csv"]) == 0


def test_a_named_store_that_does_not_answer_is_no_empty_table(capfd: pytest.CaptureFixture[str], log: Path) -> None:
    assert run(["--url", "redis://127.0.0.1:1", "--decisions", str(log), "sql", SUMS]) == 3


def test_rows_beyond_the_most_are_told_of(capfd: pytest.CaptureFixture[str], log: Path) -> None:
    _, rows, said = ask(capfd, log, "select * from range(5000)", "--most", "10")

    assert isinstance(rows, list) and len(rows) == 10 and "more than 10 rows" in said


def test_without_a_question_the_columns_are_named(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["sql"]) == 0
    assert {row.split()[0] for row in capfd.readouterr().out.splitlines()} == {"decisions", "audit", "acts"}
