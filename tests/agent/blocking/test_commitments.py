"""What an agent owes, as an author keeps it: most of the list keeps itself, and it outlives the process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from console.agent import (
    AgentController,
    Busy,
    Commitment,
    Direction,
    HandOver,
    Kind,
    NotOurs,
    NotSent,
    Settings,
    StandBy,
)
from console.domain.errors import Refused, UsageError
from console.domain.fence.deployment import Slot
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from tests.waiting import until

Make = Callable[..., AgentController]
ESCROW = Commitment("esc_1", Kind.ESCROW, Decimal("12.5"), "USD", due=datetime(2026, 3, 1, tzinfo=UTC))
ROUND = Commitment("round_7", Kind.ROUND, Decimal(1), "USD")


@pytest.fixture
def fence(valkey_sync: Any, keys: Keys) -> Fence:
    fence = Fence(valkey_sync, keys)
    fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    return fence


@pytest.fixture
def make(store_url: str, fence: Fence) -> Iterator[Make]:
    made: list[AgentController] = []

    def start(slot: str = "blue", **options: Any) -> AgentController:
        controller = AgentController(store_url, slot=slot, version=f"{slot}-1", **options)
        controller.start()
        made.append(controller)
        return controller

    yield start
    for controller in made:
        controller.stop()


def ids(controller: AgentController) -> list[str]:
    return [one.id for one in controller.commitments.all()]


def opened(controller: AgentController, what: Commitment = ESCROW) -> None:
    with controller.action(f"create-{what.id}", amount=what.amount, currency="USD", opens=what) as act:
        act.settle("created")


def switch(fence: Fence, *controllers: AgentController) -> None:
    fence.switch(SwitchRequest("green", expected_epoch="any", by="op", mode="now"))
    until(lambda: all(one.active == (one.slot == "green") for one in controllers), "everybody to hear of it")


def test_what_an_action_opens_outlives_the_process_that_opened_it(make: Make) -> None:
    blue = make()
    opened(blue)
    blue.stop()
    (owed,) = make("green").commitments.all()
    assert owed.commitment == ESCROW._replace(hand_over=HandOver.NEW_ADOPTS)
    assert (owed.slot, owed.version) == (Slot.BLUE, "blue-1")


def test_what_an_action_closes_is_over_with_its_result(make: Make) -> None:
    blue = make()
    opened(blue)
    with blue.action("release-esc_1", direction=Direction.REDUCE, closes="esc_1") as act:
        act.settle("released")
    assert ids(blue) == []
    with pytest.raises(NotOurs), blue.action("release-esc_1-again", closes="esc_1"):
        pytest.fail("it must not run")


def test_what_was_not_sent_opens_nothing(make: Make) -> None:
    blue = make()
    with pytest.raises(NotSent), blue.action("create", opens=ESCROW):
        raise NotSent
    assert ids(blue) == []


def test_an_action_that_ends_in_doubt_keeps_the_others_off_its_commitment(make: Make) -> None:
    blue = make()
    opened(blue)
    with pytest.raises(TimeoutError), blue.action("release", closes="esc_1"):
        raise TimeoutError
    with pytest.raises(Busy), blue.action("refund", closes="esc_1"):
        pytest.fail("it must not run")
    assert ids(blue) == ["esc_1"]


def test_after_a_switch_the_new_side_owns_what_was_adopted_and_the_old_one_ends_its_round(
    make: Make, fence: Fence
) -> None:
    blue, green = make(), make("green")
    opened(blue)
    opened(blue, ROUND)
    switch(fence, blue, green)
    assert [one.id for one in green.commitments.mine()] == ["esc_1"]
    assert [one.id for one in blue.commitments.mine()] == ["round_7"]
    with blue.action("cash-out", direction=Direction.REDUCE, closes="round_7") as act:
        act.settle("cashed out")
    with pytest.raises(StandBy), blue.action("release", direction=Direction.REDUCE, closes="esc_1"):
        pytest.fail("it must not run")
    with pytest.raises(StandBy), blue.action("another-bet"):
        pytest.fail("it must not run")
    assert ids(green) == ["esc_1"]


def test_what_was_found_at_the_venue_is_put_and_what_ended_there_is_over(make: Make) -> None:
    blue = make()
    blue.commitments.put(ESCROW, ROUND)
    blue.commitments.put(ESCROW._replace(amount=Decimal(7)))
    assert {one.id: one.commitment.amount for one in blue.commitments.all()} == {
        "esc_1": Decimal(7),
        "round_7": Decimal(1),
    }
    blue.commitments.over("esc_1", "never_heard_of", why="released by the venue's sweep")
    assert ids(blue) == ["round_7"]


def test_more_than_a_call_can_take_is_put_all_the_same(make: Make) -> None:
    blue = make()
    blue.commitments.put(*(ESCROW._replace(id=f"esc_{number}") for number in range(250)))
    assert len(blue.commitments.all()) == 250


def test_who_watches_what_is_said_anew_where_the_store_has_lost_it(make: Make, fence: Fence, valkey_sync: Any) -> None:
    blue = make()
    blue.commitments.watch(["esc_1", "esc_2"])
    blue.commitments.watch(["esc_2", "esc_3"])
    assert fence.watched(blue.instance) == {"esc_2", "esc_3"}
    valkey_sync.delete(fence.keys.watch(blue.instance))
    blue.commitments.watch(["esc_2", "esc_3"])
    assert fence.watched(blue.instance) == {"esc_2", "esc_3"}
    valkey_sync.sadd(fence.keys.watch(blue.instance), "a stranger's")
    blue.commitments.watch(["esc_3"])
    assert fence.watched(blue.instance) == {"esc_3"}
    blue.commitments.watch([])
    assert fence.watched(blue.instance) == frozenset()


@pytest.mark.parametrize(
    "names",
    [
        {"opens": ESCROW, "closes": "esc_2"},
        {"opens": Commitment("", Kind.ROUND)},
        {"closes": "a\nb"},
        {"closes": "x" * 300},
        {"changes": Commitment("a", Kind.ROUND, Decimal("NaN"))},
    ],
)
def test_what_can_not_be_named_is_refused_before_anything_is_sent(
    make: Make, fence: Fence, names: dict[str, Any]
) -> None:
    blue = make()
    with pytest.raises(UsageError):
        blue.action("k", **names)
    assert fence.open_claims() == []


def test_the_list_that_can_not_be_read_whole_is_refused_and_not_shown_shorter(make: Make, fence: Fence) -> None:
    blue = make()
    opened(blue)
    fence.client.hset(fence.keys.owed, "esc_2", "nonsense")
    with pytest.raises(Refused, match="1 of 2"):
        blue.commitments.all()


def test_a_result_that_waited_on_the_disk_still_opens_what_it_named(
    make: Make, fence: Fence, valkey_sync: Any, tmp_path: Path
) -> None:
    blue = make(settings=Settings(spool_dir=tmp_path, money=False))
    with blue.action("create", opens=ESCROW) as act:
        valkey_sync.client_kill_filter(skipme=True)
        valkey_sync.config_set("maxclients", "1")
        act.settle("created")
    valkey_sync.config_set("maxclients", "10000")
    until(lambda: bool(fence.owed()), "the result to arrive")
    assert fence.owed()[0].id == "esc_1"


def test_deadlines_come_first(make: Make) -> None:
    blue = make()
    later = ESCROW._replace(id="later", due=datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=1))
    blue.commitments.put(ROUND, later, ESCROW)
    assert ids(blue) == ["esc_1", "later", "round_7"]
