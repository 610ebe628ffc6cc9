"""From settings to what the gates go by."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from console.commands.sources import GateSources
from console.domain.errors import UsageError
from console.domain.fence.deployment import Slot
from console.domain.gates.rules import GateRules, VolatilityRules, maintenance_window
from console.domain.text import clean

if TYPE_CHECKING:
    from console.config import Settings


def gate_rules(settings: Settings) -> GateRules:
    """The thresholds in the settings.

    Raises:
        UsageError: a window can't be read, or an item that is required is none.
    """
    gates, told = settings.gates, settings.volatility
    if gates.require:
        from console.domain.gates.items import BY_ID

        for name in gates.require:
            if name not in BY_ID:
                raise UsageError(
                    f"[gates] require names {clean(name, 40)!r}, which is no item.", f"Items: {', '.join(BY_ID)}."
                )
    volatility = VolatilityRules(told.factor, told.window_s, told.fresh_s, told.windows, told.limit)
    return GateRules(
        require=frozenset(gates.require),
        approvals=gates.approvals,
        approval_s=float(gates.approval_s),
        snapshot_s=Decimal(gates.snapshot_s),
        state_s=float(gates.state_s),
        shadow_rounds=gates.shadow_rounds,
        shadow_divergence=gates.shadow_divergence,
        rehearsal_s=float(gates.rehearsal_s),
        rehearsal_rounds=gates.rehearsal_rounds,
        timeout_s=gates.timeout_s,
        volatility=volatility,
        maintenance=tuple(maintenance_window(text) for text in gates.maintenance),
        slots=settings.slots,
    )


def gate_sources(settings: Settings) -> GateSources:
    """Where the settings say that facts are read.

    Raises:
        UsageError: volatility has more than one source.
    """
    told = settings.volatility
    if sum(bool(source) for source in (told.key, told.field, told.url)) > 1:
        raise UsageError("[volatility] names more than one source.", "Give one of key, field and url.")
    health: Mapping[Slot, str] = {Slot(slot): url for slot, url in settings.gates.health.items()}
    return GateSources(
        key=told.key,
        log_field=told.field,
        url=told.url,
        pointer=told.pointer,
        prices=told.prices,
        health=health,
    )
