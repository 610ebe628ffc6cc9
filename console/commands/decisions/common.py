"""What the verbs over decision logs share: the index, and what is said of logs that are not in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from console.commands.context import Context
from console.domain.errors import UsageError
from console.domain.text import clean

if TYPE_CHECKING:
    from console.logs.index.logs import LogIndex

T = TypeVar("T")


async def over(ctx: Context, work: Callable[[LogIndex], T], *, whole: bool = True) -> tuple[T, tuple[str, ...]]:
    """Ask the index of all logs, beside the loop; the answer, and a note on each log that is not in it.

    Args:
        ctx: surroundings.
        work: what is asked.
        whole: whether the index has to be of everything; else nothing is read ahead.

    Raises:
        UsageError: no log is named, none can be read, or one can't be read any more.
    """
    if not ctx.decisions:
        raise UsageError("No decision log is named.", "--decisions PATH names one; globs are patterns.")
    return await asyncio.to_thread(_over, ctx, work, whole=whole)


def _over(ctx: Context, work: Callable[[LogIndex], T], *, whole: bool) -> tuple[T, tuple[str, ...]]:
    from console.logs.index.logs import indexed
    from console.logs.looked import never_there

    try:
        with indexed(ctx.decisions, ctx.log_options, ctx.index if whole else None, whole=whole) as index:
            notes = tuple(f"not read: {clean(str(left.path), 120)}: {left.why}" for left in index.left)
            if not index.files:
                named = "; ".join(notes) or "no file matches"
                raise UsageError(f"No decision log can be read: {named}.", "--decisions PATH names one.")
            notes += never_there([one.data for one in index.files], ctx.log_options)
            answer = work(index)
    except OSError as error:
        raise UsageError(f"A decision log can't be read: {error.strerror}.") from error
    return answer, notes
