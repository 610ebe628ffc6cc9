"""Connections that ask Sentinels where to go: the client library's own, for asyncio and blocking, also over TLS."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

from redis import connection as blocking
from redis.asyncio import connection as aio
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError, ResponseError

from console.domain.errors import StoreUnreachable
from console.store.server.greeting import role_told
from console.store.server.lookout import Lookout, lookout_for
from console.store.server.trouble import explain
from console.store.server.url import Endpoint, Node


class _Follows:
    """What connections of every kind do alike.

    Args:
        sentinels: who is asked.
    """

    host: str
    port: int
    socket_connect_timeout: Any

    def __init__(self, *, sentinels: Endpoint, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._sentinels = sentinels
        self.spent = False

    @property
    def _lookout(self) -> Lookout:
        return lookout_for(self._sentinels)

    @contextlib.contextmanager
    def _finding(self) -> Iterator[None]:
        """Carry it through the client library that no Sentinel names a primary."""
        try:
            yield
        except StoreUnreachable as error:
            raise RedisConnectionError(error.message) from error

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        """Say which server it was that failed, and ask anew where to go."""
        try:
            yield
        except Exception as error:
            self._lookout.doubt()
            trouble = explain(error, timeout_s=self.socket_connect_timeout, subject=self._primary)
            if trouble is None:
                raise
            raise RedisConnectionError(trouble.message) from trouble

    @property
    def _primary(self) -> str:
        return f"{self.host}:{self.port}, which the Sentinels call the primary of {self._sentinels.master},"

    def _require_primary(self, told: Any) -> None:
        """Refuse a server that says of itself, in its answer to HELLO or ROLE, that it is no primary."""
        if role_told(told) != "master":
            self._lookout.doubt(Node(self.host, self.port))
            error = StoreUnreachable(
                f"{self._primary} is a replica.",
                "A failover is under way, or the Sentinels are behind. Try again.",
            )
            raise RedisConnectionError(error.message) from error

    def _taken(self, end: Any) -> None:
        self._lookout.take(self, Node(self.host, self.port), end)

    def _demoted(self) -> None:
        """The server refused a write as a replica does. What is still to be read is read; nothing more is sent."""
        self._lookout.doubt()
        self.spent = True


class AsyncFollowing(_Follows, aio.Connection):
    """For asyncio."""

    async def send_packed_command(self, *args: Any, **options: Any) -> None:
        """Send; as in the base class, which connects anew where there is no connection."""
        if self.spent and self.is_connected:
            await self.disconnect(nowait=True)
        await super().send_packed_command(*args, **options)

    async def _connect(self) -> None:
        self.spent = False
        with self._finding():
            self.host, self.port = await self._lookout.primary(self.socket_connect_timeout)
        with self._named():
            await super()._connect()  # type: ignore[no-untyped-call]

    async def on_connect_check_health(self, check_health: bool = True) -> None:
        """Shake hands, and go no further with what is no primary."""
        loop, writer = asyncio.get_running_loop(), self._writer
        assert writer is not None
        with self._named():
            await super().on_connect_check_health(check_health)
            told = await self._role()
        self._require_primary(told)

        def end() -> None:
            with contextlib.suppress(RuntimeError):  # its loop is over, and the connection with it
                loop.call_soon_threadsafe(writer.transport.abort)

        self._taken(end)

    async def _role(self) -> Any:
        """What the server says of itself: to HELLO, and where it refuses that, to ROLE."""
        try:
            await self.send_command("HELLO", check_health=False)
            return await super().read_response()
        except ResponseError:
            await self.send_command("ROLE", check_health=False)
            return await super().read_response()

    async def read_response(self, *args: Any, **options: Any) -> Any:
        """One reply; as in the base class."""
        try:
            return await super().read_response(*args, **options)
        except ReadOnlyError:
            self._demoted()
            raise


class AsyncFollowingTls(AsyncFollowing, aio.SSLConnection):
    """For asyncio, over TLS."""


class Following(_Follows, blocking.Connection):
    """Blocking."""

    sole = False
    """Whether it ends with its server, instead of going on to the next primary: who looks at a store on each new
    connection has to hear of it."""

    def send_packed_command(self, *args: Any, **options: Any) -> None:
        """Send; as in the base class, which connects anew where there is no connection."""
        if self.spent and self.is_connected:
            self.disconnect()  # type: ignore[no-untyped-call]
            if self.sole:
                raise RedisConnectionError(f"{self._primary} is none any more.")
        super().send_packed_command(*args, **options)  # type: ignore[no-untyped-call]

    def _connect(self) -> Any:
        self.spent = False
        with self._finding():
            self.host, self.port = self._lookout.primary_sync(self.socket_connect_timeout)
        with self._named():
            return super()._connect()  # type: ignore[no-untyped-call]

    def on_connect_check_health(self, check_health: bool = True) -> None:
        """Shake hands, and go no further with what is no primary."""
        with self._named():
            super().on_connect_check_health(check_health)
            told: Any = self.handshake_metadata or self._role()
        self._require_primary(told)
        link: Any = self._sock

        def end() -> None:
            with contextlib.suppress(OSError):  # it is closed by now
                socket.socket.shutdown(link, socket.SHUT_RDWR)  # a TLS socket's own would take apart what is in use

        self._taken(end)

    def _role(self) -> Any:
        """What the server says of itself, where the handshake (of RESP2) says nothing."""
        try:
            self.send_command("HELLO", check_health=False)  # type: ignore[no-untyped-call]
            return super().read_response()
        except ResponseError:
            self.send_command("ROLE", check_health=False)  # type: ignore[no-untyped-call]
            return super().read_response()

    def read_response(self, *args: Any, **options: Any) -> Any:
        """One reply; as in the base class."""
        try:
            return super().read_response(*args, **options)
        except ReadOnlyError:
            self._demoted()
            raise


class FollowingTls(Following, blocking.SSLConnection):
    """Blocking, over TLS."""
