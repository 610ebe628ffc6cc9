"""The canary's router: exact shares, one answer a round, one cap, and no capital that the store did not record."""

import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.agent.canary.router import CANARY, REMEMBERED, STABLE, CanaryRouter
from console.domain.canary.plan import Mode, Position
from console.domain.errors import Refused, UsageError

shares = st.integers(0, 1_000_000).map(lambda ppm: Decimal(ppm).scaleb(-6)) | st.sampled_from(
    [Decimal("0.05"), Decimal("0.2"), Decimal("0.5"), Decimal(1), Decimal(0)]
)
bets = st.lists(st.integers(1, 50_000_000).map(lambda micros: Decimal(micros).scaleb(-6)), min_size=1, max_size=80)
CENT = Decimal("0.01")
HUGE = Decimal(1_000_000_000)


def router(mode: Mode, share: Decimal, cap: Decimal = HUGE, budget: Decimal = HUGE, run: str = "run") -> CanaryRouter:
    made = CanaryRouter(run, mode=mode, cap=cap)
    assert made.apply(Position(1, 1), share, budget)
    return made


@given(shares, bets, st.text(max_size=9))
def test_routed_money_is_the_share_exactly_to_within_one_bet_of_each_size_after_any_number_of_rounds(
    share: Decimal, amounts: list[Decimal], run: str
) -> None:
    route = router(Mode.ROUTE, share, run=run)
    canary = total = largest = Decimal(0)
    for at, amount in enumerate(amounts):
        given_out = route.assign(f"r{at}", amount)
        assert given_out.canary + given_out.stable == amount
        assert 0 in (given_out.canary, given_out.stable), "routed whole, never scaled"
        canary, total, largest = canary + given_out.canary, total + amount, max(largest, amount)
        assert abs(canary - share * total) <= Decimal("2.5") * largest


@given(shares, bets)
def test_split_money_is_the_share_exactly_to_within_one_quantum_after_any_number_of_rounds(
    share: Decimal, amounts: list[Decimal]
) -> None:
    split = router(Mode.SPLIT, share)
    canary = total = Decimal(0)
    for at, amount in enumerate(amounts):
        given_out = split.assign(f"r{at}", amount)
        assert given_out.canary + given_out.stable == amount
        assert given_out.probability in (0.0, 1.0), "split by stakes, never drawn"
        canary, total = canary + given_out.canary, total + amount
        assert given_out.canary % CENT == 0 or given_out.stable == 0, "whole quanta, or the whole bet"
        assert 0 <= share * total - canary < CENT
        assert split.reading().routed_share == pytest.approx(float(canary / total), rel=1e-12, abs=0)


@given(shares, bets, st.randoms(use_true_random=False), st.sampled_from(list(Mode)))
def test_the_order_of_the_bets_does_not_matter_to_the_share(
    share: Decimal, amounts: list[Decimal], order: random.Random, mode: Mode
) -> None:
    one = router(mode, share)
    total = sum(amounts)
    within = Decimal("2.5") * max(amounts) if mode is Mode.ROUTE else CENT
    for _ in range(2):
        canary = sum((one.assign(str(at), amount).canary for at, amount in enumerate(amounts)), Decimal(0))
        assert abs(canary - share * total) <= within
        order.shuffle(amounts)
        one = router(mode, share)


@pytest.mark.parametrize("share", ["0.05", "0.2", "0.5", "0.8"])
def test_rounds_go_to_the_canary_as_often_as_was_announced(share: str) -> None:
    route = router(Mode.ROUTE, Decimal(share))
    drawn: list[tuple[float, bool]] = []
    for at in range(8000):
        assigned = route.assign(f"round-{at}", Decimal(1 + at % 3))
        if 0 < assigned.probability < 1:
            drawn.append((assigned.probability, assigned.to_canary))
        else:
            assert assigned.to_canary == (assigned.probability == 1)
        route.settle(f"round-{at}")
    expected = sum(probability for probability, _ in drawn)
    assert len(drawn) > 2000
    assert abs(sum(hit for _, hit in drawn) - expected) < 4 * expected**0.5


def test_a_round_asked_for_again_has_the_same_answer_and_counts_once() -> None:
    route = router(Mode.ROUTE, Decimal("0.5"))
    first = [route.assign(str(at), Decimal(10)) for at in range(20)]
    assert [route.assign(str(at), Decimal(10)) for at in range(20)] == first
    assert route.reading().exposure_canary + route.reading().exposure_stable == 200
    route.settle("3")
    assert route.assign("3", Decimal(10)) == first[3]
    assert route.reading().open_rounds == 19


def test_a_rounds_id_stands_for_one_amount() -> None:
    route = router(Mode.ROUTE, Decimal("0.5"))
    route.assign("x", Decimal(10))
    with pytest.raises(Refused, match=r"was assigned 10, not 11"):
        route.assign("x", Decimal(11))


def test_settled_rounds_are_remembered_to_a_bound_and_open_ones_for_ever() -> None:
    route = router(Mode.ROUTE, Decimal("0.5"))
    kept = route.assign("kept", Decimal(1))
    for at in range(REMEMBERED + 50):
        route.assign(str(at), Decimal(1))
        route.settle(str(at))
    assert route.assign("kept", Decimal(1)) == kept
    assert len(route._past) == REMEMBERED


@pytest.mark.parametrize("mode", list(Mode))
def test_both_versions_stay_under_one_cap_together(mode: Mode) -> None:
    route = router(mode, Decimal("0.2"), cap=Decimal(100))
    for at in range(10):
        route.assign(str(at), Decimal(10))
    with pytest.raises(Refused, match="more than the cap of 100"):
        route.assign("over", Decimal("0.01"))
    reading = route.reading()
    assert (reading.exposure_canary + reading.exposure_stable, reading.refused) == (Decimal(100), 1)
    route.settle("0")
    route.assign("fits", Decimal(10))


def test_capital_and_exposure_are_reported_apart() -> None:
    route = router(Mode.SPLIT, Decimal("0.2"))
    route.assign("a", Decimal(10))
    assert route.capital(Decimal("10000.01")) == (Decimal("2000.002"), Decimal("8000.008"))
    assert (route.reading().exposure_canary, route.reading().exposure_stable) == (Decimal(2), Decimal(8))


@given(
    st.sampled_from(list(Mode)),
    st.lists(st.tuples(st.integers(1, 3000), st.booleans()), min_size=1, max_size=120),
)
def test_the_canary_cannot_lose_more_than_its_budget_even_if_it_loses_every_round(
    mode: Mode, rounds: list[tuple[int, bool]]
) -> None:
    budget = Decimal(60)
    route = router(mode, Decimal("0.5"), budget=budget)
    open_rounds: list[tuple[str, Decimal]] = []
    lost = Decimal(0)
    for at, (cents, settle_now) in enumerate(rounds):
        assigned = route.assign(str(at), Decimal(cents) / 100)
        open_rounds.append((str(at), assigned.canary))
        if settle_now:
            for round_id, stake in open_rounds:
                route.settle(round_id, canary_pnl=-stake)
                lost += stake
            open_rounds.clear()
        assert lost + sum((stake for _, stake in open_rounds), Decimal(0)) <= budget
    assert route.reading().balance == -lost


def test_a_stake_that_could_break_the_budget_goes_to_stable_and_says_so() -> None:
    route = router(Mode.ROUTE, Decimal(1), budget=Decimal(60))
    for at in range(5):
        assert route.assign(str(at), Decimal(10)).canary == 10
        route.settle(str(at), canary_pnl=Decimal(-10))
    assert not route.reading().budget_blocked
    assigned = route.assign("six", Decimal("10.01"))
    assert (assigned.canary, assigned.stable, assigned.probability) == (0, Decimal("10.01"), 0.0)
    assert route.reading().budget_blocked
    assert route.assign("seven", Decimal(1)).canary == 0, "it stays so until the step is left"


def test_a_budget_that_open_rounds_tie_up_is_not_a_budget_spent() -> None:
    route = router(Mode.ROUTE, Decimal(1), budget=Decimal(60))
    route.assign("a", Decimal(40))
    assert route.assign("b", Decimal(30)).canary == 0
    assert not route.reading().budget_blocked
    route.settle("a", canary_pnl=Decimal(5))
    assert route.assign("c", Decimal(30)).canary == 30


def test_only_a_newer_revision_changes_the_share() -> None:
    route = CanaryRouter("run", mode=Mode.SPLIT, cap=Decimal(100))
    assert route.reading().share == 0
    assert route.apply(Position(1, 3), Decimal("0.05"), Decimal(60))
    assert not route.apply(Position(2, 2), Decimal("0.2"), Decimal(60)), "a delayed message"
    assert not route.apply(Position(2, 3), Decimal("0.2"), Decimal(60)), "another step under the same revision"
    assert route.apply(Position(1, 3), Decimal("0.05"), Decimal(60)), "the same again is in force"
    assert (route.reading().position, route.reading().share) == (Position(1, 3), Decimal("0.05"))


def test_abort_takes_effect_with_the_next_round_and_open_rounds_still_settle() -> None:
    route = router(Mode.ROUTE, Decimal(1))
    route.assign("a", Decimal(10))
    assert route.apply(Position(0, 2), Decimal(0))
    assert route.assign("b", Decimal(10)).canary == 0
    route.settle("a", canary_pnl=Decimal(-3))
    assert route.reading().exposure_canary == 0


def test_a_loss_that_comes_late_counts_in_the_running_step() -> None:
    route = router(Mode.ROUTE, Decimal(1))
    route.assign("a", Decimal(10))
    route.apply(Position(2, 2), Decimal("0.5"), Decimal(60))
    route.settle("a", canary_pnl=Decimal("-7.25"))
    assert route.reading().balance == Decimal("-7.25")


def test_the_two_versions_never_take_opposite_sides_of_a_market() -> None:
    route = router(Mode.SPLIT, Decimal("0.5"))
    for name in ("a", "b"):
        route.assign(name, Decimal(10))
    route.hold("a", STABLE, "BTC", "buy")
    route.hold("b", CANARY, "BTC", "buy")
    route.hold("b", CANARY, "ETH", "sell")
    with pytest.raises(Refused, match="Canary holds sell in ETH"):
        route.hold("a", STABLE, "ETH", "buy")
    route.settle("b")
    route.hold("a", STABLE, "ETH", "buy")


def test_a_round_settles_once() -> None:
    route = router(Mode.ROUTE, Decimal(1))
    route.assign("a", Decimal(1))
    route.settle("a")
    with pytest.raises(Refused, match="settled before"):
        route.settle("a", canary_pnl=Decimal(1))
    assert route.reading().balance == 0


def test_a_result_of_a_version_that_had_no_stake_is_refused() -> None:
    route = router(Mode.ROUTE, Decimal(1))
    route.assign("a", Decimal(1))
    with pytest.raises(UsageError, match="no stake"):
        route.settle("a", stable_pnl=Decimal(1))
    route.settle("a", canary_pnl=Decimal(1))


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "0.0000001"])
def test_what_is_no_amount_is_refused(amount: str) -> None:
    with pytest.raises(UsageError):
        router(Mode.ROUTE, Decimal("0.5")).assign("a", Decimal(amount))


@pytest.mark.parametrize(("share", "budget"), [("1.1", "60"), ("-0.1", "60"), ("0.0000001", "60"), ("0.05", "0")])
def test_a_share_without_sense_or_budget_is_refused(share: str, budget: str) -> None:
    route = CanaryRouter("run", mode=Mode.ROUTE, cap=Decimal(100))
    with pytest.raises(UsageError):
        route.apply(Position(1, 1), Decimal(share), Decimal(budget))
    with pytest.raises(UsageError):
        route.apply(Position(1, 1), Decimal("0.05"), None)


@pytest.mark.parametrize("share", ["0.05", "0.2", "0.5"])
def test_large_stakes_are_drawn_as_often_as_small_ones(share: str) -> None:
    chance, route = random.Random(1), router(Mode.ROUTE, Decimal(share))
    drawn, rounds = {1: 0, 100: 0}, {1: 0, 100: 0}
    for at in range(20_000):
        amount = 100 if chance.random() < 0.05 else 1
        rounds[amount] += 1
        drawn[amount] += 0 < route.assign(str(at), Decimal(amount)).probability < 1
        route.settle(str(at))
    small, large = (drawn[amount] / rounds[amount] for amount in (1, 100))
    assert small > 0.4
    assert large > 0.7 * small


def test_a_stake_above_the_whole_budget_goes_to_stable_and_ends_nothing() -> None:
    route = router(Mode.ROUTE, Decimal("0.5"), budget=Decimal(60))
    whale = route.assign("whale", Decimal(61))
    assert (whale.canary, whale.stable, whale.probability) == (0, 61, 0.0)
    reading = route.reading()
    assert (reading.too_large, reading.budget_blocked) == (1, False)
    after = [route.assign(str(at), Decimal(1)) for at in range(20)]
    assert any(given.to_canary for given in after)
    again = CanaryRouter("run", mode=Mode.ROUTE, cap=HUGE)
    again.restore(route.book(), {})
    assert again.reading().too_large == 1
