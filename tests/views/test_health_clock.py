"""A clock that is wrong is named, and so is what was not read."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.domain.operator.receipt import AuditEntry
from console.domain.seen.observation import Observation
from console.domain.text import Safe
from console.views.check import Check
from console.views.health import health_view, is_healthy
from console.views.status.text import status_text
from tests.scenarios.catalogue import observation


def checks(seen: Observation) -> dict[str, Check]:
    return {check.name: check for check in health_view(seen)}


@pytest.mark.parametrize(("seconds", "words"), [(40, "40 s ahead of"), (-3600, "60 min behind")])
def test_a_clock_of_this_machine_that_is_wrong_is_named(seconds: float, words: str) -> None:
    seen = observation("blue-active")
    assert seen.store is not None
    assert "clock" not in checks(seen)
    at = seen.store.server_at + timedelta(seconds=seconds)
    wrong = seen._replace(now=at, store=seen.store._replace(at=at))
    assert checks(wrong)["clock"].text == f"this machine's is {words} the store's"
    assert not is_healthy(health_view(wrong))


def test_what_was_not_read_is_said_and_is_not_well() -> None:
    seen = observation("blue-active")
    assert seen.store is not None
    none = Safe("")
    problem = Safe("the hash of heartbeats holds more than 2 MiB and is not read")
    note = AuditEntry("", none, seen.now, none, none, none, problem=problem)
    seen = seen._replace(store=seen.store._replace(audit=(note, *seen.store.audit)))
    assert checks(seen)["read"].text == problem
    assert not is_healthy(health_view(seen))
    assert any(problem in line for line in status_text(seen))
