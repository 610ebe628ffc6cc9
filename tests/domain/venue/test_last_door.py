"""A dead man's switch shows its countdown and counts its falls; a key is never sent again past the venue's window."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from console.domain.errors import UsageError
from console.domain.text import Safe
from console.domain.venue.deadman import Deadman, State, beaten, deadman_from, dropped
from console.domain.venue.doubts import Says, Wanted, verdict
from console.domain.venue.reading import Reading, Why, unknown
from console.domain.venue.terms import DeadmanTerms, Goodbye, KeyTerms, Takes
from console.domain.venue.things import Act, History

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TERMS = DeadmanTerms(60, 15, Takes.ALL, Goodbye.DISARMS, 2, "the API reference")


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def sign(before: Deadman | None, at: datetime, terms: DeadmanTerms = TERMS) -> Deadman:
    return beaten(before, terms, epoch=7, slot="green", by="g1", at=at)


def test_its_countdown_begins_when_the_sign_was_sent() -> None:
    record = sign(None, NOW)
    assert record.state(after(59)) is State.ARMED
    assert record.left_s(after(20)) == 40
    assert record.state(after(60)) is State.FALLEN
    assert Deadman().state(NOW) is State.OFF


def test_a_switch_that_was_let_fall_says_so_until_it_has_fallen() -> None:
    record = dropped(sign(None, NOW), "everything is halted")
    assert record.state(after(10)) is State.FALLING
    assert record.state(after(61)) is State.FALLEN
    assert "everything is halted" in record.line(after(10))


def test_its_falls_are_counted_by_the_day_and_beyond_their_number_it_protects_nothing() -> None:
    record = sign(sign(None, NOW), after(100))
    assert record.falls == 1
    record = sign(record, after(200))
    assert record.state(after(201)) is State.SPENT
    assert record.state(after(86_400)) is not State.SPENT
    assert sign(record, after(86_400)).falls == 0


def test_the_record_comes_back_whole_and_a_spoilt_one_is_no_armed_switch() -> None:
    record = sign(None, NOW)
    assert deadman_from(record.document()) == record
    spoilt = {"due_at": "tomorrow", "epoch": -1, "falls": True, "slot": ["x"], "open_questions": 5}
    assert deadman_from(spoilt).state(NOW) is State.OFF


@pytest.mark.parametrize(("timeout_s", "every_s"), [(60, 31), (60, 0), (0, 0.2), (float("nan"), 1), (60, float("nan"))])
def test_one_sign_of_life_may_be_lost(timeout_s: float, every_s: float) -> None:
    with pytest.raises(UsageError):
        DeadmanTerms(timeout_s, every_s)


def test_a_window_without_its_provenance_is_none() -> None:
    with pytest.raises(UsageError, match="provenance"):
        KeyTerms(window_s=60)


WANTED = Wanted("k1", NOW, after(5), Decimal("2.50"))


def says(*acts: Act, whole: bool = True, at: datetime | None = None) -> Any:
    reading = Reading(Safe("history"), at or after(120), Safe("GET x"), History(acts, whole))
    return verdict(WANTED, reading, failed=frozenset({"rejected"}), tolerance=Decimal("0.01"), visible_s=60)


def act(key: str = "k1", amount: str | None = "2.5", at: datetime | None = None, status: str = "") -> Act:
    made = None if amount is None else Decimal(amount)
    return Act(Safe("x1"), key, at or after(1), made, Decimal("0.3"), Safe(status))


def test_executed_takes_the_venues_own_record_under_our_key() -> None:
    one = says(act("other"), act())
    assert (one.says, one.pnl, one.times) == (Says.EXECUTED, Decimal("0.3"), 1)
    assert "x1" in one.evidence


@pytest.mark.parametrize(
    "acts",
    [(act(), act()), (act(amount="9"),), (act(status="rejected"),), (act(at=NOW - timedelta(hours=1)),)],
    ids=["twice", "another amount", "rejected", "older than the claim"],
)
def test_what_is_not_clear_is_asked_of_a_person(acts: tuple[Act, ...]) -> None:
    assert says(*acts).says is Says.ASK


def test_that_it_is_not_there_counts_only_where_the_history_reaches_back_and_surely_shows_it() -> None:
    assert says().says is Says.NOT_THERE
    assert says(act("other"), whole=False).says is Says.ASK
    assert says(act("other", at=NOW - timedelta(seconds=1)), whole=False).says is Says.NOT_THERE
    assert says(at=after(30)).says is Says.ASK
    failed = unknown(Safe("history"), NOW, Safe(""), Why.TIMEOUT)
    one = verdict(WANTED, failed, failed=frozenset(), tolerance=Decimal(0), visible_s=60)
    assert one.says is Says.ASK
    assert one.evidence
