"""Manifests as the store records them beside the agent, and whether a kept state may be taken over by a version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from console.domain.fence.deployment import Slot
from console.domain.manifest.differences import changed
from console.domain.manifest.manifest import UNDECLARED, Manifest
from console.domain.manifest.mark import NOBODY, SHORT, Mark
from console.domain.text import Safe


class Declared(NamedTuple):
    """A manifest as an instance declared it.

    Args:
        manifest: what it declared; None for an instance that declared none.
        at: when the store took it.
        slot: of the instance; None where it named none.
        instance: who declared it.
    """

    manifest: Manifest | None
    at: datetime
    slot: Slot | None
    instance: Safe

    @property
    def short(self) -> str:
        """Its hash as it is shown."""
        return self.manifest.short if self.manifest is not None else UNDECLARED


class Recorded(NamedTuple):
    """A version's manifest in the store.

    Args:
        version: its name.
        declared: what it is held to.
        other: what an instance of it declared that is another; new risk is frozen until an operator resumes. None for
            none.
    """

    version: str
    declared: Declared
    other: Declared | None = None

    def change(self) -> str:
        """What has changed, in words; empty where nothing has."""
        if self.other is None:
            return ""
        return f"{difference(self.declared.manifest, self.other.manifest)} ({self.declared.short} → {self.other.short})"


def difference(before: Manifest | None, after: Manifest | None) -> str:
    """Which parts are not the same, in words."""
    if before is None or after is None:
        return "not declared any more" if after is None else "declared now"
    return ", ".join(one.words for one in changed(before, after)) or "nothing"


class KeptBy(NamedTuple):
    """A kept state, as far as manifests go.

    Args:
        number: in the list of states.
        slot: of who kept it.
        version: that made it.
        schema: number of its schema.
        mark: hash of the state's schema as its keeper's manifest had it; empty where it declared none.
    """

    number: int
    slot: str
    version: str
    schema: int
    mark: str = ""


def obstacle(kept: KeptBy, reader: Manifest, keeper: Manifest | None = None) -> str:
    """Why a version can't take a kept state over, with the field named; empty where it can, or where nobody declared
    enough to tell.

    Args:
        kept: the state.
        reader: the manifest of the version that would take it.
        keeper: the manifest of the version that kept it, for the names of fields; None where it isn't known.
    """
    moved = reader.schema is not None and kept.schema != reader.schema
    if moved and kept.schema in reader.reads:
        return ""
    known = bool(kept.mark) and reader.state.known
    if not moved and (not known or kept.mark == reader.state.hash):
        return ""
    if known and kept.mark != reader.state.hash:
        field = f"{_field(kept, reader, keeper)}, {kept.mark[:SHORT]} → {reader.state.short}"
    else:
        field = "the schema's number"
    way = f"nothing migrates schema {kept.schema} to {reader.schema}" if moved else f"both say schema {kept.schema}"
    return f"state {kept.number} of {kept.version or kept.slot} is of another manifest: {field}; {way}"


def _field(kept: KeptBy, reader: Manifest, keeper: Manifest | None) -> str:
    its: Mark = keeper.state if keeper is not None and keeper.state.hash == kept.mark else NOBODY
    before = Manifest(state=its if its.known else Mark(kept.mark))
    return changed(before, Manifest(state=reader.state))[0].words


def of_version(recorded: Mapping[str, Recorded], version: str) -> Manifest | None:
    """The manifest that a version is held to; None where it declared none."""
    one = recorded.get(version)
    return one.declared.manifest if one is not None else None
