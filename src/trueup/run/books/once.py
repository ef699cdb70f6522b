"""One look at the books: sync, reconcile, and what it came to as one line of JSON.

    python -m trueup.run.books.once VENUE ACCOUNT

A bot runs this in a process of its own, so that neither the processor nor the database
is ever in the way of an order.  The writer lease is taken as by `trueup sync`: whoever
comes second waits for the other.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import msgspec

from trueup.core.errors import TrueupError, with_remedy
from trueup.core.instant import format_instant
from trueup.core.units import ZERO_MONEY, Money
from trueup.ledger.breaks import Severity
from trueup.run.books.account import Account, open_account
from trueup.run.books.proving import Reconciliation
from trueup.run.config import read_environment
from trueup.store.break_register import AgedBreak, BreakStatus

_NICENESS: Final = 5
"""How much the proof yields to the bot beside it."""

_SHOWN_MAX: Final = 20


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How the books stand.  Money in dollars as text; times as RFC 3339.

    `worst` is the largest break that nobody has decided about, `words` which one.
    `trouble` is why nothing could be said; then the rest says nothing.
    """

    at: str = ""
    closes: bool = False
    verdict: str = ""
    worst: str = "0"
    words: str = ""
    breaks: tuple[str, ...] = ()
    new_records: int = 0
    trouble: str = ""


def look(account: Account) -> Standing:
    """Sync and reconcile once.  Raises what these raise."""
    synced = account.sync()
    found = account.reconcile()
    undecided = _undecided(found)
    worst = max(undecided, key=lambda each: abs(each.found.amount), default=None)
    return Standing(
        at=format_instant(account.now()),
        closes=found.undecided.closes,
        verdict=found.verdict.words(),
        worst=str(ZERO_MONEY if worst is None else abs(worst.found.amount)),
        words="" if worst is None else worst.found.summary,
        breaks=tuple(each.found.summary for each in undecided[:_SHOWN_MAX]),
        new_records=synced.fetched.total.new,
    )


def _undecided(found: Reconciliation) -> list[AgedBreak]:
    """The breaks that count: those that close by themselves do not, nor what was decided."""
    return [
        each
        for each in found.breaks
        if each.status is BreakStatus.OPEN and each.found.severity is not Severity.GREEN
    ]


def worst_of(standing: Standing) -> Money:
    """The largest break as money."""
    return Money.parse(standing.worst)


def main(arguments: Sequence[str]) -> int:
    """Print the standing of one account's books as a line of JSON; 0 when it could be told."""
    venue, account = arguments
    with suppress(OSError):  # politeness, where it is allowed: a locked-in service may not be
        os.nice(_NICENESS)
    try:
        with open_account(venue=venue, account=account, environment=read_environment()) as opened:
            standing = look(opened)
    except TrueupError as error:
        words = with_remedy(error)
        standing = Standing(trouble=words)
    sys.stdout.buffer.write(msgspec.json.encode(standing) + b"\n")
    return 1 if standing.trouble else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
