"""What a canary's ladder says once the run is over: what comes next, or where it failed and what that cost."""

from __future__ import annotations

from decimal import Decimal

from console.domain.canary.plan import Position, RunState
from console.domain.upgrade.reading import UpgradeReading
from console.views.canary.canary import canary_view
from console.views.canary.told import canary_line
from console.views.tone import Tone
from tests.scenarios import observation
from tests.scenarios.proving import canary, proving
from tests.scenarios.upgrading import READY


def test_a_canary_at_100_percent_says_that_a_switch_comes_next() -> None:
    seen = proving(canary(state=RunState.DONE, position=Position(4, 9)))
    view = canary_view(seen)
    assert view is not None
    assert (view.gate, view.gate_tone) == (
        "proven at 100 %: s switches green on (:switch green), R goes back",
        Tone.WARN,
    )
    assert "s switches green on" in "".join(text for text, _ in canary_line(seen))


def test_where_an_upgrade_goes_on_its_next_step_comes_after_the_canary() -> None:
    seen = proving(canary(state=RunState.DONE, position=Position(4, 9)), upgrade=UpgradeReading(READY))
    view = canary_view(seen)
    assert view is not None
    assert "s goes on with the upgrade: its switch is next (:upgrade go)" in view.gate


def test_after_an_abort_the_ladder_marks_where_it_failed_and_what_it_lost() -> None:
    view = canary_view(observation("canary-aborted"))
    assert view is not None
    assert view.ladder == "0 → 5 → ✖20 → 50 → 100 %"
    assert [step.place for step in view.steps] == ["past", "past", "failed", "ahead", "ahead"]
    assert view.steps[2].budget == "60.00"
    words = "".join(text for text, _ in canary_line(observation("canary-aborted")))
    assert "✖20 → 50 → 100 %   aborted by ana@ops-1: The step's loss budget is spent: -60 of -60." in words


def test_what_an_aborted_step_lost_is_the_desks_figure_and_never_read_from_a_reason() -> None:
    reading = canary(state=RunState.ABORTED, position=Position(0, 4), why="-5 of -60 would have been enough")
    assert reading.desk is not None
    still = reading._replace(desk=reading.desk._replace(position=Position(2, 3), balance=Decimal("-60.40")))
    view = canary_view(proving(still))
    assert view is not None
    assert view.steps[2].budget == "−60.40 of 60.00"
    assert "✖20 → 50 → 100 %  −60.40 USD" in "".join(text for text, _ in canary_line(proving(still)))
    assert "−5" not in "".join(text for text, _ in canary_line(proving(reading)))
