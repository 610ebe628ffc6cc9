"""Receipts, audit entries and previews as text and as documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from console.domain.operator.command import Preview
from console.domain.operator.receipt import AuditEntry, Change, Receipt
from console.domain.text import clean

_SHOWN = 80


def change_text(change: Change) -> str:
    """A change on one line: `flag:game crash → dice`; a missing value is said as *unset*."""
    return f"{clean(change.what, _SHOWN)} {_value(change.before)} → {_value(change.after)}"


def _value(text: str | None) -> str:
    return "unset" if text is None else str(clean(text, _SHOWN)) or '""'


def changes_text(changes: Sequence[Change]) -> str:
    """All changes on one line."""
    return "; ".join(change_text(change) for change in changes)


def receipt_line(receipt: Receipt) -> str:
    """A receipt for people: what was done, what changed, who has acknowledged it, in how many milliseconds."""
    parts = [f"{receipt.command}: {changes_text(receipt.changes) or 'nothing changed'}"]
    if receipt.expected_acks:
        missing = sorted(set(receipt.expected_acks) - set(receipt.acknowledged))
        waiting = f", waiting for {', '.join(missing)}" if missing else ""
        parts.append(f"{len(receipt.acknowledged)} of {len(receipt.expected_acks)} acknowledged{waiting}")
    if receipt.note:
        parts.append(receipt.note)
    parts.append(f"{receipt.elapsed_ms:.1f} ms")
    return "  ".join(parts)


def receipt_document(receipt: Receipt) -> dict[str, Any]:
    """A receipt as data. Shape: `{id, at, command, agent, changes: [{what, before, after}], elapsed_ms, who, why,
    epoch, note, reversible, acknowledged: [name], expected_acks: [name]}`; `at` is ISO 8601 in UTC, a missing value is
    null.
    """
    return {
        "id": receipt.id,
        "at": receipt.at.isoformat().replace("+00:00", "Z"),
        "command": receipt.command,
        "agent": receipt.agent,
        "changes": _changes_document(receipt.changes),
        "elapsed_ms": round(receipt.elapsed_ms, 3),
        "who": receipt.who,
        "why": receipt.why,
        "epoch": receipt.epoch,
        "note": receipt.note,
        "reversible": receipt.reversible,
        "acknowledged": list(receipt.acknowledged),
        "expected_acks": list(receipt.expected_acks),
    }


def audit_document(entry: AuditEntry) -> dict[str, Any]:
    """An audit entry as data: a receipt without acknowledgements, with `stream_id`, `undoes` and `problem`."""
    return {
        "stream_id": entry.stream_id,
        "id": entry.id,
        "at": entry.at.isoformat().replace("+00:00", "Z"),
        "command": entry.command,
        "changes": _changes_document(entry.changes),
        "elapsed_ms": entry.elapsed_ms,
        "who": entry.who,
        "why": entry.why,
        "epoch": entry.epoch,
        "note": entry.note,
        "reversible": entry.reversible,
        "undoes": entry.undoes,
        "problem": entry.problem,
    }


def audit_line(entry: AuditEntry) -> str:
    """An audit entry for people."""
    why = f"  “{entry.why}”" if entry.why else ""
    problem = f"  ({entry.problem})" if entry.problem else ""
    return f"{entry.at:%Y-%m-%d %H:%M:%S}Z  {entry.who}  {entry.command}  {changes_text(entry.changes)}{why}{problem}"


def preview_lines(preview: Preview) -> Iterator[str]:
    """A preview for a terminal without screens."""
    yield preview.title
    for change in preview.changes:
        yield f"  {change_text(change)}"
    for gate in preview.gates:
        yield f"  {'open  ' if gate.open else 'CLOSED'} {gate.name}: {gate.evidence}"
    for warning in preview.warnings:
        yield f"  ! {clean(warning)}"
    for line in preview.irreversible:
        yield f"  can't be undone: {clean(line)}"


def _changes_document(changes: Sequence[Change]) -> list[dict[str, str | None]]:
    return [{"what": change.what, "before": change.before, "after": change.after} for change in changes]
