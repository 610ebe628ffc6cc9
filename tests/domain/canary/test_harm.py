"""Harm is told as people meet it, with the numbers of both versions, and nothing is named that chance may have done."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.canary.harm import UNCLEAR, Way, harm_words, ways
from console.domain.canary.plan import Action, Analysis, Facts, Position, RunState, usual_plan
from console.domain.canary.rules import evaluate
from console.domain.canary.stored import evidence_document, evidence_from
from console.domain.statistics.evidence import Evidence, Settings, Verdict
from console.domain.statistics.judge import Judge
from console.domain.statistics.payoffs import Payoff, Payoffs, payoffs_of
from console.domain.text import DEFAULT_LIMIT

Draw = Callable[[random.Random, float], float]


def ticket(chance: float, prize: float, otherwise: float = -1.0) -> Draw:
    return lambda rng, _stake: prize if rng.random() < chance else otherwise


def played(canary: Draw, stable: Draw, seed: int = 1, rounds: int = 4000) -> tuple[Payoff, Payoff]:
    rng, kept = random.Random(seed), (Payoffs(), Payoffs())
    for at in range(rounds):
        stake = rng.choice((1.0, 1.0, 1.0, 1.0, 100.0))
        which = 0 if at % 4 == 0 else 1
        kept[which].add(stake, (canary, stable)[which](rng, stake))
    return payoffs_of(*kept)


EVEN = ticket(0.5, 1.0)
CASES = [
    (ticket(0.38, 1.0), Way.WIN_RATE, "lower win rate: "),
    (ticket(0.03, 18.0), Way.ODDS, "longer odds: wins "),
    (ticket(0.5, 0.5), Way.WIN_SIZE, "smaller wins: wins "),
    (lambda rng, _: -20.0 if rng.random() < 0.02 else EVEN(rng, 1.0), Way.LOSS_TAIL, "loses 2 or more in "),
    (ticket(0.5, 1.0, -1.5), Way.LOSS_TAIL, "a lost round costs 1.5, stable 1"),
    (lambda rng, stake: ticket(0.25 if stake > 1 else 0.5, 1.0)(rng, 1.0), Way.LARGE_STAKES, "from 64 on "),
]


@pytest.mark.parametrize(("canary", "way", "words"), CASES)
def test_what_differs_is_what_is_named_first(canary: Draw, way: Way, words: str) -> None:
    worse = ways(*played(canary, EVEN))
    assert worse[0].way is way
    assert worse[0].words.startswith(f"{way}: ")
    assert words in worse[0].words
    assert ", stable " in worse[0].words


def test_both_rates_are_told_with_their_rounds() -> None:
    (worse,) = ways(*played(ticket(0.38, 1.0), EVEN))
    assert worse.words == "lower win rate: 38.8 % of 1,000 rounds, stable 51 % of 3,000 rounds"


def test_alike_versions_are_named_nothing_in_all_but_a_few_of_the_runs() -> None:
    told = [ways(*played(EVEN, EVEN, seed, 800)) for seed in range(100)]
    assert sum(bool(worse) for worse in told) <= 3


def test_one_deep_loss_is_no_tail() -> None:
    kept = (Payoffs(), Payoffs())
    for at in range(3000):
        kept[at % 4 != 0].add(1.0, 1.0 if at % 2 else -1.0)
    kept[0].add(1.0, -20.0)
    assert Way.LOSS_TAIL not in {worse.way for worse in ways(*payoffs_of(*kept))}


def judged(effect: float, *, tail: bool = False, rounds: int = 3000) -> Evidence:
    rng, judge = random.Random(4), Judge(Settings(margin=0.05, sigma=1.0, lowest=-30.0, highest=5.0, sigma_canary=1.0))
    for at in range(rounds):
        canary = at % 2 == 0
        value = -20.0 if canary and tail and rng.random() < 0.03 else max(-5.0, min(5.0, rng.gauss(0.0, 1.0)))
        judge.round(canary, value - (effect if canary else 0.0), 0.5)
    return judge.evidence._replace(payoffs=judge.payoffs)


def test_a_canary_that_is_not_worse_is_told_nothing() -> None:
    assert harm_words(judged(-0.3)) == ""
    assert harm_words(None) == ""
    assert harm_words(judged(0.3)._replace(payoffs=None)) == ""


def test_harm_of_which_no_way_stands_out_says_so() -> None:
    evidence = judged(0.0, rounds=200)._replace(estimate=-0.4, verdict=Verdict.HARM)
    assert harm_words(evidence) == UNCLEAR
    assert harm_words(evidence._replace(verdict=Verdict.UNDECIDED)) == ""


@pytest.mark.parametrize(("draw", "way", "_words"), CASES)
def test_the_reason_of_a_roll_back_says_how_and_is_short_enough_to_be_kept_whole(
    draw: Draw, way: Way, _words: str
) -> None:
    found = played(draw, EVEN)
    harm = Evidence(Verdict.HARM, 1000, 3000, 900, -0.123456, -0.3, -0.0123456, 0.01, 0, None, payoffs=found)
    plan = usual_plan(Settings(margin=0.05, sigma=1.0, lowest=-1.0, highest=9.0), Decimal(60))
    at, now = Position(2, 2), datetime(2026, 3, 1, tzinfo=UTC)
    facts = Facts(at, RunState.RUNNING, now, analysis=Analysis(now, at, harm))
    proposal = evaluate(plan, facts, now)
    assert proposal.action is Action.ROLL_BACK
    assert f": {way}" in proposal.reason
    assert proposal.reason.endswith(", at 20% of the capital.")
    assert len(proposal.reason) <= DEFAULT_LIMIT


def test_the_tail_is_told_of_a_canary_whose_usual_round_is_as_good() -> None:
    words = harm_words(judged(0.0, tail=True))
    assert words.startswith("fatter loss tail: loses 4 or more in ")


def test_what_the_desk_says_comes_back_from_the_store_as_it_was() -> None:
    evidence = judged(0.3, tail=True)
    again = evidence_from(json.loads(json.dumps(evidence_document(evidence), allow_nan=False)))
    assert again == evidence
    assert evidence_from(evidence_document(evidence._replace(payoffs=None))) == evidence._replace(payoffs=None)


@pytest.mark.parametrize(
    "wrong",
    [
        "x",
        [],
        [{}, {}],
        [None, None],
        [{"rounds": 1}],
        [{"rounds": 3, "wins": [9, 1.0, 0.1], "losses": [0, 0, 0], "large": [0, 0, 0], "small": [3, 0, 0]}] * 2,
        [{"rounds": 9, "wins": [1, "nan", 0], "losses": [0, 0, 0], "large": [0, 0, 0], "small": [3, 0, 0]}] * 2,
        [{"rounds": 9, "wins": [1, 1e999, 0], "losses": [0, 0, 0], "large": [0, 0, 0], "small": [3, 0, 0]}] * 2,
    ],
)
def test_payoffs_that_can_not_be_read_are_none_and_cost_nothing_else(wrong: object) -> None:
    document = {**evidence_document(judged(0.3)), "payoffs": wrong}
    read = evidence_from(document)
    assert read is not None
    assert read.payoffs is None
    assert read == judged(0.3)._replace(payoffs=None)


def test_numbers_that_a_hostile_store_holds_cost_nothing_but_their_words() -> None:
    huge = [5, 1e299, 1e299]
    one = {"rounds": 10, "wins": huge, "losses": huge, "deep": 3, "deep_at": 1e299, "large": huge, "small": huge}
    document = {**evidence_document(judged(0.3)), "payoffs": [{**one, "large_at": 1e299}, {**one, "large_at": 1e299}]}
    read = evidence_from(document)
    assert read is not None
    assert read.payoffs is not None
    assert len(harm_words(read)) < 400


rounds = st.lists(st.tuples(st.floats(0.01, 1e6), st.floats(-50, 50)), max_size=40)


@given(rounds, rounds)
def test_words_can_be_made_of_any_rounds_and_parts_add_up(
    first: list[tuple[float, float]], second: list[tuple[float, float]]
) -> None:
    kept = (Payoffs(), Payoffs())
    for one, some in zip(kept, (first, second), strict=True):
        for stake, value in some:
            one.add(stake, value)
    for payoff, some in zip(payoffs_of(*kept), (first, second), strict=True):
        assert payoff.rounds == len(some) == payoff.large.rounds + payoff.small.rounds
        assert payoff.wins.rounds == sum(value > 0 for _, value in some)
        assert payoff.deep == sum(-value >= payoff.deep_at for _, value in some)
        assert payoff.large.rounds == (sum(stake >= payoff.large_at for stake, _ in some) if payoff.large_at else 0)
    assert all(worse.words for worse in ways(*payoffs_of(*kept)))


def test_a_run_that_began_before_this_was_kept_goes_on_without_it() -> None:
    settings = Settings(margin=0.05, sigma=1.0, lowest=-5.0, highest=5.0)
    earlier, later = Judge(settings), Judge(settings)
    for at in range(30):
        earlier.round(at % 2 == 0, 0.5, 0.5)
    state = {name: kept for name, kept in earlier.state().items() if name != "payoffs"}
    later.restore(json.loads(json.dumps(state)))
    assert later.evidence == earlier.evidence
    assert later.payoffs is None
    later.round(True, 0.5, 0.5)
    again = Judge(replace(settings))
    again.restore(json.loads(json.dumps(later.state())))
    assert again.state() == later.state()
