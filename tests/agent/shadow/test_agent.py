"""A shadow on a thread of its own: it costs the live path a copy and a put, and nothing it does reaches the venue."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal

import pytest

from console.agent.shadow.agent import MAX_STUCK, ShadowAgent
from console.agent.shadow.venue import NoCapability, NoVenue
from console.domain.shadow.compare import Raised
from console.domain.shadow.rates import Divergence

State = dict[str, object]
Decide = Callable[[State], object]


@pytest.fixture
def shadow() -> Iterator[Callable[..., ShadowAgent[State, object]]]:
    """Makes shadow agents that are closed when the test ends."""
    with ExitStack() as ends:

        def make(decide: Decide | None = None, *, build: Callable[[NoVenue], Decide] | None = None, **options: object):
            agent: ShadowAgent[State, object] = ShadowAgent(build or (lambda _: decide), deadline_s=20.0, **options)
            ends.callback(agent.close)
            return agent

        yield make


def bet(state: State) -> object:
    return {"action": "bet", "amount": state["n"]}


def test_the_live_decision_is_returned_and_the_shadow_compared_with_it(shadow) -> None:
    agent = shadow(lambda state: {"action": "bet", "amount": 7})
    assert [agent.decide({"n": n}, bet) for n in (7, 8)] == [bet({"n": 7}), bet({"n": 8})]
    assert agent.drain()
    reading = agent.reading()
    assert (reading.rounds, reading.diverged) == (2, 1)
    assert [(rate.path, rate.money, rate.excess) for rate in reading.fields] == [("amount", True, 0.5)]


def test_the_live_version_decides_first_and_the_shadow_on_another_thread(shadow) -> None:
    order: list[tuple[str, int]] = []
    agent = shadow(lambda state: order.append(("shadow", threading.get_ident())))
    agent.decide({"n": 1}, lambda state: order.append(("live", threading.get_ident())))
    assert agent.drain()
    assert [name for name, _ in order] == ["live", "shadow"]
    assert order[0][1] == threading.get_ident() != order[1][1]


def test_neither_version_can_change_what_the_other_sees(shadow) -> None:
    seen: list[object] = []

    def meddle(state: State) -> object:
        seen.append(dict(state))
        state["n"] = "changed by the shadow"
        return 0

    def live(state: State) -> object:
        state["n"] = "changed by live"
        return 0

    agent, state = shadow(meddle), {"n": 1}
    agent.decide(state, live)
    assert agent.drain()
    assert seen == [{"n": 1}]
    assert state == {"n": "changed by live"}


def test_what_live_raises_is_raised_and_compared(shadow) -> None:
    agent = shadow(bet)

    def fail(state: State) -> object:
        raise LookupError("no quote")

    with pytest.raises(LookupError, match="no quote"):
        agent.decide({"n": 1}, fail)
    assert agent.drain()
    assert [rate.kind.value for rate in agent.reading().fields] == ["raise vs value"]


def test_a_shadow_that_raises_is_counted_and_not_heard(shadow) -> None:
    agent = shadow(lambda state: 1 / 0)
    assert agent.decide({"n": 1}, bet) == bet({"n": 1})
    assert agent.drain()
    assert (agent.reading().raised, agent.reading().diverged) == (1, 1)


def test_a_shadow_that_cannot_be_built_raises_in_every_round(shadow) -> None:
    def build(venue: NoVenue) -> Decide:
        raise RuntimeError("no model")

    agent = shadow(build=build)
    agent.decide({"n": 1}, bet)
    assert agent.drain()
    assert agent.reading().raised == 1


def test_a_full_queue_drops_rounds_and_counts_them(shadow) -> None:
    gate = threading.Event()
    agent = shadow(lambda state: gate.wait(10) and bet(state), queue=3)
    for n in range(20):
        agent.decide({"n": n}, bet)
    gate.set()
    assert agent.drain()
    reading = agent.reading()
    assert reading.rounds in (3, 4), "three that waited, and one that may have been taken already"
    assert reading.rounds + reading.dropped == 20


def test_an_answer_after_the_deadline_is_thrown_away_and_counted() -> None:
    gate = threading.Event()
    agent: ShadowAgent[State, object] = ShadowAgent(
        lambda _: lambda state: gate.wait(10) and bet(state), deadline_s=0.01
    )
    for n in range(3):
        agent.decide({"n": n}, bet)
    threading.Timer(0.1, gate.set).start()
    assert agent.drain()
    reading = agent.reading()
    assert (reading.rounds, reading.timed_out + reading.dropped) == (0, 3)
    agent.close()


def test_a_hanging_shadow_is_left_behind_and_after_a_few_given_nothing_more() -> None:
    for_ever = threading.Event()
    agent: ShadowAgent[State, object] = ShadowAgent(
        lambda _: lambda state: for_ever.wait(), deadline_s=0.02, hang_s=0.02, queue=4, name="hangs"
    )
    pause = threading.Event()
    for n in range(4000):
        assert agent.decide({"n": n}, bet) == bet({"n": n})
        pause.wait(0.005)
        reading = agent.reading()
        if reading.dropped > 100:
            break
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("shadow-hangs")]
    assert len(threads) <= MAX_STUCK
    assert reading.rounds == 0
    assert reading.timed_out >= MAX_STUCK
    assert reading.dropped > 100
    for_ever.set()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    for n in range(4000):
        agent.decide({"n": n}, bet)
        pause.wait(0.005)
        if agent.reading().rounds:
            break
    assert agent.reading().rounds, "it came back, and is given work again"
    agent.close()


def test_a_slow_shadow_is_not_taken_to_hang() -> None:
    late = threading.Event()
    agent: ShadowAgent[State, object] = ShadowAgent(
        lambda _: lambda state: late.wait(0.03) or bet(state), deadline_s=0.02, hang_s=30.0, name="slow"
    )
    for n in range(30):
        agent.decide({"n": n}, bet)
    assert agent.drain(20)
    assert agent.reading().timed_out == 30
    assert sum(thread.name.startswith("shadow-slow") for thread in threading.enumerate()) == 1
    agent.close()


def test_a_shadow_holds_nothing_it_could_act_with(shadow) -> None:
    def build(venue: NoVenue) -> Decide:
        def decide(state: State) -> object:
            venue.place_bet(amount=Decimal("12.50"), to="0xabc\x1b[31m")
            return bet(state)

        return decide

    agent = shadow(build=build)
    agent.decide({"n": 1}, bet)
    assert agent.drain()
    assert agent.reading().intents == 1
    (intent,) = agent.intents
    assert intent.action == "place_bet"
    assert "12.50" in intent.details
    assert "\x1b" not in intent.details


def test_a_real_call_fails_at_the_capability() -> None:
    with pytest.raises(NoCapability, match="holds no credentials"):
        NoVenue().withdraw(1)


def test_a_state_that_cannot_be_copied_is_counted_and_decided_on_all_the_same(shadow) -> None:
    agent = shadow(bet)
    assert agent.decide({"n": 1, "socket": threading.Lock()}, bet) == bet({"n": 1})
    assert agent.reading().dropped == 1


def test_a_state_that_is_too_large_is_counted(shadow) -> None:
    agent = shadow(bet)
    agent.decide({"n": 1, "book": "x" * 300_000}, bet)
    assert agent.reading().dropped == 1


def test_running_the_shadow_twice_measures_its_noise(shadow) -> None:
    words = iter(range(1000))
    agent = shadow(lambda state: {"amount": 1, "why": next(words)}, noise_share=1.0)
    for _ in range(10):
        agent.decide({"n": 1}, lambda state: {"amount": 1, "why": 0})
    assert agent.drain()
    reading = agent.reading()
    assert (reading.noise_rounds, reading.noise_diverged) == (10, 10)
    assert [(rate.path, rate.excess) for rate in reading.fields] == [("why", 0.0)]


def test_counterfactual_money_is_kept_apart_from_the_difference_in_decisions(shadow) -> None:
    def price(state: State, decision: object) -> Decimal | None:
        return Decimal(str(decision)) if state["n"] != 3 else None

    agent = shadow(lambda state: -2, price=price)
    for n in range(4):
        agent.decide({"n": n}, lambda state: 5)
    assert agent.drain()
    reading = agent.reading()
    assert (reading.live_pnl, reading.shadow_pnl, reading.unpriced) == (Decimal(15), Decimal(-6), 1)
    assert reading.diverged == 4


def test_every_divergence_is_recorded_with_its_state_and_nothing_else_is(shadow) -> None:
    kept: list[Divergence] = []
    agent = shadow(lambda state: {"action": "bet", "amount": 1}, record=kept.append)
    for n in (1, 2):
        agent.decide({"n": n}, bet)
    assert agent.drain()
    assert [(found.state, found.live, found.shadow) for found in kept] == [
        ({"n": 2}, {"action": "bet", "amount": 2}, {"action": "bet", "amount": 1})
    ]


def test_a_recorder_that_raises_is_counted_and_the_next_round_is_looked_at(shadow) -> None:
    def record(divergence: Divergence) -> None:
        raise OSError("disk full")

    agent = shadow(lambda state: 0, record=record)
    for n in (1, 2):
        agent.decide({"n": n}, bet)
    assert agent.drain()
    assert (agent.reading().rounds, agent.reading().dropped) == (2, 2)


async def test_a_round_decided_on_an_event_loop_is_handed_over_without_waiting(shadow) -> None:
    agent = shadow(bet)
    agent.observe({"n": 1}, {"action": "bet", "amount": 1})
    agent.observe({"n": 2}, Raised("TimeoutError"))
    assert agent.drain()
    assert (agent.reading().rounds, agent.reading().diverged) == (2, 1)


def test_after_closing_rounds_are_dropped_and_the_thread_ends(shadow) -> None:
    agent = shadow(bet, name="closing")
    agent.close()
    agent.decide({"n": 1}, bet)
    assert agent.reading().dropped == 1
    for thread in threading.enumerate():
        if thread.name.startswith("shadow-closing"):
            thread.join(10)
            assert not thread.is_alive()
