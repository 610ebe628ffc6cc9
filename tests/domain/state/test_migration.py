"""Migrations: found and put in a row, refused with the reason, and tested for what they lose."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from console.domain.errors import Refused, UsageError
from console.domain.state import migration as module
from console.domain.state.migration import Migration, chain, declared_in, migrate, migration
from console.domain.state.migration_check import check
from tests.domain.state.test_state import EXAMPLE

STATE = replace(EXAMPLE, extra={"limit": 5, "old": "x", "both": {"a": 1}})


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(module, "_registered", {})
    yield


def to_2(state: dict[str, Any]) -> dict[str, Any]:
    state["extra"]["risk"] = {"limit": state["extra"].pop("limit")}
    return state


def back_to_1(state: dict[str, Any]) -> dict[str, Any]:
    state["extra"]["limit"] = state["extra"].pop("risk")["limit"]
    return state


def to_3(state: dict[str, Any]) -> dict[str, Any]:
    del state["extra"]["old"]
    return state


FORWARD, BACK = Migration(1, 2, to_2), Migration(2, 1, back_to_1)
LAST = Migration(2, 3, to_3, drops=("extra.old",), irreversible=True)


def test_the_steps_between_two_versions_are_found_forward_and_back() -> None:
    assert chain([LAST, BACK, FORWARD], 1, 3) == (FORWARD, LAST)
    assert chain([LAST, BACK, FORWARD], 2, 1) == (BACK,)
    done = migrate(STATE, 3, [LAST, BACK, FORWARD])
    assert (done.state.schema, done.irreversible) == (3, True)
    assert done.state.extra == {"risk": {"limit": 5}, "both": {"a": 1}}
    assert migrate(migrate(STATE, 2, [FORWARD]).state, 1, [BACK]).state == STATE


def test_a_newer_schema_that_no_migration_knows_is_refused_with_the_reason() -> None:
    with pytest.raises(Refused, match="newer schema 3; this version reads 1, and no migration leads there"):
        migrate(replace(STATE, schema=3), 1, [FORWARD, BACK, LAST])


@pytest.mark.parametrize(
    ("function", "words"),
    [(lambda state: state["extra"]["gone"], "no 'gone'"), (lambda state: None, "returned a NoneType"),
     (lambda state: {**state, "balances": [{"amount": 1}]}, r"balances\[0\] lacks"), (lambda state: 1 / 0, "ZeroD"),
     (lambda state: {**state, "new": 1}, "unknown field new"),
     (lambda state: {k: v for k, v in state.items() if k != "escrows"}, "lacks escrows")],
    ids=range(6),
)  # fmt: skip
def test_a_migration_that_fails_is_refused_by_its_name_and_the_field(function: Any, words: str) -> None:
    with pytest.raises(Refused, match=words):
        migrate(STATE, 2, [Migration(1, 2, function)])


def test_declared_functions_are_found_in_their_module_and_none_twice() -> None:
    migration(1, 2)(to_2)
    assert migrate(STATE, 2).state.schema == 2
    assert [step.function for step in declared_in({"to_2": to_2, "x": 1})] == [to_2]
    with pytest.raises(UsageError, match="declared twice"):
        migration(1, 2)(to_3)
    with pytest.raises(UsageError, match="another version"):
        migration(1, 1)


def test_the_check_holds_where_the_way_back_brings_everything_again_and_drops_are_declared() -> None:
    results = check({"x": STATE}, [FORWARD, BACK, LAST])
    assert all(result.ok for result in results), results
    assert [(result.round_trip, result.dropped, result.irreversible) for result in results] == [
        (True, ("extra.limit",), False), (True, ("extra.risk.limit",), False), (None, ("extra.old",), True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("steps", "words"),
    [([FORWARD], "extra.limit is dropped and has no way back"),
     ([FORWARD, Migration(2, 1, lambda state: state)], "extra.limit does not come back"),
     ([Migration(1, 2, lambda state: {**state, "extra": {**state["extra"], "n": random.random()}})], "two different"),
     ([Migration(1, 2, lambda state: {**state, "extra": {**state["extra"], "api_key": "pf_live_12345"}})], "secret"),
     ([Migration(1, 2, to_2, irreversible=True), BACK], "declared irreversible"),
     ([Migration(1, 2, lambda state: {**state, "extra": {"x": float("nan")}})], "NaN|nan|JSON"),
     ([Migration(5, 6, to_2)], "no migration leads from its schema 1")],
    ids=range(7),
)  # fmt: skip
def test_the_check_names_what_is_lost_and_what_is_not_pure(steps: list[Migration], words: str) -> None:
    import re

    results = check({"x": STATE}, steps)
    assert any(re.search(words, result.problem) for result in results), results
