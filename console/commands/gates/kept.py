"""The newest state that a side keeps in the store, read back whole."""

from __future__ import annotations

from collections.abc import Iterable

from console.commands.context import Context
from console.domain.fence.deployment import Slot
from console.domain.state.kept import MAX_AGE_S
from console.domain.text import clean
from console.domain.upgrade.advance import Kept


async def kept_state(ctx: Context, old: Slot, names: Iterable[str] = ()) -> tuple[bool, Kept | None]:
    """Whether the old side keeps its state in the store, and the newest that it keeps, read back whole.

    Args:
        ctx: of the command.
        old: the side that keeps it.
        names: the versions that would take it over: one of another manifest that nothing migrates is as good as unread.
    """
    from console.commands.gates.of_store import kept_by
    from console.domain.errors import Refused
    from console.domain.gates.manifests import in_the_way
    from console.store.reading.kept import kept_states, read_kept
    from console.store.records.manifests import read_manifests

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
    if not problem and (versions := [name for name in names if name]):
        recorded = (await read_manifests(client, keys)).recorded
        problem = next((why for name in versions if (why := in_the_way(kept_by(newest), name, recorded))), "")
    return True, Kept(str(newest.hash), float(age_s), problem)
