"""Any sequence of acts leaves the store where the model, written independently, says it should be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from console.domain.fence.chain import verify_chain
from console.domain.fence.claims import Direction, Level, Outcome
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.fence.claims import Intent, Proof, Resolution
from tests.faults.model import Model

LONG = 3_600_000
KEYS = st.sampled_from(["a", "b", "c"])
SLOTS = st.sampled_from(["blue", "green"])


class Protocol(RuleBasedStateMachine):
    """Drives the store and the model side by side. `epochs[n]` is the store's epoch for the model's n."""

    fence: Fence

    @initialize(plain=st.sampled_from([None, "blue", "green", "halted", "purple"]))
    def begin(self, plain: str | None) -> None:
        self.fence.client.flushdb()
        self.model = Model(plain=plain)
        if plain is not None:
            self.fence.client.set(self.fence.keys.active, plain)
        self.epochs = {0: 0}
        self.granted: list[tuple[Intent, str]] = []
        self.number = 0

    def _note(self) -> None:
        authority = self.fence.authority()
        if authority is None:
            assert self.model.phase == "NONE"
            return
        self.epochs[self.model.epoch] = authority.epoch

    def _epoch(self, age: int) -> int:
        known = sorted(self.epochs)
        return known[max(0, len(known) - 1 - age)]

    # -- the operator --------------------------------------------------------------------------------------------------

    @rule(
        to=st.sampled_from(["blue", "green", "previous"]),
        age=st.integers(0, 2),
        blind=st.booleans(),
        mode=st.sampled_from(["drain", "now"]),
        resume=st.booleans(),
    )
    def switch(self, to: str, age: int, blind: bool, mode: str, resume: bool) -> None:
        seen = self._epoch(age)
        reply = self.fence.switch(
            SwitchRequest(
                to,
                expected_epoch="any" if blind else self.epochs[seen],
                mode=mode,
                drain_ms=LONG,
                by="op",
                why="w",
                resume=resume,
            )
        )
        assert reply.code == self.model.switch(to, -1 if blind else seen, mode, resume)
        self._note()

    @rule(level=st.sampled_from([1, 2, 3]))
    def halt(self, level: int) -> None:
        assert self.fence.halt("op", "w", level=Level.of_rank(level)).code == self.model.halt(level)
        self._note()

    @rule(value=st.sampled_from(["blue", "green", "halted", "purple", None]))
    def write_by_hand(self, value: str | None) -> None:
        if value is None:
            self.fence.client.delete(self.fence.keys.active)
        else:
            self.fence.client.set(self.fence.keys.active, value)
        self.model.plain = value

    @rule()
    def tend(self) -> None:
        self.fence.tend()
        self.model.tend()
        self._note()

    # -- the agents ----------------------------------------------------------------------------------------------------

    @rule(
        slot=SLOTS,
        key=KEYS,
        other=st.booleans(),
        age=st.sampled_from([0, 0, 0, 1]),
        direction=st.sampled_from(["enter", "adjust", "reduce"]),
    )
    def claim(self, slot: str, key: str, other: bool, age: int, direction: str) -> None:
        self.number += 1
        seen = self._epoch(age)
        intent = Intent(
            key,
            f"c{self.number}",
            slot,
            self.epochs[seen],
            f"{slot}-1",
            Decimal(2 if other else 1),
            "USD",
            Direction(direction),
            "",
            LONG,
            self.epochs[seen],
        )
        parameters = f"{other} {direction}"
        self._claim(intent, seen, parameters)

    @rule(data=st.data())
    def claim_again(self, data: st.DataObject) -> None:
        if self.granted:
            intent, parameters = data.draw(st.sampled_from(self.granted))
            seen = next(n for n, epoch in self.epochs.items() if epoch == intent.epoch)
            self._claim(intent, seen, parameters)

    def _claim(self, intent: Intent, seen: int, parameters: str) -> None:
        code = self.fence.claim(intent).code
        expected = self.model.claim(intent.slot, seen, intent.key, intent.claim_id, parameters, intent.direction)
        assert code == expected
        if code == "GRANTED":
            self.granted.append((intent, parameters))
        self._note()

    @rule(data=st.data(), outcome=st.sampled_from(list(Outcome)))
    def settle(self, data: st.DataObject, outcome: Outcome) -> None:
        if self.granted:
            intent, parameters = data.draw(st.sampled_from(self.granted))
            code = self.fence.settle(intent, outcome).code
            assert code == self.model.settle(intent.key, intent.claim_id, outcome.value, parameters)
            self._note()

    @rule(data=st.data(), executed=st.booleans())
    def resolve(self, data: st.DataObject, executed: bool) -> None:
        if self.granted:
            intent, _parameters = data.draw(st.sampled_from(self.granted))
            reply = self.fence.resolve(
                Resolution(intent.key, intent.claim_id, executed=executed, proof=Proof.BURNED, by="op", evidence="e")
            )
            assert reply.code == self.model.resolve(intent.key, intent.claim_id, executed)

    # -- what must always hold -----------------------------------------------------------------------------------------

    @invariant()
    def the_store_is_where_the_model_is(self) -> None:
        if not hasattr(self, "model"):
            return
        model, authority = self.model, self.fence.authority()
        plain: Any = self.fence.client.get(self.fence.keys.active)
        assert (plain.decode() if plain is not None else None) == model.plain
        if authority is None:
            assert model.phase == "NONE"
            return
        assert authority.phase == model.phase
        assert (authority.active or "", authority.target or "", authority.previous or "") == (
            model.active,
            model.target,
            model.previous,
        )
        assert authority.generation == model.epoch
        assert {c.key: (c.claim_id, c.in_doubt) for c in self.fence.open_claims()} == {
            key: (held.claim_id, held.doubtful) for key, held in model.held.items()
        }
        assert list(self.epochs.values()) == sorted(self.epochs.values())
        for stream, head in (
            (self.fence.keys.actions, authority.action_head),
            (self.fence.keys.log, authority.log_head),
        ):
            entries: Any = self.fence.client.xrange(stream)
            assert verify_chain(entries, head=head).ok


@contextmanager
def on(fence: Fence) -> Iterator[type[Protocol]]:
    yield type("Bound", (Protocol,), {"fence": fence})


def run(fence: Fence, examples: int, steps: int) -> None:
    """Try that many sequences of that length."""
    with on(fence) as machine:
        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            machine,
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


@pytest.mark.timeout(300)
def test_every_sequence_of_acts_ends_where_the_model_says(valkey_sync: Any, keys: Any) -> None:
    run(Fence(valkey_sync, keys), 60, 25)
