"""Results that wait on disk survive their process, and are taken over by exactly one other."""

from __future__ import annotations

import multiprocessing
from decimal import Decimal
from pathlib import Path

import pytest

from console.agent.fence.spool import Settlement, Spool, read_line
from console.domain.fence.claims import Direction, Outcome
from console.store.fence.claims import Intent


def settlement(key: str = "bet-1") -> Settlement:
    intent = Intent(
        key, "c1", "blue", 7, "blue-1", Decimal("0.1"), "USD", Direction.REDUCE, "a\nb", lease_ms=5000, seen=7
    )
    return Settlement(intent, Outcome.OK, 'won "ü"\n', Decimal("-1.25"), 1000, "")


def test_a_line_is_the_whole_result() -> None:
    assert read_line(settlement().line()) == settlement()
    assert settlement().line().count(b"\n") == 1


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"{}", b'{"intent":{}}', settlement().line()[:-30]])
def test_a_torn_line_is_an_error_and_no_result(line: bytes) -> None:
    with pytest.raises(ValueError):
        read_line(line)


def test_results_are_taken_over_from_a_process_that_is_gone_and_unreadable_lines_are_set_aside(tmp_path: Path) -> None:
    (tmp_path / "dead.spool").write_bytes(settlement("a").line() + settlement("b").line() + b'{"torn')
    spool = Spool(tmp_path, "me")
    assert [spool.take_first().intent.key, len(spool), len(spool.set_aside)] == ["a", 2, 1]  # type: ignore[union-attr]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["me.refused", "me.spool"]
    assert (tmp_path / "me.refused").read_bytes() == b'{"torn\n'
    spool.close()
    again = Spool(tmp_path, "me")
    assert len(again) == 2


def test_a_result_for_another_store_is_left_for_its_own(tmp_path: Path) -> None:
    mine = settlement("a")
    theirs = mine._replace(intent=mine.intent._replace(lineage="0f" * 20))
    (tmp_path / "dead.spool").write_bytes(theirs.line())
    spool = Spool(tmp_path, "me")
    assert len(spool) == 0 and spool.adopt(frozenset({"", "1e" * 20})) == 0
    assert (tmp_path / "dead.spool").read_bytes() == theirs.line()
    assert spool.adopt(frozenset({"", "0f" * 20})) == 1


def test_nothing_is_taken_from_a_process_that_lives(tmp_path: Path) -> None:
    alive = Spool(tmp_path, "alive")
    alive.put(settlement())
    other = Spool(tmp_path, "other")
    assert (len(alive), len(other)) == (1, 0)


def test_an_empty_spool_leaves_no_file(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "me")
    spool.put(settlement())
    spool.drop_first()
    spool.close()
    assert list(tmp_path.iterdir()) == []


def _open_and_close(folder: Path, name: str) -> None:
    for number in range(200):
        Spool(folder, f"{name}-{number}").close()


def test_processes_that_start_at_the_same_moment_do_not_take_each_others_file(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=_open_and_close, args=(tmp_path, name)) for name in "abc"]
    for other in others:
        other.start()
    for other in others:
        other.join(60)
    assert [other.exitcode for other in others] == [0, 0, 0]
