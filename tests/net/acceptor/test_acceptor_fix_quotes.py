"""Requests for quotes over FIX: the creator's session, the makers' session, and REST beside them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from asker import Asker
from fix_desk import MAKERS, TRADER, FixDesk, Line, fix_desk
from served_floor import MAKER, TICKER, US, ServedFloor

from trueup.core.instant import SECOND, Instant
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price
from trueup.net.signer import signer_for
from trueup.sim import commands as c
from trueup.wire.fix.messages import quotes as q
from trueup.wire.fix.messages.orders import ExecutionReport, NewOrderSingle
from trueup.wire.fix.session_kinds import SessionKind
from trueup.wire.fix.words import ExecType, OrderState, QuoteStatus, Verdict
from trueup.wire.rest import rfqs

TEN = Count.parse("10")


@dataclass
class Both:
    """A creator and a maker who are logged on, and REST for each."""

    desk: FixDesk
    creator: Line
    maker: Line

    async def ask_for(self, request_id: str = "ours-1") -> str:
        """A request by FIX; returns the id that the server gave it."""
        ask = q.QuoteRequest(request_id=request_id, symbol=TICKER, quantity=TEN)
        taken = await self.creator.ask(ask, q.QuoteRequestAck)
        assert (taken.request_id, taken.request_type) == (request_id, "1")
        assert taken.rfq_id is not None
        return taken.rfq_id

    async def answer(self, rfq_id: str, quote_id: str = "quote-1") -> None:
        quote = q.Quote(
            quote_id=quote_id,
            request_id=rfq_id,
            symbol=TICKER,
            bid=Price.parse("0.48"),
            offer=Price.parse("0.47"),
        )
        pending = await self.maker.ask(quote, q.QuoteStatusReport)
        assert (pending.quote_id, pending.status) == (quote_id, QuoteStatus.PENDING)

    async def wait(self, seconds: int) -> None:
        at = Instant(self.desk.floor.exchange.now + seconds * SECOND)
        await asyncio.to_thread(self.desk.server.step, c.Advance(at=at))


@asynccontextmanager
async def both_on(desk: FixDesk, folder: Path) -> AsyncGenerator[Both]:
    async with (
        desk.line(SessionKind.RT, TRADER, folder, skip_pending_reports=True) as creator,
        desk.line(SessionKind.RFQ, MAKERS, folder) as maker,
    ):
        yield Both(desk, creator, maker)


def play(folder: Path, story: Callable[[Both], Awaitable[None]]) -> None:
    async def told(desk: FixDesk) -> None:
        async with both_on(desk, folder) as both:
            await story(both)

    with fix_desk(ServedFloor(), folder) as desk:
        asyncio.run(told(desk))


def name_of(member: str) -> str:
    return sha256(member.encode()).hexdigest()


def test_a_request_becomes_a_trade(tmp_path: Path) -> None:
    async def story(both: Both) -> None:
        creator, maker = both.creator, both.maker
        rfq_id = await both.ask_for()
        asked = await maker.next(q.QuoteRequest)
        assert (asked.request_id, asked.symbol, asked.quantity) == (rfq_id, TICKER, TEN)
        assert [party.party_id for party in asked.parties] == [name_of(US)]

        await both.answer(rfq_id)
        shown = await creator.next(q.QuoteShown)
        assert (shown.quote_id, shown.request_id) == ("quote-1", rfq_id)
        assert (shown.bid, shown.offer) == (Price.parse("0.48"), Price.parse("0.47"))
        assert [party.party_id for party in shown.parties] == [name_of(MAKER)]

        # Who sells takes the bid for YES.
        accept = q.AcceptQuote(quote_id="quote-1", side=Side.NO, client_order_id="ours-order")
        status = await creator.ask(accept, q.AcceptQuoteStatus)
        assert (status.status, status.accepted_quote_id) == (Verdict.ACCEPTED, "quote-1")
        accepted = await maker.next(q.QuoteStatusReport)
        assert (accepted.status, accepted.side, accepted.quantity) == (
            QuoteStatus.ACCEPTED, Side.YES, TEN,
        )  # fmt: skip
        confirmed = await maker.ask(q.QuoteConfirm(quote_id="quote-1"), q.QuoteConfirmStatus)
        assert confirmed.status is Verdict.ACCEPTED
        assert creator.heard(ExecutionReport) == []

        await both.wait(15)
        trade = await creator.next(
            ExecutionReport, lambda report: report.execution_type is ExecType.TRADE
        )
        assert (trade.client_order_id, trade.side, trade.last_price, trade.last_quantity) == (
            "ours-order", Side.NO, Price.parse("0.48"), TEN,
        )  # fmt: skip
        assert trade.order_status is OrderState.FILLED

    play(tmp_path, story)


def test_a_request_by_rest_is_quoted_by_fix(tmp_path: Path) -> None:
    async def story(both: Both) -> None:
        rest = both.desk.asker
        body = {"market_ticker": TICKER, "rest_remainder": False, "target_cost_dollars": "5.2000"}
        made = await asyncio.to_thread(rest.post, "/communications/rfqs", body)
        rfq_id = str(made.tree["id"])
        asked = await both.maker.next(q.QuoteRequest)
        assert (asked.request_id, asked.cash_quantity) == (rfq_id, Money.parse("5.2"))

        await both.answer(rfq_id)
        quote = await asyncio.to_thread(rest.send, rfqs.unscoped_quote("quote-1"))
        assert (quote.yes_bid, quote.no_bid) == (Price.parse("0.48"), Price.parse("0.47"))
        assert both.creator.heard(q.QuoteShown) == []

    play(tmp_path, story)


def test_a_request_by_fix_is_quoted_by_rest(tmp_path: Path) -> None:
    async def story(both: Both) -> None:
        rfq_id = await both.ask_for()
        rest = Asker(
            both.desk.server,
            both.desk.asker.clock,
            signer_for(MAKERS.registered.key_id, MAKERS.private),
        )
        body = {
            "rfq_id": rfq_id,
            "yes_bid": "0.4800",
            "no_bid": "0.0000",
            "rest_remainder": False,
        }
        made = await asyncio.to_thread(rest.post, "/communications/quotes", body)
        shown = await both.creator.next(q.QuoteShown)
        assert (shown.quote_id, shown.bid, shown.offer) == (
            made.tree["id"], Price.parse("0.48"), None,
        )  # fmt: skip
        rest.close()

    play(tmp_path, story)


def test_a_cancelled_request_is_withdrawn_from_the_makers(tmp_path: Path) -> None:
    async def story(both: Both) -> None:
        rfq_id = await both.ask_for()
        await both.answer(rfq_id)
        ended = await both.creator.ask(q.RFQCancel(request_id="ours-1"), q.RFQCancelStatus)
        assert (ended.request_id, ended.rfq_id, ended.status) == (
            "ours-1", rfq_id, Verdict.ACCEPTED,
        )  # fmt: skip
        withdrawn = await both.maker.next(q.QuoteRequestReject)
        assert (withdrawn.request_id, withdrawn.reason, withdrawn.text) == (
            rfq_id, "99", "RFQ_DELETED",
        )  # fmt: skip
        canceled = await both.maker.next(q.QuoteStatusReport)
        assert canceled.status is QuoteStatus.CANCELED
        again = await both.creator.ask(q.RFQCancel(request_id="ours-1"), q.RFQCancelStatus)
        assert (again.status, again.text) == (Verdict.REJECTED, "NOT_FOUND")

    play(tmp_path, story)


def test_an_expired_request_is_told_to_its_creator(tmp_path: Path) -> None:
    async def story(both: Both) -> None:
        await both.ask_for()
        await both.wait(24 * 3_600)
        ended = await both.creator.next(q.RFQCancelStatus)
        assert (ended.request_id, ended.status) == ("ours-1", Verdict.EXPIRED)

    play(tmp_path, story)


def test_a_maker_takes_its_quote_back(tmp_path: Path) -> None:
    async def story(both: Both) -> None:
        await both.answer(await both.ask_for())
        canceled = await both.maker.ask(q.QuoteCancel(quote_id="quote-1"), q.QuoteStatusReport)
        status = await both.maker.next(q.QuoteCancelStatus)
        assert (canceled.status, status.status) == (QuoteStatus.CANCELED, Verdict.ACCEPTED)
        again = await both.maker.ask(q.QuoteCancel(quote_id="quote-1"), q.QuoteCancelStatus)
        assert (again.status, again.text) == (Verdict.REJECTED, "NOT_FOUND")

    play(tmp_path, story)


def test_refusals_say_why(tmp_path: Path) -> None:
    async def story(both: Both) -> None:
        creator, maker = both.creator, both.maker
        unknown = q.QuoteRequest(request_id="ours-0", symbol="KXNOTHING", quantity=TEN)
        assert (await creator.ask(unknown, q.QuoteRequestReject)).reason == "1"
        rfq_id = await both.ask_for()
        twice = q.QuoteRequest(request_id="ours-2", symbol=TICKER, quantity=TEN)
        refused = await creator.ask(twice, q.QuoteRequestReject)
        assert (refused.reason, refused.text) == ("99", "an RFQ on this market is open")

        dear = q.Quote(
            quote_id="quote-0",
            request_id=rfq_id,
            symbol=TICKER,
            bid=Price.parse("0.60"),
            offer=Price.parse("0.60"),
        )
        rejected = await maker.ask(dear, q.QuoteStatusReport)
        assert (rejected.status, rejected.text) == (
            QuoteStatus.REJECTED, "the bids are more than $1 together",
        )  # fmt: skip
        early = await maker.ask(q.QuoteConfirm(quote_id="quote-9"), q.QuoteConfirmStatus)
        assert (early.status, early.text) == (Verdict.REJECTED, "NOT_FOUND")
        nothing = q.AcceptQuote(quote_id="quote-9", side=Side.YES)
        assert (await creator.ask(nothing, q.AcceptQuoteStatus)).status is Verdict.REJECTED

    play(tmp_path, story)


def test_a_late_confirmation_is_expired(tmp_path: Path) -> None:
    async def story(both: Both) -> None:
        await both.answer(await both.ask_for())
        accept = q.AcceptQuote(quote_id="quote-1", side=Side.YES)
        await both.creator.ask(accept, q.AcceptQuoteStatus)
        await both.wait(31)
        late = await both.maker.ask(q.QuoteConfirm(quote_id="quote-1"), q.QuoteConfirmStatus)
        assert (late.status, late.text) == (Verdict.REJECTED, "EXPIRED")

    play(tmp_path, story)


def test_an_order_that_names_a_quote_is_no_ordinary_order(tmp_path: Path) -> None:
    async def story(both: Both) -> None:
        order = NewOrderSingle(
            client_order_id="ours-order",
            quantity=TEN,
            price=Price.parse("0.48"),
            side=Side.NO,
            symbol=TICKER,
            quote_id="quote-1",
        )
        report = await both.creator.ask(order, ExecutionReport)
        assert (report.execution_type, report.reject_reason) == (ExecType.REJECTED, "11")

    play(tmp_path, story)
