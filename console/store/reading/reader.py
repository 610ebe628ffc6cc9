"""Reading an agent's keys: everything a screen shows, in one round trip, whatever the keys hold.

Who may act (the plain key and the control hash) is read in one transaction, so that the two never seem to disagree only
because a switch came between. What could be large is bounded on the server's side.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from console.domain.errors import NotPermitted
from console.domain.fence.claims import OpenClaim
from console.domain.fence.deployment import Deployment, Instance
from console.domain.fence.sent import Sending
from console.domain.operator.receipt import AuditEntry
from console.domain.seen.observation import StoreReading
from console.domain.seen.rows import with_events
from console.domain.state.flags import MAX_VALUE, FlagReading, FlagSpec, read_flag
from console.domain.text import Safe, clean
from console.store.fence import replies
from console.store.fence.claims import read_open
from console.store.keys import GuardKeys, Keys
from console.store.reading import decode
from console.store.reading.beats import Beats
from console.store.reading.damage import DATA_FIELDS, Damage
from console.store.reading.events import ControlTrail
from console.store.reading.flag_cache import Command, FlagCache
from console.store.reading.place import Place
from console.store.reading.proofs import Proofs
from console.store.reading.run import CurrentRun
from console.store.reading.sections import Section, Sections, count_of
from console.store.reading.sendings import marks as sent_marks
from console.store.reading.sendings import told_sendings
from console.store.records.audit import decode_entry
from console.store.records.revisions import Part
from console.store.server.trouble import explain, is_refusal, wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from console.domain.guard.alerts import Alert, GuardReading
    from console.domain.venue.deadman import Deadman

MAX_CLAIMS: Final = 256
MAX_HASH_BYTES: Final = 4 << 20
"""A control or heartbeat hash larger than this is not fetched."""
MAX_MARKS_BYTES: Final = 8_192
MAX_ACTIVE_BYTES: Final = 256
MAX_DEADMAN_BYTES: Final = 8_192
LIVE_SCAN_S: Final = 0.25
"""How long a console's first reading may walk through the keyspace; later readings go on from there."""
FULL_SCAN_S: Final = 10.0
MAX_SCANNED_KEYS: Final = 20_000_000


class StoreReader:
    """Reads one agent's keys again and again, and remembers which flags there are.

    Args:
        client: retries of its own are fine: nothing here changes anything.
        keys: whose.
        registry: the registered flags.
        audit_limit: how many of the newest receipts are kept.
        flag_limit: how many flags are shown at most, besides the registered ones.
        scan_s: the longest walk through the keyspace in the first reading.
    """

    def __init__(
        self,
        client: Redis,
        keys: Keys,
        registry: Mapping[str, FlagSpec],
        *,
        audit_limit: int = 50,
        flag_limit: int = 500,
        scan_s: float = LIVE_SCAN_S,
    ) -> None:
        self._client = client
        self._keys = keys
        self._registry = registry
        self._damage = Damage(client, keys.agent)
        self._audit_limit = audit_limit
        self._flag_limit = flag_limit
        self._scan_s = scan_s
        self._server = Safe("")
        self._problems: dict[str, datetime] = {}
        self._forget()

    def close(self) -> None:
        """Let go of what is kept open beside the connection, which is not ours."""
        self._damage.close()

    def _forget(self) -> None:
        self._unfit = self._refuses = self._fills = Safe("")
        self._examined_at = 0.0
        self._barred = False
        self._cold = True
        self._flags = FlagCache(self._keys.flag_prefix, self._registry, self._flag_limit, self._keys.flags)
        self._audit: list[AuditEntry] = []
        self._audit_last = b""
        self._audit_length = 0
        self._trail = ControlTrail(self._keys, self._audit_limit)
        names = GuardKeys.of(self._keys)
        self._guards, self._alerts = names.guards, names.alerts
        every = self._keys
        self._hashes = (every.ctl, every.instances, every.open, self._guards, self._alerts, every.revisions)
        self._proofs = Proofs(self._keys)
        self._place = Place(self._client)
        self._run = CurrentRun(self._keys)
        self._hash_bytes = dict.fromkeys(self._hashes, 0)
        self._beats = Beats(self._keys)
        self._deadman_key = self._keys.beside("deadman")
        open_, guards, alerts = self._keys.open, self._guards, self._alerts
        self._open = Section(lambda: self._fetch(open_, "HSCAN", open_, 0, "COUNT", MAX_CLAIMS))
        self._guards_in = Section(lambda: self._fetch(guards, "HGETALL", guards))
        self._alerts_in = Section(lambda: self._fetch(alerts, "HGETALL", alerts))
        self._deadman = Section(lambda: [("GETRANGE", self._deadman_key, 0, MAX_DEADMAN_BYTES)])
        own = (self._open, self._guards_in, self._alerts_in, self._deadman, self._run.section)
        self._sections = Sections([*own, *self._proofs.sections])
        self._section_marks: Mapping[Section, Hashable] = {}
        self._values: dict[Section, tuple[int, Any]] = {}
        self._sent: dict[str, Any] = {}
        self._sent_of: Hashable = None

    async def read(self, now: datetime) -> StoreReading:
        """One reading.

        Args:
            now: our own clock, aware UTC, as of this call.

        Raises:
            StoreUnreachable: there was no answer, or the store can't or may not answer now.
        """
        try:
            with wrap_errors():
                if self._cold:
                    await self._discover()
                return await self._read(now)
        except BaseException:
            self._forget()  # what comes back may be another server, or the same one with other data
            raise

    async def _discover(self) -> None:
        lengths = self._proofs.lengths()
        index = self._flags.index()
        info, ping, probed, *sizes, scan = await self._send(
            [*_EXAMINE, self._probe(), *index, *lengths, *self._sizes(), self._flags.scan()],
        )
        self._barred = isinstance(probed, Exception) and isinstance(explain(probed), NotPermitted)
        self._flags.take_index(sizes[: len(index)])
        sizes = sizes[len(index) :]
        self._server = _server_name(info)
        self._examined(info, ping)
        self._proofs.take_lengths(sizes[: len(lengths)])
        self._take_sizes(*sizes[len(lengths) :])
        deadline = time.monotonic() + self._scan_s
        self._flags.take_scan(scan)
        while self._flags.scanning and time.monotonic() < deadline and self._flags.walked < MAX_SCANNED_KEYS:
            (scan,) = await self._send([self._flags.scan()])
            self._flags.take_scan(scan)
        self._cold = False

    def _probe(self) -> Command:
        """A script that nobody knows, on keys that every change writes: whoever may not run it can change nothing."""
        keys = self._keys
        return (_PROBE, "0" * 40, 4, keys.ctl, keys.log, keys.instances, keys.active)

    def _examined(self, info: object, ping: object) -> None:
        self._unfit, self._refuses, self._examined_at = unfit(info), _refuses(ping), time.monotonic()
        self._fills = fills(info)

    async def _read(self, now: datetime) -> StoreReading:
        problems: list[str] = []
        if time.monotonic() - self._examined_at > (REFUSING_S if self._refuses else EXAMINE_S):
            self._examined(*await self._send(_EXAMINE))
        marks = _Batches(
            self._core(),
            self._proofs.commands(),
            self._run.commands(),
            self._beats.news(),
            self._sections.early(),
            [self._flags.scan()],
            self._flags.values(),
            self._flags.index(),
            self._place.commands(),
        )
        started = time.perf_counter()
        core, proving, running, beating, early, (scan,), values, index, place = marks.take(
            await self._send(marks.commands)
        )
        latency_s = time.perf_counter() - started
        told = dict(zip(_CORE_NAMES, core, strict=True))
        self._flags.take_values(values)
        self._flags.take_scan(scan)
        self._flags.take_index(index)
        self._place.take(*place)
        self._take_sizes(*(told[name] for name in _SIZES))
        server_at = decode.server_time(*told["time"])
        server_ms = round(server_at.timestamp() * 1000)
        server = tuple(map(str, (told["connection"], told["saved"])))
        due = _Batches(
            self._sections.late(self._marks(told, proving, running), early),
            self._beats.take_news(beating, server_ms, server, fits=self._fits(self._keys.instances)),
            self._flags.unread(),
        )
        late, beats, unread = due.take(await self._send(due.commands) if due.commands else [])
        self._sections.take(self._section_marks, late)
        self._beats.take(beats)
        if unread:
            self._flags.take_unread(unread)
        claims = _open_claims(self._open.replies[0] if self._open.replies else None, server_ms)
        sendings = await self._sendings(claims, server_ms)
        deployment = _with_claims(self._deployment(told, problems), claims)
        deployment = deployment._replace(damage=self._damage.look(told["exec"][2:], deployment.authority))
        audit = self._take_audit(told["audit"], told["audit_length"], problems)
        events = self._trail.take(told["events"])
        flags, more = self._flags.readings()
        proofs = self._proofs.take(proving)
        at = now + timedelta(seconds=latency_s)
        return StoreReading(
            at=at,
            server_at=server_at,
            server=self._server,
            latency_ms=latency_s * 1000,
            deployment=deployment,
            flags=flags,
            flags_more=more,
            flags_walk=self._flags.walk,
            refuses=self._refuses,
            audit=(*self._noted(problems, at), *with_events(audit, (*events, *self._place.failovers))),
            open_claims=claims,
            sendings=sendings,
            guards=self._decoded(self._guards_in, _guards),
            alerts=self._decoded(self._alerts_in, _alerts),
            deadman=self._decoded(self._deadman, _deadman),
            upgrade=self._run.take(running, server_at),
            canary=proofs.canary,
            shadows=proofs.shadows,
            divergences=proofs.divergences,
            experiments=proofs.experiments,
            broken=clean(self._trail.broken, 200),
            unfit=self._unfit,
            fills=self._fills,
            place=self._place.text,
            barred=self._barred,
        )

    def _marks(
        self, told: Mapping[str, Any], proving: Sequence[Any], running: Sequence[Any]
    ) -> Mapping[Section, Hashable]:
        """The mark of every section, from the first replies; None of one whose writes nothing marks."""
        _kind, _text, fields, flying, unended, data, *_ = told["exec"]
        heads: tuple[Any, ...] = (None,)
        if isinstance(fields, list) and isinstance(data, list):
            heads = (*(fields[place] for place in _HEADS), *data)
        log = fields[_HEADS[1]] if isinstance(fields, list) else None
        kept = told["revisions"]
        parts = {part: kept[place] if isinstance(kept, list) else None for place, part in enumerate(Part)}
        marks = self._proofs.marks(proving, log, parts)
        marks[self._run.section] = self._run.mark(running, log)
        claims = (heads, count_of(flying), count_of(unended))
        marks[self._open] = (0,) if unended == 0 else None if heads[0] is None else claims
        for section, part, length in (
            (self._guards_in, Part.GUARDS, told["guards"]),
            (self._alerts_in, Part.ALERTS, told["alerts"]),
            (self._deadman, Part.DEADMAN, told["deadman"]),
        ):
            mark = parts[part]
            marks[section] = (0,) if length == 0 else None if mark is None else (mark, count_of(length))
        self._section_marks = marks
        return marks

    def _decoded(self, section: Section, decoder: Callable[[Any], Any]) -> Any:
        """What was fetched of a section, decoded where that is something else than the last time."""
        kept = self._values.get(section)
        if kept is None or kept[0] != section.serial:
            kept = self._values[section] = (section.serial, decoder(*(section.replies or (None,))))
        return kept[1]

    async def _sendings(self, claims: Sequence[OpenClaim], server_ms: int) -> Mapping[str, Sending]:
        """The sendings of claims in doubt; their marks are written where actions are, and read when those moved."""
        if self._sent_of != self._section_marks[self._open] or self._sent_of is None:
            self._sent, self._sent_of = {}, self._section_marks[self._open]
        commands = sent_marks(self._keys, claims)
        missing = [command for command in commands if command[1] not in self._sent]
        if missing:
            got = await self._send(missing)
            self._sent |= {command[1]: reply for command, reply in zip(missing, got, strict=True)}
        return told_sendings(claims, [self._sent[key] for _, key, *_ in commands], self._beats.fields(), server_ms)

    def _fits(self, key: str) -> bool:
        return self._hash_bytes[key] <= MAX_HASH_BYTES

    def _fetch(self, key: str, *command: object) -> list[Command]:
        return [command if self._fits(key) else ("TYPE", key)]

    def _core(self) -> list[Command]:
        keys = self._keys
        ctl_fits, marks_fit = self._fits(keys.ctl), self._hash_bytes[keys.revisions] <= MAX_MARKS_BYTES
        after = b"(" + self._audit_last if self._audit_last else b"-"
        return [
            ("MULTI",),
            ("TYPE", keys.active),
            ("GETRANGE", keys.active, 0, MAX_ACTIVE_BYTES - 1),
            ("HMGET", keys.ctl, *replies.authority_fields()) if ctl_fits else ("TYPE", keys.ctl),
            ("ZCARD", keys.in_flight),
            ("HLEN", keys.open),
            ("HMGET", keys.ctl, *DATA_FIELDS) if ctl_fits else ("TYPE", keys.ctl),
            (f"XREVRANGE {keys.actions}", "+", "-", "COUNT", 1),  # as one word: QUEUED is no list of entries
            (f"XREVRANGE {keys.log}", "+", "-", "COUNT", 1),
            ("EXEC",),
            ("TIME",),
            ("CLIENT ID",),
            ("LASTSAVE",),
            *self._sizes(),
            ("XREVRANGE", keys.audit, "+", after, "COUNT", self._audit_limit),
            ("XLEN", keys.audit),
            self._trail.command(),
            ("HMGET", keys.revisions, *Part) if marks_fit else ("TYPE", keys.revisions),
            ("HLEN", self._guards),
            ("HLEN", self._alerts),
            ("STRLEN", self._deadman_key),
        ]

    def _sizes(self) -> list[Command]:
        return [("MEMORY USAGE", key, "SAMPLES", 64) for key in self._hashes]

    def _take_sizes(self, *sizes: object) -> None:
        for key, size in zip(self._hashes, sizes, strict=True):
            self._hash_bytes[key] = size if isinstance(size, int) else 0

    def _deployment(self, told: Mapping[str, Any], problems: list[str]) -> Deployment:
        kind, text, fields, flying, unended, *_ = told["exec"]
        active = decode.active_key(kind, text if isinstance(text, bytes) else None)
        authority = None
        if isinstance(fields, list):
            authority, problem = decode.authority(fields, flying, unended)
            if problem:
                problems.append(problem)
        else:
            problems.append(_unreadable("control hash", fields))
        for name, value in (("claims in flight", flying), ("open claims", unended)):
            if _is_wrong_type(value):
                problems.append(_unreadable(name, value))
        return Deployment(active, authority, self._instances(self._beats.length, self._beats.whole, problems))

    def _instances(self, count: object, found: object, problems: list[str]) -> tuple[Instance, ...]:
        if _is_wrong_type(count) or not isinstance(found, tuple):
            if not (isinstance(found, bytes | str) and decode.text(found) == "none"):
                problems.append(_unreadable("hash of heartbeats", found))
            return ()
        instances = self._beats.instances()
        if isinstance(count, int) and count > len(instances):
            problems.append(f"{count - len(instances)} more instances are not shown")
        return instances

    def _take_audit(self, found: Any, length: Any, problems: list[str]) -> tuple[AuditEntry, ...]:
        if _is_wrong_type(found):
            self._audit, self._audit_last, self._audit_length = [], b"", 0
            problems.append(_unreadable("audit stream", found))
            return ()
        if length < self._audit_length:  # emptied or cut: what is remembered may be gone, so start again
            self._audit, self._audit_last = [], b""
        self._audit_length = length
        if found:
            self._audit_last = found[0][0]
            self._audit.extend(decode_entry(stream_id, fields) for stream_id, fields in reversed(found))
            self._audit = self._audit[-self._audit_limit :]
        return tuple(self._audit)

    def _noted(self, problems: Sequence[str], at: datetime) -> tuple[AuditEntry, ...]:
        """Keys that can't be read, as entries without a receipt, so that they show where actions are shown."""
        self._problems = {problem: self._problems.get(problem, at) for problem in problems}
        empty = Safe("")
        return tuple(
            AuditEntry("", empty, since, empty, empty, empty, problem=clean(problem))
            for problem, since in self._problems.items()
        )

    async def _send(self, commands: Sequence[Command]) -> list[Any]:
        """The replies, in order; wrong types, and refusals of what can be done without, stand in them as errors; all
        else is raised.
        """
        pipe = self._client.pipeline(transaction=False)
        for command in commands:
            pipe.execute_command(*command)
        got: list[Any] = await pipe.execute(raise_on_error=False)
        for command, reply in zip(commands, got, strict=True):
            if isinstance(reply, Exception) and not _is_wrong_type(reply):
                if (command[0] in _NICETIES and is_refusal(reply)) or command[0] == _PROBE:
                    continue
                raise reply
        return got


class _Batches:
    """Commands of several parts in one round trip, and each part's replies.

    Args:
        parts: the commands of each.
    """

    def __init__(self, *parts: Sequence[Command]) -> None:
        self.commands = [command for part in parts for command in part]
        self._lengths = [len(part) for part in parts]

    def take(self, got: Sequence[Any]) -> list[list[Any]]:
        """The replies of each part."""
        rest = iter(got)
        return [[next(rest) for _ in range(length)] for length in self._lengths]


_CORE_NAMES: Final = (
    "multi",
    "queued_type",
    "queued_text",
    "queued_ctl",
    "queued_flying",
    "queued_open",
    "queued_data",
    "queued_actions",
    "queued_events",
    "exec",
    "time",
    "connection",
    "saved",
    "ctl_bytes",
    "inst_bytes",
    "open_bytes",
    "guards_bytes",
    "alerts_bytes",
    "revisions_bytes",
    "audit",
    "audit_length",
    "events",
    "revisions",
    "guards",
    "alerts",
    "deadman",
)
_HEADS: Final = tuple(replies.authority_fields().index(name) for name in ("ah", "lh"))
_SIZES: Final = ("ctl_bytes", "inst_bytes", "open_bytes", "guards_bytes", "alerts_bytes", "revisions_bytes")


def _guards(found: Any) -> tuple[GuardReading, ...]:
    """Guards from their heartbeats; none where the key is no hash."""
    if not found or not isinstance(found, Mapping):
        return ()
    from console.store.records.guards import read_guards  # only where there are any: headless verbs start without it

    return read_guards(found)


def _deadman(found: Any) -> Deadman | None:
    """The venue's dead man's switch; None where there is no record of one."""
    if not found or not isinstance(found, bytes) or len(found) > MAX_DEADMAN_BYTES:
        return None
    from console.domain.venue.deadman import deadman_from

    kept = replies.json_object(found)
    return deadman_from(kept) if kept else None


def _alerts(found: Any) -> tuple[Alert, ...]:
    """Alerts, oldest first; none where the key is no hash."""
    if not found or not isinstance(found, Mapping):
        return ()
    from console.store.records.guards import read_alerts

    return read_alerts(found)


def _open_claims(found: Any, server_ms: int) -> tuple[OpenClaim, ...]:
    """The claims without an end, from one bounded step through their hash; none where the key is no hash. One whose
    lease has ended is in doubt, whether or not somebody has noted it."""
    if not isinstance(found, tuple):
        return ()
    return tuple(
        claim._replace(
            key=clean(claim.key, 200),
            instance=clean(claim.instance, 64),
            slot=clean(claim.slot, 16),
            currency=clean(claim.currency, 16),
            action=clean(claim.action),
            in_doubt=claim.is_doubt(server_ms),
        )
        for claim in read_open(found[1])[:MAX_CLAIMS]
    )


def _with_claims(deployment: Deployment, claims: Sequence[OpenClaim]) -> Deployment:
    """The deployment with each instance's claims as the store has them; a dead one's own count would stand still."""
    flying = Counter(claim.instance for claim in claims if not claim.in_doubt)
    doubts = Counter(claim.instance for claim in claims if claim.in_doubt)
    instances = tuple(
        one._replace(in_flight=flying[str(one.name)], in_doubt=doubts[str(one.name)]) for one in deployment.instances
    )
    authority = deployment.authority
    if authority is not None and len(claims) == authority.in_flight + authority.in_doubt:
        authority = authority._replace(in_flight=flying.total(), in_doubt=doubts.total())
    return deployment._replace(instances=instances, authority=authority)


def _is_wrong_type(reply: object) -> bool:
    return isinstance(reply, Exception) and "WRONGTYPE" in str(reply)


def _unreadable(what: str, found: object) -> str:
    if _is_wrong_type(found):
        return f"the {what} is of another Redis type"
    return f"the {what} holds more than {MAX_HASH_BYTES >> 20} MiB and is not read"


INFO_SECTIONS: Final = ("server", "memory", "persistence")
_EXAMINE: Final[tuple[Command, ...]] = (("INFO", *INFO_SECTIONS), ("PING",))
_PROBE: Final = "EVALSHA"
_NICETIES: Final = frozenset({"HELLO", "ROLE", "INFO", "PING", "MEMORY USAGE", "SCAN", "CLIENT ID", "LASTSAVE"})
"""Commands without which less is known, and everything else still is."""
REFUSING_S: Final = 2.0
"""Between two looks at a server that takes no writes."""
FILLS: Final = 0.8
"""Share of its maxmemory from which on a server is said to be nearly full."""
EXAMINE_S: Final = 30.0
"""Between two looks at whether the server is fit for money; and after each new connection."""


def unfit(info: object) -> Safe:
    """Why a server could make the same key executable twice, by what INFO tells; empty where nothing is known.
    (`console.store.reading.doctor` looks closer.)"""
    if not isinstance(info, dict):
        return Safe("")
    policy = info.get("maxmemory_policy", "noeviction")
    reasons = []
    if policy != "noeviction":
        reasons.append(f"results may be evicted ({policy})")
    if info.get("aof_enabled") == 0:
        reasons.append("no append-only file")
    return clean(" and ".join(reasons), 80)


def fills(info: object) -> Safe:
    """How full a server is that will refuse claims before long; empty where there is room, or nothing is known."""
    if not isinstance(info, dict):
        return Safe("")
    used, most = info.get("used_memory"), info.get("maxmemory")
    if type(used) is not int or type(most) is not int or most <= 0 or used <= FILLS * most:
        return Safe("")
    return clean(f"{used / 2**20:.0f} of {most / 2**20:.0f} MiB used", 80)


def _refuses(ping: object) -> Safe:
    """Why a server takes no writes, in its own words, which PING is refused with then; empty where it takes them."""
    told = str(ping) if isinstance(ping, Exception) else ""
    return clean(told, 160) if told.startswith("MISCONF") else Safe("")


def _server_name(info: object) -> Safe:
    if not isinstance(info, dict):
        return Safe("unknown")
    for name in ("valkey", "redis"):
        if f"{name}_version" in info:
            return clean(f"{name} {info[f'{name}_version']}", 40)
    return Safe("unknown")


async def read_store(
    client: Redis,
    keys: Keys,
    registry: Mapping[str, FlagSpec],
    *,
    now: datetime,
    audit_limit: int = 50,
    flag_limit: int = 10_000,
) -> StoreReading:
    """One complete reading for a headless verb; the keyspace is walked through for at most 10 s or 20 million keys.

    Args:
        now: our own clock, aware UTC.

    Raises:
        StoreUnreachable: as `StoreReader.read`.
    """
    reader = StoreReader(client, keys, registry, audit_limit=audit_limit, flag_limit=flag_limit, scan_s=FULL_SCAN_S)
    try:
        return await reader.read(now)
    finally:
        reader.close()


async def read_flag_key(client: Redis, keys: Keys, name: str, spec: FlagSpec | None = None) -> FlagReading | None:
    """One flag, read to be changed, so with its whole text; None where there is no such key.

    Of a text longer than any flag may be only the beginning is read: comparing with it fails then, and nothing is lost.

    Raises:
        StoreUnreachable: there was no answer.
    """
    key = keys.flag(name)
    with wrap_errors():
        pipe = client.pipeline(transaction=True)
        pipe.type(key)
        pipe.getrange(key, 0, MAX_VALUE * 4)
        kind, value = await pipe.execute(raise_on_error=False)
        if isinstance(kind, Exception):
            raise kind
    named = decode.text(kind)
    if named == "none":
        return None
    if not isinstance(value, bytes):
        return read_flag(name, None, spec, wrong_type=named)
    return read_flag(name, decode.exact_text(value), spec)
