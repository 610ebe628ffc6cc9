"""Who may open the console in a browser: a token of some length, compared whole, and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.domain.errors import UsageError
from console.web.access import MOST_VISITS, TRIES, TRIES_S, VISIT_S, Access, is_loopback, need_token, read_token

TOKEN = "0123456789abcdef0123456789abcdef"


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_who_shows_the_token_may_pass_and_nobody_else() -> None:
    access = Access(TOKEN, frozenset())

    assert access.may(f"Bearer {TOKEN}", "")
    for authorization in (
        "",
        TOKEN,
        f"Basic {TOKEN}",
        "Bearer ",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN}x",
        "Bearer ÿ",
    ):
        assert not access.may(authorization, "")
    assert Access("", frozenset()).may("", "")


def test_a_browser_that_showed_it_once_passes_until_its_visit_is_over() -> None:
    clock = Clock()
    access = Access(TOKEN, frozenset(), clock)
    cookie = access.enter()

    assert access.may("", cookie) and not access.may("", cookie + "x") and not access.may("", "")
    access.leave(cookie)
    assert not access.may("", cookie)
    cookie = access.enter()
    clock.now += VISIT_S
    assert not access.may("", cookie)


def test_only_so_many_browsers_are_remembered() -> None:
    access = Access(TOKEN, frozenset())
    first = access.enter()

    later = [access.enter() for _ in range(MOST_VISITS)]

    assert not access.may("", first) and all(access.may("", one) for one in later)


def test_after_ten_wrong_tokens_in_a_minute_no_other_one_is_looked_at() -> None:
    clock = Clock()
    access = Access(TOKEN, frozenset(), clock)

    for _ in range(TRIES):
        assert not access.has_to_wait
        access.is_right("wrong")

    assert access.has_to_wait
    clock.now += TRIES_S
    assert not access.has_to_wait


def test_its_token_is_in_no_text_of_it() -> None:
    assert TOKEN not in repr(Access(TOKEN, frozenset({"localhost:1"})))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.9.9.9"])
def test_only_looking_at_it_on_this_machine_needs_no_token(host: str) -> None:
    assert is_loopback(host)
    need_token(host, "", writes=False, public=False)
    for writes, public in ((True, False), (False, True)):
        with pytest.raises(UsageError, match="needs a token"):
            need_token(host, "", writes=writes, public=public)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "10.0.0.1", "ops-1", "localhost.example.org"])
def test_anything_else_needs_one(host: str) -> None:
    with pytest.raises(UsageError, match="needs a token"):
        need_token(host, "", writes=False, public=False)
    need_token(host, TOKEN, writes=True, public=True)


def test_a_token_comes_from_a_file_of_its_owner_or_from_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    file.chmod(0o600)

    assert read_token({}, None) == ""
    assert read_token({"AGENT_CONSOLE_TOKEN": f" {TOKEN}\n"}, None) == TOKEN
    assert read_token({"AGENT_CONSOLE_TOKEN": "x" * 40}, file) == TOKEN

    file.chmod(0o640)
    with pytest.raises(UsageError, match="others than its owner"):
        read_token({}, file)


@pytest.mark.parametrize("text", ["", "short", "x" * 19, "x" * 1_025, "x" * 30 + "\ny", "ä" * 30, "\x1b" * 30])
def test_a_token_that_could_be_guessed_or_mistyped_is_refused_and_not_repeated(text: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(text)
    file.chmod(0o600)
    for environ, where in (({"AGENT_CONSOLE_TOKEN": text}, None), ({}, file)):
        with pytest.raises(UsageError) as refused:
            read_token(environ, where)
        assert not text.strip() or text not in str(refused.value)


def test_a_token_file_that_is_none_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(UsageError, match="can't be read"):
            read_token({}, path)
