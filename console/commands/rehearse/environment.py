"""What a version under rehearsal gets of our environment: what is on the list, and what an operator names. Nothing
else, so that it holds no address of the store and no credential."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from console.domain.errors import UsageError
from console.domain.secrets import without_secrets
from console.domain.text import clean
from console.store.server.url import SCHEMES

ALLOWED: Final = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH")
"""Variables that it gets as they are, where they are set and hold nothing that looks like a secret."""
OURS: Final = "AGENT_CONSOLE_"


def environment_for(env: Mapping[str, str], named: Sequence[str], home: str) -> dict[str, str]:
    """The environment of a version under rehearsal.

    Args:
        env: ours.
        named: further variables, which the operator names: a model's key, say.
        home: an empty folder, in which it finds no credentials of ours.

    Raises:
        UsageError: a named one is not set, is the console's own, or holds a store's address.
    """
    given = {name: env[name] for name in ALLOWED if name in env and without_secrets(env[name]) == env[name]}
    for name in named:
        shown = clean(name, 40)
        if name.upper().startswith(OURS):
            raise UsageError(f"{shown} is the console's own: a version under rehearsal never gets it.")
        if name not in env:
            raise UsageError(f"There is no variable {shown} to pass on.")
        if any(f"{scheme}://" in env[name].lower() for scheme in SCHEMES):
            raise UsageError(f"{shown} holds a store's address: a version under rehearsal never gets one.")
        given[name] = env[name]
    # what it prints has to come at once: a version that buffers its answers would miss the time of each round
    return {**given, "HOME": home, "PYTHONUNBUFFERED": "1"}
