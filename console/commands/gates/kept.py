"""The newest state that a side keeps in the store, read back whole."""

from __future__ import annotations

from console.commands.context import Context
from console.domain.fence.deployment import Slot
from console.domain.state.kept import MAX_AGE_S
from console.domain.text import clean
from console.domain.upgrade.advance import Kept


async def kept_state(ctx: Context, old: Slot) -> tuple[bool, Kept | None]:
    """Whether the old side keeps its state in the store, and the newest that it keeps, read back whole."""
    from console.domain.errors import Refused
    from console.store.reading.kept import kept_states, read_kept

    client, keys = ctx.gateway.client, ctx.gateway.keys
    listed = await kept_states(client, keys)
    own = [one for one in listed.states if one.slot == old.value]
    if not own:
        return bool(listed.problems), None
    newest = own[0]
    age_s = newest.age_s(listed.now)
    problem = ""
    if not 0 <= age_s <= MAX_AGE_S:
        problem = f"the state that {old.value} keeps is {age_s:.1f} s old; {MAX_AGE_S} s is the limit"
    else:
        try:
            await read_kept(client, keys, newest)
        except Refused as error:
            problem = str(clean(error.message, 160))
    return True, Kept(str(newest.hash), float(age_s), problem)
