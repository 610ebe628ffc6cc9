"""What followed files hold, in the document of `status`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from console.domain.seen.observation import DivergenceLog, LogFile, LogReading
from console.views.status.slots import PaceRecord

if TYPE_CHECKING:
    from console.domain.shadow.rates import FieldRate


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A followed file.

    Args:
        path: where it is.
        offset: how many bytes of it were read.
        size: how many bytes it has.
        problem: what is wrong with it.
    """

    path: str
    offset: int
    size: int
    problem: str | None


def _files(files: tuple[LogFile, ...]) -> tuple[FileRecord, ...]:
    return tuple(FileRecord(file.path, file.offset, file.size, file.problem or None) for file in files)


@dataclass(frozen=True, slots=True)
class DecisionsRecord:
    """What the decision logs hold.

    Args:
        total: lines accepted; null where no log is followed.
        rejected: lines refused.
        rejected_by_reason: the same by reason.
        by_version: decisions by version.
        versions: how each version decides.
        files: every followed file.
        skipped_bytes: what was not read at the start; what covers less by that, its `since` says.
        never: what the logs' mapping looked for and never found, with how many records lacked it.
    """

    total: int | None
    rejected: int | None
    rejected_by_reason: Mapping[str, int]
    by_version: Mapping[str, int]
    versions: Mapping[str, PaceRecord]
    files: tuple[FileRecord, ...]
    skipped_bytes: int
    never: Mapping[str, int]

    @classmethod
    def of(cls, logs: LogReading | None, now: datetime) -> DecisionsRecord:
        """The record of what the logs hold.

        Args:
            logs: None where none is followed.
            now: aware UTC.
        """
        if logs is None:
            return cls(None, None, {}, {}, {}, (), 0, {})
        return cls(
            total=logs.total,
            rejected=sum(logs.rejected.values()),
            rejected_by_reason=logs.rejected,
            by_version={name: reading.decisions for name, reading in logs.by_version.items()},
            versions={name: PaceRecord.of(reading, now) for name, reading in logs.by_version.items()},
            files=_files(logs.files),
            skipped_bytes=logs.skipped_bytes,
            never=logs.never,
        )


@dataclass(frozen=True, slots=True)
class DivergencesRecord:
    """What files of divergences hold.

    Args:
        total: records accepted.
        diverged: those in which anything that is compared differs.
        rejected: lines refused.
        rejected_by_reason: the same by reason.
        skipped_bytes: what was not read at the start, because only the last lines were asked for.
        files: every followed file.
        fields: what differs; rates are shares of the records.
    """

    total: int
    diverged: int
    rejected: int
    rejected_by_reason: Mapping[str, int]
    skipped_bytes: int
    files: tuple[FileRecord, ...]
    fields: tuple[FieldRate, ...]

    @classmethod
    def of(cls, followed: DivergenceLog) -> DivergencesRecord:
        """The record of what the files hold."""
        return cls(
            total=followed.total,
            diverged=followed.diverged,
            rejected=sum(followed.rejected.values()),
            rejected_by_reason=followed.rejected,
            skipped_bytes=followed.skipped_bytes,
            files=_files(followed.files),
            fields=followed.fields,
        )
