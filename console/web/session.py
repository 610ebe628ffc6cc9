"""One visitor's console: a process of its own, which ends with the visit and with the server."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from console.web.access import TOKEN_VARIABLE

DRIVER: Final = "console.web.driver:ConsoleWebDriver"
GOODBYE_S: Final = 3.0
"""A console that does not end by itself within so long is killed."""
LARGEST: Final = (500, 200)
SMALLEST: Final = (20, 5)


def bounded(width: int, height: int) -> tuple[int, int]:
    """A terminal's size, whatever a browser asks for."""
    return (
        min(max(width, SMALLEST[0]), LARGEST[0]),
        min(max(height, SMALLEST[1]), LARGEST[1]),
    )


class ConsoleSession(AppService):
    """Starts the console without a shell, in a group of processes of its own.

    Args:
        program: the program and its arguments; no secret is among them, since others see those.
        environ: its environment, beside what a driver needs; the token is taken out.
        write_bytes, write_str, close: of the visitor's socket.
        download_manager: hands files to the browser.
    """

    def __init__(
        self,
        program: Sequence[str],
        environ: Mapping[str, str],
        *,
        write_bytes: Callable[[bytes], Awaitable[None]],
        write_str: Callable[[str], Awaitable[None]],
        close: Callable[[], Awaitable[None]],
        download_manager: DownloadManager,
    ) -> None:
        super().__init__(
            program[0], write_bytes=write_bytes, write_str=write_str, close=close, download_manager=download_manager
        )
        self._program = tuple(program)
        self._environ = {name: value for name, value in environ.items() if name != TOKEN_VARIABLE}

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        environ = self._build_environment(*bounded(width, height))
        environ = {name: value for name, value in environ.items() if name != TOKEN_VARIABLE} | self._environ
        environ["TEXTUAL_DRIVER"] = DRIVER
        process = await asyncio.create_subprocess_exec(
            *self._program, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environ, start_new_session=True
        )
        self._process, self._stdin = process, process.stdin
        return process

    async def run(self) -> None:
        """Hand on what the console draws; when it is over, however it ended, the browser hears of it."""
        try:
            await super().run()
        finally:
            await self.remote_close()

    async def set_terminal_size(self, width: int, height: int) -> None:
        """Tell the console about a new size."""
        await super().set_terminal_size(*bounded(width, height))

    async def stop(self) -> None:
        """End the console: asked first, killed if it does not."""
        process, task = self._process, self._task
        if process is None or task is None:
            return
        self._task = None
        await self._download_manager.cancel_app_downloads(app_service_id=self.app_service_id)
        await self.send_meta({"type": "quit"})
        try:
            async with asyncio.timeout(GOODBYE_S):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
