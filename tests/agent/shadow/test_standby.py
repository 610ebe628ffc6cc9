"""The version that stands by goes on as a priced shadow by itself, as long as it is warm, and never acts."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from typing import Any

import pytest
import redis

from console.agent import AgentController, Played, Priced, Proposal, Settings, StandbyShadow
from console.agent.shadow.matching import WAITING, Matching
from console.domain.errors import ConsoleError, UsageError
from console.domain.shadow.report import ShadowReport
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys, ProofKeys
from console.store.records.shadows import read_shadows
from tests.servers import Server
from tests.waiting import until

SETTINGS = Settings(money=False, memory_dir=None, heartbeat_ms=50)
STAKE = Decimal(5)
KEYS = Keys.of()


@pytest.fixture
def client(store_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(store_url) as opened:
        opened.set(KEYS.active, "blue")
        yield opened


def waits_for(what: Callable[[], Any]) -> Any:
    """What comes to be true."""
    came: list[Any] = []
    until(lambda: (one := what()) and (came.append(one) or True))
    return came[-1]


def switch(client: redis.Redis, to: str) -> None:
    fence = Fence(client, KEYS)
    fence.switch(SwitchRequest(to, expected_epoch=fence.tend().epoch, mode="now", by="op", why="next"))


def report(client: redis.Redis, version: str = "old") -> ShadowReport | None:
    kept = read_shadows(client.hgetall(ProofKeys.of(KEYS).shadows))
    return next((one for one in kept if one.name == version), None)


def claims(client: redis.Redis) -> list[list[str]]:
    """Every claim in the stream of actions."""
    records = [fields[b"d"].decode().split("\n") for _, fields in client.xrange(KEYS.actions)]
    return [parts for parts in records if parts[0] == "claim"]


class Sides:
    """Blue runs the old version and green the new one; each plays a round through its own controller."""

    def __init__(self, url: str, ends: ExitStack, price: Callable[..., Any], **more: Any) -> None:
        self.shadow = StandbyShadow(url, price, every_s=0.02, **more)
        self.old = ends.enter_context(
            AgentController(url, slot="blue", version="old", settings=SETTINGS, shadow=self.shadow)
        )
        self.new = ends.enter_context(AgentController(url, slot="green", version="new", settings=SETTINGS))

    def play(self, side: AgentController, key: str, pnl: float, amount: Decimal = STAKE, result: object = "") -> bool:
        """One round; False where the side stood by."""
        try:
            with side.action(key, amount=amount, currency="USD") as act:
                act.settle(result, pnl=Decimal(str(pnl)))
        except ConsoleError:
            return False
        return True


@pytest.fixture
def ends() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def by_result(wanted: Proposal, played: Played | None) -> Decimal | None:
    """What was wanted, at the odds that were played."""
    return None if played is None else wanted.amount * Decimal(json.loads(played.result)["times"])


def test_after_a_switch_the_old_version_is_a_priced_shadow_of_the_new_one_and_claims_nothing(
    client: redis.Redis, store_url: str, ends: ExitStack
) -> None:
    sides = Sides(store_url, ends, by_result)
    assert sides.play(sides.old, "bet-0", 1.0)
    waits_for(lambda: sides.shadow.why_not == "blue is active")
    switch(client, "green")
    waits_for(lambda: sides.new.active and not sides.shadow.why_not)
    for number in range(1, 6):
        times = (-1) ** number
        assert sides.play(sides.new, f"bet-{number}", 2.5 * times, Decimal("2.5"), {"times": times})
        assert not sides.play(sides.old, f"bet-{number}", 0.0)
    told = waits_for(lambda: (one := report(client)) is not None and one.reading.pairs.rounds == 5 and one)
    reading = told.reading
    assert told.acted, "its own side acted before: it is the version that was replaced"
    assert (told.slot, told.currency, told.tenure) == ("blue", "USD", int(client.hget(KEYS.ctl, "ten")))
    assert (reading.live_pnl, reading.shadow_pnl, reading.unpriced) == (Decimal("-2.5"), Decimal(-5), 0)
    assert reading.diverged == 5
    assert reading.returned.mean == pytest.approx(0.0), "per usual stake both did the same"
    assert [parts[6] for parts in claims(client)] == ["blue", *["green"] * 5]


def test_it_ends_when_this_side_acts_again_and_begins_anew_with_the_next_tenure(
    client: redis.Redis, store_url: str, ends: ExitStack
) -> None:
    sides = Sides(store_url, ends, by_result)
    for to, other in (("green", "blue"), ("blue", "green"), ("green", "blue")):
        switch(client, to)
        if to == "blue":
            waits_for(lambda: sides.shadow.why_not == "blue is active")
            continue
        waits_for(lambda: sides.new.active and not sides.shadow.why_not)
        epoch = client.hget(KEYS.ctl, "ten").decode()
        sides.play(sides.new, f"bet-{epoch}", 1.0, result={"times": 1})
        assert not sides.play(sides.old, f"bet-{epoch}", 0.0), other
        told = waits_for(
            lambda epoch=epoch: (
                (one := report(client)) and one.tenure == int(epoch) and one.reading.pairs.rounds and one
            )
        )
        assert told.reading.pairs.rounds == 1


@pytest.mark.parametrize("ended", ["retired", "warm", "halted"])
def test_it_ends_with_the_versions_retirement_after_its_time_and_while_all_is_halted(
    client: redis.Redis, store_url: str, ends: ExitStack, ended: str
) -> None:
    sides = Sides(store_url, ends, by_result, warm_s=0.5 if ended == "warm" else 3600.0)
    switch(client, "green")
    if ended == "retired":
        waits_for(lambda: not sides.shadow.why_not)
        client.hset(KEYS.retired, "old", "1 op")
    elif ended == "halted":
        waits_for(lambda: not sides.shadow.why_not)
        Fence(client, KEYS).halt("op", "stop")
    words = {"retired": "old is retired", "warm": "it has been warm for long enough", "halted": "nobody is active"}
    waits_for(lambda: sides.shadow.why_not == words[ended])
    client.hdel(ProofKeys.of(KEYS).shadows, "old")
    time.sleep(0.1)
    assert report(client) is None, "nothing is reported any more"


def test_the_authors_loop_hands_over_what_it_decides_by_itself(
    client: redis.Redis, store_url: str, ends: ExitStack
) -> None:
    shadow = StandbyShadow(
        store_url, lambda wanted, played: played and Priced(played.pnl * 2, Decimal(1)), every_s=0.02
    )
    rounds = iter(range(1000))

    def decide(_state: object) -> Proposal:
        return Proposal(f"bet-{next(rounds)}", STAKE, "USD")

    old = ends.enter_context(
        AgentController(store_url, slot="blue", version="old", settings=SETTINGS, shadow=shadow, decide=decide)
    )
    new = ends.enter_context(AgentController(store_url, slot="green", version="new", settings=SETTINGS))
    switch(client, "green")
    waits_for(lambda: new.active and not old.active and not shadow.why_not)
    for number in range(3):
        assert not old.round()
        with new.action(f"bet-{number}", amount=STAKE, currency="USD") as act:
            act.settle("", pnl=Decimal(1))
    told = waits_for(lambda: (one := report(client)) and one.reading.pairs.rounds == 3 and one)
    assert told.reading.own.mean == 2.0
    assert {parts[6] for parts in claims(client)} == {"green"}


def test_a_price_that_raises_hangs_on_nothing_or_is_none_is_counted_and_never_reaches_the_agent(
    client: redis.Redis, store_url: str, ends: ExitStack
) -> None:
    answers: list[Any] = [ZeroDivisionError(), None, Decimal("NaN"), "5", 1.5, True, Decimal(5), Decimal("-Infinity")]

    def price(wanted: Proposal, played: Played | None) -> Any:
        answer = answers[int(wanted.key.removeprefix("bet-"))]
        if isinstance(answer, Exception):
            raise answer
        return answer

    sides = Sides(store_url, ends, price)
    switch(client, "green")
    waits_for(lambda: sides.new.active and not sides.shadow.why_not)
    for number in range(len(answers)):
        sides.play(sides.new, f"bet-{number}", 1.0)
        sides.play(sides.old, f"bet-{number}", 0.0)
    told = waits_for(lambda: (one := report(client)) and one.reading.unpriced == len(answers) - 1 and one)
    assert (told.reading.pairs.rounds, told.reading.shadow_pnl) == (1, Decimal(5))


@pytest.mark.parametrize("wrong", [{"warm_s": 0.0}, {"grace_s": -1.0}, {"every_s": float("nan")}])
def test_times_that_are_none_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        StandbyShadow("redis://x", by_result, **wrong)


def test_what_is_wanted_while_nobody_takes_it_in_is_bounded_and_counted(
    client: redis.Redis, store_url: str, ends: ExitStack
) -> None:
    shadow = StandbyShadow(store_url, by_result)
    for number in range(WAITING + 7):
        shadow.looked(Proposal(f"bet-{number}", STAKE, "USD"))
    assert shadow.reading().dropped == 7


def test_a_store_that_is_away_is_said_and_gone_on_with(valkey_server: Callable[..., Server], ends: ExitStack) -> None:
    server = valkey_server()
    with redis.Redis.from_url(server.url) as client:
        client.set(KEYS.active, "blue")
        sides = Sides(server.url, ends, by_result)
        switch(client, "green")
        waits_for(lambda: sides.new.active and not sides.shadow.why_not)
        server.kill()
        waits_for(lambda: sides.shadow.last_error)
        server.start()
        waits_for(lambda: not sides.shadow.last_error)
        waits_for(lambda: sides.play(sides.new, "bet-1", 1.0, result={"times": 1}))
        sides.play(sides.old, "bet-1", 0.0)
        waits_for(lambda: (one := report(client)) and one.reading.pairs.rounds == 1)


# which rounds are the same


def claim(key: str, at: int, slot: str = "green") -> str:
    return "\n".join(["claim", str(at), "1", key, f"c-{key}", "i", slot, "1", "fp", "5000000", "USD", "enter", ""])


def settled(key: str, at: int, outcome: str = "ok") -> str:
    return "\n".join(["settle", str(at), "1", key, f"c-{key}", "i", "green", "1", outcome, "1000000", "USD", "{\n}"])


class Rounds:
    """A matching under test, with no time to wait."""

    def __init__(self, grace_s: float = 0.0) -> None:
        self.matching = Matching(grace_s)

    def plays(self, key: str, outcome: str = "ok") -> None:
        self.matching.heard(claim(key, 1), "green")
        self.matching.heard(settled(key, 2, outcome), "green")

    def wants(self, key: str | None) -> None:
        self.matching.looked(Proposal(key, STAKE, "USD") if key is not None else None, time.monotonic())

    def taken(self) -> list[tuple[bool, bool]]:
        return [(wanted is not None, played is not None) for wanted, played in self.matching.take()]


def test_what_the_old_version_stayed_out_of_counts_as_nothing_won_or_lost_once_it_has_decided_since() -> None:
    rounds = Rounds()
    rounds.plays("a")
    assert rounds.taken() == [], "its loop may have stopped: nothing is known"
    rounds.plays("b")
    rounds.wants(None)
    assert rounds.taken() == [(False, True)]


def test_what_the_old_version_alone_would_have_played_is_priced_without_a_result() -> None:
    rounds = Rounds()
    rounds.wants("a")
    assert rounds.taken() == [(True, False)]


def test_where_both_play_under_other_keys_nothing_is_known_and_nobody_is_harmed() -> None:
    rounds = Rounds(grace_s=0.01)
    for number in range(3):
        rounds.wants(f"old-{number}")
        rounds.plays(f"new-{number}")
        rounds.wants(f"old-{number + 10}")
    time.sleep(0.03)
    assert (False, True) not in rounds.taken()


def test_a_key_that_is_asked_for_again_and_again_is_one_round() -> None:
    rounds = Rounds()
    for _ in range(3):
        rounds.wants("a")
        counted = rounds.taken()
    assert counted == []


def test_a_round_whose_end_is_not_known_or_that_was_refused_is_no_pair() -> None:
    rounds = Rounds(grace_s=60.0)
    for outcome in ("fail", "unknown", "abort"):
        rounds.wants(outcome)
        rounds.plays(outcome, outcome)
    assert rounds.taken() == []


@pytest.mark.parametrize(
    "record",
    ["", "claim", "\n" * 11, "claim" + "\nx" * 12, claim("a", 1, "purple"), claim("a", 1).replace("5000000", "much")],
)
def test_an_entry_that_can_not_be_read_is_none(record: str) -> None:
    rounds = Rounds()
    rounds.matching.heard(record, "green")
    rounds.matching.heard(settled("a", 2), "green")
    assert rounds.taken() == []


def test_ten_thousand_rounds_that_find_no_other_side_are_bounded_and_counted() -> None:
    rounds = Rounds(grace_s=3600.0)
    for number in range(10_050):
        rounds.wants(f"k-{random.Random(number).random()}")
    assert rounds.matching.dropped == 50
