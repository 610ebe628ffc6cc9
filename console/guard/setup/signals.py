"""Where in a decision log the triggers' signals stand; the defaults fit agents that know nothing of us."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Preset(StrEnum):
    """What kind of agent writes the records."""

    GAMES = "games"
    SERVICES = "services"


PRESETS: Final = {
    Preset.GAMES: frozenset[str](),
    Preset.SERVICES: frozenset({"crash", "panic", "fatal", "fatal_error", "traceback"}),
}
"""Kinds of record that report an unhandled exception, beside `exception_kinds`. Of games, "crash" is one."""


@dataclass(frozen=True, slots=True)
class Signals:
    """Names that are looked for in records.

    Args:
        preset: what the agent does: `services` takes more kinds of record for reports of an unhandled exception
            (crash, panic, fatal, fatal_error, traceback); `games` does not, since "crash" is one.
        exception_kinds, auth_kinds: values of `decision_type` that report an unhandled exception, or that the venue
            refused our credentials.
        exception_fields, auth_fields: fields of `output` that report the same by being there.
        auth_statuses: values of `output.http_status` that mean refused credentials.
        key_fields: where an idempotency key stands, in the record itself, `output` or `inputs`.
        identity_fields: fields of `inputs` that name what is acted on; without a key, identical content with one of
            them is the same action.
        fill_fields: where the id of a trade, a part of an order, stands, in the record itself, `output` or `inputs`:
            two trades with different ids are two actions, whatever else they share.
        place_fields: where it stands in the record itself where an action took place: the same order's number at two
            venues names two orders.
        fill_kinds: values of `decision_type` or `output.status`, in small letters and with `_` for `-` and a space,
            that report a part of an order; two of one order that nothing tells apart are an alert at most.
        escrow_field: the field of `inputs` that names the escrow looked at.
        escrow_over_kinds: values of `decision_type` that end an escrow.
    """

    preset: Preset = Preset.GAMES
    exception_kinds: frozenset[str] = frozenset({"exception", "unhandled_exception"})
    auth_kinds: frozenset[str] = frozenset({"auth_failure", "auth_error", "authentication_failed", "unauthorized"})
    exception_fields: tuple[str, ...] = ("exception",)
    auth_fields: tuple[str, ...] = ("auth_error",)
    auth_statuses: frozenset[int] = frozenset({401, 403})
    key_fields: tuple[str, ...] = ("key", "idempotency_key")
    identity_fields: tuple[str, ...] = ("round_id", "bet_id", "order_id", "escrow_id", "nonce", "round")
    fill_fields: tuple[str, ...] = (
        "trade_id",
        "tradeId",
        "exchange_trade_id",
        "fill_id",
        "fillId",
        "execution_id",
        "exec_id",
        "execId",
        "match_id",
        "tid",
        "trade_no",
        "tradeNo",
        "deal_id",
        "dealId",
    )
    place_fields: tuple[str, ...] = ("venue", "exchange", "market", "symbol", "instrument", "account")
    fill_kinds: frozenset[str] = frozenset(
        {
            *("fill", "filled", "partial", "partial_fill", "partial_filled", "part_filled", "partially_filled"),
            *("partfilled", "partiallyfilled", "partialfill", "order_fill", "order_filled", "trade_fill"),
        }
    )
    escrow_field: str = "escrow_id"
    escrow_over_kinds: frozenset[str] = frozenset(
        {"release_escrow", "escrow_released", "escrow_closed", "escrow_expired", "escrow_refunded"}
    )

    @property
    def faults(self) -> frozenset[str]:
        """Values of `decision_type` that report an unhandled exception."""
        return self.exception_kinds | PRESETS[self.preset]
