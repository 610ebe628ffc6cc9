"""The first decisions after a switch as a list to look through, newest last."""

from __future__ import annotations

from typing import NamedTuple

from console.domain.fence.deployment import Slot
from console.domain.seen.decision import TEN
from console.domain.seen.observation import Observation, StoreReading
from console.domain.upgrade.reading import awaits_review
from console.domain.upgrade.run import StepName, UpgradeRun
from console.views.format import age_text, plural, time_text
from console.views.lists import DecisionRow, decision_row


class FirstView(NamedTuple):
    """The list.

    Args:
        title: whose, since when.
        rows: oldest first.
        notes: what is missing of it, and what to do.
    """

    title: str
    rows: tuple[DecisionRow, ...]
    notes: tuple[str, ...]


def first_view(observation: Observation) -> FirstView:
    """The first decisions of whoever acts, or why there are none to show."""
    first = observation.first
    if first is None:
        why = "Nobody acts, or the change of who acts is no longer among what is read."
        return FirstView("First decisions", (), (why, "The decisions themselves: key 2."))
    sign = {"blue": "■", "green": "□"}.get(first.slot, "?")
    rows = tuple(decision_row(one, observation.now) for one in first.decisions)
    age = age_text((observation.now - first.since).total_seconds())
    notes: list[str] = []
    if observation.logs is None:
        notes.append("No decision log is followed: start with --decisions PATH.")
    elif len(rows) < TEN:
        notes.append(f"{plural(len(rows), 'decision')} of {TEN} so far; newest last.")
    if not first.whole:
        notes.append("Earlier ones were written before this console began to read: look into the log itself.")
    notes.append(_review(observation))
    title = (
        f"First decisions of {sign} {first.slot} since {time_text(first.since, observation.now)}Z, {age}: {first.by}"
    )
    return FirstView(title, rows, tuple(notes))


def run_of(observation: Observation) -> UpgradeRun | None:
    """The upgrade that goes on; None where none does."""
    reading = observation.store.upgrade if observation.store is not None else None
    run = reading.run if reading is not None else None
    return run if run is not None and run.state.live else None


def acting(store: StoreReading) -> Slot | None:
    """Who acts; None for nobody."""
    authority = store.deployment.authority
    return authority.active if authority is not None else store.deployment.active.slot


def to_review(observation: Observation) -> bool:
    """Whether an upgrade waits for somebody who has looked at them."""
    run = run_of(observation)
    return run is not None and awaits_review(run)


def _review(observation: Observation) -> str:
    run = run_of(observation)
    if run is None:
        return "No upgrade waits for it; `checklist tick first-ten` writes down that you have looked."
    step = run.of(StepName.REVIEW)
    if awaits_review(run):
        return "The upgrade waits for it: `upgrade review` says that you have looked."
    if step.over:
        return f"Reviewed in this upgrade by {step.by or 'nobody'}."
    return "The upgrade asks for it once they are there."
