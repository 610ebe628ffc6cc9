"""What a server is asked first: whether it answers, and what it is; a client that it does not answer is closed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from console.store.server.options import Wanted
from console.store.server.trouble import answers, wrap_errors

if TYPE_CHECKING:
    import redis
    import redis.asyncio


async def greeted(client: redis.asyncio.Redis, url: str, wanted: Wanted) -> redis.asyncio.Redis:
    """The client, which the store answers.

    Args:
        client: of which nothing was asked yet.
        url: of the store, for messages.
        wanted: how it was made.

    Raises:
        StoreUnreachable: it does not answer; the client is closed.
    """
    with wrap_errors(url, timeout_s=wanted.timeout_s):
        try:
            await client.ping()
        except BaseException as error:
            if not answers(error):
                await client.aclose()
                raise
    return client


def greeted_sync(client: redis.Redis, url: str, wanted: Wanted) -> redis.Redis:
    """The same for a blocking client."""
    with wrap_errors(url, timeout_s=wanted.timeout_s):
        try:
            client.ping()
        except BaseException as error:
            if not answers(error):
                client.close()
                raise
    return client


def first_words(pipe: Any, protocol: int) -> None:
    """Ask a server whether it answers, and what it is: HELLO is permitted to everybody who may connect, INFO tells it
    where HELLO is refused.

    Args:
        pipe: of a client.
        protocol: of RESP, that its connection speaks.
    """
    pipe.ping()
    pipe.execute_command("HELLO")
    if protocol == 2:
        pipe.execute_command("INFO", "server")


def mode_of(replies: Sequence[Any]) -> str:
    """What a server is, as `mode_told`.

    Args:
        replies: to `first_words`.

    Raises:
        Exception: it does not answer, or can't be read.
    """
    pinged, *told = replies
    if isinstance(pinged, Exception) and not answers(pinged):
        raise pinged
    return next((mode for reply in told if (mode := mode_told(reply))), "")


def mode_told(told: Any) -> str:
    """What a server is by its answer to HELLO or INFO: "standalone", "sentinel" or "cluster"; "" where it does not say.

    Args:
        told: the answer, as RESP3 tells it or as RESP2 does; or that it was refused.
    """
    fields = fields_told(told)
    return next((fields[name] for name in ("mode", "redis_mode", "server_mode") if name in fields), "")


def role_told(told: Any) -> str:
    """Whether a server calls itself a "master" or a "replica" in its answer to HELLO or ROLE; "" where it does not say.

    Args:
        told: the answer, as RESP3 tells it or as RESP2 does; or that it was refused.
    """
    if isinstance(told, list | tuple) and told and _text(told[0]) in ("master", "slave"):
        return "master" if _text(told[0]) == "master" else "replica"
    return fields_told(told).get("role", "")


def fields_told(told: Any) -> dict[str, str]:
    """The fields of an answer, as text; none where it was refused.

    Args:
        told: names and values, as RESP3 tells them or one after the other; or the lines of INFO, parsed or not.
    """
    if isinstance(told, Exception) or not told:
        return {}
    if isinstance(told, bytes | str):
        lines = (line.partition(":") for line in _text(told).splitlines())
        return {name: value.strip() for name, colon, value in lines if colon}
    pairs = told.items() if isinstance(told, dict) else zip(told[::2], told[1::2], strict=False)
    return {_text(name): _text(value) for name, value in pairs}


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
