"""What is held, and where: the authority's facts, the followed files."""

from __future__ import annotations

from dataclasses import dataclass, field

from console.domain.seen.observation import Observation
from console.views.fence.slots import Fact
from console.views.format import bytes_text, count_text
from console.views.order import By
from console.views.tone import Tone


@dataclass(frozen=True, slots=True)
class FileRow:
    """One followed file.

    Args:
        key: its path.
        position: how far it is read.
        note: what is wrong; empty where nothing is.
        by: what it is sorted by.
    """

    key: str
    size: str
    position: str
    note: str
    by: By = field(default_factory=dict)


def store_facts(observation: Observation) -> tuple[Fact, ...]:
    """What the store says about who may act, one fact a line."""
    store = observation.store
    if store is None:
        return (Fact("store", "no answer yet", Tone.MUTED),)
    key, authority = store.deployment.active, store.deployment.authority
    skew_s = (store.at - store.server_at).total_seconds()
    facts = [
        Fact("store", store.server or "unnamed"),
        Fact("address", observation.link.url),
        Fact("clock differs by", f"{skew_s:+.2f} s", Tone.WARN if abs(skew_s) > 1 else Tone.TEXT),
        Fact("active key", f"{key.raw or 'no value'} ({key.state.value})"),
    ]
    if authority is None:
        return (*facts, Fact("authority", "none yet: no switch of ours has happened", Tone.MUTED))
    return (
        *facts,
        Fact("phase", authority.phase.value),
        Fact("authority says", authority.active.value if authority.active else "nobody acts"),
        Fact("before that", authority.previous.value if authority.previous else "nobody"),
        Fact("epoch", f"{count_text(authority.generation)}  ({authority.epoch})"),
        Fact("in flight", count_text(authority.in_flight)),
        Fact("in doubt", count_text(authority.in_doubt), Tone.BAD if authority.in_doubt else Tone.TEXT),
        Fact("automatic roll back", "used" if authority.automatic_rollback_used else "armed"),
        Fact("log head", authority.log_head[:32] or "–", Tone.MUTED),
    )


def file_rows(observation: Observation) -> tuple[FileRow, ...]:
    """The followed files."""
    logs, divergences = observation.logs, observation.divergences
    files = (*(logs.files if logs else ()), *(divergences.files if divergences else ()))
    return tuple(
        FileRow(
            key=file.path,
            size=bytes_text(file.size),
            position="read" if file.offset >= file.size else f"{bytes_text(file.size - file.offset)} to go",
            note=file.problem,
            by={"size": file.size, "position": max(0, file.size - file.offset)},
        )
        for file in files
    )
