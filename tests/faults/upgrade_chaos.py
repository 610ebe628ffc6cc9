"""Upgrade after upgrade, while whoever walks it, an agent, the guard or the store is killed with -9 at every step.

Each run ends done or aborted, in the state that it names; then the venue's ledger, what is owed, the chains and
`upgrade show` have to agree, and no state went to two. The venue executes whatever it is sent, and counts.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from console.commands.base import Call
from console.commands.upgrade.start import UpgradeStart
from console.demo.faulty import Fault
from console.domain.canary.plan import RunState as CanaryState
from console.domain.fence.claims import Level
from console.domain.fence.deployment import Phase
from console.domain.upgrade.run import ORDER, RunState, StepName, UpgradeRun
from console.store.fence.calls import SwitchRequest
from console.store.keys import ProofKeys
from console.store.records.canary import read
from tests.faults import shares
from tests.faults.company import AWAY, KEYS, VERSIONS, Company
from tests.faults.settled import wrongs
from tests.waiting import until

VICTIMS: Final = ("console", "agent", "guard", "store")
SHADOWED: Final = 0.5
"""The share of runs in which the new version has to have played as a shadow."""
LADDERED: Final = 1 / 3
"""The share of runs in which the new version climbs a canary's ladder before it acts."""
CLIMB_S: Final = 3.0
"""How long a ladder takes, about: somebody who is killed there dies at any of its steps."""
UNANSWERED: Final = 0.2
"""The share of runs in which the venue carries out orders and never answers, until the first death."""
LONGEST_S: Final = 300.0
"""A run that is not over by then is a violation; nothing else goes by it."""


class Kill(NamedTuple):
    """Whom, when the run has come to which step, and how long after that in seconds."""

    victim: str
    step: StepName
    after_s: float


@dataclass
class Storm:
    """Runs until so many were killed.

    Args:
        company: who is killed.
        dice: decides.
        laddered: the share of runs with a canary's ladder.
    """

    company: Company
    dice: random.Random
    laddered: float = LADDERED
    counts: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """Blue acts, and the guard is there."""
        company = self.company
        company.fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
        for slot in VERSIONS:
            company.instance(slot)
        ledger = company.venue.holdings.executions
        until(lambda: len(ledger) > 2, "the first orders")

    def run(self, kills: list[Kill], abort_at: StepName | None = None) -> None:
        """One run, with those who are killed in it, to its end and to what has to agree then."""
        company = self.company
        self.freed()
        authority = company.fence.authority()
        assert authority is not None and authority.active is not None
        target = authority.active.other.value
        shadow = self.dice.random() < SHADOWED
        self.counts["shadowed"] += shadow
        ladder = self.dice.random() < self.laddered
        self.counts["laddered"] += ladder
        company.planned(shadow=shadow, ladder=target if ladder else "")
        asyncio.run(_begun(company, target))
        began = company.run()
        assert began is not None
        if self.dice.random() < UNANSWERED:
            self.counts["unanswered"] += 1
            company.venue.turn(Fault.TIMEOUT_AFTER_COMMIT, "/v1/orders")
        ended = self.walked(began, sorted(kills, key=lambda kill: ORDER.index(kill.step)), abort_at)
        self.counts["runs"] += 1
        self.counts[ended.state.value] += 1
        company.pause()
        over = company.run() or ended
        self.violations += wrongs(company, over)
        self.violations += [f"{over.id[:8]} {over.state.value}: {what}" for what in shares.wrongs(company, over)]
        company.go_on()

    def freed(self) -> None:
        """Somebody acts again, after a run that ended in a halt or a freeze; and both versions may be upgraded to.

        The gate `canary` never lets a version in again whose capital was taken back, and here are but two: what stands
        of it is put away, as a new version would make it count no more.
        """
        authority = self.company.fence.authority()
        assert authority is not None
        if authority.phase is not Phase.RUN or authority.level is not Level.NONE:
            to = authority.active.value if authority.active is not None else "blue"
            request = SwitchRequest(to, expected_epoch="any", by="op", why="on again", resume=True, mode="now")
            self.company.fence.switch(request)
        stored = read(self.company.client, KEYS).reading
        if stored is not None and stored.run.state is CanaryState.ABORTED:
            self.company.client.hset(ProofKeys.of(KEYS).run, "state", "")

    def walked(self, run: UpgradeRun, kills: list[Kill], abort_at: StepName | None) -> UpgradeRun:
        """The run once it is over."""
        company, deadline = self.company, time.monotonic() + LONGEST_S
        while run.state.live:
            self.violations += company.supervise()
            if run.state is RunState.HELD and not company.walker.alive:
                self.counts["held"] += 1
                if self.dice.random() < 0.5 or company.say("upgrade", "resume") != 0:
                    self.abort()
            elif not company.walker.alive:
                self.counts["walkers"] += 1
                company.walker.kill()
                company.walker.start()
            if abort_at is not None and _at(run, abort_at):
                self.abort()
                abort_at = None
            elif kills and _at(run, kills[0].step):
                self.kill(kills.pop(0), run)
            if time.monotonic() > deadline:
                step = run.step
                self.violations.append(f"{run.id[:8]} did not come to its end: {run.state} at {step}, {run.note}")
                self.abort()
                deadline += LONGEST_S
            time.sleep(0.005)
            run = company.run() or run
        for kill in kills:  # it was aborted before
            self.kill(kill, run)
        company.venue.turn("")
        company.walker.kill()
        return run

    def kill(self, kill: Kill, run: UpgradeRun) -> None:
        """kill -9, and begun anew."""
        company = self.company
        climbs = run.plan.canary and run.step is not None and run.step.name is StepName.CANARY
        time.sleep(kill.after_s + (self.dice.random() * CLIMB_S if climbs else 0.0))
        self.counts["on the ladder"] += bool(climbs)
        company.venue.turn("")
        self.counts[f"kill {kill.victim}"] += 1
        self.counts[f"at {run.step.name.value if run.step else run.state.value}"] += 1
        if kill.victim == "console":
            company.walker.kill()
        elif kill.victim == "agent":
            company.trader_dies(self.dice.choice(list(VERSIONS)))
        elif kill.victim == "guard":
            company.guard.kill()
            company.guard.start()
        else:
            company.server.restart()

    def abort(self) -> None:
        """By command line; in half of the cases that is killed in the middle and said again."""
        abort = ("upgrade", "abort", "--reason", "storm")
        if self.dice.random() < 0.5:
            verb = self.company.console(*abort).start()
            time.sleep(0.3 + self.dice.random() * 0.7)
            self.counts["kill abort"] += verb.alive
            verb.kill()

        def over() -> bool:
            run = self.company.run()
            return run is None or not run.state.live or self.company.say(*abort) == 0

        until(over, "the abort", despite=AWAY)


async def _begun(company: Company, target: str) -> None:
    async with company.here() as ctx:
        await UpgradeStart().execute(ctx, Call({"target": target, "plan": str(company.plan)}))


def _at(run: UpgradeRun, step: StepName) -> bool:
    now = run.step
    return now is None or ORDER.index(now.name) >= ORDER.index(step)


def storm(kills: int, seed: int) -> list[list[Kill]]:
    """So many kills, one to four in a run: every victim at every step, again and again, in any order."""
    dice = random.Random(seed)
    plans: list[list[Kill]] = []
    waiting: list[Kill] = []
    while kills:
        if not waiting:
            every = [(victim, step) for victim in VICTIMS for step in ORDER]
            dice.shuffle(every)
            waiting = [Kill(victim, step, dice.random() * dice.choice((0.0, 0.05, 0.3))) for victim, step in every]
        share = min(dice.randint(1, 4), len(waiting), kills)
        plans.append(waiting[:share])
        waiting, kills = waiting[share:], kills - share
    return plans


def run(
    folder: Path,
    plans: list[list[Kill]],
    *,
    aborts: float = 0.0,
    laddered: float = LADDERED,
    seed: int = 1,
    program: Path | None = None,
) -> dict[str, Any]:
    """A run for each plan; what was counted, and `violations`.

    Args:
        folder: for everything.
        plans: who is killed in each.
        aborts: the share of runs that somebody aborts, at any step.
        laddered: the share of runs in which capital is split along a ladder first.
        seed: of what is by chance.
        program: the server's binary.
    """
    dice = random.Random(seed)
    with Company(folder, program) as company:
        weather = Storm(company, dice, laddered)
        weather.begin()
        for plan in plans:
            weather.run(plan, dice.choice(ORDER) if dice.random() < aborts else None)
        ledger = company.venue.holdings.executions
        counts = {"orders": len(ledger), "twice": sum(count > 1 for count in ledger.values())}
        kills = {"kills": sum(number for name, number in weather.counts.items() if name.startswith("kill "))}
        return dict(sorted(weather.counts.items())) | kills | counts | {"violations": weather.violations}
