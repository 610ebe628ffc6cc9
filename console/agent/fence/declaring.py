"""What a controller adds to its author's manifest, and whether it may take a kept state over by it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from console.agent.fence.errors import StateOfOtherSchema
from console.domain.errors import Refused, UsageError
from console.domain.manifest.manifest import Manifest
from console.domain.manifest.mark import mark_of
from console.domain.manifest.recorded import KeptBy, obstacle

if TYPE_CHECKING:
    from console.domain.state.kept import KeptState


def completed(manifest: Manifest, schema: int, flags: Mapping[str, Any]) -> Manifest:
    """A manifest with what the controller knows itself.

    Args:
        manifest: the author's.
        schema: the schema number of its state.
        flags: the flags that it reads, by name; empty for none.

    Raises:
        UsageError: it is no manifest.
    """
    if not isinstance(manifest, Manifest):
        raise UsageError(f"manifest is a Manifest, not a {type(manifest).__name__}.", "Manifest.of(code=…, model=…).")
    mark = mark_of(flags, "flags") if flags and not manifest.flags.known else manifest.flags
    return replace(manifest, flags=mark, schema=schema, reads=_reads(schema))


def _reads(schema: int) -> tuple[int, ...]:
    """The schemas from which declared migrations lead to this one."""
    module = sys.modules.get("console.domain.state.migration")
    if module is None:
        return ()  # nobody has declared any
    from console.domain.state.migration import chain, registered

    steps = registered()
    numbers = []
    for number in sorted({step.before for step in steps} - {schema}):
        try:
            chain(steps, number, schema)
        except Refused:
            continue  # it leads elsewhere
        numbers.append(number)
    return tuple(numbers)


def check_kept(kept: KeptState, own: Manifest, held: str) -> None:
    """Refuse a state of another manifest that no migration of ours reads.

    Args:
        kept: the state.
        own: our manifest.
        held: the store's record of the manifest that its version is held to; empty for none.

    Raises:
        StateOfOtherSchema: so; the field is named.
    """
    from console.store.records.manifests import declaration

    keeper = None
    if held:
        with suppress(Refused):  # it only names fields: without it the part is named
            keeper = declaration(held).manifest
    by = KeptBy(kept.number, str(kept.slot), str(kept.version), kept.schema, kept.manifest)
    # Migrations that were declared after the manifest count too.
    why = obstacle(by, replace(own, reads=_reads(own.schema) if own.schema is not None else ()), keeper)
    if why:
        raise StateOfOtherSchema(
            f"The {why}.", "Raise Settings.schema and State.schema, and declare how one becomes the other."
        )
