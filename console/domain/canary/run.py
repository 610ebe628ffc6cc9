"""A canary's run as the store records it, what the process that shares the rounds out says of it, and both as facts.

Everything here is read back from the store, so all text is made safe, and what can't be read says so instead of
passing for something else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from math import inf, isfinite
from typing import Any, Final, NamedTuple

from console.domain.canary.plan import Analysis, Facts, Plan, Position, Proposal, RunState
from console.domain.canary.rules import evaluate
from console.domain.canary.text import read_plan
from console.domain.errors import UsageError
from console.domain.fence.claims import Level
from console.domain.fence.deployment import Deployment, Phase
from console.domain.statistics.evidence import Evidence, Verdict
from console.domain.text import Safe, clean

MAX_ALARMS: Final = 8
MAX_POINTS: Final = 500
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class CanaryRun(NamedTuple):
    """A run as it is recorded.

    Args:
        name: the run's.
        slot: whose version is the canary: "blue" or "green".
        plan: the ladder; None where it can't be read (then `problem` says why, and nothing rises).
        digest: of the plan.
        state, position, share: where it stands; the share of the capital, 0 to 1.
        loss_budget: of this step, in `currency`; None at share 0.
        currency: of every amount.
        capital: that both versions share, in `currency`.
        began_at, step_began_at: the server's time; aware UTC.
        by, why: who changed it last, and the reason.
        problem: what can't be read of it.
    """

    name: Safe
    slot: str
    plan: Plan | None
    digest: str
    state: RunState
    position: Position
    share: Decimal
    loss_budget: Decimal | None
    currency: Safe
    capital: Decimal
    began_at: datetime
    step_began_at: datetime
    by: Safe = Safe("")
    why: Safe = Safe("")
    problem: Safe = Safe("")

    @property
    def live(self) -> bool:
        """Whether it goes on."""
        return self.state in (RunState.RUNNING, RunState.PAUSED)


class DeskReading(NamedTuple):
    """What the process that shares the rounds out said last.

    Args:
        at: the server's time of it.
        holder: its name.
        run, position, share: what it has in force.
        routed_share: the canary's share of the money given out in this step; None before the first round.
        exposure_canary, exposure_stable: at stake in rounds that are open.
        open_rounds: how many.
        rounds: that the canary has finished in this step (at share 0: shadow rounds compared).
        last_round_at: of these; None before the first.
        balance: the canary's money won or lost in this step, exact.
        budget_blocked: whether a stake was withheld from the canary since it could have broken the loss budget.
        refused: rounds refused: the cap, or an opposite position.
        analysis: the newest; None where there is none.
        ratio: the canary's share of the draws reported, and the share expected; None where there is no draw.
    """

    at: datetime
    holder: Safe
    run: Safe
    position: Position
    share: Decimal
    routed_share: float | None = None
    exposure_canary: Decimal = Decimal(0)
    exposure_stable: Decimal = Decimal(0)
    open_rounds: int = 0
    rounds: int = 0
    last_round_at: datetime | None = None
    balance: Decimal = Decimal(0)
    budget_blocked: bool = False
    refused: int = 0
    analysis: Analysis | None = None
    ratio: tuple[float, float] | None = None


class TrackPoint(NamedTuple):
    """The interval as it stood at one moment; for drawing only, hence floats.

    Args:
        at: when.
        step: the step it belongs to.
        rounds: of the canary until then, over the whole run.
        estimate, lower, upper: canary less stable, per unit at risk and round.
    """

    at: datetime
    step: int
    rounds: int
    estimate: float
    lower: float
    upper: float


class CanaryReading(NamedTuple):
    """Everything known of an agent's canary.

    Args:
        run: as recorded.
        desk: what shares the rounds out; None where nothing ever did.
        track: the interval over time, oldest first.
    """

    run: CanaryRun
    desk: DeskReading | None = None
    track: tuple[TrackPoint, ...] = ()


def closed_by(deployment: Deployment, slot: str) -> str:
    """Why no capital may rise now, by who may act; empty where it may. The store's own script says the same."""
    authority = deployment.authority
    if authority is None:
        return "there is no authority"
    if authority.phase is not Phase.RUN or authority.active is None:
        return "halted" if authority.phase is Phase.HALT else "a switch drains"
    if authority.level is not Level.NONE:
        return "new risk is stopped"
    if deployment.written_from_outside:
        return "the plain key says otherwise"
    return f"{slot} is active itself" if authority.active.value == slot else ""


def facts_of(
    reading: CanaryReading,
    *,
    closed_gates: Sequence[str] = (),
    approved: Position | None = None,
    evaluated_at: datetime | None = None,
) -> Facts:
    """What the evaluator is told: what is recorded, and what the desk says, if that is about this very run."""
    run = reading.run
    desk = reading.desk if reading.desk is not None and reading.desk.run == run.name else None
    here = desk is not None and desk.position == run.position
    return Facts(
        position=run.position,
        state=run.state,
        step_started_at=run.step_began_at,
        evaluated_at=evaluated_at,
        analysis=desk.analysis if desk else None,
        rounds=desk.rounds if desk and here else 0,
        last_round_at=desk.last_round_at if desk and here else None,
        balance=desk.balance if desk and here else Decimal(0),
        budget_blocked=bool(desk and here and desk.budget_blocked),
        share_in_force=desk.share if desk and here else None,
        closed_gates=tuple(closed_gates),
        approved=approved,
    )


def propose(
    reading: CanaryReading,
    now: datetime,
    *,
    closed_gates: Sequence[str] = (),
    approved: Position | None = None,
    evaluated_at: datetime | None = None,
) -> Proposal | None:
    """What the run should do next; None where its plan can't be read.

    Args:
        reading: of the run.
        now: the server's time, by which all of it is dated.
        closed_gates, approved, evaluated_at: see `Facts`.
    """
    plan = reading.run.plan
    if plan is None or not 0 <= reading.run.position.step < len(plan.steps):
        return None
    facts = facts_of(reading, closed_gates=closed_gates, approved=approved, evaluated_at=evaluated_at)
    return evaluate(plan, facts, now)


# -- from and to the store ---------------------------------------------------------------------------------------------


def run_from(fields: Mapping[str, str]) -> CanaryRun | None:
    """The run in the fields of its hash; None where there is none."""
    state = fields.get("state", "")
    if state not in set(RunState):
        return None
    problem, plan = "", None
    try:
        plan = read_plan(fields.get("plan", ""))
        if plan.digest != fields.get("dig"):
            plan, problem = None, "the plan is not the one that was started"
    except UsageError as error:
        problem = f"the plan can't be read: {error.message}"
    share = _amount(fields.get("share"))
    if share is None:
        problem = "the share can't be read"
    budget = fields.get("budget", "")
    return CanaryRun(
        name=clean(fields.get("run", ""), 64), slot=str(clean(fields.get("slot", ""), 8)), plan=plan,
        digest=str(clean(fields.get("dig", ""), 64)), state=RunState(state),
        position=Position(_whole_text(fields.get("step")), _whole_text(fields.get("rev"))),
        share=share if share is not None else Decimal(0), loss_budget=_amount(budget) if budget else None,
        currency=clean(fields.get("cur", ""), 16), capital=_amount(fields.get("cap")) or Decimal(0),
        began_at=_moment(fields.get("began")), step_began_at=_moment(fields.get("since")),
        by=clean(fields.get("by", ""), 128), why=clean(fields.get("why", "")), problem=clean(problem),
    )  # fmt: skip


def report_document(desk: DeskReading) -> dict[str, Any]:
    """What the desk says, as plain JSON values; `at` is the store's to tell."""
    analysis = desk.analysis
    return {
        "holder": desk.holder,
        "run": desk.run,
        "step": desk.position.step,
        "rev": desk.position.revision,
        "share": str(desk.share),
        "routed": desk.routed_share,
        "canary": f"{desk.exposure_canary.normalize():f}",
        "stable": f"{desk.exposure_stable.normalize():f}",
        "open": desk.open_rounds,
        "rounds": desk.rounds,
        "last": desk.last_round_at.isoformat() if desk.last_round_at else None,
        "balance": f"{desk.balance.normalize():f}",
        "blocked": desk.budget_blocked,
        "refused": desk.refused,
        "ratio": list(desk.ratio) if desk.ratio else None,
        "analysis": _analysis_document(analysis) if analysis else None,
    }


def _analysis_document(analysis: Analysis) -> dict[str, Any]:
    evidence = analysis.evidence
    return {
        "at": analysis.at.isoformat(),
        "step": analysis.position.step,
        "rev": analysis.position.revision,
        "error": analysis.error,
        "alarms": list(analysis.alarms),
        "ratio_alarm": analysis.ratio_alarm,
        "evidence": evidence_document(evidence) if evidence else None,
    }


def evidence_document(evidence: Evidence) -> dict[str, Any]:
    """The evidence as plain JSON values; what is infinite is null."""
    return {
        "verdict": evidence.verdict.value,
        "rounds_canary": evidence.rounds_canary,
        "rounds_stable": evidence.rounds_stable,
        "blocks": evidence.blocks,
        "estimate": evidence.estimate,
        "lower": evidence.lower if isfinite(evidence.lower) else None,
        "upper": evidence.upper if isfinite(evidence.upper) else None,
        "hidden": evidence.hidden if isfinite(evidence.hidden) else None,
        "outside": evidence.outside,
        "rounds_needed": evidence.rounds_needed,
    }


def desk_from(report: str, at_ms: object) -> DeskReading | None:
    """What the desk said; None where that can't be read, which counts as if it had said nothing."""
    try:
        document = json.loads(report)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    share, balance = _amount(document.get("share")), _amount(document.get("balance"))
    if share is None or balance is None:
        return None
    ratio = document.get("ratio")
    pair = [_real(item) for item in ratio] if isinstance(ratio, list) and len(ratio) == 2 else []
    first, second = pair if pair else (None, None)
    return DeskReading(
        at=_moment(at_ms), holder=clean(document.get("holder", ""), 64), run=clean(document.get("run", ""), 64),
        position=Position(_whole(document.get("step")), _whole(document.get("rev"))), share=share,
        routed_share=_real(document.get("routed")), exposure_canary=_amount(document.get("canary")) or Decimal(0),
        exposure_stable=_amount(document.get("stable")) or Decimal(0), open_rounds=_whole(document.get("open")),
        rounds=_whole(document.get("rounds")), last_round_at=_time(document.get("last")), balance=balance,
        budget_blocked=document.get("blocked") is True, refused=_whole(document.get("refused")),
        analysis=_analysis_from(document.get("analysis")),
        ratio=(first, second) if first is not None and second is not None else None,
    )  # fmt: skip


def _analysis_from(document: object) -> Analysis | None:
    if not isinstance(document, Mapping) or (at := _time(document.get("at"))) is None:
        return None
    alarms = document.get("alarms")
    return Analysis(
        at=at,
        position=Position(_whole(document.get("step")), _whole(document.get("rev"))),
        evidence=evidence_from(document.get("evidence")),
        error=str(clean(document.get("error", ""))),
        alarms=tuple(str(clean(alarm, 80)) for alarm in alarms[:MAX_ALARMS]) if isinstance(alarms, list) else (),
        ratio_alarm=document.get("ratio_alarm") is True,
    )


def evidence_from(document: object) -> Evidence | None:
    """The evidence in a document; None where there is none in it."""
    if not isinstance(document, Mapping) or document.get("verdict") not in set(Verdict):
        return None
    lower, upper, hidden = (_real(document.get(name)) for name in ("lower", "upper", "hidden"))
    needed = document.get("rounds_needed")
    return Evidence(
        Verdict(document["verdict"]), _whole(document.get("rounds_canary")), _whole(document.get("rounds_stable")),
        _whole(document.get("blocks")), _real(document.get("estimate")) or 0.0, -inf if lower is None else lower,
        inf if upper is None else upper, inf if hidden is None else hidden, _whole(document.get("outside")),
        _whole(needed) if needed is not None else None,
    )  # fmt: skip


def point_text(point: TrackPoint) -> str:
    """A point of the track as it is kept."""
    return json.dumps(
        [round(point.at.timestamp() * 1000), point.step, point.rounds, *(
            float(f"{value:.6g}") for value in (point.estimate, point.lower, point.upper))]
    )  # fmt: skip


def track_from(points: Sequence[str]) -> tuple[TrackPoint, ...]:
    """The points of a track; what is none is left out."""
    found: list[TrackPoint] = []
    for text in points[-MAX_POINTS:]:
        try:
            values = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(values, list) and len(values) == 6 and all(_real(value) is not None for value in values):
            found.append(TrackPoint(_moment(values[0]), _whole(values[1]), _whole(values[2]), *map(float, values[3:])))
    return tuple(found)


def _amount(value: object) -> Decimal | None:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and abs(amount) < Decimal(10) ** 18 else None


def _real(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300 and isfinite(value):
        return float(value)
    return None


def _whole(value: object) -> int:
    return value if type(value) is int and 0 <= value < 1 << 60 else 0


def _whole_text(value: str | None) -> int:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 16 else 0


def _moment(milliseconds: object) -> datetime:
    text = str(milliseconds)
    known = text.isascii() and text.isdigit() and len(text) < 15
    return datetime.fromtimestamp(int(text) / 1000, UTC) if known else _EPOCH


def _time(value: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return at if at is not None and at.tzinfo else None
