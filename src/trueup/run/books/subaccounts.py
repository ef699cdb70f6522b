"""Which subaccounts a key may see, and whether it is locked to one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trueup.core.errors import ExchangeRefused
from trueup.core.ids import PRIMARY, Subaccount
from trueup.run.books.fetching import Fetcher, with_body
from trueup.wire.rest import api_keys, cash, portfolio

MAY_NOT_SEE: Final = frozenset({403, 404})
"""The statuses that say: not for this key."""

_RESTRICTED: Final = "restricted to a single sub-account"
"""The exchange's words for a key that is locked to one."""

SUBACCOUNT_MAX: Final = 63
"""The highest number of a subaccount."""


@dataclass(frozen=True, slots=True)
class FoundSubaccounts:
    """Which subaccounts there are, as far as this key may know."""

    subaccounts: tuple[Subaccount, ...]
    locked: bool = False
    notes: tuple[str, ...] = ()


def find_subaccounts(fetcher: Fetcher) -> FoundSubaccounts:
    """The account's subaccounts, or the one that the key is locked to.

    Where the exchange will not list them it is the primary one, and a note says
    so; facts may name others later.  Raises what the client raises.
    """
    try:
        rows = fetcher.client.send(cash.subaccount_balances())
    except ExchangeRefused as error:
        if error.status not in MAY_NOT_SEE:
            raise
        note = f"the subaccounts are not listed to this key ({error})"
        refusal = _refused_balance(fetcher, PRIMARY)
        if refusal is None and _RESTRICTED in str(error):
            return _locked_to(PRIMARY, note)
        if refusal is None:
            found = "asked: the primary one, and those that facts name"
            return FoundSubaccounts((PRIMARY,), notes=(f"{note}; {found}",))
        own = _own_subaccount(fetcher)
        if own is None:
            raise refusal from error
        return _locked_to(own, note)
    return FoundSubaccounts(tuple(sorted({PRIMARY} | {row.subaccount for row in rows})))


def _locked_to(own: Subaccount, note: str) -> FoundSubaccounts:
    locked = f"this key is locked to subaccount {own}: only that one was asked for"
    return FoundSubaccounts((own,), locked=True, notes=(note, locked))


def _refused_balance(fetcher: Fetcher, subaccount: Subaccount) -> ExchangeRefused | None:
    """Why this key may not read the balance of a subaccount; `None`: it may."""
    try:
        fetcher.client.send(with_body(portfolio.balance(subaccount=subaccount)))
    except ExchangeRefused as error:
        if error.status not in MAY_NOT_SEE:
            raise
        return error
    return None


def _own_subaccount(fetcher: Fetcher) -> Subaccount | None:
    """The subaccount that a locked key may read: one that a key is locked to, else by asking."""
    try:
        keys = fetcher.client.send(api_keys.list_keys())
    except ExchangeRefused as error:
        if error.status not in MAY_NOT_SEE:
            raise
        keys = ()
    likely = sorted({key.subaccount for key in keys if key.subaccount is not None})
    others = (Subaccount(n) for n in range(1, SUBACCOUNT_MAX + 1) if n not in likely)
    for subaccount in (*likely, *others):
        if _refused_balance(fetcher, subaccount) is None:
            return subaccount
    return None
