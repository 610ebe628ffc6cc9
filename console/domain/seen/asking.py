"""What is asked of decisions: words of theirs, and terms about slot, type, version, currency, time and money.

    slot:green type:cash_out pnl<-5 "below target" !reasoning

Terms are joined by "and"; `!` before one is its opposite. A word without a capital letter is found in either case, with
one exactly, anywhere in a record as it is written. `re:` takes the rest of the line for a pattern.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from operator import eq, ge, gt, le, lt
from typing import Final, NamedTuple

from console.domain.errors import UsageError
from console.domain.operator.moment import parse_moment
from console.domain.text import clean

MOST_TERMS: Final = 16
_LARGEST: Final = 30
"""The power of ten up to which an amount is money."""
_TERM: Final = re.compile(r'!?"[^"]*"|\S+')
_MONEY: Final = re.compile(r"pnl(<=|>=|<|>|=)(.+)\Z", re.IGNORECASE)
_NAMED: Final = re.compile(r"(slot|type|version|currency|since|until):(.*)\Z", re.IGNORECASE | re.DOTALL)
_MINUS: Final = str.maketrans("\u2212", "-")
_SIGNS: Final[dict[str, Callable[[Decimal, Decimal], bool]]] = {"<": lt, "<=": le, "=": eq, ">=": ge, ">": gt}
SLOTS: Final = ("blue", "green", "none")


class Bound(NamedTuple):
    """A bound on a round's profit or loss.

    Args:
        sign: `<`, `<=`, `=`, `>=` or `>`.
        amount: in whatever currency a round states.
    """

    sign: str
    amount: Decimal

    def holds(self, amount: Decimal | None) -> bool:
        """Whether a round keeps it; one that states no PnL keeps none."""
        if amount is None:
            return False
        return _SIGNS[self.sign](amount, self.amount)

    def possible(self, least: Decimal, most: Decimal) -> bool:
        """Whether an amount between two could keep it."""
        if self.sign == "=":
            return least <= self.amount <= most
        return self.holds(least if self.sign.startswith("<") else most)


class Term(NamedTuple):
    """One term.

    Args:
        name: "slot", "type", "version", "currency", "pnl", "word" or "pattern".
        value: what is looked for; empty for a PnL.
        negated: whether rounds that match are left out.
        bound: of a PnL.
        test: of a pattern.
    """

    name: str
    value: str
    negated: bool = False
    bound: Bound | None = None
    test: Callable[[str], bool] | None = None


class Ask(NamedTuple):
    """A question, as it was understood.

    Args:
        terms: all of which have to hold.
        since, until: aware UTC; the time lies from the first to before the second; None for no bound.
    """

    terms: tuple[Term, ...] = ()
    since: datetime | None = None
    until: datetime | None = None


def parse_ask(text: str, now: datetime, pattern: Callable[[str], Callable[[str], bool]]) -> Ask:
    """What a text asks.

    Args:
        text: as in the module's example.
        now: aware UTC, for `since:15m`.
        pattern: makes the test of a `re:` pattern.

    Raises:
        UsageError: a term can't be understood, or there are too many.
    """
    terms: list[Term] = []
    since = until = None
    for match in _TERM.finditer(text):
        whole = match.group()
        negated = whole.startswith("!")
        part = whole[1:] if negated else whole
        if part.startswith("re:"):
            rest = text[match.start() + negated + 3 :].strip()
            if not rest:
                raise UsageError("The pattern is empty.")
            terms.append(Term("pattern", rest, negated, test=pattern(rest)))
            break
        named, money = _NAMED.match(part), _MONEY.match(part)
        if named and named[1].lower() in ("since", "until"):
            if negated:
                raise UsageError(f"{clean(whole, 40)}: a time has no opposite.", "since: and until: are each other's.")
            moment = parse_moment(named[2], now)
            since, until = (moment, until) if named[1].lower() == "since" else (since, moment)
        elif named:
            terms.append(_named(named[1].lower(), named[2], negated))
        elif money:
            terms.append(Term("pnl", "", negated, Bound(money[1], _amount(money[2]))))
        elif part:
            terms.append(Term("word", part.strip('"') if part.startswith('"') else part, negated))
    if len(terms) > MOST_TERMS:
        raise UsageError(f"That are {len(terms)} terms; at most {MOST_TERMS} are looked for at once.")
    return Ask(tuple(term for term in terms if term.value or term.bound), since, until)


def _named(name: str, value: str, negated: bool) -> Term:
    if name == "slot" and value.lower() not in SLOTS:
        raise UsageError(f"There is no slot {clean(value, 20)!r}.", "slot:blue, slot:green, or slot:none for neither.")
    if not value and name != "currency":
        raise UsageError(f"{name}: what?", f"Say it without a space between: {name}:NAME")
    return Term(name, value.lower() if name == "slot" else value, negated)


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text.translate(_MINUS).replace(",", ""))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or abs(amount.adjusted()) > _LARGEST:
        raise UsageError(f"{clean(text, 30)!r} is no amount of money.", "pnl<-5")
    return amount
