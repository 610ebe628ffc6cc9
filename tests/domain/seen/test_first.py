"""The first decisions of the side that acts: kept while newer ones come, and never those of another tenure."""

from __future__ import annotations

from datetime import datetime

from console.domain.fence.deployment import Slot
from console.domain.operator.receipt import Change
from console.domain.seen.decision import TEN, FirstDecisions
from console.domain.seen.first import first_decisions
from console.domain.seen.observation import LogReading, StoreReading
from tests.scenarios.parts import NOW, ago, authority, decision, deployment, entry, store


def green_since(seconds: float) -> StoreReading:
    where = deployment("green")._replace(authority=authority(Slot.GREEN))
    return store(where, receipts=(entry(1, seconds, "switch", Change("active version", "blue", "green")),))


def log(*ages: float, slot: str = "green", at: datetime = NOW, total: int = 0) -> LogReading:
    recent = tuple(decision(1000 - int(age), age, slot) for age in sorted(ages, reverse=True))
    return LogReading(at=at, total=total or len(recent), recent=recent)


def after(*logs: LogReading) -> FirstDecisions:
    told = None
    for one in logs:
        told = first_decisions(green_since(100), one, told)
    assert told is not None
    return told


def test_they_are_the_oldest_since_the_change_and_no_other_side_s() -> None:
    told = after(log(120, 99, 98, 97), log(96, slot="blue"))
    assert [one.at for one in told.decisions] == [ago(99), ago(98), ago(97)]
    assert (told.slot, told.since, told.whole) == ("green", ago(100), True)


def test_they_stay_though_newer_ones_push_them_out_of_what_is_read() -> None:
    told = after(log(*range(90, 99), total=50), log(*range(1, 60), total=900))
    assert len(told.decisions) == TEN and told.decisions[0].at == ago(98)
    assert told is first_decisions(green_since(100), log(*range(1, 50)), told)


def test_what_was_read_too_late_says_that_earlier_ones_are_missing() -> None:
    assert not after(log(*range(1, 60), total=900)).whole
    assert after(log(*range(1, 60), total=59)).whole


def test_another_change_begins_anew() -> None:
    told = after(log(99, 98))
    again = first_decisions(green_since(50), log(99, 40), told)
    assert again is not None and [one.at for one in again.decisions] == [ago(40)]


def test_where_nobody_acts_or_the_change_is_not_known_there_are_none() -> None:
    told = after(log(99))
    halted = store(deployment("halted")._replace(authority=authority(None)))
    assert first_decisions(halted, log(99), told) is None
    unknown = green_since(100)._replace(audit=())
    assert first_decisions(unknown, log(99), None) is None
    assert first_decisions(unknown, log(99), told) is told
    assert first_decisions(None, log(99), told) is told
