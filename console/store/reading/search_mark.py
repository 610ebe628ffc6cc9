"""How far the search of a store's keyspace is, kept in the store: who comes next goes on where another one stopped, and
shows how far it is without searching itself.

A cursor of SCAN is worth something on the server alone that gave it out: so the mark is kept under the name of that
server's run (`INFO server`), and goes by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from redis.exceptions import ResponseError

from console.domain.errors import WritesRefused
from console.store.fence.replies import text
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

KEPT_MS: Final = 24 * 3_600_000
HELD_MS: Final = 10_000
"""A search that was not gone on with for so long is anybody's."""
WHOLE_MS: Final = 3_600_000
"""So long after its end a whole pass of somebody else counts for everybody."""
MOST: Final = 512


class SearchMark(NamedTuple):
    """Where a search stands.

    Args:
        form: which form of an agent's key is looked for.
        cursor: as SCAN gave it out; 0 at a form's beginning.
        looked, keys: as in `Progress`.
        whole_ms: when a pass came to its end last, in server milliseconds; 0 for never.
        at_ms: when this was written, in server milliseconds.
        holder: who searches.
    """

    form: int = 0
    cursor: int = 0
    looked: int = 0
    keys: int = 0
    whole_ms: int = 0
    at_ms: int = 0
    holder: str = ""

    def held_by_another(self, holder: str, now_ms: int) -> bool:
        """Whether somebody else is at it."""
        return bool(self.holder) and self.holder != holder and abs(now_ms - self.at_ms) <= HELD_MS

    def is_whole(self, now_ms: int) -> bool:
        """Whether somebody looked at every key lately."""
        return 0 <= now_ms - self.whole_ms <= WHOLE_MS


def mark_key(run_id: str) -> str:
    """The key of the mark of one run of a server."""
    return f"ac:search:{run_id}"


async def run_of(client: Redis) -> str:
    """The name of the server's run; empty where it does not tell.

    Raises:
        StoreUnreachable: no answer.
    """
    try:
        with wrap_errors():
            info: Any = await client.info("server")
    except (ResponseError, WritesRefused):  # not permitted, or renamed away
        return ""
    return text(info.get("run_id", "")) if isinstance(info, dict) else ""


def read_command(run_id: str) -> tuple[Any, ...]:
    """The command that reads the mark."""
    return ("GETRANGE", mark_key(run_id), 0, MOST)


def write_command(run_id: str, mark: SearchMark) -> tuple[Any, ...]:
    """The command that writes it."""
    return ("SET", mark_key(run_id), "\n".join(str(part) for part in mark), "PX", KEPT_MS)


def read_mark(reply: Any) -> SearchMark:
    """The mark, or one of a search that never began where there is none that can be read."""
    parts = text(reply).split("\n") if isinstance(reply, bytes | str) else []
    numbers = parts[:-1]
    if len(parts) != len(SearchMark._fields) or not all(p.isascii() and p.isdigit() and len(p) < 21 for p in numbers):
        return SearchMark()
    form, cursor, looked, keys, whole_ms, at_ms = map(int, numbers)
    return SearchMark(form, cursor, looked, keys, whole_ms, at_ms, parts[-1])
