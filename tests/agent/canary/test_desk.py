"""The desk: what is in force is what is recorded, whoever moves it, and whatever dies when."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from console.agent.canary.desk import CanaryDesk, Decided
from console.agent.shadow.agent import ShadowAgent
from console.agent.shadow.venue import NoVenue
from console.domain.canary.plan import Mode, Plan, Position, RunState, Step
from console.domain.errors import Refused, StoreUnreachable
from console.domain.shadow.pricing import Priced
from console.domain.statistics.evidence import Form, Settings, Verdict
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from console.store.records.canary import Act, CanaryCode, CanaryReply, RunChange, Stored, change, read
from tests.servers import Server
from tests.waiting import until

if TYPE_CHECKING:
    import redis

USD = "USD"
SETTINGS = Settings(margin=0.05, sigma=1.0, lowest=-1.0, highest=9.0, due_rounds=200)
PLAN = Plan(
    (
        Step(Decimal(0), min_rounds=5, min_dwell_s=0),
        Step(Decimal("0.20"), Decimal(60), min_rounds=5, min_dwell_s=0),
        Step(Decimal("0.50"), Decimal(60), min_rounds=5, min_dwell_s=0),
        Step(Decimal(1), Decimal(60), min_rounds=5, min_dwell_s=0),
    ),
    SETTINGS,
    interval_s=0.05,
)


class Stage:
    """Blue is active; a canary may be started and moved by hand."""

    def __init__(self, client: redis.Redis, url: str) -> None:
        self.url = url
        self.client = client
        self.keys = Keys.of()
        self.fence = Fence(client, self.keys)
        self.fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
        self.desks: list[CanaryDesk] = []

    def move(self, act: Act, expected: Position | None = None, *, target: int = 0, plan: Plan = PLAN) -> CanaryReply:
        return self.fence.call(
            change(
                self.keys,
                RunChange(
                    act,
                    "r1",
                    expected,
                    by="op",
                    why="test",
                    target=target,
                    plan=plan,
                    slot="green",
                    currency=USD,
                    capital=Decimal(1000),
                ),
            )
        )

    def at_step(self, step: int, plan: Plan = PLAN) -> CanaryReply:
        reply = self.move(Act.START, plan=plan)
        for target in range(1, step + 1):
            reply = self.move(Act.STEP, reply.position, target=target, plan=plan)
            assert reply.code is CanaryCode.DONE
        return reply

    def desk(self, **more: Any) -> CanaryDesk:
        more = {"cap": Decimal(1000), "currency": USD, "report_s": 0.1, **more}
        desk = CanaryDesk(more.pop("url", self.url), **more)
        self.desks.append(desk)
        desk.start()
        return desk

    def stored(self) -> Stored:
        return read(self.client, self.keys)

    def gates(self, *closed: str, by: str = "guard g1", run: str = "r1", age_s: float = 0.0) -> None:
        """Somebody has asked the gates."""
        ms = round((time.time() - age_s) * 1000)
        self.client.hset(self.keys.canary_gates, by, f"{run}\n{ms}\n" + "\t".join(closed) + "\n")


@pytest.fixture
def stage(valkey_sync: redis.Redis, store_url: str) -> Iterator[Stage]:
    made = Stage(valkey_sync, store_url)
    yield made
    for desk in made.desks:
        desk.stop()


def play(desk: CanaryDesk, number: int, pnl: Callable[[bool], Decimal], amount: Decimal = Decimal(1)) -> bool:
    given = desk.assign(f"b{number}", amount)
    won = pnl(given.to_canary)
    zero = Decimal(0)
    desk.settle(f"b{number}", canary_pnl=won if given.to_canary else zero, stable_pnl=zero if given.to_canary else won)
    return given.to_canary


def test_without_a_run_every_round_is_stables_and_nothing_is_booked(stage: Stage) -> None:
    desk = stage.desk()
    for number in range(20):
        assert not desk.assign(f"b{number}", Decimal(1)).to_canary
    assert stage.stored().open_rounds == {}
    assert desk.position == Position(0, 0)


def test_the_canary_gets_its_share_of_the_money_once_the_step_is_recorded(stage: Stage) -> None:
    desk = stage.desk()
    reply = stage.at_step(1)
    until(lambda: desk.position == reply.position, "the desk follows")
    money = sum(desk.assign(f"b{n}", Decimal(1)).canary for n in range(100))
    assert abs(money - 20) <= 1
    assert len(stage.stored().open_rounds) == 100


def test_a_round_that_is_asked_for_again_has_the_same_answer_open_or_ended(stage: Stage) -> None:
    stage.at_step(2)
    desk = stage.desk()
    given = desk.assign("b1", Decimal(3))
    assert desk.assign("b1", Decimal(3)) == given
    desk.settle("b1")
    assert desk.assign("b1", Decimal(3)) == given
    assert stage.stored().open_rounds == {}


def test_a_step_is_followed_at_the_next_stake_whatever_was_heard_of_it(stage: Stage) -> None:
    reply = stage.at_step(1)
    desk = stage.desk(report_s=3600.0)
    over = stage.move(Act.ABORT)
    assert over.code is CanaryCode.DONE
    assert all(not desk.assign(f"b{n}", Decimal(1)).to_canary for n in range(50))
    assert (desk.position, desk.share) == (Position(0, reply.position.revision + 1), Decimal(0))


def test_a_desk_that_was_killed_goes_on_where_it_ended(stage: Stage) -> None:
    stage.at_step(1)
    first = stage.desk(holder="first")
    for number in range(40):
        play(first, number, lambda canary: Decimal(-1) if canary else Decimal(1))
    held = [f"open{n}" for n in range(10)]
    for name in held:
        first.assign(name, Decimal(3))
    before = first.reading()
    assert before.analysis is not None and before.analysis.evidence is not None
    played = [before.analysis.evidence.rounds_canary, before.analysis.evidence.rounds_stable, 0]
    until(lambda: json.loads(stage.stored().state)["judge"]["rounds"][:3] == played, "reported")
    second = stage.desk(holder="second")  # the first one is as good as dead: its token is old
    after = second.reading()
    assert (after.balance, after.exposure_canary, after.exposure_stable, after.routed_share, after.open_rounds) == (
        before.balance,
        before.exposure_canary,
        before.exposure_stable,
        before.routed_share,
        before.open_rounds,
    )
    assert set(second.open_rounds) == set(held)
    assert after.rounds == before.rounds
    assert after.analysis is not None
    assert after.analysis.evidence == before.analysis.evidence
    with pytest.raises(Refused, match="Another process"):
        first.assign("late", Decimal(1))
    second.release(held[0])
    assert held[0] not in stage.stored().open_rounds


def test_rounds_of_a_run_that_is_over_stay_at_stake_for_the_next_desk(stage: Stage) -> None:
    stage.at_step(2)
    first = stage.desk(holder="first")
    for number in range(10):
        first.assign(f"b{number}", Decimal(1))
    at_stake = first.reading().exposure_canary
    assert at_stake > 0
    stage.move(Act.ABORT)
    again = change(
        stage.keys,
        RunChange(Act.START, "r2", None, by="op", why="", plan=PLAN, slot="green", currency=USD, capital=Decimal(1)),
    )
    assert stage.fence.call(again).code is CanaryCode.DONE
    second = stage.desk(holder="second")
    assert set(second.open_rounds) == {f"b{number}" for number in range(10)}
    for round_id in second.open_rounds:
        second.settle(round_id)
    assert stage.stored().open_rounds == {}
    assert second.open_rounds == ()


def test_a_step_that_was_taken_while_no_desk_ran_is_in_force_before_the_first_round(stage: Stage) -> None:
    reply = stage.at_step(1)
    first = stage.desk(holder="first")
    play(first, 1, lambda canary: Decimal(0))
    higher = stage.move(Act.STEP, reply.position, target=2)
    second = stage.desk(holder="second", report_s=3600.0)
    assert (second.position, second.share) == (higher.position, Decimal("0.50"))
    assert second.reading().balance == 0


def test_money_lost_beyond_the_budget_takes_the_capital_back_with_nobody_watching(stage: Stage) -> None:
    plan = replace(PLAN, steps=(PLAN.steps[0], replace(PLAN.steps[1], loss_budget=Decimal(5)), *PLAN.steps[2:]))
    stage.at_step(1, plan)
    desk = stage.desk(report_s=3600.0)
    lost = 0
    for number in range(200):
        lost += play(desk, number, lambda canary: Decimal(-1) if canary else Decimal(0))
    assert lost <= 5, "no stake is given out that could break the budget"
    until(lambda: desk.share == 0, "the capital goes back")
    reading = stage.stored().reading
    assert reading is not None
    assert (reading.run.state, reading.run.share) == (RunState.ABORTED, Decimal(0))
    assert "loss budget" in reading.run.why and reading.run.by.startswith("desk ")
    ((_id, entry),) = stage.client.xrevrange(stage.keys.audit, count=1)
    assert entry[b"command"] == b"canary abort"


def test_an_automatic_plan_goes_up_one_gate_after_the_other(stage: Stage) -> None:
    wide = replace(SETTINGS, margin=5.0, min_blocks=2)
    plan = replace(PLAN, settings=wide, automatic=True)
    shadow: ShadowAgent[int, int] = ShadowAgent(lambda venue: lambda state: state)
    stage.move(Act.START, plan=plan)
    desk = stage.desk(shadow=shadow)
    rng = random.Random(3)  # payoffs stay within the plan's bounds: one beyond them, and nothing is SAFE any more
    seen = [desk.share]
    number = 0
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        number += 1
        stage.gates()
        shadow.observe(number, number)
        play(desk, number, lambda canary: Decimal(str(round(rng.uniform(-0.48, 0.52), 4))))
        if desk.share != seen[-1]:
            seen.append(desk.share)
        reading = stage.stored().reading
        if reading is not None and reading.run.state is RunState.DONE:
            break
        time.sleep(0.003)
    assert reading is not None and reading.run.state is RunState.DONE
    until(lambda: desk.share == 1, "the desk has heard of the last step")
    if desk.share != seen[-1]:
        seen.append(desk.share)
    assert seen == [Decimal(0), Decimal("0.20"), Decimal("0.50"), Decimal(1)]
    shadow.close()


def test_a_gate_that_closes_while_capital_is_out_takes_it_back_with_nobody_else_there(stage: Stage) -> None:
    plan = replace(PLAN, automatic=True)
    reply = stage.at_step(2, plan)
    desk = stage.desk()
    until(lambda: desk.position == reply.position, "the desk follows")
    stage.gates()
    assert any(desk.assign(f"b{n}", Decimal(1)).to_canary for n in range(20))
    stage.gates("disputes (escrow e1)")
    until(lambda: desk.share == 0, "the capital goes back")
    run = stage.stored().reading.run  # type: ignore[union-attr]
    assert (run.state, run.share) == (RunState.ABORTED, Decimal(0))
    assert "disputes (escrow e1)" in run.why and run.by.startswith("desk ")
    assert not any(desk.assign(f"c{n}", Decimal(1)).to_canary for n in range(20))


def test_what_was_seen_of_the_gates_before_this_step_takes_nothing_back(stage: Stage) -> None:
    stage.gates("disputes (escrow e1)", age_s=1.0)
    reply = stage.at_step(1, replace(PLAN, automatic=True))
    desk = stage.desk()
    until(lambda: desk.position == reply.position, "the desk follows")
    for number in range(40):
        play(desk, number, lambda canary: Decimal(0))
    until(lambda: desk.reading().rounds > 0, "it is judged")
    assert stage.stored().reading.run.share == Decimal("0.20")  # type: ignore[union-attr]


def test_a_plan_that_is_not_automatic_waits_for_an_operator(stage: Stage) -> None:
    plan = replace(PLAN, settings=replace(SETTINGS, margin=5.0, min_blocks=2))
    shadow: ShadowAgent[int, int] = ShadowAgent(lambda venue: lambda state: state)
    stage.move(Act.START, plan=plan)
    desk = stage.desk(shadow=shadow)
    for number in range(20):
        shadow.observe(number, number)
    until(lambda: desk.reading().rounds >= 20, "shadow rounds count")
    time.sleep(0.3)
    assert desk.share == 0
    shadow.close()


def test_rounds_of_pairs_are_split_and_judged_in_pairs(stage: Stage) -> None:
    plan = replace(PLAN, mode=Mode.SPLIT, settings=replace(SETTINGS, form=Form.PAIRED))
    stage.at_step(2, plan)
    desk = stage.desk()
    until(lambda: desk.share > 0, "the desk reads the step")
    for number in range(30):
        given = desk.assign(f"b{number}", Decimal(2))
        assert (given.canary, given.stable) == (Decimal(1), Decimal(1))
        desk.settle(f"b{number}", canary_pnl=Decimal("0.5"), stable_pnl=Decimal("-0.5"))
    analysis = desk.reading().analysis
    assert analysis is not None and analysis.evidence is not None
    assert (analysis.evidence.rounds_canary, analysis.evidence.estimate) == (30, 1.0)


def test_proven_harm_takes_the_capital_back(stage: Stage) -> None:
    plan = replace(PLAN, steps=(PLAN.steps[0], *(replace(s, loss_budget=Decimal(10**6)) for s in PLAN.steps[1:])))
    stage.at_step(2, plan)
    desk = stage.desk()
    rng = random.Random(5)
    for number in range(2000):
        play(desk, number, lambda canary: Decimal(str(round(rng.gauss(-0.9 if canary else 0.5, 0.3), 4))))
        if desk.share == 0:
            break
    analysis = desk.reading().analysis
    assert analysis is not None and analysis.evidence is not None
    assert analysis.evidence.verdict is Verdict.HARM
    until(lambda: desk.share == 0, "the capital goes back")


def test_a_ladder_that_ends_below_the_whole_leaves_the_old_version_its_holdback_for_good(stage: Stage) -> None:
    held = replace(PLAN, steps=(*PLAN.steps[:3], replace(PLAN.steps[3], share=Decimal("0.95"))))
    reply = stage.at_step(3, held)
    assert stage.move(Act.FINISH, reply.position, target=3, plan=held).code is CanaryCode.DONE
    stage.fence.switch(SwitchRequest("green", expected_epoch=stage.fence.tend().epoch, by="op", why="done"))
    desk = stage.desk()
    kept = 0
    for number in range(100):
        kept += not desk.assign(f"round-{number}", Decimal(1)).to_canary
        desk.settle(f"round-{number}")
    assert 2 <= kept <= 9, "a twentieth, by the money"


def test_a_run_in_another_currency_is_not_followed(stage: Stage) -> None:
    stage.at_step(1)
    desk = stage.desk(currency="EUR")
    assert not any(desk.assign(f"b{n}", Decimal(1)).to_canary for n in range(30))
    assert "USD" in desk.refused_run


def test_a_run_whose_plan_was_tampered_with_is_not_followed(stage: Stage) -> None:
    stage.at_step(1)
    stage.client.hset("ac:{agent:active_version}:canary", "plan", "{}")
    desk = stage.desk()
    assert not any(desk.assign(f"b{n}", Decimal(1)).to_canary for n in range(30))
    assert "plan" in desk.refused_run


def test_no_stake_of_the_canarys_goes_out_unbooked(valkey_server: Callable[..., Server]) -> None:
    server = valkey_server()
    from console.store.server.connect import connect_sync

    with connect_sync(server.url, timeout_s=5.0, name="test") as client:
        stage = Stage(client, server.url)
        stage.at_step(2)
        desk = stage.desk(url=server.url)
        for number in range(10):
            desk.assign(f"b{number}", Decimal(1))
        server.kill()
        with pytest.raises(StoreUnreachable):
            desk.assign("away", Decimal(1))
        assert "away" not in desk.open_rounds
        desk.settle("b0")  # the end waits for the store
        server.start()
        until(lambda: not desk.last_error, "the store is back")
    with connect_sync(server.url, timeout_s=5.0, name="test") as client:
        stored = read(client, Keys.of())
        assert "away" not in stored.open_rounds
        until(lambda: "b0" not in read(client, Keys.of()).open_rounds, "the end was booked")
        assert len(read(client, Keys.of()).open_rounds) == 9
    desk.stop()
    stage.desks.clear()


def test_a_shadow_has_nothing_to_act_with() -> None:
    tried: list[str] = []

    def make(venue: NoVenue) -> Callable[[int], int]:
        def decide(state: int) -> int:
            try:
                venue.place_bet(state)
            except Refused as error:
                tried.append(error.title)
            return state

        return decide

    shadow: ShadowAgent[int, int] = ShadowAgent(make)
    shadow.observe(1, 1)
    assert shadow.drain()
    assert tried == ["No capability"]
    assert shadow.reading().intents == 1
    shadow.close()


def play_priced(desk: CanaryDesk, number: int, rng: random.Random, *, harm: str = "0") -> None:
    """A round that both versions decided on, and that the market decided."""
    market, given = Decimal(rng.randint(-100, 100)).scaleb(-2), desk.assign(f"p{number}", Decimal(2))
    pnl = Decimal(2) * (market - (Decimal(harm) if given.to_canary else 0))
    zero = Decimal(0)
    desk.settle(
        f"p{number}",
        canary_pnl=pnl if given.to_canary else zero,
        stable_pnl=zero if given.to_canary else pnl,
        decided=Decided(Decimal(harm), zero, market),
    )


@pytest.mark.parametrize("told", [lambda pnl: pnl, lambda pnl: Priced(pnl, Decimal(2))], ids=["amount", "Priced"])
def test_rounds_priced_for_both_versions_take_the_markets_part_off_and_say_how_much(stage: Stage, told: Any) -> None:
    desk = stage.desk(price=lambda decision, market: told(Decimal(2) * (market - decision)))
    reply = stage.at_step(1)
    until(lambda: desk.position == reply.position, "the desk follows")
    rng = random.Random(3)
    for number in range(400):
        play_priced(desk, number, rng)
    evidence = desk.reading().analysis.evidence  # type: ignore[union-attr]
    assert evidence is not None
    assert (evidence.priced, evidence.priced_apart, desk.unpriced) == (400, False, 0)
    assert evidence.explained > 0.9


@pytest.mark.parametrize(
    "price", [lambda *_: None, lambda *_: Decimal("NaN"), lambda *_: 1 / 0, lambda *_: "5", lambda *_: 1.5]
)
def test_a_round_that_can_not_be_priced_counts_without_a_price_and_is_counted(stage: Stage, price: Any) -> None:
    desk = stage.desk(price=price)
    reply = stage.at_step(1)
    until(lambda: desk.position == reply.position, "the desk follows")
    rng = random.Random(3)
    for number in range(20):
        play_priced(desk, number, rng)
    reading = desk.reading()
    assert reading.analysis is not None and reading.analysis.evidence is not None
    assert reading.analysis.evidence.rounds_canary + reading.analysis.evidence.rounds_stable == 20
    assert (reading.analysis.evidence.priced, desk.unpriced) == (0, 20)
