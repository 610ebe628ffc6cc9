"""The protocol as one page of Python, written from the contract and not from the scripts.

Time does not pass in it: leases and drain deadlines are longer than any run. Epochs are counted, not dated.
"""

from __future__ import annotations

from dataclasses import dataclass, field

RANKS = {"enter": 1, "adjust": 2, "reduce": 3}


@dataclass
class Held:
    """A claim without an end."""

    claim_id: str
    slot: str
    tenure: int
    parameters: str
    doubtful: bool = False


@dataclass
class Model:
    """Who may act, and what was acted on."""

    epoch: int = 0
    phase: str = "NONE"
    active: str = ""
    target: str = ""
    previous: str = ""
    level: int = 0
    tenure: int = 0
    plain: str | None = None
    held: dict[str, Held] = field(default_factory=dict)
    done: dict[str, tuple[str, str, str]] = field(default_factory=dict)

    # -- the operator --------------------------------------------------------------------------------------------------

    def _activate(self, slot: str) -> None:
        if self.active not in ("", slot):
            self.previous = self.active
        self.epoch += 1
        self.tenure = self.epoch
        self.phase, self.active, self.target, self.plain = "RUN", slot, "", slot

    def _stop(self) -> None:
        if self.active:
            self.previous = self.active
        self.epoch += 1
        self.phase, self.active, self.target, self.level, self.plain = "HALT", "", "", 3, "halted"

    def _finish_drain(self) -> None:
        if self.phase == "DRAIN" and all(claim.doubtful for claim in self.held.values()):
            self._activate(self.target)

    def _adopt(self) -> None:
        if self.phase == "RUN" and self.plain != self.active:
            if self.plain in ("blue", "green"):
                self._activate(str(self.plain))
            else:
                self._stop()
        elif self.phase == "HALT":
            self.plain = "halted"
        elif self.phase == "DRAIN":
            self.plain = "draining"

    def tend(self) -> None:
        """Housekeeping."""
        if self.phase != "NONE":
            self._adopt()
            self._finish_drain()

    def switch(self, target: str, expected: int, mode: str, resume: bool) -> str:
        """An operator's switch; `expected` is an epoch of this model's, -1 for any."""
        fresh = self.phase == "NONE"
        if fresh:
            if expected > 0:
                return "CONFLICT"
            if self.plain == "halted" and not resume:
                return "HALTED"
            if self.plain in ("blue", "green"):
                self._activate(str(self.plain))
                fresh = False
            elif target == "previous":
                return "NO_PREVIOUS"
        else:
            self._finish_drain()
            self._adopt()
            if expected not in (-1, self.epoch):
                return "CONFLICT"
        if target == "previous":
            target = self.previous
            if target in ("", self.active):
                return "NO_PREVIOUS"
        if self.phase == "HALT" and not resume:
            return "HALTED"
        if self.phase == "RUN" and self.active == target:
            if resume and self.level:
                self.level = 0
                self.epoch += 1
                return "RESUMED"
            return "NOOP"
        if resume:
            self.level = 0
        if mode == "drain" and not fresh and any(not claim.doubtful for claim in self.held.values()):
            if self.active:
                self.previous = self.active
            self.epoch += 1
            self.phase, self.target, self.active, self.plain = "DRAIN", target, "", "draining"
            return "DRAINING"
        self._activate(target)
        return "SWITCHED"

    def halt(self, level: int) -> str:
        """Stop more."""
        if level < 3 and self.phase == "NONE":
            return "NOINIT"
        if self.phase == "HALT" or (self.phase != "NONE" and self.level >= level):
            return "AGAIN"
        if level < 3:
            self.level = level
            self.epoch += 1
            return "LEVEL"
        self._stop()
        return "HALTED"

    # -- the agents ----------------------------------------------------------------------------------------------------

    def claim(self, slot: str, epoch: int, key: str, claim_id: str, parameters: str, direction: str) -> str:
        """Ask to act."""
        if self.phase == "NONE":
            return "NOINIT"
        if key in self.done:
            return "DONE" if self.done[key][1] == parameters else "MISMATCH"
        self._finish_drain()
        if key in self.held:
            claim = self.held[key]
            if claim.parameters != parameters:
                return "MISMATCH"
            if claim.doubtful:
                return "IN_DOUBT"
            if claim.claim_id != claim_id:
                return "BUSY"
            return "DUP" if self.phase == "RUN" and epoch == self.epoch else "STALE_HELD"
        if self.phase == "HALT":
            return "HALTED"
        if self.phase == "DRAIN":
            return "DRAINING"
        if self.active != slot:
            return "NOT_ACTIVE"
        if epoch != self.epoch:
            return "STALE"
        if self.plain != self.active:
            return "DIVERGED"
        if RANKS[direction] <= self.level:
            return "LEVEL"
        self.held[key] = Held(claim_id, slot, self.epoch, parameters)
        return "GRANTED"

    def settle(self, key: str, claim_id: str, outcome: str, parameters: str) -> str:
        """Tell how it ended."""
        if self.phase == "NONE":
            return "NOINIT"
        claim = self.held.get(key)
        if claim is None or claim.claim_id != claim_id:
            if key in self.done and self.done[key][0] == claim_id:
                return "ALREADY"
            if outcome in ("ok", "unknown"):
                if key in self.done or key in self.held:
                    if self.phase == "RUN":
                        self._stop()  # a double spend, or perhaps one, and no side here is known healthy
                elif outcome == "ok":
                    self.done[key] = (claim_id, parameters, "ok")
                else:
                    self.held[key] = Held(claim_id, "", self.epoch, parameters, doubtful=True)
            return "LATE"
        if outcome == "unknown":
            claim.doubtful = True
            self._finish_drain()
            return "DOUBT"
        del self.held[key]
        if outcome != "abort":
            self.done[key] = (claim_id, claim.parameters, outcome)
        self._finish_drain()
        return "RELEASED" if outcome == "abort" else "SETTLED"

    def resolve(self, key: str, claim_id: str, executed: bool) -> str:
        """Evidence on a claim in doubt, from a venue that burns keys."""
        if self.phase == "NONE":
            return "NOINIT"
        claim = self.held.get(key)
        if claim is None or claim.claim_id != claim_id:
            return "ALREADY" if key in self.done and self.done[key][0] == claim_id else "NOT_IN_DOUBT"
        if not claim.doubtful:
            return "NOT_IN_DOUBT"
        del self.held[key]
        if executed:
            self.done[key] = (claim_id, claim.parameters, "ok")
        return "RESOLVED"
