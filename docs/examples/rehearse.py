"""A new version's decisions for `agent-console rehearse`: JSON lines of rounds in, JSON lines of decisions out.

    agent-console rehearse --log /var/log/atlas/blue.jsonl --last 24h -- python rehearse.py

It decides, and touches neither the store nor the venue. Each line is written at once, and the round that it answers is
named in it. What it would have earned by its own reckoning, if it has one, stands where the log has it: `output.pnl`.
"""

import json
import sys
from decimal import Decimal


def decide(inputs: dict[str, object]) -> dict[str, object]:
    """Yours: the same function that the new version decides with."""
    cheap = Decimal(str(inputs["price"])) < 103
    return {"action": "BUY" if cheap else "HOLD", "amount": "1.50" if cheap else "0"}


for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = {"output": decide(asked["inputs"])}
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:  # it says so; that counts as a difference
        answer = {"error": f"{type(error).__name__}: {error}"}
    sys.stdout.write(json.dumps({"round": asked["round"], **answer}) + "\n")
    sys.stdout.flush()
