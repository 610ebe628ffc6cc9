"""`snapshot show` in the console: one snapshot's whole document, and whether it could be restored."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from console.commands.base import Call, Query
from console.commands.context import Context
from console.commands.gates.reading import in_thread
from console.domain.operator.command import Answer, CommandInfo, Param
from console.domain.state import document, values
from console.domain.state.snapshot import MAX_AGE_S
from console.regular import read_regular
from console.store.files import snapshots
from console.store.files.states import Opened, age_s, open_file
from console.store.reading.kept import chosen, kept_states, read_kept
from console.views.snapshots import VerifiedSnapshot

STORE: Final = "store:"
MOST_LINES: Final = 2_000
"""Of a document that are shown over a screen; the verb on the command line prints all of it."""
MOST_WIDE: Final = 1_000
"""Characters of one of them."""
_HIDDEN: Final = re.compile(r"[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""What JSON leaves as it is, and a terminal would obey or not show."""


class SnapshotShow(Query):
    """A snapshot as it stands in its file, or in the store."""

    info = CommandInfo(
        name="snapshot show",
        title="Show a snapshot",
        summary="One snapshot's whole document; exit code 4 if it is damaged, 1 if it is too old to restore.",
        params=(
            Param(
                "file",
                "`latest`, an id, a file, or `store:` with a number or a hash.",
                required=False,
                suggests="snapshot",
                at_cursor=True,
            ),
        ),
        reads=True,
        opens=True,
    )

    def shape(self) -> Any:
        """The document, as it is."""
        return Mapping[str, Any]

    async def answer(self, ctx: Context, call: Call) -> Answer:
        """The verdict, then the document."""
        name = call.args.get("file", "") or "latest"
        opened = await opened_from(ctx, name)
        whole, lines = await in_thread(lambda: _whole(opened, name, ctx.snapshots))
        verdict = verified(opened, ctx.agent, ctx.clock())
        shown = tuple(line if len(line) <= MOST_WIDE else f"{line[:MOST_WIDE]}…" for line in lines[:MOST_LINES])
        more = len(lines) - len(shown)
        notes = (f"{more:,} lines more: `agent-console snapshot show {name}` prints all.",) if more else ()
        return Answer(whole, (*verdict.lines(), "", *shown), notes, yes=verdict.ok)


async def opened_from(ctx: Context, name: str) -> Opened:
    """What an operator named, whole.

    Raises:
        UsageError: there is none.
        Refused: it is damaged.
    """
    if not name.startswith(STORE):
        return await in_thread(lambda: open_file(snapshots.resolve(name, ctx.snapshots)))
    client, keys = ctx.gateway.client, ctx.gateway.keys
    kept = chosen((await kept_states(client, keys)).states, name.removeprefix(STORE))
    state = await read_kept(client, keys, kept)
    return Opened(f"{STORE}{kept.number}", "kept", state, kept.at, kept.hash, keys.agent)


def whole_document(opened: Opened, name: str, folder: Path) -> Any:
    """A snapshot's document: of a file what stands in it, of the store the state.

    Args:
        opened: the snapshot.
        name: by which it was named.
        folder: of the snapshots.
    """
    if name.startswith(STORE):
        return document.to_document(opened.state)
    return values.parse(read_regular(snapshots.resolve(name, folder), snapshots.MAX_FILE_BYTES))


def document_text(whole: Any, *, indent: int | None = 2) -> str:
    """A document as JSON of which no character is hidden, and none obeyed by a terminal."""
    text = json.dumps(whole, ensure_ascii=False, indent=indent, default=str)
    return _HIDDEN.sub(lambda char: f"\\u{ord(char[0]):04x}", text)


def verified(opened: Opened, agent: str, now: datetime) -> VerifiedSnapshot:
    """Whether a snapshot is whole and young enough, and what it lacks."""
    state = opened.state
    age = None if opened.at is None else age_s(opened.at, now)
    if opened.problem:
        problem = opened.problem
    elif age is None:
        problem = "it doesn't say when it was so"
    elif age < 0:
        problem = f"it is from the future: {-age} s after now"
    elif age > MAX_AGE_S:
        problem = f"it is {age:.1f} s old; {MAX_AGE_S} s is the limit"
    else:
        problem = "" if opened.agent in ("", agent) else f"it is of agent {opened.agent!r}, not of {agent!r}"
    return VerifiedSnapshot(
        name=opened.name,
        kind=str(opened.kind),
        ok=not problem,
        problem=problem,
        schema=state.schema,
        version=str(state.version) if state.version != "" else None,
        age_s=None if age is None else float(age),
        digest=opened.digest,
        missing=state.missing(),
        notes=opened.notes,
    )


def _whole(opened: Opened, name: str, folder: Path) -> tuple[Any, list[str]]:
    whole = whole_document(opened, name, folder)
    return whole, document_text(whole).splitlines()
