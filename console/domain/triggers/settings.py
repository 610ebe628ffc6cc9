"""Thresholds, windows and arming of the triggers: defaults, and how a text changes one of them.

A setting's name is `trigger.field`, the same in the file, in Redis and in a sweep: `pnl.sigmas`, `latency.arming`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any, Final

from console.domain.errors import UsageError
from console.domain.text import clean
from console.domain.triggers.finding import Arming, Trigger


def _all_armed() -> Mapping[Trigger, Arming]:
    return dict.fromkeys(Trigger, Arming.ARMED)


@dataclass(frozen=True, slots=True)
class TriggerSettings:
    """Everything a verdict depends on beside the facts.

    Args:
        arming: of each trigger.
        news_s: an exception, refusal or double spend older than this is reported and not acted on: a guard that
            starts late must not act on what people have long since seen.
        spend_window_s: identical content counts as the same action within so many seconds.
        spend_content: whether content without a key counts: `dry` only reports it.
        spend_kept: the newest so many keys, and so many contents, are remembered.
        pnl_sigmas: standard errors below the baseline at which it is told, or new risk frozen.
        pnl_freeze: whether that freezes new risk; `dry`, as it is by default, only tells. By itself it is mostly noise
            or the market: a third of innocent versions at the least are that low once.
        pnl_rounds: fewest rounds for that.
        pnl_window: newest rounds it is taken over.
        pnl_baseline: fewest rounds of a baseline.
        pnl_alpha: chance that the interval calls harm on a version like the old one, over any number of looks.
        pnl_block: rounds a block: autocorrelation within one can't fool the interval.
        pnl_blocks: fewest blocks for a roll back by the interval.
        pnl_due: rounds after which the interval should be tightest.
        pnl_margin: worse by this share of the old mean's size is accepted.
        pnl_budget: loss of one tenure that rolls back whatever the statistics say; None for no such limit.
        pnl_currency: the budget's currency; empty for any.
        pnl_holdback: the share of rounds that the old version still plays after the switch, from 0 to 0.5: where no
            priced shadow tells, these are what the new one is held against. 0 where it plays none.
        latency_factor: times the old median.
        latency_floor_ms: a median up to so many milliseconds is never too slow, however quick the old version was.
        latency_rounds: fewest decisions.
        latency_window_s: how far back.
        latency_persist_s: how long it has to last before it rolls back.
        escrow_gap_s: longest time between two looks at an escrow.
        stale_s: without any decision for so long (and twenty times as long as usual) the facts are stale.
        deadline_s: after so long without facts, roll back.
        window_s: a second automatic roll back within it becomes a halt.
        takeover: whether a healthy side takes over from one whose processes are dead; `dry` only tells. Of plain agents
            nothing beats, so nothing is known to be dead.
        takeover_s: seconds without a heartbeat after which a side is dead; five heartbeats, where it beats more seldom.
        examine_s: between two looks at whether the server is fit for money, at the most.
    """

    arming: Mapping[Trigger, Arming] = field(default_factory=_all_armed)
    news_s: float = 60.0
    spend_window_s: float = 60.0
    spend_content: Arming = Arming.ARMED
    spend_kept: int = 8192
    pnl_sigmas: float = 3.0
    pnl_freeze: Arming = Arming.DRY
    pnl_rounds: int = 10
    pnl_window: int = 50
    pnl_baseline: int = 100
    pnl_alpha: float = 0.05
    pnl_block: int = 10
    pnl_blocks: int = 5
    pnl_due: int = 500
    pnl_margin: float = 0.05
    pnl_budget: Decimal | None = None
    pnl_currency: str = ""
    pnl_holdback: float = 0.0
    latency_factor: float = 2.0
    latency_floor_ms: float = 20.0
    latency_rounds: int = 20
    latency_window_s: float = 120.0
    latency_persist_s: float = 240.0
    escrow_gap_s: float = 60.0
    stale_s: float = 60.0
    deadline_s: float = 300.0
    window_s: float = 3600.0
    takeover: Arming = Arming.ARMED
    takeover_s: float = 5.0
    examine_s: float = 30.0

    def __post_init__(self) -> None:
        for name in _POSITIVE:
            value = getattr(self, name)
            if not isfinite(value) or value <= 0:
                raise UsageError(f"{setting_name(name)} must be above 0, not {value}.")
        for name, most in _MOST.items():
            if getattr(self, name) > most:
                raise UsageError(f"{setting_name(name)} may be at most {most}, not {getattr(self, name)}.")
        if not 0 < self.pnl_alpha <= 0.2:
            raise UsageError(f"pnl.alpha must lie between 0 and 0.2, not at {self.pnl_alpha}.")
        if self.pnl_margin < 0 or not isfinite(self.pnl_margin):
            raise UsageError(f"pnl.margin must be 0 or more, not {self.pnl_margin}.")
        if not 0.0 <= self.pnl_holdback <= 0.5:
            raise UsageError(
                f"pnl.holdback must lie between 0 and 0.5, not at {self.pnl_holdback}.",
                "It is the share of rounds that the old version still plays; 0 for none.",
            )
        if self.pnl_rounds > self.pnl_window:
            raise UsageError(
                f"pnl.rounds ({self.pnl_rounds}) can't be more than pnl.window ({self.pnl_window}).",
                "Raise pnl.window.",
            )
        if self.pnl_budget is not None and not (self.pnl_budget.is_finite() and self.pnl_budget > 0):
            raise UsageError("pnl.budget must be an amount above 0.", "Leave it out for no such limit.")

    def of(self, trigger: Trigger) -> Arming:
        """What a trigger may do."""
        return self.arming.get(trigger, Arming.ARMED)


_PLAIN: Final = frozenset({"news_s", "stale_s", "deadline_s", "window_s", "takeover", "takeover_s", "examine_s"})
_NOT_NUMBERS: Final = frozenset({"arming", "spend_content", "takeover", "pnl_freeze", "pnl_budget", "pnl_currency"})
_POSITIVE: Final = tuple(
    item.name
    for item in fields(TriggerSettings)
    if item.name not in _NOT_NUMBERS and item.name not in ("pnl_alpha", "pnl_margin", "pnl_holdback")
)
_WHOLE: Final = frozenset(
    {"pnl_rounds", "pnl_window", "pnl_baseline", "pnl_block", "pnl_blocks", "pnl_due", "latency_rounds", "spend_kept"}
)
_MOST: Final = {"pnl_window": 10_000, "spend_kept": 1_000_000}
"""What is kept in memory has a bound, whatever a store's text asks for."""


def setting_name(name: str) -> str:
    """A field's name as people write it: `pnl_sigmas` is `pnl.sigmas`, `news_s` is `guard.news_s`."""
    if name in _PLAIN:
        return f"guard.{name}"
    trigger, _, rest = name.partition("_")
    return f"{'double-spend' if trigger == 'spend' else trigger}.{rest}"


_FIELDS: Final = {setting_name(item.name): item.name for item in fields(TriggerSettings) if item.name != "arming"}


def setting_fields() -> list[tuple[str, str]]:
    """Every name that `changed` knows, with the field it stands for; an arming stands for none."""
    return [*_FIELDS.items(), *((f"{trigger.value}.arming", "") for trigger in Trigger)]


def setting_names() -> list[str]:
    """Every name that `changed` knows."""
    return [name for name, _field in setting_fields()]


def changed(settings: TriggerSettings, values: Mapping[str, object]) -> TriggerSettings:
    """Settings with some of them changed.

    Args:
        settings: what they are.
        values: by name, as text or as a number.

    Raises:
        UsageError: there is no such setting, or its value can't be.
    """
    arming = dict(settings.arming)
    new: dict[str, Any] = {}
    for name, value in values.items():
        trigger, _, rest = name.partition(".")
        if rest == "arming":
            if trigger not in set(Trigger):
                raise _unknown(name)
            arming[Trigger(trigger)] = _arming(name, value)
        elif name in _FIELDS:
            new[_FIELDS[name]] = _value(name, _FIELDS[name], value)
        else:
            raise _unknown(name)
    return replace(settings, arming=arming, **new)


def _value(name: str, field_name: str, value: object) -> object:
    text = str(value).strip()
    try:
        if field_name == "pnl_budget":
            return None if text in ("", "none") else Decimal(text)
        if field_name == "pnl_currency":
            return str(clean(text, 16))
        if field_name in ("spend_content", "takeover", "pnl_freeze"):
            return _arming(name, text)
        return int(text) if field_name in _WHOLE else float(text)
    except (ValueError, InvalidOperation) as error:
        raise UsageError(f"{name} can't be {clean(text, 40)!r}.", "Give a number.") from error


def _arming(name: str, value: object) -> Arming:
    if str(value) not in set(Arming):
        raise UsageError(f"{clean(name, 40)} can't be {clean(str(value), 40)!r}.", "It is armed, dry or off.")
    return Arming(str(value))


def _unknown(name: str) -> UsageError:
    from difflib import get_close_matches

    near = get_close_matches(name, setting_names(), n=1)
    hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(setting_names())}."
    return UsageError(f"There is no trigger setting {clean(name, 60)!r}.", hint)
