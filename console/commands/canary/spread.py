"""The canary's spread from its shadow's priced rounds, for a plan that says nothing of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.commands.context import Context
from console.commands.gates.gather import version_that_runs
from console.domain.canary.spread import by_shadow
from console.domain.fence.deployment import Slot

if TYPE_CHECKING:
    from console.documents.canary import PlanFile
    from console.domain.canary.plan import Plan
    from console.domain.seen.observation import StoreReading


async def with_spread(ctx: Context, file: PlanFile, reading: StoreReading) -> tuple[Plan, str]:
    """The file's plan, with the canary's spread where its shadow shows it, and where that comes from.

    Raises:
        Refused: the manifests can't be read.
        StoreUnreachable: no answer.
    """
    from console.store.records.manifests import read_manifests

    version = await version_that_runs(ctx, reading, Slot(file.slot))
    recorded = (await read_manifests(ctx.gateway.client, ctx.gateway.keys)).recorded
    held = {one.version: one.declared.manifest.hash for one in recorded.values() if one.declared.manifest is not None}
    return by_shadow(file.plan, reading.shadows, file.slot, file.currency, version, held)
