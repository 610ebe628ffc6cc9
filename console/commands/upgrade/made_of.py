"""What both versions of a run are made of, read for its report."""

from __future__ import annotations

from console.commands.context import Context
from console.domain.errors import Refused
from console.domain.text import clean
from console.domain.upgrade.made_of import MOST, BothMadeOf, made_of
from console.domain.upgrade.run import UpgradeRun
from console.store.records.manifests import Manifests, read_manifests


async def both_made_of(ctx: Context, run: UpgradeRun) -> BothMadeOf:
    """Both manifests as the store has them; what can't be read is named, and takes no report down.

    Raises:
        StoreUnreachable: no answer.
    """
    try:
        read = await read_manifests(ctx.gateway.client, ctx.gateway.keys)
    except Refused as error:
        read = Manifests({}, (error.message,))
    old, new = (made_of(one, read.recorded.get(one)) for one in (run.old_version, run.version))
    return BothMadeOf(await ctx.gateway.gates.now(), old, new, str(clean("; ".join(read.problems), MOST)))
