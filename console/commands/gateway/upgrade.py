"""The part of the gateway for upgrade runs: one is current, changed by compare-and-set, and one process walks it."""

from __future__ import annotations

from typing import Final

from console.commands.gateway.door import Door, Order, once
from console.domain.errors import Conflict, Refused
from console.domain.operator.receipt import Change, Receipt
from console.domain.upgrade.run import UpgradeRun
from console.store.fence.claims import LeaseReply
from console.store.records import upgrades
from console.store.records.experiments import DocumentCode
from console.store.records.upgrades import Stored

LEASE: Final = "upgrade"
LEASE_MS: Final = 5_000
"""How long a walker that died keeps others from going on."""


class UpgradeGate:
    """Reads and changes runs.

    Args:
        door: what it goes through.
    """

    def __init__(self, door: Door) -> None:
        self._door = door

    async def read(self) -> Stored:
        """The run that goes on, or the last one.

        Raises:
            Refused: it can't be read.
            StoreUnreachable: the store did not answer.
        """
        return await upgrades.read_current(self._door.client, self._door.keys)

    async def over(self, identity: str) -> UpgradeRun | None:
        """A run that is over; None where there is none of that id.

        Raises:
            Refused: it can't be read.
            StoreUnreachable: the store did not answer.
        """
        return await upgrades.read_over(self._door.client, self._door.keys, identity)

    async def start(self, run: UpgradeRun, order: Order) -> Receipt:
        """Begin a run.

        Raises:
            Refused: one goes on.
            Conflict: somebody else began one in the same moment.
            ReadOnly, StoreUnreachable: as named.
        """
        self._door.require_writable(order.command)
        standing = await self.read()
        if standing.run is not None:
            if standing.run.state.live:
                raise Refused(
                    f"Upgrade {standing.run.id[:8]} to {standing.run.target.value} is {standing.run.state.value}: "
                    f"{standing.run.by} began it.",
                    "`upgrade show` shows it, `upgrade go` goes on, `upgrade abort` ends it.",
                )
            await once(upgrades.keep_over(self._door.client, self._door.keys, standing), order.command)
        return await self.change(standing, run, order, before=None, after=f"to {run.target.value}")

    async def change(self, seen: Stored, run: UpgradeRun, order: Order, *, before: str | None, after: str) -> Receipt:
        """Change the run as an operator ordered, with a receipt and an entry in the audit.

        Args:
            seen: as the decision saw it.
            run: as it is from now on.
            order: what was ordered.
            before, after: where it stood and stands, in words.

        Raises:
            Conflict: it was changed meanwhile.
            ReadOnly, StoreUnreachable: as named.
        """
        what = f"upgrade {run.id[:8]}"
        begun = self._door.begin(order, what)
        call = upgrades.put(
            self._door.keys,
            run,
            seen.revision,
            by=self._door.who,
            before=before or "",
            after=after,
            audit=begun.fields,
        )
        reply = await begun.once(self._door.fence.call(call))
        if reply.code is not DocumentCode.DONE:
            raise _changed(run)
        return begun.receipt(Change(what, before, after), server_ms=reply.server_ms, epoch=run.epoch)

    async def step(self, seen: Stored, run: UpgradeRun) -> Stored:
        """Write down how far the run is: its evidence is in itself, the audit tells only of what was ordered.

        Raises:
            Conflict: it was changed meanwhile.
            ReadOnly, StoreUnreachable: as named.
        """
        self._door.require_writable("upgrade go")
        return await self._put(seen, run, "upgrade go")

    async def hold_still(self, seen: Stored, run: UpgradeRun) -> Stored:
        """Write down that a run is held, before it is aborted: the abort itself is what the audit tells of.

        Raises:
            Conflict: it was changed meanwhile.
            ReadOnly, StoreUnreachable: as named.
        """
        self._door.require_writable("upgrade abort", reduces=True)
        return await self._put(seen, run, "upgrade abort")

    async def _put(self, seen: Stored, run: UpgradeRun, command: str) -> Stored:
        if run == seen.run:
            return seen
        call = upgrades.put(self._door.keys, run, seen.revision, by=self._door.who, before="", after="", audit=None)
        reply = await once(self._door.fence.call(call), command)
        if reply.code is not DocumentCode.DONE:
            raise _changed(run)
        return Stored(run, reply.revision)

    async def hold(self, holder: str) -> LeaseReply:
        """Take or renew the lease of whoever walks.

        Args:
            holder: a name of this walk alone.
        """
        return await self._door.fence.lease(LEASE, holder, ttl_ms=LEASE_MS)

    async def let_go(self, holder: str) -> None:
        """Give the lease back, so that whoever waits goes on at once."""
        await self._door.fence.lease(LEASE, holder, ttl_ms=LEASE_MS, release=True)


def _changed(run: UpgradeRun) -> Conflict:
    return Conflict(f"Upgrade {run.id[:8]} was changed meanwhile.", "`upgrade show` shows it as it is.")
