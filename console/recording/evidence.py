"""An evidence file as a timeline: the same screens on a colleague's machine, without a store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final
from zipfile import ZipFile

from console.domain.errors import Refused
from console.domain.text import Safe, clean
from console.evidence.check import DAMAGE, manifest_of, opened
from console.evidence.kept import kept_of
from console.evidence.names import is_sound, sound
from console.live.past import PastTimeline
from console.logs.options import LogOptions
from console.logs.past import logs_at
from console.recording.errors import Damaged

if TYPE_CHECKING:
    from console.domain.seen.observation import Observation
    from console.domain.seen.timeline import Mark

MOST_BYTES: Final = 64 << 30
"""Of the decision logs together, unpacked; more is refused."""
_PIECE: Final = 1 << 20
_SHOWN: Final = 20


class EvidenceTimeline:
    """A `Timeline` over an evidence file; its decision logs are unpacked into a folder that is gone with it.

    Args:
        past: what is kept of its time.
        span: that time.
        missing: what is not in it.
        folder: of the unpacked logs.
    """

    def __init__(
        self,
        past: PastTimeline,
        span: tuple[datetime, datetime],
        missing: tuple[Safe, ...],
        folder: TemporaryDirectory[str],
    ) -> None:
        self._past = past
        self._span = span
        self._folder = folder
        self.missing = missing

    def bounds(self) -> tuple[datetime, datetime]:
        """The time that the evidence is of."""
        return self._span

    def at(self, moment: datetime) -> Observation:
        """What was to be seen then.

        Raises:
            Refused: it is later than what is kept, or a log can't be read.
        """
        return self._past.at(moment)

    def marks(self) -> Sequence[Mark]:
        """The events of that time, oldest first."""
        return [mark for mark in self._past.marks() if self._span[0] <= mark.at <= self._span[1]]


def evidence_timeline(path: Path, options: LogOptions) -> EvidenceTimeline:
    """What an evidence file holds, to be looked at; whether it was changed, `evidence verify` tells.

    Args:
        path: of it.
        options: how decision logs are read.

    Raises:
        Refused: it is no evidence file, or of a newer release.
        Damaged: it can't be read.
    """
    try:
        with opened(path) as archive:
            manifest = manifest_of(archive)
            span = (_moment(manifest["since"]), _moment(manifest["until"]))
            kept, problems = kept_of(archive.open, str(manifest["agent"]), span)
            folder = TemporaryDirectory(prefix="agent-console-evidence-")
            logs = _unpack(archive, manifest, Path(folder.name))
            left = [clean(one, 300) for one in manifest["left"][:_SHOWN]]
            url = clean(manifest["url"], 200)
    except (*DAMAGE, TypeError, RecursionError, OverflowError) as error:
        raise Damaged(f"{clean(str(path))} can't be shown: {clean(error, 120)}.") from error
    except OSError as error:
        raise Refused(f"{clean(str(path))} can't be unpacked: {error.strerror or error}.") from error
    at = partial(logs_at, logs, options, Path(folder.name) / "index")
    past = PastTimeline(kept, at if logs else None, url)
    sums = "decisions before that time are not in an evidence file: sums and rates begin with it"
    missing = (clean(sums), *past.missing(span[1]), *map(clean, problems), *left)
    return EvidenceTimeline(past, span, missing, folder)


def _moment(text: Any) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment.astimezone(UTC)


def _unpack(archive: ZipFile, manifest: dict[str, Any], folder: Path) -> list[str]:
    """Write the decision logs into a folder; where they go is our word alone, never the file's."""
    paths: list[str] = []
    left = MOST_BYTES
    for number, log in enumerate(manifest["logs"]):
        member = str(log["member"])
        if not is_sound(member) or not member.startswith("decisions/"):
            raise ValueError(f"{clean(member, 60)!r} is no name of a log")
        path = folder / f"{number:04}" / sound(Path(str(log["path"])).name)
        path.parent.mkdir(mode=0o700)
        with archive.open(member) as file, path.open("wb") as out:
            while piece := file.read(_PIECE):
                left -= len(piece)
                if left < 0:
                    raise ValueError("its logs are larger than may be unpacked")
                out.write(piece)
        paths.append(str(path))
    return paths
