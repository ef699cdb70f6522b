"""What a member may see of requests for quotes and of quotes.

Everybody sees every RFQ; a quote is seen by its quoter and by the requester only.  Members
meet under a public name, the SHA-256 of their user id; a requester may hide even that,
until a quote for its RFQ is executed.  What is answered is the present: there is no past of
these sections here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, TypeVar

from trueup.core.ids import Subaccount
from trueup.sim.exchange import Exchange
from trueup.sim.order_commands import Member
from trueup.sim.paging import Listing, Query, page
from trueup.sim.rfq import QuoteStatus, Rfq, RfqEnd, RfqQuote

T = TypeVar("T")


def public_name(member: str) -> str:
    """The exchange's ``communications_id`` of a member."""
    return sha256(member.encode()).hexdigest()


HIDDEN: Final = public_name("")
"""What stands for every requester who hides."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: a member, perhaps through a key that is locked to one subaccount."""

    member: Member
    locked: Subaccount | None = None

    def is_own(self, one: Rfq | RfqQuote) -> bool:
        """Whether an RFQ or a quote is the viewer's own."""
        return one.member == self.member and self.locked in {None, one.subaccount}


def requester_of(rfq: Rfq, viewer: Member | None) -> str:
    """Under which name a viewer meets who asks; `None` is everybody else."""
    is_shown = viewer == rfq.member or not rfq.obscures_creator or rfq.end is RfqEnd.EXECUTED
    return public_name(rfq.member) if is_shown else HIDDEN


def requester_in_quote(quote: RfqQuote, rfq: Rfq, viewer: Member) -> str:
    """The same in a quote, where only its own execution shows the name."""
    is_executed = quote.status is QuoteStatus.EXECUTED
    is_shown = viewer == rfq.member or not rfq.obscures_creator or is_executed
    return public_name(rfq.member) if is_shown else HIDDEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A listing's further wishes: only the viewer's own, or those of a member."""

    query: Query
    own: bool = False
    for_own_rfqs: bool = False
    creator: str = ""
    rfq_creator: str = ""
    rfq_id: str = ""


class CommunicationsSurface:
    """The RFQs and quotes of an exchange, as a viewer may see them."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def rfq(self, rfq_id: str) -> Rfq | None:
        """One RFQ."""
        return self._exchange.books.communications.rfqs.get(rfq_id)

    def quote(self, viewer: Viewer, quote_id: str, rfq_id: str | None) -> RfqQuote | None:
        """One quote, if the viewer may see it."""
        quote = self._exchange.books.communications.quote(quote_id, rfq_id)
        return quote if quote is not None and self._is_seen(viewer, quote) else None

    def rfqs(self, viewer: Viewer, wanted: Wanted) -> Listing[Rfq]:
        """RFQs, newest first: everybody's, unless only the viewer's own are asked for.

        A subaccount, where one is asked for, chooses among the viewer's own.
        """
        query = wanted.query

        def fits(one: Rfq) -> bool:
            is_own = viewer.is_own(one)
            return (
                query.concerns(one.ticker)
                and (not query.event_tickers or one.event_ticker in query.event_tickers)
                and query.choice in {"", one.status}
                and (is_own or not wanted.own)
                and wanted.creator in {"", one.member}
                and (query.subaccount in {None, one.subaccount} or one.member != viewer.member)
            )

        return self._page(tuple(self._exchange.books.communications.rfqs.values()), query, fits)

    def quotes(self, viewer: Viewer, wanted: Wanted) -> Listing[RfqQuote]:
        """The quotes that the viewer may see, newest first."""
        query = wanted.query

        def fits(one: RfqQuote) -> bool:
            rfq = self._exchange.books.communications.rfqs[one.rfq_id]
            return (
                self._is_seen(viewer, one)
                and query.covers(one.updated_at)
                and query.choice in {"", one.status}
                and (not wanted.own or viewer.is_own(one))
                and (not wanted.for_own_rfqs or viewer.is_own(rfq))
                and wanted.creator in {"", one.member}
                and wanted.rfq_creator in {"", rfq.member}
                and wanted.rfq_id in {"", one.rfq_id}
            )

        return self._page(tuple(self._exchange.books.communications.quotes.values()), query, fits)

    def _is_seen(self, viewer: Viewer, quote: RfqQuote) -> bool:
        rfq = self._exchange.books.communications.rfqs[quote.rfq_id]
        return viewer.is_own(quote) or viewer.is_own(rfq)

    @staticmethod
    def _page(rows: tuple[T, ...], query: Query, fits: Callable[[T], bool]) -> Listing[T]:
        return page(rows, query, listing=LISTING, wanted=fits)


LISTING: Final = "communications"
"""What the cursors of both listings are good for."""
