"""The odds of the simulated venue: invented, seeded, and kind to those who don't second-guess them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from math import floor
from typing import Final

CENT: Final = Decimal("0.01")
MINIMUM_BET: Final = Decimal("0.01")
COIN_HEADS: Final = 0.58
"""The coin is not fair; an agent that always calls heads earns, one that second-guesses it does not."""
COIN_PAYS: Final = Decimal("1.90")
DIE_LOW: Final = 0.58
DIE_HALF: Final = 50
"""Up to it a roll is low, up to twice as much high."""
DIE_PAYS: Final = Decimal("1.90")
CRASH_KIND_UP_TO: Final = 2.2
"""Up to this multiplier a crash round returns a little more than was staked on average, beyond it less."""
CRASH_KIND: Final = 1.08
CRASH_HARSH: Final = 0.93
CRASH_AT_MOST: Final = 1000.0


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


def play(game: str, bet: Mapping[str, object], amount: Decimal, dice: random.Random) -> Round:
    """Settle one bet.

    Args:
        game: coin-flip, dice or crash.
        bet: `side` heads or tails; `call` low or high; `cash_out` a multiplier above 1.
        amount: staked.
        dice: where chance comes from; what comes does not depend on the bet.

    Raises:
        BadBetError: there is no such game or call.
    """
    if game == "coin-flip":
        if bet.get("side") not in ("heads", "tails"):
            raise BadBetError("side is heads or tails")
        came = "heads" if dice.random() < COIN_HEADS else "tails"
    elif game == "dice":
        if bet.get("call") not in ("low", "high"):
            raise BadBetError("call is low or high")
        low = dice.random() < DIE_LOW
        came = str(dice.randint(1, DIE_HALF) if low else dice.randint(DIE_HALF + 1, 2 * DIE_HALF))
    elif game == "crash":
        wanted = bet.get("cash_out")
        if not isinstance(wanted, int | float) or not 1.01 <= wanted <= CRASH_AT_MOST:
            raise BadBetError("cash_out is a multiplier from 1.01 to 1000")
        came = f"{crash_point(1.0 - dice.random()):.2f}x"
    else:
        raise BadBetError(f"there is no game {game[:20]!r}")
    pays = _pays(bet, came)
    assert pays is not None
    return Round(came, pays > 0, pays, (amount * pays).quantize(CENT, ROUND_DOWN))


def crash_point(chance: float) -> float:
    """Where a crash round ends: at a multiplier or beyond it with the odds of the game.

    Args:
        chance: even between 0 and 1, 0 left out.
    """
    if chance <= CRASH_HARSH / CRASH_KIND_UP_TO:
        point = min(CRASH_HARSH / chance, CRASH_AT_MOST)
    elif chance <= CRASH_KIND / CRASH_KIND_UP_TO:
        point = CRASH_KIND_UP_TO
    else:
        point = CRASH_KIND / chance
    return floor(point * 100) / 100


def brought(bet: Mapping[str, object], amount: Decimal, came: str) -> Decimal | None:
    """What a bet wins or loses in a round that came out so, whoever played it; None in a round of another game."""
    pays = _pays(bet, came)
    return None if pays is None else (amount * pays).quantize(CENT, ROUND_DOWN) - amount


def _pays(bet: Mapping[str, object], came: str) -> Decimal | None:
    if "side" in bet and came in ("heads", "tails"):
        return COIN_PAYS if came == bet["side"] else Decimal(0)
    if "call" in bet and came.isdecimal():
        return DIE_PAYS if bet["call"] == ("low" if int(came) <= DIE_HALF else "high") else Decimal(0)
    wanted = bet.get("cash_out")
    if isinstance(wanted, int | float) and came.endswith("x"):
        return Decimal(str(round(wanted, 2))) if wanted <= float(came.removesuffix("x")) else Decimal(0)
    return None
