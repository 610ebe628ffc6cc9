"""The one door from commands to the store: read-only is enforced here, and here every change gets its audit entry.

A command can't forget either: it holds no client, only this.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from console.commands.gateway.door import Door, Quiesce
from console.commands.gateway.fence import FenceGate
from console.commands.gateway.flag import FlagGate

if TYPE_CHECKING:
    from console.commands.gateway.archive import ArchiveGate
    from console.commands.gateway.canary import CanaryGate
    from console.commands.gateway.experiment import ExperimentGate
    from console.commands.gateway.gates import GateRecords
    from console.commands.gateway.guard import GuardGate
    from console.commands.gateway.owing import OwingGate
    from console.commands.gateway.state import StateGate
    from console.commands.gateway.upgrade import UpgradeGate


class Gateway(Door):
    """Reads for everybody, and a gate for each capability that changes something; what few need is loaded when
    asked."""

    @cached_property
    def fences(self) -> FenceGate:
        """Who acts."""
        return FenceGate(self)

    @cached_property
    def flags(self) -> FlagGate:
        """Flags."""
        return FlagGate(self)

    @cached_property
    def canaries(self) -> CanaryGate:
        """A canary's capital."""
        from console.commands.gateway.canary import CanaryGate

        return CanaryGate(self)

    @cached_property
    def experiments(self) -> ExperimentGate:
        """A/B tests."""
        from console.commands.gateway.experiment import ExperimentGate

        return ExperimentGate(self)

    @cached_property
    def gates(self) -> GateRecords:
        """What gates keep: ticks, plans, approvals."""
        from console.commands.gateway.gates import GateRecords

        return GateRecords(self)

    @cached_property
    def guards(self) -> GuardGate:
        """Alerts and thresholds."""
        from console.commands.gateway.guard import GuardGate

        return GuardGate(self)

    @cached_property
    def owing(self) -> OwingGate:
        """What is owed, and which versions may be stopped."""
        from console.commands.gateway.owing import OwingGate

        return OwingGate(self)

    @cached_property
    def archives(self) -> ArchiveGate:
        """The archive of the chained streams."""
        from console.commands.gateway.archive import ArchiveGate

        return ArchiveGate(self)

    @cached_property
    def states(self) -> StateGate:
        """States that agents kept."""
        from console.commands.gateway.state import StateGate

        return StateGate(self)

    @cached_property
    def upgrades(self) -> UpgradeGate:
        """Runs from one version to the next."""
        from console.commands.gateway.upgrade import UpgradeGate

        return UpgradeGate(self)


__all__ = ["Gateway", "Quiesce"]
