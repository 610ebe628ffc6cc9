"""Everything that a document asks of a venue, in one bounded look; nothing in an agent's live path waits for one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from console.domain.text import Safe, clean
from console.domain.venue import things
from console.domain.venue.reading import Reading, Why, unknown
from console.venue import endpoints, extract
from console.venue.http import Answer, Asker, Request
from console.venue.setup import Venue

T = TypeVar("T")
P = TypeVar("P", bound=endpoints.Endpoint)


class Prober:
    """Asks one venue for one agent.

    Args:
        venue: which.
        agent: whose.
    """

    def __init__(self, venue: Venue, agent: str) -> None:
        self.venue = venue
        self._probes = venue.document.probes
        self._currency = venue.document.currency
        self.asker = Asker(venue, agent)

    async def look(self, now: datetime, escrows: Iterable[str] = ()) -> things.Look:
        """Ask everything at once, as many at a time as the document allows; what is not answered in time is unknown.

        Args:
            now: the time now, aware UTC; readings are taken so much later as they take.
            escrows: ids of those on our list.
        """
        probes, began = self._probes, time.monotonic()
        wanted = list(dict.fromkeys(escrows))
        asked, left_out = (
            wanted[: self.venue.document.pace.most_escrows],
            wanted[self.venue.document.pace.most_escrows :],
        )
        health = probes.health.services if probes.health else ()
        work: dict[str, Coroutine[Any, Any, Reading[Any]]] = {
            **{f"health of {name}": self.health(name, now) for name in health},
            **({"key": self.key(now)} if probes.key else {}),
            **({"balance": self.balance(now)} if probes.balance else {}),
            **({"positions": self.positions(now)} if probes.positions else {}),
            **({"orders": self.orders(now)} if probes.orders else {}),
            **({"order monitor": self.monitor(now)} if probes.monitor else {}),
            **({"rate limits": self.limits(now)} if probes.limits else {}),
            **({"list of escrows": self.listed(now)} if probes.escrow and probes.escrow.list_path else {}),
        }
        tasks = {name: asyncio.create_task(one) for name, one in work.items()}
        if probes.escrow:
            listed = tasks.get("list of escrows")
            tasks |= {f"escrow {one}": asyncio.create_task(self._listed_or_asked(one, listed, now)) for one in asked}
        try:
            if tasks:
                await asyncio.wait(tasks.values(), timeout=self.venue.document.pace.look_s)
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)
        at = now + timedelta(seconds=time.monotonic() - began)
        late = f"not answered within {self.venue.document.pace.look_s:g} s"

        def got(name: str) -> Reading[Any] | None:
            if name not in tasks:
                return None
            if tasks[name].cancelled():
                return unknown(clean(name, 200), at, Safe(""), Why.TIMEOUT, Safe(late))
            return tasks[name].result()

        every = [got(f"escrow {one}") for one in asked]
        if not probes.escrow:
            every = [_missing(f"escrow {one}", now, Why.NOT_CONFIGURED) for one in asked]
        every += [_missing(f"escrow {one}", now, Why.NOT_ASKED) for one in left_out]
        return things.Look(
            venue=clean(self.venue.name, 64),
            at=now,
            health=tuple(reading for name in health if (reading := got(f"health of {name}"))),
            key=got("key"),
            balance=got("balance"),
            positions=got("positions"),
            orders=got("orders"),
            monitor=got("order monitor"),
            limits=got("rate limits"),
            escrows=tuple(reading for reading in every if reading),
            listed=got("list of escrows"),
        )

    # -- one by one ----------------------------------------------------------------------------------------------------

    async def health(self, service: str, now: datetime) -> Reading[things.Health]:
        """How a service is."""
        probe = self._probes.health
        if probe is None:
            return _missing(f"health of {service}", now, Why.NOT_CONFIGURED)
        request = Request(service, probe.path, probe.rate, probe.timeout_s, with_key=False)
        return await self._asked(f"health of {service}", request, now, lambda a: extract.health(probe, a.document))

    async def key(self, now: datetime) -> Reading[things.Key]:
        """Whether the key is taken."""
        return await self._read("key", self._probes.key, now, lambda probe, a: extract.key(probe, a.document))

    async def balance(self, now: datetime) -> Reading[things.Balance]:
        """The money there, asked for now."""
        fresh_s = self.venue.rules.tolerances.balance_fresh_s
        return await self._read(
            "balance",
            self._probes.balance,
            now,
            lambda probe, a: extract.balance(probe, a.document, self._currency, a.at, fresh_s),
        )

    async def positions(self, now: datetime) -> Reading[tuple[things.Position, ...]]:
        """Open positions."""
        return await self._read(
            "positions", self._probes.positions, now, lambda probe, a: extract.positions(probe, a.document)
        )

    async def orders(self, now: datetime) -> Reading[tuple[things.Order, ...]]:
        """Pending orders."""
        return await self._read("orders", self._probes.orders, now, lambda probe, a: extract.orders(probe, a.document))

    async def monitor(self, now: datetime) -> Reading[things.Monitor]:
        """What carries out stop orders."""
        return await self._read(
            "order monitor", self._probes.monitor, now, lambda probe, a: extract.monitor(probe, a.document)
        )

    async def limits(self, now: datetime) -> Reading[tuple[things.Limit, ...]]:
        """Rate-limit counters."""
        return await self._read(
            "rate limits",
            self._probes.limits,
            now,
            lambda probe, a: extract.limits(probe, a.document, a.headers, a.at),
        )

    async def history(self, now: datetime) -> Reading[things.History]:
        """What was done; no part of a look, since it is only asked for where something is in doubt."""
        return await self._read(
            "history", self._probes.history, now, lambda probe, a: extract.history(probe, a.document)
        )

    async def escrow(self, id_: str, now: datetime) -> Reading[things.Escrow]:
        """One escrow."""
        return await self._read(
            f"escrow {id_}",
            self._probes.escrow,
            now,
            lambda probe, a: extract.escrow(probe, a.document, self._currency, id_),
            id=id_,
        )

    async def _listed_or_asked(
        self, id_: str, listed: asyncio.Task[Reading[Any]] | None, now: datetime
    ) -> Reading[things.Escrow]:
        """One escrow as the list has it, and else, or where that is unknown, asked for by itself."""
        if listed is not None:
            await asyncio.wait([listed])
            every = None if listed.cancelled() else listed.result()
            for one in (every.value or ()) if every else ():
                if every and one.id == id_:
                    return Reading(
                        clean(f"escrow {id_}", 220), every.taken_at, every.source, one, took_ms=every.took_ms
                    )
        return await self.escrow(id_, now)

    async def listed(self, now: datetime) -> Reading[tuple[things.Escrow, ...]]:
        """Every escrow, where the venue has a list."""
        probe = self._probes.escrow
        if probe is None or probe.list_path is None:
            return _missing("list of escrows", now, Why.NOT_CONFIGURED)
        request = Request(probe.service, probe.list_path, probe.rate, probe.timeout_s)
        return await self._asked(
            "list of escrows", request, now, lambda a: extract.escrows(probe, a.document, self._currency), probe
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self.asker.aclose()

    async def _read(
        self,
        name: str,
        probe: P | None,
        now: datetime,
        value: Callable[[P, Answer], T],
        **values: str,
    ) -> Reading[T]:
        if probe is None:
            return _missing(name, now, Why.NOT_CONFIGURED)
        request = Request(probe.service, probe.path, probe.rate, probe.timeout_s, values)
        return await self._asked(name, request, now, lambda a: value(probe, a), probe)

    async def _asked(
        self,
        name: str,
        request: Request,
        now: datetime,
        value: Callable[[Answer], T],
        probe: endpoints.Endpoint | None = None,
    ) -> Reading[T]:
        a = await self.asker.ask(request, now)
        hide, named = self.venue.secret.hide, clean(name, 220)
        if a.why is not None:
            return unknown(named, a.at, a.source, a.why, a.detail, until=a.until, took_ms=a.took_ms)
        try:
            if probe is not None:
                extract.check_source(probe, a.document)
            return Reading(named, a.at, a.source, value(a), took_ms=a.took_ms)
        except extract.Unfit as unfit:
            return unknown(named, a.at, a.source, unfit.why, hide(unfit.detail), took_ms=a.took_ms)


def _missing(name: str, now: datetime, why: Why) -> Reading[Any]:
    return unknown(clean(name, 220), now, Safe(""), why)
