"""From a venue's document to what a prober works with: the preset beneath it, its terms, its secret."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from console.documents.model import record_of
from console.documents.reading import read
from console.domain.errors import UsageError
from console.domain.text import clean
from console.domain.venue.judge import Rules
from console.domain.venue.terms import DeadmanTerms, EscrowTerms, KeyTerms, Tolerances
from console.venue.document import PRESETS, Auth, VenueDocument
from console.venue.secret import Secret

FOLDER: Final = Path(__file__).parent / "presets"
MOST_BYTES: Final = 262_144


@dataclass(frozen=True, slots=True)
class Venue:
    """A venue that can be asked.

    Args:
        document: what its document says.
        secret: the key; an empty one for an open venue.
        rules: by what its answers are judged.
        keys: what it does with idempotency keys.
        deadman: what its dead man's switch does; None where it has none.
    """

    document: VenueDocument
    secret: Secret = field(repr=False)
    rules: Rules
    keys: KeyTerms
    deadman: DeadmanTerms | None = None

    @property
    def name(self) -> str:
        """For people."""
        return self.document.name


def load(path: Path, environment: Mapping[str, str] | None = None) -> Venue:
    """Read a venue's document.

    Args:
        path: TOML, or JSON where its name ends so.
        environment: where secrets may stand; the process's own by default.

    Raises:
        UsageError: it can't be read, something in it means nothing (all of that in one error), or its secret is not
            where it says.
    """
    document = read(path, VenueDocument, MOST_BYTES, over_preset)
    secret = _secret(document.auth, os.environ if environment is None else environment)
    excluded = document.probes.positions.excluded if document.probes.positions else ()
    rules = Rules(
        record_of(Tolerances, document.tolerances), record_of(EscrowTerms, document.escrow), frozenset(excluded)
    )
    terms = record_of(DeadmanTerms, document.deadman.terms) if document.deadman else None
    return Venue(document, secret, rules, record_of(KeyTerms, document.keys), terms)


def key_terms(path: Path) -> KeyTerms:
    """What a venue does with idempotency keys, by its document; for agents, which need none of its secrets from here.

    Raises:
        UsageError: the document can't be gone by.
    """
    return record_of(KeyTerms, read(path, VenueDocument, MOST_BYTES, over_preset).keys)  # type: ignore[no-any-return]


def escrow_terms(path: Path) -> EscrowTerms:
    """Who is paid at an escrow's time-out, by a venue's document; needs none of its secrets.

    Raises:
        UsageError: the document can't be gone by.
    """
    return record_of(EscrowTerms, read(path, VenueDocument, MOST_BYTES, over_preset).escrow)  # type: ignore[no-any-return]


def over_preset(values: Any) -> Any:
    """A document's values laid over those of the preset that it names.

    Raises:
        UsageError: there is no such preset, or nothing in it of a name that the document wants to be without.
    """
    name = values.get("preset") if isinstance(values, dict) else None
    if name is None:
        return values
    if name not in PRESETS:
        near = get_close_matches(str(name), PRESETS, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(PRESETS)}."
        raise UsageError(f"There is no preset {clean(name, 40)!r} for a venue.", hint)
    beneath: dict[str, Any] = tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"), parse_float=Decimal)
    without = values.get("without", [])
    for dotted in without if isinstance(without, list) else []:
        _take_out(beneath, dotted, name)
    return _laid_over(beneath, values)


def _take_out(beneath: dict[str, Any], dotted: object, preset: str) -> None:
    table, parts = beneath, str(dotted).split(".")
    for part in parts[:-1]:
        table = table.get(part, {}) if isinstance(table.get(part, {}), dict) else {}
    if table.pop(parts[-1], None) is None:
        raise UsageError(f"The preset {preset} has no {clean(dotted, 60)} to be without.", "Like probes.orders.")


def _laid_over(beneath: Any, above: Any) -> Any:
    if not (isinstance(beneath, dict) and isinstance(above, dict)):
        return above
    merged = {**beneath, **{name: _laid_over(beneath.get(name), value) for name, value in above.items()}}
    for one, other in (("key_env", "key_file"), ("key_file", "key_env"), ("remaining", "remaining_header")):
        if one in above and other not in above:
            merged.pop(other, None)  # the document says it in the other way
    return merged


def _secret(auth: Auth | None, environment: Mapping[str, str]) -> Secret:
    if auth is None:
        return Secret("")
    if auth.key_env is not None:
        if not environment.get(auth.key_env):
            raise UsageError(f"The venue's key: the environment has no {auth.key_env}.", "Export it first.")
        return Secret.checked(environment[auth.key_env], auth.key_env)
    assert auth.key_file is not None
    return Secret.from_file(Path(auth.key_file).expanduser())
