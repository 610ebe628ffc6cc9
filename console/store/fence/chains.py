"""Reading the chained streams in batches, and verifying them against the heads that stand in `…:ctl`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from redis.exceptions import ResponseError

from console.domain.fence.chain import ChainCheck, ChainFinding, ChainVerdict, Finding, Mark, number_of
from console.store.keys import Keys
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

BATCH: Final = 1000
"""Entries read at a time."""
TRIES: Final = 3
"""Looks at a stream that an archive run is trimming meanwhile."""

Entry = tuple[str, dict[bytes, bytes]]


class Chain(NamedTuple):
    """One chained stream of an agent.

    Args:
        name: "acts", "log" or "audit".
        stream: its key.
        counter, head: the fields of `…:ctl` that count its entries and hold the newest hash.
        prefix: whether entries without a hash may stand before the first with one.
    """

    name: str
    stream: str
    counter: str
    head: str
    prefix: bool = False


class Ends(NamedTuple):
    """Both ends of a stream and its head, read in one step.

    Args:
        begins: what was archived and taken off before its first entry.
        first: its first entry; None where it is empty.
        last_id: the id of its last entry; empty where it is empty.
        length: how many entries it has.
        head: the newest entry as `…:ctl` has it.
    """

    begins: Mark
    first: Entry | None
    last_id: str
    length: int
    head: Mark

    def start(self) -> tuple[str | None, int | None]:
        """What the first entry follows, as `ChainCheck` wants it: a hash and a number."""
        number = number_of(self.first[1].items()) if self.first else None
        if number is not None and number <= self.begins.number:  # it was not taken off after all, or put back
            return (None, None) if number > 1 else ("", 0)
        return self.begins.head, self.begins.number


class WrongType(Exception):  # noqa: N818 - what the key is
    """A chain's key holds something that is no stream, or the authority is no hash."""


def chains_of(keys: Keys) -> tuple[Chain, Chain, Chain]:
    """The chained streams: actions, control events, receipts."""
    return (
        Chain("acts", keys.actions, "an", "ah"),
        Chain("log", keys.log, "ln", "lh"),
        Chain("audit", keys.audit, "xn", "xh", prefix=True),
    )


def parse_mark(raw: bytes | str | None) -> Mark:
    """A mark from its text, `number hash`; one that can't be read is that of the beginning."""
    text = raw.decode("ascii", "replace") if isinstance(raw, bytes) else raw or ""
    number, _, head = text.partition(" ")
    return Mark(int(number), head) if number.isdecimal() and len(number) < 17 else Mark(0, "")


def mark_text(mark: Mark) -> str:
    """A mark as it is stored."""
    return f"{mark.number} {mark.head}"


async def read_ends(client: Redis, keys: Keys, chain: Chain) -> Ends:
    """Both ends and the head, as they are at one moment.

    Raises:
        WrongType: a key holds what it can't.
        StoreUnreachable: no answer.
    """
    with wrap_errors():
        async with client.pipeline(transaction=True) as pipe:
            pipe.hmget(keys.ctl, [chain.counter, chain.head])
            pipe.hget(keys.archived, chain.name)
            pipe.xrange(chain.stream, count=1)
            pipe.xrevrange(chain.stream, count=1)
            pipe.xlen(chain.stream)
            replies: list[Any] = await pipe.execute(raise_on_error=False)
        for reply in replies:
            if isinstance(reply, Exception):
                if isinstance(reply, ResponseError) and "WRONGTYPE" in str(reply):
                    raise WrongType(chain.name) from reply
                raise reply
    (count, head), begins, first, last, length = replies
    number = count.decode("ascii", "replace") if count else "0"
    return Ends(
        parse_mark(begins),
        (first[0][0].decode(), first[0][1]) if first else None,
        last[0][0].decode() if last else "",
        int(length),
        Mark(int(number) if number.isdecimal() else 0, head.decode("ascii", "replace") if head else ""),
    )


async def read_batches(client: Redis, stream: str, *, after: str = "", until: str = "+") -> AsyncIterator[list[Entry]]:
    """A stream's entries, oldest first, at most `BATCH` at a time.

    Args:
        client: connected.
        stream: its key.
        after: the id that all come after; empty from the beginning.
        until: the last id that is read.

    Raises:
        StoreUnreachable: no answer.
    """
    while True:
        with wrap_errors():
            batch: Any = await client.xrange(stream, min=f"({after}" if after else "-", max=until, count=BATCH)
        if not batch:
            return
        yield [(entry_id.decode(), fields) for entry_id, fields in batch]
        after = batch[-1][0].decode()


async def verify_stream(
    client: Redis, keys: Keys, chain: Chain, *, since_ms: int | None = None, marks: Sequence[Mark] = ()
) -> ChainVerdict:
    """Whether a stream is whole and unchanged, from its beginning or the archived end to the head in `…:ctl`.

    Args:
        client: connected; nothing is written.
        keys: whose.
        chain: which.
        since_ms: look at no entry that is older, in milliseconds since 1970; None at all.
        marks: remembered places that have to be in it.

    Raises:
        StoreUnreachable: no answer.
    """
    for turn in range(TRIES):
        try:
            ends = await read_ends(client, keys, chain)
            verdict = await _verify(client, chain, ends, since_ms, marks)
            if verdict.ok or turn == TRIES - 1 or (await read_ends(client, keys, chain)).begins == ends.begins:
                return verdict  # else an archive run took the entries away that we were about to read
        except WrongType:
            text = f"the key of {chain.name}, or that of the authority, holds a value of another type"
            finding = ChainFinding(Finding.CHANGED, "", None, 0, text)
            return ChainVerdict(False, 0, "", "", text, (finding,), 1)
    raise AssertionError("the last turn answers")


async def _verify(client: Redis, chain: Chain, ends: Ends, since_ms: int | None, marks: Sequence[Mark]) -> ChainVerdict:
    (after, number), cursor = ends.start(), ""
    if since_ms is not None and (before := await _entry_before(client, chain, since_ms)) is not None:
        cursor, fields = before
        head = fields.get(b"h", b"").decode("ascii", "replace")
        after, number = (head, number_of(fields.items())) if head else ("", 0)
    check = ChainCheck(after=after, count=number, prefix=chain.prefix, marks=marks)
    if ends.last_id:
        async for batch in read_batches(client, chain.stream, after=cursor, until=ends.last_id):
            for entry_id, fields in batch:
                check.take(entry_id, fields)
    return check.verdict(head=ends.head.head, count=ends.head.number)


async def _entry_before(client: Redis, chain: Chain, ms: int) -> Entry | None:
    with wrap_errors():
        reply: Any = await client.xrevrange(chain.stream, max=f"({max(0, ms)}-0", count=1) if ms > 0 else []
    return (reply[0][0].decode(), reply[0][1]) if reply else None
