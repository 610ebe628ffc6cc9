"""Text from outside is made safe in one place."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.text import MAX_COMBINING, clean, is_clean, redact_url


@given(st.text(alphabet=st.characters(), max_size=400), st.integers(1, 300))
def test_any_text_becomes_one_printable_line_within_its_limit(text: str, limit: int) -> None:
    safe = clean(text, limit)
    assert len(safe) <= limit
    assert is_clean(safe)
    assert len(safe.splitlines()) <= 1


@given(st.binary(max_size=400))
def test_any_bytes_become_one_printable_line(data: bytes) -> None:
    assert is_clean(clean(data))


@given(st.text(alphabet=st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), max_size=200))
def test_plain_ascii_is_left_as_it_is(text: str) -> None:
    assert clean(text, 256) == text


@pytest.mark.parametrize(
    "hostile",
    ["\x1b[2J", "\x1b]52;c;AAAA\x07", "\x9b31m", "a\rb", "a\nb", "a\x00b", "‮evil‬", "​", "﻿", "\U000e0041", "\ud800"],
    ids=["escape", "osc", "c1", "carriage return", "line feed", "nul", "bidi", "zero width", "bom", "tag", "surrogate"],
)
def test_a_hostile_character_never_passes(hostile: str) -> None:
    assert not any(char in clean(hostile) for char in hostile if unicodedata.category(char).startswith(("C", "Z")))


def test_a_control_character_stays_visible() -> None:
    assert clean("a\x1b[31mb\nc") == "a␛[31mb␤c"


def test_a_flood_of_combining_marks_is_cut() -> None:
    safe = clean("z" + "̈" * 500)
    assert sum(unicodedata.combining(char) > 0 for char in safe) == MAX_COMBINING


def test_a_megabyte_without_a_line_break_costs_only_its_limit() -> None:
    assert clean("x" * 1_000_000, 80) == "x" * 79 + "…"


def test_what_was_cut_says_so() -> None:
    assert clean("abcdef", 4) == "abc…"
    assert clean("abcd", 4) == "abcd"


def test_markup_is_text_like_any_other() -> None:
    assert clean("[@click=app.quit]x[/]") == "[@click=app.quit]x[/]"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://user:s3cret@ops-1:6379/0", "redis://user:***@ops-1:6379/0"),
        ("redis://:s3cret@ops-1", "redis://:***@ops-1"),
        ("unix:///run/x.sock?password=s3cret&db=1", "unix:///run/x.sock?password=***&db=1"),
        ("rediss://a:p%40ss@w@h/1", "rediss://a:***@h/1"),
        ("redis://ops-1", "redis://ops-1"),
    ],
)
def test_a_password_in_a_url_is_never_shown(url: str, shown: str) -> None:
    assert redact_url(url) == shown
