"""What agents may do to a run's page: end rounds in any order, twice, with nothing at stake, or with absurd results."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from decimal import Decimal

import pytest

from console.agent.canary.page import MOST_EXPECTED, Page, Round
from console.domain.errors import Refused, UsageError
from console.domain.statistics.evidence import Verdict
from tests.scenarios.proving import NOW, canary

ONE = Decimal(1)


def page() -> Page:
    """At the step of 20 %."""
    return Page(canary().run, cap=Decimal(10_000), quantum=Decimal("0.01"), worst_loss=ONE)


def give(book: Page, names: list[str]) -> None:
    """Give rounds out, as a desk does."""
    for name in names:
        given = book.assign(name, ONE)
        book.books_before(given)
        book.given_out(given)


def end(book: Page, name: str, pnl: Decimal) -> None:
    """A round is over: whoever played it has its result."""
    own = json.loads(book.record(name))
    to_canary = book.router.assign(name, ONE).to_canary
    assert own
    nothing = Decimal(0)
    outcome = Round(pnl if to_canary else nothing, nothing if to_canary else pnl, False, False, False)
    book.books(book.settle(name, outcome, NOW))


def results(count: int, seed: int = 1) -> list[Decimal]:
    rng = random.Random(seed)
    return [Decimal(rng.randrange(-99, 100)) / 100 for _ in range(count)]


def test_a_page_that_is_taken_up_again_knows_what_was_expected_of_its_open_rounds() -> None:
    first = page()
    for number, pnl in enumerate(results(200)):
        give(first, [f"r{number}"])
        end(first, f"r{number}", pnl)
    held = [f"open{number}" for number in range(20)]
    for number, (name, pnl) in enumerate(zip(held, results(20, 2), strict=True)):
        give(first, [name, f"s{number}"])
        end(first, f"s{number}", pnl)
    state, ledger = json.loads(json.dumps(first.state())), first.ledger()
    second = page()
    second.restore(ledger, {name: first.record(name) for name in held}, state)
    assert second.state() == first.state()
    assert len(set(state["expected"].values())) > 10, "the market moved while they were open"
    for name, pnl in zip(reversed(held), results(20, 3), strict=True):
        end(first, name, pnl)
        end(second, name, pnl)
    assert second.state() == first.state()
    assert first.state()["expected"] == {}


@pytest.mark.parametrize("kept", [None, [], "x", {"open0": "nan"}, {"open0": float("inf")}, {"gone": 1.0}])
def test_expectations_that_can_not_be_read_cost_nothing_else(kept: object) -> None:
    first = page()
    for number, pnl in enumerate(results(50)):
        give(first, [f"r{number}"])
        end(first, f"r{number}", pnl)
    give(first, ["open0"])
    state = {**first.state(), "expected": kept}
    second = page()
    second.restore(first.ledger(), {"open0": first.record("open0")}, state)
    assert second.state()["expected"] == {}
    assert second.state()["judge"] == first.state()["judge"]
    end(second, "open0", ONE)


def test_of_any_number_of_open_rounds_a_bounded_number_of_expectations_is_kept() -> None:
    book = page()
    for number, pnl in enumerate(results(20)):
        give(book, [f"r{number}"])
        end(book, f"r{number}", pnl)
    names = [f"open{number}" for number in range(MOST_EXPECTED + 200)]
    give(book, names)
    assert [*book.state()["expected"]] == names[200:]
    for name in (names[0], names[-1]):
        end(book, name, ONE)
    assert [*book.state()["expected"]] == names[200:-1]


def test_a_round_that_is_ended_twice_counts_once() -> None:
    book = page()
    give(book, ["r0"])
    end(book, "r0", ONE)
    before = book.state()
    with pytest.raises(Refused, match="not open"):
        book.settle("r0", Round(Decimal(0), ONE, False, False, False), NOW)
    assert book.state() == before


def test_a_round_with_nothing_at_stake_is_given_to_nobody_and_judged_as_none() -> None:
    book = page()
    before = book.state()
    for amount in (Decimal(0), Decimal(-1), Decimal("NaN"), Decimal("Infinity")):
        with pytest.raises((Refused, UsageError)):
            book.assign("r0", amount)
    assert book.state() == before
    assert book.open_rounds == ()


@pytest.mark.parametrize("ahead_s", [-86_400, 86_400 * 365])
def test_a_clock_that_is_off_changes_no_evidence(ahead_s: int) -> None:
    right, off = page(), page()
    for number, pnl in enumerate(results(100)):
        for book, now in ((right, NOW), (off, NOW + timedelta(seconds=ahead_s))):
            give(book, [f"r{number}"])
            given = book.router.assign(f"r{number}", ONE)
            own = (pnl, Decimal(0)) if given.to_canary else (Decimal(0), pnl)
            book.settle(f"r{number}", Round(*own, False, False, False), now)
    assert right.state()["judge"] == off.state()["judge"]


def test_one_absurd_result_of_stables_or_the_canarys_is_no_harm_and_lets_nothing_be_safe() -> None:
    for absurd in (Decimal(10**9), Decimal(-(10**9))):
        for of_canary in (True, False):
            book, done = page(), False
            for number, pnl in enumerate(results(400)):
                give(book, [f"r{number}"])
                mine = book.router.assign(f"r{number}", ONE).to_canary == of_canary
                end(book, f"r{number}", absurd if mine and not done and number > 50 else pnl)
                done = done or (mine and number > 50)
            reading = book.reading("h", NOW)
            assert reading.analysis is not None
            assert reading.analysis.evidence is not None
            assert reading.analysis.evidence.outside == 1
            assert reading.analysis.evidence.verdict not in (Verdict.SAFE, Verdict.HARM)
