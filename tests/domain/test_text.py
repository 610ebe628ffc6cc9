"""Text from outside is made safe in one place."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.text import MAX_COMBINING, clean, is_clean, redact, redact_url


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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("👍🏽 paid", "👍 paid"),
        ("👩\u200d👩\u200d👧", "👩👩👧"),
        ("❤\ufe0f", "❤"),
        ("1\ufe0f\u20e3", "1\u20e3"),
        ("🇩🇪", "DE"),
        ("a\u00a0b\u3000c", "a b c"),
        ("\u1112\u1161\u11ab", "한"),
    ],
    ids=["skin tone", "family", "emoji style", "keycap", "flag", "blanks", "syllable in parts"],
)
def test_signs_keep_what_they_say_and_lose_what_makes_their_width_uncertain(text: str, shown: str) -> None:
    assert clean(text) == shown


@pytest.mark.parametrize("hidden", ["ㅤ", "ᅟ", "ᅠ", "ﾠ", "⠀", "\xad", "\u200b", "\u200d", "\u2060", "️", "︀", "󠄀"])
def test_what_shows_nothing_is_seen_so_that_two_names_never_look_alike(hidden: str) -> None:
    assert clean(f"blue{hidden}") == "blue�"
    assert clean(f"bl{hidden}ue") == "bl�ue"


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
        ("redis://:57#Wc903z@127.0.0.1:6379/0", "redis://:***@127.0.0.1:6379/0"),
        ("redis://ops:57/Wc903z@127.0.0.1:6379/0", "redis://ops:***@127.0.0.1:6379/0"),
        ("redis://ops:57?Wc903z@127.0.0.1:6379/0", "redis://ops:***@127.0.0.1:6379/0"),
        ("redis://o#s:Wc903z@127.0.0.1", "redis://***@127.0.0.1"),
        ("redis://h:1/0?password=s@cr#t&db=1", "redis://h:1/0?password=***&db=1"),
    ],
)
def test_a_password_in_a_url_is_never_shown(url: str, shown: str) -> None:
    assert redact_url(url) == shown


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (
            "HTTPError: 401 for url: https://api.venue.example/o?api_key=S1&signature=S2",
            "HTTPError: 401 for url: https://api.venue.example/o?api_key=***&signature=***",
        ),
        ("can't reach postgres://bot:S1@db/x", "can't reach postgres://bot:***@db/x"),
        ("{'X-MBX-APIKEY': 'S1', 'qty': 5}", "{'X-MBX-APIKEY': ***, 'qty': 5}"),
        ('{"secret": "S \\" 1", "qty": 5}', '{"secret": ***, "qty": 5}'),
        ("Authorization: Bearer S1.abc-def", "Authorization: ***"),
        ("sent Bearer S1.abc-def and waited", "sent Bearer *** and waited"),
        ("wrong token=S1, asked again", "wrong token=***, asked again"),
        ("invalid key sk-proj-S1aaaaaaaaaaaaaaaaaaaa", "invalid key ***"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJTMSI6IjEifQ.S1aa expired", "jwt *** expired"),
        ("mnemonic: S1 zoo wrong; going back to blue", "mnemonic: ***; going back to blue"),
    ],
)
def test_a_key_or_password_in_words_is_hidden(words: str, shown: str) -> None:
    assert redact(words) == shown
    assert redact(shown) == shown


@pytest.mark.parametrize(
    "words",
    [
        "lost 250 USD over 12 rounds; −3.1σ against blue",
        "ConnectTimeout: https://api.venue.example/v1/users/@me did not answer",
        "KeyError: 'outcome'",
        "the venue refused our credentials: HTTP 401",
        "auth: the venue refused our credentials",
        "operator: ann; agent:active_version blue → green",
        "decision 0f3e2d1c-77aa-4a0b-9f1e-2f0a6f1f0001 twice",
    ],
)
def test_words_without_a_secret_are_left_as_they_are(words: str) -> None:
    assert redact(words) == words


def test_no_half_of_a_secret_stays_where_words_are_cut() -> None:
    assert redact("x" * 60 + " token=" + "S" * 80, 72) == "x" * 60 + " token=***"
