"""What counts as a sight of the venue, and on which clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.commands.commitments.evidence import sight_of
from console.commands.context import Context
from console.commands.gateway.gateway import Gateway
from console.domain.commitments.kept_listing import KeptListing
from console.domain.commitments.listing import Listing, Place
from console.domain.commitments.sight import NO_SIGHT
from console.domain.text import Safe
from console.domain.venue.stored import VenueSeen
from console.store.keys import Keys
from console.store.records.venue import VenueKeys, keep_seen
from console.store.server.connect import connect


@pytest.fixture
async def ctx(store_url: str, tmp_path: Path) -> AsyncIterator[Context]:
    """Of an operator whose clock is an hour fast."""
    gateway = Gateway(await connect(store_url, name="agent-console"), Keys.of(), url=store_url, registry={}, who="ann")
    yield Context(gateway, {}, tmp_path, clock=lambda: datetime.now(UTC) + timedelta(hours=1))
    await gateway.aclose()


async def guard_saw(ctx: Context, at: datetime) -> None:
    """A guard's look, by the store's clock."""
    seen = VenueSeen(Safe("casino"), at, Safe("g1"), 10.0, 0, ())
    await keep_seen(ctx.gateway.client, ctx.gateway.keys, seen, KeptListing(Listing(Place.VENUE, "casino", at), 10.0))


async def test_an_operators_own_look_is_dated_by_the_store_and_not_by_his_clock(ctx: Context) -> None:
    before = await ctx.gateway.gates.now()
    looked_at = (await sight_of(ctx, looked=True)).looked_at
    assert looked_at is not None and before <= looked_at <= await ctx.gateway.gates.now()


async def test_where_nobody_ever_looked_there_is_nothing_to_go_by_and_nothing_to_explain(ctx: Context) -> None:
    assert await sight_of(ctx) == NO_SIGHT


@pytest.mark.parametrize(
    ("off_s", "problem"), [(-1, ""), (-3_600, "stale: a guard read the venue 36"), (3_600, "from the future")]
)
async def test_a_guards_look_is_fresh_old_or_from_the_future_by_the_stores_clock(
    ctx: Context, off_s: int, problem: str
) -> None:
    await guard_saw(ctx, await ctx.gateway.gates.now() + timedelta(seconds=off_s))
    sight = await sight_of(ctx)
    assert problem in sight.problem and (sight.listing is None) is bool(problem)


async def test_what_is_no_look_of_a_guards_is_none(ctx: Context) -> None:
    name = VenueKeys.of(ctx.gateway.keys).things
    for value in ("", "{", "[1]", '{"at": "2026-03-01", "every_s": NaN}', '{"at": 9e99, "every_s": 1}'):
        await ctx.gateway.client.set(name, value)
        assert await sight_of(ctx) == NO_SIGHT
    await ctx.gateway.client.delete(name)
    await ctx.gateway.client.hset(name, "at", "now")
    assert await sight_of(ctx) == NO_SIGHT


async def test_a_look_of_which_a_part_is_torn_off_is_a_look_with_a_gap(ctx: Context) -> None:
    now = (await ctx.gateway.gates.now()).isoformat()
    parts = ("", ', "things": 3', ', "things": [7], "unread": [], "whole": ["escrow"]')
    for torn in (*parts, ', "newest": "x", "things": [], "unread": [], "whole": []'):
        await ctx.gateway.client.set(
            VenueKeys.of(ctx.gateway.keys).things, f'{{"at": "{now}", "every_s": 10, "name": "casino"{torn}}}'
        )
        listing = (await sight_of(ctx)).listing
        assert listing is not None and not listing.known


async def test_a_venue_that_is_asked_for_and_named_nowhere_is_unknown(ctx: Context) -> None:
    sight = await sight_of(ctx, ask=True)
    assert sight.listing is None and "no venue is named" in sight.problem


async def test_a_document_that_can_not_be_gone_by_is_unknown(ctx: Context, tmp_path: Path) -> None:
    (tmp_path / "venue.toml").write_text("nonsense = [")
    sight = await sight_of(replace(ctx, venue=tmp_path / "venue.toml"), ask=True)
    assert sight.listing is None and "unknown: error" in sight.problem
