"""Requests for quotes and quotes over REST.

Orders that an execution makes get their ids, and client ids, when a side binds itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from uuid import UUID

from trueup.core.ids import ClientOrderId, OrderId
from trueup.core.units import Count, Money
from trueup.net.acceptor import replies
from trueup.net.acceptor.floor import Floor
from trueup.net.acceptor.order_entry import own_subaccount
from trueup.net.acceptor.question import Answer, Question, page
from trueup.net.acceptor.refusals import Refuse
from trueup.net.acceptor.replies import Content, Reply
from trueup.net.acceptor.rfq_rows import quote_row, rfq_row
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.paging import read_cursor
from trueup.sim.rfq import RfqQuote
from trueup.sim.rfq_surface import LISTING, CommunicationsSurface, Viewer, Wanted, public_name
from trueup.wire.rest.bodies import read_body
from trueup.wire.rest.rfqs import SELF
from trueup.wire.rest.rows import rfqs as rows

_FILTERS: Final = ("user_filter", "rfq_user_filter")


class RfqAnswers:
    """What members ask about RFQs and quotes."""

    def __init__(self, floor: Floor, new_id: Callable[[], str], refuse: Refuse) -> None:
        self._floor = floor
        self._new_id = new_id
        self._refuse = refuse
        self._surface = CommunicationsSurface(floor.exchange)

    def table(self) -> dict[str, Answer]:
        """The answers by operation id; the same ones with and without the RFQ's id."""
        return {
            "GetCommunicationsID": _name,
            "GetRFQs": self._rfqs,
            "GetRFQ": self._rfq,
            "CreateRFQ": self._create_rfq,
            "DeleteRFQ": self._delete_rfq,
            "GetQuotes": self._quotes,
            "CreateQuote": self._create_quote,
            "GetRFQQuote": self._quote,
            "GetQuote": self._quote,
            "DeleteRFQQuote": self._delete_quote,
            "DeleteQuote": self._delete_quote,
            "AcceptRFQQuote": self._accept,
            "AcceptQuote": self._accept,
            "ConfirmRFQQuote": self._confirm,
            "ConfirmQuote": self._confirm,
        }

    # -- reading ---------------------------------------------------------------------------

    def _rfqs(self, question: Question) -> Content | Reply:
        viewer = _viewer(question)
        wanted = _wanted(question, creator="creator_user_id", rfq_creator="")
        if isinstance(wanted, Reply):
            return wanted
        found = self._surface.rfqs(viewer, wanted)
        return page("rfqs", found, lambda one: rfq_row(one, viewer))

    def _rfq(self, question: Question) -> Content | Reply:
        rfq = self._surface.rfq(question.path["rfq_id"])
        if rfq is None:
            return _not_found(question)
        return Content({"rfq": rfq_row(rfq, _viewer(question))})

    def _quotes(self, question: Question) -> Content | Reply:
        viewer = _viewer(question)
        wanted = _wanted(
            question, creator="quote_creator_user_id", rfq_creator="rfq_creator_user_id"
        )
        if isinstance(wanted, Reply):
            return wanted
        found = self._surface.quotes(viewer, wanted)
        rfqs = self._floor.exchange.books.communications.rfqs
        return page("quotes", found, lambda one: quote_row(one, rfqs[one.rfq_id], viewer))

    def _quote(self, question: Question) -> Content | Reply:
        quote = self._find(question)
        if isinstance(quote, Reply):
            return quote
        rfq = self._floor.exchange.books.communications.rfqs[quote.rfq_id]
        return Content({"quote": quote_row(quote, rfq, _viewer(question))})

    def _find(self, question: Question) -> RfqQuote | Reply:
        path = question.path
        quote = self._surface.quote(_viewer(question), path["quote_id"], path.get("rfq_id"))
        return _not_found(question) if quote is None else quote

    # -- asking and quoting ----------------------------------------------------------------

    def _create_rfq(self, question: Question) -> Content | Reply:
        asked = read_body(rows.NEW_RFQ, question.body)
        subaccount = own_subaccount(question.caller, asked.subaccount)
        if isinstance(subaccount, Reply):
            return subaccount
        size = _size(asked)
        if size is None or asked.subtrader_id:
            return replies.INVALID_PARAMETERS
        rfq_id = self._new_id()
        command = c.CreateRfq(
            at=self._floor.time_for(question.at),
            member=question.caller.member,
            subaccount=subaccount,
            rfq_id=rfq_id,
            ticker=asked.market_ticker,
            count=size[0],
            target_cost=size[1],
            target_cost_excludes_fees=asked.target_cost_excludes_fees,
            rest_remainder=asked.rest_remainder,
            replace_existing=asked.replace_existing,
            obscure_creator_id=asked.obscure_creator_id,
        )
        return self._step(command) or _created(rfq_id)

    def _delete_rfq(self, question: Question) -> Content | Reply:
        rfq = self._surface.rfq(question.path["rfq_id"])
        if rfq is None or not _viewer(question).is_own(rfq):
            return _not_found(question)
        at = self._floor.time_for(question.at)
        command = c.DeleteRfq(at=at, member=question.caller.member, rfq_id=rfq.rfq_id)
        return self._step(command) or replies.NO_CONTENT

    def _create_quote(self, question: Question) -> Content | Reply:
        asked = read_body(rows.NEW_QUOTE, question.body)
        subaccount = own_subaccount(question.caller, asked.subaccount)
        if isinstance(subaccount, Reply):
            return subaccount
        quote_id = self._new_id()
        command = c.CreateQuote(
            at=self._floor.time_for(question.at),
            member=question.caller.member,
            subaccount=subaccount,
            quote_id=quote_id,
            rfq_id=asked.rfq_id,
            yes_bid=asked.yes_bid,
            no_bid=asked.no_bid,
            rest_remainder=asked.rest_remainder,
            post_only=asked.post_only,
        )
        return self._step(command) or _created(quote_id)

    def _delete_quote(self, question: Question) -> Content | Reply:
        quote = self._find(question)
        if isinstance(quote, Reply):
            return quote
        at = self._floor.time_for(question.at)
        command = c.DeleteQuote(at=at, member=question.caller.member, quote_id=quote.quote_id)
        return self._step(command) or replies.NO_CONTENT

    def _accept(self, question: Question) -> Content | Reply:
        asked, quote = read_body(rows.ACCEPTANCE, question.body), self._find(question)
        if isinstance(quote, Reply):
            return quote
        command = c.AcceptQuote(
            at=self._floor.time_for(question.at),
            member=question.caller.member,
            quote_id=quote.quote_id,
            side=asked.accepted_side,
            order_id=OrderId(self._new_id()),
            client_order_id=ClientOrderId(self._new_id()),
        )
        return self._step(command) or replies.NO_CONTENT

    def _confirm(self, question: Question) -> Content | Reply:
        quote = self._find(question)
        if isinstance(quote, Reply):
            return quote
        command = c.ConfirmQuote(
            at=self._floor.time_for(question.at),
            member=question.caller.member,
            quote_id=quote.quote_id,
            order_id=OrderId(self._new_id()),
            client_order_id=ClientOrderId(self._new_id()),
        )
        return self._step(command) or replies.NO_CONTENT

    def _step(self, command: c.RfqCommand) -> Reply | None:
        for event in self._floor.step(command):
            if isinstance(event, e.Refused):
                return self._refuse(event)
        return None


def _name(question: Question) -> Content | Reply:
    return Content({"communications_id": public_name(question.caller.member)})


def _viewer(question: Question) -> Viewer:
    return Viewer(question.caller.member, question.caller.subaccount)


def _created(made_id: str) -> Content:
    return Content(rows.CREATED.write(rows.Created(id=made_id)), status=201)


def _not_found(question: Question) -> Reply:
    """404, or 400 for what cannot be an id."""
    ids = [value for name, value in question.path.items() if name in {"rfq_id", "quote_id"}]
    return replies.NOT_FOUND if all(map(_is_id, ids)) else replies.INVALID_PARAMETERS


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _wanted(question: Question, *, creator: str, rfq_creator: str) -> Wanted | Reply:
    """The listing's filters.  Unlike elsewhere a cursor that makes no sense is refused."""
    given, query = question.given, question.query
    words = {given.get(name, "") for name in _FILTERS}
    rfq_id = given.get("rfq_id", "")
    is_readable = not query.cursor or read_cursor(LISTING, query.cursor) is not None
    if not words <= {"", SELF} or not is_readable or (rfq_id and not _is_id(rfq_id)):
        return replies.INVALID_PARAMETERS
    return Wanted(
        query=query,
        own=given.get("user_filter") == SELF,
        for_own_rfqs=given.get("rfq_user_filter") == SELF,
        creator=given.get(creator, ""),
        rfq_creator=given.get(rfq_creator, ""),
        rfq_id=rfq_id,
    )


def _size(asked: rows.NewRfq) -> tuple[Count | None, Money | None] | None:
    """The count or the target cost that is meant; `None` for two that differ."""
    counts = {one for one in (asked.count, asked.whole_count) if one is not None}
    costs = {one for one in (asked.target_cost, asked.target_cost_centi_cents) if one is not None}
    if len(counts) > 1 or len(costs) > 1:
        return None
    return next(iter(counts), None), next(iter(costs), None)
