"""A router that was killed at any moment and restored from its book goes on exact to the millionth."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.agent.canary.router import CANARY, STABLE, CanaryRouter
from console.domain.canary.plan import Mode, Position
from console.domain.errors import ConsoleError, Refused, UsageError

CAP = Decimal(200)

acts = st.lists(
    st.one_of(
        st.tuples(st.just("assign"), st.integers(1, 60_000_000)),
        st.tuples(st.just("settle"), st.integers(-9_000_000, 9_000_000)),
        st.tuples(st.just("withdraw"), st.integers(0, 5)),
        st.tuples(st.just("hold"), st.integers(0, 5)),
        st.tuples(st.just("apply"), st.integers(0, 1_000_000)),
    ),
    max_size=50,
)


def made(mode: Mode) -> CanaryRouter:
    return CanaryRouter("run", mode=mode, cap=CAP)


def micros(number: int) -> Decimal:
    return Decimal(number).scaleb(-6)


def play(router: CanaryRouter, act: tuple[str, int], at: int) -> object:
    """One act, and what came of it: an assignment, or the words of a refusal."""
    name, number = act
    pending = router.open_rounds
    chosen = pending[number % len(pending)] if pending else "none"
    try:
        if name == "assign":
            return router.assign(f"round-{at}", micros(number))
        if name == "settle":
            stakes = router.record(chosen) if pending else [0]
            return router.settle(chosen, canary_pnl=micros(number) if stakes[0] else Decimal(0))
        if name == "withdraw":
            return router.withdraw(chosen)
        if name == "hold":
            return router.hold(
                chosen, (CANARY, STABLE)[number % 2], ("BTC", "ETH")[number % 3 % 2], ("buy", "sell")[number % 5 % 2]
            )
        return router.apply(Position(number % 5, at + 1), micros(number), Decimal(60) if number else None)
    except ConsoleError as refused:
        return str(refused)


def through_text(router: CanaryRouter) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a store gives back of the book and of the open rounds."""
    rounds = {name: router.record(name) for name in router.open_rounds}
    book, kept = json.loads(json.dumps([router.book(), rounds], allow_nan=False))
    return book, kept


def seen(router: CanaryRouter) -> tuple[object, ...]:
    reading = router.reading()
    rounds = {name: router.record(name) for name in router.open_rounds}
    return router.book(), rounds, reading.exposure_canary, reading.exposure_stable, reading.routed_share, reading.share


@pytest.mark.parametrize("mode", list(Mode))
@given(before=acts, after=acts)
def test_a_restored_router_answers_as_the_one_that_was_killed(
    mode: Mode, before: list[tuple[str, int]], after: list[tuple[str, int]]
) -> None:
    lived = made(mode)
    lived.apply(Position(1, 0), Decimal("0.2"), Decimal(60))
    for at, act in enumerate([("apply", 200_000), *before]):
        play(lived, act, at)
    restored = made(mode)
    restored.restore(*through_text(lived))
    assert seen(restored) == seen(lived)
    for name in lived.open_rounds:
        amount = sum(lived.record(name)[:2])
        assert restored.assign(name, micros(amount)) == lived.assign(name, micros(amount))
    for at, act in enumerate(after, len(before) + 1):
        assert play(restored, act, at) == play(lived, act, at)
        assert seen(restored) == seen(lived)


def test_a_book_holds_whole_numbers_only() -> None:
    router = made(Mode.ROUTE)
    router.apply(Position(1, 1), Decimal("0.05"), Decimal("60.5"))
    for at in range(30):
        router.assign(str(at), Decimal("0.333333"))
    router.settle("0", stable_pnl=Decimal("0.000001"))
    canary = router.book()["ledger"][2]
    assert router.book() == {
        "step": 1,
        "revision": 1,
        "share": "0.05",
        "ledger": [50_000, 9_999_990, canary, 333_333, [[9, 9_999_990, canary, 333_333]]],
        "budget": 60_500_000,
        "balance": 0,
        "blocked": False,
        "too_large": 0,
    }
    assert type(router.book()["ledger"][2]) is int


def test_a_step_blocked_by_its_budget_stays_blocked_over_a_restart() -> None:
    router = made(Mode.ROUTE)
    router.apply(Position(1, 1), Decimal("0.999999"), Decimal(5))
    for name, loss in (("lost", 3), ("large", 0)):
        given = router.assign(name, Decimal(4))
        router.settle(name, canary_pnl=Decimal(-loss) if given.canary else Decimal(0))
    assert given.canary == 0
    assert router.reading().budget_blocked
    restored = made(Mode.ROUTE)
    restored.restore(*through_text(router))
    assert restored.reading().budget_blocked
    assert [restored.assign(str(at), Decimal(1)).canary for at in range(20)] == [0] * 20


def test_sides_taken_before_a_restart_are_still_not_opposed_after_it() -> None:
    router = made(Mode.SPLIT)
    router.apply(Position(1, 1), Decimal("0.5"), Decimal(60))
    for name in ("a", "b"):
        router.assign(name, Decimal(10))
    router.hold("b", CANARY, "BTC", "sell")
    restored = made(Mode.SPLIT)
    restored.restore(*through_text(router))
    with pytest.raises(Refused, match="Canary holds sell in BTC"):
        restored.hold("a", STABLE, "BTC", "buy")
    restored.settle("b")
    restored.hold("a", STABLE, "BTC", "buy")


def changed(book: Mapping[str, Any], name: str, value: object) -> dict[str, Any]:
    return {**book, name: value}


def test_a_book_that_is_cut_or_contradicts_itself_is_refused_and_changes_nothing() -> None:
    router, other = made(Mode.ROUTE), made(Mode.ROUTE)
    for fresh, share in ((router, "0.2"), (other, "0.5")):
        fresh.apply(Position(1, 1), Decimal(share), Decimal(60))
        fresh.assign("a", Decimal(10))
    book, kept = through_text(router)
    cut = [{name: value for name, value in book.items() if name != gone} for gone in book if gone != "too_large"]
    wrong = [
        changed(book, "share", "0.3"),
        changed(book, "share", "x"),
        changed(book, "balance", 1.5),
        changed(book, "budget", "60"),
        changed(book, "budget", True),
        changed(book, "budget", None),
        changed(book, "blocked", "no"),
        changed(book, "ledger", [200_000, 1.5, 0, 1]),
        changed(book, "ledger", [200_000, 5, 6, 5]),
        changed(book, "ledger", [200_000, 10]),
        changed(book, "ledger", [200_000, -1, 0, 0]),
        changed(book, "ledger", [2_000_000, 1, 0, 1]),
        changed(book, "ledger", [200_000, 10, 0, 10, [[3, 10, 11, 10]]]),
        changed(book, "ledger", [200_000, 10, 0, 10, 3]),
        changed(book, "too_large", "x"),
        changed(book, "step", "x"),
    ]
    before = seen(other)
    for broken in [*cut, *wrong]:
        with pytest.raises(UsageError):
            other.restore(broken, kept)
        assert seen(other) == before, broken
    for record in (
        [],
        "x",
        [0, 0, 0.5, 1, 1, []],
        [-1, 5, 0.5, 1, 1, []],
        [1.5, 5, 0.5, 1, 1, []],
        [5, 5, 2.0, 1, 1, []],
    ):
        with pytest.raises(UsageError):
            other.restore(book, {"a": record})
        assert seen(other) == before, record
