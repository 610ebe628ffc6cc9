"""Warnings: one alert from when a finding asks for one, and changes nothing, until its trigger is safe again."""

from __future__ import annotations

from typing import Final

from console.domain.guard.alerts import AlertKind, alert_id, alert_of, finding_document
from console.domain.triggers.facts import Tenure
from console.domain.triggers.finding import Finding, Response, Verdict
from console.domain.triggers.look import Assessment
from console.guard.keep.charge import Charge

BLIND: Final = "blind"
"""How all that can't be seen is warned of, whichever triggers it concerns."""


class Episodes:
    """What one guard has warned of in one agent's tenure.

    Args:
        charge: the agent.
    """

    def __init__(self, charge: Charge) -> None:
        self._charge = charge
        self.under_way: set[str] = set()
        """Triggers that were warned of and are not safe again."""

    async def take(self, assessment: Assessment, tenure: Tenure, epoch: int) -> None:
        """Warn of what a look has found, and end the warnings of what is over.

        Args:
            assessment: the look.
            tenure: that it speaks of.
            epoch: the running one.

        Raises:
            StoreUnreachable: no answer; the next look tries again.
        """
        decisive = assessment.decisive
        for finding in assessment.findings:
            if not finding.verdict.blind:
                await self._warn(finding, finding.trigger.value, tenure, epoch)
            elif finding is decisive:  # one alert says that nothing can be seen, not six
                await self._warn(finding, BLIND, tenure, epoch)
        if BLIND in self.under_way and not any(finding.verdict.blind for finding in assessment.findings):
            await self._over(tenure, BLIND)

    async def _warn(self, finding: Finding, name: str, tenure: Tenure, epoch: int) -> None:
        """One alert an episode, whichever guard sees it first."""
        charge, episode = self._charge, f"{tenure.epoch}/{name}/warning"
        if finding.due is Response.ALERT and name not in self.under_way:
            at = finding.at.isoformat()
            if not await charge.state.note(episode, {**finding_document(finding), "at": at}):
                noted = await charge.state.noted(episode)
                at = str(noted.get("at", at))  # whoever noted it may have died right after
            identity = alert_id(charge.agent, episode, at)
            alert = alert_of(
                finding, agent=charge.agent, identity=identity, kind=AlertKind.WARNING, epoch=epoch, by=charge.by
            )
            if await charge.state.raise_alert(alert):
                charge.tell("alert", id=identity, trigger=finding.trigger.value, reason=finding.reason)
            self.under_way.add(name)
        elif name in self.under_way and finding.verdict is Verdict.SAFE:
            await self._over(tenure, name)

    async def _over(self, tenure: Tenure, name: str) -> None:
        self.under_way.discard(name)
        await self._charge.state.forget(f"{tenure.epoch}/{name}/warning")
