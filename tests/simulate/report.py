"""The documents' section on how often the verdicts are wrong, from the figures that `make simulate` recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import sqrt
from typing import Any, Final

Line = dict[str, Any]


_HOW = """\
`make simulate`, {at}: {runs:,} runs of {rounds:,} rounds for each cell, looked at after every round. α is 5 % to
roll back and 1 % to promote, the margin 0.1 standard deviations (sd), the first decision due after 2,000 rounds.
(A) is a fixed share; (B) rests on the announced probability of each round, which is what `route` gives; (C) is pairs,
which is what `split` gives. The ramp goes 5 → 20 → 50 % while the market falls by 2 sd."""

_ALIKE = """\
Both versions alike: rolled back by this judge / by Welch's test at 5 % (paired t for pairs) / by Mann-Whitney
at 98 % every 100 rounds (a fifth of the runs), all on the same rounds:"""

_STRANGE = """\
Stranger payoffs and stakes, in the two designs of the product: rolled back though alike, with its 95 % interval / by
Welch's test, and promoted though worse by exactly the margin, with its own. *Odds* are a canary whose payoff has the
same mean at longer odds (its spread is in the plan); the blocks of φ are those that `canary plan` advises; the
stakes are 1 and 100, Pareto (2.5), or a random walk (Kelly); shocks hit both versions alike:"""

_WORSE = "The canary worse: promoted all the same (the worst of the six payoffs), and rounds until it was rolled back:"

_BESIDE = """\
Beside others' tests made for many looks, on the same rounds (`make simulate ARGS=--rivals`, {at}: {runs:,} runs of
{rounds:,} rounds for each cell, or as many as stand beside its name). Each is written down from its formula in
`tests/simulate/rivals.py`, one-sided at 5 %; form D bets between the declared bounds, and stands where all stakes are
one. mSPRT is tuned to the first decision as we are, GrowthBook as it comes; the betting grid is two one-sample
sequences on a grid of means; Bonferroni looks a hundred times; none of the rivals has blocks or weighs rounds by money.
50/50 is (A), 5 % is (B). Per cent of runs that call alike versions different, with the 95 % interval:"""

_BESIDE_SOON = "Rounds until 0.3 sd of harm is seen, the median of these runs (*more*: by fewer than half of them):"

_SOON = """\
Rounds until harm is proven (median, normal payoffs). *The formula alone* knows the variance and has all of α;
what lies between is the price of an estimated variance, and of the tenth of α kept for harm that only a larger share
brings. Pairs are due after 1,000 rounds, in which as many stakes are played. *The lab* is what a few hundred runs of
the formula gave before this product was begun:"""

_SHADOW = """\
What a shadow costs the live path, which copies the state and its decision and hands them over; the first line is what
no shadow can do without:"""

IN_THE_LAB: Final = {
    (0.3, "5% of the rounds"): 1_700,
    (0.3, "20% of the rounds"): 510,
    (0.3, "50% of the rounds"): 420,
    (0.1, "5% of the rounds"): 10_800,
    (0.1, "20% of the rounds"): 3_100,
    (0.1, "50% of the rounds"): 2_100,
    (0.1, "pairs, correlation 0.0"): 1_160,
    (0.1, "pairs, correlation 0.5"): 650,
    (0.1, "pairs, correlation 0.9"): 216,
}
"""What the simulations before this product gave, of a few hundred runs each."""

_THROUGH = """\
Through the router itself, with bets of 1 to 20, at {shares} % of the money: {worse} rounds
until 0.3 sd of harm is proven, and {alike} rolled back though alike. A share that is exact to one bet
leaves some rounds no choice, and those say nothing about the difference: that is the price of the exactness."""

_COST = """\
One round through router, judge, guardrails and evaluator, beside a thousand additions in plain Python taken
in turn with it. The processor time is the mean of 18,000 rounds, with the looks of form D, which come every so often,
in it; where the quickest batch is missing, the machine was too busy to tell:"""


def section(found: dict[str, Any]) -> str:
    """Text and tables; every figure is one of `found`."""
    alarms: list[Line] = found["false_alarms"]
    designs = len(_by(alarms, "design"))
    usual = [line for lines in _by(alarms, "shape").values() if len(lines) == designs for line in lines]
    return "\n\n".join(
        (
            "### How often it is wrong, and how soon right",
            _HOW.format(at=found["at"][:10], runs=found["runs"], rounds=found["rounds"]),
            _ALIKE,
            _false_alarms(usual),
            _STRANGE,
            _strange([line for line in alarms if line not in usual], found["runs"]),
            _WORSE,
            _worse(usual),
            *(_beside(found["rivals"]) if "rivals" in found else ()),
            _SOON,
            _power(found["power"]),
            _router(found["router"]),
            _COST,
            _costs(found["round_us"]),
            _SHADOW,
            _shadows(found["shadow_us"]),
        )
    )


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    names = list(head)
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    return "\n".join([*lines, *("| " + " | ".join(map(str, row)) + " |" for row in rows)])


def _by(lines: list[Line], key: str) -> dict[str, list[Line]]:
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(line[key], []).append(line)
    return groups


def _share(value: float) -> str:
    return f"{value * 100:.1f}" if 0 < value < 0.0995 else f"{value * 100:.0f}"


def _false_alarms(alarms: list[Line]) -> str:
    def cell(line: Line) -> str:
        return " / ".join(_share(line[name]) for name in ("false_roll_back", "welch", "mann_whitney"))

    return _table(
        ("%", *_by(alarms, "design")), ((shape, *map(cell, lines)) for shape, lines in _by(alarms, "shape").items())
    )


def interval(share: float, runs: int) -> tuple[float, float]:
    """The 95 % interval of a share of so many runs (Wilson 1927)."""
    z = 1.96
    middle = (share + z * z / (2 * runs)) / (1 + z * z / runs)
    half = z * sqrt(share * (1 - share) / runs + z * z / (4 * runs * runs)) / (1 + z * z / runs)
    return max(0.0, middle - half), middle + half


def _strange(alarms: list[Line], runs: int) -> str:
    def told(share: float) -> str:
        low, high = interval(share, runs)
        return f"{_share(share)} ({_share(low)}–{_share(high)})"

    def cells(line: Line) -> tuple[str, str]:
        wrong = f"{told(line['false_roll_back'])} / {_share(line['welch'])}"
        return wrong, told(line["false_promotion_at_margin"])

    head = [f"{name}: {what}" for name in _by(alarms, "design") for what in ("rolled back", "promoted at the margin")]
    rows = ((shape, *(cell for line in lines for cell in cells(line))) for shape, lines in _by(alarms, "shape").items())
    return _table(("%", *head), rows)


RIVALS: Final = {
    "judge": "this judge",
    "betting": "form D",
    "msprt": "mSPRT",
    "growthbook": "GrowthBook",
    "grid": "betting grid",
    "bonferroni": "Welch/Bonferroni",
}


def _beside(found: dict[str, Any]) -> tuple[str, ...]:
    """The two tables beside rivals: false alarms, and rounds until harm is seen."""
    lines: list[Line] = found["lines"]

    def size(line: Line) -> tuple[int, int]:
        return line.get("runs", found["runs"]), line.get("rounds", found["rounds"])

    def name_of(line: Line) -> str:
        runs, rounds = size(line)
        fewer = "" if (runs, rounds) == (found["runs"], found["rounds"]) else f" ({runs:,} × {rounds:,})"
        return f"{line['shape']}, {line['design']}{fewer}"

    def alike(line: Line, name: str) -> str:
        if name not in line["alike"]:
            return ""
        share = line["alike"][name]
        low, high = interval(share, size(line)[0])
        return f"{_share(share)} ({_share(low)}–{_share(high)})"

    def worse(line: Line, name: str) -> str:
        if name not in line["worse"]:
            return ""
        rounds = line["worse"][name]
        return "more" if rounds is None else f"{rounds:,}"

    def told(show: Callable[[Line, str], str]) -> str:
        rows = ((name_of(line), *(show(line, name) for name in RIVALS)) for line in lines)
        return _table(("", *RIVALS.values()), rows)

    how = {"at": found["at"][:10], "runs": found["runs"], "rounds": found["rounds"]}
    return (_BESIDE.format(**how), told(alike), _BESIDE_SOON, told(worse))


def _worse(alarms: list[Line]) -> str:
    designs = _by(alarms, "design")

    def rounds(lines: list[Line]) -> str:
        medians = [line["rounds_to_roll_back_1sd"] for line in lines if line["shape"] != "AR(1)"]
        return f"{min(medians):,} to {max(medians):,}"

    def worst(name: str) -> Callable[[list[Line]], str]:
        return lambda lines: f"{_share(max(line[name] for line in lines))} %"

    rows = (
        ("promoted, worse by exactly the margin", worst("false_promotion_at_margin")),
        ("promoted, worse by 1 sd", worst("false_promotion_1sd")),
        ("rounds to roll back, worse by 1 sd (AR(1) in blocks of 20 apart)", rounds),
    )
    return _table(("", *designs), ((name, *map(show, designs.values())) for name, show in rows))


def _power(lines: list[Line]) -> str:
    def cell(line: Line, name: str) -> str:
        if name not in line:
            return ""
        return "more" if line[name] is None else f"{line[name]:,}"

    def lab(line: Line) -> str:
        found = IN_THE_LAB.get((line["effect"], line["design"]))
        return "" if found is None else f"{found:,}"

    columns = ("fixed", "adjusted", "paired", "formula")
    return _table(
        ("worse by", "the canary plays", "(A)", "(B)", "pairs (C)", "the formula alone", "the lab"),
        (
            (f"{line['effect']} sd", line["design"], *(cell(line, name) for name in columns), lab(line))
            for line in lines
        ),
    )


def _router(lines: list[Line]) -> str:
    alike = [f"{_share(line['rolled_back'])} %" for line in lines if line["effect"] == 0]
    worse = [f"{line['rounds']:,}" if line["rounds"] else "more" for line in lines if line["effect"] != 0]
    shares = " / ".join(f"{float(line['share']) * 100:.0f}" for line in lines if line["effect"] == 0)
    return _THROUGH.format(shares=shares, worse=" / ".join(worse), alike=" / ".join(alike))


def _shadows(lines: dict[str, list[float]]) -> str:
    return _table(
        ("the shadow", "p50", "p99"), ((name, f"{p50:.0f} µs", f"{p99:.0f} µs") for name, (p50, p99) in lines.items())
    )


def _costs(lines: dict[str, Line]) -> str:
    return _table(
        ("", "p50", "quickest batch", "floor", "ratio of these two", "processor time, mean"),
        (
            (
                mode,
                *(f"{c[name]:.0f} µs" if name in c else "" for name in ("p50", "best", "floor")),
                f"{c['best'] / c['floor']:.2f}" if "best" in c else "",
                f"{c['cpu']:.0f} µs" if "cpu" in c else "",
            )
            for mode, c in lines.items()
        ),
    )
