"""What an operator promises about a server that does not tell it: managed ones answer no CONFIG, and some no INFO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from console.domain.errors import UsageError
from console.domain.text import clean

PROMISABLE: Final = (
    "appendonly",
    "appendfsync",
    "no-appendfsync-on-rewrite",
    "maxmemory-policy",
    "min-replicas-to-write",
    "version",
)
"""Settings as CONFIG calls them, and the server's version."""
MOST: Final = 80


class Promise(NamedTuple):
    """Settings of a server that somebody vouches for. What is measured always wins over it.

    Args:
        settings: name → value, as `CONFIG GET` would tell; `version` is the server's, e.g. "valkey 8.1".
        by: who promises it.
    """

    settings: Mapping[str, str]
    by: str

    @classmethod
    def of(cls, settings: Mapping[str, str], by: str) -> Promise | None:
        """A promise that names who gave it; None where nothing is promised.

        Raises:
            UsageError: nobody's name is under it, or something is promised that nobody asks for.
        """
        if not settings:
            return None
        for name, value in settings.items():
            if name not in PROMISABLE:
                raise UsageError(
                    f"{clean(name, 40)!r} can't be promised of a store.", f"What can be: {', '.join(PROMISABLE)}."
                )
            if not value.strip() or len(value) > MOST:
                raise UsageError(f"The promise of {name} is no short text: {clean(value, 40)!r}.")
        if not by.strip() or len(by) > MOST:
            raise UsageError("A promise about a store names who gives it.", 'Say [store] by = "NAME".')
        return cls({name: clean(value.strip(), MOST) for name, value in settings.items()}, clean(by.strip(), MOST))
