"""What has to agree once a run is over: the venue's ledger, what is owed, the chains, who acts, `upgrade show`."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

from console.commands.base import Call
from console.commands.upgrade.show import UpgradeShow
from console.domain.fence.claims import Level
from console.domain.fence.deployment import Authority, Phase
from console.domain.state.pieces import joined
from console.domain.upgrade.run import RunState, UpgradeRun
from console.store.keys import StateKeys
from console.store.records.states import read_list, unpacked
from console.views.upgrade import UpgradeReport
from tests.faults.company import AWAY, KEYS, Company
from tests.faults.trader import CLOSE, ORDER
from tests.waiting import until


def wrongs(company: Company, run: UpgradeRun) -> list[str]:
    """Every violation in words; nothing may be in flight."""
    found = [*_ledger(company), *_kept(company), *_handed_over(company), *_ended(company, run)]
    found += asyncio.run(_told(company, run))
    return [f"{run.id[:8]} {run.old.value} → {run.target.value} {run.state.value}: {what}" for what in found]


def _ledger(company: Company) -> Iterator[str]:
    """Each order once, none left out, and what is open there is owed here, by one."""
    done = Counter(company.venue.holdings.executions)
    yield from (f"the venue has done {key} {count} times" for key, count in done.items() if count != 1)
    opened = {int(key.removeprefix(ORDER)) for key in done if key.startswith(ORDER)}
    yield from (f"{ORDER}{number} was left out" for number in set(range(len(opened))) - opened)
    closed = {key.removeprefix(CLOSE) for key in done if key.startswith(CLOSE)}
    open_ = {f"pos-{number}" for number in opened} - closed
    owed = company.fence.owed()
    names = [one.id for one in owed]
    yield from (f"{name} is open at the venue and nobody owes it" for name in open_ - set(names))
    yield from (f"{name} is owed and not open at the venue" for name in set(names) - open_)
    yield from (f"{name} is owed twice" for name, count in Counter(names).items() if count > 1)
    authority = company.fence.authority()
    for one in owed:
        if one.owner(authority) is None and not (authority and authority.phase is Phase.HALT):
            yield f"{one.id} has no owner"
        if one.claim:
            yield f"{one.id} is named by {one.claim}, which is no claim"


def _handed_over(company: Company) -> Iterator[str]:
    """Each state that was kept went to one process, once."""
    file = company.folder / "handed-over"
    lines = [line.split(" ") for line in file.read_text().splitlines()] if file.exists() else []
    # a process that acts again, and finds its own state still the newest, is given it again
    first = Counter(number for number, _instance in {(number, who) for number, who, how in lines if how == "first"})
    yield from (f"the state {number} was handed over {count} times" for number, count in first.items() if count > 1)


def _ended(company: Company, run: UpgradeRun) -> Iterator[str]:
    """The state that the run names is the one that is."""
    authority = company.fence.authority()
    if authority is None:
        yield "nobody's authority is in the store"
        return
    moved = [f for _id, f in company.client.xrange(KEYS.log) if f.get(b"sid") == run.id.encode()]  # type: ignore[union-attr]
    if len(moved) > 1 or (run.state is RunState.DONE and not moved):
        yield f"its switch was carried out {len(moved)} times"
    if run.state is RunState.DONE:
        if not _acts(authority, run.target.value) and not _guarded(company, authority.epoch):
            yield f"it is done, and {authority.active} acts in {authority.phase}: {_last(company)}"
    elif run.state is RunState.ABORTED:
        if not _guarded(company, authority.epoch):
            yield from _named(run, authority)
    else:
        yield "it is not over"


def _guarded(company: Company, epoch: int) -> bool:
    """Whether it was a guard that moved who acts last: of a side that had died once the run was over."""
    events: Any = company.client.xrevrange(KEYS.log)
    changes = (fields for _id, fields in events if fields[b"ep"] == str(epoch).encode())
    return any(fields[b"src"] == b"guard" and fields[b"k"] in (b"switched", b"halt") for fields in changes)


def _last(company: Company) -> str:
    """What was done last, newest first."""
    events: Any = company.client.xrevrange(KEYS.log, count=6)
    shown = (" ".join(f"{name.decode()}={value.decode()}" for name, value in fields.items()) for _id, fields in events)
    return " | ".join(shown)


def _named(run: UpgradeRun, authority: Authority) -> Iterator[str]:
    old, target = run.old.value, run.target.value
    states = {
        f"{old.upper()} acts, with all the capital": _acts(authority, old),
        f"{old.upper()} acts, rolled back": _acts(authority, old),
        f"{target.upper()} acts, new risk is frozen": _acts(authority, target) and authority.level is not Level.NONE,
        "all is halted": authority.phase is Phase.HALT,
    }
    name, frozen = run.safe_state, authority.level is not Level.NONE
    if frozen and name not in states:
        name = name.removesuffix(", new risk is frozen")
    if not states.get(name, False):
        yield f"it ended in {run.safe_state!r}, and {authority.active} acts in {authority.phase}, {authority.level}"


def _acts(authority: Authority, slot: str) -> bool:
    return authority.phase is Phase.RUN and authority.active is not None and authority.active.value == slot


def _kept(company: Company) -> Iterator[str]:
    """Who acts keeps a state that knows every order, but the one that its killed forerunner may have sent last."""
    authority = company.fence.authority()
    if authority is None or authority.active is None:
        return
    opened = sum(key.startswith(ORDER) for key in company.venue.holdings.executions)
    seen: list[str] = []

    def knows() -> bool:
        fields = company.client.hgetall(StateKeys.of(KEYS).states)
        kept = read_list(fields)[0][0]  # type: ignore[arg-type]
        names = list(kept.pieces.hashes)
        raw = company.client.hmget(StateKeys.of(KEYS).pieces, names)
        state = joined(kept.pieces, unpacked(names, raw, 1 << 20), kept.timestamp, "the newest")  # type: ignore[arg-type]
        seen.append(f"{kept.slot} at {state.extra['next']}")
        return authority.active.value == kept.slot and int(state.extra["next"]) in (opened - 1, opened)  # type: ignore[union-attr]

    try:
        until(knows, despite=AWAY, timeout_s=20.0)
    except AssertionError:
        yield f"the newest state is of {seen[-1]}, and {authority.active.value} has sent {opened} orders"


async def _told(company: Company, run: UpgradeRun) -> list[str]:
    """What a console says of it: `audit verify` and `upgrade show`."""
    async with company.here() as ctx:
        wrong = [
            f"the chain of {name}: {verdict.problem} {verdict.bad_id}"
            for name, verdict in await ctx.gateway.verify_chains()
            if not verdict.ok
        ]
        shown = await UpgradeShow().answer(ctx, Call({"run": run.id}))
        if shown.document != UpgradeReport(run).document():
            wrong.append(f"`upgrade show` tells otherwise: {shown.document}")
        return wrong
