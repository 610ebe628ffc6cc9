"""Fenced agents in words: who has acknowledged, who is silent, what nobody commanded, what a switch waits for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.commands.catalogue import find
from console.domain.fence.deployment import Deployment, Phase, Slot, read_active
from console.domain.operator.command import Waits
from console.domain.operator.receipt import AuditEntry, Change
from console.domain.seen.observation import Observation
from console.views.fence.instances import acknowledgement, doubt_rows, instance_rows, names_text
from console.views.fence.link import header_view
from console.views.fence.progress import progress_text
from console.views.fence.slots import slot_view
from console.views.health import health_view
from console.views.lists import action_rows
from console.views.outside import unanswered
from console.views.tone import Tone
from tests.scenarios import observation
from tests.scenarios.parts import ago, authority, claim, entry, event, instances, logs, observed, store


def fenced(count: int, behind: int, **changes: object) -> Observation:
    """So many instances of the active side, the last of which are behind."""
    control = authority()
    first = instances(control.epoch)[0]
    many = tuple(
        first._replace(name=first.name.replace("1", str(n + 1)), epoch_seen=control.epoch - (n >= count - behind))
        for n in range(count)
    )
    many = (*many[:-1], many[-1]._replace(**changes)) if changes else many
    return observed(store(Deployment(read_active("blue"), control, many)), logs())


def test_two_of_three_acknowledged_is_nowhere_green_and_says_who_is_missing() -> None:
    seen = fenced(3, 1)
    card, header = slot_view(seen, Slot.BLUE), header_view(seen)
    agent = {check.name: check for check in health_view(seen)}["agent"]
    assert card.role_tone is Tone.WARN
    assert [(fact.text, fact.tone) for line in card.lines for fact in line if "acknowledged" in fact.text] == [
        ("fenced · 2/3 acknowledged", Tone.WARN),
        ("▲ not acknowledged: blue-3", Tone.WARN),
    ]
    assert (card.short[1][0].text, card.short[1][0].tone) == ("▲ 2/3 acknowledged", Tone.WARN)
    assert header.missing == "▲ not acknowledged: blue-3"
    assert (agent.tone, agent.text) == (Tone.WARN, "blue-3 has not acknowledged; 2 of 3 did")
    assert [(row.acknowledged, row.tone) for row in instance_rows(seen)][1:] == [
        ("✔ current", Tone.GOOD),
        ("✖ behind", Tone.BAD),
    ]


def test_when_all_have_acknowledged_nothing_warns() -> None:
    seen = fenced(3, 0)
    assert slot_view(seen, Slot.BLUE).role_tone is Tone.GOOD
    assert header_view(seen).missing == ""
    assert {check.name: check for check in health_view(seen)}["agent"].tone is Tone.GOOD


def test_an_instance_silent_for_more_than_five_seconds_of_the_servers_clock_is_named() -> None:
    late = fenced(2, 0, heartbeat_at=ago(0.2 + 5.1))  # the reading is 0.2 s old
    agent = {check.name: check for check in health_view(late)}["agent"]
    assert (agent.tone, agent.text) == (Tone.WARN, "blue-2: no heartbeat for 5.1 s")
    assert (instance_rows(late)[1].beat, instance_rows(late)[1].beat_tone) == ("▲ 5.1 s", Tone.WARN)
    fresh = fenced(2, 0, heartbeat_at=ago(0.2 + 5.0))
    assert {check.name: check for check in health_view(fresh)}["agent"].tone is Tone.GOOD


def test_the_age_of_a_heartbeat_does_not_depend_on_our_clock() -> None:
    seen = fenced(2, 0)
    ahead = seen._replace(now=seen.now + timedelta(hours=1))
    assert [row.beat for row in instance_rows(ahead)] == [row.beat for row in instance_rows(seen)]


def test_an_instance_unheard_of_for_an_hour_is_gone_and_not_waited_for() -> None:
    seen = fenced(3, 1, heartbeat_at=ago(3700))
    assert seen.store is not None
    assert acknowledgement(seen.store).text == "2/2 acknowledged"
    assert instance_rows(seen)[2].acknowledged == "· gone"
    assert header_view(seen).missing == ""


def test_many_missing_are_named_as_far_as_they_fit_and_counted() -> None:
    seen = fenced(6, 5)
    assert seen.store is not None
    assert names_text(acknowledgement(seen.store).missing) == "blue-2, blue-3, blue-4 and 2 more"


def test_plain_and_fenced_agents_are_told_apart_in_words() -> None:
    def words(name: str) -> str:
        return " ".join(fact.text for line in slot_view(observation(name), Slot.BLUE).lines for fact in line)

    assert "fenced · 2/2 acknowledged" in words("fenced")
    assert "plain agents can't acknowledge" in words("blue-active")
    assert "plain" not in words("fenced")
    assert "acknowledged" not in words("blue-active")


@pytest.mark.parametrize(("name", "waits"), [("draining", "2 in flight"), ("quiescing", "0 in flight")])
def test_while_a_switch_drains_header_and_cards_say_that_nobody_acts(name: str, waits: str) -> None:
    seen = observation(name)
    words = f"DRAINING → green, {waits}, nobody acts"
    assert (header_view(seen).active, header_view(seen).active_text) == ("", words)
    for slot, role in ((Slot.BLUE, "DRAINING"), (Slot.GREEN, "NEXT")):
        assert slot_view(seen, slot).lines[0][0].text == words
        assert slot_view(seen, slot).role == role


def test_the_authority_says_that_it_drains_whatever_the_plain_key_says() -> None:
    seen = observation("draining")
    assert seen.store is not None
    forged = seen.store._replace(deployment=seen.store.deployment._replace(active=read_active("blue")))
    assert header_view(seen._replace(store=forged)).active == ""
    assert slot_view(seen._replace(store=forged), Slot.BLUE).role == "DRAINING"


def trips(*entries: AuditEntry, used: bool = True) -> Observation:
    control = authority(automatic_rollback_used=used)
    return observed(store(Deployment(read_active("blue"), control), receipts=entries), logs())


ROLLBACK = event(5, 100, "automatic rollback", "green", "blue", by="trip", why="streak 5 by guard-1")
SWITCH = Change("active version", "blue", "green")


def test_an_automatic_roll_back_is_said_until_an_operators_next_switch() -> None:
    assert unanswered(trips(entry(4, 200, "switch", SWITCH), ROLLBACK)) == ROLLBACK
    first = health_view(trips(ROLLBACK))[1]
    assert (first.name, first.tone) == ("trip", Tone.BAD)
    assert first.text == "14:01:31 rolled back automatically, green → blue: streak 5 by guard-1"
    assert unanswered(trips(ROLLBACK, entry(6, 50, "switch", SWITCH))) is None


@pytest.mark.parametrize(
    "later",
    [
        entry(6, 50, "flag set", Change("flag:crash_target", "1.8", "2.0")),
        entry(6, 50, "snapshot take", Change("snapshot", None, "x.json")),
        entry(6, 50, "halt", Change("active version", "blue", "halted")),
        event(6, 50, "reasserted", "blue", "halted", by="outside", why="plain key was green"),
    ],
    ids=lambda one: one.command,
)
def test_what_moves_nothing_does_not_take_the_warning_away(later: AuditEntry) -> None:
    assert unanswered(trips(ROLLBACK, later)) == ROLLBACK


def test_an_operators_switch_that_somebody_else_ended_takes_it_away_too() -> None:
    assert unanswered(trips(ROLLBACK, event(6, 50, "drained", "blue", "green", by="drain", why="drained"))) is None


def test_a_switch_older_than_the_receipts_read_is_known_from_the_authority() -> None:
    assert unanswered(trips(ROLLBACK, used=False)) is None
    halted = event(5, 100, "halt", "blue", "halted", by="trip", why="loss -1 (no previous side)")
    assert unanswered(trips(halted)) is None
    stopped = observed(
        store(Deployment(read_active("halted"), authority(None, Phase.HALT)), receipts=(halted,)), logs()
    )
    assert unanswered(stopped) == halted


def test_the_first_fenced_agent_taking_over_a_plain_deployment_is_nothing_to_warn_of() -> None:
    first = event(1, 100, "adopted", None, "blue", by="outside", why="plain key was there first")
    assert unanswered(trips(first)) is None
    assert action_rows(trips(first))[0].tone is Tone.TEXT
    assert action_rows(trips(first))[0].command == "adopted"


def test_changes_that_nobody_commanded_have_a_sign_a_tone_and_their_reason() -> None:
    adopted = event(2, 80, "adopted", "blue", "green", by="outside", why="plain key was written")
    halted = event(3, 60, "halt", "blue", "halted", by="trip", why="loss -60.5 USD (roll back already used)")
    commanded = entry(4, 40, "halt", Change("active version", "blue", "halted"), why="lunch")
    rows = action_rows(trips(ROLLBACK, adopted, halted, commanded))
    assert [(row.command, row.tone, row.summary) for row in rows] == [
        ("✖ auto rollback", Tone.BAD, "green → blue: streak 5 by guard-1"),
        ("▲ adopted", Tone.WARN, "blue → green: plain key was written"),
        ("✖ halt", Tone.BAD, "blue → halted: loss -60.5 USD (roll back already used)"),
        ("halt", Tone.TEXT, "active blue → halted"),
    ]


def test_a_claims_time_may_be_anything_a_number_can_be() -> None:
    for milliseconds in (-5, 0, 10**30):
        one = claim("bet-1", "5", 10)._replace(claimed_ms=milliseconds)
        assert doubt_rows(observed(store(claims=(one,))))[0].key == "bet-1"


def _waits(command: str) -> Waits:
    declared = find(command)
    assert declared is not None
    return declared.info.waits


@pytest.mark.parametrize(
    ("now", "command", "said"),
    [
        ("quiescing", "switch", "draining to green: waiting for plain agents to read the key, nobody acts (1.2 s) …"),
        ("draining", "switch", "draining to green: waiting for 2 in flight, nobody acts (1.2 s) …"),
        ("fenced", "switch", "looking which plain agents read the key (1.2 s) …"),
        ("fenced", "flag set", "waiting for the store (1.2 s) …"),
        ("never-switched", "switch", "waiting for the store (1.2 s) …"),
    ],
)
def test_a_running_command_says_what_it_waits_for(now: str, command: str, said: str) -> None:
    assert progress_text(observation("fenced"), observation(now), _waits(command), 1.2) == said


def test_once_the_other_side_acts_those_who_have_yet_to_acknowledge_are_waited_for_by_name() -> None:
    before = observation("never-switched")
    assert (
        progress_text(before, fenced(2, 1), Waits.PLAIN_AGENTS, 0.6)
        == "blue acts; waiting for blue-2 to acknowledge (0.6 s) …"
    )
    assert progress_text(before, fenced(2, 0), Waits.PLAIN_AGENTS, 0.6) == "blue acts (0.6 s) …"
