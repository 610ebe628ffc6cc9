"""Putting an archive back into a store that has none of the chained streams."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from redis.exceptions import WatchError

from console.domain.errors import Refused
from console.domain.fence.chain import ChainCheck, Mark
from console.store.fence.archive_file import BEGINNING, begin_of, file_of, read_archive
from console.store.fence.chains import BATCH, Chain, Entry, chains_of, mark_text
from console.store.keys import Keys
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis


class Restored(NamedTuple):
    """What was put back of one stream.

    Args:
        stream: "acts", "log" or "audit".
        entries: how many.
        last: the newest, which the chain goes on from.
    """

    stream: str
    entries: int
    last: Mark


async def restore(client: Redis, keys: Keys, folder: Path) -> tuple[Restored, ...]:
    """Put the archived streams back into a store that has none, with their heads, so that the chains go on from there.

    Entries can't be added before the first of a stream that exists: so into empty streams only, all in one last step.

    Args:
        client: a connection that may write.
        keys: whose.
        folder: of the archive.

    Raises:
        Refused: the store has streams or an authority of this agent; the folder has no archive of it; or a file is not
            whole. Nothing was changed.
        StoreUnreachable: no answer.
    """
    chains = [chain for chain in chains_of(keys) if file_of(folder, keys, chain).exists()]
    if not chains:
        raise Refused(f"{folder} holds no archive of {keys.agent}.", "Name the folder that `archive run` wrote to.")
    await _require_empty(client, keys)
    back: list[Restored] = []
    begins: dict[str, Any] = {}
    heads: dict[str, Any] = {}
    try:
        for chain in chains:
            path = file_of(folder, keys, chain)
            done = await _put_back(client, keys, chain, path)
            back.append(done)
            if done.last != BEGINNING:
                heads |= {chain.counter: done.last.number, chain.head: done.last.head}
            if (before := begin_of(path)) != BEGINNING:
                begins[chain.name] = mark_text(before)
        await _take_place(
            client, keys, [chain for chain, one in zip(chains, back, strict=True) if one.entries], heads, begins
        )
    finally:
        with wrap_errors():
            await client.delete(*(_aside(keys, chain) for chain in chains))
    return tuple(back)


def _aside(keys: Keys, chain: Chain) -> str:
    return keys.beside(f"restoring:{chain.name}")


async def _require_empty(client: Redis, keys: Keys) -> None:
    with wrap_errors():
        there = int(await client.exists(keys.ctl, *(chain.stream for chain in chains_of(keys))))
    if there:
        raise _not_empty(keys)


def _not_empty(keys: Keys) -> Refused:
    return Refused(
        f"The store has an authority or streams of {keys.agent}; an archive is restored into a store without.",
        "Entries can't be put before those that are there. `archive verify` checks files and streams as one chain.",
    )


async def _put_back(client: Redis, keys: Keys, chain: Chain, path: Path) -> Restored:
    try:
        before = begin_of(path)
        check = ChainCheck(after=before.head, count=before.number, prefix=chain.prefix)
        batch: list[Entry] = []
        with wrap_errors():
            await client.delete(_aside(keys, chain))
        for entry in read_archive(path):
            check.take(*entry)
            batch.append(entry)
            if len(batch) == BATCH:
                await _add(client, _aside(keys, chain), batch)
                batch = []
        await _add(client, _aside(keys, chain), batch)
    except ValueError as error:
        raise Refused(f"The archive is damaged: {error}.", "Nothing was changed.") from error
    verdict = check.verdict()
    if not verdict.ok:
        raise Refused(f"The archived chain of {chain.name} does not verify: {verdict.problem}.", "Nothing was changed.")
    return Restored(chain.name, verdict.entries, check.last or BEGINNING)


async def _add(client: Redis, stream: str, batch: list[Entry]) -> None:
    with wrap_errors():
        async with client.pipeline(transaction=False) as pipe:
            for entry_id, fields in batch:
                pipe.xadd(stream, fields, id=entry_id)  # type: ignore[arg-type]
            await pipe.execute()


async def _take_place(
    client: Redis, keys: Keys, chains: list[Chain], heads: dict[str, Any], begins: dict[str, Any]
) -> None:
    with wrap_errors():
        async with client.pipeline(transaction=True) as pipe:
            await pipe.watch(keys.ctl, *(chain.stream for chain in chains_of(keys)))
            if int(await pipe.exists(keys.ctl, *(chain.stream for chain in chains_of(keys)))):
                raise _not_empty(keys)
            pipe.multi()  # type: ignore[no-untyped-call]
            for chain in chains:
                pipe.rename(_aside(keys, chain), chain.stream)
            if heads:
                pipe.hset(keys.ctl, mapping=heads)  # type: ignore[arg-type]
            pipe.delete(keys.archived)
            if begins:
                pipe.hset(keys.archived, mapping=begins)  # type: ignore[arg-type]
            try:
                await pipe.execute()
            except WatchError:
                raise _not_empty(keys) from None
