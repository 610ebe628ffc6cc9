"""Whether the side that would act is what it says that it is, and reads the state that it would take over."""

from __future__ import annotations

from collections.abc import Mapping

from console.domain.gates.facts import GateFacts
from console.domain.gates.gate import Act, Asked, Judged, closed, lacks, opened, unchecked, unknown
from console.domain.gates.sides import living
from console.domain.manifest.manifest import UNDECLARED
from console.domain.manifest.mark import SHORT
from console.domain.manifest.recorded import KeptBy, Recorded, obstacle, of_version
from console.domain.text import clean


def manifest(facts: GateFacts, asked: Asked) -> Judged:
    """Whether the manifests of that side are known and as they were, and the kept state is of them or migrated."""
    fact, side = facts.manifests, asked.target
    if fact.value is None:
        return lacks(fact)
    if side is None:
        return unchecked(fact, "no side is meant")
    seen, versions = fact.value, facts.versions.get(side, ())
    alive = living(facts.deployment.instances, side, asked.server_at)
    if not any(one.manifest for one in alive) and not any(one in seen.recorded for one in versions):
        return unchecked(fact, f"{side.value} declares no manifest")
    if seen.problems:
        return unknown(fact, seen.problems[0])
    if asked.act is not Act.RESUME:  # that is what accepts another one
        for one in (seen.recorded[name] for name in versions if name in seen.recorded):
            if one.other is not None:
                return closed(fact, f"{clean(one.version, 40)} changed while it runs: {one.change()}")
        for instance in alive:
            held = seen.recorded.get(str(instance.version))
            own, wanted = instance.manifest[:SHORT] or UNDECLARED, held.declared.short if held else "nothing recorded"
            if own != wanted:
                return closed(fact, f"{clean(instance.name, 40)} runs {own}, {instance.version} is held to {wanted}")
    for name in versions:
        why = in_the_way(seen.kept, name, seen.recorded)
        if why:
            return closed(fact, why)
    told = {name: of_version(seen.recorded, name) for name in versions}
    parts = sorted({part.value for one in told.values() if one is not None for part in one.unknown})
    words = ", ".join(f"{clean(name, 40)} is {one.short}" for name, one in told.items() if one is not None)
    if parts or not words:
        return unchecked(
            fact, f"{words or 'which version runs is not known'}; not declared: {', '.join(parts) or 'all'}"
        )
    return opened(fact, words)


def in_the_way(kept: KeptBy | None, version: str, recorded: Mapping[str, Recorded]) -> str:
    """Why a version can't take the kept state over, with the field named; empty where nothing speaks against it."""
    reader = of_version(recorded, version)
    if kept is None or reader is None:
        return ""
    return obstacle(kept, reader, of_version(recorded, kept.version))
