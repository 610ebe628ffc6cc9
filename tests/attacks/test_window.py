"""A venue that has forgotten a key executes it again: so it is never asked to, whoever asks, and however often."""

from __future__ import annotations

import threading
from collections import Counter
from decimal import Decimal
from typing import Any

import httpx
import pytest

from console.agent import AgentController, Evidence, KeyTerms, Proposal, ResolveCode, venues
from console.commands.base import Call
from console.commands.catalogue import find
from console.commands.context import Context
from console.commands.gateway.gateway import Gateway
from console.demo.faulty import Fault, FaultyVenue
from console.store.fence.calls import Limits
from console.store.fence.claims import Proof, Resolution
from console.store.keys import Keys
from console.store.server.connect import connect
from tests.attacks.scene import QUICK, Scene
from tests.waiting import until

NO_KEYS = QUICK._replace(key_terms=KeyTerms(), lease_ms=20_000)


def free(scene: Scene) -> None:
    """Somebody takes every doubt for not executed, and is wrong."""
    for claim in scene.fence.open_claims():
        scene.fence.resolve(
            Resolution(claim.key, claim.claim_id, executed=False, by="op", evidence="looked", proof=Proof.BURNED)
        )


@pytest.mark.parametrize(("terms", "executions"), [(None, 2), (KeyTerms(), 1)], ids=["nobody said", "no keys"])
def test_a_venue_without_keys_is_paid_once_although_its_doubt_was_resolved_wrongly(
    scene: Scene, terms: KeyTerms | None, executions: int
) -> None:
    settings = NO_KEYS._replace(venue=venues.httpx(), key_terms=terms)
    with FaultyVenue() as venue, httpx.Client(base_url=venue.url) as client:
        client.headers["Authorization"] = f"Bearer {venue.key}"
        controller = scene.agent(settings=settings)

        def send(read_s: float = 10) -> str:
            try:
                with controller.action("bet-1", amount=Decimal(5), currency="USD") as act:
                    body = {"client_id": act.provider_key, "amount": "5"}
                    act.check()
                    answer = client.post("/v1/orders", json=body, timeout=httpx.Timeout(10, read=read_s))
                    answer.raise_for_status()
                    act.settle(answer.json())
            except Exception as error:
                return type(error).__name__
            return "ok"

        venue.turn(Fault.TIMEOUT_AFTER_COMMIT)
        assert send(read_s=0.3) == "ReadTimeout"
        until(lambda: venue.holdings.executions.total() == 1, "the venue to execute what it never answers")
        venue.turn("")
        free(scene)
        assert send() == ("ok" if terms is None else "InDoubt")
        assert list(venue.holdings.executions.values()) == [executions]


def test_of_many_that_send_a_key_again_too_late_none_does_and_there_is_one_doubt(scene: Scene) -> None:
    controllers = [scene.agent(settings=NO_KEYS) for _ in range(3)]
    scene.doubt(controllers[0], "bet-1")
    free(scene)
    answers: Counter[str] = Counter()
    together = threading.Barrier(9)

    def attempt(controller: AgentController) -> None:
        together.wait()
        for _ in range(5):
            answers[scene.attempt(controller, "bet-1")] += 1

    threads = [threading.Thread(target=attempt, args=(controllers[number % 3],)) for number in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) <= {"InDoubt", "ActionRefused"} and not scene.twice
    assert [claim.in_doubt for claim in scene.fence.open_claims()] == [True]


def test_a_key_that_is_asked_for_in_every_round_makes_no_more_doubts_and_trips_nothing(scene: Scene) -> None:
    scene.fence.set_limits(Limits(doubts=3), by="op")
    sent: list[str] = []

    def execute(wanted: Proposal, _act: object) -> str:
        sent.append(wanted.key)
        return "won"

    controller = scene.agent(settings=NO_KEYS, decide=lambda _state: Proposal("bet-1"), execute=execute)
    scene.doubt(controller, "bet-1")
    free(scene)
    assert not any(controller.round() for _ in range(10))
    assert (sent, scene.phase()) == ([], "RUN")


def test_an_answer_that_was_lost_leaves_the_key_as_late_as_it_was(own_scene: Any) -> None:
    """The claim came too late, and its caller never heard it: it gives the claim up, and that frees no sending."""
    scene: Scene = own_scene()
    assert scene.server is not None
    controller = scene.agent(settings=NO_KEYS._replace(claim_patience_ms=300, command_timeout_ms=200))
    scene.doubt(controller, "bet-1")
    free(scene)
    scene.server.hang()
    answer = scene.attempt(controller, "bet-1")
    scene.server.wake()
    assert answer == "StandBy"
    until(lambda: len(controller.spool) == 0, "what waits to be told")
    assert scene.attempt(controller, "bet-1") == "InDoubt" and not scene.twice


def test_a_probe_that_says_not_executed_each_time_comes_to_an_end(scene: Scene) -> None:
    controller = scene.agent(settings=NO_KEYS._replace(lease_ms=QUICK.lease_ms))
    scene.doubt(controller, "bet-1")
    asked: list[str] = []

    def probe(claim: Any) -> Evidence:
        asked.append(claim.key)
        return Evidence(False, "not in the history")

    until(lambda: controller.resolve(probe) == {"bet-1": ResolveCode.RESOLVED}, "its lease is over")
    assert scene.attempt(controller, "bet-1") == "InDoubt"
    assert controller.resolve(probe) == {"bet-1": ResolveCode.RESOLVED}
    for _ in range(3):
        assert scene.attempt(controller, "bet-1") == "AlreadyDone"
    assert controller.resolve(probe) == {} and not scene.twice


async def test_whoever_resolves_a_doubt_sees_what_becomes_of_its_key(scene: Scene) -> None:
    controller = scene.agent(settings=NO_KEYS)
    scene.doubt(controller, "bet-1")
    resolve = find("doubts resolve")
    assert resolve is not None
    client = await connect(scene.url, timeout_s=10)
    gateway = Gateway(client, Keys.of(), url=scene.url, registry={}, who="op")

    async def warnings() -> str:
        call = Call({"key": "bet-1", "verdict": "not-executed", "evidence": "none", "proof": "burned"})
        preview = await resolve.preview(Context(gateway, {}, snapshots=None), call)  # type: ignore[arg-type, union-attr]
        return " ".join(preview.warnings)

    try:
        assert "a claim of the key is in doubt at once" in await warnings()
        free(scene)
        assert scene.attempt(controller, "bet-1") == "InDoubt"
        assert "its key is used up afterwards" in await warnings()
    finally:
        await gateway.aclose()
