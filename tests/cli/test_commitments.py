"""What is owed, as an operator sees it, gives it, and decides whether a version may be stopped."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import redis

from console.agent import Commitment, Direction, Kind
from console.domain.fence.claims import Outcome
from console.store.fence.blocking import Fence
from console.store.fence.claims import Intent
from console.store.keys import Keys
from tests.cli.agents import Two
from tests.cli.conftest import Cli

ESCROW = Commitment("esc_1", Kind.ESCROW, Decimal("12.5"), "USD", due=datetime(2126, 3, 1, tzinfo=UTC))
ROUND = Commitment("round_7", Kind.ROUND, Decimal(1), "USD")


def version(cli: Cli, name: str) -> dict[str, object]:
    return next(one for one in cli("versions", "--json").json if one["version"] == name)


def test_everything_that_is_owed_is_listed_with_its_owner_until_when_and_whether_anybody_watches(
    cli: Cli, two: Two
) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=20, seconds=30)
    two.blue.commitments.put(ESCROW._replace(due=soon), ROUND)
    two.blue.commitments.watch(["round_7"])
    result = cli("commitments", "list", "--json")
    assert result.code == 1, "one of them is watched by nobody"
    escrow, round_ = result.json
    assert (escrow["id"], escrow["owner"], escrow["taken"], escrow["pinned"]) == ("esc_1", "blue", False, False)
    assert (escrow["amount"], escrow["currency"], escrow["version"]) == ("12.5", "USD", "2.4.0")
    assert 1170 < escrow["due_in_s"] <= 1230
    assert (round_["owner"], round_["taken"], round_["pinned"]) == ("blue", True, True)
    shown = cli("commitments", "list")
    assert "NOT WATCHED" in shown.out and "blue does not say" in shown.err
    assert re.search(r"in (20|19) min \d+ s", shown.out)
    two.blue.commitments.watch(["round_7", "esc_1"])
    assert cli("commitments", "list").code == 0


def test_a_switch_hands_over_what_is_not_pinned(cli: Cli, two: Two) -> None:
    two.blue.commitments.put(ESCROW, ROUND)
    two.to_green()
    assert {one["id"]: one["owner"] for one in cli("commitments", "list", "--json").json} == {
        "esc_1": "green",
        "round_7": "blue",
    }


def test_what_a_dead_side_owns_is_given_to_the_other_and_the_audit_says_by_whom(cli: Cli, two: Two) -> None:
    two.blue.commitments.put(ROUND, ROUND._replace(id="round_8"))
    two.to_green()
    assert cli("commitments", "give", "kind:round", "green", "--yes").code == 0
    assert {one["owner"] for one in cli("commitments", "list", "--json").json} == {"green"}
    with two.green.action("cash-out", direction=Direction.REDUCE, closes="round_7") as act:
        act.settle("done")
    newest = cli("audit", "--json").json[-1]
    assert newest["command"] == "commitments give"
    assert {change["what"] for change in newest["changes"]} == {"owner of round_7", "owner of round_8"}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("nothing_of_that_name", "green"), 4),
        (("kind:castle", "green"), 2),
        (("round_7", "red"), 2),
        (("round_7", "green", "--policy", "new-adopts"), 2),
        (("round_7", "active", "--policy", "run-off"), 2),
    ],
)
def test_what_can_not_be_given_is_refused_with_why(cli: Cli, two: Two, words: tuple[str, ...], code: int) -> None:
    two.blue.commitments.put(ROUND)
    result = cli("commitments", "give", *words, "--yes")
    assert result.code == code and result.err
    assert cli("commitments", "list", "--json").json[0]["owner"] == "blue"


def test_the_active_version_may_not_be_stopped(cli: Cli, two: Two) -> None:
    assert version(cli, "2.4.0")["state"] == "active"
    assert cli("retire", "2.4.0", "--yes", "--venue-seen", "nothing").code == 4


def test_a_version_drains_until_what_it_opened_is_over_or_another_watches_it(cli: Cli, two: Two) -> None:
    two.blue.commitments.put(ESCROW, ROUND)
    two.to_green()
    left = version(cli, "2.4.0")
    assert left["state"] == "draining" and not left["may_stop"]
    assert {(one["id"], one["taken_by"]) for one in left["left"]} == {  # type: ignore[attr-defined]
        ("esc_1", "green"),
        ("round_7", "blue"),
    }
    two.green.commitments.watch(["esc_1"])
    with two.blue.action("cash-out", direction=Direction.REDUCE, closes="round_7") as act:
        act.settle("done")
    after = version(cli, "2.4.0")
    assert after["left"] == [] and after["state"] == "unknown", "nobody has looked at the venue"
    assert "venue" in str(after["why"])


def test_what_a_dead_version_left_is_shown_with_nobody_to_take_it(cli: Cli, two: Two) -> None:
    two.blue.commitments.put(ROUND)
    two.to_green()
    two.blue.stop()
    shown = cli("versions")
    assert "taken by NOBODY" in shown.out and "may not be stopped" in shown.out


def test_a_version_is_retired_only_where_somebody_has_looked_at_the_venue_since_its_last_act(
    cli: Cli, two: Two
) -> None:
    with two.blue.action("bet") as act:
        act.settle("won")
    two.to_green()
    two.blue.stop()
    refused = cli("retire", "2.4.0", "--yes")
    assert refused.code == 4 and "unknown" in refused.err
    assert cli("retire", "2.4.0", "--yes", "--venue-seen", "no open order, no escrow of ours").code == 0
    assert version(cli, "2.4.0")["state"] == "retired"
    assert "no open order" in cli("audit").out


def test_a_version_that_lives_is_not_retired(cli: Cli, two: Two) -> None:
    two.to_green()
    refused = cli("retire", "2.4.0", "--yes", "--venue-seen", "nothing")
    assert refused.code == 4 and "live" in refused.err


def test_the_doubt_of_a_version_that_said_goodbye_is_still_its_own(cli: Cli, two: Two, store_url: str) -> None:
    with pytest.raises(TimeoutError), two.blue.action("bet"):
        raise TimeoutError
    two.blue.stop()
    two.green.stop()
    left = version(cli, "2.4.0")
    assert [(one["what"], one["id"]) for one in left["left"]] == [("doubt", "bet")]  # type: ignore[attr-defined]


def test_a_claim_of_nobody_known_is_a_version_without_a_name_and_never_drained(
    cli: Cli, valkey_sync: redis.Redis
) -> None:
    cli("switch", "blue", "--yes")
    fence = Fence(valkey_sync, Keys.of())
    epoch = fence.authority().epoch  # type: ignore[union-attr]
    wanted = Intent("k", "c", "blue", epoch, "gone-1", Decimal(1), "USD", Direction.ENTER, "", 1, epoch)
    assert fence.claim(wanted).granted
    time.sleep(0.005)
    fence.settle(wanted, Outcome.UNKNOWN)
    assert not version(cli, "(no name)")["may_stop"]


def test_a_list_with_a_record_that_can_not_be_read_is_refused_by_every_verb(
    cli: Cli, two: Two, valkey_sync: redis.Redis
) -> None:
    two.blue.commitments.put(ESCROW)
    valkey_sync.hset(Keys.of().owed, "esc_2", "nonsense")
    for words in (("commitments", "list"), ("versions",), ("commitments", "give", "esc_1", "green", "--yes")):
        result = cli(*words)
        assert result.code == 4 and "1 of 2" in result.err, words
