"""`manifest`: what a version is made of, and what differs between two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from console.commands.base import Call, Query
from console.commands.context import Context
from console.commands.gates.of_store import versions_of
from console.domain.errors import Refused, UsageError
from console.domain.fence.deployment import Instance, Slot
from console.domain.gates.sides import living
from console.domain.manifest.recorded import Recorded, of_version
from console.domain.operator.command import Answer, CommandInfo, Param
from console.domain.seen.observation import StoreReading
from console.domain.text import clean
from console.store.records.manifests import Manifests, read_manifests
from console.views.manifest import ManifestReport, VersionManifest


class ManifestShow(Query):
    """What a version is made of, or what differs between two."""

    info = CommandInfo(
        name="manifest",
        title="Manifests of the versions",
        summary="What a version is made of by hash, or what differs between two; exit code 1 where they differ.",
        params=(
            Param("version", "A version, blue or green; without any, blue beside green.", False, suggests="version"),
            Param("other", "The one that it is held against; without it, one is shown.", False, suggests="version"),
        ),
        reads=True,
    )

    def shape(self) -> Any:
        """One report."""
        return ManifestReport

    async def answer(self, ctx: Context, call: Call) -> Answer:
        """One manifest, or two."""
        reading = await ctx.read()
        manifests = await read_manifests(ctx.gateway.client, ctx.gateway.keys)
        names = [name for name in (call.args.get("version", ""), call.args.get("other", "")) if name]
        chosen = [_chosen(ctx, reading, manifests, name) for name in names or ("blue", "green")]
        shown = [_shown(one, manifests.recorded, reading) for one in chosen]
        own = [of_version(manifests.recorded, one.version) for one in chosen]
        if len(chosen) == 1:
            report = ManifestReport.of_one(shown[0], own[0])
        else:
            report = ManifestReport.of_two((shown[0], shown[1]), own[0], own[1])
        notes = (*(note for note in (report.note(),) if note), *(str(clean(one, 200)) for one in manifests.problems))
        return Answer(report.document(), tuple(report.lines()), notes, yes=report.well and not manifests.problems)


class _Chosen(NamedTuple):
    """A version, and the slot that it was named by; None for one that was named itself."""

    version: str
    slot: Slot | None


def _chosen(ctx: Context, reading: StoreReading, manifests: Manifests, name: str) -> _Chosen:
    """The version that somebody means.

    Raises:
        UsageError: a side runs more than one.
        Refused: there is none of that name.
    """
    if name not in (Slot.BLUE.value, Slot.GREEN.value):
        known = {str(one.version) for one in reading.deployment.instances} | set(manifests.recorded)
        if name not in known:
            raise Refused(f"No version is called {clean(name, 60)!r}.", "`agent-console versions` lists them.")
        return _Chosen(name, None)
    slot = Slot(name)
    told = versions_of(ctx, reading, None)[slot]
    if len(told) > 1:
        names = ", ".join(str(clean(one, 40)) for one in told[:5])
        raise UsageError(f"{name} runs {len(told)} versions: {names}.", "Name one of them.")
    if told:
        return _Chosen(told[0], slot)
    last = max(_declared_by(manifests.recorded, slot), key=lambda one: one.declared.at, default=None)
    return _Chosen(last.version if last is not None else "", slot)


def _declared_by(recorded: Mapping[str, Recorded], slot: Slot) -> Sequence[Recorded]:
    return [one for one in recorded.values() if one.declared.slot is slot]


def _shown(one: _Chosen, recorded: Mapping[str, Recorded], reading: StoreReading) -> VersionManifest:
    alive: list[Instance] = [
        instance for slot in Slot for instance in living(reading.deployment.instances, slot, reading.server_at)
    ]
    slot = one.slot.value if one.slot is not None else None
    return VersionManifest.of(one.version, slot, recorded.get(one.version), alive)
