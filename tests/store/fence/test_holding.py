"""What a looker remembers of a store that may fail over: no tail that its replicas may not have had yet."""

from __future__ import annotations

from datetime import UTC, datetime

from console.store.fence.holding import HOLD_S, Holding, epoch_alone
from console.store.fence.replies import Mark, Seen
from console.store.server.standing import Move, Standing
from console.store.server.url import Node

A, B = Node("a", 1), Node("b", 1)


def seen(number: int, *, epoch: int = 7, lineage: str = "l1") -> Seen:
    return Seen(epoch, lineage, Mark(number, f"{number}-0", f"h{number}"), Mark(number, f"{number}-0", f"e{number}"))


STAYS = Standing(primary=A, asked=3, answering=3)
MOVED = Standing(primary=B, asked=3, answering=3, moves=(Move(datetime(2026, 1, 1, tzinfo=UTC), A, B),))


def test_a_server_of_its_own_is_remembered_at_once() -> None:
    assert Holding(lambda: None).held(seen(5), Seen(), 0.0) == seen(5)


def test_entries_count_after_a_while_and_an_epoch_at_once() -> None:
    held = Holding(lambda: STAYS)
    first = held.held(seen(5), Seen(), 0.0)
    assert first == Seen(7, "l1")
    assert held.held(seen(9), first, HOLD_S / 2) == first
    assert held.held(seen(12), first, HOLD_S) == seen(5)


def test_what_was_seen_of_the_primary_before_is_not_expected_of_the_new_one() -> None:
    standing = [STAYS]
    held = Holding(lambda: standing[0])
    memory = held.held(seen(9), Seen(), 0.0)
    standing[0] = MOVED
    assert held.held(seen(12), memory, HOLD_S) == memory
    assert held.held(seen(20), memory, 2 * HOLD_S) == seen(12)


def test_what_is_remembered_stays_until_more_is_sure() -> None:
    held = Holding(lambda: STAYS)
    assert held.held(seen(9), seen(8), 0.0) == seen(8)
    assert held.held(seen(9), seen(8), HOLD_S) == seen(9)


def test_another_authority_begins_with_nothing() -> None:
    assert Holding(lambda: STAYS).held(seen(9, lineage="l2"), seen(8), 0.0) == Seen(7, "l2")


def test_a_claimer_that_waits_for_replicas_takes_an_epoch_alone_from_a_heartbeat() -> None:
    assert epoch_alone(seen(9, epoch=8), seen(4)) == seen(4, epoch=8)
    assert epoch_alone(seen(9), seen(12)) == seen(9), "the store is what it is: its scripts tell that it went back"
