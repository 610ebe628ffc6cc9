"""A client of the protocol as an author in another language would write it: from `docs/protocol.md` alone.

It speaks RESP over a socket, puts the scripts together from their files, and plays `docs/vectors.json`. Nothing of
`console` is imported here: what it needs to know must stand in that document.
"""

from __future__ import annotations

import hashlib
import re
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from tests import ROOT

FOLDER: Final = ROOT / "console" / "store" / "lua"
WITHOUT_MEMORY: Final = "claim"
"""The one script that a server which is out of memory refuses."""
LIBRARY: Final = "vectors"
TIMEOUT_S: Final = 10.0

Reply: TypeAlias = Any
"""Text, a whole number, None, a list of replies, or `{"error": text}`."""

KINDS: Final = {
    "ms": r"\d{13}",
    "steady": r"\d{13}",
    "epoch": r"\d{13}",
    "id": r"\d{13}-\d+",
    "sha1": r"[0-9a-f]{40}",
    "duration": r"\d{1,12}",
    "day": r"\d{5}",
}
"""What stands for a value that depends on time or chance, and how such a value is written."""
PLACEHOLDER: Final = re.compile(rf"<({'|'.join(KINDS)}|same)(?::(\w+))?>")


class Difference(AssertionError):
    """The store answered otherwise than a vector says."""


class Connection:
    """One connection to a server, over its Unix socket; RESP2.

    Args:
        path: of the socket.
    """

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(TIMEOUT_S)
        self._socket.connect(str(path))
        self._file = self._socket.makefile("rb")

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def command(self, *words: str) -> Reply:
        """Send one command and read its reply."""
        parts = [word.encode() for word in words]
        self._socket.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
        return self._read()

    def _read(self) -> Reply:
        line = self._file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server closed the connection in the middle of a reply")
        kind, text = line[:1], line[1:-2].decode()
        if kind == b"*":
            return None if text == "-1" else [self._read() for _ in range(int(text))]
        if kind == b"$":
            return None if text == "-1" else self._file.read(int(text) + 2)[:-2].decode()
        if kind == b":":
            return int(text)
        return {"error": text} if kind == b"-" else text


def script(name: str) -> str:
    """The text of one script, for EVAL, SCRIPT LOAD and EVALSHA."""
    head = "" if name == WITHOUT_MEMORY else "#!lua flags=allow-oom\n"
    return f"{head}{_text('base')}{_text('control')}{_text(name)}return answered({name}, KEYS, ARGV)\n"


def library(names: Sequence[str]) -> str:
    """The text of a function library with all scripts, for FUNCTION LOAD."""
    registered = "".join(
        f"redis.register_function{{function_name='{LIBRARY}_{name}', "
        f"callback=function(K, A) return answered({name}, K, A) end"
        f"{'' if name == WITHOUT_MEMORY else ', flags={' + repr('allow-oom') + '}'}}}\n"
        for name in names
    )
    bodies = "".join(_text(name) for name in ("base", "control", *names))
    return f"#!lua name={LIBRARY}\n{bodies}{registered}"


def _text(name: str) -> str:
    return (FOLDER / f"{name}.lua").read_text("utf-8")


class ByHash:
    """Scripts by their hash, sent in full when the server doesn't know them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def call(self, name: str, keys: Sequence[str], args: Sequence[str]) -> Reply:
        """One call's reply."""
        text = script(name)
        words = (str(len(keys)), *keys, *args)
        reply = self._connection.command("EVALSHA", hashlib.sha1(text.encode()).hexdigest(), *words)
        if isinstance(reply, dict) and reply["error"].startswith("NOSCRIPT"):
            reply = self._connection.command("EVAL", text, *words)
        return reply


class ByFunction:
    """Scripts as functions of a library that is loaded first.

    Args:
        connection: to the server.
        names: of all scripts.
    """

    def __init__(self, connection: Connection, names: Sequence[str]) -> None:
        self._connection = connection
        loaded = connection.command("FUNCTION", "LOAD", "REPLACE", library(names))
        if loaded != LIBRARY:
            raise Difference(f"the library was not loaded: {loaded}")

    def call(self, name: str, keys: Sequence[str], args: Sequence[str]) -> Reply:
        """One call's reply."""
        return self._connection.command("FCALL", f"{LIBRARY}_{name}", str(len(keys)), *keys, *args)


Caller: TypeAlias = ByHash | ByFunction


def play(case: Mapping[str, Any], connection: Connection, caller: Caller) -> None:
    """Play one case of the vectors on an empty store.

    Raises:
        Difference: a reply is another than the case says.
    """
    names: dict[str, str] = {}
    for step in (*case["given"], {**case["call"], "reply": case["reply"]}, *case["then"]):
        check(step["reply"], run(step, connection, caller, names), names)


def run(step: Mapping[str, Any], connection: Connection, caller: Caller, names: Mapping[str, str]) -> Reply:
    """Carry out one step: a call of a script, or a plain command."""
    if "script" in step:
        args = [filled(arg, names) for arg in step["args"]]
        reply = caller.call(step["script"], step["keys"], args)
        if isinstance(reply, list) and reply[-1] != args[-1]:
            raise Difference(f"{step['script']}: the reply {reply} is not that of the call {args[-1]}")
        return reply
    return connection.command(*(filled(word, names) for word in step["command"]))


def filled(text: str, names: Mapping[str, str]) -> str:
    """An argument with what its `<same:NAME>` stand for."""
    return PLACEHOLDER.sub(lambda match: names[match[2]] if match[1] == "same" else match[0], text)


def check(expected: Reply, actual: Reply, names: dict[str, str], at: str = "reply") -> None:
    """Compare a reply with what is expected, and keep in `names` what placeholders name.

    Raises:
        Difference: they differ; says where.
    """
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for index, (one, other) in enumerate(zip(expected, actual, strict=True)):
            check(one, other, names, f"{at}[{index}]")
    elif isinstance(expected, str) and (isinstance(actual, str) or PLACEHOLDER.fullmatch(expected)):
        match = re.fullmatch(_pattern(expected, names), str(actual), re.DOTALL)
        if match is None:
            raise Difference(f"{at}: {actual!r} is not {expected!r}")
        names.update(match.groupdict())
    elif expected != actual:
        raise Difference(f"{at}: {actual!r} is not {expected!r}")


def _pattern(expected: str, names: Mapping[str, str]) -> str:
    parts, here, named = [], 0, set[str]()
    for match in PLACEHOLDER.finditer(expected):
        kind, name = match.groups()
        parts.append(re.escape(expected[here : match.start()]))
        if kind == "same":
            parts.append(f"(?P={name})" if name in named else re.escape(names[name]))
        elif name:
            named.add(name)
            parts.append(f"(?P<{name}>{KINDS[kind]})")
        else:
            parts.append(KINDS[kind])
        here = match.end()
    return "".join([*parts, re.escape(expected[here:])])


def empty(connection: Connection) -> None:
    """Empty the store, and let the server's clock go on, so that the next case's epochs are its own."""
    connection.command("FLUSHALL")
    time.sleep(0.001)
