"""Ids of calls, and one question about an error, shared by both fences."""

from __future__ import annotations

import uuid


def new_id() -> str:
    """An id for a switch or a claim: repeating a call with the same id is the same switch, the same claim."""
    return uuid.uuid4().hex


def other_slot(error: Exception) -> bool:
    """Whether the server refused because the keys lie in different slots of a cluster."""
    return "CROSSSLOT" in str(error) or "same slot" in str(error) or "hash to the same" in str(error)
