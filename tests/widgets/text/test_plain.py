"""Text is made plain, and cut and wrapped by cells, whatever it holds."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from widgets.text.glyphs import ASCII, UNICODE, to_ascii
from widgets.text.plain import MAX_CHARS, fit, fit_ends, plain, width_of
from widgets.text.wrap import wrap_words

anything = st.text(st.characters(exclude_categories=()), max_size=60)


@given(anything)
def test_plain_text_holds_no_control_no_format_and_no_private_character(text: str) -> None:
    assert [char for char in plain(text) if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}] == []


@given(anything)
def test_making_text_plain_twice_changes_nothing_more(text: str) -> None:
    assert plain(plain(text)) == plain(text)


EVEN = st.characters(categories=["L", "N", "P", "S"]).filter(lambda char: char != "�" and plain(char) == char)


@given(st.text(EVEN, max_size=30))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert plain(text) == text


@pytest.mark.parametrize(
    "text", ["Größe", "Ελλάδα", "Отмена", "日本語", "한국어", "שלום", "مرحبا", "ไทย", "e\u0301", "− … → ✔ ▲ σ │ ⣿"]
)
def test_words_of_any_language_and_signs_of_our_own_stay_as_they_are(text: str) -> None:
    assert plain(text) == text


@given(anything)
def test_plain_text_is_as_wide_as_the_sum_of_its_characters(text: str) -> None:
    shown = plain(text)
    assert cell_len(shown) == sum(cell_len(char) for char in shown)


def test_what_one_terminal_draws_wider_than_another_is_replaced() -> None:
    uneven = [
        "\ufe0f",
        "\ufe0e",
        "\u200d",
        "\u3164",
        "\u115f",
        "\u1160",
        "\uffa0",
        "\xad",
        "\U0001f3fd",
        "\U0001f1e9",
        "\u093e",
    ]
    assert [plain("a" + char) for char in uneven] == ["a�"] * len(uneven)


def test_a_mark_never_joins_what_another_column_holds() -> None:
    assert plain("\u0301x") == "x"
    assert plain("ก" + "\u0e31" * 40) == "ก\u0e31\u0e31"


def test_syllables_that_come_in_parts_are_put_together() -> None:
    assert plain("\u1112\u1161\u11ab") == "한"


def test_a_flood_of_combining_marks_is_cut_to_two() -> None:
    assert plain("e" + "\u0301" * 500) == "e\u0301\u0301"


def test_a_megabyte_without_a_line_break_is_cut() -> None:
    assert len(plain("x" * 1_000_000)) == MAX_CHARS


@given(anything, st.integers(0, 40), st.sampled_from(["left", "right", "center"]))
def test_a_fitted_text_is_exactly_as_wide_as_asked(text: str, width: int, align: str) -> None:
    assert cell_len(fit(text, width, align)) == width


def test_text_that_was_cut_ends_in_an_ellipsis_and_wide_characters_are_never_halved() -> None:
    assert fit("reasoning", 5) == "reas…"
    assert fit("日本語", 4) == "日 …"
    assert fit("ab", 4, "right") == "  ab"


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("+1,234,567.89 KRW", 9, "…        "),
        ("lost 250 USD over 12 rounds", 11, "lost …     "),
        ("lost 250 USD over 12 rounds", 13, "lost 250 USD…"),
        ("crash_target 1.8 → 2.5", 21, "crash_target 1.8 → …"),
        ("took 1,204 ms of 2 s", 12, "took …      "),
        ("vm-16087-f76e", 6, "vm-16…"),
    ],
)
def test_digits_sign_and_currency_are_never_cut(text: str, width: int, shown: str) -> None:
    assert fit(text, width).rstrip() == shown.rstrip()
    assert width_of(fit(text, width)) == width


@given(st.integers(-(10**12), 10**12), st.integers(1, 20))
def test_a_number_is_shown_whole_or_not_at_all(number: int, width: int) -> None:
    text = f"{number:+,}"
    assert fit(text, width).strip() in (text, "…")


@given(anything, st.integers(2, 30))
def test_no_wrapped_line_is_wider_than_asked(text: str, width: int) -> None:
    assert all(width_of(line) <= width for line in wrap_words(text, width))


def test_words_are_kept_whole_and_newlines_are_kept() -> None:
    assert wrap_words("no decisions yet\nstart the agent", 12) == ["no decisions", "yet", "start the", "agent"]


def test_every_glyph_is_one_cell_and_has_an_ascii_sign() -> None:
    for name in UNICODE.__slots__:
        sign, ascii_sign = getattr(UNICODE, name), getattr(ASCII, name)
        assert all(cell_len(char) == 1 for part in sign for char in part), name
        assert len(sign) == len(ascii_sign), name
        assert "".join(ascii_sign).isascii(), name


@given(anything)
def test_text_for_an_ascii_terminal_is_ascii_and_never_shorter(text: str) -> None:
    assert to_ascii(text).isascii()
    assert len(to_ascii(text)) >= len(text)


def test_typographic_signs_keep_their_meaning_in_ascii() -> None:
    assert to_ascii("−18.02 → ✔ ▲ × σ ≥ …") == "-18.02 > v ! x sd >= ~"


@given(anything, st.integers(0, 40))
def test_a_name_cut_in_the_middle_is_exactly_as_wide_as_asked(text: str, width: int) -> None:
    assert cell_len(fit_ends(text, width)) == width


def test_names_that_begin_alike_are_told_apart_where_they_are_cut() -> None:
    names = [f"strategy.momentum.window.{end}" for end in ("fast", "slow", "floor", "limit")]
    assert len({fit_ends(name, 14) for name in names}) == len(names)
    assert fit_ends("strategy.momentum.fast", 12) == "strat…m.fast"
