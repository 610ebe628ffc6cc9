"""The process of a version under rehearsal: lines in and out, all of it bounded, ended with its process group."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from console.domain.errors import UsageError
from console.domain.text import Safe, clean, redact

MAX_LINE: Final = 1 << 20
MAX_OUTPUT: Final = 256 << 20
MAX_STDERR: Final = 4096
STDERR_LINES: Final = 5
CHUNK: Final = 1 << 16
_KILL_S: Final = 5.0


class Ended(Exception):  # noqa: N818 - a state of the process
    """It writes no more."""


class TooMuch(Ended):
    """It wrote more than is read of one process."""


class Process:
    """A running process.

    Args:
        popen: started in a session of its own.
    """

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        assert popen.stdin and popen.stdout and popen.stderr
        self._popen = popen
        self._pipes = (popen.stdout, popen.stderr, popen.stdin)
        self._transports: list[asyncio.BaseTransport] = []
        self._buffer = bytearray()
        self._skips = False
        self._read_bytes = 0
        self._errors = bytearray()
        self._draining: asyncio.Task[None] | None = None

    @classmethod
    def spawn(cls, command: Sequence[str], env: Mapping[str, str]) -> Process:
        """Start it, without a shell; `connect` comes next, `kill` and `aclose` in any case.

        Raises:
            UsageError: it can't be started.
        """
        pipe = subprocess.PIPE
        try:
            return cls(
                subprocess.Popen(
                    list(command),
                    stdin=pipe,
                    stdout=pipe,
                    stderr=pipe,
                    env=dict(env),
                    bufsize=0,
                    start_new_session=True,
                )
            )
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else clean(error, 80)
            raise UsageError(
                f"{clean(command[0], 80)} can't be started: {why}.", "Write `-- COMMAND ARG…` at the end."
            ) from error

    async def connect(self) -> None:
        """Take its pipes onto the loop; what it writes to stderr is drained from now on."""
        loop = asyncio.get_running_loop()
        self._out, self._err = asyncio.StreamReader(CHUNK), asyncio.StreamReader(CHUNK)
        out, err, into = self._pipes
        for reader, pipe in ((self._out, out), (self._err, err)):
            transport, _ = await loop.connect_read_pipe(_protocol(reader), pipe)
            self._transports.append(transport)
        writing, protocol = await loop.connect_write_pipe(_protocol(asyncio.StreamReader()), into)
        self._transports.append(writing)
        self._in = asyncio.StreamWriter(writing, protocol, None, loop)
        self._draining = asyncio.create_task(self._drain_errors())

    async def write(self, line: bytes) -> None:
        """Give it a line.

        Raises:
            OSError: it reads no more.
        """
        self._in.write(line)
        await self._in.drain()

    @property
    def piles_up(self) -> bool:
        """Whether something that it was given still lies here."""
        return bool(self._in.transport.get_write_buffer_size())

    def end_input(self) -> None:
        """There is nothing more for it to read."""
        self._in.close()

    async def line(self) -> bytes | None:
        """The next line; None for one that is too long, which is not held.

        Raises:
            Ended: there is none any more, or too much was written.
        """
        while True:
            end = self._buffer.find(b"\n")
            if end >= 0:
                line, skipped = bytes(self._buffer[:end]), self._skips
                del self._buffer[: end + 1]
                self._skips = False
                if not skipped:
                    return line if len(line) <= MAX_LINE else None
                continue
            if len(self._buffer) > MAX_LINE:
                self._buffer.clear()
                if not self._skips:
                    self._skips = True
                    return None
            chunk = await self._out.read(CHUNK)
            if not chunk:
                rest, self._buffer = bytes(self._buffer), bytearray()
                if rest and not self._skips:
                    return rest
                raise Ended("it closed its output")
            self._read_bytes += len(chunk)
            if self._read_bytes > MAX_OUTPUT:
                raise TooMuch(f"it wrote more than {MAX_OUTPUT >> 20} MiB")
            self._buffer += chunk

    async def status(self, timeout_s: float) -> int | None:
        """How it ended: its status, less than 0 for a signal; None where it goes on."""
        try:
            async with asyncio.timeout(timeout_s):
                while self._popen.poll() is None:  # noqa: ASYNC110 - nothing on this loop tells of it
                    await asyncio.sleep(0.005)
        except TimeoutError:
            return None
        return self._popen.returncode

    @property
    def stderr(self) -> tuple[Safe, ...]:
        """The last lines that it wrote there, without what looks like a secret."""
        lines = [line for line in bytes(self._errors).split(b"\n") if line.strip()]
        return tuple(redact(line, 200) for line in lines[-STDERR_LINES:])

    async def aclose(self) -> None:
        """Give back what it held, once it was killed."""
        if self._draining is not None:
            await asyncio.wait((self._draining,), timeout=0.1)  # its last words; whoever else holds the pipe may stay
            self._draining.cancel()
        for transport in self._transports:
            if not transport.is_closing():
                transport.abort() if isinstance(transport, asyncio.WriteTransport) else transport.close()
        if len(self._transports) == len(self._pipes):
            await asyncio.sleep(0)  # what closes each pipe comes with the loop's next turn
        else:
            for pipe in self._pipes[len(self._transports) :]:
                pipe.close()

    def kill(self) -> None:
        """End it with its process group, whatever it does."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody of the group is left
            os.killpg(self._popen.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):  # the kernel holds it; it runs no more
            self._popen.wait(_KILL_S)

    async def _drain_errors(self) -> None:
        while chunk := await self._err.read(CHUNK):
            self._errors += chunk
            del self._errors[:-MAX_STDERR]


def _protocol(reader: asyncio.StreamReader) -> Callable[[], asyncio.StreamReaderProtocol]:
    return lambda: asyncio.StreamReaderProtocol(reader)
