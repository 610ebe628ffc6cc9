"""An asyncio client of a Cluster that is used like one of a single server: each command goes to its slot's node.

The client library's own cluster client knows the nodes and who owns which slot; the commands themselves go over
ordinary connections to those nodes. So `WAIT` counts on the connection that wrote, MULTI and WATCH work inside one
slot, many tasks may share a connection to each node, and nothing is sent twice that may have been carried out: only
what a node refused because the slot is elsewhere, or on its way, is asked again, for `PATIENCE_S`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from redis.asyncio.client import Pipeline
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from console.store.server import slots
from console.store.server.nodes_aio import AsyncNodes
from console.store.server.ownership import AWAY
from console.store.server.url import Node


class AsyncCluster(AsyncNodes):
    """A client of every node."""

    # -- commands ------------------------------------------------------------------------------------------------------

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """One command; as in the base class."""
        if slots.goes_everywhere(args):
            return await self._everywhere(args, options)
        if self.home is None and slots.slot_of(args) is None:
            return await self._anywhere(args, options)
        reply = (await self.together([(args, options)]))[0]
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def _anywhere(self, args: tuple[Any, ...], options: Any) -> Any:
        """What has no key, of a client that is about nobody: any node that answers is asked."""
        tried: set[Node] = set()
        while True:
            await self.learn()
            node = self.owner(None)
            if node in tried:
                node = next((one for one in self.primaries() if one not in tried), node)
            try:
                return await self.on(node).execute_command(*args, **options)  # type: ignore[no-untyped-call]
            except AWAY:
                self.doubt(node)
                tried.add(node)
                if tried.issuperset(self.primaries()):
                    raise

    async def _everywhere(self, args: tuple[Any, ...], options: Any) -> Any:
        """A command of every primary; the reply of one, as long as one carries it out."""
        await self.learn()
        calls = [self.on(node).execute_command(*args, **options) for node in self.primaries()]  # type: ignore[no-untyped-call]
        replies: list[Any] = await asyncio.gather(*calls, return_exceptions=True)
        good = [reply for reply in replies if not isinstance(reply, BaseException)]
        if not good:
            raise replies[0] if replies else RedisConnectionError("no node of the Cluster owns a slot")
        return good[0]

    async def together(self, commands: Sequence[slots.Command], *, atomic: bool = False) -> list[Any]:
        """Replies to several commands, in order; what was refused is an exception in there, and so is what got no
        answer while others did.

        Args:
            commands: each as its arguments and its options.
            atomic: whether they are one transaction, all in one slot.

        Raises:
            RedisError: no answer to any of them.
            KeysMoved: one was meant for a node that has them no more (`slots.TERM`); it was not carried out.
        """
        replies: list[Any] = [None] * len(commands)
        left = slots.transaction(commands) if atomic else slots.units(commands)
        deadline = time.monotonic() + slots.PATIENCE_S
        while left:
            await self.learn()
            parts: dict[Node, list[slots.Unit]] = {}
            for unit in left:
                parts.setdefault(self.owner(unit.slot), []).append(unit)
                self.hold_to_term(unit, commands)
            asked = [self._part(node, part, commands, replies, atomic) for node, part in parts.items()]
            again = await asyncio.gather(*asked) if len(asked) > 1 else [await one for one in asked]
            left = sorted((unit for part in again for unit in part), key=lambda unit: unit.at)
            if left and time.monotonic() >= deadline:
                break
            if left and not slots.moved(left, replies):
                await asyncio.sleep(slots.PAUSE_S)
        away = [reply for reply in replies if isinstance(reply, AWAY)]
        if replies and len(away) == len(replies):
            raise away[0]
        return replies

    async def _part(
        self,
        node: Node,
        part: Sequence[slots.Unit],
        commands: Sequence[slots.Command],
        replies: list[Any],
        atomic: bool,
    ) -> list[slots.Unit]:
        """What one node is asked; the units that have to be asked again."""
        places = [place for unit in part for place in unit.at]
        try:
            got = await self._send(node, [commands[place] for place in places], atomic)
        except AWAY as error:
            self.doubt(node)
            error.node = f"{node.host}:{node.port}"  # type: ignore[union-attr]
            got = [error] * len(places)
        except ResponseError as error:  # a transaction that was refused as a whole
            got = [error] * len(places)
        for place, reply in zip(places, got, strict=True):
            replies[place] = reply
        again: list[slots.Unit] = []
        for unit in part:
            refusal = next((replies[place] for place in unit.at if slots.not_carried_out(replies[place])), None)
            if refusal is None:
                continue
            there = await self.redirected(node, refusal)
            args, options = commands[unit.at[-1]]
            if there is not None and len(unit.at) == 1 and not atomic and not slots.is_script(args):
                try:
                    _asking, reply = await self._send(there, [(("ASKING",), {}), (args, options)], False)
                except AWAY as error:
                    reply = error
                replies[unit.at[0]] = reply
                if not slots.not_carried_out(reply):
                    continue
            again.append(unit)
        return again

    async def _send(self, node: Node, commands: Sequence[slots.Command], atomic: bool) -> list[Any]:
        client = self.on(node)
        if len(commands) == 1 and not atomic:
            ((args, options),) = commands
            try:
                return [await client.execute_command(*slots.sent_as(args), **slots.options_sent(options))]  # type: ignore[no-untyped-call]
            except ResponseError as error:
                return [error]
        pipe: Any
        async with client.pipeline(transaction=atomic) as pipe:
            for args, options in commands:
                pipe.execute_command(*slots.sent_as(args), **slots.options_sent(options))
            return list(await pipe.execute(raise_on_error=False))

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        """Commands that go out together; a transaction's keys lie in one slot."""
        return _ClusterPipeline(self, transaction, shard_hint)

    # -- of the whole Cluster ------------------------------------------------------------------------------------------

    async def dbsize(self, **_options: Any) -> int:
        """Keys of all primaries that answer."""
        await self.learn()
        sizes = await asyncio.gather(*(self.on(node).dbsize() for node in self.primaries()), return_exceptions=True)
        known = [size for size in sizes if isinstance(size, int)]
        if sizes and not known:
            raise next(size for size in sizes if isinstance(size, BaseException))
        return sum(known)

    async def scan(
        self, cursor: int = 0, match: Any = None, count: int | None = None, _type: str | None = None, **options: Any
    ) -> tuple[int, list[Any]]:
        """Some keys of one primary after the other; the cursor tells where it goes on.

        Keys that move to a primary which was looked at already are missed in this pass.
        """
        await self.learn()
        nodes = self.primaries()
        number, inner = cursor % slots.MOST_PRIMARIES, cursor // slots.MOST_PRIMARIES
        if number >= len(nodes):
            return 0, []  # there are fewer than there were
        node, after, keys = nodes[number], 0, list[Any]()
        try:
            after, keys = await self.on(node).scan(inner, match=match, count=count, _type=_type, **options)
            self.unscanned.discard(node)
        except AWAY:
            self.doubt(node)
            self.unscanned.add(node)
            if self.unscanned.issuperset(nodes):
                raise
        if int(after):
            return int(after) * slots.MOST_PRIMARIES + number, list(keys)
        self.unscanned.intersection_update(nodes)
        return (number + 1 if number + 1 < len(nodes) else 0), list(keys)


class _ClusterPipeline(Pipeline):
    """A pipeline whose commands go to their slots' nodes; with WATCH it stays with one of them."""

    def __init__(self, cluster: AsyncCluster, transaction: bool, shard_hint: str | None) -> None:
        super().__init__(cluster.connection_pool, cluster.response_callbacks, transaction, shard_hint)
        self._cluster = cluster

    async def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        """WATCH, and what is read under it."""
        if self.connection is None:
            await self._cluster.learn()
            node = self._cluster.owner(slots.slot_of(args))
            self.connection_pool = self._cluster.on(node).connection_pool
        try:
            return await super().immediate_execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except ResponseError as error:
            if slots.not_carried_out(error):
                self._cluster.doubt()
            raise

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        """Send what was collected and give the replies; as in the base class."""
        if self.watching or self.connection is not None:
            return list(await super().execute(raise_on_error))
        stack, self.command_stack = list(self.command_stack), []
        if not stack:
            return []
        replies = await self._cluster.together(stack, atomic=bool(self.is_transaction or self.explicit_transaction))
        if raise_on_error:
            self.raise_first_error(stack, replies)
        return replies
