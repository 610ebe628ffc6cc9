"""The odds of the simulated venue: invented, seeded, and kind to those who don't second-guess them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Final

CENT: Final = Decimal("0.01")
MINIMUM_BET: Final = Decimal("0.01")
COIN_HEADS: Final = 0.58
"""The coin is not fair; an agent that always calls heads earns, one that second-guesses it does not."""
COIN_PAYS: Final = Decimal("1.90")
DIE_LOW: Final = 0.58
DIE_PAYS: Final = Decimal("1.90")
CRASH_KIND_UP_TO: Final = 2.2
"""Up to this multiplier a crash round returns a little more than was staked on average, beyond it less."""
CRASH_KIND: Final = 1.08
CRASH_HARSH: Final = 0.93


class BadBetError(ValueError):
    """The bet can't be played; the text says why."""


@dataclass(frozen=True, slots=True)
class Round:
    """One settled round.

    Args:
        result: what came, as text.
        won: whether the bet did.
        multiplier: what was paid for each unit staked; 0 for a lost bet.
        amount_won: what was paid, in whole cents.
    """

    result: str
    won: bool
    multiplier: Decimal
    amount_won: Decimal


def play(game: str, bet: dict[str, object], amount: Decimal, dice: random.Random) -> Round:
    """Settle one bet.

    Args:
        game: coin-flip, dice or crash.
        bet: `side` heads or tails; `call` low or high; `cash_out` a multiplier above 1.
        amount: staked.
        dice: where chance comes from.

    Raises:
        BadBetError: there is no such game or call.
    """
    if game == "coin-flip":
        side = bet.get("side")
        if side not in ("heads", "tails"):
            raise BadBetError("side is heads or tails")
        came = "heads" if dice.random() < COIN_HEADS else "tails"
        return _paid(came, came == side, COIN_PAYS, amount)
    if game == "dice":
        call = bet.get("call")
        if call not in ("low", "high"):
            raise BadBetError("call is low or high")
        low = dice.random() < DIE_LOW
        rolled = dice.randint(1, 50) if low else dice.randint(51, 100)
        return _paid(str(rolled), (call == "low") == low, DIE_PAYS, amount)
    if game == "crash":
        wanted = bet.get("cash_out")
        if not isinstance(wanted, int | float) or not 1.01 <= wanted <= 1000:
            raise BadBetError("cash_out is a multiplier from 1.01 to 1000")
        chance = (CRASH_KIND if wanted <= CRASH_KIND_UP_TO else CRASH_HARSH) / wanted
        won = dice.random() < chance
        crashed = wanted * (1 + dice.random()) if won else 1 + (wanted - 1) * dice.random()
        return _paid(f"{crashed:.2f}x", won, Decimal(str(round(wanted, 2))), amount)
    raise BadBetError(f"there is no game {game[:20]!r}")


def _paid(result: str, won: bool, pays: Decimal, amount: Decimal) -> Round:
    paid = (amount * pays).quantize(CENT, ROUND_DOWN) if won else Decimal("0.00")
    return Round(result, won, pays if won else Decimal(0), paid)
