"""A version may be stopped once the venue was read after its last act: by a guard, or by the verb that asks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import redis

from console.agent import Commitment, Direction, Kind
from console.demo.faulty import Fault, FaultyVenue
from console.guard.keep.charge import Charge
from console.guard.keep.state import GuardState
from console.guard.venue.alarm import Alarm
from console.guard.venue.doubts import Doubts
from console.guard.venue.watch import VenueWatch
from console.store.fence.aio import AsyncFence
from console.store.keys import Keys
from console.store.records.venue import VenueKeys
from console.store.server.connect import connect
from console.venue.prober import Prober
from console.venue.setup import load
from tests.cli.agents import Two
from tests.cli.conftest import Cli
from tests.venue.stage import write_document

USUAL = (Fault.SERVER_ERROR, Fault.UNAUTHORISED, Fault.MALFORMED, Fault.STALE_SOURCE)
MORE = (
    Fault.TIMEOUT_AFTER_COMMIT, Fault.CUT, Fault.RESET_AT, Fault.RETRY_AFTER, Fault.SLOW, Fault.NOT_A_NUMBER,
    Fault.EMPTY, Fault.BIG_LENGTH, Fault.COMPRESSED, Fault.REDIRECT, Fault.CACHED, Fault.CLOCK_SKEW,
)  # fmt: skip


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyVenue]:
    with FaultyVenue() as venue:
        monkeypatch.setenv("VENUE_KEY", venue.key)
        yield venue


class Drain:
    """2.4.0 acted, stands by, and said goodbye; what is said of it then."""

    def __init__(self, cli: Cli, two: Two, document: Path, venue: FaultyVenue) -> None:
        self.cli, self.two, self.document, self.venue = cli, two, document, venue

    def __call__(self, *words: str) -> dict[str, Any]:
        rows = self.cli("--venue", str(self.document), "versions", "--json", *words).json
        return next(one for one in rows if one["version"] == "2.4.0")

    def over(self) -> None:
        """Blue acts a last time, and is over."""
        with self.two.blue.action("bet") as act:
            act.settle("won")
        self.two.to_green()
        self.two.blue.stop()

    def retire(self, *words: str) -> Any:
        """Try it."""
        return self.cli("--venue", str(self.document), "retire", "2.4.0", "--yes", *words)


@pytest.fixture
def drain(cli: Cli, two: Two, home: Path, venue: FaultyVenue) -> Drain:
    return Drain(cli, two, write_document(home, venue, "rest"), venue)


def test_a_version_of_which_the_venue_shows_nothing_is_drained_and_retired_without_an_operators_word(
    drain: Drain,
) -> None:
    drain.over()
    assert drain("--read-venue")["state"] == "drained"
    assert drain.retire("--read-venue").code == 0
    assert drain()["state"] == "retired"


@pytest.mark.parametrize("faults", [USUAL, pytest.param(MORE, marks=pytest.mark.long)], ids=["usual", "more"])
def test_however_a_venue_fails_to_be_read_it_is_unknown_and_retire_is_refused(
    drain: Drain, venue: FaultyVenue, faults: tuple[Fault, ...]
) -> None:
    drain.over()
    drain.document.write_text(drain.document.read_text().replace("timeout_s = 0.6", "timeout_s = 0.1"))
    for fault in faults:
        venue.turn(fault, "/v1/")
        told = drain("--read-venue")
        assert (told["state"], told["may_stop"]) == ("unknown", False) and "unknown" in told["why"], fault
        venue.turn("")
    venue.turn(Fault.MALFORMED, "/v1/")
    refused = drain.retire("--read-venue")
    assert refused.code == 4 and "unknown" in refused.err
    assert drain.retire("--venue-seen", "nothing of ours").code == 0, "an operator who has looked himself may say so"


def test_a_venue_that_does_not_answer_in_time_is_unknown(drain: Drain, venue: FaultyVenue) -> None:
    drain.over()
    text = drain.document.read_text()
    drain.document.write_text(text.replace("timeout_s = 0.6", "timeout_s = 0.1"))
    venue.turn(Fault.TIMEOUT_AFTER_COMMIT, "/v1/")
    assert "timeout" in drain("--read-venue")["why"]
    assert drain.retire().code == 4


def test_what_the_list_says_is_over_and_the_venue_still_has_is_of_the_version_that_opened_it(
    drain: Drain, venue: FaultyVenue
) -> None:
    escrow = venue.holdings.add_escrow("25.00", 24)
    opened = Commitment(escrow, Kind.ESCROW, Decimal(25), "USD", due=datetime.now(UTC) + timedelta(hours=24))
    with drain.two.blue.action("create", opens=opened) as act:
        act.settle(escrow)
    with drain.two.blue.action("release", direction=Direction.REDUCE, closes=escrow) as act:
        act.settle("released, says a reply that was wrong")
    drain.over()
    told = drain("--read-venue")
    assert told["state"] == "draining"
    assert [(one["what"], one["id"]) for one in told["left"]] == [("escrow at the venue", escrow)]
    assert drain.retire("--read-venue").code == 4
    venue.holdings.escrows[escrow].status = "released"
    assert drain("--read-venue")["state"] == "drained"


def test_a_stranger_at_the_venue_may_be_of_every_version(drain: Drain, venue: FaultyVenue) -> None:
    venue.holdings.add_position("pos_1")
    drain.over()
    told = drain("--read-venue")
    assert told["state"] == "unknown" and "pos_1" in told["why"]


def look(document: Path, store_url: str, off: timedelta = timedelta(0)) -> None:
    """A guard's look, as a guard makes and keeps it.

    Args:
        document: the venue's.
        store_url: where it is kept.
        off: how far the clock of the guard's host is from the store's.
    """

    def clock() -> datetime:
        return datetime.now(UTC) + off

    async def vouch(_side: str) -> str:
        return ""

    async def once() -> None:
        client = await connect(store_url, name="guard")
        charge = Charge("g1", AsyncFence(client, Keys.of()), GuardState(client, Keys.of()), lambda *_a, **_k: None)
        prober = Prober(load(document), "agent")
        watch = VenueWatch(charge, document, None, clock, vouch)
        try:
            assert await watch.turn(prober, Doubts(charge, prober, Alarm(charge, clock))) is not None
            await charge.fence.lease("venue", "g1", ttl_ms=1, release=True)
        finally:
            await prober.aclose()
            await client.aclose()

    asyncio.run(once())


def test_a_guards_look_since_its_last_act_drains_a_version_and_an_older_one_does_not(
    drain: Drain, store_url: str, cli: Cli
) -> None:
    look(drain.document, store_url)
    drain.over()
    rows = {one["version"]: one for one in cli("versions", "--json").json}
    assert rows["2.4.0"]["state"] == "unknown" and "since its last act" in rows["2.4.0"]["why"]
    look(drain.document, store_url)
    rows = {one["version"]: one for one in cli("versions", "--json").json}
    assert rows["2.4.0"]["state"] == "drained"
    assert cli("retire", "2.4.0", "--yes").code == 0


def test_screen_6_gives_the_verdict_that_the_verb_gives(drain: Drain, store_url: str, cli: Cli) -> None:
    def both() -> tuple[dict[str, Any], dict[str, Any]]:
        board = json.loads(cli("export", "--screen", "state", "--format", "json").out)["versions"]
        verb = cli("versions", "--json").json
        told = [{one["version"]: {**one, "last_act": 0} for one in rows}["2.4.0"] for rows in (board, verb)]
        return told[0], told[1]

    drain.over()
    for state in ("unknown", "drained"):
        board, verb = both()
        assert board == verb and verb["state"] == state
        look(drain.document, store_url)
    drain.venue.turn(Fault.SERVER_ERROR, "/v1/")
    look(drain.document, store_url)
    board, verb = both()
    assert board == verb and verb["state"] == "unknown" and "server error" in verb["why"]


def test_a_guards_look_that_is_old_by_now_is_stale_however_good_it_was(
    drain: Drain, store_url: str, cli: Cli, valkey_sync: redis.Redis
) -> None:
    drain.over()
    look(drain.document, store_url)
    name = VenueKeys.of(Keys.of()).things
    kept = json.loads(valkey_sync.get(name))  # type: ignore[arg-type]
    valkey_sync.set(
        name, json.dumps({**kept, "every_s": 1e-6, "at": (datetime.now(UTC) - timedelta(seconds=31)).isoformat()})
    )
    rows = {one["version"]: one for one in cli("versions", "--json").json}
    assert rows["2.4.0"]["state"] == "unknown" and "stale" in rows["2.4.0"]["why"]
    assert cli("retire", "2.4.0", "--yes").code == 4


def test_a_venue_that_was_asked_for_and_is_named_nowhere_is_unknown(cli: Cli, two: Two) -> None:
    two.to_green()
    two.blue.stop()
    refused = cli("retire", "2.4.0", "--yes", "--read-venue")
    assert refused.code == 4 and "no venue is named" in refused.err


@pytest.mark.parametrize("off", [timedelta(hours=1), -timedelta(hours=1)])
def test_a_guards_host_whose_clock_is_an_hour_off_makes_no_look_newer_or_older_than_it_is(
    drain: Drain, store_url: str, off: timedelta
) -> None:
    drain.venue.skew = off  # the venue agrees with the guard: nothing of the look itself is too old, or from the future
    look(drain.document, store_url, off)
    drain.over()
    told = drain()
    assert (told["state"], told["why"]) == ("unknown", "the venue has not been read since its last act")
    look(drain.document, store_url, off)
    told = drain()
    assert told["state"] == "drained"
    assert told["last_act"] <= told["venue_read"]


def test_a_look_from_before_its_last_act_is_not_newer_though_the_stores_clock_was_set_back_between(
    drain: Drain, store_url: str, valkey_sync: redis.Redis
) -> None:
    look(drain.document, store_url)
    drain.over()
    name = VenueKeys.of(Keys.of()).things
    kept = json.loads(valkey_sync.get(name))  # type: ignore[arg-type]
    valkey_sync.set(name, json.dumps({**kept, "at": datetime.now(UTC).isoformat()}))
    told = drain()
    assert told["state"] == "unknown" and "since its last act" in told["why"]
    look(drain.document, store_url)
    assert drain()["state"] == "drained"


def test_a_guards_host_whose_clock_the_venue_does_not_agree_with_proves_nothing(drain: Drain, store_url: str) -> None:
    drain.over()
    look(drain.document, store_url, timedelta(hours=1))
    assert drain()["state"] == "unknown"


def test_a_venue_that_lists_ten_thousand_things_is_read_whole_or_unknown(drain: Drain, store_url: str) -> None:
    drain.document.write_text(
        drain.document.read_text().replace("most_bytes = 65536", "most_bytes = 65536\n").replace("0.6", "30")
        .replace("look_s = 5", "look_s = 60")
    )  # fmt: skip
    with drain.two.blue.action("buy", opens=Commitment("pos_7", Kind.POSITION)) as act:
        act.settle("pos_7")
    with drain.two.blue.action("sell", direction=Direction.REDUCE, closes="pos_7") as act:
        act.settle("sold, says a reply that was wrong")
    drain.over()
    for number in range(10_000):
        drain.venue.holdings.add_position(f"pos_{number}")
    cut = drain("--read-venue")
    assert cut["state"] == "unknown" and "too large" in cut["why"]
    drain.document.write_text(drain.document.read_text().replace("65536", "16777216"))
    told = drain("--read-venue")
    assert told["state"] == "draining" and [one["id"] for one in told["left"]] == ["pos_7"]
    drain.venue.holdings.positions = [one for one in drain.venue.holdings.positions if one["position_id"] != "pos_7"]
    told = drain("--read-venue")
    assert told["state"] == "unknown" and "pos_0 and 9998 more" in told["why"]
    look(drain.document, store_url)
    told = drain()
    assert told["state"] == "unknown" and "more than are kept" in told["why"], "a guard keeps a part, and says so"


def test_a_position_that_the_document_excludes_is_nobodys_and_keeps_nothing_from_being_drained(
    drain: Drain, venue: FaultyVenue, store_url: str
) -> None:
    venue.turn(Fault.NULL_POSITION)
    drain.over()
    look(drain.document, store_url)
    assert (drain()["state"], drain("--read-venue")["state"]) == ("unknown", "unknown")
    with drain.document.open("a") as document:
        document.write('[probes.positions]\nexcluded = ["DOGE"]\n')
    look(drain.document, store_url)
    assert (drain()["state"], drain("--read-venue")["state"]) == ("drained", "drained")


def test_a_venue_without_a_list_is_asked_about_each_escrow_that_is_over_by_ours(
    drain: Drain, home: Path, venue: FaultyVenue, store_url: str
) -> None:
    drain.document = write_document(home, venue)
    escrow = venue.holdings.add_escrow("25.00", 24)
    with drain.two.blue.action("create", opens=Commitment(escrow, Kind.ESCROW)) as act:
        act.settle(escrow)
    with drain.two.blue.action("release", direction=Direction.REDUCE, closes=escrow) as act:
        act.settle("released")
    drain.over()
    look(drain.document, store_url)
    assert f"was not asked about {escrow}" in drain()["why"]
    assert drain("--read-venue")["state"] == "draining"
    venue.holdings.escrows[escrow].status = "released"
    assert drain("--read-venue")["state"] == "drained"
