"""The thread that says how something stands outlives the store's absence, and its own defects."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from console.agent.blocking.link import Link
from console.agent.reporting import Reporter
from console.domain.errors import StoreUnreachable
from console.store.keys import Keys
from console.store.server.connect import connect_sync
from tests.waiting import until


class Work:
    """Fails as it is told, call by call, and lets a test wait for a call."""

    def __init__(self, *failures: Exception | None) -> None:
        self._failures = list(failures)
        self.calls = 0

    def __call__(self) -> None:
        self.calls += 1
        failure = self._failures.pop(0) if self._failures else None
        if failure is not None:
            raise failure


@pytest.fixture
def reporter(store_url: str) -> Callable[[Work], Reporter]:
    def make(work: Work) -> Reporter:
        return Reporter(
            "test", Link(lambda: connect_sync(store_url), lambda _client: Keys.of()), work, every_s=0.001, least_s=0.001
        )

    return make


@pytest.mark.parametrize("failure", [StoreUnreachable("gone"), ValueError("a defect")])
def test_it_goes_on_after_whatever_a_call_raised(
    reporter: Callable[[Work], Reporter], failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    work = Work(None, failure)
    one = reporter(work)
    one.start()
    until(lambda: work.calls >= 4)
    one.stop()
    assert one.last_error == ""
    assert ("a defect" in caplog.text) == isinstance(failure, ValueError), "a defect is told, an absence is expected"


def test_while_it_fails_it_says_why(reporter: Callable[[Work], Reporter]) -> None:
    work = Work(None, *[ValueError("a defect")] * 3, *[StoreUnreachable("gone")] * 10_000)
    one = reporter(work)
    one.start()
    until(lambda: work.calls >= 7)
    assert one.last_error == "gone"
    one.stop()
    assert one.last_error == "gone"


def test_a_defect_in_the_first_call_is_the_callers_to_see(reporter: Callable[[Work], Reporter]) -> None:
    one = reporter(Work(ValueError("a defect")))
    with pytest.raises(ValueError, match="a defect"):
        one.start()
    one.stop()


def test_the_last_call_is_made_after_the_thread_has_ended(reporter: Callable[[Work], Reporter]) -> None:
    work = Work()
    one = reporter(work)
    one.start()
    one.stop()
    calls = work.calls
    assert calls >= 2
    assert not any(thread.name == "test" for thread in threading.enumerate())
