"""Settlement reports of the sandbox, over real TLS sockets."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import pytest
from fix_desk import SETTLER, TRADER, FixDesk, Line, fix_desk
from served_floor import MAKER, TICKER, US, ServedFloor

from trueup.core.ids import PRIMARY, SHARD_ZERO, ClientOrderId, OrderId, Subaccount
from trueup.core.market import MarketResult
from trueup.core.orders import Side
from trueup.core.settlement import PayoutUnit
from trueup.core.units import Count, Money, Price
from trueup.net.acceptor.fix_faults import FixFaults
from trueup.net.fix.client import SequencesDiffer
from trueup.sim import commands as c
from trueup.sim.exchange import ROW_DELAY, Exchange
from trueup.wire.fix.messages.settlement import MarketSettlementReport
from trueup.wire.fix.session_kinds import SessionKind
from trueup.wire.fix.session_states import Deliver
from trueup.wire.fix.settlement import Completeness, SettlementPages

SECOND_ACCOUNT = Subaccount(1)
PARTIES = {US: PRIMARY, f"{US}/1": SECOND_ACCOUNT}


def held(row_delay: int = ROW_DELAY) -> ServedFloor:
    """We hold 3 YES in the primary account and 2 YES in the first subaccount."""
    floor = ServedFloor(exchange=Exchange(row_delay=row_delay))
    floor.step(c.OpenSubaccount(at=floor.now, member=US, subaccount=SECOND_ACCOUNT))
    floor.step(
        c.Credit(
            at=floor.now,
            member=US,
            subaccount=SECOND_ACCOUNT,
            shard=SHARD_ZERO,
            amount=Money.parse("10"),
            reason="deposit",
        )
    )
    floor.order(MAKER, Side.NO, "5", "0.60")
    for number, (subaccount, size) in enumerate(((PRIMARY, "3"), (SECOND_ACCOUNT, "2"))):
        floor.step(
            c.PlaceOrder(
                at=floor.now,
                member=US,
                subaccount=subaccount,
                order_id=OrderId(f"held-{number}"),
                client_order_id=ClientOrderId(f"held-{number}"),
                ticker=TICKER,
                side=Side.YES,
                price=Price.parse("0.60"),
                count=Count.parse(size),
            )
        )
    return floor


def settle(desk: FixDesk, result: MarketResult, value: str) -> None:
    """Close, determine and settle the market; everybody is paid once."""
    at = desk.floor.exchange.now
    for command in (
        c.CloseMarket(at=at, ticker=TICKER),
        c.DetermineMarket(at=at, ticker=TICKER, result=result, value=Price.parse(value)),
        c.SettleMarket(at=at, ticker=TICKER),
    ):
        desk.server.step(command)


def cash(desk: FixDesk) -> Money:
    account = desk.floor.exchange.books.accounts[US]
    return account.cash_at(desk.floor.exchange.now)


@pytest.mark.parametrize("kind", [SessionKind.PT, SessionKind.RT, SessionKind.NR])
def test_a_settlement_comes_in_pages_and_pays_once(kind: SessionKind, tmp_path: Path) -> None:
    async def story(desk: FixDesk) -> None:
        asked = None if kind is SessionKind.PT else True
        async with desk.line(kind, SETTLER, tmp_path, receive_settlement_reports=asked) as line:
            before = cash(desk)
            settle(desk, MarketResult.YES, "1")
            pages = [await line.next(MarketSettlementReport) for _ in range(2)]
            assert [page.is_last for page in pages] == [False, True]
            assert {page.reports_in_all for page in pages} == {2}
            assert len({page.report_id for page in pages}) == 2
            book = SettlementPages(PARTIES)
            taken = [book.take(page) for page in pages]
            assert taken[-1].batch.completeness is Completeness.COMPLETE
            parties = [party for one in taken for party in one.parties]
            assert [party.payout for party in parties] == [Money.parse("3"), Money.parse("2")]
            assert {party.subaccount for party in parties} == {PRIMARY, SECOND_ACCOUNT}
            assert all(party.doubt() is None for party in parties)
            assert cash(desk) - before == Money.parse("5")

    with fix_desk(held(), tmp_path, page_size=1) as desk:
        asyncio.run(story(desk))


def test_a_scalar_payout_is_net_of_the_settlement_fee(tmp_path: Path) -> None:
    async def story(desk: FixDesk) -> None:
        async with desk.line(SessionKind.PT, SETTLER, tmp_path) as line:
            before = cash(desk)
            settle(desk, MarketResult.SCALAR, "0.3333")
            page = await line.next(MarketSettlementReport)
            assert (page.result, page.settlement_price) == (MarketResult.SCALAR, Price(3_333))
            (one,) = SettlementPages({US: PRIMARY}).take(page).parties
            assert one.payout is not None
            assert one.payout == cash(desk) - before == Money.parse("0.0033")
            assert one.fee == Money.parse("0.000033")  # of $0.003333 the account keeps $0.0033
            assert one.doubt() is None

    floor = ServedFloor()
    floor.order(MAKER, Side.NO, "0.01", "0.60")
    floor.order(US, Side.YES, "0.01", "0.60")
    with fix_desk(floor, tmp_path) as desk:
        asyncio.run(story(desk))


def test_what_was_missed_is_sent_when_the_key_comes_back(tmp_path: Path) -> None:
    async def story(desk: FixDesk) -> None:
        async with desk.line(SessionKind.PT, SETTLER, tmp_path):
            pass
        await asyncio.sleep(0.1)
        settle(desk, MarketResult.NO, "0")
        async with desk.line(SessionKind.PT, SETTLER, tmp_path) as line:
            page = await line.next(MarketSettlementReport)
            assert page.result is MarketResult.NO
            assert [party.collateral_changes[0].amount for party in page.parties] == [Money(0)] * 2
            assert page.clearing_date == date(2026, 10, 14)

    with fix_desk(held(), tmp_path) as desk:
        asyncio.run(story(desk))


def test_the_older_reports_are_in_cents_and_state_no_fee(tmp_path: Path) -> None:
    async def story(desk: FixDesk) -> None:
        async with desk.line(SessionKind.PT, SETTLER, tmp_path) as line:
            settle(desk, MarketResult.YES, "1")
            page = await line.next(MarketSettlementReport)
            assert page.parties[0].collateral_changes[0].amount == Money.parse("300")
            parties = SettlementPages(PARTIES, unit=PayoutUnit.CENTS).take(page).parties
            assert [party.payout for party in parties] == [Money.parse("3"), Money.parse("2")]

    with fix_desk(held(), tmp_path, payout_unit=PayoutUnit.CENTS) as desk:
        asyncio.run(story(desk))


@pytest.mark.parametrize(
    "faults", [FixFaults(lost=1), FixFaults(until_cut=1), FixFaults(doubled=1)]
)
def test_whatever_happens_to_a_page_the_settlement_arrives_whole(
    faults: FixFaults, tmp_path: Path
) -> None:
    async def story(desk: FixDesk) -> None:
        book = SettlementPages(PARTIES)
        try:
            async with desk.line(SessionKind.PT, SETTLER, tmp_path) as line:
                settle(desk, MarketResult.YES, "1")
                await _until_whole(line, book)
        except SequencesDiffer:
            # A number that comes twice ends the session; what is missing comes with the next.
            async with desk.line(SessionKind.PT, SETTLER, tmp_path) as line:
                await _until_whole(line, book)
        assert (faults.lost, faults.doubled, faults.until_cut) == (0, 0, None)

    with fix_desk(held(), tmp_path, page_size=1, faults=faults) as desk:
        asyncio.run(story(desk))


async def _until_whole(line: Line, book: SettlementPages) -> None:
    while True:
        taken = book.take(await line.next(MarketSettlementReport))
        if taken.batch.completeness is Completeness.COMPLETE:
            assert taken.batch.parties == 2
            return


def test_the_oldest_spelling_is_read_as_the_present_one(tmp_path: Path) -> None:
    async def story(desk: FixDesk) -> None:
        async with desk.line(SessionKind.PT, SETTLER, tmp_path) as line:
            settle(desk, MarketResult.YES, "1")
            page = await line.next(MarketSettlementReport)
            assert (page.result, page.settlement_price) == (MarketResult.YES, Price.parse("1"))
            raw = next(each.raw for each in line.events if isinstance(each, Deliver))
            assert b"\x0120107=Yes\x01730=100\x01" in raw

    with fix_desk(held(), tmp_path, faults=FixFaults(is_older=True)) as desk:
        asyncio.run(story(desk))


def test_only_who_asked_gets_settlement_reports(tmp_path: Path) -> None:
    async def story(desk: FixDesk) -> None:
        async with (
            desk.line(SessionKind.NR, TRADER, tmp_path) as silent,
            desk.line(SessionKind.PT, SETTLER, tmp_path) as line,
        ):
            settle(desk, MarketResult.YES, "1")
            await line.next(MarketSettlementReport)
            assert not silent.heard(MarketSettlementReport)

    with fix_desk(held(), tmp_path) as desk:
        asyncio.run(story(desk))


def test_a_page_that_never_comes_is_known_as_missing(tmp_path: Path) -> None:
    async def story(desk: FixDesk) -> None:
        async with desk.line(SessionKind.PT, SETTLER, tmp_path) as line:
            settle(desk, MarketResult.YES, "1")
            book = SettlementPages(PARTIES)
            taken = book.take(await line.next(MarketSettlementReport))
            assert (taken.batch.has_last, taken.batch.announced) == (True, 2)
            assert taken.batch.completeness is Completeness.OPEN
        async with desk.line(SessionKind.PT, SETTLER, tmp_path) as line:
            await asyncio.sleep(0.1)
            assert not line.heard(MarketSettlementReport)

    with fix_desk(held(), tmp_path, page_size=1, faults=FixFaults(never=1)) as desk:
        asyncio.run(story(desk))
