"""The header: whose agent, over which connection, how old, who is active. Old data is never called live."""

from __future__ import annotations

from typing import Final, NamedTuple

from console.domain.fence.deployment import ActiveState, Deployment, Phase, Slot
from console.domain.seen.observation import LinkState, Observation
from console.views.fence.alarm import alarm, freeze
from console.views.fence.instances import acknowledgement, names_text
from console.views.format import age_text, milliseconds_text
from console.views.tone import GLYPHS, Tone

STALE_AFTER_S: Final = 3.0
"""A reading older than this is shown as stale whatever the connection says of itself."""


class LinkView(NamedTuple):
    """The state of the connection.

    Args:
        state: the word; never LIVE over a reading older than `STALE_AFTER_S`.
        glyph: says the same as the tone.
        detail: latency while live, else age or number of tries.
        fresh: whether what is shown may be called the present.
    """

    state: LinkState
    glyph: str
    detail: str
    tone: Tone
    fresh: bool

    @property
    def text(self) -> str:
        """As the header shows it: `● LIVE 0.4 ms`."""
        return f"{self.glyph} {self.state.value} {self.detail}".rstrip()


class HeaderView(NamedTuple):
    """What the header says.

    Args:
        profile: empty for none.
        active: "blue", "green", or "" where nobody acts or it is not known as of now.
        active_text: the slot in capitals and its version, or what the key holds instead.
        warning: what is odd about who is active; empty where nothing is.
        missing: who has not acknowledged the running epoch, by name; empty where everybody has.
        epoch: empty on a store that no command of ours has touched.
        mode: RO, RW, or RW:locked where a protected profile can be unlocked.
        clock: time of day of the observation, UTC.
        role: what that side does, with its share of the money while a canary plays: `ACTIVE 95 %`; `nobody acts` in a
            halt; empty where `active_text` says it all.
        tone: how bad it is: BAD where nobody acts, the active side is dead, or new risk is frozen; WARN in a drain.
    """

    profile: str
    agent: str
    url: str
    link: LinkView
    active: str
    active_text: str
    warning: str
    missing: str
    epoch: str
    mode: str
    clock: str
    protected: bool
    role: str = ""
    tone: Tone = Tone.TEXT


def store_age_s(observation: Observation) -> float | None:
    """How old the last reading of the store is; None where there was none."""
    if observation.store is None:
        return None
    return (observation.now - observation.store.at).total_seconds()


def link_view(observation: Observation) -> LinkView:
    """How the connection stands, by what it says of itself and by the age of its last reading."""
    link, age = observation.link, store_age_s(observation)
    state = link.state
    if state is LinkState.LIVE and (age is None or age > STALE_AFTER_S):
        state = LinkState.CONNECTING if age is None else LinkState.STALE
    if state is LinkState.LIVE:
        return LinkView(state, "●", milliseconds_text(link.latency_ms), Tone.GOOD, fresh=True)
    if state is LinkState.CONNECTING:
        return LinkView(state, "↻", str(link.attempts) if link.attempts > 1 else "", Tone.INFO, fresh=False)
    aged = age_text(age) if age is not None else "no answer yet"
    if link.replica:
        return LinkView(state, "◌", f"replica · {aged}", Tone.BAD, fresh=False)
    if state is LinkState.STALE:
        return LinkView(state, "◌", aged, Tone.WARN, fresh=False)
    if state is LinkState.RECONNECTING:
        return LinkView(state, "↻", f"{link.attempts} · {aged}", Tone.WARN, fresh=False)
    return LinkView(state, "✖", aged, Tone.BAD, fresh=False)


def stale_words(observation: Observation) -> str:
    """How old the store's facts are, to stand beside each that is shown while there is no connection."""
    age = store_age_s(observation)
    return "not known" if age is None else f"{age_text(age)} ago"


def versions_of(observation: Observation, slot: str) -> tuple[str, ...]:
    """The versions seen in a slot, the one seen last first: from heartbeats and from the decision log."""
    seen: dict[str, float] = {}
    if observation.store is not None:
        for instance in observation.store.deployment.instances:
            if instance.slot == slot and instance.version:
                seen[instance.version] = max(seen.get(instance.version, 0.0), instance.heartbeat_at.timestamp())
    if observation.logs is not None:
        for reading in observation.logs.by_version.values():
            if reading.slot == slot:
                last = reading.last_at.timestamp() if reading.last_at else 0.0
                seen[reading.version] = max(seen.get(reading.version, 0.0), last)
    return tuple(sorted(seen, key=lambda version: -seen[version]))


def version_text(version: str) -> str:
    """A version as people write it: `v2.4.0`; a name that is not a number stays as it is."""
    return f"v{version}" if version[:1].isdigit() else version


def drain_words(deployment: Deployment) -> str:
    """`DRAINING → green, 2 in flight, nobody acts`, while a switch drains; empty at any other time."""
    key, authority = deployment.active, deployment.authority
    if authority is not None and authority.phase is Phase.DRAIN:
        target = f" → {authority.target.value}" if authority.target else ""
        return f"DRAINING{target}, {authority.in_flight} in flight, nobody acts"
    return "DRAINING, nobody acts" if key.state is ActiveState.DRAINING and authority is None else ""


def active_words(deployment: Deployment) -> str:
    """What the active key says, in words an operator can act on, whatever it holds."""
    key = deployment.active
    if draining := drain_words(deployment):
        return draining
    if key.state is ActiveState.SLOT and key.slot is not None:
        return key.slot.value.upper()
    if key.state is ActiveState.DRAINING:
        return "DRAINING"
    if key.state is ActiveState.HALTED:
        return "HALTED"
    if key.state is ActiveState.MISSING:
        return "NOBODY: no key yet"
    if key.state is ActiveState.WRONG_TYPE:
        return f"NOBODY: the key is a {key.raw}"
    return f"NOBODY: “{key.raw[:12]}” is no slot" if key.raw else "NOBODY: the key is empty"


def header_view(observation: Observation) -> HeaderView:
    """The header of every screen."""
    store, link = observation.store, link_view(observation)
    active, text, warning, missing, epoch, role, tone = "", "not known", "", "", "", "", Tone.TEXT
    if store is not None:
        text = active_words(store.deployment)
        draining = bool(drain_words(store.deployment))
        slot = None if draining else store.deployment.active.slot
        if slot is not None and (versions := versions_of(observation, slot.value)):
            text += f" {version_text(versions[0])}"
        if not link.fresh:
            text += f" {stale_words(observation)}"
        else:
            role, tone = _role(observation)
            active = slot.value if slot is not None else ""
        if link.fresh and slot is not None:
            wrong = [one for one in (freeze(observation), alarm(observation)) if one is not None]
            warning = " ".join(f"{GLYPHS[one.tone]} {one.word}" for one in wrong)
        if store.deployment.written_from_outside:
            warning = f"▲ written from outside {warning}".rstrip()
        if not draining and (waiting := acknowledgement(store).missing):
            missing = f"▲ not acknowledged: {names_text(waiting)}"
        if store.deployment.authority is not None:
            epoch = str(store.deployment.authority.generation)
    return HeaderView(
        profile=observation.profile,
        agent=observation.agent,
        url=observation.link.url,
        link=link,
        active=active,
        active_text=text,
        warning=warning,
        missing=missing,
        epoch=epoch,
        mode=_mode(observation),
        clock=f"{observation.now:%H:%M:%S}Z",
        protected=observation.protected,
        role=role,
        tone=tone,
    )


def _mode(observation: Observation) -> str:
    if observation.locked and not observation.link.replica:
        return "RW:locked"
    return "RO" if observation.read_only else "RW"


def _role(observation: Observation) -> tuple[str, Tone]:
    """What the active side does, by a reading that is of the present, and how bad that is."""
    store = observation.store
    if store is None:
        return "", Tone.TEXT
    deployment = store.deployment
    if drain_words(deployment):
        return "", Tone.WARN
    slot, wrong = deployment.active.slot, alarm(observation)
    if slot is None:
        return ("nobody acts" if deployment.active.state is ActiveState.HALTED else ""), Tone.BAD
    tone = Tone.BAD if freeze(observation) is not None else wrong.tone if wrong is not None else Tone.TEXT
    return f"ACTIVE {share_words(observation, slot)}".rstrip(), tone


def share_words(observation: Observation, slot: Slot) -> str:
    """A side's share of the money while a canary plays with some of it: `95 %`; empty at any other time."""
    canary = observation.store.canary if observation.store is not None else None
    if canary is None or not canary.run.live or not canary.run.share:
        return ""
    share = canary.run.share if canary.run.slot == slot.value else 1 - canary.run.share
    return f"{float(share) * 100:g} %"
