"""Market data by FIX: snapshots, changes, trades, the state of markets; and the quoting session."""

from __future__ import annotations

import asyncio
from pathlib import Path

from fix_desk import MAKERS, TRADER, WATCHER, FixDesk, Line, fix_desk
from served_floor import TICKER, ServedFloor

from trueup.core.market import MarketResult
from trueup.core.orders import Side
from trueup.core.units import Count, Price
from trueup.net.acceptor.fix_market_data import SYMBOLS_PER_REQUEST
from trueup.sim import commands as c
from trueup.wire.fix.messages.market_data import (
    MarketDataIncrementalRefresh,
    MarketDataRequest,
    MarketDataRequestReject,
    MarketDataSnapshotFullRefresh,
    RelatedSymbol,
    SecurityStatus,
    SecurityStatusRequest,
    UpdateEntry,
)
from trueup.wire.fix.messages.orders import NewOrderSingle
from trueup.wire.fix.session_kinds import SessionKind
from trueup.wire.fix.words import (
    EntryType,
    Subscription,
    TimeInForce,
    TradingStatus,
    UpdateAction,
)

MD = SessionKind.MD


def quoted() -> ServedFloor:
    floor = ServedFloor()
    floor.quote("0.40", "0.60")
    return floor


def request(*symbols: str, kind: Subscription = Subscription.SUBSCRIBE) -> MarketDataRequest:
    return MarketDataRequest(
        subscription=kind, symbols=tuple(RelatedSymbol(symbol=each) for each in symbols)
    )


def order(name: str, price: str, size: str) -> NewOrderSingle:
    return NewOrderSingle(
        client_order_id=name,
        quantity=Count.parse(size),
        price=Price.parse(price),
        side=Side.YES,
        symbol=TICKER,
        time_in_force=TimeInForce.GOOD_TILL_CANCELED,
    )


async def entries(line: Line) -> tuple[UpdateEntry, ...]:
    return (await line.next(MarketDataIncrementalRefresh)).entries


def test_a_subscription_begins_with_the_book_and_goes_on_with_its_changes(tmp_path: Path) -> None:
    async def story(desk: FixDesk) -> None:
        async with (
            desk.line(MD, WATCHER, tmp_path) as data,
            desk.line(SessionKind.NR, TRADER, tmp_path) as trading,
        ):
            book = await data.ask(request(TICKER, "KXNONE-1"), MarketDataSnapshotFullRefresh)
            assert [(each.entry_type, str(each.price)) for each in book.entries] == [
                (EntryType.BID, "0.40"),
                (EntryType.OFFER, "0.60"),
            ]
            unknown = await data.next(MarketDataSnapshotFullRefresh)
            assert (unknown.symbol, unknown.entries) == ("KXNONE-1", ())

            await trading.client.send(order("c-1", "0.40", "2"))
            (more,) = await entries(data)
            # The change names the whole level, not the difference.
            assert (more.action, more.entry_type) == (UpdateAction.CHANGE, EntryType.BID)
            assert more.size == book.entries[0].size + Count.parse("2")
            # The watcher's key is of the same account.
            assert more.client_order_id == "c-1"

            await trading.client.send(order("c-2", "0.60", "3"))
            kinds = [(each.action, each.entry_type) for each in await entries(data)]
            assert (UpdateAction.NEW, EntryType.TRADE) in kinds
            assert (UpdateAction.DELETE, EntryType.OFFER) in kinds

    with fix_desk(quoted(), tmp_path) as desk:
        asyncio.run(story(desk))


def test_orders_of_others_have_no_names(tmp_path: Path) -> None:
    async def story(desk: FixDesk) -> None:
        async with (
            desk.line(MD, MAKERS, tmp_path) as data,
            desk.line(SessionKind.NR, TRADER, tmp_path) as trading,
        ):
            await data.ask(request(TICKER), MarketDataSnapshotFullRefresh)
            await trading.client.send(order("c-1", "0.41", "2"))
            (level,) = await entries(data)
            assert (level.action, level.client_order_id) == (UpdateAction.NEW, None)

    with fix_desk(quoted(), tmp_path) as desk:
        asyncio.run(story(desk))


def test_too_many_symbols_and_none_at_all_are_refused(tmp_path: Path) -> None:
    async def story(desk: FixDesk) -> None:
        async with desk.line(MD, WATCHER, tmp_path) as data:
            many = request(*(f"KXA-{each}" for each in range(SYMBOLS_PER_REQUEST + 1)))
            assert (await data.ask(many, MarketDataRequestReject)).reason == "2"
            assert (await data.ask(request(), MarketDataRequestReject)).reason == "4"

    with fix_desk(quoted(), tmp_path) as desk:
        asyncio.run(story(desk))


def test_an_unsubscribed_market_is_silent(tmp_path: Path) -> None:
    async def story(desk: FixDesk) -> None:
        async with (
            desk.line(MD, WATCHER, tmp_path) as data,
            desk.line(SessionKind.NR, TRADER, tmp_path) as trading,
        ):
            await data.ask(request(TICKER), MarketDataSnapshotFullRefresh)
            await data.client.send(request(TICKER, kind=Subscription.UNSUBSCRIBE))
            again = request(TICKER, kind=Subscription.SNAPSHOT)
            await data.ask(again, MarketDataSnapshotFullRefresh)
            await trading.client.send(order("c-1", "0.41", "2"))
            book = await data.ask(again, MarketDataSnapshotFullRefresh)
            while len(book.entries) < 3:  # until the order is there
                book = await data.ask(again, MarketDataSnapshotFullRefresh)
            assert data.heard(MarketDataIncrementalRefresh) == []

    with fix_desk(quoted(), tmp_path) as desk:
        asyncio.run(story(desk))


def test_the_state_of_a_market_is_told_when_it_changes_until_it_has_paid(tmp_path: Path) -> None:
    async def story(desk: FixDesk) -> None:
        async with desk.line(MD, WATCHER, tmp_path) as data:
            await data.client.send(
                SecurityStatusRequest(subscription=Subscription.SUBSCRIBE, symbol=TICKER)
            )
            # Requests are taken in turn: with this answer the subscription stands.
            await data.ask(request(TICKER), MarketDataSnapshotFullRefresh)
            at = desk.floor.exchange.now
            for command in (
                c.CloseMarket(at=at, ticker=TICKER),
                c.DetermineMarket(
                    at=at, ticker=TICKER, result=MarketResult.YES, value=Price.parse("1")
                ),
                c.SettleMarket(at=at, ticker=TICKER),
            ):
                desk.server.step(command)
            determined = await data.next(SecurityStatus)
            settled = await data.next(SecurityStatus)
            assert (determined.status, settled.status) == (
                TradingStatus.DETERMINED,
                TradingStatus.SETTLED,
            )

    with fix_desk(quoted(), tmp_path) as desk:
        asyncio.run(story(desk))
