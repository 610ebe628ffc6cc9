"""What a switch would hand over, in figures: how many commitments go, which stay, who does not watch what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from console.domain.commitments.commitment import Owed, superset
from console.domain.commitments.left import Left
from console.domain.fence.deployment import Slot
from console.domain.text import clean


def crossing(left: Left, target: Slot) -> tuple[str, ...]:
    """What goes over to the target, what stays, and what the target lacks; one line each.

    Args:
        left: what has no end yet.
        target: the side that would act.
    """
    if not left.owed:
        return ("none is recorded in the store",)
    goes = [one for one in left.owed if (one.pin or target) is target]
    stays = [one for one in left.owed if one.pin is target.other]
    lines: list[str] = []
    if goes:
        lines.append(f"{_counted(goes)} for {target.value} then{_next_due(goes, left.now)}")
        proof = superset(left.owed, left.eyes(target), target, target=target)
        lines.append(
            f"all {proof.owned:,} watched by {target.value}"
            if proof.proved
            else f"{target.value} does not watch {proof.missing}"
        )
    if stays:
        lines.append(f"{_counted(stays)} with {target.other.value} still{_next_due(stays, left.now)}")
    return tuple(lines)


def _counted(owed: Iterable[Owed]) -> str:
    """`3: 2 × escrow, 1 × position`, the most first."""
    kinds = Counter(one.commitment.kind.value for one in owed)
    return f"{kinds.total():,}: {', '.join(f'{count:,} × {kind}' for kind, count in kinds.most_common())}"


def _next_due(owed: Iterable[Owed], now: datetime) -> str:
    """When the first of them is due: that is how much time there is."""
    dated = [(one.commitment.due, one) for one in owed if one.commitment.due is not None]
    if not dated:
        return ""
    due, first = min(dated, key=lambda pair: pair[0])
    seconds = (due - now).total_seconds()
    when = f"in {_span(seconds)}" if seconds >= 0 else f"{_span(-seconds)} ago"
    return f"; {clean(first.id, 24)} is due {when}"


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
