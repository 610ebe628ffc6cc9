"""What both versions of a run are made of, as the store had it when the run's report was written."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from console.domain.document import document, record_from
from console.domain.errors import UsageError
from console.domain.manifest.lines import MAX_TEXT, of_text, to_text
from console.domain.manifest.manifest import Manifest
from console.domain.manifest.recorded import Recorded
from console.domain.text import clean

MAX_BYTES: Final = 16 * MAX_TEXT
"""Of both as text: JSON writes what is no ASCII longer than it is."""
MOST: Final = 250
"""Characters of a text that is kept: no more than is read back."""


@dataclass(frozen=True, slots=True)
class MadeOf:
    """What one version is made of.

    Args:
        version: its name; empty where nobody said it.
        text: its manifest, as it travels (`console.domain.manifest.lines`); empty where it declared none.
        at: when it was declared; None for never.
        by: the instance that declared it.
        change: what an instance of it declared that is another, in words; empty for nothing.
    """

    version: str
    text: str = ""
    at: datetime | None = None
    by: str = ""
    change: str = ""

    @property
    def manifest(self) -> Manifest | None:
        """Its manifest; None where it declared none.

        Raises:
            Refused: the text is none, or its hash is not that of its parts.
        """
        return of_text(self.text) if self.text else None


@dataclass(frozen=True, slots=True)
class BothMadeOf:
    """The two versions of a run.

    Args:
        read_at: when the store was read, on its clock.
        old, new: what they are made of.
        problem: what of the manifests can't be read; empty where all can.
    """

    read_at: datetime
    old: MadeOf
    new: MadeOf
    problem: str = ""


def made_of(version: str, recorded: Recorded | None) -> MadeOf:
    """A version's part, from what the store records of it; None for nothing."""
    name = str(clean(version, MOST))
    if recorded is None or recorded.declared.manifest is None:
        return MadeOf(name)
    own = recorded.declared
    assert own.manifest is not None
    by, change = str(clean(own.instance, MOST)), str(clean(recorded.change(), MOST))
    return MadeOf(name, to_text(own.manifest), own.at, by, change)


def both_text(both: BothMadeOf) -> str:
    """Both as one line of JSON."""
    return json.dumps(document(both), ensure_ascii=False, separators=(",", ":"))


def read_both(text: str) -> BothMadeOf:
    """Both from their JSON.

    Raises:
        UsageError: it is none.
    """
    if len(text) > MAX_BYTES:
        raise UsageError("The manifests are longer than two manifests can be.")
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        raise UsageError("The manifests are not JSON.") from None
    texts = {}
    for name in ("old", "new"):
        side = raw.get(name) if isinstance(raw, dict) else None
        texts[name] = side.pop("text", "") if isinstance(side, dict) else ""  # of many lines, and so no plain text
        if not isinstance(texts[name], str) or len(texts[name]) > MAX_TEXT:
            raise UsageError(f"The manifest of the {name} version is no manifest.")
    both = record_from(BothMadeOf, raw)
    return replace(both, old=replace(both.old, text=texts["old"]), new=replace(both.new, text=texts["new"]))
