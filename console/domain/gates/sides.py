"""What speaks for the side that would act: its heartbeats, its canary, its shadow, its PnL."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Final

from console.domain.canary.plan import RunState
from console.domain.canary.run import CanaryRun, DeskReading
from console.domain.fence.deployment import Instance, Slot
from console.domain.gates.fact import Fact, known
from console.domain.gates.facts import CanarySeen, GateFacts
from console.domain.gates.gate import Act, Asked, Judged, State, ago, closed, lacks, opened, unchecked, unknown
from console.domain.gates.rules import DEAD_S, RECENT_S
from console.domain.shadow.report import ShadowReport

NOT_READY: Final = "not ready"
_CANARY: Final = frozenset({Act.CANARY_START, Act.CANARY_UP})


def heartbeats(facts: GateFacts, asked: Asked) -> Judged:
    """Whether the side that would act is there: dead, silent, without an instance and not ready are told apart."""
    fact = known("heartbeats", asked.server_at, facts.deployment.instances)
    side, instances = asked.target, facts.deployment.instances
    if side is None:
        return unchecked(fact, "no side is meant")
    if not instances:
        return unchecked(fact, "no fenced agent has ever reported: a plain agent's life can't be seen")
    own = [one for one in instances if one.slot is side]
    if not own:
        words = f"{side.value} has no instance"
        return unchecked(fact, words) if asked.act in _CANARY else closed(fact, words)
    ages = {one.name: (asked.server_at - one.heartbeat_at).total_seconds() for one in own}
    fresh = [one for one in own if one.heard(asked.server_at)]
    if not fresh:
        youngest = min(ages.values(), key=abs)
        word = "ahead of the store's clock" if youngest < 0 else "dead" if youngest > DEAD_S else "silent"
        off = f"its newest heartbeat is {ago(abs(youngest))} off"
        return closed(fact, f"{side.value} is {word}: {off}, {len(own)} known")
    ready = [one for one in fresh if not one.info.startswith(NOT_READY)]
    if not ready:
        return closed(fact, f"{side.value} is not ready: {fresh[0].info}")
    versions = ", ".join(sorted({str(one.version) for one in ready if one.version})) or "version unknown"
    lost = f", {len(own) - len(fresh)} of {len(own)} not heard" if len(fresh) < len(own) else ""
    return opened(fact, f"{len(ready)} of {side.value} beat and are ready ({versions}){lost}")


def canary(facts: GateFacts, asked: Asked) -> Judged:
    """What the canary of *this* version showed."""
    fact, side = facts.canary, asked.target
    if fact.value is None:
        return lacks(fact)
    seen = fact.value
    run = seen.reading.run if seen.reading is not None else None
    if run is None or side is None or run.slot != side.value:
        return unchecked(fact, "no canary of that side")
    desk = seen.reading.desk if seen.reading is not None and seen.reading.desk is not None else None
    told = _told(run, desk if desk is not None and desk.run == run.name else None)
    since = (asked.server_at - run.step_began_at).total_seconds()
    if run.live:
        return _running(fact, run, told, asked)
    of_this = _of_this_version(facts, seen, side)
    if of_this is False:
        return unchecked(fact, f"the last canary was of {seen.version}, another version")
    if run.state is RunState.DONE:
        return opened(fact, f"canary {run.name} done {ago(since)} ago: {told}")
    why = f": {run.why}" if run.why else ""
    words = f"canary {run.name} was taken back {ago(since)} ago, {told}{why}"
    if of_this:
        return closed(fact, words)
    if asked.act in _CANARY or since > RECENT_S:
        return unchecked(fact, f"{words} (of which version is not known)")
    return closed(fact, f"{words} (of which version is not known)")


def _running(fact: Fact[CanarySeen], run: CanaryRun, told: str, asked: Asked) -> Judged:
    if asked.act in _CANARY:
        return opened(fact, told)
    return closed(fact, f"canary {run.name} is {run.state} at {(run.share * 100).normalize():f} %: {told}")


def _told(run: CanaryRun, desk: DeskReading | None) -> str:
    """Its money and its evidence, in numbers."""
    if desk is None:
        return "nothing is known of its rounds"
    if desk.share:
        parts = [f"{desk.balance:+,f} {run.currency}".rstrip(), f"{desk.rounds:,} rounds in its last step"]
    else:  # what it counts now: neither the money nor the rounds of the step that it was taken from
        parts = [f"{desk.rounds:,} rounds without capital"]
    evidence = desk.analysis.evidence if desk.analysis is not None else None
    if evidence is not None:
        parts.append(f"{evidence.verdict.value.lower()}, {evidence.estimate:+.4f} a unit at risk")
    return ", ".join(parts)


def _of_this_version(facts: GateFacts, seen: CanarySeen, side: Slot) -> bool | None:
    """Whether the run was of what that side runs now; None where that can't be told."""
    now = facts.versions.get(side, ())
    if not seen.version or not now:
        return None
    return seen.version in now


def shadow(facts: GateFacts, asked: Asked) -> Judged:
    """Whether this version has decided beside the live one often enough."""
    fact, side = facts.shadows, asked.target
    if fact.value is None:
        return lacks(fact)
    if side is None:
        return unchecked(fact, "no side is meant")
    proved = canary(facts, asked)
    if proved.state is State.OPEN and facts.canary.value is not None:
        return opened(fact, "its canary went further than any shadow")
    report = _shadow_of(fact.value, facts.versions.get(side, ()))
    if report is None:
        return unchecked(fact, "no shadow of that version has reported")
    reading, rules = report.reading, asked.rules
    share = reading.diverged / reading.rounds if reading.rounds else 0.0
    at = report.at
    words = (
        f"{reading.rounds:,} of {rules.shadow_rounds} rounds, {share:.0%} diverged, "
        f"{ago((asked.now - at).total_seconds())} ago"
    )
    dated: Fact[object] = known(fact.source, at, report)
    if reading.rounds < rules.shadow_rounds or share > rules.shadow_divergence:
        return closed(dated, words)
    return opened(dated, words)


def pnl(facts: GateFacts, asked: Asked) -> Judged:
    """Whether this version's shadow would have earned about as much as the live one: an absolute margin, of |live|."""
    fact, side = facts.shadows, asked.target
    if fact.value is None:
        return lacks(fact)
    report = _shadow_of(fact.value, facts.versions.get(side, ()) if side is not None else ())
    if report is None or report.reading.live_pnl is None or report.reading.shadow_pnl is None:
        return unchecked(fact, "no shadow of that version states a PnL")
    live, own, rules = report.reading.live_pnl, report.reading.shadow_pnl, asked.rules
    if not (live.is_finite() and own.is_finite()):
        return unknown(fact, "the shadow's PnL is no number")
    margin: Decimal = abs(live) * rules.pnl_margin
    words = f"shadow {own:+,f}, live {live:+,f} {report.currency}, margin {margin:,f}, {report.reading.rounds:,} rounds"
    return opened(fact, words) if own >= live - margin else closed(fact, words)


def _shadow_of(reports: Iterable[ShadowReport], versions: tuple[str, ...]) -> ShadowReport | None:
    return next((report for report in reports if str(report.name) in versions), None)


def living(instances: Iterable[Instance], side: Slot, server_at: datetime) -> tuple[Instance, ...]:
    """The instances of a side that were heard lately."""
    return tuple(one for one in instances if one.slot is side and one.heard(server_at))
