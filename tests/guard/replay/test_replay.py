"""`backtest`: the rules over recorded logs."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from console.cli.main import run
from console.domain.errors import UsageError
from console.domain.triggers.finding import Trigger
from console.domain.triggers.settings import TriggerSettings, changed
from console.guard.replay.replay import Outcome, replay
from console.logs.options import LogOptions
from tests.guard.records import history, record, write

START = 1_770_000_000.0


def outcome(*paths: Path, **settings: str) -> Outcome:
    values = {name.replace("__", "."): value for name, value in settings.items()}
    return replay(list(paths), changed(TriggerSettings(), values), options=LogOptions(last_lines=None))


def two_versions(path: Path, loss: float) -> Path:
    old = history(START, 200, "2.4.0")
    new = [record(START + 200 + n, "2.5.0", pnl=loss + n % 2) for n in range(300)]
    return write(path, old + new)


def test_a_version_that_loses_would_have_been_rolled_back_and_the_money_after_that_is_counted(tmp_path: Path) -> None:
    replayed = outcome(two_versions(tmp_path / "a.jsonl", -3.0))
    assert [firing.finding.trigger for firing in replayed.firings] == [Trigger.PNL]
    firing = replayed.firings[0]
    assert (firing.version, firing.slot) == ("2.5.0", "green")
    assert firing.before["USD"] + firing.after["USD"] == Decimal("-750")
    assert firing.finding.n < 100
    assert replayed.tenures == 2


def test_a_version_like_the_old_one_would_have_been_left_alone(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", [*history(START, 200, "2.4.0"), *history(START + 200, 300, "2.5.0")])
    assert outcome(log).firings == []


def test_a_few_rounds_of_a_canary_change_nobody_s_tenure(tmp_path: Path) -> None:
    rounds = history(START, 400, "2.4.0")
    for number in range(0, 400, 10):
        rounds[number] = record(START + number, "2.5.0", pnl=-100.0)
    replayed = outcome(write(tmp_path / "a.jsonl", rounds))
    assert (replayed.tenures, replayed.firings) == (1, [])


def test_critical_events_fire_once_a_tenure_with_their_evidence(tmp_path: Path) -> None:
    rounds = history(START, 50, "blue")
    rounds += [record(START + 50, "blue", decision_type="exception", pnl=None, output={"text": "KeyError"})] * 3
    rounds += [record(START + 51, "blue", output={"http_status": 401}, pnl=None)]
    replayed = outcome(write(tmp_path / "a.jsonl", rounds))
    assert [firing.finding.trigger for firing in replayed.firings] == [Trigger.EXCEPTION, Trigger.AUTH]
    assert replayed.firings[0].finding.samples[0].startswith("a.jsonl@")


@pytest.mark.parametrize(
    ("first", "second", "fires"),
    [
        ({"key": "bet-17"}, {"key": "bet-17"}, True),
        ({"key": "bet-17"}, {"key": "bet-18"}, False),
        ({"inputs": {"round_id": 17}}, {"inputs": {"round_id": 17}}, True),
        ({"inputs": {"round_id": 17}}, {"inputs": {"round_id": 17}, "pnl": 5.0}, True),
        ({"inputs": {"round_id": 17}}, {"inputs": {"round_id": 18}}, False),
        ({"inputs": {"target": 2.0}}, {"inputs": {"target": 2.0}}, False),
        ({"inputs": {"round_id": 17}, "pnl": None}, {"inputs": {"round_id": 17}, "pnl": None}, False),
        ({"key": "a", "outcome": "ok", "decision_id": "1"}, {"key": "a", "outcome": "ok", "decision_id": "1"}, False),
        ({"key": "a", "outcome": "ok", "decision_id": "1"}, {"key": "a", "outcome": "ok", "decision_id": "2"}, True),
        ({"key": "a", "outcome": "abort", "pnl": None}, {"key": "a", "outcome": "ok", "pnl": None}, False),
    ],
    ids=str,
)
def test_a_double_spend_is_the_same_key_or_the_same_named_content_executed_twice(
    tmp_path: Path, first: dict[str, object], second: dict[str, object], fires: bool
) -> None:
    rounds = history(START, 50, "blue")
    rounds += [record(START + 50, "blue", **first), record(START + 51, "blue", **second)]
    replayed = outcome(write(tmp_path / "a.jsonl", rounds))
    assert [firing.finding.trigger for firing in replayed.firings] == ([Trigger.DOUBLE_SPEND] if fires else [])


def test_an_escrow_nobody_looks_at_fires_where_the_silence_began(tmp_path: Path) -> None:
    rounds = history(START, 200, "blue")
    rounds[20]["inputs"] = {"escrow_id": "e-1"}
    replayed = outcome(write(tmp_path / "a.jsonl", rounds))
    assert [firing.finding.trigger for firing in replayed.firings] == [Trigger.ESCROW]
    assert replayed.firings[0].finding.at.timestamp() == pytest.approx(START + 81, abs=1)


def test_silence_freezes_and_rolls_back_at_the_deadline(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", [*history(START, 50, "blue"), *history(START + 1000, 50, "blue")])
    replayed = outcome(log)
    assert replayed.freezes[Trigger.EXCEPTION] == 1
    assert {firing.finding.verdict.value for firing in replayed.firings} == {"STALE"}


def test_several_logs_are_merged_by_time(tmp_path: Path) -> None:
    whole = [*history(START, 200, "2.4.0"), *(record(START + 200 + n, "2.5.0", pnl=-3.0 + n % 2) for n in range(300))]
    one = write(tmp_path / "one.jsonl", whole)
    parts = [write(tmp_path / f"part{k}.jsonl", whole[k::3]) for k in range(3)]
    a, b = outcome(one), outcome(*parts)
    assert [f.finding.at for f in a.firings] == [f.finding.at for f in b.firings]
    assert a.decisions == b.decisions == 500


def test_lines_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", history(START, 50, "blue"))
    with log.open("a") as file:
        file.write("not json\n\x00\n")
    assert outcome(log).rejected == 2


def test_the_verb_shows_a_table_and_a_sweep_tries_each_value(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log = two_versions(tmp_path / "a.jsonl", -3.0)
    assert run(["backtest", str(log)]) == 0
    assert "pnl           armed            1" in capfd.readouterr().out
    assert run(["backtest", str(log), "--json", "--sweep", "pnl.blocks=5,20", "--sweep", "pnl.arming=armed,dry"]) == 0
    tried = json.loads(capfd.readouterr().out)
    assert [one["settings"]["pnl.blocks"] for one in tried] == ["5", "5", "20", "20"]
    assert tried[0]["firings"][0]["n"] < tried[2]["firings"][0]["n"]
    assert tried[0]["triggers"]["pnl"]["saved"]["USD"] == str(-Decimal(tried[0]["firings"][0]["pnl_after"]["USD"]))


def test_the_verb_reads_thresholds_from_a_file_and_refuses_what_means_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = two_versions(tmp_path / "a.jsonl", -3.0)
    file = tmp_path / "guard.toml"
    file.write_text('[pnl]\narming = "off"\n')
    assert run(["backtest", str(log), "--triggers", str(file), "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["firings"] == []
    file.write_text("[pnl]\nsigma = 2\n")
    assert run(["backtest", str(log), "--triggers", str(file)]) == 2
    assert "line 2: there is no pnl.sigma; did you mean sigmas?" in capfd.readouterr().err
    assert run(["backtest", str(tmp_path / "none.jsonl")]) == 2


def test_a_copy_of_a_log_beside_it_counts_once(tmp_path: Path) -> None:
    rounds = [record(START + n, "blue", inputs={"round_id": f"r{n}"}) for n in range(50)]
    log, copy = write(tmp_path / "a.jsonl", rounds), tmp_path / "a-1.jsonl"
    copy.write_bytes(log.read_bytes())
    write(log, [record(START + 60, "blue", inputs={"round_id": "r60"})])
    for paths in ((log, copy), (copy, log)):
        replayed = outcome(*paths)
        assert (replayed.decisions, replayed.firings) == (51, [])


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf"])
def test_a_copy_with_other_line_ends_is_no_double_spend(tmp_path: Path, before: bytes) -> None:
    rounds = [record(START + n + 0.25, "blue", inputs={"round_id": f"r{n}"}) for n in range(50)]
    log, copy = write(tmp_path / "a.jsonl", rounds), tmp_path / "a-1.jsonl"
    copy.write_bytes(before + log.read_bytes().replace(b"\n", b"\r\n"))
    assert outcome(log, copy).firings == []
    write(log, [record(START + 60.5, "blue", inputs={"round_id": "r7"})])
    assert [firing.finding.trigger for firing in outcome(log, copy).firings] == [Trigger.DOUBLE_SPEND]


def test_a_file_that_holds_no_lines_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([record(START, "blue")]))
    with pytest.raises(UsageError, match="JSON array"):
        outcome(path)
