"""A run as it was read beside everything else, and which verb comes next for it."""

from __future__ import annotations

from typing import NamedTuple

from console.domain.fence.deployment import Slot
from console.domain.text import Safe
from console.domain.upgrade.run import RunState, StepName, UpgradeRun


class UpgradeReading(NamedTuple):
    """The run that goes on, or the last one.

    Args:
        run: it; None where what stands there can't be read.
        revision: of what stands there.
        walker: whoever takes its turns now; empty for nobody: then it stands still.
        problem: why it can't be read; empty where it can.
    """

    run: UpgradeRun | None
    revision: int = 0
    walker: Safe = Safe("")
    problem: Safe = Safe("")


class Word(NamedTuple):
    """What a person says next.

    Args:
        command: the verb; empty where nothing is to be said.
        what: what that does, in a few words.
    """

    command: str
    what: str


GO = Word("upgrade go", "go on")
REVIEW = Word("upgrade review", "review")
RESUME = Word("upgrade resume", "hand it back")
START = Word("upgrade start", "walk it as a run")
ABORT = Word("upgrade abort", "abort")
NOTHING = Word("", "")
SHOW = Word("upgrade show", "show")


def next_word(run: UpgradeRun, active: Slot | None) -> Word:
    """What a person says next to a run, so that it goes on, or ends where it can't.

    Args:
        run: as it stands.
        active: who acts; None for nobody, or where that is not known.
    """
    if not run.state.live:
        return NOTHING
    if run.state is RunState.HELD:
        back = run.switched_at is not None and active is run.old
        return ABORT if back else RESUME
    return REVIEW if awaits_review(run) else GO


def awaits_review(run: UpgradeRun) -> bool:
    """Whether the new version's first decisions are there, and nobody has said that they were looked at."""
    step = run.of(StepName.REVIEW)
    at_it = run.state is RunState.RUNNING and run.step is not None and run.step.name is StepName.REVIEW
    return at_it and run.plan.review_by_operator and len(step.evidence) >= run.plan.review and not step.by
