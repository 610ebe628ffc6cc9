"""A record of when a side was well is believed only where it is whole, of that side, and of the past."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console.domain.fence.behind import Fitness, StateSchemas
from console.domain.fence.deployment import Slot
from console.domain.fence.last_good import LastGood, last_good_from, running
from console.domain.text import Safe

NOW = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)
RUNS = running([("2.4.0", "a" * 64)])
OTHER = running([("2.4.0", "b" * 64)])
GOOD = LastGood(Slot.BLUE, RUNS, NOW - timedelta(hours=1), NOW, Safe("guard g1"))


def test_a_record_reads_back_as_it_was_and_says_version_manifest_and_time() -> None:
    assert last_good_from(GOOD.document(), Slot.BLUE, NOW) == GOOD
    assert GOOD.told() == "2.4.0 (aaaaaaaaaaaa) from 2026-03-14 08:30:00Z to 09:30:00Z"
    elsewhere = {**GOOD.document(), "since": "2026-03-14T10:30:00+02:00", "at": "2026-03-14T11:30:00+02:00"}
    assert last_good_from(elsewhere, Slot.BLUE, NOW) == GOOD


@pytest.mark.parametrize(
    "spoil",
    [
        {"since": None}, {"at": None}, {"at": 17}, {"since": "soon"}, {"since": "2026-03-14T08:30:00"},
        {"since": "2026-03-14T09:30:01+00:00"}, {"at": "2026-03-14T09:31:00+00:00"}, {"side": "green"}, {"side": None},
        {"runs": None}, {"runs": "2.4.0"}, {"runs": [["2.4.0"]]}, {"runs": [["2.4.0", None]]}, {"runs": [{}]},
        {"runs": [["v", str(number)] for number in range(9)]}, {"since": "0001-01-01T00:00:00+14:00"},
    ],
)  # fmt: skip
def test_what_is_torn_of_another_side_or_from_the_future_is_no_record(spoil: dict[str, Any]) -> None:
    assert last_good_from({**GOOD.document(), **spoil}, Slot.BLUE, NOW) is None


def test_hostile_text_in_a_record_comes_out_safe() -> None:
    record = last_good_from(
        {**GOOD.document(), "runs": [["2\x1b[31m\u202e" * 99, "\n" * 999]], "by": "\x07" * 999}, Slot.BLUE, NOW
    )
    assert record is not None
    assert record.told().isprintable() and len(record.told()) < 200


@pytest.mark.parametrize(
    ("fitness", "strict", "frozen"),
    [
        (Fitness(Slot.BLUE, last=GOOD, runs=RUNS, recorded=True), True, ""),
        (Fitness(Slot.BLUE, last=GOOD, recorded=True), True, ""),  # nobody says what runs there
        (Fitness(Slot.BLUE), False, ""),
        (Fitness(Slot.BLUE), True, "no record says"),
        (Fitness(Slot.BLUE, recorded=True), False, "no record says"),
        (Fitness(Slot.BLUE, last=GOOD, runs=running([("2.6.0", "")]), recorded=True), False, "blue runs 2.6.0"),
        (Fitness(Slot.BLUE, last=GOOD, runs=OTHER, recorded=True), False, "blue runs 2.4.0 (bbb"),
        (Fitness(Slot.BLUE, ("k",), last=GOOD, recorded=True), False, "blue left 1 action in doubt: k"),
        (Fitness(Slot.BLUE, state=StateSchemas(7, 2, 1), last=GOOD), False, "the state 7 has schema 2, and blue reads"),
        (Fitness(Slot.BLUE, state=StateSchemas(7, 2, 1, migrates=True), last=GOOD), False, ""),
        (Fitness(Slot.BLUE, state=StateSchemas(7, 1, 1, "of another one"), last=GOOD), False, "of another one"),
        (Fitness(Slot.BLUE, state=StateSchemas(7, 2, None), last=GOOD), False, ""),  # nobody of it is there
    ],
)  # fmt: skip
def test_what_speaks_against_a_side_freezes_and_no_record_does_where_somebody_records(
    fitness: Fitness, strict: bool, frozen: str
) -> None:
    told = fitness.frozen_by(strict=strict)
    assert told.startswith(frozen) if frozen else not told
