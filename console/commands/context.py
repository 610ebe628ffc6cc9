"""What a command works with; put together once, by the console or by a verb."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from console.commands.clock import utc_now
from console.commands.gateway.gateway import Gateway
from console.commands.sources import NO_SOURCES, GateSources, OwnLook
from console.domain.errors import UsageError
from console.domain.gates.rules import DEFAULT_RULES, GateRules
from console.domain.rehearsal.money import DEFAULT_PATHS, Paths
from console.domain.seen.kept import Kept
from console.domain.seen.observation import LogReading, StoreReading
from console.domain.state.flags import FlagSpec
from console.domain.text import clean
from console.logs.options import LogOptions


def no_pattern(pattern: str) -> Callable[[str], bool]:
    """No pattern is tried where nobody bounds the work that it may take.

    Raises:
        UsageError: always.
    """
    raise UsageError(f"Patterns can't be tried here: {clean(pattern, 40)}", "Say a word of what is looked for.")


class Pictures(Protocol):
    """Draws every screen as it was at a moment; it blocks."""

    def __call__(
        self, kept: Kept, logs: Callable[[datetime], LogReading] | None, moment: datetime, *, recording: str = ""
    ) -> Iterator[tuple[str, bytes]]:
        """Names of files, with their content.

        Args:
            kept: what the store keeps.
            logs: the decision logs as of a moment; None where there are none.
            moment: which.
            recording: of that time, for what no store keeps; empty where there is none.

        Raises:
            ConsoleError: something of it can't be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """A command's surroundings.

    Args:
        gateway: the one door to the store.
        registry: the registered flags.
        snapshots: the folder of this agent's snapshots.
        archive: the folder of this agent's archive.
        decisions: the paths and patterns of decision logs.
        state_file: the agent's state file, where one is configured.
        venue: the venue's document, where one is configured.
        logs: what the decision logs hold now; None where none is followed.
        outcome_paths: where in a decision record PnL, currency, dry and latency lie.
        log_options: how decision logs are read.
        index: the folder of the logs' indexes; None to keep none.
        pattern: makes the test of a `re:` pattern, or raises UsageError.
        rules: what the gates go by.
        sources: where they read what neither the store nor the logs tell.
        clock: the time now, aware UTC.
        pictures: draws every screen of a moment, given what is kept and the logs as they stood: name and content of
            each; None where nothing is drawn.
        looked: the last look that this process made at the venue.
    """

    gateway: Gateway
    registry: Mapping[str, FlagSpec]
    snapshots: Path
    archive: Path = Path()
    decisions: tuple[str, ...] = ()
    state_file: Path | None = None
    venue: Path | None = None
    logs: Callable[[], LogReading | None] = lambda: None
    outcome_paths: Paths = DEFAULT_PATHS
    log_options: LogOptions = field(default_factory=LogOptions)
    index: Path | None = None
    pattern: Callable[[str], Callable[[str], bool]] = no_pattern
    rules: GateRules = DEFAULT_RULES
    sources: GateSources = NO_SOURCES
    clock: Callable[[], datetime] = utc_now
    pictures: Pictures | None = None
    looked: OwnLook = field(default_factory=OwnLook, compare=False)

    @property
    def agent(self) -> str:
        """Whose keys."""
        return self.gateway.keys.agent

    async def read(self) -> StoreReading:
        """The store as it is now, complete.

        Raises:
            StoreUnreachable: it did not answer.
        """
        return await self.gateway.read()
