"""A test that waits goes on as soon as what it waits for is so, and says what it waited for where it never came."""

from __future__ import annotations

import pytest

from tests.waiting import until, until_async


def test_it_goes_on_when_something_holds() -> None:
    looks = iter([0, "", None, [1]])
    assert until(lambda: next(looks)) >= 0
    assert not list(looks)


def test_what_never_comes_is_named_with_what_was_seen_last() -> None:
    with pytest.raises(AssertionError, match=r"in vain for the second agent; seen last: 0"):
        until(lambda: 0, "the second agent", timeout_s=0.0)
    with pytest.raises(AssertionError, match=r"in vain for .*until\(lambda: 7 < 5"):
        until(lambda: 7 < 5, timeout_s=0.0)


def test_what_may_be_raised_on_the_way_is_only_what_was_named() -> None:
    answers = iter([True])

    def answer() -> bool:
        if next(tries) == 0:
            raise ConnectionError
        return next(answers)

    tries = iter(range(9))
    assert until(answer, despite=(ConnectionError,)) >= 0
    tries = iter(range(9))
    with pytest.raises(ConnectionError):
        until(answer)


async def test_the_loop_runs_while_something_is_awaited() -> None:
    looks = iter([False, True, False, True])

    async def holds() -> bool:
        return next(looks)

    assert await until_async(holds) >= 0
    assert await until_async(lambda: next(looks)) >= 0
    with pytest.raises(AssertionError, match="in vain for so; seen last: None"):
        await until_async(lambda: None, "so", timeout_s=0.0)
