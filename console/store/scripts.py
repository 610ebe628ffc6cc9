"""The Lua scripts as Redis runs them: by hash, or as a function library where the server lets us load one.

Both come from the same files in `console/store/lua`. A function library is quicker (its helpers are defined once and
not at each call) and survives a restart and a failover; where loading one isn't allowed, scripts run by their hash and
are sent in full when the server doesn't know them. The library's name carries its own hash: two releases of this
program side by side each run the scripts they were tested with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError, NoScriptError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from console.domain.errors import Refused, StoreUnreachable

if TYPE_CHECKING:
    from redis import Redis
    from redis.asyncio import Redis as AsyncRedis

NAMES: Final = (
    "claim", "settle", "resolve", "switch", "halt", "beat", "trip", "limits", "lease", "flag", "restrain",
    "canary", "book", "document",
)  # fmt: skip
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
    return f"{shebang}{_read('base')}{_read('control')}{_read(name)}return {name}(KEYS, ARGV)\n"


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
        f"redis.register_function{{function_name='{function(name)}', callback={name}"
        + ("" if name in REFUSED_WITHOUT_MEMORY else ", flags={'allow-oom'}")
        + "}\n"
        for name in NAMES
    )
    return f"#!lua name={library_name()}\n{_bodies()}{registrations}"


def _is_missing_function(error: RedisError) -> bool:
    return "Function not found" in str(error)


def translate(error: RedisError, what: str) -> Exception:
    """The designed error for what a client library raised while running `what`."""
    from console.store.server.trouble import explain

    trouble = explain(error)
    if isinstance(error, RedisConnectionError | RedisTimeoutError):
        said = trouble.message if trouble else str(error)
        return StoreUnreachable(
            said, f"Whether {what} was carried out is unknown; repeating it with the same id is safe."
        )
    if trouble is not None:
        return trouble
    if "WRONGTYPE" in str(error):
        return Refused(
            f"{what} met a key of the wrong Redis type: {error}.",
            "Look at the agent's ac:… keys; nothing else uses them.",
        )
    return Refused(f"The store refused {what}: {error}.")


class Runner:
    """Runs scripts on a blocking client. A call is sent once: whoever repeats it does so with the same id.

    Args:
        client: a client whose own retries are off.
        functions: False to run by hash only.
    """

    def __init__(self, client: Redis, *, functions: bool = True) -> None:
        self.client = client
        self.execute: Callable[..., Any] = client.execute_command
        self._functions = functions

    def command(self, name: str, keys: Sequence[str], args: Sequence[str]) -> tuple[Any, ...]:
        """The command that would be sent, e.g. for a pipeline with WAIT."""
        if self._functions:
            return ("FCALL", function(name), len(keys), *keys, *args)
        return ("EVALSHA", sha1(name), len(keys), *keys, *args)

    def run(self, name: str, keys: Sequence[str], args: Sequence[str]) -> Any:
        """The script's reply.

        Raises:
            StoreUnreachable: no answer; whether the script ran is unknown.
            Refused: the server refused it.
        """
        try:
            try:
                return self.execute(*self.command(name, keys, args))
            except (ResponseError, NoPermissionError) as error:
                if not self.prepare(name, error):
                    raise
                return self.execute(*self.command(name, keys, args))
        except RedisError as error:
            raise translate(error, name) from error

    def run_and_wait(
        self, name: str, keys: Sequence[str], args: Sequence[str], replicas: int, wait_ms: int
    ) -> tuple[Any, int]:
        """The script's reply, and how many replicas have its effects.

        `WAIT` counts only on the connection that wrote, so both go out together on one.
        """
        for again in (True, False):
            try:
                pipe: Any
                with self.client.pipeline(transaction=False) as pipe:
                    pipe.execute_command(*self.command(name, keys, args))
                    pipe.execute_command("WAIT", replicas, wait_ms)
                    said, acknowledged = pipe.execute(raise_on_error=False)
                if not isinstance(said, RedisError):
                    return said, 0 if isinstance(acknowledged, RedisError) else int(acknowledged)
                if not (again and self.prepare(name, said)):
                    raise said
            except RedisError as error:
                raise translate(error, name) from error
        raise AssertionError("unreachable")

    def prepare(self, name: str, error: RedisError) -> bool:
        """After a refusal: make the script known to the server. False if that is not what was missing."""
        if isinstance(error, NoScriptError):
            self.execute("SCRIPT LOAD", source(name))
            return True
        if not self._functions or not (isinstance(error, NoPermissionError) or _is_missing_function(error)):
            return False
        try:
            self.execute("FUNCTION LOAD", "REPLACE", library())
        except (ResponseError, NoPermissionError):
            self._functions = False
            self.execute("SCRIPT LOAD", source(name))
        return True


class AsyncRunner:
    """The same on an asyncio client."""

    def __init__(self, client: AsyncRedis, *, functions: bool = True) -> None:
        self.client = client
        self.execute: Callable[..., Awaitable[Any]] = client.execute_command
        self._functions = functions

    def command(self, name: str, keys: Sequence[str], args: Sequence[str]) -> tuple[Any, ...]:
        """The command that would be sent, e.g. for a pipeline with WAIT."""
        if self._functions:
            return ("FCALL", function(name), len(keys), *keys, *args)
        return ("EVALSHA", sha1(name), len(keys), *keys, *args)

    async def run(self, name: str, keys: Sequence[str], args: Sequence[str]) -> Any:
        """See `Runner.run`."""
        try:
            try:
                return await self.execute(*self.command(name, keys, args))
            except (ResponseError, NoPermissionError) as error:
                if not await self.prepare(name, error):
                    raise
                return await self.execute(*self.command(name, keys, args))
        except RedisError as error:
            raise translate(error, name) from error

    async def run_and_wait(
        self, name: str, keys: Sequence[str], args: Sequence[str], replicas: int, wait_ms: int
    ) -> tuple[Any, int]:
        """See `Runner.run_and_wait`."""
        for again in (True, False):
            try:
                async with self.client.pipeline(transaction=False) as pipe:
                    pipe.execute_command(*self.command(name, keys, args))
                    pipe.execute_command("WAIT", replicas, wait_ms)
                    said, acknowledged = await pipe.execute(raise_on_error=False)
                if not isinstance(said, RedisError):
                    return said, 0 if isinstance(acknowledged, RedisError) else int(acknowledged)
                if not (again and await self.prepare(name, said)):
                    raise said
            except RedisError as error:
                raise translate(error, name) from error
        raise AssertionError("unreachable")

    async def prepare(self, name: str, error: RedisError) -> bool:
        """See `Runner.prepare`."""
        if isinstance(error, NoScriptError):
            await self.execute("SCRIPT LOAD", source(name))
            return True
        if not self._functions or not (isinstance(error, NoPermissionError) or _is_missing_function(error)):
            return False
        try:
            await self.execute("FUNCTION LOAD", "REPLACE", library())
        except (ResponseError, NoPermissionError):
            self._functions = False
            await self.execute("SCRIPT LOAD", source(name))
        return True
