"""What a canary's ladder says once the run is over: what comes next, or where it failed and what that cost."""

from __future__ import annotations

from decimal import Decimal

from console.domain.canary.plan import Position, RunState
from console.views.canary.canary import canary_view
from console.views.canary.told import canary_line
from console.views.tone import Tone
from tests.scenarios import observation
from tests.scenarios.proving import canary, proving


def test_a_canary_at_100_percent_says_that_a_switch_comes_next() -> None:
    seen = proving(canary(state=RunState.DONE, position=Position(4, 9)))
    view = canary_view(seen)
    assert view is not None
    assert (view.gate, view.gate_tone) == ("proven at 100 %: s switches green on, R goes back", Tone.WARN)
    assert "s switches green on" in "".join(text for text, _ in canary_line(seen))


def test_after_an_abort_the_ladder_marks_where_it_failed() -> None:
    view = canary_view(observation("canary-aborted"))
    assert view is not None
    assert [step.place for step in view.steps] == ["past", "past", "failed", "ahead", "ahead"]
    assert "−60" not in view.steps[2].budget, "the desk stands elsewhere by now: what was lost is not known"


def test_what_was_lost_in_the_step_that_failed_is_said_while_the_desk_speaks_of_it() -> None:
    seen = observation("canary-aborted")
    assert seen.store is not None and seen.store.canary is not None and seen.store.canary.desk is not None
    desk = seen.store.canary.desk
    desk = desk._replace(position=Position(2, desk.position.revision), balance=Decimal("-60.00"))
    seen = seen._replace(store=seen.store._replace(canary=seen.store.canary._replace(desk=desk)))
    view = canary_view(seen)
    assert view is not None
    assert view.ladder == "0 → 5 → ✖20 → 50 → 100 %"
    assert [step.place for step in view.steps] == ["past", "past", "failed", "ahead", "ahead"]
    assert view.steps[2].budget == "−60.00 of 60.00"
    assert "✖20 → 50 → 100 %  −60.00 USD" in "".join(text for text, _ in canary_line(seen))
