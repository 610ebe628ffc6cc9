"""One agent under watch: what comes in, one look, and what is done about it.

No loop and no clock of its own: the process around it (`console.guard.run.process`) tells it what happened, and when to
look.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from console.domain.guard.alerts import Alert, AlertKind, alert_id, alert_of, finding_document
from console.domain.text import Safe, clean
from console.domain.triggers.facts import Facts, Source, Tenure, other
from console.domain.triggers.finding import Finding, Response, Severity, Trigger, Verdict
from console.domain.triggers.look import Assessment, Memory
from console.domain.triggers.rules import USUAL_GAPS, assess
from console.domain.triggers.settings import TriggerSettings
from console.domain.triggers.windows import Row
from console.guard.act.actor import GOING_BACK, Actor, Done, Result
from console.guard.keep.control import BY, Control, Event
from console.guard.keep.state import GuardState
from console.guard.keep.tidy import forget_tenures
from console.guard.telling import Tell

ALIVE_S: Final = 30.0
"""A plain target must have written a decision within so many seconds (or twenty of its usual pauses)."""
AHEAD_S: Final = 5.0
"""How far the clocks of agents may be ahead of ours."""
LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
MEMORY_S: Final = 120.0
"""What a guard before us remembered counts if it looked so recently."""


@dataclass(slots=True)
class Watch:
    """One agent.

    Args:
        agent: its name.
        guard: this guard's name.
        state: for reading and writing.
        settings: thresholds and arming now in force.
        tell: what happens, for the log.
        now: when it began; facts before that are history.
    """

    agent: str
    guard: str
    state: GuardState
    settings: TriggerSettings
    tell: Tell
    now: datetime
    actor: Actor | None = None
    control: Control | None = None
    facts: Facts = field(init=False)
    memory: Memory = field(default_factory=Memory)
    last: Assessment | None = None
    seen: dict[str, float] = field(default_factory=dict)
    """By slot: time of its newest decision."""
    alive_at: datetime | None = None
    """The active side's newest heartbeat, if it is a fenced agent."""
    ahead: int = 0
    """Decisions that claim to come from the future; they count as of now, so that nobody is taken for alive by them."""
    caught_up: bool = False
    last_holds: bool = False
    """Whether nothing but time can have changed what the last look found."""
    _problem: Safe = Safe("")
    _told: dict[Trigger, tuple[Verdict, Response]] = field(default_factory=dict)
    _done: dict[str, str] = field(default_factory=dict)
    """Acts of this tenure, so that none is tried at every look."""
    _kept: tuple[int, datetime | None, datetime | None] | None = None
    _kept_at: datetime = LONG_AGO
    _warned: set[str] = field(default_factory=set)
    """Triggers that were warned of and are not safe again."""

    def __post_init__(self) -> None:
        self.facts = Facts(self.settings)

    def add(self, row: Row) -> None:
        """A decision."""
        now_s = self.now.timestamp()
        if row.at_s > now_s + AHEAD_S:
            self.ahead += 1
            row = row._replace(at_s=now_s)
        self.seen[row.slot] = max(self.seen.get(row.slot, 0.0), row.at_s)
        self.facts.add(row)

    def alive(self, slot: str) -> str:
        """Why a plain side can't be vouched for, by its decisions; empty when it can."""
        last_s = self.seen.get(slot)
        if last_s is None:
            return f"{slot} has no heartbeat and has written no decision"
        baseline = self.facts.baseline
        usual_s = baseline.gap_s if baseline is not None and baseline.slot == slot else 0.0
        silent_s = self.now.timestamp() - last_s
        if silent_s > max(ALIVE_S, USUAL_GAPS * usual_s):
            return f"{slot} has written no decision for {silent_s:.0f} s"
        return ""

    async def take_control(self, control: Control, events: list[Event]) -> None:
        """Who may act was read again."""
        before = self.control
        self.control = control
        tenure = control.tenure
        if before is not None and before.tenure == tenure:
            return
        if tenure is None:
            self.facts.tenure = None
            self.last_holds = False
            self.tell("idle", phase=control.phase, epoch=control.epoch)
            return
        began = next((event for event in events if event.epoch == tenure.epoch), None)
        if began is None:  # long ago: an epoch is at least the server's clock at which it began
            older = await self.state.events(after=f"{max(0, tenure.epoch - 1_000)}-0", count=len(events) or 1)
            began = next((event for event in older if event.epoch == tenure.epoch), None)
        back = began is not None and began.automatic_rollback
        self.control = replace(control, began_back=back)
        self.facts.begin(tenure)
        self.memory, self._told, self._done, self._warned = Memory(), {}, {}, set()
        self.last_holds = False
        if self.caught_up:
            await self.settle()

    async def settle(self) -> None:
        """What went before the tenure has been read: freeze the baseline, or take the one frozen by another guard."""
        self.caught_up = True
        control = self.control
        tenure = control.tenure if control else None
        if control is None or tenure is None:
            return
        mine = self.facts.freeze(back=control.began_back)
        self.facts.baseline = await self.state.baseline(tenure, mine)
        await self._recall(tenure)
        await forget_tenures(self.state)
        baseline = self.facts.baseline
        self.tell(
            "watching", active=tenure.slot, epoch=control.epoch, since=tenure.at,
            baseline=baseline.version if baseline else None, rounds=_rounds(baseline) if baseline else 0,
        )  # fmt: skip

    def look(self, now: datetime, source: Source) -> Assessment:
        """One look; nothing is done yet."""
        self.now = now
        found = assess(self.facts, source, self.memory, self.settings, now)
        self.memory, self.last, self.last_holds, self._problem = found.memory, found, True, source.problem
        for finding in found.findings:
            said = (finding.verdict, finding.due)
            if self._told.get(finding.trigger, (Verdict.SAFE, Response.CONTINUE)) != said:
                self._told[finding.trigger] = said
                if finding.trigger is not Trigger.BAND and finding.verdict is not Verdict.UNDECIDED:
                    self.tell("finding", **finding_document(finding))
        return found

    def holds(self, now: datetime, problem: Safe) -> bool:
        """Whether a look would find what the last one did: no facts came, and time alone can't have changed it.

        Args:
            now: aware UTC.
            problem: why facts can't be read now.
        """
        last = self.last
        return (
            last is not None
            and self.last_holds
            and problem == self._problem
            and timedelta(0) <= now - last.at < timedelta(seconds=last.holds_s)
        )

    def pending(self, found: Assessment) -> bool:
        """Whether there is anything to be done about a look: an act, a warning, or the end of what was warned of."""
        return bool(self._warned) or any(finding.due is not Response.CONTINUE for finding in found.findings)

    async def respond(self, found: Assessment) -> Result | None:
        """Do what is due: evidence first, then the act; alerts for what changes nothing.

        Raises:
            StoreUnreachable: no answer; the next look tries again.
        """
        control, actor = self.control, self.actor
        if control is None or control.tenure is None or actor is None:
            return None
        result = None
        decisive = found.decisive
        if decisive is not None and decisive.due in (Response.FREEZE, Response.ROLL_BACK):
            result = await self._act(actor, control, control.tenure, decisive)
        for finding in found.findings:
            await self._warn(control.tenure, finding, decisive)
        if BLIND in self._warned and not any(finding.verdict.blind for finding in found.findings):
            await self._episode_over(control.tenure, BLIND)
        return result

    async def unable(self, why: str, now: datetime) -> Result | None:
        """This guard can't judge the agent: as where facts can't be read, new risk is frozen.

        Raises:
            StoreUnreachable: no answer.
        """
        slot = self.control.tenure.slot if self.control and self.control.tenure else ""
        arming = self.settings.of(Trigger.EXCEPTION)
        finding = Finding(Trigger.EXCEPTION, Verdict.ERROR, arming, Response.FREEZE, why, now)
        return await self.respond(Assessment(now, (finding,), self.memory, slot))

    async def _act(self, actor: Actor, control: Control, tenure: Tenure, finding: Finding) -> Result | None:
        act = finding.due
        if act.value in self._done or (act is Response.FREEZE and control.level >= 1):
            return None
        note = f"{tenure.epoch}/{act.value}"
        mine = await self.state.note(note, {**finding_document(finding), "by": self.guard})
        if not mine and act is Response.FREEZE and await self._over(note):
            self._done[act.value] = "before"  # somebody lifted that freeze: it is not put back on the same evidence
            return None
        why = f"{finding.trigger.value}: {finding.reason}"
        if act is Response.FREEZE:
            result = await actor.freeze(tenure, control.epoch, why)
        else:
            result = await actor.roll_back(tenure, control.epoch, why)
        self._done[act.value] = result.done.value
        evidence = {**finding_document(finding), "at": finding.at.isoformat()}
        await self.state.remember(f"evidence/{finding.trigger.value}", evidence)
        if act is Response.FREEZE and result.done is Done.FROZEN:
            await self.state.remember(f"{note}/over", {"by": self.guard})
        self.tell(
            "acted", asked=act.value, done=result.done.value, trigger=finding.trigger.value, reason=finding.reason,
            detail=result.detail, epoch=result.epoch, ms=round(result.elapsed_ms, 3), verified=result.verified,
        )  # fmt: skip
        return result

    async def _over(self, note: str) -> bool:
        return bool(await self.state.noted(f"{note}/over"))

    async def _warn(self, tenure: Tenure, finding: Finding, decisive: Finding | None) -> None:
        """An alert for what asks for one and changes nothing; one an episode, whoever sees it first."""
        blind = finding.verdict.blind
        if blind and finding is not decisive:
            return  # one alert says that nothing can be seen, not six
        name = BLIND if blind else finding.trigger.value
        episode = f"{tenure.epoch}/{name}/warning"
        wanted = finding.due is Response.ALERT
        if wanted and name not in self._warned:
            at = finding.at.isoformat()
            if not await self.state.note(episode, {**finding_document(finding), "at": at}):
                at = str((await self.state.noted(episode)).get("at", at))  # whoever noted it may have died right after
            epoch, identity = self.control.epoch if self.control else 0, alert_id(self.agent, episode, at)
            alert = alert_of(
                finding,
                agent=self.agent,
                identity=identity,
                kind=AlertKind.WARNING,
                epoch=epoch,
                by=f"{BY}{self.guard}",
            )
            if await self.state.raise_alert(alert):
                self.tell("alert", id=identity, trigger=finding.trigger.value, reason=finding.reason)
            self._warned.add(name)
        elif name in self._warned and finding.verdict is Verdict.SAFE:
            await self._episode_over(tenure, name)

    async def _episode_over(self, tenure: Tenure, name: str) -> None:
        self._warned.discard(name)
        await self.state.forget(f"{tenure.epoch}/{name}/warning")

    async def tell_of(self, event: Event) -> None:
        """A control event that people must be told of, whoever caused it; derived by every guard, kept once."""
        kind = _KINDS.get(event.kind)
        if event.kind == "switched" and event.by.startswith(BY):
            kind = AlertKind.ROLLED_BACK
        automatic = event.kind == "rollback" or event.by.startswith(BY) or event.by in ("trip", "outside")
        if kind is None or not automatic:
            return
        why = event.why
        if kind is AlertKind.HALTED and GOING_BACK in why:
            stays = await self.state.noted(f"{event.epoch}/stays")
            if not stays:
                return  # a switch is to follow, and will be told of
            why = clean(f"{why.partition(GOING_BACK)[0]}stays halted: {stays.get('why', '')}")
        trigger = _trigger_in(event.why)
        severity = Severity.HIGH if kind is AlertKind.FROZEN else Severity.CRITICAL
        alert = Alert(
            alert_id(self.agent, "event", event.epoch, event.kind), event.at, clean(self.agent, 64), kind, severity,
            Safe(trigger), why, event.epoch, event.by,
        )  # fmt: skip
        if trigger:
            found = await self.state.noted(f"evidence/{trigger}")
            at = _moment(found.get("at"))
            if at and abs((event.at - at).total_seconds()) < MEMORY_S:
                alert = _with_evidence(alert, found)
        if await self.state.raise_alert(alert):
            self.tell("alert", id=alert.id, kind=kind.value, reason=alert.reason, epoch=event.epoch)

    async def keep_memory(self) -> None:
        """Write down since when something lasts, so that a restart does not start its clock anew."""
        tenure = self.facts.tenure
        if tenure is None or self.last is None:
            return
        slow, blind = self.memory
        kept, since = (tenure.epoch, slow, blind), self.last.at - self._kept_at
        if kept == self._kept and (slow is blind is None or since < timedelta(seconds=MEMORY_S / 4)):
            return
        document = {
            "tenure": tenure.epoch,
            "at": self.last.at.isoformat(),
            "slow_since": slow.isoformat() if slow else None,
            "blind_since": blind.isoformat() if blind else None,
        }
        await self.state.remember("memory", document)
        self._kept, self._kept_at = kept, self.last.at

    async def _recall(self, tenure: Tenure) -> None:
        kept = await self.state.noted("memory")
        at = _moment(kept.get("at"))
        if kept.get("tenure") == tenure.epoch and at and self.now - at <= timedelta(seconds=MEMORY_S):
            self.memory = Memory(_moment(kept.get("slow_since")), _moment(kept.get("blind_since")))

    def standby(self) -> str:
        """The side that would be gone back to; empty while nobody is active."""
        return other(self.facts.tenure.slot) if self.facts.tenure else ""


BLIND: Final = "blind"
"""How all that can't be seen is warned of, whichever triggers it concerns."""
_KINDS: Final = {"rollback": AlertKind.ROLLED_BACK, "halt": AlertKind.HALTED, "level": AlertKind.FROZEN}
_WORDS: Final = (("unhandled", Trigger.EXCEPTION), ("double spend", Trigger.DOUBLE_SPEND), ("loss ", Trigger.PNL),
                 ("authentication", Trigger.AUTH))  # fmt: skip


def _trigger_in(why: str) -> str:
    """The trigger that a reason names: ours, or one of the light guard's within an agent."""
    name = why.partition(":")[0]
    if name in set(Trigger):
        return name
    return next((trigger.value for word, trigger in _WORDS if word in why.lower()), "")


def _moment(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _rounds(baseline: Any) -> int:
    return max((pnl.rounds for pnl in baseline.pnl.values()), default=0)


def _with_evidence(alert: Alert, found: Mapping[str, Any]) -> Alert:
    value, threshold, n, samples = (found.get(name) for name in ("value", "threshold", "n", "samples"))
    return alert._replace(
        value=value if isinstance(value, float) else None,
        threshold=threshold if isinstance(threshold, float) else None, n=n if isinstance(n, int) else 0,
        samples=tuple(clean(one, 80) for one in samples[:5]) if isinstance(samples, list) else (),
    )  # fmt: skip
