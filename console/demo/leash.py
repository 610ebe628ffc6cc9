"""How a demo process notices that the console is gone, however it went, and goes too.

Each holds the read end of a pipe whose only write end is the console's: when that ends, even by `kill -9`, reading
gives end-of-file. On Linux the kernel also ends a child whose parent died. A program that isn't ours is started through
this module, which arranges the second and becomes the program.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
EXIT_ORPHANED: Final = 75
_MEANWHILE_S: Final = 0.5


def die_with_parent(parent: int) -> None:
    """Have the kernel end this process when its parent ends; does nothing where the kernel can't.

    Args:
        parent: the parent's process id; if it is another by now, it has ended already, and so do we.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(EXIT_ORPHANED)


def wait_for_end(watch: int, meanwhile: Callable[[], None] | None = None) -> None:
    """Return when the other side of the pipe is gone.

    Args:
        watch: the pipe's read end.
        meanwhile: what is done twice a second until then.
    """
    while True:
        try:
            if meanwhile is not None and not select.select([watch], [], [], _MEANWHILE_S)[0]:
                meanwhile()
            elif not os.read(watch, 64):
                return
        except InterruptedError:
            continue


def hold(leash: str) -> None:
    """End this process, at once and whatever it is doing, when the console or its parent is gone.

    Args:
        leash: `DESCRIPTOR:PARENT`, the pipe's read end and the parent's process id; empty for no leash.
    """
    if not leash:
        return
    watch, _, parent = leash.partition(":")
    die_with_parent(int(parent))

    def watching() -> None:
        wait_for_end(int(watch))
        os._exit(EXIT_ORPHANED)

    threading.Thread(target=watching, name="leash", daemon=True).start()


def main(arguments: list[str]) -> None:
    """`python -m console.demo.leash PARENT PROGRAM ARGUMENTS…`: become the program, on a leash."""
    parent, program, *rest = arguments
    die_with_parent(int(parent))
    os.umask(0o077)
    os.execv(program, [program, *rest])  # noqa: S606 - no shell is meant


if __name__ == "__main__":
    main(sys.argv[1:])
