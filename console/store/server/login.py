"""As which user the store knows us: asked once a connection, beside what is asked at its beginning anyway."""

from __future__ import annotations

from typing import Any, Final
from weakref import WeakKeyDictionary

from console.domain.text import clean

MOST: Final = 128
_KNOWN: Final[WeakKeyDictionary[Any, str]] = WeakKeyDictionary()


def remember(client: Any, reply: object) -> None:
    """Keep the answer to `ACL WHOAMI`; an error, where that may not be asked, is no name."""
    if isinstance(reply, bytes | str):
        _KNOWN[client] = clean(reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply, MOST)


def login_of(client: Any) -> str:
    """The user's name in the store; empty where that is not known."""
    return _KNOWN.get(client, "")
