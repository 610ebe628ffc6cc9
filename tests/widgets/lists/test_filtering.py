"""The `/` line finds what is meant, and no pattern can hang the console."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from widgets.lists.filtering import Look, PatternError, RowFilter, parse_filter, unbounded_repeats
from widgets.text.glyphs import set_ascii
from widgets.text.plain import plain


def parsed(text: str) -> RowFilter:
    parsed = parse_filter(text)
    assert parsed is not None
    return parsed


@pytest.mark.parametrize(
    ("text", "line", "kept"),
    [
        ("hold", "14:03 HOLD", True),
        ("HOLD", "14:03 hold", False),
        ("a.c", "abc", False),
        ("!hold", "14:03 HOLD", False),
        ("! hold", "14:03 BET", True),
        ("re:a.c", "xABCx", True),
        ("re:^BET", "bet 4", False),
        ("re:^bet|^hold", "hold", True),
        ("!re:\\d{2}", "no digits", True),
        ("re:[(]", "f(x)", True),
        ("[red]", "a [red] b", True),
    ],
)
def test_a_filter_keeps_what_is_meant(text: str, line: str, kept: bool) -> None:
    assert parsed(text).keeps(line) is kept


@pytest.mark.parametrize("text", ["", "   ", "!", " ! "])
def test_nothing_to_look_for_is_no_filter(text: str) -> None:
    assert parse_filter(text) is None


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+b",
        "(a|a)*b",
        "(a*)*",
        "((ab)*c)+",
        "(a|b|ab)*c",
        "(x+x+)+y",
        "(.*)*",
        "(a+){9}",
        "(?:a+)+",
        "a*a*a*a*b",
        ".*.*.*.*x",
        "(",
        "[",
        "a{99999999999}",
        "(?P<n>a",
        "x" * 201,
        r"(\w+\s?)*$",
        "(a?a?)*b",
        "a?" * 30 + "a" * 30,
        "(a|a)" * 20,
    ],
)
def test_a_pattern_that_could_take_for_ever_or_does_not_compile_is_refused_with_a_reason(pattern: str) -> None:
    with pytest.raises(PatternError) as caught:
        parse_filter(f"re:{pattern}")
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    "pattern", ["a+", "a.*b", "(blue|green) 2", "[a-z]+@[a-z]+", r"\d+\.\d+ ms", "(ab)+", "a{2,3}"]
)
def test_a_pattern_people_use_is_accepted(pattern: str) -> None:
    assert parse_filter(f"re:{pattern}") is not None


@given(st.text("ab(|)*+?{}[]\\.1,9^$", max_size=14))
def test_any_pattern_is_either_refused_or_answers_on_a_hostile_line(pattern: str) -> None:
    try:
        parsed = parse_filter(f"re:{pattern}")
    except PatternError:
        return
    assert parsed is not None
    parsed.keeps("a" * 5000 + "!")
    parsed.keeps("ab" * 2500 + "!")


def test_signs_that_are_escaped_or_in_a_class_are_no_repeats() -> None:
    assert unbounded_repeats(r"\*\+[*+]") == 0
    assert unbounded_repeats("a*b+c{3,}") == 3
    assert unbounded_repeats("a{2}b{1,5}c?") == 0


def test_a_pattern_sees_the_start_of_a_line_of_any_length() -> None:
    assert parsed("re:^bet").keeps("bet" + "x" * 1_000_000)
    assert not parsed("re:end").keeps("x" * 1_000_000 + "end")
    assert re.search("end", "x" * 5000 + "end")


@pytest.mark.parametrize(
    ("typed", "drawn"),
    [
        ("-2.4", "−2.40 USD"),
        ("−2.4", "−2.40 USD"),
        ("－２．４", "−2.40 USD"),
        ("-2.40 usd", "−2.40 USD"),
        ("-1204", "−1,204.00 USD"),
        ("-1,204", "−1,204.00 USD"),
        ("1,2", "+1,204.00 USD"),
        ("1234567.89", "+1,234,567.89 KRW"),
        ("1'234'567", "+1,234,567.89 KRW"),
        ("re:-2\\.4", "−2.40 USD"),
        ("re:−2\\.4", "−2.40 USD"),
        ("re:[−+]2", "−2.40 USD"),
        ("re:-\\d{4}\\.", "−1,204.00 USD"),
        ("re:\\Dusd", "−2.40 USD"),
        ("café", "CAFÉ au lait"),
        ("cafe", "café au lait"),
        ("CAFE", "CAFE\u0301"),
        ("strasse", "Große Straße"),
        ("ﬁll", "filled"),
        ("fill", "ﬁlled"),
        ("usd", "ＵＳＤ"),
        ("re:usd", "ＵＳＤ"),
        ("カナ", "ｶﾅ"),
        ("👍🏽", "👍 paid"),
        ("🇩🇪", "DE"),
        ("10 000", "10\u00a0000"),
        ("it's", "it’s"),
    ],
)
def test_what_is_typed_finds_what_is_drawn(typed: str, drawn: str) -> None:
    assert parsed(typed).keeps(drawn)
    assert not parsed("!" + typed).keeps(drawn)


@given(st.text(max_size=40))
def test_any_text_is_found_by_what_is_drawn_of_it(text: str) -> None:
    drawn = plain(text).strip()
    if drawn and not drawn.startswith(("!", "re:")) and (wanted := parse_filter(drawn)) is not None:
        assert wanted.keeps(f"a {drawn} b")


def test_in_ascii_the_signs_that_are_drawn_are_found() -> None:
    set_ascii(True)
    try:
        assert parsed("blue > green").keeps("active blue → green")
        assert parsed("-2.4").keeps("−2.40 USD")
    finally:
        set_ascii(False)


def test_a_column_that_is_not_drawn_and_decides_is_named() -> None:
    cells = ("12:00:01", "blue", "because of the needle")
    assert parsed("needle").look(cells, (0, 1)) == Look(True, 2)
    assert parsed("!needle").look(cells, (0, 1)) == Look(False, 2)
    assert parsed("blue").look(cells, (0, 1)) == Look(True)
    assert parsed("needle").look(cells) == Look(True)
    assert parsed("absent").look(cells, (0, 1)) == Look(False)
    assert parsed("!absent").look(cells, (0, 1)) == Look(True)
