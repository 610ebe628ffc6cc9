"""Where in a decision log the triggers' signals stand; the defaults fit agents that know nothing of us."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signals:
    """Names that are looked for in records.

    Args:
        exception_kinds, auth_kinds: values of `decision_type` that report an unhandled exception, or that the venue
            refused our credentials.
        exception_fields, auth_fields: fields of `output` that report the same by being there.
        auth_statuses: values of `output.http_status` that mean refused credentials.
        key_fields: where an idempotency key stands, in the record itself, `output` or `inputs`.
        identity_fields: fields of `inputs` that name what is acted on; without a key, identical content with one of
            them is the same action.
        escrow_field: the field of `inputs` that names the escrow looked at.
        escrow_over_kinds: values of `decision_type` that end an escrow.
    """

    exception_kinds: frozenset[str] = frozenset({"exception", "unhandled_exception", "crash"})
    auth_kinds: frozenset[str] = frozenset({"auth_failure", "auth_error", "authentication_failed", "unauthorized"})
    exception_fields: tuple[str, ...] = ("exception",)
    auth_fields: tuple[str, ...] = ("auth_error",)
    auth_statuses: frozenset[int] = frozenset({401, 403})
    key_fields: tuple[str, ...] = ("key", "idempotency_key")
    identity_fields: tuple[str, ...] = ("round_id", "bet_id", "order_id", "escrow_id", "nonce", "round")
    escrow_field: str = "escrow_id"
    escrow_over_kinds: frozenset[str] = frozenset(
        {"release_escrow", "escrow_released", "escrow_closed", "escrow_expired", "escrow_refunded"}
    )
