"""One agent in a guard's charge: what everything that this guard does about it needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from console.domain.fence.intent import Aim, Source
from console.domain.guard.alerts import Alert, AlertKind, alert_id
from console.domain.text import Safe, clean
from console.domain.triggers.finding import Severity
from console.guard.keep.control import BY
from console.guard.keep.state import GuardState
from console.guard.telling import Tell
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import SwitchRequest
from console.store.fence.ids import new_id
from console.store.fence.replies import SwitchReply
from console.store.keys import Keys
from console.store.records.audit import request_fields
from console.store.server.login import login_of


@dataclass(frozen=True, slots=True)
class Charge:
    """One agent in a guard's charge.

    Args:
        guard: this guard's name.
        fence: the agent's control side; its client's retries are off.
        state: what guards read and keep of it.
        tell: what happens, for the log.
    """

    guard: str
    fence: AsyncFence
    state: GuardState
    tell: Tell

    @property
    def agent(self) -> str:
        """Its name."""
        return self.state.agent

    @property
    def keys(self) -> Keys:
        """Its keys."""
        return self.state.keys

    @property
    def by(self) -> str:
        """How the guard signs what it does."""
        return f"{BY}{self.guard}"

    async def raise_alert(
        self,
        severity: Severity,
        reason: str,
        at: datetime,
        *what: object,
        kind: AlertKind = AlertKind.WARNING,
        trigger: str = "",
    ) -> None:
        """Tell people of something, once, whichever guard sees it first.

        Args:
            severity: how bad it is.
            reason: in words.
            at: when.
            what: what makes it the same alert again.
            kind: of alert.
            trigger: what it is about, where that has a name.

        Raises:
            StoreUnreachable: no answer.
        """
        alert = Alert(
            id=alert_id(self.agent, *what),
            at=at,
            agent=clean(self.agent, 64),
            kind=kind,
            severity=severity,
            trigger=Safe(trigger),
            reason=clean(reason),
            by=clean(self.by, 128),
        )
        if await self.state.raise_alert(alert):
            self.tell("alert", id=alert.id, kind=kind.value, reason=alert.reason)

    async def move(self, command: str, target: str, epoch: int, why: str, aim: Aim, trigger: str = "") -> SwitchReply:
        """Make a side active at once, with the audit entry: to go back ends the halt that announced it; any other move
        takes a healthy side.

        Args:
            command: its name in the audit.
            target: the side.
            epoch: that the decision is based on.
            why: in words.
            aim: what for.
            trigger: the name of what was seen.

        Raises:
            StoreUnreachable: no answer.
        """
        identity, back = new_id(), aim is Aim.GO_BACK
        fields = request_fields(
            id=identity,
            command=command,
            agent=self.agent,
            who=self.by,
            why=why,
            what="active version",
            source=Source.GUARD,
            login=login_of(self.fence.client),
        )
        return await self.fence.switch(
            SwitchRequest(
                target,
                expected_epoch=epoch,
                mode="now",
                drain_ms=0,
                switch_id=identity,
                by=self.by,
                why=why,
                resume=back,
                require_healthy=not back,
                audit=fields,
                source=Source.GUARD,
                aim=aim,
                trigger=trigger,
            )
        )
