"""A canary's capital in the store: one step up at most, from the place that was seen; down and out always."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from console.domain.canary.plan import Plan, Position, RunState, Step
from console.domain.canary.text import plan_text
from console.domain.errors import UsageError
from console.domain.fence.chain import verify_chain
from console.domain.fence.claims import Level
from console.domain.fence.intent import Source
from console.domain.statistics.evidence import Settings
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import SwitchRequest, basis
from console.store.keys import Keys, ProofKeys
from console.store.records.canary import (
    UPGRADE,
    Act,
    BookCode,
    CanaryCode,
    CanaryReply,
    RunChange,
    change,
    end,
    give,
    read_async,
    report,
    take,
    turn,
)
from console.store.server.clock import server_ms
from tests.store.fence.test_control import otherwise

if TYPE_CHECKING:
    from redis.asyncio import Redis


PLAN = Plan(
    (Step(Decimal(0)), *(Step(Decimal(share), Decimal(60)) for share in ("0.05", "0.20", "0.50", "1"))),
    Settings(margin=0.05, sigma=1.0, lowest=-1.0, highest=9.0),
)
OTHER = replace(PLAN, automatic=True)


@pytest.fixture
def fence(valkey: Redis, keys: Keys) -> AsyncFence:
    return AsyncFence(valkey, keys, functions=True)


async def act(
    fence: AsyncFence,
    what: Act,
    expected: Position | None = None,
    *,
    run: str = "r1",
    target: int = 0,
    plan: Plan = PLAN,
    slot: str = "green",
    audit: dict[str, str] | None = None,
    source: Source = Source.OPERATOR,
    basis: str = "",
    upgrade: int = 0,
) -> CanaryReply:
    return await fence.call(
        change(
            fence.keys,
            RunChange(
                what,
                run,
                expected,
                by="op",
                why="because",
                target=target,
                plan=plan,
                slot=slot,
                currency="USD",
                capital=Decimal(10_000),
                audit=audit,
                source=source,
                basis=basis,
                upgrade=upgrade,
            ),
        )
    )


async def begun(fence: AsyncFence) -> CanaryReply:
    await fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    reply = await act(fence, Act.START)
    assert reply.code is CanaryCode.DONE
    return reply


async def at_step(fence: AsyncFence, step: int) -> CanaryReply:
    reply = await begun(fence)
    for target in range(1, step + 1):
        reply = await act(fence, Act.STEP, reply.position, target=target)
        assert reply.code is CanaryCode.DONE
    return reply


async def test_a_canary_starts_at_the_first_step_of_its_plan(fence: AsyncFence) -> None:
    reply = await begun(fence)
    assert (reply.state, reply.position, reply.share, reply.loss_budget) == (
        RunState.RUNNING,
        Position(0, 1),
        Decimal(0),
        None,
    )
    stored = await read_async(fence.client, fence.keys)
    assert stored.reading is not None
    run = stored.reading.run
    assert (run.name, run.slot, run.plan, run.currency, run.capital) == ("r1", "green", PLAN, "USD", Decimal(10_000))
    assert run.problem == ""


async def test_a_start_adopts_a_plain_deployment(fence: AsyncFence) -> None:
    await fence.client.set(fence.keys.active, "blue")
    assert (await act(fence, Act.START)).code is CanaryCode.DONE
    authority = await fence.authority()
    assert authority is not None and authority.active is not None and authority.active.value == "blue"


async def gates(fence: AsyncFence, closed: str = "", *, by: str = "g1", run: str = "r1", age_ms: int = 0) -> None:
    """Somebody has asked the gates."""
    report = f"{run}\n{await server_ms(fence.client) - age_ms}\n{closed}\n"
    await fence.client.hset(fence.keys.canary_gates, by, report)


@pytest.mark.parametrize("reported", ["nothing", "another run", "long ago", "closed by one", "no hash"])
async def test_nothing_rises_by_itself_unless_gates_were_asked_lately_and_none_was_closed(
    fence: AsyncFence, reported: str
) -> None:
    reply = await begun(fence)
    if reported == "another run":
        await gates(fence, run="r0")
    elif reported == "long ago":
        await gates(fence, age_ms=6_000)
    elif reported == "closed by one":
        await gates(fence)
        await gates(fence, "disputes (escrow e1)", by="g2")
    elif reported == "no hash":
        await fence.client.set(fence.keys.canary_gates, "text")
    up: dict[str, Any] = {"target": 1, "source": Source.AGENT}
    refused = await act(fence, Act.STEP, reply.position, **up)
    assert (refused.code, refused.share) == (CanaryCode.CLOSED, 0)
    await fence.client.delete(fence.keys.canary_gates)
    await gates(fence)
    assert (await act(fence, Act.STEP, reply.position, **up)).code is CanaryCode.DONE


async def test_an_operators_step_up_needs_nobody_elses_word_for_the_gates(fence: AsyncFence) -> None:
    await gates(fence, "disputes (escrow e1)")
    assert (await at_step(fence, 1)).share == Decimal("0.05")


@pytest.mark.parametrize("part", ["commitments", "doubts"])
async def test_a_step_up_is_a_conflict_once_what_gates_were_asked_about_is_otherwise(
    fence: AsyncFence, part: str
) -> None:
    reply = await begun(fence)
    asked = basis(await fence.authority())
    await otherwise(fence, part)
    refused = await act(fence, Act.STEP, reply.position, target=1, basis=asked)
    assert (refused.code, refused.detail, refused.share) == (CanaryCode.CONFLICT, part, 0)
    asked = basis(await fence.authority())
    assert (await act(fence, Act.STEP, reply.position, target=1, basis=asked)).code is CanaryCode.DONE


async def test_the_canary_of_a_run_that_was_changed_since_it_was_read_is_not_started(fence: AsyncFence) -> None:
    await fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    for standing in (None, "4\n{}", "33\n{}", "{}"):
        if standing is not None:
            await fence.client.hset(fence.keys.upgrades, "current", standing)
        reply = await act(fence, Act.START, upgrade=3)
        assert (reply.code, reply.detail, reply.state) == (CanaryCode.CONFLICT, UPGRADE, None), standing
    await fence.client.hset(fence.keys.upgrades, "current", "3\n{}")
    asked = basis(await fence.authority())
    assert (await act(fence, Act.START, upgrade=3, basis=asked)).code is CanaryCode.DONE
    assert (await act(fence, Act.START, upgrade=3)).code is CanaryCode.AGAIN


async def test_a_start_while_nobody_is_active_is_refused(fence: AsyncFence) -> None:
    reply = await act(fence, Act.START)
    assert (reply.code, reply.detail) == (CanaryCode.CLOSED, "halted")


async def test_the_active_side_is_no_canary(fence: AsyncFence) -> None:
    await fence.switch(SwitchRequest("green", expected_epoch=0, by="op"))
    reply = await act(fence, Act.START)
    assert (reply.code, reply.detail) == (CanaryCode.CLOSED, "green is active itself")


async def test_of_two_runs_only_one_goes_on(fence: AsyncFence) -> None:
    await begun(fence)
    assert (await act(fence, Act.START, run="r2")).code is CanaryCode.ACTIVE
    assert (await act(fence, Act.START)).code is CanaryCode.AGAIN


async def test_a_step_carries_the_share_and_the_budget_of_the_plan(fence: AsyncFence) -> None:
    reply = await at_step(fence, 2)
    assert (reply.position, reply.share, reply.loss_budget) == (Position(2, 3), Decimal("0.20"), Decimal(60))


async def test_of_two_operators_who_promote_one_step_is_taken(fence: AsyncFence) -> None:
    first = await begun(fence)
    assert (await act(fence, Act.STEP, first.position, target=1)).code is CanaryCode.DONE
    late = await act(fence, Act.STEP, first.position, target=1)
    assert (late.code, late.position) == (CanaryCode.CONFLICT, Position(1, 2))


async def test_a_revision_of_another_step_is_a_conflict(fence: AsyncFence) -> None:
    reply = await at_step(fence, 1)
    wrong = Position(0, reply.position.revision)
    assert (await act(fence, Act.STEP, wrong, target=2)).code is CanaryCode.CONFLICT


async def test_no_step_is_skipped(fence: AsyncFence) -> None:
    reply = await begun(fence)
    assert (await act(fence, Act.STEP, reply.position, target=2)).code is CanaryCode.BADSTEP


async def test_a_plan_that_was_changed_meanwhile_is_a_conflict(fence: AsyncFence) -> None:
    reply = await begun(fence)
    assert (await act(fence, Act.STEP, reply.position, target=1, plan=OTHER)).code is CanaryCode.CONFLICT


async def test_a_call_for_another_run_is_a_conflict(fence: AsyncFence) -> None:
    reply = await begun(fence)
    assert (await act(fence, Act.STEP, reply.position, run="r0", target=1)).code is CanaryCode.CONFLICT


async def test_nothing_rises_while_new_risk_is_stopped(fence: AsyncFence) -> None:
    reply = await at_step(fence, 1)
    await fence.halt("op", "storm", level=Level.NO_NEW_ENTRIES)
    refused = await act(fence, Act.STEP, reply.position, target=2)
    assert (refused.code, refused.detail, refused.share) == (CanaryCode.CLOSED, "new risk is stopped", Decimal("0.05"))


async def test_nothing_rises_while_halted(fence: AsyncFence) -> None:
    reply = await at_step(fence, 1)
    await fence.halt("op", "storm")
    assert (await act(fence, Act.STEP, reply.position, target=2)).detail == "halted"


async def test_nothing_rises_while_the_plain_key_says_otherwise(fence: AsyncFence) -> None:
    reply = await at_step(fence, 1)
    await fence.client.set(fence.keys.active, "green")
    assert (await act(fence, Act.STEP, reply.position, target=2)).detail == "the plain key says otherwise"


async def test_capital_goes_down_at_once_even_while_halted(fence: AsyncFence) -> None:
    reply = await at_step(fence, 3)
    await fence.halt("op", "storm")
    lower = await act(fence, Act.LOWER, reply.position, target=1)
    assert (lower.code, lower.position, lower.share) == (CanaryCode.DONE, Position(1, 5), Decimal("0.05"))


async def test_lowering_never_raises(fence: AsyncFence) -> None:
    reply = await at_step(fence, 1)
    for target in (1, 2):
        assert (await act(fence, Act.LOWER, reply.position, target=target)).code is CanaryCode.BADSTEP


async def test_an_abort_needs_no_position_and_takes_all_capital_back(fence: AsyncFence) -> None:
    reply = await at_step(fence, 2)
    await fence.halt("op", "storm")
    done = await act(fence, Act.ABORT)
    assert (done.code, done.state, done.share, done.loss_budget) == (
        CanaryCode.DONE,
        RunState.ABORTED,
        Decimal(0),
        None,
    )
    assert done.position == Position(0, reply.position.revision + 1)
    assert (await act(fence, Act.ABORT)).code is CanaryCode.AGAIN


async def test_an_abort_with_a_position_is_compared_with_it(fence: AsyncFence) -> None:
    reply = await at_step(fence, 2)
    for wrong in (Position(1, 3), Position(2, 2)):
        assert (await act(fence, Act.ABORT, wrong)).code is CanaryCode.CONFLICT
    assert (await act(fence, Act.ABORT, reply.position)).code is CanaryCode.DONE


async def test_what_is_over_stays_over(fence: AsyncFence) -> None:
    await at_step(fence, 1)
    done = await act(fence, Act.ABORT)
    assert (await act(fence, Act.STEP, done.position, target=1)).code is CanaryCode.OVER
    assert (await act(fence, Act.PAUSE, done.position)).code is CanaryCode.OVER


async def finished(fence: AsyncFence) -> CanaryReply:
    last = await at_step(fence, 4)
    return await act(fence, Act.FINISH, last.position, target=4)


async def switched(fence: AsyncFence, to: str) -> None:
    await fence.switch(SwitchRequest(to, expected_epoch="any", by="op", mode="now"))


async def test_a_finished_canary_is_taken_back_as_long_as_its_side_does_not_act(fence: AsyncFence) -> None:
    done = await finished(fence)
    assert (done.state, done.share) == (RunState.DONE, Decimal(1))
    back = await act(fence, Act.ABORT)
    assert (back.code, back.state, back.share) == (CanaryCode.DONE, RunState.ABORTED, 0)
    assert (await act(fence, Act.STEP, back.position, target=1)).code is CanaryCode.OVER


async def test_a_finished_canary_whose_side_acts_is_over(fence: AsyncFence) -> None:
    await finished(fence)
    await switched(fence, "green")
    assert (await act(fence, Act.ABORT)).code is CanaryCode.OVER


async def test_a_roll_back_from_a_finished_canarys_side_takes_its_capital_back_in_the_same_step(
    fence: AsyncFence,
) -> None:
    done = await finished(fence)
    await switched(fence, "green")
    reading = (await read_async(fence.client, fence.keys)).reading
    assert reading is not None and (reading.run.state, reading.run.share) == (RunState.DONE, 1)
    await switched(fence, "blue")
    reading = (await read_async(fence.client, fence.keys)).reading
    assert reading is not None and (reading.run.state, reading.run.share) == (RunState.ABORTED, 0)
    assert reading.run.position == Position(0, done.position.revision + 1)


async def test_a_switch_to_where_a_finished_canary_does_not_stand_takes_nothing_back(fence: AsyncFence) -> None:
    await finished(fence)
    await fence.halt("op", "look")
    await fence.switch(SwitchRequest("blue", expected_epoch="any", by="op", why="looked", mode="now", resume=True))
    reading = (await read_async(fence.client, fence.keys)).reading
    assert reading is not None and (reading.run.state, reading.run.share) == (RunState.DONE, 1)


async def test_a_pause_keeps_the_revision_and_stops_every_rise(fence: AsyncFence) -> None:
    reply = await at_step(fence, 1)
    paused = await act(fence, Act.PAUSE, reply.position)
    assert (paused.state, paused.position, paused.since_ms) == (RunState.PAUSED, reply.position, reply.since_ms)
    assert (await act(fence, Act.PAUSE, reply.position)).code is CanaryCode.AGAIN
    assert (await act(fence, Act.STEP, reply.position, target=2)).code is CanaryCode.PAUSED
    assert (await act(fence, Act.RESUME, reply.position)).state is RunState.RUNNING
    assert (await act(fence, Act.STEP, reply.position, target=2)).code is CanaryCode.DONE


async def test_the_end_is_reached_only_from_the_last_step(fence: AsyncFence) -> None:
    reply = await at_step(fence, 3)
    assert (await act(fence, Act.FINISH, reply.position, target=3)).code is CanaryCode.NOT_LAST
    last = await act(fence, Act.STEP, reply.position, target=4)
    assert (await act(fence, Act.STEP, last.position, target=4)).code is CanaryCode.BADSTEP
    done = await act(fence, Act.FINISH, last.position, target=4)
    assert (done.state, done.share) == (RunState.DONE, Decimal(1))


async def test_there_is_no_step_behind_the_last(fence: AsyncFence) -> None:
    reply = await at_step(fence, 4)
    call = change(fence.keys, RunChange(Act.STEP, "r1", reply.position, by="op", why="", target=4, plan=PLAN))
    beyond = call._replace(args=(*call.args[:6], "5", *call.args[7:]))
    assert (await fence.call(beyond)).code is CanaryCode.BADSTEP


async def test_revisions_rise_over_all_runs_of_an_agent(fence: AsyncFence) -> None:
    await at_step(fence, 1)
    over = await act(fence, Act.ABORT)
    again = await act(fence, Act.START, run="r2")
    assert again.position == Position(0, over.position.revision + 1)


async def test_without_a_run_there_is_nothing_to_change(fence: AsyncFence) -> None:
    await fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    assert (await act(fence, Act.ABORT)).code is CanaryCode.NONE
    assert (await read_async(fence.client, fence.keys)).reading is None


async def test_every_change_is_a_control_event_and_an_audit_entry(fence: AsyncFence) -> None:
    reply = await begun(fence)
    done = await act(fence, Act.STEP, reply.position, target=1, audit={"id": "a1", "command": "canary promote"})
    ((_id, event),) = await fence.client.xrevrange(fence.keys.log, count=1)
    assert (event[b"k"], event[b"did"], event[b"share"], event[b"rev"]) == (b"canary", b"step", b"0.05", b"2")
    assert verify_chain(await fence.client.xrange(fence.keys.log)).ok
    ((_id, entry),) = await fence.client.xrevrange(fence.keys.audit, count=1)
    assert (entry[b"before"], entry[b"after"]) == (b"RUNNING, step 1, share 0", b"RUNNING, step 2, share 0.05")
    assert done.audit_id


async def test_a_change_says_what_it_was_decided_on(keys: Keys) -> None:
    with pytest.raises(UsageError):
        change(keys, RunChange(Act.STEP, "r1", None, by="op", why="", target=1, plan=PLAN))
    with pytest.raises(UsageError):
        change(keys, RunChange(Act.STEP, "r1", Position(0, 1), by="op", why="", target=1))
    with pytest.raises(UsageError):
        change(keys, RunChange(Act.START, "r1", None, by="op", why="", plan=PLAN, slot="green", currency="USD"))


async def test_a_plan_that_was_tampered_with_is_not_followed(fence: AsyncFence) -> None:
    await begun(fence)
    await fence.client.hset(ProofKeys.of(fence.keys).run, "plan", plan_text(OTHER))
    stored = await read_async(fence.client, fence.keys)
    assert stored.reading is not None and stored.reading.run.plan is None
    assert "not the one that was started" in stored.reading.run.problem


# -- the book


async def opened(fence: AsyncFence) -> str:
    return (await fence.call(take(fence.keys, "desk-1"))).token


async def test_a_stake_is_booked_for_the_recorded_step_only(fence: AsyncFence) -> None:
    reply = await at_step(fence, 1)
    token = await opened(fence)
    revision = reply.position.revision
    assert (await fence.call(give(fence.keys, token, "r1", revision, "b1", "{}", "L1"))).code is BookCode.OK
    assert (await fence.call(give(fence.keys, token, "r1", revision - 1, "b2", "{}", "L2"))).code is BookCode.MOVED
    assert (await fence.call(give(fence.keys, token, "r0", revision, "b2", "{}", "L2"))).code is BookCode.MOVED
    stored = await read_async(fence.client, fence.keys)
    assert (stored.ledger, stored.open_rounds) == ("L1", {"b1": "{}"})


async def test_an_aborted_canary_gets_no_further_stake(fence: AsyncFence) -> None:
    reply = await at_step(fence, 1)
    token = await opened(fence)
    await act(fence, Act.ABORT)
    said = await fence.call(give(fence.keys, token, "r1", reply.position.revision, "b1", "{}", "L1"))
    assert said.code is BookCode.MOVED


async def test_the_end_of_a_round_is_booked_whatever_the_step(fence: AsyncFence) -> None:
    reply = await at_step(fence, 1)
    token = await opened(fence)
    await fence.call(give(fence.keys, token, "r1", reply.position.revision, "b1", "{}", "L1"))
    await act(fence, Act.ABORT)
    assert (await fence.call(end(fence.keys, token, "b1", "L2"))).code is BookCode.OK
    stored = await read_async(fence.client, fence.keys)
    assert (stored.ledger, stored.open_rounds) == ("L2", {})


async def test_a_process_that_was_replaced_books_nothing(fence: AsyncFence) -> None:
    reply = await at_step(fence, 1)
    old = await opened(fence)
    new = await opened(fence)
    revision = reply.position.revision
    assert new != old
    for call in (
        give(fence.keys, old, "r1", revision, "b1", "{}", "L1"),
        turn(fence.keys, old, "r1", revision, "L1"),
        end(fence.keys, old, "b1", "L1"),
        report(fence.keys, old, "{}"),
    ):
        assert (await fence.call(call)).code is BookCode.TAKEN
    stored = await read_async(fence.client, fence.keys)
    assert (stored.ledger, stored.open_rounds) == ("", {})


async def test_a_new_page_is_begun_for_the_recorded_step_only(fence: AsyncFence) -> None:
    reply = await at_step(fence, 1)
    token = await opened(fence)
    assert (await fence.call(turn(fence.keys, token, "r1", 1, "L0"))).code is BookCode.MOVED
    assert (await fence.call(turn(fence.keys, token, "r1", reply.position.revision, "L1"))).code is BookCode.OK
    assert (await read_async(fence.client, fence.keys)).ledger == "L1"


async def test_the_track_keeps_the_newest_points(fence: AsyncFence) -> None:
    await begun(fence)
    token = await opened(fence)
    for number in range(510):
        await fence.call(report(fence.keys, token, "{}", f"[{number}]"))
    kept = await fence.client.lrange(ProofKeys.of(fence.keys).track, 0, -1)
    assert (len(kept), kept[0], kept[-1]) == (500, b"[10]", b"[509]")
