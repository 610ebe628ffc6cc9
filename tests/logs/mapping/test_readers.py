"""One log as an agent writes it, and as its spans tell it, several in a line: every reader sees the same rows."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from console.commands.rehearse.recording import Recording, Wanted
from console.domain.seen.asking import parse_ask
from console.domain.triggers.settings import TriggerSettings
from console.evidence.bundle import bundle
from console.evidence.rounds import write_rounds
from console.guard.hear.follow import RowLog
from console.guard.hear.rows import RowReader
from console.guard.replay.replay import replay
from console.guard.setup.signals import Signals
from console.logs.follower import LogSet
from console.logs.history import read_returns
from console.logs.index.logs import LogIndex
from console.logs.index.pages import MOST_ROWS, Pages, one_line
from console.logs.index.sought import Sought
from console.logs.mapping.mapping import Mapping
from console.logs.options import LogOptions
from console.logs.past import logs_at
from console.recording.logs import LogsTimeline

ROUNDS = 1_800
FROM_S = 1_773_496_800
NOW = datetime.fromtimestamp(FROM_S + ROUNDS + 1, UTC)
PLAIN = LogOptions(last_lines=None, stake_path="stake", slots={"blue": ("2.4.0",), "green": ("2.5.0",)})
MAPPED = PLAIN.mapped(Mapping(format="otel-genai", currency="=USD"))


def record(number: int) -> dict[str, Any]:
    return {
        "agent_version": "2.4.0" if number < ROUNDS // 2 else "2.5.0",
        "timestamp": FROM_S + number,
        "decision_type": "bet",
        "latency_ms": 5,
        "output": {"action": "BET", "pnl": f"{number % 7 - 3}.10", "currency": "USD"},
        "stake": "10",
        "reasoning": f"reason {number}",
        "inputs": {"number": number},
        "idempotency_key": f"k{number}",
    }


def span(number: int) -> dict[str, Any]:
    of, at_ns = record(number), (FROM_S + number) * 1_000_000_000
    attributes = {
        "gen_ai.operation.name": "bet",
        "gen_ai.agent.version": of["agent_version"],
        "agent_console.outcome": "BET",
        "agent_console.pnl": of["output"]["pnl"],
        "agent_console.stake": "10",
        "agent_console.reasoning": of["reasoning"],
        "agent_console.key": of["idempotency_key"],
    }
    pairs: list[dict[str, Any]] = [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()]
    number_of = {"key": "number", "value": {"intValue": str(number)}}
    pairs.append({"key": "gen_ai.input.messages", "value": {"kvlistValue": {"values": [number_of]}}})
    return {
        "startTimeUnixNano": str(at_ns),
        "endTimeUnixNano": str(at_ns + 5_000_000),
        "attributes": pairs,
    }


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The plain log, and the one of spans: one to nine a line."""
    folder, draw, number = tmp_path_factory.mktemp("mapped"), random.Random(3), 0
    plain, spans = folder / "plain.jsonl", folder / "spans.jsonl"
    plain.write_text("".join(json.dumps(record(number)) + "\n" for number in range(ROUNDS)))
    with spans.open("w") as out:
        while number < ROUNDS:
            several = [span(at) for at in range(number, min(ROUNDS, number + draw.randrange(1, 10)))]
            out.write(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": several}]}]}) + "\n")
            number += len(several)
    return plain, spans


def both(logs: tuple[Path, Path]) -> tuple[tuple[Path, LogOptions], tuple[Path, LogOptions]]:
    return (logs[0], PLAIN), (logs[1], MAPPED)


def test_the_screen_reads_the_same_sums_and_the_same_newest_rows(logs: tuple[Path, Path]) -> None:
    seen = []
    for path, options in both(logs):
        follower = LogSet([path], options=options)
        follower.poll(NOW)
        while follower.behind:
            follower.poll(NOW)
        reading = follower.reading(NOW)
        follower.close()
        newest = [one._replace(raw=b"", source=one.kind, offset=0) for one in reading.recent]
        assert len({(one.source, one.offset) for one in reading.recent}) == len(newest) == 1000
        seen.append((reading.total, newest, reading.by_slot, reading.by_version, reading.never, reading.rejected))
    assert seen[0] == seen[1]
    assert seen[0][0] == ROUNDS


def test_the_guard_sees_the_same_rows_each_at_a_place_of_its_own(logs: tuple[Path, Path]) -> None:
    seen = []
    for path, options in both(logs):
        rows: list[Any] = []
        log = RowLog([path], reader=RowReader(options, Signals()), sink=lambda row, _after, rows=rows: rows.append(row))
        log.poll(NOW)
        while log.behind:
            log.poll(NOW)
        log.close()
        assert len({row.id for row in rows}) == len(rows)
        seen.append([row._replace(id="") for row in rows])
    assert seen[0] == seen[1]
    assert len(seen[0]) == ROUNDS
    assert all(row.key and row.stake == 10 for row in seen[1])


def test_a_backtest_comes_to_the_same_end(logs: tuple[Path, Path]) -> None:
    ends = [replay([path], TriggerSettings(), options=options) for path, options in both(logs)]
    assert ends[0] == ends[1]
    assert ends[0].decisions == ROUNDS


def test_past_returns_are_the_same(logs: tuple[Path, Path]) -> None:
    found = [read_returns([path], "stake", options, slot="blue", currency="USD") for path, options in both(logs)]
    assert found[0] == found[1]
    assert found[0].history.rounds == ROUNDS // 2


def test_whole_logs_sum_up_to_the_same_with_and_without_times(logs: tuple[Path, Path]) -> None:
    for since in (None, datetime.fromtimestamp(FROM_S + 777, UTC)):
        sums = []
        for path, options in both(logs):
            index = LogIndex([str(path)], options, None)
            while not index.step(1.0):
                pass
            sums.append(index.earned(parse_ask("", NOW, _no_pattern)._replace(since=since)))
            index.close()
        assert sums[0] == sums[1]
        assert sum(total.rounds for total in sums[0].values()) == ROUNDS - (777 if since else 0)


def _no_pattern(_text: str) -> Any:
    raise AssertionError


@pytest.mark.parametrize(
    "question", ["reason", '"reason 12"', "pnl<-2", "slot:green pnl>0", "-reason", "USD", "type:bet 199"]
)
def test_a_question_brings_the_same_rows(logs: tuple[Path, Path], question: str) -> None:
    found = []
    for path, options in both(logs):
        index = LogIndex([str(path)], options, None)
        sought = Sought(question, parse_ask(question, NOW, _no_pattern), index.files, options, 0.0)
        while sought.step(1.0):
            pass
        found.append([(spot.decision.at, spot.decision.pnl) for spot in sought.hits().rows])
        index.close()
    assert found[0] == found[1]


@pytest.mark.parametrize("step", [29, 700])
def test_pages_hold_every_row_once_in_both_directions_also_where_a_line_holds_several(
    logs: tuple[Path, Path], step: int
) -> None:
    index = LogIndex([str(logs[1])], MAPPED, None)
    pages, seen = Pages(index.files, MAPPED, 0.0), list[str]()
    pages.to_end()
    while more := pages.older(step):
        seen = [str(spot.decision.reasoning) for spot in pages.page().rows][:more] + seen
        assert len(pages.page().rows) <= MOST_ROWS + 10
    assert seen == [f"reason {number}" for number in range(ROUNDS)]
    assert pages.page().first
    back = len(pages.page().rows)
    while more := pages.newer(step):
        rows = [str(spot.decision.reasoning) for spot in pages.page().rows]
        assert rows == sorted(rows, key=lambda row: int(row.split()[1]))
        assert len(set(rows)) == len(rows)
    assert pages.page().last
    assert str(pages.page().rows[-1].decision.reasoning) == f"reason {ROUNDS - 1}"
    assert back
    index.close()


def test_a_row_is_found_again_by_its_place_alone(logs: tuple[Path, Path]) -> None:
    index = LogIndex([str(logs[1])], MAPPED, None)
    pages = Pages(index.files, MAPPED, 0.0)
    pages.to_end()
    pages.older(200)
    places = [(spot.key, spot.decision) for spot in pages.page().rows]
    assert len({key for key, _ in places}) == len(places)
    for key, decision in places[::17]:
        hit = one_line(index.files, str(logs[1]), decision.offset, MAPPED)
        assert hit is not None
        assert hit.decision(MAPPED, 0.0).reasoning == decision.reasoning
        again = Pages(index.files, MAPPED, 0.0)
        assert again.to(key, decision.at.timestamp())
        again.newer(10)
        assert key in [spot.key for spot in again.page().rows]
    index.close()


def test_what_was_read_at_a_moment_that_is_over_is_the_same(logs: tuple[Path, Path]) -> None:
    moment = datetime.fromtimestamp(FROM_S + 1234, UTC)
    seen = [logs_at([str(path)], options, None, moment) for path, options in both(logs)]
    assert [one.total for one in seen] == [1235, 1235]
    assert [one.at for one in seen[0].recent] == [one.at for one in seen[1].recent]
    assert seen[0].by_slot == seen[1].by_slot
    assert max(one.at for one in seen[1].recent) <= moment
    assert timedelta(0) <= NOW - moment


def test_an_index_that_was_kept_for_one_mapping_is_not_believed_for_another(
    logs: tuple[Path, Path], tmp_path: Path
) -> None:
    sums = Counter[str]()
    for currency in ("=USD", "=EUR"):
        options = PLAIN.mapped(Mapping(format="otel-genai", currency=currency))
        index = LogIndex([str(logs[1])], options, tmp_path)
        while not index.step(1.0):
            pass
        sums.update(str(key.currency) for key in index.earned(parse_ask("", NOW, _no_pattern)))
        index.close()
    assert sums == {"USD": 2, "EUR": 2}


def test_the_money_of_mapped_rows_is_summed_exactly(logs: tuple[Path, Path]) -> None:
    index = LogIndex([str(logs[1])], replace(MAPPED, max_line_bytes=1 << 20), None)
    while not index.step(1.0):
        pass
    total = sum((one.amount for one in index.earned(parse_ask("", NOW, _no_pattern)).values()), Decimal(0))
    assert total == sum((Decimal(record(number)["output"]["pnl"]) for number in range(ROUNDS)), Decimal(0))
    index.close()


def test_a_replay_of_the_log_alone_shows_the_same(logs: tuple[Path, Path]) -> None:
    moment = datetime.fromtimestamp(FROM_S + 900, UTC)
    seen = []
    for path, options in both(logs):
        timeline = LogsTimeline([path], options)
        reading = timeline.at(moment).logs
        timeline.close()
        assert reading is not None
        seen.append((timeline.bounds(), [one.at for one in reading.recent][-100:], reading.never))
    assert seen[0][0] == seen[1][0]
    assert seen[0][1][-1] == moment
    assert seen[1][1][-1] <= moment  # of a line whose rounds lie on both sides of it none is shown
    assert seen[0][2] == seen[1][2] == {}


def test_evidence_has_the_lines_of_which_any_round_belongs_to_the_time(logs: tuple[Path, Path], tmp_path: Path) -> None:
    span = datetime.fromtimestamp(FROM_S + 500, UTC), datetime.fromtimestamp(FROM_S + 600, UTC)
    index = LogIndex([str(logs[1])], MAPPED, None)
    while not index.step(1.0):
        pass
    with bundle(tmp_path / "one.zip", NOW) as out:
        (part,) = write_rounds(out, index, MAPPED, span)
    index.close()
    with ZipFile(tmp_path / "one.zip") as file:
        (member,) = [name for name in file.namelist() if name.endswith(part.member)]
        text = file.read(member)
    kept = tmp_path / "kept.jsonl"
    kept.write_bytes(text)
    rows = RowReader(MAPPED, Signals())
    seen = [row.at_s for row in rows.rows(rows.parse(text.rstrip(b"\n")), "log", 0)]
    assert set(range(FROM_S + 500, FROM_S + 600)) <= set(map(int, seen))
    assert len(seen) < 100 + 2 * 9
    assert text.rstrip(b"\n") in logs[1].read_bytes()


def test_rounds_of_spans_are_rehearsed_like_those_of_the_plain_log(logs: tuple[Path, Path]) -> None:
    given = [list(Recording([path], Wanted(options=options, most=50)).rounds()) for path, options in both(logs)]
    told = [[(one.recorded.price, json.loads(one.line)) for one in rounds] for rounds in given]
    assert told[0] == told[1]
    assert len(told[1]) == 50
