"""A moment is a time, or how long ago; what is neither is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from console.domain.errors import UsageError
from console.domain.operator.moment import parse_moment

NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("15m", NOW - timedelta(minutes=15)),
        ("7d", NOW - timedelta(days=7)),
        ("2026-03-14", NOW.replace(hour=0, minute=0, second=0)),
        ("2026-03-14T10:00:00+01:00", NOW.replace(hour=9, minute=0, second=0)),
    ],
)
def test_a_moment_is_read(text: str, moment: datetime) -> None:
    assert parse_moment(text, NOW) == moment


@pytest.mark.parametrize(
    "text", ["", "yesterday", "24:00", "9:5", "14:03:61", "-5m", "999999999w", "5", "0001-01-01T00:00+23:00"]
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no time"):
        parse_moment(text, NOW)


@pytest.mark.parametrize("text", ["13:59", "13:59:00", "13:59Z"])
def test_a_time_of_day_is_the_last_one_that_was(text: str) -> None:
    day = NOW.replace(hour=13, minute=59, second=0, microsecond=0)
    assert parse_moment(text, NOW.replace(hour=14)) == day
    assert parse_moment(text, NOW.replace(hour=13, minute=58)) == day - timedelta(days=1)
