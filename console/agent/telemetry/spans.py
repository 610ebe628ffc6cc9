"""A span for each action, from its claim to its end."""

from __future__ import annotations

import hashlib
import os
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from console import __version__
from console.agent.telemetry.beside import Api, at_exit, failed, put
from console.agent.telemetry.beside import api as installed
from console.agent.telemetry.names import (
    AGENT,
    AMOUNT,
    CURRENCY,
    DIRECTION,
    EPOCH,
    ERROR,
    INSTANCE,
    KEY_HASH,
    OUTCOME,
    PNL,
    REFUSED,
    SCOPE,
    SLOT,
    TRIPPED,
    VERSION,
)
from console.domain.fence.claims import Outcome

if TYPE_CHECKING:
    from console.store.fence.claims import Intent


class Traced:
    """The span of one action; without OpenTelemetry it does nothing."""

    __slots__ = ("_api", "_context", "_pid", "_span", "_token")

    def __init__(self, api: Api | None = None, span: Any = None) -> None:
        self._api, self._span = api, span
        self._context: Any = None
        self._token: Any = None
        self._pid = os.getpid()
        if api is not None:
            self._context = api.trace.set_span_in_context(span)
            self._token = api.context.attach(self._context)

    def end(
        self,
        epoch: int,
        outcome: Outcome | None,
        *,
        pnl: Decimal | None = None,
        tripped: str = "",
        error: BaseException | None = None,
    ) -> None:
        """The action is over.

        Args:
            epoch: in which it was claimed.
            outcome: how it ended; None where it was not claimed.
            pnl: profit or loss.
            tripped: what a trip-wire did with it.
            error: what its block was left with, or why it was not claimed.
        """
        api, span = self._api, self._span
        if api is None or os.getpid() != self._pid:  # it goes on in the process that began it
            return
        self._api, ended_ns = None, time.time_ns()
        try:
            if api.context.get_current() is self._context:  # where the block was entered, it is left
                api.context.detach(self._token)
        except Exception as failure:  # noqa: BLE001 - as above
            failed(failure)
        attributes: dict[str, Any] = {EPOCH: epoch, OUTCOME: REFUSED if outcome is None else outcome.value}
        if pnl is not None:
            attributes[PNL] = str(pnl)
        if tripped:
            attributes[TRIPPED] = tripped
        if error is not None:
            attributes[ERROR] = type(error).__qualname__
        elif outcome in (Outcome.FAIL, Outcome.UNKNOWN):
            attributes[ERROR] = "_OTHER"
        bad = outcome in (Outcome.FAIL, Outcome.UNKNOWN)

        def finish() -> None:
            span.set_attributes(attributes)
            if bad:
                words = "in doubt" if outcome is Outcome.UNKNOWN else "failed"
                span.set_status(api.trace.Status(api.trace.StatusCode.ERROR, words))
            span.end(end_time=ended_ns)

        put(finish)


UNTRACED: Final = Traced()
"""Of what nobody listens to."""


def begin(intent: Intent, agent: str, version: str) -> Traced:
    """Begin an action's span, a child of the caller's current one, and make it the current one; never raises.

    Args:
        intent: what is asked for.
        agent, version: who asks.
    """
    api = installed()
    if api is None:
        return UNTRACED
    try:
        provider = api.trace.get_tracer_provider()
        if isinstance(provider, api.trace.ProxyTracerProvider):  # nobody has set one: nobody listens
            return UNTRACED
        attributes = {
            AGENT: agent,
            VERSION: version,
            SLOT: intent.slot,
            INSTANCE: intent.instance,
            EPOCH: intent.epoch,
            KEY_HASH: key_hash(agent, intent.key),
            DIRECTION: str(intent.direction.value),
            AMOUNT: str(intent.amount),
        }
        if intent.currency:
            attributes[CURRENCY] = intent.currency
        at_exit()
        span = api.trace.get_tracer(SCOPE, __version__).start_span(f"action {agent}", attributes=attributes)
        return Traced(api, span)
    except Exception as error:  # noqa: BLE001 - as above
        failed(error)
        return UNTRACED


def key_hash(agent: str, key: str) -> str:
    """What stands for an idempotency key, which may hold what is nobody's business: the last part of the key for the
    venue."""
    return hashlib.sha256(f"{len(agent)}:{agent}{key}".encode("utf-8", "replace")).hexdigest()[:16]
