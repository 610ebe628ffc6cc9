"""An outage is one line, whatever each loop is told about it."""

from __future__ import annotations

from console.domain.errors import NotPermitted, StoreUnreachable, WritesRefused
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


def test_what_comes_and_goes_is_told_at_once_then_counted_and_told_ever_more_seldom() -> None:
    told: list[tuple[float, str, object]] = []
    now = 0.0
    outage = Outage(lambda event, **fields: told.append((now, event, fields.get("times"))), clock=lambda: now)
    for step in range(400):
        now = step / 4
        outage.down(NotPermitted("does not permit this user to do that", "Ask."))
        outage.up()
    refused = [(at, times) for at, event, times in told if event == "refused"]
    assert refused == [(0.0, None), (10.0, 39), (30.0, 79), (70.0, 159)]
    assert len(told) == 2 * len(refused), "each is told to be over, too"


def test_a_store_that_is_away_for_good_is_told_in_the_end_however_soon_it_went_again() -> None:
    told: list[str] = []
    now = 0.0
    outage = Outage(lambda event, **_fields: told.append(event), clock=lambda: now)
    for away in (True, False, True):
        (outage.down(StoreUnreachable("closed the connection")) if away else outage.up())
    assert told == ["store unreachable", "store answers"]
    now = 10.0
    outage.down(StoreUnreachable("closed the connection"))
    assert told[2:] == ["store unreachable"]
