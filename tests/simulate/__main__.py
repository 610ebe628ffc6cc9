"""`make simulate`: prints Markdown tables and writes simulate.json. A quarter of an hour on one core; `--quick` for one
minute. With `--record` the figures are also kept in `tests/figures`, from where `python -m tests.generate.tables` takes
them.
"""

from __future__ import annotations

import argparse
import json
import logging
import platform
import random
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path

import numpy as np

from console.agent.canary.router import CanaryRouter
from console.domain.canary.plan import Mode, Position
from console.domain.statistics.evidence import Form, Settings, Verdict
from console.domain.statistics.judge import Judge
from tests import ROOT
from tests.simulate import beside, cost, formula, peers
from tests.simulate.shapes import MORE_SHAPES, SHAPES, Floats, Shape, drift, fixed, ramp
from tests.simulate.vector import NEVER, judge

RECORDED = ROOT / "tests" / "figures" / "simulate.json"
MARGIN = 0.1
DUE = 2000
MOST_POWER_RUNS = 600
"""They are up to 36,000 rounds long, and all in memory at once."""

Probability = Callable[[int], Floats]
DESIGNS: tuple[tuple[str, Form, Probability], ...] = (
    ("50/50 (A)", Form.FIXED, fixed(0.5)),
    ("5 % (A)", Form.FIXED, fixed(0.05)),
    ("5 % (B)", Form.ADJUSTED, fixed(0.05)),
    ("ramp, drift (B)", Form.ADJUSTED, ramp),
    ("pairs (C)", Form.PAIRED, fixed(0.5)),
)


def settings_for(shape: Shape, form: Form, share: float, margin: float = MARGIN) -> Settings:
    """The settings of every run: the true spread, bounds that hold, the margin a tenth of a standard deviation."""
    return Settings(
        margin=margin,
        sigma=1.0,
        lowest=shape.lowest - 4,
        highest=shape.highest + 4,
        form=form,
        due_rounds=DUE,
        share=share,
        block=shape.block,
        sigma_canary=shape.sigma_canary,
    )


def median_round(found: np.ndarray) -> int | None:
    """The median of rounds, or None where more than half of the runs never got there."""
    middle = float(np.median(np.where(found == NEVER, np.inf, found)))
    return int(middle) if np.isfinite(middle) else None


def false_alarms(runs: int, rounds: int, seed: int, rank_runs: int) -> list[dict[str, object]]:
    """Wrong verdicts by shape and design, beside the peers' on the same rounds."""
    lines: list[dict[str, object]] = []
    product = DESIGNS[2:4]
    for shape, designs in [*((one, DESIGNS) for one in SHAPES), *((one, product) for one in MORE_SHAPES)]:
        for name, form, probability in designs:
            rng = np.random.default_rng([seed, len(lines)])
            pi, pairs = probability(rounds), form is Form.PAIRED
            canary = np.ones((runs, rounds), bool) if pairs else rng.random((runs, rounds)) < pi
            value = shape.draw(rng, (runs, rounds))
            other = shape.draw(rng, (runs, rounds)) if pairs else None
            if shape.canary is not None:
                value = np.where(canary, shape.canary(rng, (runs, rounds)), value)
            if shape.market is not None:
                value += shape.market(rng, (runs, rounds))
            if probability is ramp:
                value += drift(rounds)
            stake = None if shape.stakes is None else shape.stakes(rng, (runs, rounds))
            steps = frozenset({rounds // 3, 2 * (rounds // 3)}) if probability is ramp else frozenset()
            settings = settings_for(shape, form, 0.2 if probability is ramp else float(pi[0]))
            same = judge(settings, canary, value, pi, other, steps, stake=stake)
            margin = judge(settings, canary, value - MARGIN * canary, pi, other, steps, stake=stake)
            worse = judge(settings, canary, value - canary, pi, other, steps, stop=True, stake=stake)
            few = slice(0, min(rank_runs, runs))
            if other is None:
                welch = peers.welch(canary, value)
                ranks = peers.mann_whitney(canary[few], value[few])
            else:
                welch = peers.paired_t(value, other)
                both = np.concatenate([value[few], other[few]], axis=1)
                flags = np.concatenate([canary[few], ~canary[few]], axis=1)
                mixed = np.argsort(np.tile(np.arange(rounds), 2), kind="stable")
                ranks = peers.mann_whitney(flags[:, mixed], both[:, mixed])
            line: dict[str, object] = {
                "shape": shape.name,
                "design": name,
                "false_roll_back": float((same.worse < NEVER).mean()),
                "false_promotion_at_margin": float((margin.safe < NEVER).mean()),
                "false_promotion_1sd": float((worse.safe < worse.harm).mean()),
                "rounds_to_roll_back_1sd": median_round(worse.harm),
                "equal_promoted": float((same.safe < NEVER).mean()),
                "welch": float(welch.mean()),
                "mann_whitney": float(ranks.mean()),
            }
            lines.append(line)
            print(".", end="", file=sys.stderr, flush=True)
    return lines


def power(runs: int, seed: int) -> list[dict[str, object]]:
    """Rounds until harm is proven, for normal payoffs and a margin that plays no part; beside the formula alone."""
    lines: list[dict[str, object]] = []
    normal = SHAPES[0]
    for effect, most in ((0.3, 6000), (0.1, 36_000)):
        for share in (0.05, 0.2, 0.5):
            rounds = most if share < 0.2 else most // 3
            rng = np.random.default_rng([seed, 1, len(lines)])
            canary = rng.random((runs, rounds)) < share
            value = rng.standard_normal((runs, rounds)) - effect * canary
            line: dict[str, object] = {"effect": effect, "design": f"{share:.0%} of the rounds"}
            for form in (Form.FIXED, Form.ADJUSTED):
                settings = settings_for(normal, form, share, margin=0.01)
                found = judge(settings, canary, value, fixed(share)(rounds), stop=True)
                line[form.value] = median_round(found.harm)
            line["formula"] = formula.rounds_to_prove(
                effect * (share * (1 - share)) ** 0.5, DUE, 10 * runs, [seed, 3, len(lines)]
            )
            lines.append(line)
            print(":", end="", file=sys.stderr, flush=True)
    for correlation in (0.0, 0.5, 0.9):
        rounds, due = 6000, DUE // 2
        rng = np.random.default_rng([seed, 2, int(correlation * 10)])
        stable = rng.standard_normal((runs, rounds))
        own = rng.standard_normal((runs, rounds))
        canary_value = correlation * stable + (1 - correlation**2) ** 0.5 * own - 0.1
        settings = replace(settings_for(normal, Form.PAIRED, 0.5, margin=0.01), correlation=correlation, due_rounds=due)
        both = np.ones((runs, rounds), bool)
        found = judge(settings, both, canary_value, fixed(0.5)(rounds), stable, stop=True)
        alone = formula.rounds_to_prove(0.1 / (2 * (1 - correlation)) ** 0.5, due, 10 * runs, [seed, 4, len(lines)])
        lines.append(
            {
                "effect": 0.1,
                "design": f"pairs, correlation {correlation}",
                "paired": median_round(found.harm),
                "formula": alone,
            }
        )
    return lines


def one_through_router(share: str, effect: float, rounds: int, seed: int, run: int) -> int | None:
    """One run of the product as it runs: the real router, bets of many sizes, the real judge; none of it vectorised.

    Returns:
        The round at which harm was proven; None where it never was.
    """
    rng = random.Random(f"{seed} {share} {effect} {run}")
    router = CanaryRouter(f"run {seed} {run}", mode=Mode.ROUTE, cap=Decimal(1000))
    router.apply(Position(1, 1), Decimal(share), Decimal(10**8))
    judged = Judge(settings_for(SHAPES[0], Form.ADJUSTED, float(share), margin=0.01))
    for at in range(rounds):
        given = router.assign(str(at), Decimal(rng.choice((1, 1, 2, 5, 20))))
        router.settle(str(at))
        value = rng.gauss(effect if given.to_canary else 0.0, 1.0)
        judged.round(given.to_canary, value, given.probability)
        if judged.evidence.verdict is Verdict.HARM:
            return at + 1
    return None


def through_router(runs: int, rounds: int, seed: int) -> list[dict[str, object]]:
    """All runs that are alike, and a sixth as many that are worse; on every core, since a run takes a third of a
    second."""
    lines: list[dict[str, object]] = []
    with ProcessPoolExecutor() as cores:
        for share in ("0.05", "0.2", "0.5"):
            for effect in (0.0, -0.3):
                count = runs if not effect else max(10, runs // 6)
                run = partial(one_through_router, share, effect, rounds, seed)
                harm = [found for found in cores.map(run, range(count), chunksize=5) if found is not None]
                median = int(statistics.median(harm)) if len(harm) > count / 2 else None
                lines.append(
                    {
                        "share": share,
                        "effect": effect,
                        "runs": count,
                        "rolled_back": len(harm) / count,
                        "rounds": median,
                    }
                )
                print(",", end="", file=sys.stderr, flush=True)
    return lines


def percent(share: object) -> str:
    """As in the tables."""
    return f"{float(share) * 100:.1f} %" if isinstance(share, float) else "-"


def main() -> None:
    """Run everything and print it."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulate", description=__doc__)
    parser.add_argument("--runs", type=int, default=1000, help="of 300, a rate of 3 % shows as anything up to 6 %")
    parser.add_argument("--rounds", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=20260301)
    parser.add_argument("--quick", action="store_true", help="60 runs of 2,000 rounds")
    parser.add_argument("--out", type=Path, default=Path("simulate.json"))
    parser.add_argument(
        "--costs", action="store_true", help="only what a round and a shadow cost; the rest as recorded"
    )
    parser.add_argument(
        "--rivals", action="store_true", help="only the table beside rivals, --runs of them; the rest as recorded"
    )
    parser.add_argument("--record", action="store_true", help=f"write to {RECORDED} too")
    args = parser.parse_args()
    runs, rounds = (60, 2000) if args.quick else (args.runs, args.rounds)
    logging.disable(logging.WARNING)
    started = time.monotonic()
    if args.costs:
        keep(json.loads(RECORDED.read_text()) | measured_costs(), args)
        return
    if args.rivals:
        rivals = beside.table(runs, rounds, args.seed, settings_for, args.out)
        keep(json.loads(RECORDED.read_text()) | {"rivals": rivals}, args)
        return
    alarms = false_alarms(runs, rounds, args.seed, rank_runs=max(20, runs // 5))
    found_power = power(max(60, min(runs, MOST_POWER_RUNS)), args.seed)
    routed = through_router(runs, rounds, args.seed)
    costs = measured_costs()
    print(file=sys.stderr)
    print(
        f"{runs} runs of {rounds:,} rounds, looked at after every one; margin {MARGIN} sd; decision due at {DUE:,}.\n"
    )
    print(
        "| payoff | rounds shared out | false roll back | Welch 5 % | Mann-Whitney 98 % | promoted at the margin "
        "| promoted 1 sd worse | rounds to roll back 1 sd worse | promoted when equal |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for line in alarms:
        cells = [line["shape"], line["design"]]
        cells += [percent(line[name]) for name in ("false_roll_back", "welch", "mann_whitney")]
        cells += [percent(line[name]) for name in ("false_promotion_at_margin", "false_promotion_1sd")]
        cells += [line["rounds_to_roll_back_1sd"] or "more", percent(line["equal_promoted"])]
        print("| " + " | ".join(map(str, cells)) + " |")
    print("\n| effect, sd | design | (A) | (B) | pairs (C) | the formula alone |\n|---|---|---|---|---|---|")
    for line in found_power:
        forms = (line.get(name, "") for name in ("fixed", "adjusted", "paired", "formula"))
        cells = ("more" if found is None else str(found) for found in forms)
        print(f"| {line['effect']} | {line['design']} | " + " | ".join(cells) + " |")
    print("\n| router, share | effect, sd | rolled back | rounds (median) |\n|---|---|---|---|")
    for line in routed:
        print(f"| {line['share']} | {line['effect']} | {percent(line['rolled_back'])} | {line['rounds'] or '-'} |")
    document = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "runs": runs,
        "rounds": rounds,
        "seed": args.seed,
        "seconds": round(time.monotonic() - started, 1),
        "false_alarms": alarms,
        "power": found_power,
        "router": routed,
        **costs,
    }
    keep(document, args)


def measured_costs() -> dict[str, object]:
    """What a round and a shadow cost, printed."""
    rounds_cost = {mode.value: cost.one_round(mode) for mode in Mode}
    rounds_cost["route, form D"] = cost.one_round(Mode.ROUTE, Form.BOUNDED)
    overhead = cost.shadow_overhead(2000)
    print("\n| one round | p50 µs | p99 µs | quickest batch µs | floor µs | mean processor µs | ratio |")
    print("|---|---|---|---|---|---|---|")
    for mode, found in rounds_cost.items():
        cells = (*(f"{value:.1f}" for value in found), f"{found.ratio:.2f}")
        print(f"| {mode} | " + " | ".join(cells) + " |")
    print("\n| shadow | p50 µs | p99 µs |\n|---|---|---|")
    for name, (p50, p99) in overhead.items():
        print(f"| {name} | {p50:.0f} | {p99:.0f} |")
    return {"round_us": {mode: found._asdict() for mode, found in rounds_cost.items()}, "shadow_us": overhead}


def keep(document: dict[str, object], args: argparse.Namespace) -> None:
    """Write the figures down."""
    for target in (args.out, RECORDED) if args.record else (args.out,):
        target.write_text(json.dumps(document, indent=1) + "\n")
    print(f"\n{document['seconds']} s; written to {args.out}", file=sys.stderr)


if __name__ == "__main__":
    main()
