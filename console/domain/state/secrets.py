"""A state holds no secrets: whoever reads it would have them. What looks like one is refused, with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from console.domain.errors import Refused
from console.domain.secrets import without_secrets
from console.domain.text import clean

_NAMES: Final = re.compile(
    r"(?:^|[_.\-])(?:pass(?:word|wd|phrase)?|pwd|secret|mnemonic|seed_?phrase|credential|bearer"
    r"|(?:api|private|secret|signing|access)_?key|(?:access|auth|api|bearer|refresh|session)_?token)s?$",
    re.IGNORECASE,
)
"""Names whose value is a secret; `token` alone is none: many are coins."""
_SHORTEST: Final = 8
"""A value with fewer characters is no secret worth the name."""
_REFERENCE: Final = re.compile(r"(?:[a-z][a-z0-9+.-]*:/{0,2}[\w./:@-]+|\$\{?\w+\}?|sha256:[0-9a-f]+)\Z")
"""What tells where a secret is kept, or that it is the same: `vault:kv/bot`, `$VENUE_KEY`, a fingerprint."""
_TIME: Final = re.compile(r"[\d:.TZ+-]+\Z")
_HINT: Final = "Hand over where it is kept: State.credentials, made by Credential.of(name, reference, secret)."


def refuse_secrets(value: Any, at: str = "") -> None:
    """Refuse a value that holds a secret.

    Raises:
        Refused: it does; the text names where, never the secret.
    """
    where = next(_secrets(value, at), None)
    if where is not None:
        raise Refused(f"The state holds a secret in {clean(where, 120)}; it is not kept.", _HINT)


def _secrets(value: Any, at: str) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) >= _SHORTEST and not _TIME.match(value) and _is_secret(value):
            yield at
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            place = f"{at}.{name}" if at else str(name)
            named = isinstance(inner, str) and len(inner) >= _SHORTEST and _NAMES.search(str(name)) is not None
            if named and not _REFERENCE.match(inner):
                yield place
            yield from _secrets(str(name), place)
            yield from _secrets(inner, place)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _secrets(inner, f"{at}[{index}]")


@lru_cache(maxsize=4_096)
def _is_secret(text: str) -> bool:
    return without_secrets(text) != text
