"""A manifest: six hashes, in a canonical form, and never what was hashed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.domain.errors import Refused, UsageError
from console.domain.manifest.digest import digest
from console.domain.manifest.lines import MAX_TEXT, of_text, to_text
from console.domain.manifest.manifest import Manifest
from console.domain.manifest.mark import MAX_MEMBERS, Part
from console.domain.state.flags import FlagSpec, FlagType

WHOLE = Manifest.of(
    code={"bot/main.py": "a = 1"},
    model="gpt-x-2026-01-01",
    prompt="Never risk more than a tenth.",
    tools=[{"type": "function", "function": {"name": "place_order", "parameters": {}}}],
    flags=[FlagSpec("crash_target", FlagType.NUMBER, "2.0")],
    state={"positions": "list", "extra.limit": "int"},
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


class Color(Enum):
    RED = "red"


class Pair(NamedTuple):
    a: int
    b: int


@dataclass
class Point:
    x: int


def test_every_part_has_a_hash_of_its_own_and_all_together_make_the_whole() -> None:
    assert WHOLE.unknown == ()
    assert len({WHOLE.mark(part).hash for part in Part}) == 6
    for part in Part:
        other = replace(WHOLE, **{part.value: replace_hash(WHOLE, part)})
        assert other.hash != WHOLE.hash


def replace_hash(manifest: Manifest, part: Part) -> Any:
    return manifest.mark(part)._replace(hash="0" * 64)


def test_nothing_of_a_prompt_is_in_its_text_and_the_model_is_named() -> None:
    text = to_text(WHOLE)
    assert "risk more" not in text and "gpt-x-2026-01-01" in text
    assert "place_order" in text and "crash_target" in text and "extra.limit" in text


def test_what_nobody_declares_is_unknown_and_what_there_is_none_of_is_said() -> None:
    some = Manifest.of(code="x", prompt="")
    assert some.unknown == (Part.MODEL, Part.TOOLS, Part.FLAGS, Part.STATE)
    assert (some.prompt.label, some.model.short) == ("none", "unknown")
    with pytest.raises(UsageError, match="at least one part"):
        Manifest.of()


@given(json_values)
@settings(max_examples=25)
def test_equal_values_have_equal_hashes_whatever_the_order_of_their_members(value: Any) -> None:
    turned = dict(reversed(list(value.items()))) if isinstance(value, dict) else value
    assert digest(value) == digest(turned)


@given(json_values, json_values)
@settings(max_examples=50)
def test_different_values_have_different_hashes(one: Any, other: Any) -> None:
    assert (digest(one) == digest(other)) is (repr_of(one) == repr_of(other))


def repr_of(value: Any) -> str:
    """A text that differs exactly where two values of JSON do; 1, 1.0 and True are three values."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{name!r}:{repr_of(value[name])}" for name in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(repr_of, value)) + "]"
    return repr(value)


@pytest.mark.parametrize(
    "values",
    [
        (["ab", "c"], ["a", "bc"]), ([["a"], "b"], [["a", "b"]]), ("1", 1), (b"a", "a"),
        (Decimal("1.0"), Decimal(1)), ("", None),
    ],
)  # fmt: skip
def test_values_that_could_be_written_alike_are_told_apart(values: tuple[Any, Any]) -> None:
    assert digest(values[0]) != digest(values[1])


def test_records_and_names_of_values_are_hashed_by_what_they_hold() -> None:
    assert digest(Color.RED) == digest("red")
    assert digest(Point(1)) == digest({"x": 1})
    assert digest(Pair(1, 2)) == digest([1, 2])
    assert digest({"a", "b"}) == digest({"b", "a"})
    assert digest("\ud800") != digest("\ud801")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN"), object(), {1: "a"}, print, 1 << 5000])
def test_what_has_no_canonical_form_is_refused_by_the_name_of_its_part(value: Any) -> None:
    with pytest.raises(UsageError, match="prompt"):
        Manifest.of(prompt=[value])


def test_what_goes_on_for_ever_or_is_nested_without_end_is_refused() -> None:
    nested: list[Any] = []
    for _ in range(10_000):
        nested = [nested]
    itself: dict[str, Any] = {}
    itself["me"] = itself
    for value in (nested, itself):
        with pytest.raises(UsageError):
            digest(value)


def test_an_iterator_is_read_once_and_a_set_has_no_order() -> None:
    assert Manifest.of(code=iter("ab")).code.hash == Manifest.of(code=["a", "b"]).code.hash
    assert Manifest.of(code={"x": 1}.values()).code.hash == Manifest.of(code=[1]).code.hash
    assert Manifest.of(code={"x", "y"}).code.hash == Manifest.of(code=frozenset(("y", "x"))).code.hash


def test_tools_are_the_same_in_a_list_and_by_their_names() -> None:
    listed = Manifest.of(tools=[{"name": "b", "x": 1}, {"name": "a"}])
    assert listed.tools == Manifest.of(tools={"a": {"name": "a"}, "b": {"name": "b", "x": 1}}).tools


def test_it_is_read_back_as_it_was_written() -> None:
    told = replace(WHOLE, schema=3, reads=(1, 2))
    assert of_text(to_text(told)) == told
    assert of_text(to_text(Manifest.of(code="x"))) == Manifest.of(code="x")


def test_of_many_schemas_that_it_reads_the_newest_are_listed() -> None:
    assert of_text(to_text(replace(WHOLE, schema=200, reads=tuple(range(1, 200))))).reads[-1] == 199


@pytest.mark.parametrize("size", [1, MAX_MEMBERS, MAX_MEMBERS + 1, 5_000])
def test_its_text_is_bounded_however_much_is_declared(size: int) -> None:
    flags = {f"flag_{number:05}_{'é' * 100}": number for number in range(size)}
    made = Manifest.of(code="x" * 100_000, model="m" * 10_000, tools=flags, flags=flags, state=flags)
    text = to_text(made)
    assert len(text.encode()) <= MAX_TEXT
    assert of_text(text).hash == made.hash


def test_hostile_names_come_out_as_one_safe_line_without_secrets() -> None:
    made = Manifest.of(
        model="m\n\x1b[31m\u202epassword=hunter2", flags={"a\nstate 00\r": 1, "sk-live-0123456789abcdef01": 2}
    )
    text = to_text(made)
    assert "\x1b" not in text and "hunter2" not in text and "0123456789abcdef01" not in text
    assert of_text(text).hash == made.hash


GOOD = to_text(replace(WHOLE, schema=2, reads=(1,)))


@pytest.mark.parametrize(
    "text",
    [
        "", "x", GOOD[:64], GOOD.replace("code ", "code 0", 1), GOOD.replace("prompt ", "propmt ", 1), "0" + GOOD[1:],
        GOOD + "\ncode - ", GOOD + "\n+state zz name", GOOD + "\nschema x reads", GOOD + "\n+nothing 00000000 a",
        GOOD + "\nschema 1 reads " + "9" * 400, GOOD + "\n" + "+state 00000000 a\n" * 40, "a" * (MAX_TEXT + 1),
        GOOD + "\n+state 00000000 a" * 33,
    ],
)  # fmt: skip
def test_a_text_that_is_no_manifest_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        of_text(text)


def test_torn_at_any_byte_before_its_members_it_is_refused() -> None:
    text = to_text(replace(WHOLE, flags=WHOLE.flags._replace(members=()), schema=None))
    parts = text.index("\n+") if "\n+" in text else len(text)
    last = text.rindex("state ", 0, parts) + len("state ") + 64
    for place in range(last):
        with pytest.raises(Refused):
            of_text(text[:place])
