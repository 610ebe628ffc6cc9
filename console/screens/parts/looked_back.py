"""The header of what is not the present."""

from __future__ import annotations

from console.domain.seen.observation import Link, LinkState, Observation
from console.domain.text import clean
from console.views.fence.link import link_view
from console.views.looking import looking_note, looking_word
from widgets.frame.header import Chip, HeaderData


def looked_back(data: HeaderData, observation: Observation) -> HeaderData:
    """That it is not the present stands where else the connection does; how that was then is said beside it only where
    it was not live.

    Args:
        data: the header, as of then.
        observation: what is shown.
    """
    looking = observation.looking
    if looking is None:
        return data
    then = () if link_view(observation).fresh else (Chip(f"then {data.link} {data.link_note}".rstrip(), "warn"),)
    lacks = (Chip("▲ incomplete", "warn", keep=3),) if looking.missing else ()
    return data._replace(
        link=looking_word(looking),
        link_note=looking_note(looking),
        clock=f"{looking.at:%Y-%m-%d}",
        chips=(*then, *lacks, *data.chips),
    )


def not_drawn(observation: Observation, error: Exception) -> Observation:
    """What is shown of an observation that no screen can draw, as no live one is: nothing, and that it is so."""
    told = clean(f"what was recorded here can't be drawn: {type(error).__name__}: {error}")
    link = Link(LinkState.OFFLINE, observation.link.url, error=told)
    return Observation(observation.agent, observation.now, link, read_only=True, looking=observation.looking)
