"""One process is one agent: what was made before a fork can't be used after it.

A connection, a thread, a lock and a file that two processes share answer each with the other's words. So whatever holds
one remembers the process that made it, and refuses any other at once.
"""

from __future__ import annotations

import os

from console.domain.errors import UsageError


class OtherProcess(UsageError):  # noqa: N818 - a state, named as authors name it
    """Something was made in one process and used in another, after a fork."""

    title = "Another process"


def check_process(made_in: int, what: str) -> None:
    """Refuse to be used in another process.

    Args:
        made_in: the pid of the process in which `what` was made.
        what: whose it is, for the message.

    Raises:
        OtherProcess: this is another process.
    """
    if os.getpid() != made_in:
        raise OtherProcess(
            f"{what} was made in process {made_in}, and this is its child {os.getpid()}. Nothing was sent.",
            "Make the controller, and whatever else talks to the store, after the fork, in each process its own.",
        )
