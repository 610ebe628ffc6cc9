"""Whether this version, given what was recorded, decides as was recorded: its last rehearsal."""

from __future__ import annotations

from console.domain.gates.fact import Fact, Lack, known
from console.domain.gates.facts import GateFacts
from console.domain.gates.gate import Asked, Judged, ago, closed, lacks, opened, unchecked, unknown
from console.domain.manifest.mark import SHORT
from console.domain.manifest.recorded import of_version
from console.domain.rehearsal.evidence import Evidence


def rehearsal(facts: GateFacts, asked: Asked) -> Judged:
    """The last rehearsal of what the side runs: of every version that runs there, and fresh."""
    fact, side = facts.rehearsals, asked.target
    if fact.value is None:
        return lacks(fact)
    if side is None:
        return unchecked(fact, "no side is meant")
    versions = facts.versions.get(side, ())
    if not versions:
        return unchecked(fact, f"which version {side.value} runs is not known")
    missing = [version for version in versions if version not in fact.value]
    if missing:
        return unchecked(fact, f"{missing[0]} was never rehearsed")
    rehearsals = [fact.value[version] for version in versions]
    for one in rehearsals:
        dated: Fact[object] = known(fact.source, one.at, one)
        judged = _not_enough(dated, one, asked) or _another(dated, one, facts)
        if judged is not None:
            return judged
    oldest = min(rehearsals, key=lambda one: one.at)
    when = ago((asked.server_at - oldest.at).total_seconds())
    return opened(
        known(fact.source, oldest.at, oldest),
        f"{oldest.words}, {oldest.runs} runs, {when} ago by {oldest.who}{_allowed(oldest)}",
    )


def _not_enough(dated: Fact[object], one: Evidence, asked: Asked) -> Judged | None:
    """Why this rehearsal doesn't open the gate; None where it does."""
    rules, age_s = asked.rules, (asked.server_at - one.at).total_seconds()
    if not one.passed or one.faults:
        return closed(dated, f"{one.version} did not pass: {one.words}, {one.runs} runs by {one.who}{_allowed(one)}")
    if one.rounds < rules.rehearsal_rounds:
        return closed(dated, f"{one.version}: {one.rounds:,} of {rules.rehearsal_rounds:,} rounds; {one.words}")
    if not 0 <= age_s <= rules.rehearsal_s:
        when = f"{ago(age_s)} ago" if age_s >= 0 else "from the future"
        return unknown(dated, f"{Lack.STALE.value}: the rehearsal of {one.version} is {when}")
    return None


def _another(dated: Fact[object], one: Evidence, facts: GateFacts) -> Judged | None:
    """What speaks against it where it was of another manifest; None where none was declared when it was rehearsed."""
    if not one.manifest:
        return None
    now = of_version(facts.manifests.value.recorded, one.version) if facts.manifests.value is not None else None
    if now is None:
        return unknown(dated, f"of which manifest {one.version} is now is not known")
    if now.hash != one.manifest:
        return closed(dated, f"{one.version} was rehearsed as {one.manifest[:SHORT]}, and is {now.short}")
    return None


def _allowed(one: Evidence) -> str:
    return f", allowed: {one.allowances}" if one.allowances else ""
