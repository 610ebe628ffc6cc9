"""A plan before it begins: its ladder, and what the stable version's history says of its settings."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from console.domain.canary.history import History
from console.domain.canary.plan import Plan
from console.domain.statistics.evidence import Settings


class Measured(NamedTuple):
    """What was measured in the decision logs.

    Args:
        slot: whose rounds: the stable version's.
        history: of their returns.
        without_stake: rounds left out since they state no stake.
        refused: lines that are no decision.
        doubts: what in the plan it contradicts.
    """

    slot: str
    history: History
    without_stake: int
    refused: int
    doubts: tuple[str, ...]


def ladder_text(slot: str, capital: Decimal, currency: str, plan: Plan) -> Iterator[str]:
    """The plan as lines: whose capital, then a step a line."""
    yield f"{slot} on {capital:,f} {currency}, digest {plan.digest[:12]}"
    for number, step in enumerate(plan.steps, 1):
        money = f"{step.share * capital:>14,f} {currency}  loss budget {step.loss_budget:,f}"
        yield (
            f"  {number}  {step.share * 100:>6f} %  {money if step.share else 'shadow':<40}  {step.min_rounds} rounds, "
            f"{step.min_dwell_s:g} to {step.max_dwell_s:g} s"
        )


def history_text(settings: Settings, measured: Measured) -> Iterator[str]:
    """Declared beside measured, then each doubt."""
    history = measured.history
    left_out = [
        f"{count:,} {what}"
        for count, what in ((measured.without_stake, "without a stake"), (measured.refused, "no decision"))
        if count
    ]
    yield ""
    yield f"{measured.slot}'s history: {history.rounds:,} rounds" + (f" ({', '.join(left_out)})" if left_out else "")
    yield f"  {'':<12}{'declared':>12}{'measured':>12}"
    rows = (
        ("sigma", f"{settings.sigma:g}", history.sigma),
        ("lowest", f"{settings.lowest:g}", history.lowest),
        ("highest", f"{settings.highest:g}", history.highest),
        ("mean", f"margin {settings.margin:g}", history.mean),
        ("correlation", f"block {settings.block}", history.correlation),
    )
    for name, declared, found in rows:
        yield f"  {name:<12}{declared:>12}{'-' if found is None else f'{found:.4g}':>12}"
    for doubt in measured.doubts:
        yield f"▲ {doubt}"
    if not measured.doubts:
        yield "✓ the plan fits it"


def history_document(settings: Settings, measured: Measured) -> dict[str, Any]:
    """The same as plain JSON values; what is unknown is null."""
    history = measured.history
    return {
        "slot": measured.slot,
        "rounds": history.rounds,
        "without_stake": measured.without_stake,
        "refused": measured.refused,
        "mean": history.mean,
        "sigma": history.sigma,
        "lowest": history.lowest,
        "highest": history.highest,
        "correlation": history.correlation,
        "declared": {
            "sigma": settings.sigma, "lowest": settings.lowest, "highest": settings.highest, "block": settings.block,
        },
        "doubts": list(measured.doubts),
    }  # fmt: skip
