"""A canary's figures: its share and its money, what is used of the loss budget, what its rounds have shown."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from console.domain.canary.harm import harm_words
from console.domain.canary.plan import RunState, Step
from console.domain.canary.run import CanaryReading, CanaryRun, DeskReading
from console.domain.statistics.evidence import Evidence, Settings, Verdict
from console.views.format import age_text, amount_text, count_text, effect_text, money_text, percent_text, plural
from console.views.tone import Tone

_NEARLY_SPENT: Final = Decimal("0.6")


class Figure(NamedTuple):
    """A figure with its name.

    Args:
        value: in words; never empty.
        fraction: how much of it is used or reached, 0 to 1, for a bar; None where there is nothing to measure by.
    """

    label: str
    value: str
    tone: Tone = Tone.TEXT
    fraction: float | None = None


def desk_of(reading: CanaryReading) -> DeskReading | None:
    """What the desk says, if that is about this very run."""
    return reading.desk if reading.desk is not None and reading.desk.run == reading.run.name else None


def evidence_of(desk: DeskReading | None) -> Evidence | None:
    """The newest evidence; None where there is none."""
    return desk.analysis.evidence if desk is not None and desk.analysis is not None else None


def failed_step(reading: CanaryReading) -> int | None:
    """The step at which a run was aborted, counted from 0; None where that is not known, or it was not."""
    if reading.run.state is not RunState.ABORTED or not reading.track:
        return None
    return next((point.step for point in reversed(reading.track) if point.step), 0)


def lost_in(reading: CanaryReading, step: int) -> Decimal | None:
    """What the canary's money made or lost in a step, by the desk; None where that does not speak of it, or by now of
    another step: then the reason of the abort is all that tells of it.
    """
    desk = desk_of(reading)
    return desk.balance if desk is not None and desk.position.step == step and step else None


def step_of(run: CanaryRun) -> Step | None:
    """The step it stands at; None where the plan can't be read, or has no such step."""
    at = run.position.step
    return run.plan.steps[at] if run.plan is not None and at < len(run.plan.steps) else None


def margin_at(run: CanaryRun, at: int) -> float:
    """The margin by which a step is judged, that of the last where there is no such step; 0 without a plan."""
    if run.plan is None:
        return 0.0
    own = run.plan.steps[min(at, len(run.plan.steps) - 1)].margin
    return run.plan.settings.margin if own is None else own


def share_text(share: Decimal) -> str:
    """A share of the capital as the plan writes it: `20 %`, `0.5 %`."""
    return f"{(share * 100).normalize():f} %"


def interval_text(lower: float, upper: float) -> str:
    """`[−0.0312, +0.0121]`."""
    return f"[{effect_text(lower)}, {effect_text(upper)}]"


def figures_of(run: CanaryRun, desk: DeskReading | None, now: datetime) -> tuple[Figure, ...]:
    """Everything measured of a run, what fired first.

    Args:
        run: as recorded.
        desk: what shares its rounds out; None where nothing does.
        now: the server's time.
    """
    money = run.currency
    here = desk is not None and desk.position == run.position
    figures = [*_alarms(desk), _share(run, desk, agrees=here)]
    canary = run.share * run.capital
    figures.append(
        Figure("capital", f"canary {amount_text(canary)}, stable {amount_text(run.capital - canary)} {money}")
    )
    if desk is None:
        return (*figures, Figure("desk", "no agent shares rounds out", Tone.WARN if run.live else Tone.MUTED))
    at_stake = f"canary {amount_text(desk.exposure_canary)}, stable {amount_text(desk.exposure_stable)} {money}"
    figures.append(Figure("at stake", f"{at_stake}, {plural(desk.open_rounds, 'open round')}"))
    if run.live and not here:
        figures.append(Figure("this step", "the desk has not begun it yet", Tone.WARN))
    elif run.live:
        figures += [_budget(run, desk), *_least(run, desk, now)]
    figures += _evidence(run, desk)
    if run.plan is not None and run.plan.settings.sigma_canary is not None:
        figures.append(Figure("canary's own", own_spread_text(run.plan.settings)))
    if desk.ratio is not None:
        alarm = desk.analysis is not None and desk.analysis.ratio_alarm
        shares = f"{percent_text(desk.ratio[0])} of the draws, {percent_text(desk.ratio[1])} expected"
        figures.append(Figure("sample ratio", f"▲ {shares}" if alarm else shares, Tone.WARN if alarm else Tone.TEXT))
    if desk.refused:
        figures.append(Figure("refused", f"{plural(desk.refused, 'round')}: the cap, or an opposite side", Tone.WARN))
    if desk.too_large:
        whales = (
            f"▲ {plural(desk.too_large, 'stake')} above the loss budget went to stable: the canary is untested on them"
        )
        figures.append(Figure("too large", whales, Tone.WARN))
    return tuple(figures)


def judged_text(evidence: Evidence) -> str:
    """What the verdict rests on: money where stakes differ, and what is not settled at its worst."""
    parts = ["money-weighted" if evidence.per_round is not None else "every round alike: one stake"]
    if evidence.unsettled:
        worst = effect_text(-evidence.unsettled_loss)
        parts.append(f"{plural(evidence.unsettled, 'round')} without an outcome at their worst ({worst})")
    if evidence.priced:
        explained = percent_text(max(evidence.explained, 0.0))
        parts.append(f"{plural(evidence.priced, 'round')} priced for both, which explains {explained} of their scatter")
    if evidence.hidden_gain:
        parts.append("wins not met yet allowed for: the canary's own spread is unknown")
    return ", ".join(parts)


def own_spread_text(settings: Settings) -> str:
    """The canary's own spread, and where it comes from."""
    if settings.sigma_canary is None:
        return "spread unknown: wins that it has not met yet count in its favour"
    return f"spread {settings.sigma_canary:g}, {settings.sigma_canary_from or 'by the plan itself'}"


def by_rounds_text(evidence: Evidence) -> str:
    """The same rounds with every one counting alike, beside the money, which decides; empty where they are the same."""
    if evidence.per_round is None:
        return ""
    estimate, lower, upper = evidence.per_round
    return f"{effect_text(estimate)}  {interval_text(lower, upper)}, money decides"


def _alarms(desk: DeskReading | None) -> list[Figure]:
    """What fired, before anything else."""
    analysis = desk.analysis if desk is not None else None
    if analysis is None:
        return []
    figures = [Figure("analysis", f"▲ failed: {analysis.error}", Tone.WARN)] if analysis.error else []
    if analysis.alarms:
        figures.append(Figure("guardrails", f"✖ {', '.join(analysis.alarms)}", Tone.BAD))
    return figures


def _share(run: CanaryRun, desk: DeskReading | None, *, agrees: bool) -> Figure:
    in_force = "unknown" if desk is None else share_text(desk.share)
    routed = "–" if desk is None or desk.routed_share is None else percent_text(desk.routed_share)
    differs = desk is None or desk.share != run.share or not agrees
    value = f"target {share_text(run.share)}, in force {in_force}, actual {routed}"
    if not run.live:
        return Figure("share", f"{share_text(run.share)}; in force {in_force}", Tone.TEXT)
    return Figure("share", f"▲ {value}" if differs else value, Tone.WARN if differs else Tone.TEXT)


def blocks_text(run: CanaryRun, desk: DeskReading | None) -> str:
    """The blocks of rounds compared so far, of those that a promotion needs; empty where this step compares nothing."""
    evidence = evidence_of(desk)
    if run.plan is None or evidence is None or not 0 < run.share < 1:
        return ""
    return f"{count_text(evidence.blocks)} of {count_text(run.plan.settings.min_blocks)} blocks"


def _budget(run: CanaryRun, desk: DeskReading) -> Figure:
    if run.loss_budget is None or not run.share:
        return Figure("loss budget", "no capital in this step", Tone.MUTED)
    used = max(-desk.balance / run.loss_budget, Decimal(0))
    spent = used >= 1 or desk.budget_blocked
    tone = Tone.BAD if spent else Tone.WARN if used > _NEARLY_SPENT else Tone.TEXT
    spent_text = f"{money_text(desk.balance)} of −{amount_text(run.loss_budget)} {run.currency}"
    if spent:
        spent_text = f"✖ {spent_text}, {'a stake was withheld' if used < 1 else 'spent'}"
    return Figure("loss budget", spent_text, tone, float(min(used, Decimal(1))))


def _least(run: CanaryRun, desk: DeskReading, now: datetime) -> list[Figure]:
    """Rounds and time in this step, of the least that is needed."""
    step = step_of(run)
    dwell_s = (now - run.step_began_at).total_seconds()
    if step is None:
        return [Figure("rounds", count_text(desk.rounds)), Figure("dwell", age_text(dwell_s))]
    late = dwell_s >= step.max_dwell_s
    long = f"{age_text(dwell_s)} of {age_text(step.min_dwell_s)}, {age_text(step.max_dwell_s)} at most"
    evidence, blocks = evidence_of(desk), blocks_text(run, desk)
    reached = min(desk.rounds / step.min_rounds, 1.0)
    if blocks and evidence is not None and run.plan is not None:
        reached = min(reached, evidence.blocks / run.plan.settings.min_blocks)
    rounds = f"{count_text(desk.rounds)} of {count_text(step.min_rounds)}"
    return [
        Figure("rounds", f"{rounds}, {blocks}" if blocks else rounds, fraction=reached),
        Figure(
            "dwell",
            f"▲ {long}" if late else long,
            Tone.WARN if late else Tone.TEXT,
            min(max(dwell_s, 0.0) / step.min_dwell_s, 1.0) if step.min_dwell_s else 1.0,
        ),
    ]


def _worse(evidence: Evidence) -> list[Figure]:
    """In what way its rounds are worse, as people meet it; nothing where they are not."""
    words = harm_words(evidence)
    tone = Tone.BAD if evidence.verdict is Verdict.HARM else Tone.WARN
    return [Figure("worse how", words, tone)] if words else []


def _evidence(run: CanaryRun, desk: DeskReading) -> list[Figure]:
    evidence = evidence_of(desk)
    if evidence is None:
        return []
    margin = f", margin −{margin_at(run, run.position.step):g}" if run.plan is not None else ""
    bounds = interval_text(evidence.lower, evidence.upper)
    figures = [
        Figure("Δ a round", f"{effect_text(evidence.estimate)}  {bounds}{margin}"),
        *_worse(evidence),
        Figure("judged", judged_text(evidence)),
        Figure(
            "evidence",
            f"n {count_text(evidence.rounds_canary)} canary, {count_text(evidence.rounds_stable)} stable, "
            f"{plural(evidence.blocks, 'block')}",
        ),
    ]
    if evidence.per_round is not None:
        figures.append(Figure("by rounds", by_rounds_text(evidence)))
    if evidence.priced_apart:
        warning = "▲ prices differed by who played: not used any more, the evidence began anew"
        figures.append(Figure("prices", warning, Tone.WARN))
    if evidence.outside:
        warning = f"▲ {plural(evidence.outside, 'return')} beyond the declared bounds: never SAFE"
        figures.append(Figure("bounds", warning, Tone.WARN))
    return figures
