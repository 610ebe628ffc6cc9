"""Whom to believe of several Sentinels: the configuration agreed upon last, and no minority that may not know of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from console.store.server.standing import FRESH_S, MOVES, TOLD, Answer, Move, Standing, settle
from console.store.server.url import Node

CLOCK = datetime(2026, 1, 1, tzinfo=UTC)
OLD, NEW, NAMED = Node("10.0.0.1", 6379), Node("10.0.0.2", 6379), Node("store-2.example", 6379)
BEGUN = Standing(asked=3)
KNOWN = Standing(primary=OLD, epoch=4, asked=3, answering=3)


def settled(before: Standing, *answers: Answer, now: float = 100.0) -> Standing:
    return settle(before, answers, now, CLOCK)


def answer(primary: Node | None, epoch: int = 4, at: float = 100.0, problem: str = "") -> Answer:
    return Answer(at, primary, epoch, problem)


def test_the_first_answer_is_no_move() -> None:
    after = settled(BEGUN, answer(OLD))
    assert (after.primary, after.answering, after.moves) == (OLD, 1, ())


def test_a_later_configuration_counts_whoever_tells_of_it() -> None:
    after = settled(KNOWN, answer(OLD), answer(NEW, 5), answer(OLD))
    assert (after.primary, after.epoch, after.moves) == (NEW, 5, (Move(CLOCK, OLD, NEW),))


def test_a_sentinel_that_was_cut_off_does_not_bring_the_old_primary_back() -> None:
    moved = settled(KNOWN, answer(NEW, 5), answer(NEW, 5), answer(OLD))
    assert settled(moved, answer(OLD)) == moved._replace(answering=1)


def test_a_majority_that_begins_anew_is_believed() -> None:
    after = settled(KNOWN._replace(epoch=9), answer(NEW, 0), answer(NEW, 0))
    assert (after.primary, after.epoch, len(after.moves)) == (NEW, 0, 1)


def test_one_server_under_two_names_is_no_failover() -> None:
    known = KNOWN._replace(primary=NEW)
    assert settled(known, answer(NAMED), answer(NEW)).moves == ()


def test_a_host_and_its_address_are_no_failover_however_many_name_either() -> None:
    known = KNOWN._replace(primary=NAMED)
    assert settled(known, answer(NEW), answer(NEW), answer(NAMED)).moves == ()


def test_a_sentinel_that_lies_is_outvoted_by_those_of_the_same_configuration() -> None:
    assert settled(KNOWN, answer(OLD, 5), answer(NEW, 5), answer(NEW, 5)).primary == NEW
    assert settled(BEGUN, answer(OLD), answer(NEW), answer(NEW)).primary == NEW, "whoever answers first"


def test_of_as_many_on_both_sides_a_server_that_says_it_is_no_primary_is_believed() -> None:
    told = (answer(OLD, 5), answer(NEW, 5))
    assert settle(KNOWN, told, 100.0, CLOCK).primary == OLD
    assert settle(KNOWN, told, 100.0, CLOCK, OLD).primary == NEW
    assert settle(KNOWN, told[:1], 100.0, CLOCK, OLD).primary == OLD, "nobody names another"


def test_many_failovers_are_remembered_by_their_newest() -> None:
    standing = KNOWN
    for epoch in range(5, 5 + 2 * MOVES):
        standing = settled(standing, answer(NEW if epoch % 2 else OLD, epoch))
    assert len(standing.moves) == MOVES and standing.moves[-1].after == standing.primary


def test_an_old_answer_counts_for_nothing() -> None:
    after = settled(KNOWN, answer(NEW, 5, at=100.0 - FRESH_S - 0.1))
    assert (after.primary, after.answering) == (OLD, 0)


def test_silence_keeps_the_primary_and_names_whats_wrong() -> None:
    after = settled(KNOWN, answer(None, problem="A is away."), answer(None, problem="B is away."))
    assert (after.primary, after.answering, after.problems) == (OLD, 0, ("A is away.", "B is away."))


def test_many_problems_are_told_by_their_first_and_their_number() -> None:
    message, hint = Standing(asked=9, problems=tuple(f"S{number} is away." for number in range(9))).nobody("main", 0.5)
    assert message.startswith("None of 9 Sentinels names the primary of main: S0 is away.")
    assert f"S{TOLD} is away." not in message and message.endswith(f"({9 - TOLD} more.)")
    assert "sentinel_password" in hint


@pytest.mark.parametrize(
    "address", [(b"", 6379), (b"host", b"port"), (b"host", 0), (b"host", 65_536), (b"host", b"-1"), (b"host", "٣")]
)
def test_an_address_that_is_none_is_a_problem_and_no_primary(address: tuple[object, object]) -> None:
    told = Answer.of("Sentinel s", "main", address, {}, 1.0)
    assert told.primary is None and "named an address that is none" in told.problem


def test_a_name_that_a_sentinel_does_not_know_is_told_with_those_that_it_knows() -> None:
    told = Answer.of("Sentinel s", "mian", None, {"main": {}, "other\x1b[2J": {}}, 1.0)
    assert told.problem.startswith("Sentinel s knows no store called mian; it knows: main, other")
    assert "\x1b" not in told.problem


def test_an_epoch_that_is_no_number_is_the_first() -> None:
    assert Answer.of("s", "main", (b"h", b"1"), {"main": {"config-epoch": "x"}}, 1.0) == Answer(1.0, Node("h", 1), 0)
