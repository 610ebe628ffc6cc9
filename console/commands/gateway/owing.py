"""The part of the gateway for what is owed: who takes a commitment, and which version is retired."""

from __future__ import annotations

import json
from collections.abc import Container, Sequence
from datetime import datetime
from typing import Final

from console.commands.gateway.door import Door, Order
from console.domain.commitments.commitment import HandOver, Kind, Owed, owner_of_the_rest
from console.domain.commitments.left import Acts, Left, version_facts
from console.domain.commitments.sight import NO_SIGHT, Opened, Sight
from console.domain.commitments.versions import VersionFacts, VersionState, judge
from console.domain.errors import Conflict, Refused
from console.domain.fence.behind import Behind
from console.domain.fence.deployment import Authority, Slot
from console.domain.operator.receipt import Change, Receipt
from console.domain.text import clean
from console.store.fence.owing import OweCode, Who, batches, give
from console.store.reading.behind import read_behind
from console.store.reading.owed import (
    LOOKED_AT,
    forget_retired,
    read_acts,
    read_left,
    read_mark,
    read_openers,
    read_retired,
)
from console.store.server.trouble import wrap_errors

KNOWN_FOR: Final = LOOKED_AT // 2
"""Actions for which it is known who opened what: fewer than the newest that are looked through each time."""
ACTIVE: Final = "active"
"""Said of what belongs to whoever is active."""


class OwingGate:
    """What is owed.

    Args:
        door: what it goes through.
    """

    def __init__(self, door: Door) -> None:
        self._door = door
        self._known: tuple[int, dict[str, frozenset[Opened]]] = (0, {})
        """As of which action, and who opened what by then: a board that asks each second looks it up once."""

    async def left(self) -> Left:
        """What has no end yet.

        Raises:
            Refused: the list can't be read whole.
            StoreUnreachable: the store did not answer.
        """
        return await read_left(self._door.client, self._door.keys)

    async def mark(self) -> tuple[datetime, int]:
        """The server's clock, and the number of the newest action.

        Raises:
            StoreUnreachable: the store did not answer.
        """
        return await read_mark(self._door.client, self._door.keys)

    async def behind(self, target: Slot) -> Behind:
        """What a roll back to a side would leave and find.

        Raises:
            Refused: what was kept of it is damaged.
            StoreUnreachable: the store did not answer.
        """
        return await read_behind(self._door.client, self._door.keys, target)

    async def versions(self, sight: Sight = NO_SIGHT) -> tuple[VersionFacts, ...]:
        """What is known of every version.

        Args:
            sight: what was seen at the venue, before this is called.

        Raises:
            Refused: the list of commitments can't be read whole.
            StoreUnreachable: the store did not answer.
        """
        client, keys = self._door.client, self._door.keys
        retired = await read_retired(client, keys)
        deployment = (await self._door.read()).deployment
        left = await self.left()
        acts = await read_acts(client, keys)  # after what is left: a claim that ends in between is an act by then
        strange = _strange(sight, left, acts)
        if strange:
            acts = acts._replace(opened={**acts.opened, **await self._openers(strange)})
        return version_facts(left, acts, deployment, retired=retired, sight=sight)

    async def _openers(self, wanted: frozenset[str]) -> dict[str, frozenset[Opened]]:
        """Who opened what none of the newest actions tells of; what came since it was looked up is among those."""
        _at, number = await self.mark()
        if not 0 <= number - self._known[0] < KNOWN_FOR:
            self._known = (number, {})
        known = self._known[1]
        if missing := wanted - known.keys():
            told = await read_openers(self._door.client, self._door.keys, missing)
            known.update((name, told.get(name, frozenset())) for name in missing)
        return {name: known[name] for name in wanted if known[name]}

    async def escrows(self) -> tuple[frozenset[str], frozenset[str]]:
        """Ids of escrows: those that are owed; and those that are over by our list, opened by a version that does not
        act, of which only the venue can tell whether they are.

        Raises:
            Refused: the list of commitments can't be read whole.
            StoreUnreachable: the store did not answer.
        """
        left = await self.left()
        acts = await read_acts(self._door.client, self._door.keys)
        authority = (await self._door.read()).deployment.authority
        acting = {str(one.version) for one in left.living(authority.active if authority else None)}
        owed = frozenset(one.id for one in left.owed if one.commitment.kind is Kind.ESCROW)
        opened = (name for name, who in acts.opened.items() for one in who if _past(one, acting))
        return owed, frozenset(opened) - owed

    async def give(self, which: Sequence[Owed], to: Slot | None, policy: HandOver | None, order: Order) -> Receipt:
        """Let a slot take commitments, or whoever is active.

        Args:
            which: as they were seen.
            to: the slot; None for whoever is active.
            policy: what a switch does with them from now on; None to leave it, where that fits.
            order: what was ordered.

        Raises:
            Conflict: one of them is over meanwhile; nothing more was given.
            Refused: a claim in flight names one.
            ReadOnly, StoreUnreachable: as named.
        """
        authority = await self._door.fence.authority()
        begun = self._door.begin(order, "")
        steps = [give(one.id, to, policy or fitting(one.commitment.policy, to)) for one in which]
        revision_of = {one.id: one for one in which}
        done: list[Change] = []
        for batch in batches(steps):
            reply = await begun.once(self._door.fence.owe(Who(self._door.who), batch))
            if reply.code is OweCode.NOT_OWED:
                raise Conflict(f"{clean(reply.at, 60)} is over meanwhile; {len(done)} were given.", "Look again.")
            if reply.code is OweCode.NAMED:
                raise Refused(
                    f"A claim in flight names {clean(reply.at, 60)}; {len(done)} were given.", "How it ends decides."
                )
            if reply.code is not OweCode.DONE:
                raise Refused(f"{clean(reply.at, 60)} was not given: {reply.code.value.lower()}.")
            done += [_given(revision_of[step.id], to, authority) for step in batch]
        return await begun.record(begun.receipt(*done))

    async def retire(self, version: str, sight: Sight, order: Order) -> Receipt:
        """Take a version off the list of those that may have to end something.

        Args:
            version: its name.
            sight: what was seen at the venue, before this is called.
            order: what was ordered.

        Raises:
            Refused: it acts, something is left of it, or that nothing is can't be told.
            Conflict: it acted, or a process of it began, while this was found out.
            ReadOnly, StoreUnreachable: as named.
        """
        begun = self._door.begin(order, "")
        at, number = await self.mark()  # before anything is read: what is done from here on undoes it
        facts = {one.version: one for one in await self.versions(sight)}
        if version not in facts:
            raise Refused(f"No version is called {clean(version, 60)!r}.", "`agent-console versions` lists them.")
        verdict = judge(facts[version])
        if not verdict.may_stop:
            hint = "`agent-console versions` says what."
            if verdict.state is VersionState.UNKNOWN:
                hint = "--read-venue reads the venue now; --venue-seen says what you saw there yourself."
            raise Refused(f"{clean(version, 60)} is {verdict.state.value}: {verdict.why}.", hint)
        if facts[version].living:
            raise Refused(f"{facts[version].living} instances of {clean(version, 60)} live.", "Stop them first.")
        body = json.dumps({"ms": round(at.timestamp() * 1000), "n": number, "who": self._door.who})
        with wrap_errors():
            await begun.once(self._door.client.hset(self._door.keys.retired, version, body))
            await forget_retired(self._door.client, self._door.keys)
        for one in await self.versions(sight):
            if one.version == version and (now := judge(one)).state is not VersionState.RETIRED:
                with wrap_errors():
                    await begun.once(self._door.client.hdel(self._door.keys.retired, version))
                raise Conflict(
                    f"{clean(version, 60)} did something meanwhile, and is {now.state.value}: {now.why}.", "Look again."
                )
        read = facts[version].venue_read
        note = f"by the venue as of {read:%Y-%m-%d %H:%M:%S}Z" if read is not None else ""
        return await begun.record(
            begun.receipt(Change(f"version {version}", verdict.state.value, "retired"), note=note)
        )


def fitting(policy: HandOver, to: Slot | None) -> HandOver:
    """The policy with which something is given: one that pins for a slot, one that doesn't for whoever is active."""
    if to is None:
        return HandOver.NEW_ADOPTS
    return policy if policy.pinned else HandOver.OLD_CLOSES


def _strange(sight: Sight, left: Left, acts: Acts) -> frozenset[str]:
    """What the venue shows and neither our list nor the newest actions know by its name."""
    shown = {name for one in (sight.listing.things if sight.listing else ()) for name in (one.id, one.symbol) if name}
    return frozenset(shown - {one.id for one in left.owed} - {*acts.opened} - {*left.opening})


def _past(one: Opened, acting: Container[str]) -> bool:
    return one.kind is Kind.ESCROW and one.version not in acting


def _given(one: Owed, to: Slot | None, authority: Authority | None) -> Change:
    before = one.pin.value if one.pin else ACTIVE
    rest = owner_of_the_rest(authority)
    now = to.value if to else f"{ACTIVE}, {rest.value}" if rest else ACTIVE
    return Change(f"owner of {one.id}", before, now)
