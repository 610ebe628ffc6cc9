"""The judge beside rivals on the same rounds: `python -m tests.simulate --rivals`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from console.domain.statistics.evidence import Form, Settings
from tests.simulate import rivals, wagers
from tests.simulate.shapes import MORE_SHAPES, SHAPES, Floats, Shape, fixed
from tests.simulate.vector import NEVER, Bools, judge

EFFECT = 0.3
NAMES = ("judge", "betting", "msprt", "growthbook", "grid", "bonferroni")
AT_ONCE = 100
"""Runs whose running means are in memory together."""
CELLS = ((0.5, Form.FIXED, "50/50"), (0.05, Form.ADJUSTED, "5 %"))


def table(
    runs: int, rounds: int, seed: int, settings_for: Callable[[Shape, Form, float], Settings], out: Path
) -> dict[str, object]:
    """What is recorded of `compare`; written to a file after every line: a run that is ended has what it has."""
    lines: list[dict[str, object]] = []
    found: dict[str, object] = {"runs": runs, "rounds": rounds, "lines": lines}
    found["at"] = datetime.now(UTC).isoformat(timespec="seconds")
    for line in compare(runs, rounds, seed, settings_for):
        lines.append(line)
        out.write_text(json.dumps(found))
    return found


def compare(
    runs: int, rounds: int, seed: int, settings_for: Callable[[Shape, Form, float], Settings]
) -> Iterator[dict[str, object]]:
    """Who calls alike versions different, and how soon a difference of .3 sd is seen, by shape and share.

    Args:
        runs, rounds: of a cell.
        seed: of the draws.
        settings_for: the judge's settings.
    """
    for share, form, name in CELLS:
        for shape in [*SHAPES, *MORE_SHAPES] if share < 0.5 else SHAPES:
            rng = np.random.default_rng([seed, 7, int(share * 100), len(shape.name), sum(shape.name.encode())])
            size = runs, rounds
            canary = rng.random(size) < share
            value = shape.draw(rng, size)
            if shape.canary is not None:
                value = np.where(canary, shape.canary(rng, size), value)
            if shape.market is not None:
                value += shape.market(rng, size)
            stake = None if shape.stakes is None else shape.stakes(rng, size)
            settings = settings_for(shape, form, share)
            alike = called(settings, canary, value, stake, share)
            worse = called(settings, canary, value - EFFECT * canary, stake, share, until=runs // 2 + 1)
            yield {
                "shape": shape.name,
                "design": name,
                "alike": {one: float((found < NEVER).mean()) for one, found in alike.items()},
                "worse": {one: rivals.rounds_to(found) for one, found in worse.items()},
            }
            print("|", end="", file=sys.stderr, flush=True)


def called(
    settings: Settings, canary: Bools, value: Floats, stake: Floats | None, share: float, until: int | None = None
) -> dict[str, rivals.Found]:
    """When each calls the canary worse: the judge, form D where there is one stake, and the rivals.

    Args:
        settings: of the judge.
        canary, value, stake: runs by rounds; None where the stake is the same in all.
        share: of the rounds that the canary plays.
        until: how many runs have to be called worse for what is asked; those after them may stay `NEVER`.
    """
    found = {
        "judge": judge(settings, canary, value, fixed(share)(value.shape[1]), stake=stake, until=until).worse,
        "grid": rivals.betting_grid(canary, value, settings.lowest, settings.highest, until),
    }
    if stake is None:
        found["betting"] = wagers.worse(replace(settings, form=Form.BOUNDED), canary, value, until)
    parts: list[dict[str, rivals.Found]] = []
    for at in range(0, len(value), AT_ONCE):
        arms = rivals.Arms(canary[at : at + AT_ONCE], value[at : at + AT_ONCE])
        parts.append(
            {
                "msprt": rivals.msprt(arms, settings.due_rounds, share),
                "growthbook": rivals.growthbook(arms),
                "bonferroni": rivals.bonferroni(arms),
            }
        )
    return found | {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
