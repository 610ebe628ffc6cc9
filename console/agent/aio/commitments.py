"""What an agent owes: the list that outlives it, whose each is, and which of it this process watches."""

from __future__ import annotations

from collections.abc import Iterable

from console.agent.aio.shared_link import SharedLink
from console.agent.fence.core import Core
from console.domain.commitments.commitment import Commitment, Owed, checked_id
from console.domain.errors import Refused
from console.store.fence.owing import OweCode, Step, Who, batches, over, put

WATCHED_MS = 3_600_000
"""How long it holds that an instance watches something; the instance must be alive, too."""


class Commitments:
    """The commitments of an agent, for one of its processes. Most of the list keeps itself: an action that says
    `opens=`, `changes=` or `closes=` writes it with its result, in one step. This is for what comes from elsewhere.

    Args:
        core: what this process knows.
        link: the connection for actions.
    """

    def __init__(self, core: Core, link: SharedLink) -> None:
        self._core = core
        self._link = link
        self._eyes: frozenset[str] = frozenset()

    async def all(self) -> tuple[Owed, ...]:
        """Everything that is owed, by whichever side, by deadline.

        Raises:
            Refused: the list can't be read whole.
            StoreUnreachable: the store is away: what is owed is unknown, not nothing.
        """
        return await self._link.run(lambda fence: fence.owed())

    async def mine(self) -> tuple[Owed, ...]:
        """What this side brings to its end: what is pinned to it and, while it is active, what is pinned to nobody.

        Raises:
            Refused, StoreUnreachable: as `all`.
        """
        authority = await self._link.run(lambda fence: fence.authority())
        return tuple(one for one in await self.all() if one.owner(authority) == self._core.slot)

    async def put(self, *commitments: Commitment) -> None:
        """These are owed: found at the venue, or known from before.

        Raises:
            UsageError: one can't be recorded.
            Refused: a claim in flight names one of them.
        """
        await self._send(put(one) for one in commitments)

    async def over(self, *names: str, why: str) -> None:
        """These are over, not by an action of ours: released by the venue, filled, expired. What is not listed is
        over already.

        Args:
            names: ids.
            why: what was seen, in words.
        """
        listed = {one.id for one in await self.all()}
        await self._send(over(name, why) for name in names if name in listed)

    async def watch(self, names: Iterable[str]) -> None:
        """Say which commitments this process watches: all of them, each time; only what differs travels. Before a
        switch to this side the console proves by it that nothing which is owed goes unwatched.

        Args:
            names: ids.
        """
        eyes = frozenset(map(checked_id, names))
        known, me = self._eyes, self._core.instance
        self._eyes = frozenset()  # until the store has said that it has them all
        new, gone = tuple(eyes - known), tuple(known - eyes)
        if await self._link.run(lambda fence: fence.watch(me, new, gone, WATCHED_MS)) != len(eyes):
            # It has lost some, or the list has expired: all of it, anew.
            await self._link.run(lambda fence: fence.watch(me, tuple(eyes), None, WATCHED_MS))
        self._eyes = eyes

    async def _send(self, steps: Iterable[Step]) -> None:
        core = self._core
        who = Who(core.instance, core.slot, core.version, core.view.epoch)
        for batch in batches(steps):
            reply = await self._link.run(lambda fence, batch=batch: fence.owe(who, batch))  # type: ignore[misc]
            if reply.code is OweCode.NAMED:
                raise Refused(f"A claim in flight names the commitment {reply.at}.", "How that ends decides.")
            if reply.code is not OweCode.DONE:
                raise Refused(f"The store did not take the commitment {reply.at}: {reply.code}.")
