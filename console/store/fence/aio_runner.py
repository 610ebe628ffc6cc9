"""Running the Lua scripts on a client: by hash, or as functions of a library where the server lets us load one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from redis.exceptions import NoPermissionError, NoScriptError, RedisError, ResponseError

from console.domain.errors import StoreUnreachable
from console.store.fence.ids import call_ids
from console.store.scripts import (
    answer_to,
    function,
    has_no_functions,
    is_missing_function,
    library,
    sha1,
    source,
    translate,
)
from console.store.server.trouble import within_script

if TYPE_CHECKING:
    from redis.asyncio import Redis


class AsyncRunner:
    """Runs scripts on a client. A call is sent once: whoever repeats it does so with the same id.

    Args:
        client: a client whose own retries are off.
        functions: False to run by hash only.
    """

    def __init__(self, client: Redis, *, functions: bool = True) -> None:
        self.client = client
        self.execute: Callable[..., Awaitable[Any]] = client.execute_command
        self._functions = functions
        self._calls = call_ids()

    def command(self, name: str, keys: Sequence[str], args: Sequence[str]) -> tuple[Any, ...]:
        """The command that would be sent, e.g. for a pipeline with WAIT."""
        if self._functions:
            return ("FCALL", function(name), len(keys), *keys, *args)
        return ("EVALSHA", sha1(name), len(keys), *keys, *args)

    async def run(self, name: str, keys: Sequence[str], args: Sequence[str], **options: Any) -> Any:
        """The script's reply, which is known to be the answer to this very call.

        Args:
            name, keys, args: the call.
            options: of the command, for the client.

        Raises:
            StoreUnreachable: no answer, or that of another call; whether the script ran is unknown.
            Refused: the server refused it.
        """
        call_id = next(self._calls)
        args = (*args, call_id)
        try:
            try:
                reply = await self.execute(*self.command(name, keys, args), **options)
            except (ResponseError, NoPermissionError) as error:
                if not await self.prepare(name, error):
                    raise
                reply = await self.execute(*self.command(name, keys, args), **options)
        except RedisError as error:
            raise translate(error, name) from error
        return await self._checked(call_id, reply, name)

    async def _checked(self, call_id: str, reply: Any, name: str) -> list[Any]:
        try:
            return answer_to(call_id, reply, name)
        except StoreUnreachable:
            await self.client.connection_pool.disconnect()  # what else is on its way there answers nobody
            raise

    async def run_and_wait(
        self, name: str, keys: Sequence[str], args: Sequence[str], replicas: int, wait_ms: int, **options: Any
    ) -> tuple[Any, int]:
        """The script's reply, and how many replicas have its effects.

        `WAIT` counts only on the connection that wrote, so both go out together on one.
        """
        call_id = next(self._calls)
        args = (*args, call_id)
        for again in (True, False):
            try:
                pipe: Any
                async with self.client.pipeline(transaction=False) as pipe:
                    pipe.execute_command(*self.command(name, keys, args), **options)
                    pipe.execute_command("WAIT", replicas, wait_ms)
                    said, acknowledged = await pipe.execute(raise_on_error=False)
                if not isinstance(said, RedisError):
                    said = await self._checked(call_id, said, name)
                    return said, 0 if isinstance(acknowledged, RedisError) else int(acknowledged)
                if not (again and await self.prepare(name, said)):
                    raise said
            except RedisError as error:
                raise translate(error, name) from error
        raise AssertionError("unreachable")

    async def prepare(self, name: str, error: RedisError) -> bool:
        """After a refusal: make the script known to the server. False if that is not what was missing."""
        if isinstance(error, NoScriptError):
            await self.execute("SCRIPT LOAD", source(name))
            return True
        if not self._functions or within_script(error):
            return False  # what stopped on its way is not begun again
        if has_no_functions(error):
            self._functions = False
            await self.execute("SCRIPT LOAD", source(name))
            return True
        if not is_missing_function(error):
            return False
        try:
            await self.execute("FUNCTION LOAD", "REPLACE", library())
        except (ResponseError, NoPermissionError):
            self._functions = False
            await self.execute("SCRIPT LOAD", source(name))
        return True
