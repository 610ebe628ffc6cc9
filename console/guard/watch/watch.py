"""One agent under watch: what comes in, one look, and what is done about it.

No loop and no clock of its own: the process around it (`console.guard.run.process`) tells it what happened, and when to
look.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from console.domain.guard.alerts import Alert, AlertKind, alert_id, finding_document
from console.domain.text import Safe, clean
from console.domain.triggers.baseline import Baseline
from console.domain.triggers.facts import Facts, Source, Tenure
from console.domain.triggers.finding import Finding, Response, Severity, Trigger, Verdict
from console.domain.triggers.look import Assessment, Memory
from console.domain.triggers.rules import USUAL_GAPS, assess
from console.domain.triggers.settings import TriggerSettings
from console.domain.triggers.windows import Row
from console.domain.untrusted import moment
from console.guard.act.actor import Actor, Done, Result
from console.guard.keep.charge import Charge
from console.guard.keep.control import Control, Event
from console.guard.keep.tidy import forget_tenures
from console.guard.watch.episodes import Episodes

ALIVE_S: Final = 30.0
"""A plain target must have written a decision within so many seconds (or twenty of its usual pauses)."""
AHEAD_S: Final = 5.0
"""How far the clocks of agents may be ahead of ours, or behind it."""
LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
MEMORY_S: Final = 120.0
"""What a guard before us remembered counts if it looked so recently."""


@dataclass(slots=True)
class Watch:
    """One agent.

    Args:
        charge: whose keys, and in whose care.
        settings: thresholds and arming now in force.
        now: when it began; facts before that are history.
    """

    charge: Charge
    settings: TriggerSettings
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
    skew_s: dict[str, float] = field(default_factory=dict)
    """By slot: how far its clock is behind ours, or its lines come late; below 0, ahead; none while it is right."""
    caught_up: bool = False
    last_holds: bool = False
    """Whether nothing but time can have changed what the last look found."""
    _problem: Safe = Safe("")
    _told: dict[Trigger, tuple[Verdict, Response]] = field(default_factory=dict)
    _done: dict[str, str] = field(default_factory=dict)
    """Acts of this tenure, so that none is tried at every look."""
    _kept: tuple[int, datetime | None, datetime | None] | None = None
    _kept_at: datetime = LONG_AGO
    _episodes: Episodes = field(init=False)

    def __post_init__(self) -> None:
        self.facts = Facts(self.settings)
        self._episodes = Episodes(self.charge)

    def add(self, row: Row, written_after_s: float = 0.0) -> None:
        """A decision.

        Args:
            row: it.
            written_after_s: since when it can have been written, by our clock; 0 where that is not known. What has
                just arrived is news, whatever the agent's clock says.
        """
        now_s = self.now.timestamp()
        behind_s = self.skew_s.get(row.slot, 0.0)
        if row.at_s > now_s + AHEAD_S:
            self.ahead += 1
            self.skew_s[row.slot] = now_s - row.at_s
            row = row._replace(at_s=now_s)
        elif written_after_s:
            if row.at_s < written_after_s - AHEAD_S:
                self.skew_s[row.slot] = written_after_s - row.at_s
                row = row._replace(at_s=written_after_s)
            else:
                self.skew_s.pop(row.slot, None)
        elif behind_s > 0.0 and self.caught_up:  # the first lines of the file that a log goes on in
            row = row._replace(at_s=min(now_s, row.at_s + behind_s))
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
            self.control = replace(control, began_back=before.began_back)
            return
        if tenure is None:
            self.facts.tenure = None
            self.last_holds = False
            self.charge.tell("idle", phase=control.phase, epoch=control.epoch)
            return
        began = next((event for event in events if event.epoch == tenure.epoch), None)
        if began is None:  # long ago: an epoch is at least the server's clock at which it began
            older = await self.charge.state.events(after=f"{max(0, tenure.epoch - 1_000)}-0", count=len(events) or 1)
            began = next((event for event in older if event.epoch == tenure.epoch), None)
        back = began is not None and began.automatic_rollback
        self.control = replace(control, began_back=back)
        self.facts.begin(tenure)
        self.memory, self._told, self._done, self._episodes = Memory(), {}, {}, Episodes(self.charge)
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
        baseline = self.facts.baseline = await self.charge.state.baseline(tenure, mine)
        await self._recall(tenure)
        await forget_tenures(self.charge.state)
        version, rounds = (baseline.version, _rounds(baseline)) if baseline else (None, 0)
        began = {"active": tenure.slot, "epoch": control.epoch, "since": tenure.at}
        self.charge.tell("watching", **began, baseline=version, rounds=rounds)

    def look(self, now: datetime, source: Source) -> Assessment:
        """One look; nothing is done yet."""
        self.now = now
        assessment = assess(self.facts, source, self.memory, self.settings, now)
        self.memory, self.last, self.last_holds, self._problem = assessment.memory, assessment, True, source.problem
        for finding in assessment.findings:
            news = (finding.verdict, finding.due)
            if self._told.get(finding.trigger, (Verdict.SAFE, Response.CONTINUE)) != news:
                self._told[finding.trigger] = news
                if finding.trigger is not Trigger.BAND and finding.verdict is not Verdict.UNDECIDED:
                    self.charge.tell("finding", **finding_document(finding))
        return assessment

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

    def pending(self, assessment: Assessment) -> bool:
        """Whether there is anything to be done about a look: an act, a warning, or the end of what was warned of."""
        asking = any(finding.due is not Response.CONTINUE for finding in assessment.findings)
        return asking or bool(self._episodes.under_way)

    async def respond(self, assessment: Assessment) -> Result | None:
        """Do what is due: evidence first, then the act; alerts for what changes nothing.

        Raises:
            StoreUnreachable: no answer; the next look tries again.
        """
        control, actor = self.control, self.actor
        if control is None or control.tenure is None or actor is None:
            return None
        result = None
        decisive = assessment.decisive
        if decisive is not None and decisive.due in (Response.FREEZE, Response.ROLL_BACK):
            result = await self._act(actor, control, control.tenure, decisive)
        await self._episodes.take(assessment, control.tenure, control.epoch)
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
        act, key = finding.due, finding.acted_on
        if key in self._done or (act is Response.FREEZE and control.level >= 1):
            return None
        state, note = self.charge.state, f"{tenure.epoch}/{act.value}"
        mine = await state.note(note, {**finding_document(finding), "by": self.charge.guard})
        if not mine and act is Response.FREEZE and await state.noted(f"{note}/over"):
            self._done[key] = "before"  # somebody lifted that freeze: it is not put back on the same evidence
            return None
        why = f"{finding.trigger.value}: {finding.reason}"
        if act is Response.FREEZE:
            result = await actor.freeze(tenure, control.epoch, why, finding.trigger)
        else:
            result = await actor.roll_back(tenure, control.epoch, why, finding.trigger)
        self._done[key] = result.done.value
        evidence = {**finding_document(finding), "at": finding.at.isoformat()}
        await state.remember(f"evidence/{finding.trigger.value}", evidence)
        if act is Response.FREEZE and result.done is Done.FROZEN:
            await state.remember(f"{note}/over", {"by": self.charge.guard})
        self.charge.tell(
            "acted",
            asked=act.value,
            done=result.done.value,
            trigger=finding.trigger.value,
            reason=finding.reason,
            detail=result.detail,
            epoch=result.epoch,
            ms=round(result.elapsed_ms, 3),
            verified=result.verified,
        )
        return result

    async def keep_memory(self) -> None:
        """Write down since when something lasts, so that a restart does not start anew; tell of wrong clocks."""
        tenure = self.facts.tenure
        if tenure is None or self.last is None:
            return
        for slot, skew_s in self.skew_s.items():
            await self._tell_of_clock(slot, skew_s, tenure.epoch, self.last.at)
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
        await self.charge.state.remember("memory", document)
        self._kept, self._kept_at = kept, self.last.at

    async def _tell_of_clock(self, slot: str, skew_s: float, epoch: int, now: datetime) -> None:
        """One alert for each tenure and direction, whichever guard sees it first."""
        charge, way = self.charge, "behind" if skew_s > 0.0 else "ahead"
        done = f"clock {slot} {way}"
        if self._done.get(done):
            return
        whose = f"{slot}'s clock" if slot else "the clock of a version of no slot"
        late = ", or its lines come late" if skew_s > 0.0 else ""
        alert = Alert(
            id=alert_id(charge.agent, "clock", epoch, slot, way),
            at=now,
            agent=clean(charge.agent, 64),
            kind=AlertKind.WARNING,
            severity=Severity.MEDIUM,
            trigger=Safe(""),
            reason=clean(f"{whose} is {abs(skew_s):.0f} s {way}{late}; what it writes counts from when it arrives"),
            epoch=epoch,
            by=clean(charge.by, 128),
        )
        if await charge.state.raise_alert(alert):
            charge.tell("alert", id=alert.id, kind=alert.kind.value, reason=alert.reason)
        self._done[done] = way

    async def _recall(self, tenure: Tenure) -> None:
        kept = await self.charge.state.noted("memory")
        at = moment(kept.get("at"))
        if kept.get("tenure") == tenure.epoch and at and self.now - at <= timedelta(seconds=MEMORY_S):
            self.memory = Memory(moment(kept.get("slow_since")), moment(kept.get("blind_since")))


def _rounds(baseline: Baseline) -> int:
    return max((pnl.rounds for pnl in baseline.pnl.values()), default=0)
