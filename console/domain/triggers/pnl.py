"""The PnL trigger: the loss budget, the always-valid interval, and 3σ, each for what it can bear.

3σ below the baseline on a short window is noise (33 to 73 % false alarms within 1,000 to 2,000 rounds of a version like
the old one), so by itself it freezes new risk and alerts. Only money lost beyond the budget, or an interval that
excludes chance however often it was looked at, is harm.
"""

from __future__ import annotations

from functools import lru_cache
from math import inf, isfinite, sqrt
from typing import Final, NamedTuple

from console.domain.canary.harm import ways_words
from console.domain.shadow.pairs import judged
from console.domain.statistics.boundary import radius, rho_squared
from console.domain.statistics.payoffs import Payoffs, payoffs_of
from console.domain.text import clean
from console.domain.triggers.baseline import PnlBaseline
from console.domain.triggers.facts import Pairs
from console.domain.triggers.finding import Arming, Response, Verdict
from console.domain.triggers.rounds import PnlWindow, Rounds
from console.domain.triggers.settings import TriggerSettings

PAST: Final = "held against the past: a falling market looks like harm"
"""The weakness of every baseline, said wherever one is held against a version."""

BEFORE: Final = "before"
"""What the other version's rounds are called beside the new one's."""

HOLDBACK_SHARE: Final = 0.5
"""The same where the old version's rounds go on: they are few, and what is known of them is what is lacking."""

FEW: Final = 10.0
"""Rounds held back from which on it is looked whether they come at all."""

BASELINE_SHARE: Final = 0.2
"""Share of alpha spent on the baseline's own mean; the rest is the new version's."""


class PnlView(NamedTuple):
    """What the rounds of one currency show.

    Args:
        verdict, response, reason: see `Finding`.
        value: standard errors from the baseline, or money for the budget.
        threshold, unit: of that value.
        n: rounds of the tenure.
        estimate: new mean less the baseline's, per round.
        upper: not above this, however often it is looked at; infinite while nothing can be said.
    """

    verdict: Verdict
    response: Response
    reason: str
    value: float | None
    threshold: float | None
    unit: str
    n: int
    estimate: float = 0.0
    upper: float = inf


def interval(
    window: Rounds, before: PnlBaseline, settings: TriggerSettings, currencies: int = 1, beside: float = 0.0
) -> tuple[float, float]:
    """The difference of block means, new less old, and its one-sided upper bound at `pnl_alpha` over all currencies.

    Both means get a sequence of their own ([WS] Proposition 2.5 with [H], see `console.domain.statistics.sequences`),
    so the bound holds at whatever moment the old version was replaced and whenever the new one is looked at. Neither
    spread is taken to be smaller than that of both pooled: who has not met the rare outcome yet knows nothing of it.

    Args:
        window, before: of the new version and the old one, in one unit.
        settings, currencies: alpha, and how many are judged side by side.
        beside: the old version's share of the rounds where it goes on playing; 0 where its rounds are over.
    """
    now = window.blocks.moments
    estimate = now.mean - before.block_mean
    if now.count < settings.pnl_blocks or before.blocks < 2 or before.block != window.blocks.size:
        return estimate, inf
    pooled = (now.squares + before.block_squares) / (now.count + before.blocks)
    alpha = settings.pnl_alpha / max(1, currencies)
    share = HOLDBACK_SHARE if beside else BASELINE_SHARE
    of_old, of_new = alpha * share, alpha * (1.0 - share)
    due = max(1.0, settings.pnl_due / settings.pnl_block)
    # rounds that are over are tuned to their number; of those that go on the boundary must not move while one looks
    due_old = max(1.0, due * beside) if beside else before.blocks
    new, old = _reach(now.count, due, of_new), _reach(before.blocks, due_old, of_old)
    spread_new = sqrt(max(now.variance, pooled))
    spread_old = sqrt(max(before.block_squares / before.blocks, pooled))
    return estimate, estimate + spread_new * new + spread_old * old


@lru_cache(maxsize=4096)
def _reach(count: int, due: float, alpha: float) -> float:
    """One-sided distance in standard deviations of a block, tightest at `due` blocks."""
    return radius(count, count, rho_squared(2.0 * alpha, due), alpha)


def judge_holdback(
    currency: str, window: PnlWindow, beside: PnlWindow | None, settings: TriggerSettings, currencies: int = 1
) -> PnlView | None:
    """What the active side made of its rounds beside those that the old version still plays meanwhile: a market that
    falls falls for both. None where it plays none, or too few for its share. The loss budget stands all the same."""
    n, have = window.money.moments.count, beside.money.moments.count if beside is not None else 0
    expected = settings.pnl_holdback * (n + have)
    if not settings.pnl_holdback or (expected >= FEW and have < expected / 2.0):
        return None
    if over_budget(currency, window, settings):
        return judge_pnl(currency, window, None, settings)
    money, least = currency or "(no currency)", settings.pnl_blocks * settings.pnl_block
    if beside is None or beside.money.blocks.moments.count < settings.pnl_blocks:
        reason = f"not enough data: {have} of {least} rounds that the old version still plays"
        return PnlView(Verdict.UNDECIDED, Response.CONTINUE, reason, None, -settings.pnl_margin, money, n)
    before = beside.frozen()
    rounds, meanwhile = comparable(window, before)
    if meanwhile is not before:
        money = "of the usual stake"
    estimate, upper = interval(rounds, meanwhile, settings, currencies, settings.pnl_holdback)
    margin = settings.pnl_margin * abs(meanwhile.mean)
    figures = (estimate, -margin, money, n, estimate, upper)
    whose = f"against the {meanwhile.rounds} rounds that the old version still played meanwhile"
    if not isfinite(upper):
        return PnlView(Verdict.UNDECIDED, Response.CONTINUE, f"{whose}: not enough to tell", *figures)
    reason = f"{whose}: {estimate:+.4g} {money} a round, at most {upper:+.4g} however often one looks"
    if upper < 0.0 and estimate < -margin:
        return PnlView(Verdict.HARM, Response.ROLL_BACK, f"{reason}{_ways(window, before)}", *figures)
    return PnlView(Verdict.SAFE, Response.CONTINUE, reason, *figures)


def _ways(window: PnlWindow, before: PnlBaseline) -> str:
    """In what way the rounds are worse, as it is told of a canary; empty where nothing of the others is kept."""
    if before.payoffs is None:
        return ""
    old = Payoffs()
    old.restore(before.payoffs)
    return f"; {ways_words(payoffs_of(window.payoffs, old), BEFORE)}"


def comparable(window: PnlWindow, before: PnlBaseline) -> tuple[Rounds, PnlBaseline]:
    """Both in the unit in which they can be compared: per usual stake where both versions say what was at risk (stakes
    that changed are no harm), else in money."""
    if window.staked and before.returns is not None:
        return window.returns, before.returns
    return window.money, before


def sigmas(window: Rounds, before: PnlBaseline) -> float | None:
    """Standard errors by which the newest rounds' mean lies above (or, negative, below) the baseline's.

    None where neither has any spread and the means differ: then any difference is infinitely many.
    """
    n = len(window.recent)
    mean = window.recent.mean
    variance = before.deviation**2
    if variance == 0.0 and n > 1:
        variance = sum((value - mean) ** 2 for value in window.recent) / (n - 1)
    error = sqrt(variance / n + variance / before.rounds)
    difference = mean - before.mean
    if error <= 1e-12 * max(abs(mean), abs(before.mean), 1e-300):
        return 0.0 if abs(difference) <= 1e-9 * max(abs(mean), abs(before.mean)) else None
    return difference / error


def over_budget(currency: str, window: PnlWindow, settings: TriggerSettings) -> bool:
    """Whether a tenure lost what it was allowed to lose."""
    budget = settings.pnl_budget
    return budget is not None and settings.pnl_currency in ("", currency) and window.total <= -budget


def with_oddities(view: PnlView, currency: str, window: PnlWindow, settings: TriggerSettings, now_s: float) -> PnlView:
    """The same, with what was set aside, and what could not be held against the budget, named in it.

    Args:
        view, currency, window, settings: as judged.
        now_s: epoch seconds; what was set aside is news for `settings.news_s`, and alerts for so long.
    """
    reason, response, aside = view.reason, view.response, window.aside
    if aside.count:
        newest = aside.newest[-1]
        reason += f"; {aside.count} set aside, the newest {newest.text} ({clean(newest.id, 64)})"
        if response is Response.CONTINUE and now_s - newest.at_s <= settings.news_s:
            response = Response.ALERT
    if not currency:
        reason += "; the rounds name no currency"
        if settings.pnl_budget is not None and settings.pnl_currency:
            reason += f", the budget is in {settings.pnl_currency} and does not watch them"
    return view._replace(reason=reason, response=response)


def judge_pairs(pairs: Pairs, window: PnlWindow | None, settings: TriggerSettings) -> PnlView:
    """What the active side made of its rounds, beside what the other version would have made of the very same.

    A market that falls falls for both, so this is what is judged wherever a priced shadow tells of it; the loss budget
    stands all the same.
    """
    currency = pairs.currency
    sums, per_stake = judged(pairs.sums, pairs.returned)
    money = "of the usual stake" if per_stake else currency or "(no currency)"
    whose = f"{pairs.slot}'s shadow on the same {sums.rounds} rounds"
    if window is not None and over_budget(currency, window, settings):
        return judge_pnl(currency, window, None, settings)
    lower, upper = sums.bounds(settings.pnl_alpha, settings.pnl_due)
    size = sqrt(sums.squares / sums.rounds) if sums.rounds else 0.0
    margin = settings.pnl_margin * size  # of one round's difference
    figures = (sums.mean, -margin, money, sums.rounds, sums.mean, upper)
    if not isfinite(upper):
        reason = f"against {whose}: not enough to tell"
        return PnlView(Verdict.UNDECIDED, Response.CONTINUE, reason, *figures)
    reason = f"against {whose}: {sums.mean:+.4g} {money} a round, between {lower:+.4g} and {upper:+.4g}"
    if upper < 0.0 and sums.mean < -margin:
        return PnlView(Verdict.HARM, Response.ROLL_BACK, reason, *figures)
    return PnlView(Verdict.SAFE, Response.CONTINUE, reason, *figures)


def judge_pnl(
    currency: str, window: PnlWindow, before: PnlBaseline | None, settings: TriggerSettings, currencies: int = 1
) -> PnlView:
    """What one currency's rounds show, of so many that are judged side by side."""
    n, money = window.money.moments.count, currency or "(no currency)"
    if over_budget(currency, window, settings):
        budget, lost = settings.pnl_budget, float(window.total)
        reason = f"lost {-window.total} {money}: the budget was {budget}"
        return PnlView(Verdict.HARM, Response.ROLL_BACK, reason, lost, -float(budget or 0), currency, n)
    limit = -settings.pnl_sigmas
    if before is None or before.rounds < settings.pnl_baseline:
        have = f"{before.rounds if before else 0} of {settings.pnl_baseline} rounds of the version before"
        reason = f"no baseline in {money}: {have}"
        return PnlView(Verdict.UNDECIDED, Response.CONTINUE, reason, None, limit, "σ", n)
    if n < settings.pnl_rounds:
        reason = f"not enough data: {n} of {settings.pnl_rounds} rounds"
        return PnlView(Verdict.UNDECIDED, Response.CONTINUE, reason, None, limit, "σ", n)
    rounds, past = comparable(window, before)
    if past is not before:
        money = "of the usual stake"
    estimate, upper = interval(rounds, past, settings, currencies)
    z = sigmas(rounds, past)
    margin = settings.pnl_margin * abs(past.mean)
    bound = f"bound {upper:+.4g}" if isfinite(upper) else "no bound yet"
    below = z <= limit if z is not None else rounds.recent.mean < past.mean
    if upper < 0.0 and estimate < -margin:
        verdict, response = Verdict.HARM, Response.ROLL_BACK
        reason = f"{estimate:+.4g} {money} a round, at most {upper:+.4g} however often one looks ({_say_z(z)})"
        reason += _ways(window, before)
    elif below:
        verdict = Verdict.UNDECIDED
        response = Response.FREEZE if settings.pnl_freeze is Arming.ARMED else Response.ALERT
        if settings.pnl_freeze is Arming.OFF:
            response = Response.CONTINUE
        reason = f"{_say_z(z)} over the last {len(rounds.recent)} rounds; chance is not excluded ({bound})"
    else:
        verdict, response, reason = Verdict.SAFE, Response.CONTINUE, f"{_say_z(z)}; {bound}"
    if verdict is not Verdict.SAFE:
        reason += f"; {PAST}"
    return PnlView(verdict, response, reason, z, limit, "σ", n, estimate, upper)


def _say_z(z: float | None) -> str:
    return "apart without any spread" if z is None else f"{z:+.2f} σ"
