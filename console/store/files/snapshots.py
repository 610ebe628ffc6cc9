"""Snapshots as files: one JSON document each, with a checksum over its content and a schema version.

The file's checksum is SHA-256 over the document without its `checksum` field, encoded with sorted keys. Numbers keep
their digits: they are read as Decimal and written as they were.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from console.domain.errors import ConsoleError, Refused, UsageError
from console.domain.state.snapshot import FORMAT, SCHEMA, STATE_FIELDS, LogPosition, Snapshot, StateFile, timestamp_of
from console.domain.text import clean
from console.regular import read_regular
from console.store.files.private import write_private

MAX_FILE_BYTES: Final = 64 * 1024 * 1024
_ENCODER = msgspec.json.Encoder(decimal_format="number", order="sorted")
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAMED_AT: Final = "%Y%m%dT%H%M%S%fZ"
_ID = re.compile(r"[0-9TZ]+-[0-9a-f]{8}\Z")


@dataclass(frozen=True, slots=True)
class Stored:
    """A snapshot file: its id (the file name without `.json`), its path, and the snapshot or its problem."""

    id: str
    path: Path
    snapshot: Snapshot | None
    problem: str = ""


def parse_json(data: bytes | str) -> Any:
    """JSON with exact numbers.

    Raises:
        msgspec.DecodeError: it is not JSON, or nested too deeply to be read.
    """
    try:
        return _DECODER.decode(data)
    except RecursionError as error:
        raise msgspec.DecodeError("it is nested too deeply") from error


def encode(snapshot: Snapshot) -> bytes:
    """The file's content."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "schema": SCHEMA,
        "agent": snapshot.agent,
        "taken_by": snapshot.taken_by,
        "why": snapshot.why,
        "active_version": snapshot.active,
        "epoch": snapshot.epoch,
        "flags": dict(snapshot.flags),
        "flags_whole": snapshot.flags_whole,
        "version": snapshot.version,
        "timestamp": timestamp_of(snapshot.taken_at),
        **{name: getattr(snapshot, name) for name in STATE_FIELDS},
        "decision_log": snapshot.decision_log,
        "state_file": asdict(snapshot.state_file) if snapshot.state_file else None,
        "logs": [asdict(position) for position in snapshot.logs],
    }
    return _ENCODER.encode({**document, "checksum": _checksum(document)}) + b"\n"


def _checksum(document: Mapping[str, Any]) -> str:
    body = {key: value for key, value in document.items() if key != "checksum"}
    return "sha256:" + hashlib.sha256(_ENCODER.encode(body)).hexdigest()


class _StateFileDoc(msgspec.Struct):
    path: str
    text: str


class _PositionDoc(msgspec.Struct):
    path: str
    inode: int
    offset: int
    size: int


class _Document(msgspec.Struct):
    agent: str
    taken_by: str
    why: str
    active_version: str | None
    epoch: int
    flags: dict[str, str]
    version: str
    timestamp: Decimal | int
    decision_log: list[Any]
    state_file: _StateFileDoc | None
    logs: list[_PositionDoc]
    escrow_ids: Any
    open_positions: Any
    last_action_time: Any
    rate_limit_tokens: Any
    flags_whole: bool = False


def decode(data: bytes, *, name: str) -> Snapshot:
    """The snapshot in a file.

    Args:
        data: the file's content.
        name: how to call it in errors.

    Raises:
        Refused: it is no snapshot, of an unknown schema, or its checksum is wrong.
    """
    try:
        document = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(f"{name} is not a snapshot: {clean(error)}.", "The file may be cut off or edited.") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise Refused(f"{name} is not a snapshot of agent-console.")
    if document.get("schema") != SCHEMA:
        raise Refused(
            f"{name} has the schema version {clean(document.get('schema'), 20)}; this program knows {SCHEMA}.",
            "Restore it with the version of agent-console that took it.",
        )
    if document.get("checksum") != _checksum(document):
        raise Refused(
            f"{name}: the checksum is wrong; the file was changed after it was taken.", "Take a new snapshot."
        )
    try:
        parsed = msgspec.convert(document, _Document)
    except msgspec.ValidationError as error:
        raise Refused(f"{name} is damaged: {clean(error)}.") from error
    state = parsed.state_file
    return Snapshot(
        agent=parsed.agent,
        taken_at=_EPOCH + timedelta(microseconds=int(parsed.timestamp * 1_000_000)),
        taken_by=parsed.taken_by,
        why=parsed.why,
        active=parsed.active_version,
        epoch=parsed.epoch,
        flags=parsed.flags,
        version=parsed.version,
        escrow_ids=parsed.escrow_ids,
        open_positions=parsed.open_positions,
        last_action_time=parsed.last_action_time,
        rate_limit_tokens=parsed.rate_limit_tokens,
        decision_log=tuple(parsed.decision_log),
        state_file=StateFile(state.path, state.text) if state else None,
        flags_whole=parsed.flags_whole,
        logs=tuple(LogPosition(p.path, p.inode, p.offset, p.size) for p in parsed.logs),
    )


def read(path: Path) -> Snapshot:
    """The snapshot at a path.

    Raises:
        UsageError: there is no such file, or it can't be read.
        Refused: see `decode`.
    """
    return decode(read_bytes(path), name=str(path))


def read_bytes(path: Path) -> bytes:
    """What stands in a snapshot's file.

    Raises:
        UsageError: there is no such file, or it can't be read.
    """
    try:
        return read_regular(path, MAX_FILE_BYTES)
    except OSError as error:
        raise UsageError(
            f"{path} can't be read: {error.strerror}.", "`agent-console snapshot list` shows all."
        ) from error


def is_id(name: str) -> bool:
    """Whether a name is one that `id_for` gives."""
    return _ID.match(name) is not None


def id_for(snapshot: Snapshot, data: bytes) -> str:
    """The id of a new snapshot: its time and the first digits of its content's hash."""
    return f"{snapshot.taken_at:{_NAMED_AT}}-{hashlib.sha256(data).hexdigest()[:8]}"


def save(snapshot: Snapshot, folder: Path, output: Path | None = None) -> tuple[str, Path]:
    """Write a snapshot (mode 0600) into the folder, or to `output`; returns its id and its path.

    Raises:
        Refused: something is there already.
        ConsoleError: the file can't be written, or does not read back as what was taken.
    """
    data = encode(snapshot)
    identity = id_for(snapshot, data)
    path = output or folder / f"{identity}.json"
    if os.path.lexists(path):
        raise Refused(f"{path} is there already, and is not written over.", "Name another file, or remove it first.")
    try:
        write_private(path, data)
    except OSError as error:
        raise ConsoleError(f"The snapshot can't be written to {path}: {error.strerror}.") from error
    if read(path) != decode(data, name=str(path)):
        raise ConsoleError(f"The snapshot at {path} does not read back as it was written.", "Check the disk.")
    return identity, path


def newest_first(folder: Path, until: datetime | None = None) -> Iterator[Stored]:
    """The snapshots in the folder, each read when it is asked for; a damaged one comes with its problem.

    Args:
        folder: where they are.
        until: only those that were named here, by a time up to this one; None for all.
    """
    latest = f"{until:{_NAMED_AT}}" if until is not None else ""
    for path in sorted(folder.glob("*.json"), reverse=True):
        if latest and not (is_id(path.stem) and path.stem.partition("-")[0] <= latest):
            continue
        try:
            yield Stored(path.stem, path, read(path))
        except ConsoleError as error:
            yield Stored(path.stem, path, None, error.message)


def listing(folder: Path) -> list[Stored]:
    """Every snapshot in the folder, newest first; a damaged one is listed with its problem."""
    return list(newest_first(folder))


def resolve(name: str, folder: Path) -> Path:
    """The path for what an operator named: `latest`, an id (or the beginning of one), or a file's path.

    Raises:
        UsageError: nothing is called so, or more than one thing is.
    """
    if name == "latest":
        ids = sorted(path.stem for path in folder.glob("*.json"))
        if not ids:
            raise UsageError("There is no snapshot yet.", "`agent-console snapshot take` takes one.")
        return folder / f"{ids[-1]}.json"
    if "/" in name or name.endswith(".json") or Path(name).is_file():
        return Path(name).expanduser()
    matches = sorted(path for path in folder.glob("*.json") if path.stem.startswith(name) or path.stem.endswith(name))
    if len(matches) == 1:
        return matches[0]
    what = "More than one snapshot matches" if matches else "There is no snapshot"
    raise UsageError(f"{what} {clean(name, 60)!r}.", "`agent-console snapshot list` shows all.")
