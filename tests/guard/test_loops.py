"""An outage is one line, whatever each loop is told about it."""

from __future__ import annotations

from console.domain.errors import StoreUnreachable, WritesRefused
from console.guard.loops import Outage


def test_a_store_that_goes_away_is_one_line_and_one_when_it_is_back() -> None:
    told: list[str] = []
    outage = Outage(lambda event, **_fields: told.append(event))
    for _ in range(20):
        for words in ("closed the connection", "nothing listens there", "did not answer"):
            outage.down(StoreUnreachable(words))
    outage.up()
    outage.up()
    assert told == ["store unreachable", "store answers"]


def test_a_store_that_refuses_is_called_so() -> None:
    told: list[str] = []
    outage = Outage(lambda event, **_fields: told.append(event))
    for _ in range(3):
        outage.down(WritesRefused("is a read-only replica"))
        outage.down(StoreUnreachable("closed the connection"))
    assert told == ["refused", "store unreachable"]
