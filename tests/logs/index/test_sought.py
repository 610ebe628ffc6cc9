"""A question over whole logs, a little at a time: the same hits as `decisions search`, the newest first."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.domain.seen.asking import parse_ask
from console.logs.index.logs import LogIndex
from console.logs.index.sought import MOST_HITS, Sought
from console.logs.options import LogOptions

OPTIONS = LogOptions()
NOW = datetime(2026, 10, 2, tzinfo=UTC)


def log(path: Path, rows: int, step_s: float = 1.0) -> Path:
    with path.open("wb") as file:
        for number in range(rows):
            at = datetime.fromtimestamp(1_790_000_000 + number * step_s, UTC).isoformat()
            kind = "bet" if number % 3 else "cash_out"
            rare = " needle" if number % 1000 == 7 else ""
            file.write(
                f'{{"timestamp":"{at}","agent_version":"blue-1","decision_type":"{kind}","input":{{}},'
                f'"output":{{"pnl":{number % 50 - 25}}},"reasoning":"r{number}{rare}"}}\n'.encode()
            )
    return path


def opened(path: Path, *, indexed: bool) -> LogIndex:
    logs = LogIndex([str(path)], OPTIONS, None)
    while indexed and not logs.step(1.0):
        pass
    return logs


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize("text", ["needle", "pnl<-24", "type:cash_out pnl>23", "re:needle$", "!needle pnl=-25 r1"])
def test_it_finds_what_the_verb_finds_whether_an_index_is_there_or_not(
    tmp_path: Path, text: str, *, indexed: bool
) -> None:
    path = log(tmp_path / "a.jsonl", 6000)
    ask = parse_ask(text, NOW, lambda pattern: lambda line: pattern.rstrip("$") in line)
    logs = opened(path, indexed=indexed)
    sought = Sought(text, ask, logs.files, OPTIONS, NOW.timestamp())
    while sought.step(0.001):
        pass
    whole = opened(path, indexed=True)
    expected = [hit.offset for hit in reversed(whole.newest(ask, 100_000))]
    hits = sought.hits()
    assert [spot.decision.offset for spot in hits.rows] == expected
    assert expected
    assert (hits.done, hits.more, hits.looked) == (True, False, hits.of)
    logs.close()
    whole.close()


def test_the_newest_hit_is_there_before_the_rest_of_the_log_is_read(tmp_path: Path) -> None:
    path = log(tmp_path / "a.jsonl", 30_000)
    logs = opened(path, indexed=False)
    sought = Sought("needle", parse_ask("needle", NOW, lambda _: bool), logs.files, OPTIONS, NOW.timestamp())
    while not sought.found:
        assert sought.step(0.0)
    hits = sought.hits()
    assert hits.rows[-1].decision.reasoning == "r29007 needle"
    assert hits.looked < hits.of / 4
    logs.close()


def test_it_ends_when_it_is_told_to_and_says_so(tmp_path: Path) -> None:
    logs = opened(log(tmp_path / "a.jsonl", 30_000), indexed=False)
    sought = Sought("absent", parse_ask("absent", NOW, lambda _: bool), logs.files, OPTIONS, NOW.timestamp())
    assert sought.step(0.0)
    sought.stop()
    hits = sought.hits()
    assert (hits.done, hits.stopped, hits.more) == (True, True, True)
    assert hits.looked < hits.of
    logs.close()


def test_no_more_hits_are_kept_than_can_be_and_it_is_said_that_there_are_more(tmp_path: Path) -> None:
    logs = opened(log(tmp_path / "a.jsonl", MOST_HITS * 2), indexed=False)
    sought = Sought("r", parse_ask("r", NOW, lambda _: bool), logs.files, OPTIONS, NOW.timestamp())
    while sought.step(0.1):
        pass
    hits = sought.hits()
    assert len(hits.rows) == MOST_HITS
    assert hits.rows[-1].decision.reasoning == f"r{MOST_HITS * 2 - 1}"
    assert hits.more
    logs.close()
