"""The Lua scripts as Redis runs them: by hash, or as a function library where the server lets us load one.

Both come from the same files in `console/store/lua`. A function library is quicker (its helpers are defined once and
not at each call) and survives a restart and a failover; where loading one isn't allowed, scripts run by their hash and
are sent in full when the server doesn't know them. The library's name carries its own hash: two releases of this
program side by side each run the scripts they were tested with.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from console.domain.errors import Refused, StoreUnreachable, WritesRefused

NAMES: Final = (
    "claim",
    "settle",
    "resolve",
    "switch",
    "halt",
    "beat",
    "trip",
    "limits",
    "lease",
    "flag",
    "restrain",
    "canary",
    "book",
    "document",
    "receipt",
    "owe",
    "state",
)
"""Every script; each is a file of that name with one function of that name."""

REFUSED_WITHOUT_MEMORY: Final = frozenset({"claim"})
"""Results, switches and halts must work on a server that is out of memory; new claims must not."""

_FOLDER: Final = Path(__file__).parent / "lua"


@cache
def _read(name: str) -> str:
    return (_FOLDER / f"{name}.lua").read_text("utf-8")


@cache
def source(name: str) -> str:
    """The full text of one script, as EVAL takes it."""
    shebang = "" if name in REFUSED_WITHOUT_MEMORY else "#!lua flags=allow-oom\n"
    return f"{shebang}{_read('base')}{_read('control')}{_read(name)}return answered({name}, KEYS, ARGV)\n"


@cache
def sha1(name: str) -> str:
    """The hash by which EVALSHA knows that script."""
    return hashlib.sha1(source(name).encode()).hexdigest()  # noqa: S324 - it is what Redis calls a script by


@cache
def _bodies() -> str:
    return _read("base") + _read("control") + "".join(_read(name) for name in NAMES)


@cache
def library_name() -> str:
    """The function library's name, with eight digits of the hash of everything in it."""
    return f"agentconsole_{hashlib.sha256(_bodies().encode()).hexdigest()[:8]}"


@cache
def function(name: str) -> str:
    """The name by which FCALL knows a script."""
    return f"{library_name()}_{name}"


@cache
def library() -> str:
    """The function library, as FUNCTION LOAD takes it."""
    registrations = "".join(
        f"redis.register_function{{function_name='{function(name)}', "
        f"callback=function(K, A) return answered({name}, K, A) end"
        + ("" if name in REFUSED_WITHOUT_MEMORY else ", flags={'allow-oom'}")
        + "}\n"
        for name in NAMES
    )
    return f"#!lua name={library_name()}\n{_bodies()}{registrations}"


_CALL: Final = re.compile(r"redis\.p?call\('([A-Z]+)'")


def calls_in(names: Iterable[str]) -> frozenset[str]:
    """The commands that some scripts send, in lower case, as an ACL names them."""
    texts = (_read("base"), _read("control"), *map(_read, names))
    return frozenset(word.lower() for text in texts for word in _CALL.findall(text))


def answer_to(call_id: str, reply: Any, what: str) -> list[Any]:
    """A script's reply without the id of the call that it answers.

    Raises:
        StoreUnreachable: it answers another call: what was carried out of this one is unknown.
    """
    parts: list[Any] = reply if isinstance(reply, list) else []
    last = parts[-1] if parts else b""
    if (last.decode("utf-8", "replace") if isinstance(last, bytes) else last) != call_id:
        raise StoreUnreachable(
            f"the store's answer to {what} is that of another call",
            f"Whether {what} was carried out is unknown; repeating it with the same id is safe.",
        )
    return parts[:-1]


def has_no_functions(error: RedisError) -> bool:
    """Whether FCALL is not permitted to this user, or not known to this server."""
    told = str(error).lower()
    return isinstance(error, NoPermissionError) or ("unknown command" in told and "fcall" in told)


def is_missing_function(error: RedisError) -> bool:
    return "Function not found" in str(error)


def translate(error: RedisError, what: str) -> Exception:
    """The designed error for what a client library raised while running `what`."""
    from console.store.server.trouble import explain

    trouble = explain(error)
    if isinstance(trouble, WritesRefused):
        return trouble  # of whatever kind it is for the client library: the server answered
    if isinstance(error, RedisConnectionError | RedisTimeoutError):
        message = trouble.message if trouble else str(error)
        return StoreUnreachable(
            message, f"Whether {what} was carried out is unknown; repeating it with the same id is safe."
        )
    if trouble is not None:
        return trouble
    if "WRONGTYPE" in str(error):
        return Refused(
            f"{what} met a key of the wrong Redis type: {error}.",
            "Look at the agent's ac:… keys; nothing else uses them.",
        )
    return Refused(f"The store refused {what}: {error}.")
