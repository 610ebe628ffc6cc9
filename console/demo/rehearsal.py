"""The demo's agent under rehearsal: the same strategy over recorded inputs, without a store and without a venue.

    agent-console rehearse --type bet --log BLUE.jsonl \\
      --ignore output.bet_id,output.result,output.won,output.amount_won,output.executed \\
      -- python -m console.demo.rehearsal --greed 1.5
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from decimal import Decimal
from typing import Any, TextIO

from console.demo.agent import Strategy, action, number


def decisions(strategy: Strategy, rounds: TextIO, seed: int) -> None:
    """Decide on each recorded round, and write what would be bet."""
    chance = random.Random(seed)  # noqa: S311 - a game's chance, not a secret's
    for line in rounds:
        asked: dict[str, Any] = json.loads(line)
        inputs = asked["inputs"]
        target = number(inputs["flags"], "crash_target", 2.0)
        bet, _ = strategy.choose(str(inputs["game"]), target, chance)
        amount = Decimal(str(inputs["amount"]))
        output = {"action": f"BET {action(bet, amount)}", **bet, "amount_bet": float(amount)}
        sys.stdout.write(json.dumps({"round": asked["round"], "output": output}) + "\n")
        sys.stdout.flush()


def main() -> None:
    """`python -m console.demo.rehearsal --greed 1.5 < ROUNDS`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--second-guess", type=float, default=0.0, help="share of calls made against the odds")
    parser.add_argument("--greed", type=float, default=1.0, help="factor on the flag crash_target")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    decisions(Strategy(given.second_guess, given.greed), sys.stdin, given.seed)


if __name__ == "__main__":
    main()
