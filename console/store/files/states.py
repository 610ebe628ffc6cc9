"""Files that hold a state: a snapshot of this program, a state of an agent of ours, or a plain agent's seven fields."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Final

from console.domain.errors import ConsoleError, Refused, UsageError
from console.domain.state import document, values
from console.domain.state.sections import DECISIONS_KEPT
from console.domain.state.snapshot import FORMAT as SNAPSHOT
from console.domain.state.snapshot import Snapshot, timestamp_of
from console.domain.state.state import Plain, State
from console.domain.text import clean
from console.regular import read_regular
from console.store.files import snapshots
from console.store.files.private import write_private

MAX_BYTES: Final = 64 * 1024 * 1024


class Kind(StrEnum):
    """What a file is."""

    SNAPSHOT = "snapshot"
    """Taken by an operator: flags, active version, and an agent's state file."""
    STATE = "state"
    """An agent's own, in the form of this library."""
    PLAIN = "plain"
    """A plain agent's: the contract's seven fields, no checksum."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A state, wherever it was.

    Args:
        name: how it was called.
        kind: what held it.
        state: it.
        at: when it was so; None where it doesn't say.
        digest: SHA-256 of what held it, its first 16 digits; a kept state's own hash.
        agent: whose; empty where it doesn't say.
        notes: what of it is odd without being wrong.
        problem: why what is whole can't be used all the same; empty where it can.
    """

    name: str
    kind: str
    state: State
    at: datetime | None
    digest: str
    agent: str = ""
    notes: tuple[str, ...] = ()
    problem: str = ""


def open_file(path: Path) -> Opened:
    """The state in a file.

    Raises:
        UsageError: there is no such file, or it can't be read.
        Refused: it is cut off, changed, too large, or no state; never an empty one instead.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise Refused(f"{path} has more than {MAX_BYTES} bytes; that is no state.")
        data = read_regular(path, MAX_BYTES)
    except OSError as error:
        raise UsageError(
            f"{path} can't be read: {error.strerror}.", "`agent-console snapshot list` shows all."
        ) from error
    return opened(data, str(path))


def opened(data: bytes, name: str) -> Opened:
    """The state in a file's content.

    Raises:
        Refused: see `open_file`.
    """
    digest = hashlib.sha256(data).hexdigest()[:16]
    try:
        content = values.parse(data)
    except ValueError as error:
        raise Refused(f"{name} is no state: {clean(error, 200)}.", "The file may be cut off or edited.") from error
    if isinstance(content, Mapping) and content.get("format") == SNAPSHOT:
        snapshot = snapshots.decode(data, name=name)
        state, problem = _of_snapshot(snapshot, name)
        return Opened(name, Kind.SNAPSHOT, state, snapshot.taken_at, digest, snapshot.agent, problem=problem)
    state = document.decode(data, name)
    is_ours = isinstance(content, Mapping) and content.get("format") == document.FORMAT
    return Opened(name, Kind.STATE if is_ours else Kind.PLAIN, state, state.at(), digest, notes=_notes(content))


def _notes(content: Mapping[str, object]) -> tuple[str, ...]:
    log = content.get("decision_log")
    many = len(log) if isinstance(log, list) else 0
    return (f"decision_log has {many} records; the newest {DECISIONS_KEPT} are kept",) if many > DECISIONS_KEPT else ()


def _of_snapshot(snapshot: Snapshot, name: str) -> tuple[State, str]:
    """The agent's state in an operator's snapshot: that of the state file, where it has one; and what is wrong with
    that."""
    problem = ""
    if snapshot.state_file is not None:
        try:
            return document.decode(snapshot.state_file.text.encode(), "its state file"), ""
        except Refused as error:
            problem = error.message
    try:
        state = State(
            version=snapshot.version,
            timestamp=timestamp_of(snapshot.taken_at),
            decision_log=snapshot.decision_log,
            plain=Plain(
                escrow_ids=snapshot.escrow_ids,
                open_positions=snapshot.open_positions,
                last_action_time=snapshot.last_action_time,
                rate_limit_tokens=snapshot.rate_limit_tokens,
            ),
        )
    except UsageError as error:
        raise Refused(f"{name}: {error.message}") from error
    return state, problem


def age_s(at: datetime, now: datetime) -> Decimal:
    """Seconds from `at` to `now`, exact to the microsecond; negative for what is from the future."""
    delta = now - at
    return Decimal(delta.days * 86400 + delta.seconds) + Decimal(delta.microseconds) / 1_000_000


def write_state(state: State, path: Path, *, plain: bool) -> bytes:
    """Write a state to a file of mode 0600, and read it back.

    Args:
        state: it.
        path: where.
        plain: the seven fields alone, for a plain agent.

    Raises:
        Refused: it holds a secret, or what can't be written.
        ConsoleError: the file can't be written, or does not read back.
    """
    data = document.encode_plain(state) if plain else document.encode(state)
    try:
        write_private(path, data)
        again = path.read_bytes()
    except OSError as error:
        raise ConsoleError(f"The state can't be written to {path}: {error.strerror}.") from error
    if again != data:
        raise ConsoleError(f"The state at {path} does not read back as it was written.", "Check the disk.")
    return data
