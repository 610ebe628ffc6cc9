"""Sights of agents as a guard would have taken them, made by hand: each test changes what it is about."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from console.domain.fence.claims import Level
from console.domain.fence.deployment import Phase, Slot
from console.domain.triggers.finding import Arming, Finding, Response, Trigger, Verdict
from console.domain.triggers.look import Assessment, Memory
from console.guard.metrics.exposition import Pages
from console.guard.metrics.gather import Gathered
from console.guard.metrics.sight import Decisions, Limits, Money, Noted, Sight
from console.guard.watch.feed import Counts
from console.store.fence.replies import BeatCode, BeatReply

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOW_S = 1_000.0


def store(**more: Any) -> BeatReply:
    """An answer of the store: green is active, nothing is in flight."""
    reply = BeatReply(
        BeatCode.OK, 7, 1, Phase.RUN, Slot.GREEN, None, Slot.BLUE, 0, Level.NONE, 0, 0, 1_772_000_000_000, "", ""
    )
    return reply._replace(**more)


def finding(trigger: Trigger, verdict: Verdict = Verdict.SAFE, arming: Arming = Arming.ARMED) -> Finding:
    return Finding(trigger, verdict, arming, Response.CONTINUE, "", NOW)


def look(*others: Finding) -> Assessment:
    """A look at every trigger: all safe, but for some."""
    by = {trigger: finding(trigger) for trigger in Trigger} | {one.trigger: one for one in others}
    return Assessment(NOW, tuple(by.values()), Memory(), "green")


def sight(agent: str = "agent", **more: Any) -> Sight:
    """An agent of which everything is known and well."""
    made = Sight(
        agent,
        failing=False,
        failures=0,
        store=(store(), NOW_S),
        look=(look(), NOW_S),
        decisions=Decisions(NOW_S, 60.0, problem=False, unseen=False),
        counts=Counts(10, 0, 0, 0, 0),
        money=(Money("USD", Decimal("12.5"), 10),),
        canary=(None, NOW_S),
        noted=Noted(NOW_S, {}, None),
        venue=False,
        notifies=False,
        limits=Limits.of(1),
    )
    return made._replace(**more)


Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Scene:
    """Pages of a guard on agents, at a moment that a test moves on."""

    def __init__(self, *sights: Sight, **more: Any) -> None:
        self.gathered = Gathered("g1", NOW_S)
        self.gathered.sights = {one.agent: one for one in sights}
        self.now_s = NOW_S
        self.told: list[int] = []
        self.pages = Pages(self.gathered, lambda: NOW, now_s=lambda: self.now_s, tell=self.told.append, **more)

    def samples(self, after_s: float = 0.0) -> Samples:
        """What the page holds, so many seconds later."""
        self.now_s += after_s
        self.pages.forget()
        return samples_of(self.pages.page().body)


def samples_of(page: bytes) -> Samples:
    """Name and labels → value."""
    met: Samples = {}
    for family in text_string_to_metric_families(page.decode()):
        for one in family.samples:
            key = one.name, frozenset(one.labels.items())
            assert key not in met, f"{key} comes twice"
            met[key] = one.value
    return met


def value(samples: Samples, name: str, **labels: str) -> float | None:
    """One sample's value; None where there is none."""
    return samples.get((f"agent_console_{name}", frozenset(labels.items())))


def states(samples: Samples, name: str, label: str, **labels: str) -> list[str]:
    """The states that hold of an enumeration."""
    return [
        dict(key)[label]
        for (metric, key), one in samples.items()
        if metric == f"agent_console_{name}" and one == 1.0 and labels.items() <= dict(key).items()
    ]


def of_agent(samples: Samples, agent: str = "agent") -> set[str]:
    """The names of all that is told of an agent."""
    return {name.removeprefix("agent_console_") for name, key in samples if ("agent", agent) in key}
