"""As which user the store knows us: asked once a connection, beside what is asked at its beginning anyway."""

from __future__ import annotations

from typing import Any, Final
from weakref import WeakKeyDictionary

from redis.exceptions import ResponseError

from console.domain.text import clean
from console.store.server.trouble import is_refusal, wrap_errors

MOST: Final = 128
_KNOWN: Final[WeakKeyDictionary[Any, str]] = WeakKeyDictionary()


def remember(client: Any, reply: object) -> None:
    """Keep the answer to `ACL WHOAMI`; an error, where that may not be asked, is no name."""
    if isinstance(reply, bytes | str):
        _KNOWN[client] = clean(reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply, MOST)


async def ask(client: Any) -> None:
    """Ask for it on its own, once; where that may not be asked, it stays unknown.

    Raises:
        StoreUnreachable: no answer.
    """
    with wrap_errors():
        try:
            remember(client, await client.execute_command("ACL WHOAMI"))
        except ResponseError as error:
            if not is_refusal(error):
                raise


def login_of(client: Any) -> str:
    """The user's name in the store; empty where that is not known."""
    return _KNOWN.get(client, "")
