"""A defect of the console's own: it ends, says where, and shows nothing of what it had in its hands."""

from __future__ import annotations

import pytest

from console.app import ConsoleApp
from console.screens.frame.defect import ENDS, defect_lines
from tests.screens.doubles import WIDE, console


async def test_a_defect_is_told_with_its_place_and_without_the_values_that_were_there(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_app: ConsoleApp) -> None:
        url = "redis://ops:hunter2@ops-1:6379/0"
        raise RuntimeError(f"no answer from {url}\x1b[31m")

    app = console()
    with pytest.raises(RuntimeError):
        async with app.run_test(size=WIDE) as pilot:
            monkeypatch.setattr(type(app), "action_redraw", fail)
            app.call_later(app.action_redraw)
            await pilot.pause()
    told = capsys.readouterr().err
    assert ENDS in " ".join(told.split())
    assert "in fail" in told
    assert "RuntimeError: no answer from redis://ops:***@ops-1" in told
    assert "hunter2" not in told
    assert "\x1b[31m" not in told


def test_a_stack_without_end_is_told_by_its_newest_calls() -> None:
    def deeper() -> None:
        deeper()

    with pytest.raises(RecursionError) as caught:
        deeper()
    assert len(defect_lines(caught.value)) < 20
