"""Past returns from decision logs: what a round won or lost over what was at risk in it."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

from console.domain.canary.history import History, Returns
from console.domain.canary.outlook import Bet
from console.domain.seen.decision import Rejection
from console.logs.files.whole import pulls, starts
from console.logs.lines.careful import amount_at, load
from console.logs.lines.parse import Parser, version_text
from console.logs.options import LogOptions, check_path


class Read(NamedTuple):
    """What was read of the logs.

    Args:
        history: of the returns of each round that moved money, in the order of the files.
        refused: lines that are no decision.
        without_stake: rounds with a PnL that state no stake above 0.
        of_no_slot: rounds with a PnL whose version belongs to no slot.
        bets: up to `SAMPLE` of these rounds, drawn evenly from all of them.
        pace_s: seconds from one round to the next, on average; None where the records tell no time, or a single one.
    """

    history: History
    refused: int
    without_stake: int
    of_no_slot: int
    bets: tuple[Bet, ...] = ()
    pace_s: float | None = None


SAMPLE: Final = 5000
"""Rounds kept to be drawn again: enough for a tail of one in a thousand."""


def read_returns(paths: list[Path], stake_path: str, options: LogOptions, *, slot: str, currency: str) -> Read:
    """The returns of one slot's executed rounds in one currency.

    Args:
        paths: of whole files, oldest first.
        stake_path: where in a record the money at risk stands, as names joined by dots.
        options: where the rest stands.
        slot: whose rounds count.
        currency: whose rounds count; those that name none count too.

    Raises:
        UsageError: a file can't be read, or the path is none.
    """
    check_path(stake_path)
    returns, parser = Returns(), Parser(options)
    bets: list[Bet] = []
    chance = random.Random(SAMPLE)  # noqa: S311 -- one log has one sample
    first = last = None
    refused = without_stake = of_no_slot = 0
    files = zip(paths, starts(paths), strict=True)
    for pull in (pull for path, start in files for pull in pulls(path, options.max_line_bytes, start=start)):
        refused += pull.too_long
        if pull.block is None:
            continue
        parsed = parser.parse(pull.block)
        refused += parsed.rejected.total() - parsed.rejected[Rejection.BAD_PNL]
        for line, row in zip(parsed.accepted(), parsed.rows(), strict=True):
            if row.amount is None or row.dry or row.currency not in (None, currency):
                continue
            placed = options.slot_of(version_text(row.version), row.slot)
            if placed != slot:
                of_no_slot += not placed
                continue
            stake = _stake(line, stake_path)
            if stake is None or stake <= 0:
                without_stake += 1
                continue
            value = float(row.amount / stake)
            returns.add(value)
            first, last = row.time_s if first is None else first, row.time_s
            bet = Bet(float(stake), value)
            if len(bets) < SAMPLE:
                bets.append(bet)
            elif (place := chance.randrange(returns.count)) < SAMPLE:
                bets[place] = bet
    history = returns.history()
    took_s = float(last - first) if first is not None and last is not None else 0.0
    pace_s = took_s / (history.rounds - 1) if took_s > 0.0 and history.rounds > 1 else None
    return Read(history, refused, without_stake, of_no_slot, tuple(bets), pace_s)


def _stake(line: bytes, path: str) -> Decimal | None:
    try:
        return amount_at(load(line), path)
    except (ValueError, RecursionError):  # in a part of the record that nothing else looks into
        return None
