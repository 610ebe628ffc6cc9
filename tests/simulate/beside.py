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
from tests.simulate import rivals
from tests.simulate.shapes import MORE_SHAPES, SHAPES, Floats, Shape, fixed
from tests.simulate.vector import NEVER, Bools, judge

EFFECT = 0.3
NAMES = ("judge", "betting", "msprt", "growthbook", "grid", "bonferroni")
CELLS = ((0.5, Form.FIXED, "50/50"), (0.05, Form.ADJUSTED, "5 %"))


def table(
    runs: int, rounds: int, seed: int, settings_for: Callable[[Shape, Form, float], Settings], out: Path
) -> dict[str, object]:
    """What is recorded of `compare`; written to a file after every line: a run that is ended has what it has."""
    few = max(10, runs // 5)
    lines: list[dict[str, object]] = []
    found: dict[str, object] = {"runs": runs, "bet_runs": few, "rounds": rounds, "lines": lines}
    found["at"] = datetime.now(UTC).isoformat(timespec="seconds")
    for line in compare(runs, few, rounds, seed, settings_for):
        lines.append(line)
        out.write_text(json.dumps(found))
    return found


def compare(
    runs: int, bet_runs: int, rounds: int, seed: int, settings_for: Callable[[Shape, Form, float], Settings]
) -> Iterator[dict[str, object]]:
    """Who calls alike versions different, and how soon a difference of .3 sd is seen, by shape and share.

    Args:
        runs, rounds: of a cell.
        bet_runs: of these, for form D.
        seed: of the draws.
        settings_for: the judge's settings.
    """
    plain = [shape for shape in MORE_SHAPES if shape.stakes is None and shape.market is None and shape.canary is None]
    for share, form, name in CELLS:
        for shape in [*SHAPES, *plain] if share < 0.5 else SHAPES:
            rng = np.random.default_rng([seed, 7, int(share * 100), len(shape.name), sum(shape.name.encode())])
            canary = rng.random((runs, rounds)) < share
            value = shape.draw(rng, (runs, rounds))
            settings = settings_for(shape, form, share)
            alike = called(settings, canary, value, bet_runs, share)
            worse = called(settings, canary, value - EFFECT * canary, bet_runs, share)
            yield {
                "shape": shape.name,
                "design": name,
                "alike": {one: float((found < NEVER).mean()) for one, found in alike.items()},
                "worse": {one: rivals.rounds_to(found) for one, found in worse.items()},
            }
            print("|", end="", file=sys.stderr, flush=True)


def called(settings: Settings, canary: Bools, value: Floats, bet_runs: int, share: float) -> dict[str, rivals.Found]:
    """When each calls the canary worse: the judge, form D, and the rivals."""
    rounds, few = value.shape[1], slice(0, bet_runs)
    bounded = replace(settings, form=Form.BOUNDED)
    probability, arms = fixed(share)(rounds), rivals.Arms(canary, value)
    return {
        "judge": judge(settings, canary, value, probability).worse,
        "betting": judge(bounded, canary[few], value[few], probability).worse,
        "msprt": rivals.msprt(arms, settings.due_rounds, share),
        "growthbook": rivals.growthbook(arms),
        "grid": rivals.betting_grid(canary, value, settings.lowest, settings.highest),
        "bonferroni": rivals.bonferroni(arms),
    }
