"""One source after another, each with its own time, and none able to take another one down."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar

from console.domain.errors import ConsoleError
from console.domain.gates.fact import Fact, Lack, Lacking, known, lacking
from console.domain.text import clean

T = TypeVar("T")


async def bounded(source: str, now: Callable[[], datetime], timeout_s: float, work: Awaitable[T]) -> Fact[Any]:
    """What a source says, as a fact: whatever goes wrong with it is a lack of this fact, and of no other.

    Args:
        source: its name.
        now: the clock by which the fact is dated once it is there.
        timeout_s: the longest wait.
        work: asks it.
    """
    try:
        value = await asyncio.wait_for(work, timeout_s)
    except Lacking as error:
        return lacking(source, now(), error.lack, error.why)
    except TimeoutError:
        return lacking(source, now(), Lack.TIMEOUT, f"no answer within {timeout_s:g} s")
    except ConsoleError as error:
        return lacking(source, now(), Lack.ERROR, str(clean(error.message, 160)))
    except Exception as error:  # noqa: BLE001 - a source that fails in a new way closes its own gate, and no other
        return lacking(source, now(), Lack.ERROR, str(clean(f"{type(error).__name__}: {error}", 160)))
    return known(source, now(), value)


async def in_thread(work: Callable[[], T]) -> T:
    """Blocking work on a thread of its own, which a program that ends does not wait for: a disk can hang for ever."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result: T | None = None
        failure: Exception | None = None
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - it is raised where the work is awaited
            failure = error
        try:
            loop.call_soon_threadsafe(settle, result, failure)
        except RuntimeError:
            return  # the loop has ended: nobody waits any more

    threading.Thread(target=run, name="gate", daemon=True).start()
    return await future
