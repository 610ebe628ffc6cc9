"""An index says what a log holds, goes on where it ended, and believes nothing of itself that the log does not show."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.logs.index.block import FEW, Block
from console.logs.index.build import FileIndex
from console.logs.index.keep import Kept
from console.logs.options import LogOptions

OPTIONS = LogOptions(max_line_bytes=8192)
START_S = 1_790_000_000.0


def record(number: int, **other: Any) -> dict[str, Any]:
    return {
        "timestamp": START_S + number,
        "agent_version": "2.4.0" if number % 3 else "2.5.0",
        "slot": "blue" if number % 3 else "green",
        "decision_type": ("bet", "cash_out")[number % 2],
        "output": {"action": "BET", "pnl": f"{number % 7 - 3}.25", "currency": "USD"},
        "reasoning": f"round {number}",
        **other,
    }


def lines(*records: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in records)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "d.jsonl"
    path.write_bytes(lines(*(record(number) for number in range(3000))))
    return path


class Opened:
    """Indexes of one log, read to its end; closed when the test is over."""

    def __init__(self, log: Path, folder: Path | None) -> None:
        self.log, self.folder = log, folder
        self.made: list[FileIndex] = []

    def __call__(self, options: LogOptions = OPTIONS) -> FileIndex:
        index = FileIndex(self.log, options, self.folder)
        self.made.append(index)
        self.began = len(index.blocks)
        while not index.step():
            pass
        return index


@pytest.fixture
def opened(log: Path, tmp_path: Path) -> Iterator[Opened]:
    opened = Opened(log, tmp_path / "index")
    yield opened
    for index in opened.made:
        index.close()


def told(index: FileIndex) -> tuple[int, int, Counter[tuple[str, str | None]], Counter[str | None], Decimal]:
    """What an index says in all: rows, refused, rounds by version and slot, rounds by currency, and the sum."""
    blocks = index.all_blocks()
    sums = [one for block in blocks for one in block.sums or ()]
    by_who: Counter[tuple[str, str | None]] = Counter()
    by_currency: Counter[str | None] = Counter()
    for one in sums:
        by_who[one.version, one.slot] += one.rounds
        by_currency[one.currency] += one.rounds
    total = sum((one.total for one in sums), Decimal(0))
    return sum(b.rows for b in blocks), sum(b.refused for b in blocks), by_who, by_currency, total


def test_every_line_is_in_one_block_and_every_sum_is_exact(opened: Opened) -> None:
    index = opened()
    blocks = index.all_blocks()
    assert [block.start for block in blocks] == [0, *(block.end for block in blocks[:-1])]
    assert blocks[-1].end == opened.log.stat().st_size
    rows, refused, by_who, by_currency, total = told(index)
    assert (rows, refused) == (3000, 0)
    assert by_who == {("2.4.0", "blue"): 2000, ("2.5.0", "green"): 1000}
    assert by_currency == {"USD": 3000}
    assert total == sum((Decimal(f"{number % 7 - 3}.25") for number in range(3000)), Decimal(0))


def test_what_was_indexed_is_not_read_again(opened: Opened) -> None:
    first = opened()
    first.close()
    again = opened()
    assert opened.began == len(first.blocks) > 0
    assert again.all_blocks() == first.all_blocks()


def test_what_comes_in_little_by_little_is_as_if_it_had_come_at_once(opened: Opened, tmp_path: Path) -> None:
    index = opened()
    with opened.log.open("ab") as file:
        for number in range(3000, 4000):
            file.write(lines(record(number)))
            file.flush()
            if not number % 7:
                index.step()
    index.step()
    whole = Opened(opened.log, None)()
    assert told(index) == told(whole)
    index.close()
    assert told(opened()) == told(whole)


@pytest.mark.parametrize("how", ["cut", "anew", "other beginning", "shorter"])
def test_a_log_that_is_another_one_by_now_is_indexed_anew(opened: Opened, how: str) -> None:
    opened().close()
    whole = opened.log.read_bytes()
    if how == "cut":
        os.truncate(opened.log, len(whole) // 2)
    elif how == "anew":
        opened.log.write_bytes(lines(*(record(number, agent_version="9") for number in range(3000))))
    elif how == "other beginning":
        opened.log.write_bytes(lines(record(0, agent_version="9")) + whole[len(lines(record(0))) :])
    else:
        opened.log.write_bytes(lines(*(record(number) for number in range(3))))
    assert told(opened()) == told(Opened(opened.log, None)())


def test_a_log_that_is_written_anew_under_a_reader_is_indexed_anew(opened: Opened) -> None:
    index = opened()
    opened.log.write_bytes(lines(*(record(number, agent_version="9") for number in range(2500))))
    while not index.step():
        pass
    assert told(index) == told(Opened(opened.log, None)())
    index.close()
    assert told(opened()) == told(Opened(opened.log, None)())


def test_a_log_that_was_renamed_keeps_its_index(opened: Opened) -> None:
    opened().close()
    opened.log = opened.log.rename(opened.log.with_suffix(".1"))
    opened()
    assert opened.began > 0


def test_an_index_that_was_torn_at_any_line_is_taken_up_to_there(opened: Opened, tmp_path: Path) -> None:
    first = opened()
    first.close()
    (kept,) = (tmp_path / "index").glob("*.idx")
    whole = kept.read_bytes()
    for size in range(0, len(whole), max(1, len(whole) // 60)):
        kept.write_bytes(whole[:size])
        again = opened()
        again.close()
        assert told(again) == told(first)


@given(at=st.integers(0, 10**6), byte=st.binary(min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_an_index_that_was_spoiled_anywhere_tells_what_the_log_does(
    at: int, byte: bytes, tmp_path_factory: Any
) -> None:
    folder = tmp_path_factory.mktemp("spoiled")
    log = folder / "d.jsonl"
    log.write_bytes(lines(*(record(number) for number in range(1500))))
    first = FileIndex(log, OPTIONS, folder / "index")
    while not first.step():
        pass
    first.close()
    (kept,) = (folder / "index").glob("*.idx")
    whole = kept.read_bytes()
    at %= len(whole)
    kept.write_bytes(whole[:at] + byte + whole[at + len(byte) :])
    again = FileIndex(log, OPTIONS, folder / "index")
    while not again.step():
        pass
    assert told(again) == told(first)
    again.close()


def test_other_paths_in_a_record_make_another_index(opened: Opened) -> None:
    opened().close()
    index = opened(LogOptions(pnl_path="output.profit", max_line_bytes=8192))
    assert opened.began == 0
    assert told(index)[3] == Counter()


def test_two_who_index_one_log_do_not_write_over_each_other(opened: Opened, tmp_path: Path) -> None:
    first = opened()
    second = opened()
    assert first.kept_problem == "" and second.kept_problem
    assert told(second) == told(first)


def test_a_folder_that_can_not_be_written_to_costs_the_index_its_memory_alone(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "index").write_text("a file stands there")
    index = opened()
    assert index.kept_problem and told(index)[0] == 3000


def test_a_link_in_the_place_of_an_index_is_not_followed(opened: Opened, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("keep me")
    kept = Kept(tmp_path / "index", (opened.log.stat().st_dev, opened.log.stat().st_ino))
    kept.path.parent.mkdir()
    kept.path.symlink_to(victim)
    index = opened()
    assert index.kept_problem and victim.read_text() == "keep me"


def test_what_is_no_record_is_counted_and_a_block_of_nothing_else_stands_all_the_same(
    opened: Opened, tmp_path: Path
) -> None:
    good = lines(record(1))
    opened.log.write_bytes(
        good + b"not json\n" + b"x" * 50_000 + b"\n" + good + lines(record(2, output={"pnl": "NaN"}))
    )
    index = opened()
    assert told(index)[:2] == (3, 2)
    assert sum(block.bad_pnl for block in index.all_blocks()) == 1
    opened.log.write_bytes(b"junk\n" * 40_000 + good)
    while not index.step():
        pass
    assert told(index)[:2] == (1, 40_000)


def test_a_last_line_without_a_newline_is_a_round_too(opened: Opened) -> None:
    with opened.log.open("ab") as file:
        file.write(lines(record(3000))[:-1])
    index = opened()
    assert told(index)[0] == 3001
    with opened.log.open("ab") as file:
        file.write(b"\n" + lines(record(3001)))
    while not index.step():
        pass
    assert told(index)[0] == 3002


@pytest.mark.parametrize("many", ["agent_version", "decision_type"])
def test_more_names_than_a_block_keeps_are_left_out_as_a_whole(opened: Opened, many: str) -> None:
    rng = random.Random(1)
    opened.log.write_bytes(lines(*(record(number, **{many: f"v{rng.random()}"}) for number in range(3000))))
    blocks: list[Block] = opened().all_blocks()
    assert all((one.who if many == "agent_version" else one.kinds) is None for one in blocks if one.rows > FEW)


def changed(log: Path, place: int) -> None:
    """A line in the middle becomes another one of the same length."""
    data = bytearray(log.read_bytes())
    at = data.index(b'"pnl"', place)
    at = next(number for number in range(at + 5, len(data)) if data[number : number + 1].isdigit())
    data[at] = ord("9") if data[at] != ord("9") else ord("8")
    with log.open("r+b") as file:
        file.write(data)


def test_a_line_changed_to_one_of_the_same_length_is_noticed_while_the_index_is_open(log: Path, tmp_path: Path) -> None:
    index = FileIndex(log, OPTIONS, tmp_path / "cache")
    while not index.step():
        pass
    before = index.all_blocks()
    changed(log, log.stat().st_size // 3)
    os.utime(log, ns=(1, 1))
    while not index.step():
        pass
    assert index.all_blocks() != before
    fresh = FileIndex(log, OPTIONS, tmp_path / "fresh")
    while not fresh.step():
        pass
    assert index.all_blocks() == fresh.all_blocks()


def test_it_is_noticed_where_the_line_is_shown_whatever_the_log_s_clock_says(log: Path, tmp_path: Path) -> None:
    index = FileIndex(log, OPTIONS, tmp_path / "cache")
    while not index.step():
        pass
    status = log.stat()
    changed(log, 0)
    os.utime(log, ns=(status.st_atime_ns, status.st_mtime_ns))
    before = index.blocks[0]
    index.read(before)
    assert index.stale
    while not index.step():
        pass
    assert index.blocks[0] != before


def test_it_is_noticed_when_a_kept_index_is_taken_up_again(log: Path, tmp_path: Path) -> None:
    index = FileIndex(log, OPTIONS, tmp_path / "cache")
    while not index.step():
        pass
    index.close()
    changed(log, 0)
    again = FileIndex(log, OPTIONS, tmp_path / "cache")
    while not again.step():
        pass
    assert again.blocks[0] != index.blocks[0]
