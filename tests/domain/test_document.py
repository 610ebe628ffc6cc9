"""A record's document: what `--json` prints of a report, and what alerts are kept as."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from console.domain.document import FORM, KEY, Record, document
from console.domain.text import Safe


class Colour(StrEnum):
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Part:
    name: Safe
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Whole(Record):
    parts: tuple[Part, ...]
    by: Mapping[Colour, Part]
    first: datetime | None = field(metadata={KEY: "from"})
    colour: Colour
    last: datetime | None = None


WHOLE = Whole(
    parts=(Part(Safe("a"), Decimal("1E+2")),),
    by={Colour.BLUE: Part(Safe("b"), Decimal("-0.10"))},
    first=datetime(2026, 3, 1, tzinfo=UTC),
    colour=Colour.BLUE,
)


def test_the_fields_are_the_keys_in_their_order_and_one_may_have_a_key_that_is_no_name() -> None:
    assert list(WHOLE.document()) == ["parts", "by", "from", "colour", "last"]


def test_everything_within_is_what_json_knows_and_amounts_are_exact_without_an_exponent() -> None:
    assert WHOLE.document() == json.loads(json.dumps(WHOLE.document()))
    assert WHOLE.document() == {
        "parts": [{"name": "a", "amount": "100"}],
        "by": {"blue": {"name": "b", "amount": "-0.10"}},
        "from": "2026-03-01T00:00:00+00:00",
        "colour": "blue",
        "last": None,
    }


class Step(NamedTuple):
    share: Decimal
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Bound(Record):
    bound: float | None = field(metadata={FORM: round})


def test_a_field_may_say_how_its_value_is_written_and_null_stays_null() -> None:
    assert Bound(2.4).document() == {"bound": 2}
    assert Bound(None).document() == {"bound": None}


def test_a_named_tuple_is_a_record_too() -> None:
    assert document(Step(Decimal("0.050"))) == {"share": "0.050", "note": None}
