"""The kill switch for requests for quotes: open ones and open quotes are taken back.

A quote that somebody accepts after everything else was cancelled would be a new trade.  What
is confirmed already cannot be withdrawn from any more: within seconds it becomes an order
like any other, and whoever kills has to wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial

from trueup.core.errors import ExchangeRefused, NotAuthorized, NotFound
from trueup.core.ids import PRIMARY, Subaccount
from trueup.net.client import Client
from trueup.wire.rest.rows.rfqs import Quote, Rfq


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoting:
    """The RFQs and quotes through which an account may still trade."""

    rfqs: tuple[Rfq, ...] = ()
    quotes: tuple[Quote, ...] = ()
    confirmed: tuple[Quote, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.rfqs or self.quotes or self.confirmed)

    @property
    def ids(self) -> list[str]:
        """What each is called."""
        return [
            *(one.rfq_id for one in self.rfqs),
            *(one.quote_id for one in (*self.quotes, *self.confirmed)),
        ]

    def words(self) -> str:
        """What there is, for a person."""
        named = (
            ("open RFQ", len(self.rfqs)),
            ("open quote", len(self.quotes)),
            ("confirmed quote", len(self.confirmed)),
        )
        return ", ".join(f"{n} {what}{'' if n == 1 else 's'}" for what, n in named if n)


def withdraw(
    client: Client, subaccounts: Collection[Subaccount], *, said: Callable[[str], None]
) -> Quoting:
    """Take back every open RFQ and quote of these subaccounts; returns what is still there.

    A key that may not even read them takes part in none; that is said, and nothing more done.
    """
    try:
        found = _read(client, subaccounts)
        if not found:
            return found
        said(f"{found.words()}: taking back what can be")
        for rfq in found.rfqs:
            _try(partial(client.rfqs.delete, rfq.rfq_id), said)
        for quote in found.quotes:
            _try(partial(client.rfqs.delete_quote, quote.rfq_id, quote.quote_id), said)
        return _read(client, subaccounts)
    except (NotAuthorized, NotFound) as refused:
        said(f"requests for quotes cannot be read with this key: {refused}")
        return Quoting()


def _read(client: Client, subaccounts: Collection[Subaccount]) -> Quoting:
    section = client.rfqs
    asked = [
        one
        for one in section.list(status="open", mine=True)
        if _place(one.creator_subaccount) in subaccounts
    ]
    quoted = [
        one
        for one in section.quotes(status="open", mine=True)
        if _place(one.creator_subaccount) in subaccounts
    ]
    made = [
        one
        for one in section.quotes(status="confirmed", mine=True)
        if _place(one.creator_subaccount) in subaccounts
    ]
    taken = [
        one
        for one in section.quotes(status="confirmed", for_my_rfqs=True)
        if _place(one.rfq_creator_subaccount) in subaccounts
    ]
    return Quoting(rfqs=tuple(asked), quotes=tuple(quoted), confirmed=(*made, *taken))


def _place(subaccount: Subaccount | None) -> Subaccount:
    return PRIMARY if subaccount is None else subaccount


def _try(take_back: Callable[[], None], said: Callable[[str], None]) -> None:
    """A refusal is told and settles nothing: the next reading shows what is left."""
    try:
        take_back()
    except ExchangeRefused as refused:
        said(str(refused))
