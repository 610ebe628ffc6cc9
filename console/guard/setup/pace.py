"""How often what is done, by how many agents a guard watches: what is pushed is never slowed, only housekeeping is.

Each figure is the time for one round over all agents; the rounds are spread evenly, so that no moment is busier than
another. Up to a few hundred agents everything is as quick as for one.
"""

from __future__ import annotations


def look_s(agents: int) -> float:
    """Between two looks at an agent of which nothing new came, for what time alone makes true (limits are ≥ 60 s)."""
    return _between(0.25, agents / 1000, 5.0)


def beat_s(agents: int) -> float:
    """Between two heartbeats; a console takes a guard for silent after 5 s."""
    return _between(1.0, agents / 400, 4.0)


def tend_s(agents: int) -> float:
    """Between two rounds of housekeeping: expired leases, hand-written keys, thresholds, agents' heartbeats."""
    return _between(1.0, agents / 200, 20.0)


def tell_s(agents: int) -> float:
    """Between two looks at whether somebody else left alerts unsent; our own are sent at once."""
    return _between(0.25, agents / 1000, 10.0)


def log_s(agents: int) -> float:
    """Between two looks at whether a decision log has grown."""
    return _between(0.05, agents / 10_000, 0.5)


def look_up_s(agents: int) -> float:
    """Between two look-ups of a pattern of decision logs, and two reads of a log that does not seem to have grown."""
    return _between(1.0, agents / 200, 10.0)


def _between(least: float, wanted: float, most: float) -> float:
    return min(most, max(least, wanted))
