"""Addresses that a document may name: a host that is pinned, and paths that can't lead away from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Final
from urllib.parse import quote, urlsplit

_PLACE: Final = re.compile(r"\{(\w*)\}")
PLACES: Final = frozenset({"id", "agent", "timeout_s", "timeout_ms"})
"""What may stand in braces in a path."""
_PATH: Final = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/?{}\[\]-]*\Z")


def check_address(value: str) -> str:
    """A service's address: https, or http on this host; no user, no query, no end of a path.

    Raises:
        ValueError: it is none.
    """
    wanted = "an address like https://api.example.com, http on this host alone, without user, query or ending slash"
    try:
        parts = urlsplit(value)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(wanted) from error
    plain = value.isascii() and value.isprintable() and not any(char in value for char in ' \\"<>^`{|}')
    if not plain or not host or "@" in parts.netloc or parts.query or parts.fragment or value.endswith(("/", "?", "#")):
        raise ValueError(wanted)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise ValueError(wanted)
    if parts.path and (".." in parts.path or "//" in parts.path or not _PATH.match(parts.path)):
        raise ValueError(wanted)
    return value


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def check_path(value: str) -> str:
    """A path below a service's address.

    Raises:
        ValueError: it could lead elsewhere, or has a place that nothing stands for.
    """
    plain = len(value) <= 500 and bool(_PATH.match(value)) and "//" not in value and ".." not in value
    places = _PLACE.findall(value)
    if not plain or "{" in _PLACE.sub("", value) or "}" in _PLACE.sub("", value) or set(places) - PLACES:
        known = ", ".join(f"{{{place}}}" for place in sorted(PLACES))
        raise ValueError(f"a path like /v1/balance, with no places in it but {known}")
    return value


def filled(path: str, values: Mapping[str, str]) -> str:
    """A path with its places filled in, each quoted so that it stays one part of it.

    Raises:
        ValueError: a value can't be a part of a path.
    """

    def fill(match: re.Match[str]) -> str:
        value = values[match[1]]
        if not value or value in (".", "..") or len(value) > 200 or not value.isprintable():
            raise ValueError(f"{value!r:.60} can't stand in a path")
        return quote(value, safe="")

    return _PLACE.sub(fill, path)
