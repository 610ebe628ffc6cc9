"""Whether the functions under our names on a server are those that this release carries, by their text.

A script that is run by its hash is what it is. A library of functions is run by its name: whoever may load one could
have put another text under ours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NamedTuple

from console.domain.text import clean
from console.store.scripts import NAMES, function, library, library_name

Ask = Callable[..., Awaitable[Any]]
"""Sends a command: its reply, or None where it is not permitted or not known."""
MOST: Final = 3


class Loaded(NamedTuple):
    """What is known of the functions on a server.

    Args:
        there: whether this release's library is; None where functions can't be called by us or looked at.
        foreign: what stands under our names and is not ours, in words; empty for nothing.
        unseen: whether functions may be called and not be looked at.
    """

    there: bool | None
    foreign: str = ""
    unseen: bool = False


async def look(ask: Ask, may_call: bool) -> Loaded:
    """Ask a server what stands under our names.

    Args:
        ask: sends a command.
        may_call: whether this user may run functions.

    Raises:
        StoreUnreachable: no answer.
    """
    listed = await ask("FUNCTION", "LIST")
    if listed is None:
        return Loaded(None, unseen=may_call)
    ours, wrong = {function(name) for name in NAMES}, []
    for one in map(_fields, listed):
        name = _text(one.get("library_name"))
        if name != library_name() and ours & _names(one):
            wrong.append(f"the library {clean(name, 60)} has functions of our names")
    source = await ask("FUNCTION", "LIST", "LIBRARYNAME", library_name(), "WITHCODE")
    for one in map(_fields, source or ()):
        code = one.get("library_code", b"")
        code = code if isinstance(code, bytes) else str(code).encode("utf-8", "surrogateescape")
        if code != library().encode():
            mark = hashlib.sha256(code).hexdigest()[:12]
            wrong.append(f"the library {library_name()} holds another text than this release's (sha256 {mark}…)")
    return Loaded(bool(source), "; ".join(wrong[:MOST]))


def _fields(raw: Any) -> dict[str, Any]:
    if isinstance(raw, Mapping):
        return {_text(name): value for name, value in raw.items()}
    return (
        {_text(name): value for name, value in zip(raw[::2], raw[1::2], strict=False)} if isinstance(raw, list) else {}
    )


def _names(one: Mapping[str, Any]) -> set[str]:
    functions = one.get("functions")
    return {_text(_fields(each).get("name")) for each in functions} if isinstance(functions, list) else set()


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
