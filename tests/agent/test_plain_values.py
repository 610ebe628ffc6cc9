"""Whatever an agent hands over becomes JSON that a strict reader takes, within a size, and raises nothing."""

from __future__ import annotations

import json
import sys
from collections import OrderedDict, deque, namedtuple
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.agent.plain_text import whole_text
from console.agent.plain_values import MAX_BITS, MAX_DEPTH, as_json, convert, plain_json


def refuse(name: str) -> Any:
    raise AssertionError(f"{name} is no JSON")


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len({name for name, _ in pairs}) == len(pairs), "a name stands twice in an object"
    return dict(pairs)


def strict(text: str | bytes) -> Any:
    """What a strict reader makes of JSON."""
    raw = text if isinstance(text, bytes) else text.encode("utf-8")
    return json.loads(raw.decode("utf-8"), parse_constant=refuse, object_pairs_hook=unique)


class Rude:
    """Everything that it can be asked raises."""

    def _rude(self, *_: object) -> Any:
        raise ZeroDivisionError("no")

    __str__ = __repr__ = __len__ = __iter__ = __eq__ = __bool__ = __float__ = __index__ = __getattr__ = _rude
    __hash__ = object.__hash__
    __class__ = property(_rude)  # type: ignore[assignment]


class RudeKind(type):
    def __hash__(cls) -> int:
        raise ZeroDivisionError("no")

    def __getattribute__(cls, name: str) -> Any:
        raise ZeroDivisionError(name)


class Rudest(metaclass=RudeKind):
    pass


class Leaving:
    def __str__(self) -> str:
        raise GeneratorExit


class Loud:
    def __str__(self) -> str:
        return "x" * 3_000_000


class RudeZone(tzinfo):
    def utcoffset(self, _when: object) -> Any:
        raise ZeroDivisionError("no")


class RudeText(str):
    __slots__ = ()

    def __str__(self) -> str:
        raise ZeroDivisionError("no")

    def __len__(self) -> int:
        raise ZeroDivisionError("no")


class Breaking(dict):  # type: ignore[type-arg]
    def items(self) -> Iterator[tuple[str, int]]:  # type: ignore[override]
        yield "first", 1
        raise RuntimeError("changed size")


class Endless(list):  # type: ignore[type-arg]
    def __iter__(self) -> Iterator[int]:
        while True:
            yield 1


class Tensor:
    def __init__(self, value: object) -> None:
        self.value = value

    def tolist(self) -> object:
        return self.value


class Gauge:
    def __float__(self) -> float:
        return float("inf")


@dataclass
class Order:
    price: Decimal
    tags: set[str]


class Colour(Enum):
    RED = (1, float("nan"))


Pair = namedtuple("Pair", "a b")


def circle() -> list[Any]:
    turn: list[Any] = [1]
    turn.append({"again": turn})
    return turn


def deep(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


def doubling(levels: int) -> list[Any]:
    value: list[Any] = [float("nan")]
    for _ in range(levels):
        value = [value, value]
    return value


CASES: list[tuple[Any, Any]] = [
    (float("nan"), "NaN"),
    ([float("inf"), -float("inf"), 1.5], ["Infinity", "-Infinity", 1.5]),
    ("buy the dip \ud83d", "buy the dip \ufffd"),
    ("\ud83d\ude00 and \ude00\ud83d!", "😀 and \ufffd\ufffd!"),
    ({chr(0xD800): 1, chr(0xDFFF): 2}, {"\ufffd": 1, "\ufffd~2": 2}),
    (
        {1: "a", "1": "b", 1.5: "c", None: "d", False: "e"},
        {"1": "a", "false": "e", "1~2": "b", "1.5": "c", "null": "d"},
    ),
    ({(1, 2): 3, b"k": 4, date(2026, 1, 2): 5}, {"(1, 2)": 3, "k": 4, "2026-01-02": 5}),
    ({float("nan"): 1, "": 2}, {"NaN": 1, "": 2}),
    (b"text", "text"),
    (bytearray(b"\xff\x00"), "0xff00"),
    (memoryview(b"seen"), "seen"),
    ({"a"}, ["a"]),
    (frozenset([2]), [2]),
    (deque([1, 2]), [1, 2]),
    (range(3), [0, 1, 2]),
    ({}.keys(), []),
    (Decimal("1.10"), "1.10"),
    (Decimal("sNaN"), "sNaN"),
    (Fraction(1, 3), "1/3"),
    (1 + 2j, "(1+2j)"),
    (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
    (timedelta(seconds=1), "0:00:01"),
    (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (Path("/a"), "/a"),
    (Order(Decimal("1.5"), {"x"}), {"price": "1.5", "tags": ["x"]}),
    (Pair(1, float("nan")), [1, "NaN"]),
    (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
    (Colour.RED, [1, "NaN"]),
    (ValueError("odds"), "ValueError: odds"),
    (np.float64(1.5), 1.5),
    (np.float32(0.5), 0.5),
    (np.float64("nan"), "NaN"),
    (np.int64(7), 7),
    (np.bool_(True), True),
    (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
    (np.array(2.5), 2.5),
    (np.datetime64("2026-01-02"), "2026-01-02"),
    (np.longdouble("0.5"), 0.5),
    (Tensor(float("nan")), "NaN"),
    (Gauge(), "Infinity"),
    (10**5000, "1" + "0" * 5000),
    (-(10**4000), -(10**4000)),
    ({10**5000: 1}, {"1" + "0" * 5000: 1}),
    (Rude(), "(Rude: no text, ZeroDivisionError)"),
    (Rudest(), "(Rudest: no text, ZeroDivisionError)"),
    (Leaving(), "(Leaving: no text, GeneratorExit)"),
    ({Rude(): 1}, {"(Rude: no text, ZeroDivisionError)": 1}),
    (datetime(2026, 1, 2, tzinfo=RudeZone()), "(datetime: no text, ZeroDivisionError)"),
    (RudeText("text"), "text"),
    (Breaking(), {"first": 1, "…": "…"}),
    (circle(), [1, {"again": "…"}]),
]


@pytest.mark.parametrize("case", range(len(CASES)))  # a test's name is made of its arguments, which these resist
def test_what_json_lacks_becomes_text_and_what_it_has_stays(case: int) -> None:
    value, read = CASES[case]
    assert strict(as_json(value)) == read
    assert strict(as_json({"in": [value]})) == {"in": [read]}
    assert strict(as_json([float("nan"), value])) == ["NaN", read]


def test_iterators_are_left_as_they_were_for_whoever_reads_them_next() -> None:
    numbers = iter(range(3))
    assert "range_iterator" in strict(as_json({"n": numbers}))["n"]
    assert list(numbers) == [0, 1, 2]


MUCH = (deep(MAX_DEPTH + 1), deep(100_000), doubling(30), Endless(), Loud(), [Loud()] * 50)


@pytest.mark.parametrize("case", range(len(MUCH)))
def test_what_is_too_deep_or_too_much_is_cut_and_counted(case: int) -> None:
    made = convert(MUCH[case], 4096)
    assert made.cuts and len(made.text.encode()) <= 4096
    strict(made.text)


def test_a_depth_that_fits_is_kept_whole() -> None:
    assert strict(as_json(deep(MAX_DEPTH - 1))) == deep(MAX_DEPTH - 1)
    assert strict(as_json([float("nan"), deep(MAX_DEPTH - 2)]))[1] == deep(MAX_DEPTH - 2)


@pytest.mark.parametrize(
    "big", ["é" * 5000, b"\xc3\xa9" * 5000, bytes(range(256)) * 9, "\x00" * 3000, list(range(5000))]
)
def test_a_cut_part_leaves_room_for_those_after_it(big: Any) -> None:
    made = convert({"big": big, "price": 5, "side": "buy"}, 1024)
    read = strict(made.text)
    assert made.cuts and len(made.text.encode()) <= 1024
    assert (read["price"], read["side"]) == (5, "buy")
    assert len(json.dumps(read["big"], ensure_ascii=False).encode()) > 256


def test_what_fits_is_not_cut_on_the_careful_way_either() -> None:
    value = {"odds": float("nan"), "text": "x" * 3000, "list": list(range(100))}
    made = convert(value, 4096)
    assert made.cuts == 0 and strict(made.text) == {**value, "odds": "NaN"}


def test_a_number_is_written_as_one_only_where_a_reader_takes_it() -> None:
    strict(as_json((1 << MAX_BITS) - 1))
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        text = as_json([1 << MAX_BITS, 1 << 100_000])
    finally:
        sys.set_int_max_str_digits(limit)
    assert [type(part) for part in strict(text)] == [str, str]


def test_a_stack_that_is_almost_used_up_makes_a_poor_record_and_no_exception() -> None:
    def down(levels: int) -> str:
        return down(levels - 1) if levels else as_json({"a": [{"b": float("nan")}], "c": Rude()})

    depth, texts = 0, set()
    frame: Any = sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    for levels in range(sys.getrecursionlimit() - depth - 60, sys.getrecursionlimit() - depth - 8):
        texts.add(down(levels))
    assert len(texts) > 1
    for text in texts:
        strict(text)


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit, MemoryError])
def test_what_ends_the_program_is_not_held_up(end: type[BaseException]) -> None:
    class Ending:
        def __str__(self) -> str:
            raise end

    with pytest.raises(end):
        as_json({"x": Ending()})


def test_plain_data_takes_the_fast_way_and_reads_the_same_on_the_careful_one() -> None:
    value = {"a": [1, 2.5, None, True, "ü"], "b": {"c": Decimal("1.5"), "d": datetime(2026, 1, 2, tzinfo=UTC)}}
    assert plain_json(value) is not None
    assert strict(as_json(value)) == strict(as_json([float("nan"), value]))[1]


TEXT = st.text(st.characters(), max_size=12)  # half surrogate pairs too
ODD = (
    Rude(),
    Rudest(),
    Leaving(),
    Gauge(),
    Tensor([1, float("nan")]),
    10**5000,
    object,
    circle(),
    Breaking(),
    Endless(),
)


@dataclass(frozen=True)
class Odd:
    """Stands for a value that would not bear what hypothesis does with it."""

    number: int


def with_odd(value: Any) -> Any:
    """The value that a plan of it stands for."""
    match value:
        case Odd():
            return ODD[value.number]
        case list() | tuple() | deque():
            return type(value)(with_odd(each) for each in value)
        case dict():
            return {name: with_odd(each) for name, each in value.items()}
        case Order():
            return Order(with_odd(value.price), with_odd(value.tags))
    return value


ATOMS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | TEXT
    | st.binary(max_size=12)
    | st.decimals()
    | st.fractions()
    | st.datetimes()
    | st.timedeltas()
    | st.uuids()
    | st.complex_numbers()
    | st.builds(Odd, st.sampled_from(range(len(ODD))))
    | st.builds(np.float32, st.floats(width=32))
)
KEYS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.binary(max_size=4) | st.tuples(TEXT)
JUNK = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(KEYS, inner)
        | st.lists(inner).map(tuple)
        | st.lists(inner).map(deque)
        | st.builds(Order, inner, inner)
        | st.frozensets(KEYS)
    ),
    max_leaves=30,
)


@given(JUNK, st.integers(64, 4096))
def test_any_junk_becomes_strict_json_within_its_size(plan: Any, size: int) -> None:
    made = convert(with_odd(plan), size)
    assert len(made.text.encode("utf-8")) <= size
    strict(made.text)


@given(TEXT)
def test_whole_text_changes_only_what_can_not_be_encoded(text: str) -> None:
    whole = whole_text(text)
    whole.encode("utf-8")
    if not any("\ud800" <= sign <= "\udfff" for sign in text):
        assert whole == text
