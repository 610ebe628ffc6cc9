"""Sharing money out exactly: who plays a round, or with which stakes, so that the canary's share is what was decided.

Amounts are whole millionths (`console.domain.fence.claims.to_micros`) and shares whole millionths of one, so that
nothing is ever rounded: what the canary is owed is an integer that never leaves the span of one bet of each size.

Within that span a round's way is drawn, not computed: the draw is what makes the comparison of the two versions fair,
and its probability is announced with the round, which is all that pseudo-outcomes need (`sequences.Adjusted`).
"""

from __future__ import annotations

from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from console.domain.canary.plan import Position
from console.domain.errors import UsageError

PPM: Final = 1_000_000


class Assignment(NamedTuple):
    """Who plays a round, and with what.

    Args:
        round_id: the round's.
        canary, stable: each version's stake; together exactly the round's amount.
        probability: with which the round was to go to the canary; 0 or 1 where there was no choice, and for a split.
        position: the step it was made in.
    """

    round_id: str
    canary: Decimal
    stable: Decimal
    probability: float
    position: Position

    @property
    def to_canary(self) -> bool:
        """Whether the canary has a stake in it."""
        return self.canary > 0

    @property
    def paired(self) -> bool:
        """Whether both versions have."""
        return self.canary > 0 and self.stable > 0


class RouterReading(NamedTuple):
    """Where the router stands.

    Args:
        position, share: in force.
        routed_share: the canary's share of the money given out in this step; None before the first round.
        exposure_canary, exposure_stable: at stake in rounds that are open.
        open_rounds: how many.
        balance: the canary's money won or lost in this step.
        budget_blocked: whether a stake was withheld from the canary because it alone could have broken the loss budget.
        refused: rounds refused: the cap, or an opposite position of the other version.
        too_large: stakes that alone exceed the step's loss budget: they go to stable, and nothing is learned of them.
    """

    position: Position
    share: Decimal
    routed_share: float | None
    exposure_canary: Decimal
    exposure_stable: Decimal
    open_rounds: int
    balance: Decimal
    budget_blocked: bool
    refused: int
    too_large: int = 0


def share_ppm(share: Decimal) -> int:
    """The share in millionths.

    Raises:
        UsageError: it does not lie between 0 and 1, or is finer than a millionth.
    """
    if not (share.is_finite() and 0 <= share <= 1):
        raise UsageError(f"A share lies between 0 and 1; {share} does not.")
    ppm = int(share * PPM)
    if ppm != share * PPM:
        raise UsageError(f"A share of {share} is finer than a millionth.")
    return ppm


class Tickets:
    """Draws a number from 0 to 1 (excluded) for a round: the same one for the same id, another under another key.

    Args:
        key: of the draw, at most 64 bytes.
    """

    __slots__ = ("_keyed",)

    def __init__(self, key: bytes) -> None:
        self._keyed = blake2b(digest_size=8, key=key)

    def draw(self, round_id: str) -> float:
        """The number of a round."""
        hashed = self._keyed.copy()  # a third of the time that setting the key anew takes
        hashed.update(round_id.encode("utf-8", "surrogatepass"))
        return (int.from_bytes(hashed.digest(), "big") >> 11) * 2.0**-53


def draw_probability(share: float) -> float:
    """With which probability a round that may go either way goes to the canary.

    Many rounds of a small share must go to stable to keep the span, so the others are drawn at up to twice the share;
    at equal bets this keeps 75 % (at a share of a half or a fifth) to 83 % (at 5 %) of the information of free draws.
    """
    two_sided = 2.0 * share * (1.0 - share)
    return two_sided if share <= 0.5 else 1.0 - two_sided


def _size(amount: int) -> int:
    """Bets of one size are apart by less than four times."""
    return amount.bit_length() // 2


class Ledger:
    """What the canary was given, and what it is owed, at one share.

    Bets are routed size by size: within a size none is so large beside the others that there is no choice left but to
    give it to one version. Else large stakes are those that are not drawn, and of what they do nothing is learned.

    Args:
        ppm: the share, in millionths.
    """

    __slots__ = ("_draw", "_sizes", "canary", "largest", "ppm", "total")

    def __init__(self, ppm: int) -> None:
        self.ppm = ppm
        self._draw = draw_probability(ppm / PPM)
        self.total = 0
        self.canary = 0
        self.largest = 0
        self._sizes: dict[int, list[int]] = {}

    @property
    def owed(self) -> int:
        """What the canary is owed, in millionths of a millionth.

        When routing at most one largest bet of each size, either way: together less than two and a half of the largest.
        """
        return self.ppm * self.total - PPM * self.canary

    def _of_size(self, amount: int) -> list[int]:
        """Total, canary's part and largest bet of a size."""
        return self._sizes.setdefault(_size(amount), [0, 0, 0])

    def route(self, amount: int, drawn: float) -> tuple[bool, float]:
        """Who gets the whole of a bet.

        Args:
            amount: in millionths, above 0.
            drawn: from `Tickets`.

        Returns:
            Whether the canary does, and the probability with which it was to: 0 or 1 where there was no choice.
        """
        self.largest = max(self.largest, amount)
        of_size = self._of_size(amount)
        total, canary, largest = of_size
        largest = max(largest, amount)
        span = PPM * largest
        ppm = self.ppm
        owed = ppm * (total + amount) - PPM * canary
        may_canary = ppm > 0 and owed - PPM * amount >= -span
        may_stable = ppm < PPM and owed <= span
        probability = self._draw if may_canary and may_stable else float(may_canary)
        to_canary = drawn < probability
        part = amount if to_canary else 0
        of_size[:] = total + amount, canary + part, largest
        self.total += amount
        self.canary += part
        return to_canary, probability

    def split(self, amount: int, quantum: int) -> int:
        """The canary's part of a bet that both play, in whole quanta; what could not be given, less than one, is owed.

        Args:
            amount, quantum: in millionths, above 0.
        """
        self.largest = max(self.largest, amount)
        self.total += amount
        if self.ppm == PPM:
            part = amount
        else:
            owed = self.ppm * self.total - PPM * self.canary
            part = min(owed // (PPM * quantum) * quantum, amount) if owed > 0 else 0
        self.canary += part
        return part

    def withhold(self, amount: int) -> None:
        """A bet that went to stable whatever was owed: it changes what is owed in no way."""
        self.largest = max(self.largest, amount)

    def state(self) -> list[Any]:
        """What `restore` goes on from; whole numbers, so that nothing is ever rounded."""
        sizes = [[size, *of_size] for size, of_size in sorted(self._sizes.items())]
        return [self.ppm, self.total, self.canary, self.largest, sizes]

    @classmethod
    def restored(cls, state: object) -> Ledger:
        """A ledger from its state; from one of the earlier release, which knew no sizes, every size begins even.

        Raises:
            UsageError: it is none.
        """
        whole, sizes = (state[:4], state[4] if len(state) == 5 else []) if isinstance(state, list) else ([], [])
        if not (len(whole) == 4 and all(_counts(n) for n in whole) and isinstance(sizes, list)):
            raise UsageError("The state of the ledger can't be read.")
        ledger = cls(whole[0])
        ledger.total, ledger.canary, ledger.largest = whole[1:]
        for one in sizes:
            if not (isinstance(one, list) and len(one) == 4 and all(_counts(n) for n in one) and one[2] <= one[1]):
                raise UsageError("The state of the ledger can't be read.")
            ledger._sizes[one[0]] = one[1:]
        if ledger.ppm > PPM or ledger.canary > ledger.total:  # `largest` may be that of a bet withheld or taken back
            raise UsageError("The state of the ledger contradicts itself.")
        return ledger

    def take_back(self, amount: int, canary: int) -> None:
        """A bet that was given out and will be drawn anew; `largest` stays, which only widens the span."""
        self.total -= amount
        self.canary -= canary
        of_size = self._sizes.get(_size(amount))
        if of_size is not None and of_size[0] >= amount and of_size[1] >= canary:
            of_size[0] -= amount
            of_size[1] -= canary


def _counts(number: object) -> bool:
    return type(number) is int and number >= 0
