"""Whether a guard may make a side active again: the judgement of the verb `rollback`, in one read, closed where that
fails."""

from __future__ import annotations

from typing import NamedTuple

from console.domain.errors import Refused
from console.domain.fence.deployment import Slot
from console.domain.text import clean
from console.guard.keep.charge import Charge
from console.store.reading.fitness import read_fitness


class Judged(NamedTuple):
    """What a guard knows of the side to go back to.

    Args:
        problem: why it is no good; empty where it is.
        unproved: whether that is only that nothing speaks for it.
        forbids: of that, why it may not even take over from a dead side; empty where it may.
        beats: whether a process of it is known by its heartbeats.
        bound: whether the side that acts obeys a freeze: a plain agent does not.
    """

    problem: str = ""
    unproved: bool = False
    forbids: str = ""
    beats: bool = False
    bound: bool = True


async def judged(charge: Charge, target: str) -> Judged:
    """Whether a side may be made active again.

    Raises:
        StoreUnreachable: there was no answer; then nothing could be changed either, and the next look tries again.
    """
    try:
        fit = await read_fitness(charge.fence.client, charge.keys, Slot(target))
    except Refused as error:
        why = f"what {target} left can't be read: {clean(error.message, 160)}"
        beats = await charge.fence.heartbeats()
        return Judged(why, forbids=why, bound=any(beat.get("slot") != target for beat in beats.values()))
    state = fit.state.told(fit.target) if fit.state is not None and fit.state.irreversible else ""
    problem = fit.frozen_by(strict=True)
    return Judged(problem, bool(problem) and fit.good, state, fit.beats, fit.bound)
