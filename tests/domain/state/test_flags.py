"""Feature flags: types, registry, and why a write is refused."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.errors import Refused, UsageError
from console.domain.state.flags import (
    USUAL_FLAGS,
    FlagSpec,
    FlagType,
    check_name,
    check_write,
    normalise,
    read_flag,
    type_of,
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("True", FlagType.BOOL),
        ("False", FlagType.BOOL),
        ("true", FlagType.STRING),
        ("2.0", FlagType.NUMBER),
        ("-3", FlagType.NUMBER),
        (".5", FlagType.NUMBER),
        ("1e3", FlagType.NUMBER),
        ("nan", FlagType.STRING),
        ("inf", FlagType.STRING),
        ("1_000", FlagType.STRING),
        ("٣", FlagType.STRING),
        ("", FlagType.STRING),
        ("2.0\n", FlagType.STRING),
        ("kelly_floor", FlagType.STRING),
    ],
)
def test_a_flags_type_is_read_from_its_text(text: str, kind: FlagType) -> None:
    assert type_of(text) is kind


@given(st.text(max_size=60))
def test_any_text_has_a_type_and_a_value(text: str) -> None:
    reading = read_flag("x", text)
    assert reading.type is not None
    assert reading.text == text
    if reading.type is FlagType.NUMBER:
        assert isinstance(reading.value, Decimal)


def test_a_missing_flag_is_not_an_empty_one() -> None:
    assert read_flag("x", None).missing
    assert read_flag("x", None).value is None
    assert not read_flag("x", "").missing
    assert read_flag("x", "").value == ""


def test_a_key_of_another_redis_type_is_shown_as_what_it_is() -> None:
    reading = read_flag("x", None, wrong_type="list")
    assert reading.type is None
    assert reading.raw == "list"
    assert "not text" in reading.problem


def test_a_wrong_type_is_reported_when_read() -> None:
    assert "registered as number" in read_flag("crash_target", "two", USUAL_FLAGS["crash_target"]).problem


def test_a_value_outside_the_choices_is_reported_when_read() -> None:
    assert "not one of" in read_flag("game", "roulette", USUAL_FLAGS["game"]).problem


def test_a_wrong_type_is_refused_when_written() -> None:
    with pytest.raises(Refused, match="registered as number"):
        check_write("crash_target", "two", None, USUAL_FLAGS)


def test_a_value_outside_the_choices_is_refused_when_written() -> None:
    with pytest.raises(Refused, match="coinflip"):
        check_write("game", "roulette", None, USUAL_FLAGS)


def test_a_name_is_not_reused_with_another_type() -> None:
    with pytest.raises(Refused, match="holds a number"):
        check_write("mine", "True", read_flag("mine", "3"), {})
    check_write("mine", "True", read_flag("mine", "3"), {}, new=True)


def test_a_likely_typo_of_a_known_name_is_refused() -> None:
    with pytest.raises(Refused, match="Did you mean crash_target"):
        check_write("crash_traget", "2.0", None, USUAL_FLAGS)
    check_write("crash_traget", "2.0", None, USUAL_FLAGS, new=True)


def test_an_unregistered_name_of_its_own_is_accepted() -> None:
    check_write("turbo", "True", None, USUAL_FLAGS)


def test_a_string_flag_takes_any_text() -> None:
    check_write("bet_sizing", "2.0", None, USUAL_FLAGS)


def test_a_person_may_type_a_bool_as_people_do() -> None:
    spec = FlagSpec("x", FlagType.BOOL)
    assert [normalise(text, spec) for text in ("on", "YES", "true", "off", "no", "FALSE")] == ["True"] * 3 + [
        "False"
    ] * 3
    assert normalise("true", None) == "True"
    assert normalise("on", None) == "on"


@pytest.mark.parametrize("name", ["", " x", "a b", "x\n", "é", "-x", "x" * 129, "a*"])
def test_a_name_that_trips_keys_or_shells_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        check_name(name)


@pytest.mark.parametrize("text", ["a\nb", "\x1b", "x" * 4097])
def test_a_value_with_control_characters_or_beyond_the_cap_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        normalise(text, None)
