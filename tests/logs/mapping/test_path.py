"""Paths into records of others: what is one, and where it leads."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.errors import UsageError
from console.logs.mapping.mapping import PRESETS, VALUES, Mapping, paths_of
from console.logs.mapping.path import MISSING, Known, Path, Scope


def find(path: str, record: dict[str, Any], *around: dict[str, Any]) -> Any:
    return Path(path).find(Scope(record, around, Known()))


@pytest.mark.parametrize(
    ("path", "record", "value"),
    [
        ("a", {"a": 1}, 1),
        ("a.b", {"a": {"b": 2}}, 2),
        ('a."b.c"', {"a": {"b.c": 3}}, 3),
        ('"a b"', {"a b": 4}, 4),
        (r'"\u00e9"', {"é": 5}, 5),
        ("a[1].b", {"a": [0, {"b": 6}]}, 6),
        ("a[0][1]", {"a": [[0, 7]]}, 7),
        ("gen-ai_1.ünits", {"gen-ai_1": {"ünits": 8}}, 8),
        ("a{x.y}", {"a": [{"key": "x.y", "value": {"stringValue": "s"}}]}, "s"),
        ('a{"x}y"}', {"a": [{"key": "x}y", "value": {"boolValue": False}}]}, False),
        ("a{x}", {"a": {"x": 9}}, 9),
        ("a{x}", {"a": [{"key": "x", "value": 10}]}, 10),
        ("a{x}.b", {"a": {"x": {"b": 11, "c": 0}}}, 11),
    ],
)
def test_a_path_leads_through_objects_lists_and_attributes(path: str, record: dict[str, Any], value: object) -> None:
    assert find(path, record) == value


@pytest.mark.parametrize(
    "path", ["b", "a.b.c", "a[5]", "a[0]", "a{x}", "list[2]", "list.x", "list{x}", "text.x", "text[0]", "none.x"]
)
def test_a_path_that_leads_nowhere_finds_nothing(path: str) -> None:
    assert find(path, {"a": {"b": 1}, "list": [1, None], "text": "abc", "none": None}) is MISSING


@pytest.mark.parametrize(
    "path",
    [
        *("", ".", "a.", ".a", "a..b", "a b", "[0]", "{a}", "a[", "a[]", "a[-1]", "a[1", "a{", "a{}", 'a."b', 'a"b"'),
        *("a[*]", "a[0]b", "x" * 513, '"\\x"'),
    ],
)
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(UsageError):
        Path(path)


@given(st.text(max_size=30))
def test_any_text_is_a_path_or_refused(text: str) -> None:
    try:
        path = Path(text)
    except UsageError:
        return
    assert find(text, {}) is MISSING
    assert path.steps


def test_the_first_name_is_looked_up_from_inside_out() -> None:
    assert find("resource.x", {"y": 1}, {"scope": {}}, {"resource": {"x": 2}}) == 2
    assert find("y", {"y": 1}, {"y": 2}) == 1


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"intValue": "9007199254740993"}, 9007199254740993),
        ({"intValue": 3}, 3),
        ({"doubleValue": Decimal("0.1")}, Decimal("0.1")),
        ({"arrayValue": {"values": [{"stringValue": "a"}, {"intValue": "1"}]}}, ["a", 1]),
        ({"kvlistValue": {"values": [{"key": "k", "value": {"boolValue": True}}]}}, {"k": True}),
        ({}, None),
        (None, None),
    ],
)
def test_a_value_that_says_its_own_type_is_taken_for_what_it_says(value: object, says: object) -> None:
    assert find("a{k}", {"a": [{"key": "k", "value": value}]}) == says


@pytest.mark.parametrize(
    "value", [{"intValue": "1e3"}, {"intValue": True}, {"stringValue": 1}, {"boolValue": "true"}, {"doubleValue": "1"}]
)
def test_a_value_that_says_its_type_wrongly_stays_what_is_written(value: dict[str, object]) -> None:
    assert find("a{k}", {"a": [{"key": "k", "value": value}]}) == value


def test_of_a_key_that_is_there_twice_the_last_counts_as_of_a_member() -> None:
    pairs = [{"key": "k", "value": {"intValue": "1"}}, {"key": "k", "value": {"intValue": "2"}}]
    assert find("a{k}", {"a": pairs}) == 2


def test_what_one_record_says_in_a_list_of_its_own_is_never_another_s() -> None:
    known, path = Known(), Path("a{list}{k}")
    for number in range(50):
        inner = {"key": "k", "value": {"intValue": str(number)}}
        pairs = [{"key": "list", "value": {"arrayValue": {"values": [inner]}}}]
        assert path.find(Scope({"a": pairs}, (), known)) == number


def test_every_path_of_every_preset_can_be_read() -> None:
    for name, preset in PRESETS.items():
        Mapping(format=name).whole()  # type: ignore[arg-type]
        assert all(paths_of(getattr(preset, value)) is not None for value in VALUES)


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        ({"version": ""}, "version"),
        ({"time_format": ""}, "time_format"),
        ({"latency": "x"}, "latency_unit"),
        ({"pnl": "a[*]"}, "pnl"),
        ({"pnl": "a..b"}, "pnl"),
        ({"dry": "=yes"}, "dry"),
        ({"time": "=1"}, "time"),
        ({"version": "="}, "version"),
        ({"each": "=1"}, "each"),
        ({"currency": ("a", "b.")}, "currency"),
    ],
)
def test_what_a_mapping_says_wrongly_is_named(wrong: dict[str, Any], names: str) -> None:
    right: dict[str, Any] = {"version": "v", "time": "t", "time_format": "s", "type": "k"}
    Mapping(**right).whole()
    with pytest.raises(UsageError, match=f"`{names}`"):
        Mapping(**right | wrong).whole()
