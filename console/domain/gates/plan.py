"""Who may say otherwise: the plan of an override, the people who agree to it, and what voids their agreement."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from console.domain.document import Record

DEFAULT_LOGIN: Final = "default"
"""The store's user of whoever gave none: it says nothing of who that is."""
UNKNOWN_LOGIN: Final = "?"
"""The store does not let this user ask for its own name: it uses ACLs, and who this is can't be told."""


class Person(NamedTuple):
    """Somebody at a console.

    Args:
        who: what they call themselves.
        login: the store's own name for them; `DEFAULT_LOGIN` where it knows none.
    """

    who: str
    login: str = DEFAULT_LOGIN

    @property
    def told(self) -> str:
        """Both names."""
        return self.who if self.login == DEFAULT_LOGIN else f"{self.who} (login {self.login})"


def same_person(one: Person, other: Person) -> bool:
    """Whether they may be the same: where the store knows one of them by a login, it has to know both by different
    ones; else their own names have to differ."""
    logins = {one.login, other.login}
    if logins != {DEFAULT_LOGIN}:
        return len(logins) == 1 or not logins.isdisjoint((DEFAULT_LOGIN, UNKNOWN_LOGIN))
    return one.who == other.who


@dataclass(frozen=True, slots=True)
class Plan(Record):
    """What exactly would be done over which closed gates. Everything in it but who and when is bound by its id.

    Args:
        agent: on whose keys.
        command: the verb.
        act: what it does to risk.
        target: the side on which risk would be raised; empty for none.
        step: where it leads: a share, a snapshot, an experiment.
        expected_epoch: the epoch on which it is based; another one voids it.
        closed: the ids of the gates that forbid it, sorted.
        content: a hash of whatever else decides what happens: a plan's digest, a run's place, a file's checksum.
        reason: why the gates are to be overridden.
        who, login: who proposed it.
        proposed_at: when; aware UTC.
    """

    agent: str
    command: str
    act: str
    target: str
    step: str
    expected_epoch: int
    closed: tuple[str, ...]
    content: str
    reason: str
    who: str
    login: str
    proposed_at: datetime

    @property
    def id(self) -> str:
        """Of what would be done and who wants it; whatever of it is edited, it is another plan."""
        bound = {name: value for name, value in self.document().items() if name != "proposed_at"}
        text = json.dumps(bound, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    @property
    def proposer(self) -> Person:
        """Who wants it."""
        return Person(self.who, self.login)


@dataclass(frozen=True, slots=True)
class Approval(Record):
    """Somebody's agreement to one plan.

    Args:
        plan: its id.
        who, login: who agreed.
        approved_at, expires_at: aware UTC, by the server's clock.
    """

    plan: str
    who: str
    login: str
    approved_at: datetime
    expires_at: datetime

    @property
    def approver(self) -> Person:
        """Who agreed."""
        return Person(self.who, self.login)


def not_approved(plan: Plan, approval: Approval | None, now: datetime) -> str:
    """Why this plan may not be carried out yet; empty where it may.

    Args:
        plan: what is to be done, made anew from what is now.
        approval: of the plan with this id, as stored.
        now: the server's clock.
    """
    if approval is None:
        return "nobody has approved it"
    if approval.plan != plan.id:
        return "the approval is of another plan"
    if same_person(plan.proposer, approval.approver):
        return f"{approval.approver.told} proposed it, and can't approve it"
    if not approval.approved_at <= now < approval.expires_at:
        return f"the approval by {approval.approver.told} held until {approval.expires_at:%H:%M:%S}Z"
    return ""


class Proposed(NamedTuple):
    """A plan as the store has it, with its approval.

    Args:
        plan: what.
        approval: by whom; None for nobody yet.
        revision: of the record.
    """

    plan: Plan
    approval: Approval | None
    revision: int


def closed_words(closed: tuple[str, ...]) -> str:
    """The closed gates on one line."""
    return ", ".join(closed) or "none"
