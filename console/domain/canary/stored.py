"""A canary's run and what its desk says, from and to the store.

Everything here is read back from the store, so all text is made safe, and what can't be read says so instead of
passing for something else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from math import inf, isfinite
from typing import Any, Final

from console.domain.canary.plan import Analysis, Position, RunState
from console.domain.canary.run import CanaryRun, DeskReading, TrackPoint
from console.domain.canary.text import read_plan
from console.domain.errors import UsageError
from console.domain.fence.intent import Source
from console.domain.statistics.evidence import Evidence, Verdict
from console.domain.statistics.payoffs import Mean, Payoff
from console.domain.text import clean
from console.domain.untrusted import moment, real, texts, whole

MAX_ALARMS: Final = 8
MAX_POINTS: Final = 500
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


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
        name=clean(fields.get("run", ""), 64),
        slot=str(clean(fields.get("slot", ""), 8)),
        plan=plan,
        digest=str(clean(fields.get("dig", ""), 64)),
        state=RunState(state),
        position=Position(_whole_text(fields.get("step")), _whole_text(fields.get("rev"))),
        share=share if share is not None else Decimal(0),
        loss_budget=_amount(budget) if budget else None,
        currency=clean(fields.get("cur", ""), 16),
        capital=_amount(fields.get("cap")) or Decimal(0),
        began_at=_server_time(fields.get("began")),
        step_began_at=_server_time(fields.get("since")),
        by=clean(fields.get("by", ""), 128),
        source=Source.of(fields.get("src", "")),
        why=clean(fields.get("why", "")),
        problem=clean(problem),
    )


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
        "too_large": desk.too_large,
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
    bounds = {name: getattr(evidence, name) for name in ("lower", "upper", "hidden", "hidden_gain")}
    finite = {name: bound if isfinite(bound) else None for name, bound in bounds.items()}
    each = evidence.per_round
    finite["per_round"] = None if each is None else [bound if isfinite(bound) else None for bound in each]
    finite["payoffs"] = None if evidence.payoffs is None else [_payoff_document(one) for one in evidence.payoffs]
    return {**evidence._asdict(), "verdict": evidence.verdict.value, **finite}


def _payoff_document(payoff: Payoff) -> dict[str, Any]:
    whole_ones = {name: value for name, value in payoff._asdict().items() if not isinstance(value, tuple)}
    means = {name: list(value) for name, value in payoff._asdict().items() if isinstance(value, tuple)}
    return {**whole_ones, **means, "deep_at": payoff.deep_at if isfinite(payoff.deep_at) else None}


def _payoffs_from(document: object) -> tuple[Payoff, Payoff] | None:
    """Both versions' payoffs; None where either can't be read."""
    if not isinstance(document, list) or len(document) != 2:
        return None
    canary, stable = (_payoff_from(one) for one in document)
    return None if canary is None or stable is None else (canary, stable)


def _payoff_from(document: object) -> Payoff | None:
    if not isinstance(document, Mapping):
        return None
    means = [_mean_from(document.get(name)) for name in ("wins", "losses", "large", "small")]
    wins, losses, large, small = means
    deep_at, large_at = real(document.get("deep_at")), real(document.get("large_at"))
    if wins is None or losses is None or large is None or small is None:
        return None
    rounds, deep = whole(document.get("rounds")), whole(document.get("deep"))
    if max(wins.rounds + losses.rounds, deep, large.rounds + small.rounds) > rounds:
        return None
    return Payoff(rounds, wins, losses, deep, inf if deep_at is None else deep_at, large, small, large_at or 0.0)


def _mean_from(document: object) -> Mean | None:
    if not isinstance(document, list) or len(document) != 3:
        return None
    mean, error = real(document[1]), real(document[2])
    return None if mean is None or error is None or error < 0.0 else Mean(whole(document[0]), mean, error)


def _interval(numbers: Sequence[float | None]) -> tuple[float, float, float] | None:
    """Estimate, lower and upper; a bound that is null is infinite."""
    if len(numbers) != 3 or numbers[0] is None:
        return None
    estimate, lower, upper = numbers[0], numbers[1], numbers[2]
    return estimate, -inf if lower is None else lower, inf if upper is None else upper


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
    pair = [real(item) for item in ratio] if isinstance(ratio, list) and len(ratio) == 2 else []
    first, second = pair if pair else (None, None)
    return DeskReading(
        at=_server_time(at_ms),
        holder=clean(document.get("holder", ""), 64),
        run=clean(document.get("run", ""), 64),
        position=_position_from(document),
        share=share,
        routed_share=real(document.get("routed")),
        exposure_canary=_amount(document.get("canary")) or Decimal(0),
        exposure_stable=_amount(document.get("stable")) or Decimal(0),
        open_rounds=whole(document.get("open")),
        rounds=whole(document.get("rounds")),
        last_round_at=moment(document.get("last")),
        balance=balance,
        budget_blocked=document.get("blocked") is True,
        refused=whole(document.get("refused")),
        analysis=_analysis_from(document.get("analysis")),
        ratio=(first, second) if first is not None and second is not None else None,
        too_large=whole(document.get("too_large")),
    )


def _position_from(document: Mapping[str, Any]) -> Position:
    return Position(whole(document.get("step")), whole(document.get("rev")))


def _analysis_from(document: object) -> Analysis | None:
    if not isinstance(document, Mapping) or (at := moment(document.get("at"))) is None:
        return None
    return Analysis(
        at=at,
        position=_position_from(document),
        evidence=evidence_from(document.get("evidence")),
        error=str(clean(document.get("error", ""))),
        alarms=texts(document.get("alarms"), MAX_ALARMS, 80),
        ratio_alarm=document.get("ratio_alarm") is True,
    )


def evidence_from(document: object) -> Evidence | None:
    """The evidence in a document; None where there is none in it."""
    if not isinstance(document, Mapping) or document.get("verdict") not in set(Verdict):
        return None
    lower, upper, hidden, gain = (real(document.get(name)) for name in ("lower", "upper", "hidden", "hidden_gain"))
    needed, each = document.get("rounds_needed"), document.get("per_round")
    per_round = [real(number) for number in each] if isinstance(each, list) and len(each) == 3 else [None]
    return Evidence(
        verdict=Verdict(document["verdict"]),
        rounds_canary=whole(document.get("rounds_canary")),
        rounds_stable=whole(document.get("rounds_stable")),
        blocks=whole(document.get("blocks")),
        estimate=real(document.get("estimate")) or 0.0,
        lower=-inf if lower is None else lower,
        upper=inf if upper is None else upper,
        hidden=inf if hidden is None else hidden,
        outside=whole(document.get("outside")),
        rounds_needed=whole(needed) if needed is not None else None,
        unsettled=whole(document.get("unsettled")),
        unsettled_loss=real(document.get("unsettled_loss")) or 0.0,
        per_round=_interval(per_round),
        hidden_gain=gain if gain is not None else (inf if "hidden_gain" in document else 0.0),
        priced=whole(document.get("priced")),
        explained=real(document.get("explained")) or 0.0,
        priced_apart=document.get("priced_apart") is True,
        payoffs=_payoffs_from(document.get("payoffs")),
    )


def point_text(point: TrackPoint) -> str:
    """A point of the track as it is kept."""
    interval = [float(f"{value:.6g}") for value in (point.estimate, point.lower, point.upper)]
    return json.dumps([round(point.at.timestamp() * 1000), point.step, point.rounds, *interval])


def track_from(points: Sequence[str]) -> tuple[TrackPoint, ...]:
    """The points of a track; what is none is left out."""
    track: list[TrackPoint] = []
    for text in points[-MAX_POINTS:]:
        try:
            values = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(values, list) and len(values) == 6 and all(real(value) is not None for value in values):
            at, (step, rounds), interval = _server_time(values[0]), map(whole, values[1:3]), map(float, values[3:])
            track.append(TrackPoint(at, step, rounds, *interval))
    return tuple(track)


def _amount(value: object) -> Decimal | None:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and abs(amount) < Decimal(10) ** 18 else None


def _whole_text(value: str | None) -> int:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 16 else 0


def _server_time(milliseconds: object) -> datetime:
    text = str(milliseconds)
    known = text.isascii() and text.isdigit() and len(text) < 15
    return datetime.fromtimestamp(int(text) / 1000, UTC) if known else _EPOCH
