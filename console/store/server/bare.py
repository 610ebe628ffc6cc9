"""A few commands over a bare Unix socket, for when importing the client library would cost more than the question."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final, cast

_MAX_LINE: Final = 1 << 16
_MAX_BULK: Final = 1 << 20
_MAX_ITEMS: Final = 1 << 10


def ask(path: Path, commands: Sequence[Sequence[str]], *, timeout_s: float) -> list[str] | None:
    """The replies, as text, in order; fewer than asked where the server closed the connection in between.

    An array is its elements joined by line breaks, an error is its text, nil is empty.

    Args:
        path: of the socket.
        commands: each a list of words.
        timeout_s: the longest wait for each step.

    Returns:
        None where nothing answers there, or not in time, or not in this protocol.
    """
    request = b"".join(_pack(command) for command in commands)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(timeout_s)
        try:
            link.connect(os.fsencode(path))
            link.sendall(request)
            with link.makefile("rb") as stream:
                replies: list[str] = []
                for _ in commands:
                    reply = _read(cast(BinaryIO, stream))
                    if reply is None:
                        break
                    replies.append(reply)
                return replies
        except (OSError, ValueError):
            return None


def _pack(command: Sequence[str]) -> bytes:
    words = [os.fsencode(word) for word in command]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def _read(stream: BinaryIO) -> str | None:
    line = stream.readline(_MAX_LINE)
    if not line.endswith(b"\r\n"):
        return None
    kind, rest = line[:1], line[1:-2]
    if kind in (b"+", b"-", b":"):
        return os.fsdecode(rest)
    size = int(rest)
    if kind == b"$" and size <= _MAX_BULK:
        return "" if size < 0 else os.fsdecode(stream.read(size + 2)[:-2])
    if kind == b"*" and size <= _MAX_ITEMS:
        return "\n".join(_read(stream) or "" for _ in range(size))
    raise ValueError(f"not a reply we asked for: {line[:40]!r}")
