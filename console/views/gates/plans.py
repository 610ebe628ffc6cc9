"""Plans of overrides that somebody proposed, as `approve` lists them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from console.domain.document import FORM, Report
from console.domain.gates.plan import Proposed
from console.domain.text import clean
from console.views.format import exact_time


@dataclass(frozen=True, slots=True)
class PlanRow(Report):
    """A plan of an override.

    Args:
        id: what `approve` takes; whatever of the plan is edited, it is another one.
        command: the verb.
        target: the side on which risk would be raised; empty for none.
        step: where it leads: a share, a snapshot, an experiment.
        closed: the gates that forbid it.
        reason: why they are to be overridden.
        expected_epoch: the epoch on which it is based; another one voids it.
        content: a hash of, or the words for, whatever else decides what happens.
        who, login: who proposed it, by their own word and by the store's.
        proposed_at: when.
        approved_by: who agreed; null for nobody.
        expires_at: until when that holds; null for nobody.
        state: `waits`, `approved`, `expired` (the approval's time is over) or `void` (who may act has changed).
    """

    id: str
    command: str
    target: str
    step: str
    closed: tuple[str, ...]
    reason: str
    expected_epoch: int
    content: str
    who: str
    login: str
    proposed_at: datetime = field(metadata={FORM: exact_time})
    approved_by: str | None
    expires_at: datetime | None = field(metadata={FORM: exact_time})
    state: str

    def lines(self) -> Iterator[str]:
        what = " ".join(part for part in (self.command, self.target, self.step) if part)
        by = f"; approved by {self.approved_by}" if self.approved_by else ""
        yield f"{self.id}  {self.state:<8}  {what} over {', '.join(self.closed)}"
        yield f"    {self.who} at {self.proposed_at:%H:%M:%S}Z: {self.reason}{by}"


def plan_row(proposed: Proposed, epoch: int, now: datetime) -> PlanRow:
    """A plan as it stands.

    Args:
        proposed: as stored.
        epoch: the running one.
        now: the server's clock.
    """
    plan, approval = proposed.plan, proposed.approval
    state = "waits"
    if plan.expected_epoch != epoch:
        state = "void"
    elif approval is not None:
        state = "approved" if now < approval.expires_at else "expired"
    return PlanRow(
        id=plan.id,
        command=str(clean(plan.command, 40)),
        target=str(clean(plan.target, 8)),
        step=str(clean(plan.step, 80)),
        closed=tuple(str(clean(one, 40)) for one in plan.closed),
        reason=str(clean(plan.reason, 400)),
        expected_epoch=plan.expected_epoch,
        content=str(clean(plan.content, 160)),
        who=str(clean(plan.proposer.told, 128)),
        login=str(clean(plan.login, 128)),
        proposed_at=plan.proposed_at,
        approved_by=str(clean(approval.approver.told, 128)) if approval is not None else None,
        expires_at=approval.expires_at if approval is not None else None,
        state=state,
    )
