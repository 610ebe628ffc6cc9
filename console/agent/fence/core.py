"""What a controller knows and decides, without any I/O of its own: the same for blocking and asyncio agents."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import socket
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from weakref import WeakValueDictionary

from console.agent.fence.action import BaseAction, Proposal, checked, encodable, naming
from console.agent.fence.errors import ActionRefused, Halted, StandBy
from console.agent.fence.halt_file import local_level
from console.agent.fence.process import check_process
from console.agent.fence.settings import Settings, check_settings
from console.agent.fence.spool import CENTURY_MS, Settlement
from console.agent.fence.view import View, permits
from console.agent.plain_secrets import logger
from console.domain.errors import Refused, UsageError
from console.domain.fence.check import Check, refusals
from console.domain.fence.claims import Direction, Level, OpenClaim, Outcome
from console.domain.secrets import without_secrets
from console.store.fence.calls import Heartbeat
from console.store.fence.claims import Intent, Proof, SettleCode, SettleReply
from console.store.fence.holding import epoch_alone
from console.store.fence.hosts import host_name, is_gone, started_at
from console.store.fence.memory import Memory, default_memory, newer, store_name
from console.store.fence.replies import BeatCode, BeatReply, Mark, Seen
from console.store.keys import Keys
from console.store.server.cluster import is_cluster, keys_on

if TYPE_CHECKING:
    from console.agent.decisions import DecisionLog
    from console.agent.fence.standing import Standing
    from console.agent.flags import Flags
    from console.domain.manifest.manifest import Manifest

SLOTS: Final = ("blue", "green")
MAX_NAME: Final = 120

_log: Final = logger("console.agent")


class NoFlags:
    """What an agent without flags has: nothing that could be stale. It does not pay for the module of flags."""

    specs: Final[Mapping[str, object]] = {}
    problems: Final[Mapping[str, str]] = {}
    stale: Final = False
    age_s: Final = 0.0


NO_FLAGS: Final = NoFlags()


def config_hash(config: Mapping[str, object]) -> str:
    """Twelve digits that tell one configuration from another."""
    return hashlib.sha256(json.dumps(config, sort_keys=True, default=str).encode()).hexdigest()[:12]


class Drained(NamedTuple):
    """How a process came to its end.

    Args:
        acting: keys of actions that were not over in time; they end by their leases, in doubt.
        waiting: results that the store has not taken yet; they are in the spool.
        handed_over: whether the other side was made active.
    """

    acting: tuple[str, ...]
    waiting: int
    handed_over: bool = False


def other_side(slot: str) -> str:
    """The other slot."""
    return SLOTS[1 - SLOTS.index(slot)]


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


TELLING: Final = "telling a result"
"""The defect that lasts until every result has been told."""

DOCTOR: Final = "`agent-console doctor` says what to do. Settings(money=False) is for where no money moves."


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an agent's process is.

    Args:
        slot, version: which side it is, and what it runs.
        agent: whose keys.
        instance: its name; made up if empty. What is recorded is that name and a part that no other process has, so
        that
            a process with a stable name (a pod's) is never taken for the one before it.
        build, config: hashes that are shown beside it.
        manifest: what the version is made of; None where that is not declared.
        cluster: whether the store is a Cluster, where that is said; it need not be.

    Raises:
        UsageError: there is no such slot, or a name can't be recorded.
    """

    slot: str
    version: str
    agent: str = "agent"
    instance: str = ""
    build: str = ""
    config: str = ""
    cluster: bool | None = None
    manifest: Manifest | None = None

    def __post_init__(self) -> None:
        if self.slot not in SLOTS:
            raise UsageError(f"{self.slot!r} is no slot.", "An agent is blue or green.")
        for what in ("version", "instance", "build", "config"):
            text = getattr(self, what)
            if not isinstance(text, str) or len(text) > MAX_NAME or (text and not text.isprintable()):
                raise UsageError(f"A {what} is at most {MAX_NAME} printable characters, not {text!r:.60}.")


class Core:
    """State and rules of one agent process.

    Args:
        identity: who it is.
        settings, flags, log: see the controller.
    """

    def __init__(
        self, identity: Identity, *, settings: Settings, flags: Flags | NoFlags, log: DecisionLog | None
    ) -> None:
        check_settings(settings)
        self.slot = slot = identity.slot
        self.version = identity.version
        self.agent = identity.agent
        self.settings = settings
        self.flags = flags
        self.log = log
        self._said_cluster = identity.cluster
        self.keys = Keys.of(identity.agent, cluster=bool(identity.cluster))
        """The agent's keys, as they are on the store that was connected to last (`keys_on`)."""
        self.own = os.urandom(8).hex()
        """What every claim id of this very object begins with, and of no other."""
        self._claims = itertools.count(1)
        self.pid = os.getpid()
        name = identity.instance or f"{slot}-{socket.gethostname()}-{self.pid}"
        self.instance = f"{name}~{self.own[:6]}"
        self.started = started_at()
        self.build = identity.build
        self.config = identity.config
        self.manifest: Manifest | None = None
        """What this version is made of, as it was declared last."""
        self._manifest_text = self._manifest_sent = self._manifest_told = ""
        if identity.manifest is not None:
            self.declare(identity.manifest)
        self.host = host_name()
        self.unexamined = "the server has not been examined yet" if settings.money else ""
        """Why money may not be moved on this server; empty once it was examined and found fit."""
        self.unfit = False
        self.view = View()
        self.memory = Memory(None, "", self.agent)
        self.recalled = False
        self.unconfirmed = Seen()
        """What was seen of the store, of which replicas may lack the newest; only where claims wait for them."""
        self.beaten_at = float("-inf")
        """Our own monotonic clock at the last heartbeat that the store took."""
        self.defects: dict[str, str] = {}
        """What of the heart's work does not work, and why: as long as there is any, nothing is claimed."""
        self.lineages = frozenset({""})
        """The store's authority, and those that it is the successor of: results of theirs belong there."""
        self.lost = ""
        """What the store has lost, or what of it is damaged; empty when nothing is known of that kind."""
        self.notes: dict[str, str] = {}
        """What an operator should see of this instance although it can act."""
        self.draining = False
        self.acting: WeakValueDictionary[str, BaseAction] = WeakValueDictionary()
        """What goes on now; an action that nobody holds any more has ended, however its block was left."""
        self.in_doubt: set[str] = set()
        self.local: tuple[Level, str] = (Level.NONE, "")
        self.shadow: Standing | None = None
        """What goes on as a shadow while this side stands by; None where nothing does."""
        self.spool_dir = settings.spool_dir

    def keys_on(self, client: Any) -> Keys:
        """The agent's keys as they are on the store behind a client.

        Raises:
            Refused: the author says that it is a Cluster, and it is none, or the other way round: operators would act
                on other keys than this agent.
        """
        there = is_cluster(client)
        if self._said_cluster not in (None, there):
            what = "a Cluster" if there else "no Cluster"
            self.unfit, self.unexamined = True, f"the store is {what}, and the agent says cluster={self._said_cluster}"
            raise Refused(f"{self.instance}: {self.unexamined}.", "Leave `cluster` out: the connection tells.")
        self.keys = keys_on(client, self.agent)
        return self.keys

    def declare(self, manifest: Manifest) -> None:
        """What this version is made of, from now on; what the controller knows itself of it is filled in: the schema of
        its flags, the number of its state's schema, and those that its migrations read.

        Raises:
            UsageError: it is no manifest.
        """
        from console.agent.fence.declaring import completed  # here: not every agent declares one
        from console.domain.manifest.lines import to_text

        self.manifest = completed(manifest, self.settings.schema, self.flags.specs)
        self._manifest_text = to_text(self.manifest)

    # -- beliefs -------------------------------------------------------------------------------------------------------

    @property
    def seen(self) -> Seen:
        """What this process remembers of the store."""
        return self.memory.seen

    def is_alive_beside(self, name: str, beat: Mapping[str, object], steady_ms: int) -> bool:
        """Whether a heartbeat is that of another process of this side that can go on.

        Args:
            name: of its instance.
            beat: its fields.
            steady_ms: the store's steady clock, which no change of the server's moves.
        """
        ms = beat.get("st")
        fresh = isinstance(ms, int) and steady_ms - ms < self.settings.stale_after_ms
        return name != self.instance and beat.get("slot") == self.slot and beat.get("ready") is True and fresh

    def recall(self, client: Any) -> None:
        """Learn from this host's disk what was seen of the store behind a client before; once."""
        if self.recalled:
            return
        self.recalled = True
        known, folder = self.memory.seen, self.settings.memory_dir
        if folder == "default":
            self.memory = default_memory(client, self.agent)
        elif folder is not None:
            self.memory = Memory(Path(folder), store_name(client), self.agent)
        self.memory.take(newer(known, self.memory.seen))

    def beaten(self, reply: BeatReply) -> None:
        """Take what a heartbeat's answer tells of the store: what is remembered of it grows, or what it has lost is
        known."""
        self.beaten_at = time.monotonic()
        self._manifest_told = self._manifest_sent
        if reply.code is BeatCode.OK:
            self.lost = ""
            self.lineages = frozenset({"", reply.seen.lineage, *reply.before.split()})
            self.unconfirmed = reply.seen
            self.memory.take(epoch_alone(reply.seen, self.seen) if self.settings.replicas else reply.seen)
        elif reply.code in (BeatCode.REGRESSED, BeatCode.DAMAGED):
            if self.lost != reply.detail:
                self.lost = reply.detail or reply.code
                _log.error("%s: the store is halted: %s", self.instance, self.lost)
            if reply.code is BeatCode.DAMAGED:
                self.memory.take(reply.seen)

    def heard(self, entry_id: str, event: Mapping[str, str]) -> None:
        """Remember a control event that was pushed."""
        number = event.get("n", "")
        known = self.unconfirmed if self.settings.replicas else self.seen
        if not known.lineage or not number.isdecimal() or int(number) <= known.events.number:
            return
        known = known._replace(events=Mark(int(number), entry_id, event.get("h", "")))
        if self.settings.replicas:
            self.unconfirmed = known
        else:
            self.memory.take(known)

    def confirmed(self, newest: int, seen: Seen) -> None:
        """Remember what a claim permits, on the disk before it is acted on. With replicas waited for they have the
        claim, and with it everything that was seen of this store before.

        Args:
            newest: the number of the newest action.
            seen: what was `unconfirmed` when it was claimed.
        """
        if self.settings.replicas and seen[:2] == self.seen[:2] and seen.events.number > self.seen.events.number:
            self.memory.take(self.seen._replace(events=seen.events))
        self.memory.note(newest, at_once=True)

    @property
    def heart_is_late(self) -> bool:
        """Whether the store has not had a heartbeat of this process for longer than it may be silent."""
        return time.monotonic() - self.beaten_at > self.settings.stale_after_ms / 1000

    def defect(self, what: str, error: Exception) -> None:
        """Something that an agent does beside its work failed in a way that was not foreseen."""
        words = f"{what}: {type(error).__name__}: {without_secrets(encodable(str(error)))[:200]}"
        if self.defects.get(what) != words:
            _log.error("%s: %s", self.instance, words, exc_info=error)
        self.defects[what] = words

    def look(self, view: View) -> bool:
        """Take a new view; whether who may act differs from before."""
        before = self.view
        if view.epoch < before.epoch:
            return False
        self.view = view
        if view.epoch > self.seen.epoch:
            self.memory.take(self.seen._replace(epoch=view.epoch))
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
        mine = view.active == self.slot and self.local[0] is not Level.HALT and not self.stale
        return mine and os.getpid() == self.pid

    def problem(self) -> str:
        """Why this instance could not take over now; empty when it could."""
        if self.local[0] is Level.HALT:
            return self.local[1]
        if self.draining:
            return "it comes to its end"
        if self.defects:
            return "the heart: " + "; ".join(self.defects.values())
        if self.lost:
            return self.lost
        if self.unexamined:
            return self.unexamined
        if self.log is not None and self.log.problem:
            return self.log.problem
        if self.flags.problems:
            name, why = next(iter(self.flags.problems.items()))
            return f"flag {name}: {why}"
        return ""

    def end(self) -> None:
        """Claim no more, from now on; safe in a signal's handler."""
        self.draining = True

    def drained(self, waiting: int, timeout_s: float) -> Drained:
        """How this process has come to its end; what is not over is told.

        Args:
            waiting: results that the store has not taken.
            timeout_s: how long was waited.
        """
        drained = Drained(tuple(sorted(self.acting)), waiting)
        if drained.acting:
            keys = ", ".join(encodable(key) for key in drained.acting)
            _log.error("%s: not over after %s s, in doubt when the lease ends: %s", self.instance, timeout_s, keys)
        if waiting:
            _log.error("%s: the store has not taken %s results; they are in the spool", self.instance, waiting)
        return drained

    def heartbeat(self) -> Heartbeat:
        """What this instance tells about itself now."""
        problem = self.problem()
        self._manifest_sent = self._manifest_text
        return Heartbeat(
            self.instance,
            self.slot,
            self.version,
            build=self.build,
            config=self.config,
            schema=self.settings.schema,
            ready=not problem,
            host=self.host,
            pid=self.pid,
            info=problem or "; ".join(note for note in (*self.notes.values(), self.memory.problem) if note),
            in_flight=len(self.acting),
            in_doubt=len(self.in_doubt),
            own=self.own,
            every_ms=self.settings.heartbeat_ms,
            started=self.started,
            window_ms=self.settings.window_ms,
            manifest=self._manifest_text,
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
            OtherProcess: this is a child of the process that made the controller.
        """
        check_process(self.pid, f"The controller of {self.instance}")
        if self.draining:
            raise StandBy(f"{key} was not claimed: this process comes to its end.")
        self.check_halt_file()
        level, why = self.local
        if not permits(level, direction):
            raise Halted(f"{key} was not claimed: {why}.", "Remove the file to end this.")
        if self.defects:
            why = "; ".join(self.defects.values())
            raise Halted(f"{key} was not claimed: the heart: {why}.", "Mend it; the agent goes on by itself.")
        self.permit_store(key)
        if self.unexamined:
            raise StandBy(
                f"{key} was not claimed: {self.unexamined}.", DOCTOR if self.unfit else "No store, no action."
            )
        if self.log is not None and self.log.problem:
            raise Halted(f"{key} was not claimed: {self.log.problem}.", "What can't be recorded may not be done.")
        if self.flags.stale and direction is not Direction.REDUCE:
            raise StandBy(
                f"{key} was not claimed: the flags are {self.flags.age_s:.1f} s old.", "Only reducing is allowed."
            )
        if self._manifest_told != self._manifest_text and direction is not Direction.REDUCE:
            raise StandBy(f"{key} was not claimed: the store does not know this version's manifest yet.")
        if key in self.acting:
            raise ActionRefused(f"{key} is being acted on in this very process.")

    def permit_store(self, key: str) -> None:
        """What can be refused for what is known of the store's data.

        Raises:
            Halted: the store went back in time, or is damaged.
        """
        if self.lost:
            raise Halted(
                f"{key} was not claimed: the store is halted: {self.lost}.",
                "Look at its data before anything is resumed.",
            )

    def told(self, settlement: Settlement, reply: SettleReply) -> None:
        """Take what the store said to a result; what came late is never silent."""
        if settlement.outcome is not Outcome.UNKNOWN:
            self.in_doubt.discard(settlement.intent.key)
        if reply.code is SettleCode.LATE and settlement.outcome is not Outcome.ABORT:
            self.notes["late"] = f"a late report of {settlement.intent.key}: {settlement.outcome}"
            _log.error("%s: %s (%s)", self.instance, self.notes["late"], reply.tripped or "recorded")

    def stood_by(self, wanted: Proposal | Intent | None) -> None:
        """This side decided and may not act: where the other side does, that is what it would have done."""
        if self.shadow is None or self.view.active != other_side(self.slot) or os.getpid() != self.pid:
            return
        if isinstance(wanted, Intent):
            wanted = Proposal(wanted.key, wanted.amount, wanted.currency, wanted.direction, wanted.action)
        self.shadow.looked(wanted)

    def intent(self, wanted: Proposal) -> Intent:
        """A new claim for a proposal, in the epoch this process knows.

        Raises:
            UsageError: a value of it can't be recorded.
        """
        wanted = checked(wanted)
        return Intent(
            key=wanted.key,
            claim_id=self.new_claim_id(),
            slot=self.slot,
            epoch=self.view.epoch,
            instance=self.instance,
            amount=wanted.amount,
            currency=wanted.currency,
            direction=wanted.direction,
            action=wanted.action,
            lease_ms=self.settings.lease_ms,
            named=naming(wanted, self.version),
            **self._known(),
        )

    def renewed(self, before: Intent) -> Intent:
        """A new claim for the same intent, after who may act has changed."""
        return before._replace(claim_id=self.new_claim_id(), epoch=self.view.epoch, **self._known())

    def new_claim_id(self) -> str:
        """An id that no other claim has, of this object's own."""
        return f"{self.own}{next(self._claims):08x}"

    def _known(self) -> dict[str, Any]:
        seen = self.seen
        return {"seen": seen.epoch, "lineage": seen.lineage, "newest": seen.actions.number}

    def retention(self, wanted: Proposal) -> int:
        """How long a proposal's result is kept: no key is free again while the venue still knows it."""
        kept_ms = self.settings.retention_ms if wanted.retention_ms is None else wanted.retention_ms
        terms = self.settings.key_terms
        if terms is None or kept_ms == 0:
            return kept_ms
        return min(CENTURY_MS, kept_ms + int(terms.window_s * 1000))

    # -- doubts --------------------------------------------------------------------------------------------------------

    def proof(self, claim: OpenClaim, holder: Mapping[str, object] | None) -> Proof:
        """The best proof there is that a claim's holder can't send it any more; the store checks `SILENT` itself.

        Args:
            claim: in doubt.
            holder: its last heartbeat.
        """
        if claim.claim_id.startswith(self.own):
            return Proof.SELF
        if holder is not None and is_gone(holder, self.host):
            return Proof.GONE
        return Proof.SILENT
