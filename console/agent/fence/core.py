"""What a controller knows and decides, without any I/O of its own: the same for blocking and asyncio agents."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from console.agent.fence.action import Proposal
from console.agent.fence.errors import ActionRefused, Halted, StandBy
from console.agent.fence.halt_file import local_level
from console.agent.fence.settings import Settings
from console.agent.fence.view import View, permits
from console.domain.errors import Refused, UsageError
from console.domain.fence.check import Check, refusals
from console.domain.fence.claims import Direction, Level, OpenClaim
from console.store.fence.calls import Heartbeat
from console.store.fence.claims import Intent, Proof
from console.store.fence.ids import new_id
from console.store.keys import Keys

if TYPE_CHECKING:
    from console.agent.decisions import DecisionLog
    from console.agent.flags import Flags

SLOTS: Final = ("blue", "green")


class NoFlags:
    """What an agent without flags has: nothing that could be stale. It does not pay for the module of flags."""

    specs: Final[Mapping[str, object]] = {}
    problems: Final[Mapping[str, str]] = {}
    stale: Final = False
    age_s: Final = 0.0


NO_FLAGS: Final = NoFlags()


def host_name() -> str:
    """This host and process namespace: two processes of the same name can see each other's process ids."""
    try:
        namespace = Path("/proc/self/ns/pid").readlink().name
    except OSError:
        namespace = ""
    return f"{socket.gethostname()}/{namespace}"


def config_hash(config: Mapping[str, object]) -> str:
    """Twelve digits that tell one configuration from another."""
    return hashlib.sha256(json.dumps(config, sort_keys=True, default=str).encode()).hexdigest()[:12]


class Evidence(NamedTuple):
    """What a probe found out about a claim in doubt.

    Args:
        executed: whether the venue did it.
        evidence: what was seen, in words.
        result, pnl: where it was executed.
        proof: where it was not: why the holder can't send it any more; None to let the library find out.
    """

    executed: bool
    evidence: str
    result: object = ""
    pnl: Any = 0
    proof: Proof | None = None


DOCTOR: Final = "`agent-console doctor` says what to do. Settings(money=False) is for where no money moves."


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an agent's process is.

    Args:
        slot, version: which side it is, and what it runs.
        agent: whose keys.
        instance: its id, unique to the process; made up if empty.
        build, config: hashes that are shown beside it.
        cluster: whether the store is a Cluster.

    Raises:
        UsageError: there is no such slot.
    """

    slot: str
    version: str
    agent: str = "agent"
    instance: str = ""
    build: str = ""
    config: str = ""
    cluster: bool = False

    def __post_init__(self) -> None:
        if self.slot not in SLOTS:
            raise UsageError(f"{self.slot!r} is no slot.", "An agent is blue or green.")


class Core:
    """State and rules of one agent process.

    Args:
        identity: who it is.
        settings, flags, log: see the controller.
    """

    def __init__(
        self, identity: Identity, *, settings: Settings, flags: Flags | NoFlags, log: DecisionLog | None
    ) -> None:
        if settings.lease_ms <= settings.margin_ms:
            raise UsageError("The lease must be longer than its margin.")
        self.slot = slot = identity.slot
        self.version = identity.version
        self.agent = identity.agent
        self.settings = settings
        self.flags = flags
        self.log = log
        self.keys = Keys.of(identity.agent, cluster=identity.cluster)
        self.instance = identity.instance or f"{slot}-{socket.gethostname()}-{os.getpid()}-{new_id()[:6]}"
        self.build = identity.build
        self.config = identity.config
        self.host = host_name()
        self.unexamined = "the server has not been examined yet" if settings.money else ""
        """Why money may not be moved on this server; empty once it was examined and found fit."""
        self.unfit = False
        self.view = View()
        self.seen = 0
        self.acting: set[str] = set()
        self.in_doubt: set[str] = set()
        self.local: tuple[Level, str] = (Level.NONE, "")
        self.spool_dir = settings.spool_dir

    # -- beliefs -------------------------------------------------------------------------------------------------------

    def look(self, view: View) -> bool:
        """Take a new view; whether who may act differs from before."""
        before = self.view
        if view.epoch < before.epoch:
            return False
        self.view, self.seen = view, max(self.seen, view.epoch)
        return (view.epoch, view.phase, view.active, view.level) != (
            before.epoch,
            before.phase,
            before.active,
            before.level,
        )

    @property
    def stale(self) -> bool:
        """Whether the store has been silent for longer than it may be."""
        return time.monotonic() - self.view.at > self.settings.stale_after_ms / 1000

    @property
    def level(self) -> Level:
        """How much is stopped for this process: by the store, by the halt file, or by the store's silence."""
        silent = Level.REDUCE_ONLY if self.stale or self.flags.stale else Level.NONE
        return max(self.view.level, self.local[0], silent, key=lambda level: level.rank)

    @property
    def active(self) -> bool:
        """Whether this side is believed to be active: not stale, not halted here. A claim decides."""
        view = self.view
        return view.active == self.slot and self.local[0] is not Level.HALT and not self.stale

    def problem(self) -> str:
        """Why this instance could not take over now; empty when it could."""
        if self.local[0] is Level.HALT:
            return self.local[1]
        if self.unexamined:
            return self.unexamined
        if self.log is not None and self.log.problem:
            return self.log.problem
        if self.flags.problems:
            name, why = next(iter(self.flags.problems.items()))
            return f"flag {name}: {why}"
        return ""

    def heartbeat(self) -> Heartbeat:
        """What this instance tells about itself now."""
        problem = self.problem()
        return Heartbeat(
            self.instance,
            self.slot,
            self.version,
            build=self.build,
            config=self.config,
            schema=self.settings.schema,
            ready=not problem,
            host=self.host,
            pid=os.getpid(),
            info=problem,
            in_flight=len(self.acting),
            in_doubt=len(self.in_doubt),
        )

    def examined(self, checks: Iterable[Check]) -> None:
        """Take what the server's examination found; money moves only on one where nothing speaks against it."""
        refused = refusals(checks)
        self.unfit = bool(refused)
        reasons = "; ".join(f"{check.name}: {check.seen}" for check in refused)
        self.unexamined = f"the server is not fit for money ({reasons})" if refused else ""

    def check_fit(self) -> None:
        """Refuse to go on with a server that was examined and is not fit.

        Raises:
            Refused: it is not.
        """
        if self.unfit:
            raise Refused(f"{self.instance} does not start: {self.unexamined}.", DOCTOR)

    def check_halt_file(self) -> None:
        """Look at the third door."""
        self.local = local_level(self.settings.halt_file)

    # -- an action -----------------------------------------------------------------------------------------------------

    def permit(self, key: str, direction: Direction) -> None:
        """What can be refused without asking the store.

        Raises:
            ActionRefused: it is.
        """
        self.check_halt_file()
        level, why = self.local
        if not permits(level, direction):
            raise Halted(f"{key} was not claimed: {why}.", "Remove the file to end this.")
        if self.unexamined:
            raise StandBy(f"{key} was not claimed: {self.unexamined}.", DOCTOR)
        if self.log is not None and self.log.problem:
            raise Halted(f"{key} was not claimed: {self.log.problem}.", "What can't be recorded may not be done.")
        if self.flags.stale and direction is not Direction.REDUCE:
            raise StandBy(
                f"{key} was not claimed: the flags are {self.flags.age_s:.1f} s old.", "Only reducing is allowed."
            )
        if key in self.acting:
            raise ActionRefused(f"{key} is being acted on in this very process.")

    def intent(self, wanted: Proposal) -> Intent:
        """A new claim for a proposal, in the epoch this process knows."""
        return Intent(
            key=wanted.key,
            claim_id=new_id(),
            slot=self.slot,
            epoch=self.view.epoch,
            instance=self.instance,
            amount=wanted.amount,
            currency=wanted.currency,
            direction=wanted.direction,
            action=wanted.action,
            lease_ms=self.settings.lease_ms,
            seen=self.seen,
        )

    def renewed(self, before: Intent) -> Intent:
        """A new claim for the same intent, after who may act has changed."""
        return before._replace(claim_id=new_id(), epoch=self.view.epoch, seen=self.seen)

    def retention(self, wanted: Proposal) -> int:
        """How long a proposal's result is kept."""
        return self.settings.retention_ms if wanted.retention_ms is None else wanted.retention_ms

    # -- doubts --------------------------------------------------------------------------------------------------------

    def proof(self, claim: OpenClaim, holder: Mapping[str, object] | None) -> Proof:
        """The best proof there is that a claim's holder can't send it any more; the store checks `SILENT` itself.

        Args:
            claim: in doubt.
            holder: its last heartbeat.
        """
        if claim.instance == self.instance:
            return Proof.SELF
        if holder is not None and holder.get("host") == self.host and _is_gone(holder.get("pid")):
            return Proof.GONE
        return Proof.SILENT


def _is_gone(pid: object) -> bool:
    if not isinstance(pid, int) or pid <= 1:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
