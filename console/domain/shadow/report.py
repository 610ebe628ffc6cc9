"""What a shadow's process says of its rounds, as the store keeps it; and divergences as anybody writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from console.domain.document import exact
from console.domain.errors import UsageError
from console.domain.shadow.compare import Comparison, Kind, Mismatch, Raised, Rules, compare
from console.domain.shadow.pairs import PairSums
from console.domain.shadow.rates import Divergence, FieldRate, ShadowReading, parse_divergence
from console.domain.text import Safe, clean
from console.domain.untrusted import whole

MAX_FIELDS_SHOWN: Final = 40
MAX_DIVERGENCE_BYTES: Final = 16_384
TOO_DEEP: Final = "nested too deeply"
_COUNTS: Final = {field.name for field in fields(ShadowReading)} - {
    "fields",
    "live_pnl",
    "shadow_pnl",
    "pairs",
    "returned",
    "own",
}


class ShadowReport(NamedTuple):
    """One shadow.

    Args:
        name: of the shadow's version.
        at: when it was said; aware UTC.
        holder: the process it runs beside.
        reading: what its rounds have shown.
        currency: of the priced sums; empty where there are none.
        slot: whose version plays the shadow; empty where that was not said.
        tenure: the epoch of the tenure whose rounds alone are in it; 0 where it counts from its own begin.
        manifest: SHA-256 of what the shadow's version is made of; empty where that was not said.
        acted: whether its process has seen its own side act, with this version: it is no newcomer.
    """

    name: Safe
    at: datetime
    holder: Safe
    reading: ShadowReading
    currency: Safe = Safe("")
    slot: str = ""
    tenure: int = 0
    manifest: str = ""
    acted: bool = False


class DivergenceReading(NamedTuple):
    """One round in which the shadow decided otherwise.

    Args:
        key: unique, and rising within its source.
        at: when; aware UTC.
        divergence: as it was written; untrusted: clean it before drawing.
        mismatches: field by field, made safe.
        source: the shadow's name, or the file it was read from.
        problem: why the record can't be read; then nothing else of it holds.
    """

    key: str
    at: datetime
    divergence: Divergence
    mismatches: tuple[Mismatch, ...]
    source: Safe
    problem: Safe = Safe("")

    @property
    def money(self) -> bool:
        """Whether a field that moves money differs."""
        return any(mismatch.money for mismatch in self.mismatches)


def divergence_reading(key: str, record: object, source: str, rules: Rules | None = None) -> DivergenceReading:
    """A divergence from its record, compared anew."""
    try:
        return compared(key, parse_divergence(record), source, rules)[0]
    except ValueError as error:
        nothing = Divergence(datetime.fromtimestamp(0, UTC), None, None, None)
        return DivergenceReading(key, nothing.at, nothing, (), clean(source, 80), clean(str(error), 80))


def compared(
    key: str, divergence: Divergence, source: str, rules: Rules | None = None
) -> tuple[DivergenceReading, Comparison]:
    """A divergence with what differs in it.

    Args:
        key, source: see `DivergenceReading`.
        divergence: as it was written.
        rules: what may differ.

    Raises:
        ValueError: it is nested too deeply to be looked at.
    """
    try:
        comparison = compare(divergence.live, divergence.shadow, rules or Rules())
    except RecursionError as error:
        raise ValueError(TOO_DEEP) from error
    return DivergenceReading(key, divergence.at, divergence, comparison.mismatches, clean(source, 80)), comparison


def divergence_text(divergence: Divergence, name: str) -> str | None:
    """A divergence as the store keeps it; None where it is too large to be kept."""
    text = json.dumps({**divergence.as_record(), "shadow_version": name}, default=_plain, separators=(",", ":"))
    return text if len(text) <= MAX_DIVERGENCE_BYTES else None


def _plain(value: object) -> object:
    """What JSON has no word for: an error that a version raised instead of deciding, an exact amount, anything else."""
    return {"raised": value.error, "message": value.message} if isinstance(value, Raised) else str(value)


def report_text(report: ShadowReport) -> str:
    """A report as it is stored."""
    reading = report.reading
    document: dict[str, Any] = {
        **asdict(reading),
        "fields": [asdict(rate) for rate in reading.fields[:MAX_FIELDS_SHOWN]],
        "live_pnl": None if reading.live_pnl is None else str(reading.live_pnl),
        "shadow_pnl": None if reading.shadow_pnl is None else str(reading.shadow_pnl),
        "at": report.at.isoformat(),
        "holder": report.holder,
        "currency": report.currency,
        "slot": report.slot,
        "tenure": report.tenure,
        "manifest": report.manifest,
        "acted": report.acted,
    }
    return json.dumps(document, separators=(",", ":"))


def read_report(name: str, stored: str) -> ShadowReport | None:
    """A report; None where it can't be read, which counts as if nothing had been said."""
    try:
        document = json.loads(stored)
        at = datetime.fromisoformat(document["at"])
        if not at.tzinfo:
            return None
        holder, currency = clean(document.get("holder", ""), 64), clean(document.get("currency", ""), 16)
        slot = str(clean(document.get("slot", ""), 8))
        tenure, manifest = whole(document.get("tenure")), str(clean(document.get("manifest", ""), 64))
        acted = document.get("acted") is True
        return ShadowReport(clean(name, 64), at, holder, _reading(document), currency, slot, tenure, manifest, acted)
    except (ValueError, KeyError, TypeError, RecursionError, UsageError):
        return None


def _reading(document: Mapping[str, Any]) -> ShadowReading:
    live, shadow = document.get("live_pnl"), document.get("shadow_pnl")
    return ShadowReading(
        **{name: whole(document.get(name)) for name in _COUNTS},
        fields=tuple(_rate(rate) for rate in document.get("fields", [])[:MAX_FIELDS_SHOWN]),
        live_pnl=None if live is None else _money(live),
        shadow_pnl=None if shadow is None else _money(shadow),
        pairs=_pairs(document.get("pairs")),
        returned=_pairs(document.get("returned")),
        own=_pairs(document.get("own")),
    )


def _pairs(document: object) -> PairSums | None:
    if not isinstance(document, Mapping):
        return None
    sums = PairSums(whole(document.get("rounds")), float(document["mean"]), float(document["squares"]))
    return sums if sums.readable else None


def _rate(rate: Mapping[str, Any]) -> FieldRate:
    noise = rate.get("noise")
    return FieldRate(
        path=clean(rate["path"], 80),
        kind=Kind(rate["kind"]),
        rounds=whole(rate.get("rounds")),
        rate=float(rate["rate"]),
        noise=None if noise is None else float(noise),
        excess=float(rate["excess"]),
        money=rate.get("money") is True,
    )


def _money(value: object) -> Decimal:
    return exact(value, "a priced sum")
