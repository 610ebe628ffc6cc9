"""One look at the triggers: what it is told, what a rule says of it, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from console.domain.triggers.facts import Facts
from console.domain.triggers.finding import Finding, Response, Trigger, Verdict, worst
from console.domain.triggers.settings import TriggerSettings

LONGEST_S: Final = 30.0
"""What a look has found is taken to hold for so long at the most."""


class Memory(NamedTuple):
    """What must be remembered between looks: since when something has lasted.

    Args:
        slow_since: since when latency has been too high; None while it is not.
        blind_since: since when there have been no facts.
    """

    slow_since: datetime | None = None
    blind_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Assessment:
    """One look at everything.

    Args:
        at: when.
        findings: one for each trigger, in their order.
        memory: for the next look.
        active: the side looked at; empty while nobody is active.
        holds_s: for so long a look would find the same, unless facts, settings or signs of life come; 0 where time
            alone may change something at any moment.
    """

    at: datetime
    findings: tuple[Finding, ...]
    memory: Memory
    active: str = ""
    holds_s: float = 0.0

    @property
    def decisive(self) -> Finding | None:
        """The finding that decides; None while nobody is active."""
        return worst(self.findings)

    @property
    def by_trigger(self) -> Mapping[Trigger, Finding]:
        """The findings by trigger."""
        return {finding.trigger: finding for finding in self.findings}


class Figures(NamedTuple):
    """What a rule's word rests on; the fields are those of `Finding`."""

    value: float | None = None
    threshold: float | None = None
    unit: str = ""
    n: int = 0
    samples: tuple[str, ...] = ()
    next_check_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Look:
    """What every rule is told.

    Args:
        facts: what is known; not changed.
        settings: thresholds and arming.
        now: aware UTC.
        memory: of the look before.
    """

    facts: Facts
    settings: TriggerSettings
    now: datetime
    memory: Memory

    def say(
        self, trigger: Trigger, verdict: Verdict, response: Response, reason: str, figures: Figures | None = None
    ) -> Finding:
        """A rule's finding."""
        arming = self.settings.of(trigger)
        return Finding(trigger, verdict, arming, response, reason, self.now, *(figures or ()))
