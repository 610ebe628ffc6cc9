"""Saying in the log that the store's primary is another server, that Sentinels are silent, and where a slot went."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from console.guard.telling import Tell
from console.store.server.cluster import is_cluster, moves_of
from console.store.server.sentinel import standing_of

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from console.store.server.standing import Move

LOOK_S: Final = 0.25


async def following(client: Redis, tell: Tell) -> None:
    """Tell where the primary is, each failover once, and whenever another number of Sentinels names it.

    Args:
        client: of the store; where it asks no Sentinels and is no Cluster's, nothing is told.
        tell: for the log.
    """
    told: Move | None = None
    answering = -1
    while (standing := standing_of(client)) is not None:
        moves = standing.moves
        for move in moves[moves.index(told) + 1 if told in moves else 0 :]:
            before, after = (f"{node.host}:{node.port}" for node in (move.before, move.after))
            tell("failover", before=before, after=after, at=move.at.isoformat())
            told = move
        if standing.answering != answering and standing.primary is not None:
            where = f"{standing.primary.host}:{standing.primary.port}"
            told_of = {"answering": standing.answering, "asked": standing.asked, "reasons": list(standing.problems)}
            tell("sentinels", primary=where, **told_of)
        answering = standing.answering
        await asyncio.sleep(LOOK_S)
    while is_cluster(client):
        moves = moves_of(client)
        for move in moves[moves.index(told) + 1 if told in moves else 0 :]:
            before, after = (f"{node.host}:{node.port}" for node in (move.before, move.after))
            tell("slot moved", before=before, after=after, at=move.at.isoformat())
            told = move
        await asyncio.sleep(LOOK_S)
    await asyncio.Event().wait()
