"""Shadows in the store: `…:shadows` (hash: name → report) and `…:divergences` (a capped stream)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from console.domain.shadow.report import (
    MAX_DIVERGENCE_BYTES,
    DivergenceReading,
    ShadowReport,
    divergence_reading,
    read_report,
    report_text,
)
from console.domain.text import clean
from console.store.fence.replies import decode_json, text
from console.store.keys import Keys, ProofKeys
from console.store.records.revisions import Part, write_blocking
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from redis import Redis

KEPT: Final = 1_000
"""Divergences kept in the stream."""
MAX_SHADOWS: Final = 16
MAX_REPORT_BYTES: Final = 65_536


def say(client: Redis, keys: Keys, report: ShadowReport) -> None:
    """Write down how a shadow does; of more than `MAX_SHADOWS` those go that spoke longest ago.

    Raises:
        StoreUnreachable: no answer.
    """
    name = ProofKeys.of(keys).shadows
    with wrap_errors():
        words = report_text(report)
        if write_blocking(client, keys, Part.SHADOWS, "HSET", name, str(report.name), words) and (
            client.hlen(name) > MAX_SHADOWS
        ):
            raw: Mapping[Any, Any] = client.hgetall(name)
            read = {one: read_report(text(one), text(value)) for one, value in raw.items()}
            ranked = sorted(raw, key=lambda one: (known := read[one]) is not None and known.at.timestamp())
            write_blocking(client, keys, Part.SHADOWS, "HDEL", name, *ranked[:-MAX_SHADOWS])


def record(client: Redis, keys: Keys, text_of_it: str) -> None:
    """Keep a divergence; the oldest beyond `KEPT` goes.

    Raises:
        StoreUnreachable: no answer.
    """
    with wrap_errors():
        client.xadd(ProofKeys.of(keys).divergences, {"d": text_of_it}, maxlen=KEPT, approximate=True)


def read_shadows(raw: Mapping[Any, Any]) -> tuple[ShadowReport, ...]:
    """Shadows from their hash, newest word first; what is none is left out."""
    reports: list[ShadowReport] = []
    for name, value in list(raw.items())[:MAX_SHADOWS]:
        if len(value) <= MAX_REPORT_BYTES and (report := read_report(text(name), text(value))) is not None:
            reports.append(report)
    return tuple(sorted(reports, key=lambda report: report.at, reverse=True))


def read_divergence(stream_id: bytes | str, fields: Mapping[Any, Any] | None) -> DivergenceReading:
    """A divergence from an entry of the stream; one that can't be read is shown as that."""
    raw = (fields or {}).get(b"d", (fields or {}).get("d", ""))
    document = decode_json(text(raw)) if len(raw) <= MAX_DIVERGENCE_BYTES * 4 else None
    name = document.get("shadow_version", "") if isinstance(document, Mapping) else ""
    return divergence_reading(text(stream_id), document, str(clean(name, 64)))
