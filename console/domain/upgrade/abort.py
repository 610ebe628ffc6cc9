"""Where an abort leads: from every state of a run to a safe state that has a name. It only ever reduces risk."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from console.domain.canary.plan import RunState as CanaryState
from console.domain.fence.deployment import Phase, Slot
from console.domain.upgrade.advance import Seen
from console.domain.upgrade.run import UpgradeRun

HALTED: Final = "all is halted"
FROZEN: Final = "new risk is frozen"
"""What is said beside who acts, where that is so."""


class Undo(StrEnum):
    """What an abort carries out, in this order, as far as it is due."""

    TAKE_CANARY_BACK = "take the canary back"
    ROLL_BACK = "roll back"
    FREEZE = "freeze new risk"
    END_DRAIN = "end the drain back at once"
    HALT = "halt"


class WayOut(NamedTuple):
    """How an abort is carried out.

    Args:
        steps: what is done, in order.
        safe_state: where it ends.
        if_refused: what is done where the way back is refused (nothing healthy to go back to), and where that ends.
    """

    steps: tuple[Undo, ...]
    safe_state: str
    if_refused: tuple[Undo, str] | None = None


def way_out(run: UpgradeRun, seen: Seen) -> WayOut:
    """How a run is aborted from where it is.

    Args:
        run: as it stands.
        seen: who acts, and the canary.
    """
    old, target = run.old, run.target
    canary = seen.canary
    live = canary is not None and canary.state in (CanaryState.RUNNING, CanaryState.PAUSED)
    ours = canary is not None and canary.name == run.canary and canary.state is CanaryState.DONE
    back = (Undo.TAKE_CANARY_BACK,) if live or (ours and seen.active is not target) else ()
    if seen.phase is Phase.HALT:
        return WayOut(back, HALTED)
    if seen.phase is None:  # the store has lost who acts: whoever still does is stopped
        return WayOut((*back, Undo.HALT), HALTED)
    drains = seen.phase is Phase.DRAIN
    if drains and seen.drains_to is old:  # somebody is going back already
        return WayOut((*back, Undo.END_DRAIN), f"{_name(old)} acts, rolled back", (Undo.HALT, HALTED))
    if not (drains or seen.active is target):
        return WayOut(back, f"{_name(seen.active or old)} acts, with all the capital")
    frozen = (Undo.FREEZE, f"{_name(target)} acts, {FROZEN}")
    return WayOut((*back, Undo.ROLL_BACK), f"{_name(old)} acts, rolled back", frozen)


def _name(slot: Slot) -> str:
    return slot.value.upper()
