"""How many files a process may have open: a fleet's decision logs are more than the usual thousand."""

from __future__ import annotations

import resource
from contextlib import suppress

ENOUGH = 65_536


def raise_limit() -> int:
    """Raise the limit as far as the system lets us; what it is now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(ENOUGH, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):  # then it stays what it is; a log that can't be opened says so itself
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
