"""A manifest as it travels and is kept: lines of text, read back with distrust.

The first line is the hash of the whole, then each part (`code HASH label`, `-` for an unknown one), then
`schema N reads A B`, and members (`+state 1a2b3c4d name`).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from console.domain.errors import Refused
from console.domain.manifest.manifest import Manifest
from console.domain.manifest.mark import MAX_LABEL, MAX_MEMBERS, MAX_NAME, Mark, Member, Part
from console.domain.text import clean

MAX_TEXT: Final = 4_096
"""Bytes of a manifest's text, at most: members are left out before it is longer."""
_MAX_READS: Final = 64
"""Numbers of schemas that are listed: the newest."""
_HASH: Final = re.compile(r"[0-9a-f]{64}\Z")
_SHORT_HASH: Final = re.compile(r"[0-9a-f]{8}\Z")
_NUMBER: Final = re.compile(r"[0-9]{1,9}\Z")


def to_text(manifest: Manifest) -> str:
    """A manifest's text, at most `MAX_TEXT` bytes; of what would make it longer, members are left out, the most
    numerous first."""
    lines = [manifest.hash]
    lines += [f"{part.value} {manifest.mark(part).hash or '-'} {manifest.mark(part).label}" for part in Part]
    if manifest.schema is not None:
        lines.append(" ".join(("schema", str(manifest.schema), "reads", *map(str, manifest.reads[-_MAX_READS:]))))
    text = "\n".join(lines)
    for part in sorted(Part, key=lambda one: len(manifest.mark(one).members)):
        members = "".join(f"\n+{part.value} {one.hash} {one.name}" for one in manifest.mark(part).members)
        if len((text + members).encode()) <= MAX_TEXT:
            text += members
    return text


@lru_cache(maxsize=256)
def of_text(text: str) -> Manifest:
    """The manifest of a text, whoever wrote it.

    Raises:
        Refused: it is none, or its hash is not that of its parts.
    """
    if len(text) > MAX_TEXT:
        raise Refused(f"A manifest has at most {MAX_TEXT:,} bytes; this one has {len(text):,} characters.")
    whole, *lines = text.split("\n")
    marks: dict[Part, Mark] = {}
    members: dict[Part, list[Member]] = {part: [] for part in Part}
    schema: int | None = None
    reads: tuple[int, ...] = ()
    for line in lines:
        name, _, rest = line.partition(" ")
        if name == "schema":
            schema, reads = _schema(rest)
        elif name.startswith("+"):
            short, _, called = rest.partition(" ")
            if not _SHORT_HASH.match(short) or len(members[_part(name[1:])]) >= MAX_MEMBERS:
                raise _damaged(line)
            members[_part(name[1:])].append(Member(clean(called, MAX_NAME), short))
        else:
            part = _part(name)
            hashed, _, label = rest.partition(" ")
            if part in marks or not (hashed == "-" or _HASH.match(hashed)):
                raise _damaged(line)
            marks[part] = Mark("" if hashed == "-" else hashed, clean(label, MAX_LABEL))
    whole_marks = {part.value: mark._replace(members=tuple(members[part])) for part, mark in marks.items()}
    manifest = Manifest(**whole_marks, schema=schema, reads=reads)
    if len(marks) != len(Part) or manifest.hash != whole:
        raise Refused("A manifest is damaged: its hash is not that of its parts.")
    return manifest


def _part(name: str) -> Part:
    try:
        return Part(name)
    except ValueError:
        raise _damaged(name) from None


def _schema(text: str) -> tuple[int, tuple[int, ...]]:
    number, reads, *steps = text.split(" ")[: _MAX_READS + 2] if " " in text else (text, "reads")
    if reads != "reads" or not all(_NUMBER.match(one) for one in (number, *steps)):
        raise _damaged(text)
    return int(number), tuple(map(int, steps))


def _damaged(line: str) -> Refused:
    return Refused(f"A manifest is damaged: {clean(line, 60)!r} is no line of one.")
