"""The ledger as a Beancount file.

Every entry becomes one balanced transaction in US dollars.  Contracts stand in
the metadata of their posting: Beancount books commodities by lots, the exchange
by average cost, so only the dollars would agree.  Dates are Eastern dates.

Account names follow the chart of accounts; the characters of a ticker that
Beancount does not allow in a name become dashes, and the ticker itself stands
in the metadata.  `Suspense` has no root of its own there: it is `Equity:Suspense`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from trueup.core.instant import eastern_day, format_instant
from trueup.ledger.accounts import Account
from trueup.ledger.entries import Entry, Posting

_OPENED: Final = "1970-01-01"
_OF_A_MARKET: Final = frozenset({Account.POSITIONS, Account.REALIZED})
_OF_A_SUBACCOUNT: Final = frozenset({Account.CASH})
_FORBIDDEN: Final = re.compile(r"[^A-Za-z0-9-]")


def beancount_lines(entries: Iterable[Entry], *, title: str) -> Iterator[str]:
    """The lines of a Beancount file, without line ends; one pass over `entries`.

    `title` names venue and account.  Accounts are opened just before their first use.
    """
    yield f'option "title" "{_quoted(title)}"'
    yield 'option "operating_currency" "USD"'
    yield ""
    opened: set[str] = set()
    for entry in entries:
        dollars = [posting for posting in entry.postings if posting.money]
        if not dollars:
            continue
        for posting in dollars:
            name = account_name(entry, posting.account)
            if name not in opened:
                opened.add(name)
                yield f"{_OPENED} open {name}"
        yield from _transaction(entry, dollars)
        yield ""


def account_name(entry: Entry, account: Account) -> str:
    """The Beancount account of a posting."""
    root = "Equity:Suspense" if account is Account.SUSPENSE else str(account)
    if account in _OF_A_MARKET and entry.ticker is not None:
        return f"{root}:{_FORBIDDEN.sub('-', entry.ticker).upper()}"
    if account in _OF_A_SUBACCOUNT:
        return f"{root}:Subaccount{entry.subaccount}:Shard{entry.shard}"
    return root


def _transaction(entry: Entry, dollars: Iterable[Posting]) -> Iterator[str]:
    told = entry.key if entry.ticker is None else entry.ticker
    yield f'{eastern_day(entry.at)} * "{_quoted(entry.kind)}" "{_quoted(told)}"'
    yield f'  time: "{format_instant(entry.at)}"'
    yield f'  source: "{_quoted(f"{entry.stream} {entry.key} version {entry.version}")}"'
    if entry.strategy:
        yield f'  strategy: "{_quoted(entry.strategy)}"'
    if entry.evidence:
        yield f'  evidence: "{_quoted(entry.evidence)}"'
    for posting in dollars:
        yield f"  {account_name(entry, posting.account)}  {posting.money} USD"
        if posting.contracts:
            yield f'    contracts: "{posting.contracts}"'


def _quoted(text: str) -> str:
    """Text that may stand between double quotes on one line."""
    return " ".join(text.replace("\\", "\\\\").replace('"', '\\"').split())
