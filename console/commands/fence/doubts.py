"""`doubts resolve`: end an action whose outcome nobody knew, on evidence."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from math import ceil
from typing import Any

from console.commands.base import Call, Command, Query
from console.commands.context import Context
from console.commands.gateway.fence import Ending
from console.domain.errors import Refused, UsageError
from console.domain.fence.claims import OpenClaim
from console.domain.fence.sent import Sending
from console.domain.operator.command import Answer, CommandInfo, Confirm, Param, Preview, Risk
from console.domain.operator.receipt import Change, Receipt
from console.domain.text import clean

EXECUTED = "executed"
NOT_EXECUTED = "not-executed"
TYPED = ("proof", "evidence", "pnl")
"""What was answered beside the verdict: read once more before it goes into the record."""
PROOFS = ("gone", "silent", "burned")


class DoubtsList(Query):
    """Every action in doubt."""

    info = CommandInfo(
        name="doubts list",
        title="List the doubts",
        summary="Every action in doubt, oldest first; exit code 1 when there are any.",
        reads=True,
    )

    def shape(self) -> Any:
        """The doubts, oldest first."""
        from console.views.fence.doubts import DoubtReport

        return list[DoubtReport]

    async def answer(self, ctx: Context, call: Call) -> Answer:
        """One line an action."""
        from console.views.fence.doubts import DoubtReport

        claims = await ctx.gateway.doubts()
        sent = await ctx.gateway.sendings(claims)
        doubts = [DoubtReport.of(claim, one) for claim, one in zip(claims, sent, strict=True)]
        now_ms = _ms(ctx)
        lines = tuple(
            line for doubt, one in zip(doubts, sent, strict=True) for line in (*doubt.lines(), f"  {one.words(now_ms)}")
        )
        notes = [] if doubts else ["Nothing is in doubt."]
        authority = await ctx.gateway.fence.authority()
        if authority is not None and authority.late:
            notes.append(f"{authority.late} reports of this tenure came late; `audit` names their keys.")
        return Answer([doubt.document() for doubt in doubts], lines, tuple(notes), yes=not doubts)


class DoubtResolve(Command):
    """End an action in doubt, on evidence; *not executed* only once its holder can't send it any more."""

    info = CommandInfo(
        name="doubts resolve",
        title="Resolve a doubt",
        summary="End an action in doubt, on evidence; not executed only once its holder can't send it any more.",
        key="d",
        params=(
            Param("key", "The idempotency key.", suggests="doubt", at_cursor=True, nothing="Nothing is in doubt."),
            Param(
                "verdict",
                "What the venue says.",
                choices=(EXECUTED, NOT_EXECUTED),
                question="Resolve a doubt: what does the venue say?",
                waits_for="key",
                meanings={
                    EXECUTED: "the venue has it",
                    NOT_EXECUTED: "the venue has it not, and its holder can't send it any more",
                },
            ),
            Param("evidence", "What was seen, where: it goes into the hash-chained record.", option=True),
            Param(
                "proof",
                "Why its holder can't send it any more: its process is gone, it has been silent for longer than any "
                "pause, or the venue will refuse the key.",
                required=False,
                choices=PROOFS,
                option=True,
                question="Resolve a doubt: why can its holder not send it any more?",
                meanings={
                    "gone": "its process is gone",
                    "silent": "no heartbeat for longer than any pause",
                    "burned": "the venue will refuse the key",
                },
                needed_with=("verdict", NOT_EXECUTED),
            ),
            Param("pnl", "Profit or loss, where it was executed.", required=False, option=True),
        ),
        confirm=Confirm.EVIDENCE,
        risk=Risk.RAISES,
        short="resolve",
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        claim = await _find(ctx, call.require("key"))
        verdict = _verdict(call)
        warnings = [
            f"held by {claim.instance}, {claim.slot}, since its lease ended: {claim.action or 'no description'}"
        ]
        if verdict == NOT_EXECUTED:
            [sent] = await ctx.gateway.sendings((claim,))
            left_ms = 0 if sent.never else claim.early_ms(_ms(ctx))
            if left_ms and call.args.get("proof") != "burned":
                warnings.append(
                    f"too early: it is refused for {ceil(left_ms / 1000)} s, since the venue might show it yet"
                )
            warnings += (sent.words(_ms(ctx)), _afterwards(sent, _ms(ctx)))
        return Preview(
            title=f"Resolve {clean(claim.key, 40)} as {verdict}?",
            changes=(
                Change(f"doubt {claim.key}", f"in doubt, {claim.amount.normalize():f} {claim.currency}", verdict),
                *(Change(name, None, clean(call.args[name])) for name in TYPED if call.args.get(name)),
            ),
            warnings=tuple(warnings),
            arguments={**call.args, "claim": claim.claim_id},
        )

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        claim = await _find(ctx, call.require("key"))
        if call.args.get("claim", claim.claim_id) != claim.claim_id:
            raise Refused(f"{clean(claim.key, 40)} was claimed again meanwhile.", "Look again.")
        executed, proof = _verdict(call) == EXECUTED, call.args.get("proof", "")
        if not executed and proof == "gone" and await ctx.gateway.holder_lives(claim):
            raise Refused(
                f"{clean(claim.key, 40)}: its holder is not gone: its process is on this host, and lives.",
                "Stop it first (a frozen process sends what it was about to send when it wakes), or wait.",
            )
        ending = Ending(executed, call.require("evidence"), proof, _pnl(call))
        return await ctx.gateway.fences.resolve_doubt(claim, ending, self.order(call))


def _verdict(call: Call) -> str:
    verdict = call.require("verdict")
    if verdict not in (EXECUTED, NOT_EXECUTED):
        raise UsageError(f"The verdict {clean(verdict, 24)!r} is neither {EXECUTED} nor {NOT_EXECUTED}.")
    return verdict


def _afterwards(sent: Sending, now_ms: int) -> str:
    """What becomes of a key that was not executed."""
    if sent.never:
        return "its key is used up afterwards: whoever wants it done does it under another key"
    if sent.until_ms is not None and sent.until_ms <= now_ms:
        return "a claim of the key is in doubt at once, and never sent: whoever wants it done takes another key"
    return "the key can be claimed again afterwards; if it was executed after all, it is executed twice"


def _ms(ctx: Context) -> int:
    return int(ctx.clock().timestamp() * 1000)


def _pnl(call: Call) -> Decimal:
    text = call.args.get("pnl", "")
    if not text:
        return Decimal(0)
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise UsageError(f"The PnL {clean(text, 24)!r} is not a number.") from None
    if not value.is_finite():
        raise UsageError(f"The PnL {clean(text, 24)!r} is not finite.")
    return value


async def _find(ctx: Context, key: str) -> OpenClaim:
    for claim in await ctx.gateway.doubts():
        if claim.key == key:
            return claim
    raise Refused(f"No action in doubt has the key {clean(key, 60)!r}.", "`agent-console doubts list` shows all.")
