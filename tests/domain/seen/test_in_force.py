"""What was in force at a moment: what is now, less what was changed since."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from console.domain.operator.receipt import AuditEntry, Change
from console.domain.seen.first import MOVED
from console.domain.seen.in_force import Held, held_at, keys_in, reaches_back
from console.domain.text import Safe

T0 = datetime(2026, 3, 14, 14, 0, tzinfo=UTC)


def entry(seconds: int, *changes: Change) -> AuditEntry:
    at = T0 + timedelta(seconds=seconds)
    return AuditEntry(f"{seconds}-0", Safe(f"r{seconds}"), at, Safe("flag set"), Safe("ana"), Safe(""), changes)


HISTORY = (
    entry(0, Change("flag:target", None, "2")),
    entry(10, Change(MOVED, "blue", "green")),
    entry(20, Change("flag:target", "2", "3"), Change("flag:gone", "yes", None)),
    entry(30, Change("flag:target", "3", None)),
)


def test_a_value_is_what_the_last_change_before_made_it() -> None:
    assert held_at(HISTORY, "flag:target", T0 + timedelta(seconds=15)) == Held("2", HISTORY[0])
    assert held_at(HISTORY, MOVED, T0 + timedelta(seconds=15)) == Held("green", HISTORY[1])
    assert held_at(HISTORY, "flag:target", T0 + timedelta(seconds=40)) == Held(None, HISTORY[3])


def test_before_anything_was_changed_it_is_what_the_first_change_found() -> None:
    early = T0 - timedelta(seconds=1)
    assert held_at(HISTORY, "flag:target", early) == Held(None)
    assert held_at(HISTORY, "flag:gone", early) == Held("yes")
    assert held_at(HISTORY, MOVED, early) == Held("blue")


def test_what_nobody_is_known_to_have_changed_may_have_been_anything() -> None:
    assert not held_at(HISTORY, "flag:other", T0).known


def test_a_change_at_that_very_moment_is_in_force() -> None:
    assert held_at(HISTORY, "flag:target", T0 + timedelta(seconds=20)).value == "3"


def test_an_audit_that_was_cut_is_not_taken_for_all_there_was() -> None:
    assert reaches_back(HISTORY, T0 - timedelta(days=1), most=5)
    assert not reaches_back(HISTORY, T0 - timedelta(days=1), most=4)
    assert reaches_back(HISTORY, T0 + timedelta(seconds=5), most=4)
    assert reaches_back((), T0, most=4)


def test_a_key_is_named_only_by_a_text_that_is_that_key_as_a_whole() -> None:
    record = {"a": [{"key": "bet-1"}, "bet-12"], "why": "like bet-2", "n": 3}
    assert keys_in(record, ["bet-1", "bet-2", "3"]) == {"bet-1": "a.0.key"}


def test_a_record_that_is_very_deep_or_wide_ends_the_looking() -> None:
    deep: object = "bet-1"
    for _ in range(5000):
        deep = [deep]
    assert keys_in(deep, ["bet-1"]) == {}
    assert keys_in([*map(str, range(100_000)), "bet-1"], ["bet-1"]) == {}
