"""All requests for quotes and quotes that the exchange remembers, as they are now."""

from __future__ import annotations

from collections.abc import Iterator

from trueup.core.errors import InvariantBroken
from trueup.core.ids import Ticker
from trueup.core.instant import Instant
from trueup.sim.order_commands import Member
from trueup.sim.rfq import QUOTE_TRANSITIONS, QuoteStatus, Rfq, RfqQuote, RfqStatus


class Communications:
    """RFQs and quotes by id, oldest first, and which of them are open.

    Only the present is kept: a quote is one value that is replaced as it gets further.
    """

    def __init__(self) -> None:
        self.rfqs: dict[str, Rfq] = {}
        self.quotes: dict[str, RfqQuote] = {}
        self._open: dict[Member, dict[Ticker, str]] = {}
        self._quotes_of: dict[str, list[str]] = {}

    def open_rfqs(self, member: Member) -> tuple[Rfq, ...]:
        """The open RFQs of a member, oldest first."""
        return tuple(self.rfqs[rfq_id] for rfq_id in self._open.get(member, {}).values())

    def open_rfq(self, member: Member, ticker: Ticker) -> Rfq | None:
        """The open RFQ of a member on a market."""
        rfq_id = self._open.get(member, {}).get(ticker)
        return None if rfq_id is None else self.rfqs[rfq_id]

    def open_on(self, ticker: Ticker) -> tuple[Rfq, ...]:
        """Everybody's open RFQs on a market."""
        return tuple(self.rfqs[found[ticker]] for found in self._open.values() if ticker in found)

    def quote(self, quote_id: str, rfq_id: str | None = None) -> RfqQuote | None:
        """A quote by its id; `None` also where it is for another RFQ than the one named."""
        quote = self.quotes.get(quote_id)
        return quote if quote is not None and rfq_id in {None, quote.rfq_id} else None

    def quotes_of(self, rfq_id: str) -> Iterator[RfqQuote]:
        """The quotes for an RFQ, oldest first."""
        return (self.quotes[quote_id] for quote_id in self._quotes_of.get(rfq_id, ()))

    def keep_rfq(self, rfq: Rfq) -> None:
        """Remember an RFQ as it is now.  One that is closed stays closed."""
        known = self.rfqs.get(rfq.rfq_id)
        if known is not None and known.status is RfqStatus.CLOSED:
            raise InvariantBroken(f"RFQ {rfq.rfq_id} is closed already")
        self.rfqs[rfq.rfq_id] = rfq
        if rfq.status is RfqStatus.OPEN:
            self._open.setdefault(rfq.member, {})[rfq.ticker] = rfq.rfq_id
        else:
            del self._open[rfq.member][rfq.ticker]

    def keep_quote(self, quote: RfqQuote) -> None:
        """Remember a quote as it is now.  Only what the table of its life allows can follow."""
        known = self.quotes.get(quote.quote_id)
        if known is None:
            self._quotes_of.setdefault(quote.rfq_id, []).append(quote.quote_id)
        elif quote.status not in QUOTE_TRANSITIONS[known.status]:
            raise InvariantBroken(
                f"quote {quote.quote_id} cannot be {quote.status}: it is {known.status}"
            )
        self.quotes[quote.quote_id] = quote

    def forget(self, before: Instant) -> None:
        """Drop the RFQs that closed before `before`, and their quotes."""
        for rfq in tuple(self.rfqs.values()):
            if rfq.status is RfqStatus.OPEN or rfq.updated_at >= before:
                continue
            del self.rfqs[rfq.rfq_id]
            for quote_id in self._quotes_of.pop(rfq.rfq_id, ()):
                del self.quotes[quote_id]

    def check(self) -> None:
        """Prove that what is open is open, and that no RFQ has two quotes that may execute."""
        still_open = {one.rfq_id for one in self.rfqs.values() if one.status is RfqStatus.OPEN}
        counted = {rfq_id for found in self._open.values() for rfq_id in found.values()}
        if still_open != counted:
            raise InvariantBroken(f"the open RFQs are {still_open}, {counted} were counted")
        for rfq_id in self.rfqs:
            statuses = [quote.status for quote in self.quotes_of(rfq_id)]
            bound = statuses.count(QuoteStatus.CONFIRMED) + statuses.count(QuoteStatus.EXECUTED)
            if bound > 1:
                raise InvariantBroken(f"RFQ {rfq_id} is bound to {bound} quotes")
