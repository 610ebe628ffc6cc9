"""`versions`: may one be stopped, what is left of it, until when, and who takes it."""

from __future__ import annotations

from typing import Any

from console.commands.base import Call, Query
from console.commands.context import Context
from console.domain.operator.command import Answer, CommandInfo, Param


class Versions(Query):
    """Every version and how far it is on its way out."""

    info = CommandInfo(
        name="versions",
        title="List the versions",
        summary="Every version: active, draining, drained or retired, what is left of it and who takes that.",
        params=(Param("read_venue", "Read the venue now, whatever a guard saw.", required=False, flag=True),),
        reads=True,
    )

    def shape(self) -> Any:
        """The versions, by name."""
        from console.views.commitments.draining import VersionReport

        return list[VersionReport]

    async def answer(self, ctx: Context, call: Call) -> Answer:
        """A version a block."""
        from console.commands.commitments.evidence import sight_of
        from console.domain.manifest.recorded import of_version
        from console.store.records.manifests import read_manifests
        from console.views.commitments.draining import VersionReport

        facts = await ctx.gateway.owing.versions(await sight_of(ctx, ask=call.given("read_venue")))
        recorded = (await read_manifests(ctx.gateway.client, ctx.gateway.keys)).recorded
        held = {one.version: of_version(recorded, one.version) for one in facts}
        reports = [VersionReport.of(one, own.short if (own := held[one.version]) else None) for one in facts]
        notes = () if reports else ("No version has said its name: plain agents say it in their log alone.",)
        lines = tuple(line for report in reports for line in report.lines())
        return Answer([report.document() for report in reports], lines, notes)
