"""What a command that is being carried out waits for, from what the store says meanwhile."""

from __future__ import annotations

from console.domain.fence.deployment import Phase
from console.domain.operator.command import Waits
from console.domain.seen.observation import Observation
from console.views.fence.instances import acknowledgement, names_text
from console.views.format import age_text


def progress_text(before: Observation | None, now: Observation | None, waits: Waits, elapsed_s: float) -> str:
    """What is being waited for, in a few words and with the time that it has taken: `… (1.2 s)`.

    Args:
        before: what was seen when the command was given.
        now: what is seen now.
        waits: what it waits for.
        elapsed_s: how long ago it was given.
    """
    return f"{_waits_for(before, now, waits)} ({age_text(elapsed_s)}) …"


def _waits_for(before: Observation | None, now: Observation | None, waits: Waits) -> str:
    store = now.store if now else None
    authority = store.deployment.authority if store else None
    if waits is Waits.NOTHING or store is None or authority is None:
        return "waiting for the store"
    if authority.phase is Phase.DRAIN:
        target = f"draining to {authority.target.value}: " if authority.target else "draining: "
        if authority.in_flight:
            return f"{target}waiting for {authority.in_flight} in flight, nobody acts"
        return f"{target}waiting for plain agents to read the key, nobody acts"
    seen = before.store.deployment.epoch if before and before.store else 0
    if authority.epoch == seen:
        return "looking which plain agents read the key" if waits is Waits.PLAIN_AGENTS else "waiting for the store"
    missing = [one for one in acknowledgement(store).missing if one.heard(store.server_at)]
    active = authority.active.value if authority.active else "nobody"
    return f"{active} acts; waiting for {names_text(missing)} to acknowledge" if missing else f"{active} acts"
