"""Everything that the gates go by, gathered at one moment; each source lacks on its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, NamedTuple

from console.domain.canary.run import CanaryReading
from console.domain.commitments.commitment import Kind, Owed, Superset
from console.domain.commitments.listing import Listing, Place, Thing, Unread
from console.domain.fence.claims import OpenClaim
from console.domain.fence.deployment import Deployment, Slot
from console.domain.gates.fact import Fact, Lack, lacking
from console.domain.gates.rules import Maintenance
from console.domain.guard.alerts import Alert, GuardReading
from console.domain.manifest.recorded import KeptBy, Recorded
from console.domain.rehearsal.evidence import Evidence
from console.domain.seen.observation import LogReading
from console.domain.shadow.report import ShadowReport
from console.domain.venue.terms import EscrowTerms


class CanarySeen(NamedTuple):
    """A canary's run, and which version it proved.

    Args:
        reading: the run that goes on, or the last one; None where there never was one.
        version: that its side ran when it began; empty where nobody wrote it down.
    """

    reading: CanaryReading | None
    version: str = ""


class SnapshotSeen(NamedTuple):
    """The newest snapshot, parsed back.

    Args:
        id: its name.
        agent: whose it is.
        taken_at: by the clock of who took it.
        host: another one, on which it was parsed back, and lies; empty for this one.
        noted_at: by the store's clock, when that host told of it; None for this one.
    """

    id: str
    agent: str
    taken_at: datetime
    host: str = ""
    noted_at: datetime | None = None


class PlainEscrow(NamedTuple):
    """An escrow in a plain agent's state file.

    Args:
        id: the venue's.
        due: when the venue moves the money by itself; None where the file does not say.
        disputed: whether it is in dispute.
        amount: how much; None where the file does not say.
        currency: of it.
    """

    id: str
    due: datetime | None = None
    disputed: bool = False
    amount: Decimal | None = None
    currency: str = ""


class EscrowSeen(NamedTuple):
    """An escrow, wherever it is listed; where lists differ over its time, each of them counts.

    Args:
        id: the venue's.
        dues: when its money moves by itself; empty where no list says.
        disputed: whether any list says that it is in dispute.
    """

    id: str
    dues: frozenset[datetime] = frozenset()
    disputed: bool = False


class PlainState(NamedTuple):
    """What a plain agent's state file says that gates ask for.

    Args:
        written_at: its own timestamp, or the file's.
        escrows: that are not over; None where the file says nothing of them.
        rounds: how many are open; None where the file says nothing of them.
        limits: whether it states rate-limit counters.
        others: its positions, orders and rounds, as far as it names them.
        says: kinds of which it says all there are.
        unread: fields that should list something and can't be read.
    """

    written_at: datetime
    escrows: tuple[PlainEscrow, ...] | None = None
    rounds: int | None = None
    limits: bool = False
    others: tuple[Thing, ...] = ()
    says: frozenset[Kind] = frozenset()
    unread: tuple[Unread, ...] = ()

    def listing(self, name: str) -> Listing:
        """The file as a place that lists what is outstanding."""
        escrows = (
            Thing(one.id, Kind.ESCROW, one.amount, one.currency, one.due, one.disputed) for one in self.escrows or ()
        )
        things = (*escrows, *self.others)
        return Listing(Place.STATE_FILE, name, self.written_at, things, self.says, unread=self.unread)


class VolatilitySeen(NamedTuple):
    """A source's points, oldest first.

    Args:
        points: (when, what).
        prices: whether they are prices, from which volatility is realised; else they are volatility already.
    """

    points: tuple[tuple[datetime, float], ...]
    prices: bool = False


class VenueFacts(NamedTuple):
    """What reads of the venue say, for whoever fills it in. Each holds the time of the read; one that is not read is
    None, which is *not checked*; one that failed is a fact that lacks.

    Args:
        key: whether the API key answers 200.
        balance: its words ("1,204.55 USD, 12 s old"), if it is fresh and agrees with the books.
        positions: its words, if every position has an id and none comes from a stale source.
        monitor: its words, if what carries out stop orders runs.
        escrows: its words, if every escrow is as our books have it.
        disputes: ids of what is in dispute.
        maintenance: announced by the venue.
        things: what is outstanding there, of a read of its own.
        terms: who is paid at an escrow's time-out, by every venue's document that is known here.
    """

    key: Fact[str] | None = None
    balance: Fact[str] | None = None
    positions: Fact[str] | None = None
    monitor: Fact[str] | None = None
    escrows: Fact[str] | None = None
    disputes: Fact[tuple[str, ...]] | None = None
    maintenance: Fact[tuple[Maintenance, ...]] | None = None
    things: Fact[Listing] | None = None
    terms: Fact[tuple[EscrowTerms, ...]] | None = None


class HealthSeen(NamedTuple):
    """What a version's own health endpoint answered.

    Args:
        status: of HTTP.
        bad: dependencies that it says are not connected.
        words: of it.
    """

    status: int
    bad: tuple[str, ...] = ()
    words: str = ""


class Switched(NamedTuple):
    """The newest change of the active side; both clocks after it begin here.

    Args:
        at: by the server's clock.
        epoch: of the tenure that began.
        side: who acts since then.
        before: who acted before; None for nobody.
        by, why: who did it, and the reason.
    """

    at: datetime
    epoch: int
    side: Slot
    before: Slot | None = None
    by: str = ""
    why: str = ""


class Tick(NamedTuple):
    """A manual item, ticked.

    Args:
        item: which.
        by: who said so.
        login: who that was by the store's own login; "default" where it has none.
        at: when; aware UTC.
        why: what was seen.
        epoch: the running epoch.
    """

    item: str
    by: str
    login: str
    at: datetime
    why: str
    epoch: int


class ManifestsSeen(NamedTuple):
    """What versions are held to, and of which manifest the newest kept state is.

    Args:
        recorded: version → its manifest.
        kept: the newest state that an agent kept in the store; None for none.
        problems: what of it can't be read, one line each.
    """

    recorded: Mapping[str, Recorded]
    kept: KeptBy | None = None
    problems: tuple[str, ...] = ()


NO_MANIFESTS: Final[Fact[ManifestsSeen]] = lacking(
    "manifests", datetime.fromtimestamp(0, UTC), Lack.NOT_CHECKED, "not asked"
)


class GateFacts(NamedTuple):
    """Everything that the gates go by.

    Args:
        deployment: who may act, and who beats.
        versions: what runs in each side, as far as that is known.
        canary: the run that goes on, or the last one.
        shadows: every shadow that ever reported.
        doubts: actions whose outcome nobody knows.
        owed: commitments, by deadline.
        superset: whether the target watches all that it will own.
        guards, alerts: of this agent.
        snapshot: the newest one.
        state: a plain agent's state file.
        logs: what the decision logs hold.
        volatility: the configured source.
        venue: reads of the venue.
        health: each side's own health endpoint.
        switched: the newest change of the active side.
        ticks: manual items that were ticked.
        rehearsals: version → its last rehearsal.
        manifests: what versions are held to.
        escrows: every escrow that a list names, put together once for all items that go by them
            (`console.domain.gates.one_rule.with_escrows`); None until then.
    """

    deployment: Deployment
    versions: Mapping[Slot, tuple[str, ...]]
    canary: Fact[CanarySeen]
    shadows: Fact[tuple[ShadowReport, ...]]
    doubts: Fact[tuple[OpenClaim, ...]]
    owed: Fact[tuple[Owed, ...]]
    superset: Fact[Superset]
    guards: Fact[tuple[GuardReading, ...]]
    alerts: Fact[tuple[Alert, ...]]
    snapshot: Fact[SnapshotSeen]
    state: Fact[PlainState]
    logs: Fact[LogReading]
    volatility: Fact[VolatilitySeen]
    venue: VenueFacts
    health: Mapping[Slot, Fact[HealthSeen]]
    switched: Fact[Switched]
    ticks: Fact[Mapping[str, Tick]]
    rehearsals: Fact[Mapping[str, Evidence]]
    manifests: Fact[ManifestsSeen] = NO_MANIFESTS
    escrows: tuple[EscrowSeen, ...] | None = None
