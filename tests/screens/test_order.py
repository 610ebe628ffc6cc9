"""Every list of what happened has one order, the newest last, and shows the newest at the start, at every size."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from console.domain.fence.claims import OpenClaim
from console.domain.seen.observation import Observation
from console.domain.text import clean
from tests.scenarios import observation
from tests.screens.doubles import console, drawn

SIZES = ((80, 24), (100, 30), (120, 40), (160, 48), (250, 70))


def long_lists() -> Observation:
    """Sixty receipts and decisions and more doubts than any screen has lines, the last of each marked."""
    seen = observation("in-doubt")
    assert seen.store is not None and seen.logs is not None
    entry, decision, claims = seen.store.audit[-1], seen.logs.recent[-1], seen.store.open_claims
    claim = next(claim for claim in claims if claim.in_doubt)
    audit = tuple(
        entry._replace(
            stream_id=f"{n}-0",
            at=seen.now - timedelta(seconds=99 - n),
            who=clean("newest" if n == 98 else f"who{n:02}"),
        )
        for n in range(99)
    )
    recent = tuple(
        decision._replace(
            sequence=n + 1,
            at=seen.now - timedelta(seconds=99 - n),
            outcome=clean("newest" if n == 98 else f"what{n:02}"),
        )
        for n in range(99)
    )
    doubts: tuple[OpenClaim, ...] = tuple(
        claim._replace(
            key=clean("newest" if n == 98 else f"key{n:02}"), claim_id=f"c{n}", claimed_ms=claim.claimed_ms + n
        )
        for n in range(99)
    )
    store = seen.store._replace(audit=audit, open_claims=doubts)
    return seen._replace(store=store, logs=seen.logs._replace(recent=recent))


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(
    ("screen", "panel"), [("1", "decisions"), ("1", "actions"), ("2", ""), ("6", "doubts"), ("8", "audit")]
)
async def test_the_newest_is_shown_at_the_start_and_the_title_says_where(
    screen: str, panel: str, size: tuple[int, int]
) -> None:
    app = console(long_lists())
    async with app.run_test(size=size) as pilot:
        if screen != "1":
            await pilot.press(screen)
        await pilot.pause()
        if panel:
            app.screen.focus_in(app.screen.query_one(f"#{panel}"))  # type: ignore[attr-defined]
        await pilot.pause()
        text = drawn(app)
        assert "newest last" in text
        assert re.search(r"\bnewest\b", text.replace("newest last", "").replace("the newest", ""))
