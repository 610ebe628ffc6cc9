"""What a looker remembers of a store that may fail over: no tail that its replicas may not have had yet."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from console.store.fence.holding import HOLD_S, Holding, without_actions
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


def test_actions_count_after_a_while_and_epoch_and_events_at_once() -> None:
    held = Holding(lambda: STAYS)
    first = held.held(seen(5), Seen(), 0.0)
    assert (first.actions, first.epoch, first.events) == (Mark(), 7, seen(5).events)
    assert held.held(seen(9), first, HOLD_S / 2).actions == Mark()
    assert held.held(seen(9), first, HOLD_S).actions == seen(5).actions


def test_what_was_seen_of_the_primary_before_is_not_expected_of_the_new_one() -> None:
    standing = [STAYS]
    held = Holding(lambda: standing[0])
    memory = held.held(seen(9), Seen(), 0.0)
    standing[0] = MOVED
    assert held.held(seen(12), memory, HOLD_S).actions == Mark()
    assert held.held(seen(20), memory, 2 * HOLD_S).actions == seen(12).actions


def test_what_is_remembered_never_goes_back() -> None:
    assert Holding(lambda: STAYS).held(seen(9), seen(8), 0.0).actions == seen(8).actions
    assert without_actions(seen(9), seen(12)) == seen(9), "the store is what it is: the scripts tell that it went back"


def test_another_authority_begins_with_nothing() -> None:
    assert Holding(lambda: STAYS).held(seen(9, lineage="l2"), seen(8), 0.0).actions == Mark()


@pytest.mark.parametrize("number", [4, 9])
def test_a_claimer_that_waits_for_replicas_takes_no_actions_from_a_heartbeat(number: int) -> None:
    got = without_actions(seen(9), seen(number))
    assert got.actions == seen(number).actions and got.events == seen(9).events
