"""Every metric of a guard, declared once: its name, its kind, its labels and what it means.

What is rendered goes by this (`console.guard.metrics.samples`), and so do `docs/metrics.md`, the dashboard and the
alert rules in `docs/`, which tests hold against it. Names follow https://prometheus.io/docs/practices/naming: one
prefix, base units, `_total` for counters, `_info` for what is told by labels alone. A state is one gauge a state, 1 for
the one that holds. What is not known has no sample; it is never 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

from console.domain.canary.plan import RunState
from console.domain.fence.claims import Level
from console.domain.fence.deployment import Phase
from console.domain.triggers.finding import Severity, Trigger, Verdict
from console.guard.events import WEIGHTS, Weight

PREFIX: Final = "agent_console_"


class Kind(StrEnum):
    """What may be asked of a metric."""

    GAUGE = "gauge"
    COUNTER = "counter"
    INFO = "info"
    HISTOGRAM = "histogram"


class State(StrEnum):
    """How a source of facts stands; only OK is success."""

    OK = "ok"
    MISSING = "missing"
    """There never were any facts."""
    STALE = "stale"
    """There were, and they are too old."""
    ERROR = "error"
    """It can't be read."""
    TIMEOUT = "timeout"
    """It did not answer in time."""


class Place(StrEnum):
    """Where facts about an agent come from."""

    STORE = "store"
    """Who may act, as the store's housekeeping call answers it."""
    DECISIONS = "decisions"
    """Its decision log, or its actions in the store where it has none; the age is that of the newest decision."""
    LOOK = "look"
    """The guard's last look at the triggers."""
    ALERTS = "alerts"
    CANARY = "canary"
    VENUE = "venue"
    """Where one is configured."""


@cache
def word(value: StrEnum) -> str:
    """A value of ours as a label has it: lower case, without spaces."""
    return value.value.lower().replace(" ", "_").replace("-", "_")


LABELS: Final[Mapping[str, tuple[str, ...] | str]] = {
    "agent": "an agent's name: letters, digits, `_`, `.`, `-`, at most 64; of as many as `--metrics-agents` says",
    "currency": "letters, digits, `_`, `.` and `-`, at most 16; at most 4 an agent, all further ones are `other`",
    "guard": "the guard's name; what is no letter, digit, `_`, `.` or `-` in it stands as `_`",
    "version": "this program's",
    "slot": ("blue", "green"),
    "phase": tuple(map(word, Phase)),
    "level": tuple(map(word, Level)),
    "trigger": tuple(map(word, Trigger)),
    "verdict": tuple(map(word, Verdict)),
    "severity": tuple(map(word, Severity)),
    "source": tuple(map(word, Place)),
    "state": tuple(map(word, State)),
    "run_state": tuple(map(word, RunState)),
    "bound": ("lower", "estimate", "upper"),
    "reason": ("rejected", "unplaced", "skipped", "ahead"),
    "care": ("known", "watched", "opening", "failing", "shown", "left_out"),
    "event": (*sorted(WEIGHTS), "other"),
    "log_level": tuple(map(word, Weight)),
    "result": ("ok", "timeout", "unreachable", "refused"),
}
"""Label → the values that it may have, or in words what bounds them."""


@dataclass(frozen=True, slots=True, eq=False)
class Declared:
    """One metric: there is one of each, and it is itself alone, as thousands of agents' samples are looked up by it.

    Args:
        name: whole, as queries name it.
        kind: what may be asked of it.
        help: one sentence.
        labels: their names.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """The name without what its kind adds."""
        suffix = {Kind.COUNTER: "_total", Kind.INFO: "_info"}.get(self.kind, "")
        return self.name.removesuffix(suffix)


def _gauge(name: str, text: str, *labels: str) -> Declared:
    return Declared(PREFIX + name, Kind.GAUGE, text, labels)


def _counter(name: str, text: str, *labels: str) -> Declared:
    return Declared(PREFIX + name, Kind.COUNTER, text, labels)


BUILD: Final = Declared(PREFIX + "build_info", Kind.INFO, "This program.", ("version",))
GUARD: Final = Declared(PREFIX + "guard_info", Kind.INFO, "This guard.", ("guard",))
STARTED: Final = _gauge("guard_start_time_seconds", "When this guard began, in seconds since the epoch.")
TURN_AGE: Final = _gauge("guard_turn_age_seconds", "Since this guard's loop last turned; it hangs where that grows.")
LAG: Final = _gauge("guard_lag_seconds", "How late this guard's loop was at its last turn.")
GUARDS: Final = _gauge("guards", "Guards of this store that are alive, this one among them, as this one hears them.")
AGENTS: Final = _gauge("guard_agents", "Agents as this guard has them in its care.", "care")
EVENTS: Final = _counter("guard_events_total", "What this guard has said in its log.", "event")
LINES: Final = _counter("guard_log_lines_total", "Lines of this guard's log.", "log_level")
DROPPED: Final = _counter("guard_log_lines_dropped_total", "Lines left out because nobody read the log quickly enough.")
UNGATHERED: Final = _counter("metrics_errors_total", "Times that something could not be gathered for these metrics.")
STORE_UP: Final = _gauge("store_up", "1 if the store answered this guard's last call for the time, 0 if not.")
STORE_AGE: Final = _gauge("store_age_seconds", "Since the store last answered that call.")
CALLS: Final = _counter("store_calls_total", "Such calls, one a second, by how they ended.", "result")
LATENCY: Final = Declared(PREFIX + "store_latency_seconds", Kind.HISTOGRAM, "How long the store took to answer them.")
FLEET_PHASE: Final = _gauge("fleet_agents", "Agents in this guard's care whose phase is known, by it.", "phase")
FLEET_VERDICT: Final = _gauge("fleet_verdicts", "Agents in its care that are known, by their worst verdict.", "verdict")
FLEET_FLIGHT: Final = _gauge("fleet_actions_in_flight", "Actions in flight of all agents in its care that are known.")
FLEET_DOUBT: Final = _gauge("fleet_actions_in_doubt", "Actions in doubt of all agents in its care that are known.")
FLEET_ALERTS: Final = _gauge(
    "fleet_alerts_open", "Alerts nobody has acknowledged, of all agents in its care that are known.", "severity"
)

UP: Final = _gauge("agent_up", "1 if this guard can judge the agent, 0 if not.", "agent")
SOURCE: Final = _gauge("source_state", "How each source of facts about the agent stands.", "agent", "source", "state")
SOURCE_AGE: Final = _gauge("source_age_seconds", "How old its newest facts are.", "agent", "source")
FAILURES: Final = _counter("agent_failures_total", "Times that the agent's data could not be taken.", "agent")
ACTIVE: Final = _gauge("active", "1 for the side that is active, 0 for the other.", "agent", "slot")
PHASE: Final = _gauge("phase", "The authority's phase.", "agent", "phase")
LEVEL: Final = _gauge("level", "How much is stopped.", "agent", "level")
EPOCH: Final = _gauge("epoch", "The running epoch.", "agent")
IN_FLIGHT: Final = _gauge("actions_in_flight", "Actions that were claimed and have no end yet.", "agent")
IN_DOUBT: Final = _gauge("actions_in_doubt", "Actions of which nobody knows whether they were executed.", "agent")
LATE: Final = _counter(
    "late_settlements_total", "Reports for actions that had been taken for not executed, or were lost.", "agent"
)
PNL: Final = _gauge("pnl", "Made by the active side since it became active, in the currency.", "agent", "currency")
ROUNDS: Final = _gauge("pnl_rounds", "The rounds that this rests on.", "agent", "currency")
DECISIONS: Final = _counter("decisions_total", "Decisions of the agent that this guard took in.", "agent")
UNREAD: Final = _counter("decisions_unread_total", "Decisions that it did not take in as they are.", "agent", "reason")
VERDICT: Final = _gauge(
    "trigger_verdict",
    "What the last look found; nothing where the trigger is off.",
    "agent",
    "trigger",
    "verdict",
)
ARMED: Final = _gauge("trigger_armed", "1 if the trigger is acted on, 0 if it is dry or off.", "agent", "trigger")
ALERTS: Final = _gauge("alerts_open", "Alerts that nobody has acknowledged.", "agent", "severity")
NOTIFIES: Final = _gauge("guard_notifies", "1 if this guard has the lease on sending the agent's alerts.", "agent")
CANARY: Final = _gauge("canary_state", "How the agent's newest canary stands.", "agent", "run_state")
WANTED: Final = _gauge("canary_share_wanted_ratio", "Its share of the capital by its plan, 0 to 1.", "agent")
ACTUAL: Final = _gauge("canary_share_actual_ratio", "Its share of the money that was given out in this step.", "agent")
INTERVAL: Final = _gauge(
    "canary_interval_ratio", "Canary less stable, per unit at risk and round: the interval.", "agent", "bound"
)
CANARY_ROUNDS: Final = _gauge("canary_rounds", "Rounds that the canary has finished in this step.", "agent")
VENUE_SHUT: Final = _gauge("venue_closed_items", "Things at the venue that close gates.", "agent")

DECLARED: Final[tuple[Declared, ...]] = tuple(one for one in list(globals().values()) if isinstance(one, Declared))
"""All of them, in the order in which they are rendered."""
STANDARD: Final[Mapping[str, str]] = {
    "process_cpu_seconds_total": "Time that the guard's process has computed.",
    "process_max_fds": "Files that it may have open.",
    "process_open_fds": "Files that it has open.",
    "process_resident_memory_bytes": "Memory that it has in use.",
    "process_start_time_seconds": "When it began, in seconds since the epoch.",
    "process_virtual_memory_bytes": "Memory that it has reserved.",
}
"""What prometheus-client adds on Linux."""
