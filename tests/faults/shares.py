"""What has to agree about the capital once a run is over: what was ordered, played, and stands in the book."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from console.domain.canary.plan import Position
from console.domain.canary.run import CanaryReading, CanaryRun
from console.domain.fence.deployment import Authority, Phase
from console.domain.upgrade.run import RunState, UpgradeRun
from console.store.records.canary import Stored, read
from tests.faults.capital import GIVEN, LADDER, STAKE
from tests.faults.company import AWAY, KEYS, Company
from tests.waiting import until

MICROS = 1_000_000
SPAN = Decimal("2.5") * STAKE
"""How far what was played may be from the share of it: the router never leaves the span of one stake of each kind."""
STILL = ("pause", "resume", "finish")
"""What moves no capital."""


class Given(NamedTuple):
    """A round as it was given out."""

    at: Position
    canary: Decimal
    stable: Decimal


def wrongs(company: Company, run: UpgradeRun) -> Iterator[str]:
    """Every violation in words; nothing may be given out meanwhile."""
    rounds: dict[str, Given] = {}
    for name, given in _lines(company):
        if rounds.setdefault(name, given) != given:
            yield f"round {name} was given out as {rounds[name]} and as {given}"
    orders, faults = _ordered(company)
    yield from faults
    yield from _played(rounds, orders)
    yield from _at_the_end(company, run, rounds, orders)


def _lines(company: Company) -> Iterator[tuple[str, Given]]:
    file = company.folder / GIVEN
    for line in file.read_text().splitlines() if file.exists() else ():
        name, revision, step, canary, stable = line.split(" ")
        yield name, Given(Position(int(step), int(revision)), Decimal(canary), Decimal(stable))


def _ordered(company: Company) -> tuple[dict[int, tuple[str, Decimal]], list[str]]:
    """Which run and share each revision is, by the control log, and what of it can't be."""
    wrong: list[str] = []
    orders: dict[int, tuple[str, Decimal]] = {0: ("", Decimal(0))}
    revision, step = 0, 0
    entries: Any = company.client.xrange(KEYS.log)
    for _id, fields in entries:
        event = {name.decode(): value.decode() for name, value in fields.items()}
        if event["k"] != "canary":
            continue
        now, at, did = int(event["rev"]), int(event["step"]), event["did"]
        if did in STILL:
            wrong += [f"{did} moved capital: {event}"] * ((now, at) != (revision, step))
            continue
        ordered = "0" if did == "abort" else LADDER[at]
        wrong += [f"revision {revision} is followed by {now}"] * (now != revision + 1)
        wrong += [f"{did} from step {step} to {at}"] * (at != {"step": step + 1}.get(did, 0))
        wrong += [f"{did} at step {at} gave {event['share']}"] * (Decimal(event["share"]) != Decimal(ordered))
        revision, step, orders[now] = now, at, (event["run"], Decimal(event["share"]))
    return orders, wrong


def _played(rounds: dict[str, Given], orders: dict[int, tuple[str, Decimal]]) -> Iterator[str]:
    """No version has had more than was ordered, and none anything where the other has all."""
    canary, total = Counter[int](), Counter[int]()
    for name, given in rounds.items():
        revision = given.at.revision
        if revision not in orders:
            yield f"round {name} was given out at revision {revision}, which nobody ordered"
            continue
        share = orders[revision][1]
        if given.canary + given.stable != STAKE or (given.canary and not share) or (given.stable and share == 1):
            yield f"round {name} gave the canary {given.canary} and the other {given.stable} at a share of {share}"
        canary[revision] += int(given.canary * MICROS)
        total[revision] += int(STAKE * MICROS)
    for revision, all_of_it in total.items():
        run, share = orders[revision]
        if canary[revision] > share * all_of_it + SPAN * MICROS:
            yield f"{run} played {canary[revision]} of {all_of_it} at a share of {share}"


def _at_the_end(
    company: Company, run: UpgradeRun, rounds: dict[str, Given], orders: dict[int, tuple[str, Decimal]]
) -> Iterator[str]:
    """Who acts has all; the book and the evidence hold each round once."""
    stored = read(company.client, KEYS)
    if stored.reading is None:
        return
    authority = company.fence.authority()
    canary = stored.reading.run
    yield from _all_of_it(run, canary, authority)
    if authority is None or authority.phase is not Phase.RUN:
        return  # nobody shares out: nobody's book is up to date
    seen: list[Stored] = [stored]

    def agrees() -> bool:
        seen.append(read(company.client, KEYS))
        return not _book(seen[-1], rounds, orders)

    try:
        until(agrees, "the book to agree", despite=AWAY, timeout_s=20.0)
    except AssertionError:
        yield from _book(seen[-1], rounds, orders)


def _all_of_it(run: UpgradeRun, canary: CanaryRun, authority: Authority | None) -> Iterator[str]:
    whose = f"{canary.name} of {canary.slot} is {canary.state.value} at {canary.share}"
    ours = canary.name == run.canary
    if canary.live:
        yield f"it is over, and {whose}"
    elif authority is not None and authority.active is not None:
        if canary.share not in (0, 1) or (canary.share == 1 and canary.slot != authority.active.value):
            yield f"{authority.active.value} acts, and {whose}"
    elif run.state is RunState.ABORTED and ours and canary.share and run.switched_at is None:
        yield f"it was aborted before its switch, and {whose}"
    if run.state is RunState.DONE and ours and not canary.finished and authority and authority.active is run.target:
        yield f"it is done, and {whose}"


def _book(stored: Stored, rounds: dict[str, Given], orders: dict[int, tuple[str, Decimal]]) -> list[str]:
    reading = stored.reading
    assert isinstance(reading, CanaryReading)
    run, desk = reading.run, reading.desk
    if desk is None or (desk.position, desk.share) != (run.position, run.share):
        return [f"in force is {desk and (desk.position, desk.share)}, recorded {run.position, run.share}"]
    wrong = [f"{len(stored.open_rounds)} rounds were never ended"] * bool(stored.open_rounds)
    ledger = json.loads(stored.ledger) if stored.ledger else {}
    if run.share and ledger.get("run") == run.name and ledger["revision"] == run.position.revision:
        _ppm, total, canary, _largest, _sizes = ledger["ledger"]
        here = [given for given in rounds.values() if given.at == run.position]
        played = int(len(here) * STAKE * MICROS), int(sum(given.canary for given in here) * MICROS)
        wrong += [f"in the book {total, canary} at revision {ledger['revision']}, played {played}"] * (
            (total, canary) != played
        )
    evidence = desk.analysis.evidence if desk.analysis is not None else None
    if evidence is not None:
        name = str(run.name)
        own = [one for one in rounds.values() if orders.get(one.at.revision, ("", 0))[0] == name]
        most = sum(one.canary > 0 for one in own), sum(one.stable > 0 for one in own)
        if evidence.rounds_canary > most[0] or evidence.rounds_stable > most[1]:
            wrong.append(f"{evidence.rounds_canary} and {evidence.rounds_stable} rounds are evidence, played {most}")
    return wrong
