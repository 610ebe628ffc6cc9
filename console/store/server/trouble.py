"""What a failing store says, in an operator's words: each failure of the client library becomes `StoreUnreachable`."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from console.domain.errors import NoHello, NotPermitted, StoreUnreachable, WritesRefused
from console.domain.text import clean, redact_url

SAVING: Final = (
    "Free its disk, or mend the rights of its folder, and let it save (BGSAVE); "
    "CONFIG SET stop-writes-on-bgsave-error no lets it write without saving."
)
"""What to do about a server that takes no writes since its last save failed (MISCONF)."""
_DOORS: Final = "To stop agents before that: their halt file (halt_file), or end their processes."
"""What is left where the store takes no halt."""
_MOVES: Final = "Nothing was carried out. Try again; the slot has moved soon."
_RIGHTS: Final = "Ask for the rights that the message names; `agent-console acl` prints all that are needed."
_REPLIES: Final[tuple[tuple[str, str, str], ...]] = (
    ("WRONGPASS", "refused the user name or password", "Check the URL: redis://USER:PASSWORD@HOST:PORT/DB."),
    ("invalid username-password", "refused the user name or password", "Check the URL: redis://USER:PASSWORD@HOST."),
    ("invalid password", "refused the password", "Check the URL: redis://:PASSWORD@HOST:PORT/DB."),
    ("without any password", "has no password, but one was given", "Leave the password out of the URL."),
    ("NOAUTH", "asks for a password and none was given", "Put it into the URL: redis://:PASSWORD@HOST:PORT/DB."),
    ("already authenticated", "asks for a password and none was given", "Use redis://:PASSWORD@HOST:PORT/DB."),
    ("Authentication required", "asks for a password and none was given", "Use redis://:PASSWORD@HOST:PORT/DB."),
    ("NOPERM", "does not permit this user to do that", _RIGHTS),
    ("no permissions", "does not permit this user to do that", _RIGHTS),
    ("LOADING", "is still loading its data", "Wait a moment; it answers by itself once that is done."),
    ("is loading the dataset", "is still loading its data", "Wait a moment; it answers once that is done."),
    ("READONLY", "is a read-only replica", "Give the primary's address: nothing can be commanded on a replica."),
    ("read only replica", "is a read-only replica", "Give the primary's address."),
    ("UNBLOCKED", "has become a replica", "Give the primary's address, or the Sentinels' (redis+sentinel://)."),
    ("MISCONF", "refuses writes because it can't save to its disk", f"{SAVING} {_DOORS}"),
    ("OOM", "is out of memory and refuses writes", f"Free memory on it or raise its maxmemory. {_DOORS}"),
    ("when used memory", "is out of memory and refuses writes", f"Free memory on it or raise its maxmemory. {_DOORS}"),
    ("NOREPLICAS", "refuses writes: too few replicas are in step", f"Bring the replicas back. {_DOORS}"),
    ("MASTERDOWN", "is a replica that has lost its primary", "Give the primary's address, or wait for failover."),
    ("CLUSTERDOWN", "is part of a Cluster in which nobody has these keys now", f"Look at CLUSTER INFO on it. {_DOORS}"),
    (
        "MOVED",
        "is one node of a Cluster, and not the one that has these keys",
        "Try again: it has moved.",
    ),
    ("ASK", "is giving these keys to another node now", _MOVES),
    ("TRYAGAIN", "is giving these keys to another node now", _MOVES),
    ("CROSSSLOT", "is a Cluster, and the keys of one command lie in several slots", "This is a defect: report it."),
    ("no hash tag", "is a Cluster, and was asked for keys as they are on a server", "This is a defect: report it."),
    ("REDIRECT", "is no primary any more", "Give the primary's address, or wait for failover."),
    ("EXECABORT", "refused one command of several, and carried out none", "Its log and its ACL LOG say which."),
    ("BUSY", "is busy with a script that does not end", "SCRIPT KILL on it ends one that has written nothing yet."),
    ("max number of clients", "has as many clients as it takes", "Close some, or raise its maxclients."),
    ("DENIED", "is in protected mode and takes local clients only", "Connect from its own machine, or set a password."),
    ("invalid DB index", "has no such database", "Give a lower number after the last / of the URL."),
    ("DB index is out of range", "has no such database", "Give a lower number after the last / of the URL."),
)
"""Beginnings or parts of the server's own words; what it is in ours; what to do."""

_UNKNOWN: Final = ("unknown command", "unknown subcommand")
"""How a server begins that was told to forget a command (`rename-command`), as managed ones are."""
_IN_SCRIPT: Final = (" script: ", " in script", "from script", "from lua script")
"""How a server marks what went wrong within a script, which it does not take back."""

_NO_HELLO: Final = ("unknown command 'HELLO'", "unknown command `HELLO`", "NOPROTO", "the 'hello' command")
"""How a server refuses the handshake of RESP3: as it is too old for it, was told to forget it, or doesn't permit it."""


def within_script(error: BaseException) -> bool:
    """Whether it is a right or a command that a script lacked while it ran: what it did before that stands, and how far
    that is isn't known. Every other refusal comes before a script's first write.
    """
    from redis import exceptions as redis_errors

    told = str(error).lower()
    lacks = any(part in told for part in ("acl failure", "no permissions", "can't access", *_UNKNOWN, "unknown redis"))
    return isinstance(error, redis_errors.ResponseError) and lacks and any(part in told for part in _IN_SCRIPT)


def is_refusal(error: BaseException) -> bool:
    """Whether the server doesn't permit a command, or doesn't know it, which managed ones rename away."""
    from redis import exceptions as redis_errors

    told = f"{getattr(error, 'status_code', None) or ''} {error}".lower()
    return isinstance(error, redis_errors.ResponseError) and (
        isinstance(error, redis_errors.NoPermissionError)
        or any(
            part in told for part in ("noperm", "no permissions", "unknown command", "unknown subcommand", "misconf")
        )
    )


def answers(error: BaseException) -> bool:
    """Whether a refused PING tells of a store that can be read all the same: it takes no writes now (MISCONF), or
    doesn't permit that one command.
    """
    from redis import exceptions as redis_errors

    return isinstance(error, redis_errors.ResponseError) and (
        isinstance(error, redis_errors.NoPermissionError) or str(error).startswith(("MISCONF", "NOPERM"))
    )


@contextmanager
def wrap_errors(url: str = "", *, timeout_s: float | None = None, subject: str = "") -> Iterator[None]:
    """Turn what the client library raises inside into `StoreUnreachable`.

    Replies that say "this command is wrong" pass through as they are: such are defects of ours, no state of the store.

    Args:
        url: of the store; shown without its password.
        timeout_s: how long was waited, for the message.
        subject: who it was that failed, where that is not the store at the URL.

    Raises:
        StoreUnreachable: the store could not be reached, did not answer in time, or cannot do its work now.
    """
    try:
        yield
    except StoreUnreachable:
        raise
    except Exception as error:
        trouble = explain(error, url, timeout_s=timeout_s, subject=subject)
        if trouble is None:
            raise
        raise trouble from error


def raise_if_cancelled() -> None:
    """Raise the cancellation that a client library may have swallowed; for every loop that awaits one.

    Seen with redis-py 8.1 on Python 3.11: about one cancellation in twenty, arriving while a command was under way, was
    taken for the end of a time-out of the library's own, and the loop around it ran on for ever.

    Raises:
        asyncio.CancelledError: this task was asked to end.
    """
    import asyncio

    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def explain(
    error: BaseException, url: str = "", *, timeout_s: float | None = None, subject: str = ""
) -> StoreUnreachable | None:
    """The error in an operator's words; None if it does not speak of the store's state.

    Args:
        error: as the client library raised it, or as it stands inside a pipeline's replies.
        url: of the store; shown without its password.
        timeout_s: how long was waited.
        subject: who it was that failed, where that is not the store at the URL.
    """
    from redis import exceptions as redis_errors

    carried = error.__cause__
    while carried is not None and not isinstance(carried, StoreUnreachable):
        carried = carried.__cause__
    if carried is not None:
        return carried  # said where it was known, and brought here through the client library
    store = subject or (f"The store at {redact_url(url)}" if url else "The store")
    if node := getattr(error, "node", ""):
        store = f"The Cluster's node {node}"
    if any(isinstance(cause, TimeoutError | redis_errors.TimeoutError) for cause in _causes(error)):
        waited = f" within {timeout_s:g} s" if timeout_s else " in time"
        tls = " Or it does not speak TLS: then use redis://." if url.lower().startswith("rediss:") else ""
        return StoreUnreachable(f"{store} did not answer{waited}.", f"It may be hung, overloaded or cut off.{tls}")
    if isinstance(error, redis_errors.RedisError):
        known = _from_reply(error, store)
        if known is not None:
            return known
    if isinstance(error, redis_errors.ConnectionError | redis_errors.InvalidResponse | OSError | EOFError):
        return _from_connection(error, store)
    return None


def _from_reply(error: Exception, store: str) -> StoreUnreachable | None:
    from redis import exceptions as redis_errors

    words_of_error = str(error).rpartition("of pipeline caused error: ")[2]
    words = f"{getattr(error, 'status_code', None) or ''} {words_of_error}".strip()
    code = words.partition(" ")[0].rstrip(":")
    if any(part in words for part in _NO_HELLO):
        hint = "RESP2 is enough: a client of your own is made with protocol=2."
        return NoHello(f"{store} refuses the handshake of RESP3 ({clean(str(error), 160)}).", hint)
    is_reply = isinstance(error, redis_errors.ResponseError | redis_errors.ConnectionError)
    if within_script(error):
        return StoreUnreachable(
            f"{store} stopped a script on its way ({clean(str(error), 200)}).",
            "This user lacks a right that scripts need: `agent-console acl` prints them.",
        )
    for part, what, hint in _REPLIES:
        matches = code == part if part.isupper() else part.lower() in words.lower()
        if is_reply and matches:
            named = f" ({clean(str(error), 160)})" if part in ("NOPERM", "no permissions", "MISCONF") else ""
            kind = NotPermitted if part in ("NOPERM", "no permissions") else WritesRefused
            return kind(f"{store} {what}{named}.", hint)
    if is_reply and any(part in words.lower() for part in _UNKNOWN):
        return WritesRefused(
            f"{store} does not know a command that is needed ({clean(str(error), 160)}).",
            "It is too old, or the command was renamed away: then bring it back for this one.",
        )
    if isinstance(error, redis_errors.AuthenticationError | redis_errors.AuthorizationError):
        return WritesRefused(f"{store} refused to let us in ({clean(str(error), 160)}).", "Check the URL's password.")
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def _from_connection(error: BaseException, store: str) -> StoreUnreachable:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return StoreUnreachable(
                f"{store} showed a certificate that can't be trusted ({clean(cause.verify_message, 120)}).",
                "Name its authority with ?ssl_ca_certs=FILE in the URL.",
            )
        if isinstance(cause, ssl.SSLError):
            return StoreUnreachable(
                f"{store} did not complete the TLS handshake ({clean(cause.reason or str(cause), 120)}).",
                "If it does not speak TLS, use redis:// instead of rediss://.",
            )
        if isinstance(cause, socket.gaierror | UnicodeError):
            return StoreUnreachable(f"{store} can't be found: its host name is unknown.", "Check the name, and DNS.")
        if isinstance(cause, ConnectionRefusedError):
            return StoreUnreachable(f"{store} refused the connection: nothing listens there.", "Is it running?")
        if isinstance(cause, FileNotFoundError):
            return StoreUnreachable(f"{store} can't be reached: there is no such socket or file.", "Is it running?")
        if isinstance(cause, PermissionError):
            return StoreUnreachable(f"{store} can't be reached: its socket or a file is not ours to open.", "")
        if isinstance(cause, ConnectionResetError | BrokenPipeError | EOFError):
            return StoreUnreachable(f"{store} closed the connection.", "It may have been stopped or restarted.")
    words = clean(str(error), 160)
    if "closed by server" in words.lower():
        return StoreUnreachable(f"{store} closed the connection.", "It may have been stopped or restarted.")
    if "Protocol" in words:
        return StoreUnreachable(f"{store} does not answer like Redis or Valkey ({words}).", "Check host and port.")
    return StoreUnreachable(f"{store} can't be reached ({words}).", "")
