"""`proof`, `reconcile`, `breaks`: do the books equal the exchange's?

The exit code is 0 only when they do.
"""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from trueup.cli.common import Invocation, command, lead, open_account
from trueup.cli.output import moment
from trueup.core.instant import Instant, format_age
from trueup.ledger.breaks import EXPLANATIONS, BreakKind, Severity
from trueup.ledger.explain import movement_words
from trueup.ledger.proof import Interval, Proven
from trueup.ledger.reconcile import Closing, Verdict
from trueup.run.books.proving import Proof
from trueup.store.break_register import AgedBreak, BreakStatus

EXIT_NOT_CLOSED = 1

_STYLE = {Closing.CLOSES: "green", Closing.AMBER: "yellow", Closing.RED: "red"}
_MARK = {Severity.RED: "● red", Severity.AMBER: "▲ amber", Severity.GREEN: "✓ green"}

OfflineOption = Annotated[
    bool, typer.Option("--offline", help="Judge the local books without asking the exchange.")
]
AllOption = Annotated[bool, typer.Option("--all", help="Also what needs no attention.")]
AcceptOption = Annotated[
    bool,
    typer.Option(
        "--accept-acknowledged", help="Exit code 0 when every break left was acknowledged."
    ),
]
IdentityArgument = Annotated[str, typer.Argument(help="The break's id (its beginning is enough).")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why. Kept with the break.")]


def register(app: typer.Typer) -> None:
    """Add the commands that judge the books."""
    command(app, "proof")(proof)
    command(app, "reconcile")(reconcile)
    group = typer.Typer(help="Disagreements between books and exchange.", no_args_is_help=True)
    command(group, "list")(list_breaks)
    command(group, "ack")(acknowledge)
    command(group, "close")(close)
    command(group, "explain")(explain)
    app.add_typer(group, name="breaks")


def proof(
    invocation: Invocation, *, every: AllOption = False, offline: OfflineOption = False
) -> None:
    """The cash proof: is every movement of the balance explained by a fact?"""
    with open_account(invocation, refresh=not offline) as account:
        found = account.prove()
    _show_proof(invocation, found, every=every)
    _conclude(invocation, found.verdict)


def _show_proof(invocation: Invocation, found: Proof, *, every: bool) -> None:
    output = invocation.output
    shown = [
        (scope, interval)
        for scope in found.scopes
        for interval in scope.intervals
        if every or interval.moved or interval.verdict is not Proven.PROVEN
    ]
    output.result(
        {
            "verdict": found.verdict.closing.value,
            "words": found.verdict.words(),
            "intervals": [
                {
                    "subaccount": scope.subaccount,
                    "shard": scope.shard,
                    **interval_row(interval),
                }
                for scope, interval in shown
            ],
            "certificate": list(found.certificate.words()),
        }
    )
    output.table(
        ["subaccount", "shard", "from", "to", "balance moved", "facts explain", "left", "verdict"],
        [
            [
                "all" if scope.subaccount is None else scope.subaccount,
                "all" if scope.shard is None else scope.shard,
                "the beginning" if interval.since is None else moment(interval.since),
                moment(interval.until),
                interval.claimed_low,
                f"{interval.explained} ({interval.count})",
                interval.difference,
                interval.verdict.value,
            ]
            for scope, interval in shown
        ],
        right=["balance moved", "facts explain", "left"],
        empty="No balance moved between two readings yet.",
    )
    for _, interval in shown:
        if interval.verdict is Proven.UNPROVEN:
            output.say(f"Until {moment(interval.until)}: {interval.difference} is not explained.")
            for words in interval.explanations:
                output.say(f"    {words}")
    for words in found.certificate.words():
        output.say(f"  {words}", style="dim")


def interval_row(interval: Interval) -> dict[str, object]:
    """An interval of the proof for a program."""
    return {
        "from": moment(interval.since),
        "to": moment(interval.until),
        "claimed_low": interval.claimed_low,
        "claimed_high": interval.claimed_high,
        "explained": interval.explained,
        "difference": interval.difference,
        "verdict": interval.verdict.value,
        "movement_count": interval.count,
        "movements": [movement_words(each) for each in interval.movements],
        "shifted": [movement_words(each) for each in interval.shifted],
        "explanations": list(interval.explanations),
    }


def reconcile(
    invocation: Invocation,
    *,
    every: AllOption = False,
    offline: OfflineOption = False,
    accept_acknowledged: AcceptOption = False,
) -> None:
    """Compare the books with everything the exchange states; list every break."""
    with open_account(invocation, refresh=not offline) as account:
        found = account.reconcile()
        now = account.now()
    output = invocation.output
    shown = [b for b in found.breaks if every or b.found.severity is not Severity.GREEN]
    output.result(
        {
            "verdict": found.verdict.closing.value,
            "words": found.verdict.words(),
            "breaks": [break_row(each, now) for each in shown],
            "certificate": list(found.proof.certificate.words()),
        }
    )
    _show_breaks(invocation, shown, now)
    hidden = len(found.breaks) - len(shown)
    if hidden:
        output.say(f"{hidden} more close by themselves or need no attention (--all shows them).")
    for words in found.proof.certificate.words():
        output.say(f"  {words}", style="dim")
    _conclude(invocation, found.verdict, found.undecided if accept_acknowledged else None)


def _conclude(invocation: Invocation, verdict: Verdict, accepted: Verdict | None = None) -> None:
    invocation.output.say(verdict.words(), style=_STYLE[verdict.closing])
    if accepted is not None and accepted.closes and not verdict.closes:
        invocation.output.say("Every break left was acknowledged with a reason.")
    if not (accepted or verdict).closes:
        invocation.exit_code = EXIT_NOT_CLOSED


def list_breaks(invocation: Invocation, *, every: AllOption = False) -> None:
    """Every break on record with its age and what was decided about it."""
    with open_account(invocation) as account:
        register_, now = account.breaks(), account.now()
    shown = [
        each
        for each in register_
        if every or (each.status is BreakStatus.OPEN and each.found.severity is not Severity.GREEN)
    ]
    invocation.output.result({"breaks": [break_row(each, now) for each in shown]})
    _show_breaks(invocation, shown, now)


def acknowledge(
    invocation: Invocation, identity: IdentityArgument, *, reason: ReasonOption
) -> None:
    """Acknowledge a break: somebody has seen it and says why it may stay."""
    _decide(invocation, identity, BreakStatus.ACKNOWLEDGED, reason)


def close(invocation: Invocation, identity: IdentityArgument, *, reason: ReasonOption) -> None:
    """Close a break with a reason.  It opens again when it changes."""
    _decide(invocation, identity, BreakStatus.CLOSED, reason)


def explain(
    invocation: Invocation,
    kind: Annotated[BreakKind, typer.Argument(help="The kind of break.")],
) -> None:
    """What a kind of break means, its usual causes, and what to do."""
    lead(invocation)
    invocation.output.result({"kind": kind.value, "explanation": EXPLANATIONS[kind]})
    invocation.output.say(EXPLANATIONS[kind])


def _decide(invocation: Invocation, identity: str, status: BreakStatus, reason: str) -> None:
    with open_account(invocation) as account:
        decided = account.decide(identity, status, reason=reason, who=_user())
        now = account.now()
    invocation.output.result({"break": break_row(decided, now)})
    invocation.output.say(f"{decided.found.identity}: {decided.status.value} ({decided.reason})")


def _user() -> str:
    """Who decides; in a container the user may have no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"


def break_row(aged: AgedBreak, now: Instant) -> dict[str, object]:
    """A break for a program."""
    found = aged.found
    return {
        "id": found.identity,
        "kind": found.kind.value,
        "severity": found.severity.value,
        "status": aged.status.value,
        "subaccount": found.subaccount,
        "shard": found.shard,
        "ticker": found.ticker,
        "amount": found.amount,
        "occurred_at": moment(found.occurred_at),
        "first_seen": moment(aged.first_seen),
        "age": format_age(now - aged.first_seen),
        "summary": found.summary,
        "evidence": list(found.evidence),
        "remedy": found.remedy,
        "reason": aged.reason,
        "decided_by": aged.decided_by,
    }


def _show_breaks(invocation: Invocation, shown: list[AgedBreak], now: Instant) -> None:
    output = invocation.output
    output.table(
        ["", "kind", "market", "amount", "age", "what", "id"],
        [
            [
                _MARK[each.found.severity],
                each.found.kind.value,
                each.found.ticker,
                each.found.amount,
                format_age(now - each.first_seen),
                each.found.summary
                + ("" if each.status is BreakStatus.OPEN else f" [{each.status.value}]"),
                each.found.identity,
            ]
            for each in shown
        ],
        right=["amount"],
        empty="No break.",
    )
    for each in shown:
        output.detail(f"{each.found.identity}: {'; '.join(each.found.evidence)}")
        if each.found.remedy:
            output.detail(f"  what to do: {each.found.remedy}")
