"""A snapshot as its host tells others of it: the file stays there, that it was taken is known everywhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from console.domain.text import Safe, clean
from console.domain.untrusted import moment

_ID: Final = re.compile(r"[0-9TZ]+-([0-9a-f]{8})\Z")
_HASH: Final = re.compile(r"[0-9a-f]{64}\Z")


class NotedSnapshot(NamedTuple):
    """A snapshot that was taken, written and read back on a host.

    Args:
        id: its name.
        sha256: of its file.
        taken_at: by that host's clock.
        noted_at: by the store's clock.
        host: its name.
        by: who took it.
        why: what for, in words; empty where an earlier release told of it.
    """

    id: str
    sha256: str
    taken_at: datetime
    noted_at: datetime
    host: Safe
    by: Safe
    why: Safe = Safe("")

    def document(self) -> dict[str, Any]:
        """As it is kept, under its id."""
        return {
            "sha256": self.sha256,
            "taken_at": self.taken_at.isoformat(),
            "noted_at": self.noted_at.isoformat(),
            "host": self.host,
            "by": self.by,
            "why": self.why,
        }


def noted_from(name: str, kept: Mapping[str, Any]) -> NotedSnapshot | None:
    """The note in a document from the store, which is text from outside; None where there is none in it, or it does not
    fit the id under which it stands."""
    taken_at, noted_at, sha256 = moment(kept.get("taken_at")), moment(kept.get("noted_at")), kept.get("sha256")
    named = _ID.match(name)
    if taken_at is None or noted_at is None or named is None or not isinstance(sha256, str) or not _HASH.match(sha256):
        return None
    host = clean(kept.get("host", ""), 120)
    if not host or not sha256.startswith(named[1]):
        return None
    by, why = clean(kept.get("by", ""), 128), clean(kept.get("why", ""), 256)
    return NotedSnapshot(name, sha256, taken_at, noted_at, host, by, why)
