"""What a client watches, over real sockets, when the exchange or the line misbehaves."""

from __future__ import annotations

import asyncio

import pytest
from bad_exchange import CPI, FED, NOON, BadExchange, Play, a_fill, an_order, play
from exchange_floor import Floor

from trueup.core import announcements as a
from trueup.core.errors import BookUnknown, CallerError, ConfigError, ExchangeRefused, NotAuthorized
from trueup.core.facts import Filled
from trueup.core.ids import Ticker, TradeId
from trueup.core.instant import SECOND
from trueup.core.orders import OrderStatus, Side
from trueup.core.units import Count, Price
from trueup.net.venues import Venue, resolve_endpoint, websocket_url
from trueup.net.ws import Connected, Disconnected, LineOptions
from trueup.wire.ws import client_events as e


def a_trade(number: int) -> a.TradeAnnounced:
    return a.TradeAnnounced(
        trade_id=TradeId(f"t{number}"),
        ticker=FED,
        price=Price.of_cents(40),
        count=Count.of_contracts(1),
        taker_side=Side.YES,
        at=NOON,
    )


def test_a_book_follows_the_exchange_and_wakes_its_reader() -> None:
    async def story(stage: Play) -> None:
        stage.exchange.floor.change(FED, Side.YES, 40, 10)
        book = await stage.client.watch_book(FED)
        assert (book.best_bid, book.best_ask) == (Price.of_cents(40), None)

        await book.changed()
        await stage.exchange.trade(FED, Side.NO, 45, 5)
        await book.changed()

        assert book.best_ask == Price.of_cents(45)
        assert book.spread is not None
        assert [one.count for one in book.bids()] == [Count.of_contracts(10)]

    play(story)


def test_two_readers_of_one_book_share_its_subscription_until_the_last_leaves() -> None:
    async def story(stage: Play) -> None:
        one, two = await stage.client.watch_book(FED), await stage.client.watch_book(FED)
        assert one.book is two.book
        [(session, _)] = stage.exchange.lines

        one.close()
        await stage.exchange.trade(FED, Side.YES, 7, 1)
        async for book in two.changes():
            if book.best_bid == Price.of_cents(7):
                break
        two.close()
        await stage.until(lambda: not session.channels)

    play(story)


def test_a_broken_connection_takes_the_book_back_and_a_new_one_brings_it_again() -> None:
    async def story(stage: Play) -> None:
        book = await stage.client.watch_book(FED)
        stage.exchange.refuses += [503, 502]
        # The door stays shut while we look: else the reason may already be the 503.
        stage.exchange.door.clear()
        await stage.exchange.drop()
        await stage.until(lambda: not book.is_valid)
        with pytest.raises(BookUnknown, match="closed the connection"):
            _ = book.best_bid
        stage.exchange.door.set()

        stage.exchange.floor.change(FED, Side.YES, 12, 1)
        await book.valid()

        assert book.best_bid == Price.of_cents(12)
        assert [one.attempt for one in stage.events if isinstance(one, Connected)] == [1, 4]
        pauses = [one.microseconds for one in stage.events if isinstance(one, Disconnected)]
        assert len(pauses) == 3
        assert all(0 <= one <= 30 * SECOND for one in pauses)
        # Every attempt was signed at its own time.
        assert len(set(stage.exchange.stamps)) == len(stage.exchange.stamps) == 4

    play(story)


def test_a_silent_line_is_given_up() -> None:
    async def story(stage: Play) -> None:
        book = await stage.client.watch_book(FED)
        stage.exchange.is_silent = True
        await stage.exchange.trade(FED, Side.YES, 12, 1)
        await stage.until(lambda: not book.is_valid)
        stage.exchange.is_silent = False
        await book.valid()

        assert book.best_bid == Price.of_cents(12)
        line = stage.client.streams.line
        assert line is not None
        assert line.counts["silences"] >= 1
        reasons = [one.reason for one in stage.events if isinstance(one, Disconnected)]
        assert "nothing came for 30 s" in reasons

    play(story)


def test_lost_messages_are_noticed_and_the_book_is_read_again() -> None:
    async def story(stage: Play) -> None:
        book = await stage.client.watch_book(FED)
        stage.exchange.is_silent = True
        await stage.exchange.trade(FED, Side.YES, 12, 1)
        stage.exchange.is_silent = False
        await stage.exchange.trade(FED, Side.YES, 13, 1)

        await stage.until(lambda: any(isinstance(one, e.Gap) for one in stage.events))
        await stage.until(lambda: book.is_valid and book.best_bid == Price.of_cents(13))

        assert book.book.snapshot() == stage.exchange.floor.books[FED].snapshot()

    play(story)


def test_a_key_that_is_not_accepted_fails_everything_that_is_watched() -> None:
    async def story(stage: Play) -> None:
        trades = stage.client.watch_trades()
        with pytest.raises(NotAuthorized, match="does not accept the key"):
            await stage.client.watch_book(FED)
        with pytest.raises(NotAuthorized):
            await anext(trades)
        with pytest.raises(NotAuthorized):
            stage.client.watch_fills()
        assert len(stage.exchange.stamps) == 2

    play(story, BadExchange(refuses=[401] * 9))


def test_a_signature_that_was_too_old_once_is_no_reason_to_give_up() -> None:
    async def story(stage: Play) -> None:
        await stage.client.watch_book(FED)
        assert len(stage.exchange.stamps) == 2

    play(story, BadExchange(refuses=[401]))


def test_a_market_that_does_not_exist_is_an_error_for_its_reader_only() -> None:
    async def story(stage: Play) -> None:
        book = await stage.client.watch_book(FED)
        with pytest.raises(ExchangeRefused, match="KX-NONE"):
            await stage.client.watch_book(Ticker("KX-NONE"))
        assert book.is_valid

    play(story)


def test_a_slow_reader_of_trades_misses_the_oldest_and_is_told_how_many() -> None:
    async def story(stage: Play) -> None:
        trades = stage.client.watch_trades([FED])
        await stage.until(lambda: any(isinstance(one, e.Live) for one in stage.events))
        for number in range(8):
            await stage.exchange.tell(a_trade(number))
        await stage.until(lambda: trades.missed == 5)

        assert [(await anext(trades)).trade_id for _ in range(3)] == ["t5", "t6", "t7"]

    play(story, waiting_max=3)


def test_a_slow_reader_of_tickers_sees_the_latest_of_each_market() -> None:
    async def story(stage: Play) -> None:
        tickers = stage.client.watch_ticker([FED, CPI])
        assert {(await anext(tickers)).ticker for _ in range(2)} == {FED, CPI}
        quick = stage.client.watch_ticker([FED])
        for price in (30, 31, 32):
            stage.exchange.floor.change(FED, Side.YES, price, 1)
            top = stage.exchange.floor.top(FED)
            assert top is not None
            await stage.exchange.tell(top)
        # Both hear the same at once, and this one reads it.
        while (await anext(quick)).yes_bid != Price.of_cents(32):
            pass

        assert (await anext(tickers)).yes_bid == Price.of_cents(32)
        assert tickers.take() is None

    play(story)


def test_closing_ends_every_watch() -> None:
    async def story(stage: Play) -> None:
        book = await stage.client.watch_book(FED)
        trades, lifecycle = stage.client.watch_trades(), stage.client.watch_lifecycle()
        reading = asyncio.create_task(_all(trades))
        await stage.client.close()

        assert await reading == []
        assert [one async for one in lifecycle] == []
        assert [one async for one in book.changes()] == []
        with pytest.raises(CallerError, match="closed"):
            stage.client.watch_trades()

    play(story)


async def _all(trades: object) -> list[object]:
    return [one async for one in trades]  # type: ignore[attr-defined]


def test_narrowing_and_widening_what_is_watched_reaches_the_exchange() -> None:
    async def story(stage: Play) -> None:
        everything, some = stage.client.watch_trades(), stage.client.watch_trades([CPI])
        await stage.until(lambda: any(isinstance(one, e.Live) for one in stage.events))
        everything.close()
        await stage.until(lambda: sum(isinstance(one, e.Live) for one in stage.events) == 2)
        await stage.exchange.tell(a_trade(1))
        await stage.exchange.tell(
            a.TradeAnnounced(
                trade_id=TradeId("cpi"),
                ticker=CPI,
                price=Price.of_cents(40),
                count=Count.of_contracts(1),
                taker_side=Side.YES,
                at=NOON,
            )
        )

        assert (await anext(some)).trade_id == "cpi"

    play(story)


def test_what_nobody_knows_is_counted_where_rest_counts_it() -> None:
    async def story(stage: Play) -> None:
        await stage.client.watch_book(FED)
        await stage.exchange.say('{"type":"weather","msg":{}}\n')
        await stage.exchange.say('{"type":"event_lifecycle","msg":{"event_ticker":"E","mood":1}}')
        await stage.until(lambda: len(stage.client.counts.unknown_fields) == 2)

        assert dict(stage.client.counts.unknown_fields) == {
            "stream weather.(a new type)": 1,
            "stream event_lifecycle.msg.mood": 1,
        }

    play(story)


# -- fills and orders --------------------------------------------------------------------------


def told(exchange: BadExchange, number: int, seconds: int = 0) -> a.FillAnnounced:
    """A fill that REST knows and the stream may tell."""
    exchange.fills.append(a_fill(number, seconds))
    return a.FillAnnounced(filled=exchange.fills[-1])


def test_a_fill_that_both_ways_tell_counts_once() -> None:
    async def story(stage: Play) -> None:
        fills = stage.client.watch_fills(since=NOON)
        await stage.until(lambda: any(isinstance(one, e.Live) for one in stage.events))
        for number in range(1, 4):
            await stage.exchange.tell(told(stage.exchange, number, number), user="me")
            await stage.exchange.tell(a.FillAnnounced(filled=stage.exchange.fills[-1]), user="me")
        heard = [await anext(fills) for _ in range(3)]
        before = stage.exchange.time.now
        await stage.until(lambda: stage.exchange.time.now > before + 130 * SECOND)

        assert heard == stage.exchange.fills
        assert fills.take() is None

    play(story)


def test_fills_that_the_stream_never_told_are_found_by_rest() -> None:
    async def story(stage: Play) -> None:
        told(stage.exchange, 1)
        fills = stage.client.watch_fills(since=NOON)
        assert await anext(fills) == stage.exchange.fills[0]
        # The channel says nothing about the next, as it was seen to do.
        told(stage.exchange, 2, 5)
        assert await anext(fills) == stage.exchange.fills[1]
        # One happens while the connection is down.
        stage.exchange.refuses += [503]
        await stage.exchange.drop()
        told(stage.exchange, 3, 9)
        assert await anext(fills) == stage.exchange.fills[2]
        assert fills.found_by_rest == 3

    play(story)


def test_fills_before_the_beginning_are_not_told() -> None:
    async def story(stage: Play) -> None:
        told(stage.exchange, 1, -600)
        fills = stage.client.watch_fills()
        told(stage.exchange, 2, 60)

        assert (await anext(fills)).trade_id == "t2"

    play(story)


def test_a_slow_reader_of_fills_misses_none() -> None:
    async def story(stage: Play) -> None:
        fills = stage.client.watch_fills(since=NOON)
        await stage.until(lambda: any(isinstance(one, e.Live) for one in stage.events))
        for number in range(1, 41):
            await stage.exchange.tell(told(stage.exchange, number, number), user="me")
        heard: list[Filled] = []
        for _ in range(40):
            heard.append(await anext(fills))
            await asyncio.sleep(0.005)

        assert sorted(heard, key=lambda one: one.at) == stage.exchange.fills
        assert fills.missed == 0

    play(story, waiting_max=5)


def test_fills_of_other_markets_are_left_out() -> None:
    async def story(stage: Play) -> None:
        stage.exchange.fills += [a_fill(1, 1, CPI), a_fill(2, 2, FED)]
        fills = stage.client.watch_fills([FED], since=NOON)

        assert (await anext(fills)).trade_id == "t2"

    play(story)


def test_orders_are_told_when_something_is_new_and_stale_reads_are_not_news() -> None:
    async def story(stage: Play) -> None:
        stage.exchange.orders += [an_order(1), an_order(2)]
        orders = stage.client.watch_orders(since=NOON)
        assert {(await anext(orders)).order_id for _ in range(2)} == {"o1", "o2"}

        canceled = an_order(1, OrderStatus.CANCELED, seconds=5)
        await stage.until(lambda: any(isinstance(one, e.Live) for one in stage.events))
        await stage.exchange.tell(a.OrderAnnounced(order=canceled), user="me")
        assert await anext(orders) == canceled
        # REST lags: it still shows the order resting, and that must not revive it.
        before = stage.exchange.time.now
        await stage.until(lambda: stage.exchange.time.now > before + 70 * SECOND)
        assert orders.take() is None

        # The other one is executed, and nobody tells; it is in no listing any more.
        stage.exchange.orders = [canceled, an_order(2, OrderStatus.EXECUTED, filled=10, seconds=9)]
        assert (await anext(orders)).status is OrderStatus.EXECUTED

    play(story)


# -- set-up ------------------------------------------------------------------------------------


def test_the_stream_has_its_own_host_on_the_exchange_only() -> None:
    def url(venue: Venue, address: str = "") -> str:
        return websocket_url(resolve_endpoint(venue, address))

    assert url(Venue.PROD) == "wss://external-api-ws.kalshi.com/trade-api/ws/v2"
    assert url(Venue.DEMO) == "wss://external-api-ws.demo.kalshi.co/trade-api/ws/v2"
    assert (
        url(Venue.PROD, "https://api.elections.kalshi.com")
        == "wss://api.elections.kalshi.com/trade-api/ws/v2"
    )
    assert url(Venue.SANDBOX) == "ws://127.0.0.1:8717/trade-api/ws/v2"


def test_giving_up_before_the_second_ping_is_refused() -> None:
    with pytest.raises(ConfigError, match="too short"):
        LineOptions(silence=10 * SECOND)


def test_how_to_watch_is_said_before_anything_is_watched() -> None:
    async def story(stage: Play) -> None:
        await stage.client.watch_book(FED)
        with pytest.raises(CallerError):
            stage.client.stream_with(stage.client.streams.options)

    play(story, BadExchange(floor=Floor(FED)))
