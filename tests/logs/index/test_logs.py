"""Whole logs are asked by their index, and answer as if every line had been read."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from console.domain.errors import UsageError
from console.domain.seen.asking import parse_ask
from console.logs.index.logs import Earned, LogIndex, indexed
from console.logs.options import LogOptions
from tests.logs.index.test_build import START_S, lines, record

NOW = datetime(2026, 12, 1, tzinfo=UTC)
OPTIONS = LogOptions(slots={"green": ("9.9",)})


def at(number: float) -> str:
    return datetime.fromtimestamp(START_S + number, UTC).isoformat()


def pattern(text: str) -> Callable[[str], bool]:
    return lambda line: re.search(text, line) is not None


class Logs:
    """Three logs whose rounds lie between each other, out of order here and there, and what a plain reading finds."""

    def __init__(self, folder: Path) -> None:
        rng = random.Random(3)
        self.folder = folder
        self.records: list[dict[str, Any]] = []
        for number in range(6000):
            late = rng.random() < 0.01
            one = record(
                number, timestamp=START_S + number - 500 * late, reasoning=f"round {number} Näh \u2212{number}.5"
            )
            if rng.random() < 0.1:
                one["output"] = {"pnl": f"-{rng.randint(1, 40)}", "currency": "JPY", "dry": True}
            if rng.random() < 0.01:
                one.update(slot=None, agent_version=rng.choice(["9.9", "other"]))
            self.records.append(one)
        for part in range(3):
            chosen = self.records[part::3]
            (folder / f"{part}.jsonl").write_bytes(lines(*chosen[:-1]) + lines(chosen[-1]).rstrip())

    def numbers(self, ask: str, most: int = 10_000) -> list[str]:
        """The rounds that the index finds, the newest first."""
        with indexed([str(self.folder / "*.jsonl")], OPTIONS, self.folder / "index") as index:
            hits = index.newest(parse_ask(ask, NOW, pattern), most)
        return [json.loads(hit.line)["reasoning"].split()[1] for hit in hits]

    def plain(self, keep: Callable[[dict[str, Any]], bool]) -> list[str]:
        """The same by reading all of it."""
        kept = [one for one in self.records if keep(one)]
        kept.sort(key=lambda one: one["timestamp"], reverse=True)
        return [one["reasoning"].split()[1] for one in kept]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Logs:
    return Logs(tmp_path_factory.mktemp("logs"))


def pnl(one: dict[str, Any]) -> Decimal:
    return Decimal(one["output"]["pnl"])


def slot(one: dict[str, Any]) -> str | None:
    return one["slot"] or ("green" if one["agent_version"] == "9.9" else None)


@pytest.mark.parametrize(
    ("ask", "keep"),
    [
        ("slot:green", lambda one: slot(one) == "green"),
        ("slot:none", lambda one: slot(one) is None),
        ("!slot:green", lambda one: slot(one) != "green"),
        ("type:bet pnl<-2", lambda one: one["decision_type"] == "bet" and pnl(one) < -2),
        ("!pnl<-2", lambda one: not pnl(one) < -2),
        ("pnl=-3.25", lambda one: pnl(one) == Decimal("-3.25")),
        (
            "currency:JPY version:2.5.0",
            lambda one: one["output"]["currency"] == "JPY" and one["agent_version"] == "2.5.0",
        ),
        ("ROUND", lambda one: False),
        ("round 4321", lambda one: "4321" in one["reasoning"]),
        ('"round 43 "', lambda one: "round 43 " in one["reasoning"]),
        ("näh", lambda one: True),
        ("Näh !round", lambda one: False),
        ("-4321.5", lambda one: "4321.5" in one["reasoning"]),
        (f"since:{at(1000)} until:{at(1100)}", lambda one: START_S + 1000 <= one["timestamp"] < START_S + 1100),
        (
            r"slot:blue re:round 12\d\d ",
            lambda one: slot(one) == "blue" and re.search(r"round 12\d\d ", one["reasoning"]),
        ),
    ],
)
def test_what_is_asked_for_is_what_reading_every_line_finds(logs: Logs, ask: str, keep: Any) -> None:
    assert sorted(logs.numbers(ask)) == sorted(logs.plain(keep))


@pytest.mark.parametrize("most", [1, 7, 100])
def test_the_newest_are_the_newest_by_their_own_time(logs: Logs, most: int) -> None:
    times = {one["reasoning"].split()[1]: one["timestamp"] for one in logs.records}
    newest = [times[number] for number in logs.numbers("pnl<0", most)]
    assert newest == sorted((one["timestamp"] for one in logs.records if pnl(one) < 0), reverse=True)[:most]


@pytest.mark.parametrize(("since", "until"), [(None, None), (1000, 1100), (999.5, 4000), (0, 0), (5990, None)])
def test_sums_over_a_time_are_those_of_every_line_in_it(logs: Logs, since: float | None, until: float | None) -> None:
    bounds = [f"{name}:{at(value)}" for name, value in (("since", since), ("until", until)) if value is not None]
    with indexed([str(logs.folder / "*.jsonl")], OPTIONS, None) as index:
        earned = index.earned(parse_ask(" ".join(bounds), NOW, pattern))
    expected: dict[Earned, tuple[int, Decimal]] = {}
    for one in logs.records:
        if (since is None or one["timestamp"] >= START_S + since) and (
            until is None or one["timestamp"] < START_S + until
        ):
            output = one["output"]
            key = Earned(slot(one) or "", one["agent_version"], output["currency"], bool(output.get("dry")))
            rounds, amount = expected.get(key, (0, Decimal(0)))
            expected[key] = rounds + 1, amount + pnl(one)
    assert {key: (total.rounds, total.amount) for key, total in earned.items()} == expected


def test_a_round_is_found_again_by_where_its_line_begins(logs: Logs) -> None:
    with indexed([str(logs.folder / "*.jsonl")], OPTIONS, None) as index:
        for hit in index.newest(parse_ask("", NOW, pattern), 50):
            again = index.at(hit.path.name, hit.offset)
            assert again is not None and again.line == hit.line
            assert index.at(str(hit.path), hit.offset + 1) is None
        with pytest.raises(UsageError, match="No log is called"):
            index.at("x.jsonl", 0)


def test_a_copy_of_a_log_counts_once(tmp_path: Path) -> None:
    whole = lines(*(record(number) for number in range(2000)))
    (tmp_path / "a.jsonl").write_bytes(whole)
    (tmp_path / "b.jsonl").write_bytes(whole + lines(record(2000)))
    (tmp_path / "c.jsonl").hardlink_to(tmp_path / "a.jsonl")
    with indexed([str(tmp_path / "*.jsonl")], OPTIONS, None) as index:
        assert sum(total.rounds for total in index.earned(parse_ask("", NOW, pattern)).values()) == 2001
        assert len(index.newest(parse_ask("", NOW, pattern), 10_000)) == 2001


def test_a_round_from_the_year_9999_neither_hides_nor_adds_any(tmp_path: Path) -> None:
    records = [
        record(number, timestamp=253402300000.0 if number == 700 else START_S + number) for number in range(2000)
    ]
    (tmp_path / "a.jsonl").write_bytes(lines(*records))
    with indexed([str(tmp_path / "*.jsonl")], OPTIONS, None) as index:
        ask = parse_ask(f"since:{at(500)} until:{at(1500)}", NOW, pattern)
        assert len(index.newest(ask, 10_000)) == 999
        assert sum(total.rounds for total in index.earned(ask).values()) == 999


def test_what_is_no_log_is_named_and_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(lines(record(1)))
    (tmp_path / "folder.jsonl").mkdir()
    (tmp_path / "b.jsonl").write_bytes(b"\x1f\x8b\x08\x00" + b"\x00" * 100)
    with indexed([str(tmp_path / "*.jsonl"), str(tmp_path / "missing.jsonl")], OPTIONS, None) as index:
        assert [file.path.name for file in index.files] == ["a.jsonl"]
        assert {left.path.name for left in index.left} == {"folder.jsonl", "b.jsonl", "missing.jsonl"}


def test_what_was_found_so_far_can_be_had_at_any_time(logs: Logs) -> None:
    index = LogIndex([str(logs.folder / "*.jsonl")], OPTIONS, None)
    try:
        while not index.step(0.001):
            done, of = index.read_bytes
            assert done <= of
        assert index.newest(parse_ask("", NOW, pattern), 10, stop=lambda: True) == []
    finally:
        index.close()
