"""Experiments in the store: hashes `…:experiments` (name → definition) and `…:experiment-reports` (name → report)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from console.domain.errors import UsageError
from console.domain.experiment.record import (
    MAX_BYTES,
    MAX_EXPERIMENTS,
    ExperimentRecord,
    ExperimentReport,
    ExperimentState,
    ExperimentView,
    read_record,
    read_report,
    record_text,
    report_text,
)
from console.domain.text import clean
from console.store.fence.calls import Call, audit_pairs, base_keys, bound, checked_words
from console.store.fence.replies import decode_json, text, texts
from console.store.keys import Keys, ProofKeys
from console.store.records.revisions import Part, write_blocking
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    import redis.asyncio
    from redis import Redis

ROOM: Final = 20
"""Places that are made at once where there is none left."""
OVER: Final = (ExperimentState.STOPPED, ExperimentState.ADOPTED)
MAX_REPORT_BYTES: Final = 262_144
"""Its agent's state is in it, and a line for each cluster."""


class DocumentCode(StrEnum):
    """How a change of a document ended. Only DONE changed anything."""

    DONE = "DONE"
    CONFLICT = "CONFLICT"
    """Its revision is another than the caller saw."""
    FULL = "FULL"
    """There are as many as there may be."""


class DocumentReply(NamedTuple):
    """The document's revision afterwards, or as it stands where the change was refused; `otherwise` is the part of what
    gates were asked about that is otherwise now, where that is why."""

    code: DocumentCode
    revision: int
    server_ms: int
    audit_id: str = ""
    otherwise: str = ""


def put(
    keys: Keys,
    record: ExperimentRecord,
    expected: int,
    *,
    before: str,
    after: str,
    audit: Mapping[str, str] | None,
    basis: str = "",
) -> Call[DocumentReply]:
    """Define or change an experiment, if its revision is the one expected (0: there is none of that name).

    Args:
        keys: whose.
        record: what it is from now on; its own revision plays no part.
        expected: the revision that the caller saw.
        before, after: for the audit entry; before is empty for a new one.
        audit: fields for an entry of `…:audit`.
        basis: what gates were asked about (`console.store.fence.calls.basis`); empty for nothing.
    """
    body = record_text(record)
    if len(body) > MAX_BYTES:
        raise UsageError(f"An experiment's definition has at most {MAX_BYTES:,} characters.")
    args = (
        record.name,
        bound(expected, basis),
        body,
        checked_words(record.by, "A name"),
        checked_words(record.why, "A reason"),
        before,
        after,
        str(MAX_EXPERIMENTS),
        *audit_pairs(audit),
    )
    return Call("document", (*base_keys(keys), keys.audit, ProofKeys.of(keys).experiments), args, _document_reply)


def _document_reply(reply: Any) -> DocumentReply:
    name, revision, ms, last = texts(reply)
    code = DocumentCode(name)
    conflict = code is DocumentCode.CONFLICT
    return DocumentReply(code, int(revision), int(ms), "" if conflict else last, last if conflict else "")


def read_experiments(raw: Mapping[Any, Any], reports: Mapping[Any, Any]) -> tuple[ExperimentView, ...]:
    """Every experiment by name, with what its agent said of it."""
    sayings = {text(name): value for name, value in reports.items()}
    views: list[ExperimentView] = []
    for name, value in sorted((text(name), value) for name, value in list(raw.items())[:MAX_EXPERIMENTS]):
        try:
            record: ExperimentRecord | None = read_record(text(value))
        except UsageError as error:
            views.append(ExperimentView(clean(name, 64), None, None, clean(error.message)))
            continue
        report, problem = _report(sayings[name]) if name in sayings else (None, "")
        views.append(ExperimentView(clean(name, 64), record, report, clean(problem)))
    return tuple(views)


def _report(value: Any) -> tuple[ExperimentReport | None, str]:
    """What its agent said of an experiment, or why that can't be read."""
    if len(value) > MAX_REPORT_BYTES:
        return None, f"its agent's report has {len(value):,} bytes, at most {MAX_REPORT_BYTES:,} are read"
    report = read_report(text(value))
    return report, "" if report is not None else "its agent's report is none"


def read(client: Redis, keys: Keys) -> tuple[ExperimentView, ...]:
    """Every experiment, on a blocking client.

    Raises:
        StoreUnreachable: no answer.
    """
    names = ProofKeys.of(keys)
    with wrap_errors():
        return read_experiments(client.hgetall(names.experiments), client.hgetall(names.reports))


async def make_room(client: redis.asyncio.Redis, keys: Keys) -> tuple[str, ...]:
    """Where there are as many experiments as there may be, forget the oldest of those that are over, with their
    reports; which. What was decided on them stays in the audit.

    Raises:
        StoreUnreachable: no answer.
    """
    names = ProofKeys.of(keys)
    with wrap_errors():
        if int(await client.hlen(names.experiments)) < MAX_EXPERIMENTS:
            return ()
        raw: Mapping[Any, Any] = await client.hgetall(names.experiments)
        over = [view.record for view in read_experiments(raw, {}) if view.record and view.record.state in OVER]
        gone = [one.name for one in sorted(over, key=lambda one: one.changed_at)[:ROOM]]
        reported: list[Any] = await client.hkeys(names.reports)
        orphans = [name for name in map(text, reported) if name in gone or name.encode() not in raw]
        if gone:
            await client.hdel(names.experiments, *gone)
        if orphans:
            await client.hdel(names.reports, *orphans)
    return tuple(gone)


def kept_state(client: Redis, keys: Keys, name: str) -> object:
    """What the agent that ran an experiment before us wants back; None where there is nothing."""
    with wrap_errors():
        raw = client.hget(ProofKeys.of(keys).reports, name)
    document = decode_json(text(raw)) if raw is not None else None
    return document.get("state") if isinstance(document, Mapping) else None


def say(client: Redis, keys: Keys, name: str, report: ExperimentReport, state: object) -> None:
    """Write down how an experiment does.

    Raises:
        StoreUnreachable: no answer.
    """
    with wrap_errors():
        write_blocking(client, keys, Part.REPORTS, "HSET", ProofKeys.of(keys).reports, name, report_text(report, state))
