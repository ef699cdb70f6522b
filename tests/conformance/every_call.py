"""One call of every operation, with everything that can be asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from trueup.core.ids import (
    ClientOrderId,
    EventTicker,
    OrderGroupId,
    OrderId,
    SeriesTicker,
    Shard,
    Subaccount,
    Ticker,
)
from trueup.core.instant import Instant, from_seconds
from trueup.core.order_entry import Amendment, Cancellation, Decrease, NewOrder
from trueup.core.orders import OrderStatus, Side
from trueup.core.units import Count, Money, Price
from trueup.wire.rest import (
    account,
    api_keys,
    block_trades,
    cash,
    combos,
    events,
    exchange,
    fcm,
    full,
    historical,
    incentives,
    live_data,
    markets,
    milestones,
    order_groups,
    orders,
    portfolio,
    rfq_batches,
    rfqs,
    search,
    series,
    transfers,
)
from trueup.wire.rest.call import Call
from trueup.wire.rest.rows.rfqs import (
    BatchAcceptance,
    ChildQuote,
    ChosenMarket,
    LowestBid,
    NewBatchQuote,
    NewQuote,
    NewRfq,
    NewRfqBatch,
    NewRfqBatchChild,
)

SERIES: Final = SeriesTicker("KXA")
EVENT: Final = EventTicker("KXA-26")
TICKER: Final = Ticker("KXA-26-T1")
ORDER_ID: Final = OrderId("o1")
GROUP: Final = OrderGroupId("g1")
SUBACCOUNT: Final = Subaccount(3)
SHARD: Final = Shard(2)
HALF: Final = Price(5_000)
TEN: Final = Count.of_contracts(10)
START: Final = from_seconds(1_780_000_000)
END: Final = from_seconds(1_780_086_400)
PAGE: Final[dict[str, Any]] = {"limit": 7, "cursor": "c"}
TIMES: Final[dict[str, Instant]] = {"min_at": START, "max_at": END}
WHERE: Final[dict[str, Any]] = {"subaccount": SUBACCOUNT, "shard": SHARD}
SPAN: Final[dict[str, Any]] = {"start": START, "end": END, "period": markets.Period.HOUR}

ORDER: Final = NewOrder(
    ticker=TICKER, side=Side.YES, count=TEN, price=HALF, client_order_id=ClientOrderId("c1")
)
LEG: Final = ChosenMarket(market_ticker=TICKER, event_ticker=EVENT, side=Side.NO)


def every_call() -> Iterator[Call[Any]]:
    """The calls, section by section."""
    yield from _markets()
    yield from _orders()
    yield from _account()
    yield from _archive()
    yield from _communications()
    yield from _reference()
    yield from _fcm()
    yield from _in_full()


def _markets() -> Iterator[Call[Any]]:
    yield exchange.status()
    yield exchange.schedule()
    yield exchange.user_data_timestamp()
    yield series.series(SERIES, include_volume=True)
    yield series.series_list(
        category="c", tags="t", min_updated_at=START, include_volume=True, include_metadata=True
    )
    yield series.fee_changes(series_ticker=SERIES, show_historical=True)
    yield markets.market(TICKER)
    yield markets.markets(
        tickers=[TICKER],
        event_ticker=EVENT,
        series_ticker=SERIES,
        status="open",
        combos=False,
        min_created_at=START,
        max_created_at=END,
        min_updated_at=START,
        max_updated_at=END,
        min_close_at=START,
        max_close_at=END,
        min_settled_at=START,
        max_settled_at=END,
        **PAGE,
    )
    yield markets.orderbook(TICKER, depth=10)
    yield markets.orderbooks_of([TICKER, TICKER])
    yield markets.trades(ticker=TICKER, block=False, **TIMES, **PAGE)
    yield markets.candles(SERIES, TICKER, include_latest_before=True, **SPAN)
    yield markets.candles_of([TICKER], include_latest_before=True, **SPAN)
    yield events.event(EVENT, nested_markets=True)
    yield events.events(
        tickers=[EVENT],
        series_ticker=SERIES,
        status="open",
        nested_markets=True,
        min_close_at=START,
        min_updated_at=START,
        **PAGE,
    )
    yield events.combo_events(
        tickers=[EVENT],
        series_ticker=SERIES,
        collection_ticker="c",
        nested_markets=True,
        **PAGE,
    )
    yield events.fee_changes(event_ticker=EVENT, **PAGE)
    yield events.metadata(EVENT)
    yield events.candles(SERIES, EVENT, **SPAN)
    yield events.forecast_history(SERIES, EVENT, percentiles=[2500], start=START, end=END)


def _orders() -> Iterator[Call[Any]]:
    yield orders.create(ORDER)
    yield orders.create_batch([ORDER])
    yield orders.amend(
        Amendment(order_id=ORDER_ID, ticker=TICKER, side=Side.YES, count=TEN, price=HALF, **WHERE)
    )
    yield orders.decrease(Decrease(order_id=ORDER_ID, by=TEN, **WHERE))
    yield orders.cancel(Cancellation(order_id=ORDER_ID, ticker=TICKER, **WHERE))
    yield orders.cancel_batch([Cancellation(order_id=ORDER_ID)])
    yield orders.cancel_all(subaccount=SUBACCOUNT)
    yield orders.queue_positions(market_tickers=[TICKER], event_ticker=EVENT, subaccount=SUBACCOUNT)
    yield orders.queue_position(ORDER_ID)
    yield order_groups.groups(subaccount=SUBACCOUNT)
    yield order_groups.group(GROUP, subaccount=SUBACCOUNT)
    yield order_groups.create(TEN, **WHERE)
    yield order_groups.set_limit(GROUP, TEN, **WHERE)
    yield order_groups.reset(GROUP, **WHERE)
    yield order_groups.trigger(GROUP, **WHERE)
    yield order_groups.delete(GROUP, **WHERE)


def _account() -> Iterator[Call[Any]]:
    yield portfolio.balance(**WHERE)
    yield portfolio.fills(ticker=TICKER, order_id=ORDER_ID, **TIMES, **PAGE, **WHERE)
    yield portfolio.settlements(
        ticker=TICKER, event_ticker=EVENT, subaccount=SUBACCOUNT, **TIMES, **PAGE
    )
    yield portfolio.orders(
        ticker=TICKER,
        event_ticker=EVENT,
        status=OrderStatus.RESTING,
        **TIMES,
        **PAGE,
        **WHERE,
    )
    yield portfolio.order(ORDER_ID)
    yield portfolio.positions(
        ticker=TICKER, event_ticker=EVENT, count_filter="position", **PAGE, **WHERE
    )
    yield cash.deposits(**PAGE)
    yield cash.withdrawals(**PAGE)
    yield cash.subaccount_balances()
    yield cash.subaccount_transfers(**PAGE)
    yield cash.shard_transfers(**PAGE)
    yield cash.shard_transfer("x1")
    yield transfers.create_subaccount(shard=SHARD)
    yield transfers.move_between_subaccounts(
        transfers.SubaccountTransfer(
            client_transfer_id="t1",
            from_subaccount=Subaccount(0),
            to_subaccount=SUBACCOUNT,
            amount=Money.of_cents(100),
        )
    )
    yield transfers.move_between_shards(
        transfers.ShardTransfer(amount=Money.of_cents(100), to_shard=SHARD)
    )
    yield transfers.netting()
    yield transfers.set_netting(SUBACCOUNT, enabled=True)
    yield transfers.balance_allocation()
    yield transfers.set_balance_allocation([transfers.ShardShare(shard=SHARD, percent=100)])
    yield transfers.resting_order_value()
    yield account.limits()
    yield account.endpoint_costs()
    yield account.volume_progress()
    yield account.upgrade_usage_level()
    yield api_keys.list_keys(fcm_subtrader_id="s")
    yield api_keys.create(api_keys.NewKey(name="bot", public_key="PEM"))
    yield api_keys.generate(api_keys.WantedKey(name="bot"))
    yield api_keys.delete("k1")


def _archive() -> Iterator[Call[Any]]:
    yield historical.cutoff()
    yield historical.fills(ticker=TICKER, subaccount=SUBACCOUNT, **TIMES, **PAGE)
    yield historical.orders(ticker=TICKER, subaccount=SUBACCOUNT, **TIMES, **PAGE)
    yield historical.positions(ticker=TICKER, event_ticker=EVENT, subaccount=SUBACCOUNT, **PAGE)
    yield historical.market(TICKER)
    yield historical.markets(
        tickers=[TICKER], event_ticker=EVENT, series_ticker=SERIES, combos=False, **PAGE
    )
    yield historical.trades(ticker=TICKER, block=True, **TIMES, **PAGE)
    yield historical.candles(TICKER, **SPAN)


def _communications() -> Iterator[Call[Any]]:
    yield rfqs.communications_id()
    yield rfqs.rfqs(
        event_ticker=EVENT,
        market_ticker=TICKER,
        status="open",
        mine=True,
        creator_user_id="u",
        subaccount=SUBACCOUNT,
        **PAGE,
    )
    yield rfqs.rfq("r1")
    yield rfqs.create_rfq(NewRfq(market_ticker=TICKER, count=TEN))
    yield rfqs.delete_rfq("r1")
    yield rfqs.quotes(
        rfq_id="r1",
        status="open",
        mine=True,
        for_my_rfqs=True,
        quote_creator_user_id="u",
        rfq_creator_user_id="v",
        rfq_creator_subtrader_id="w",
        **TIMES,
        **PAGE,
    )
    yield rfqs.create_quote(NewQuote(rfq_id="r1", yes_bid=HALF, no_bid=HALF))
    yield rfqs.quote("r1", "q1")
    yield rfqs.delete_quote("r1", "q1")
    yield rfqs.accept_quote("r1", "q1", Side.NO)
    yield rfqs.confirm_quote("r1", "q1")
    yield rfqs.unscoped_quote("q1")
    yield rfqs.delete_unscoped_quote("q1")
    yield rfqs.accept_unscoped_quote("q1", Side.YES)
    yield rfqs.confirm_unscoped_quote("q1")
    yield rfq_batches.batches(status="open", mine=True, subaccount=SUBACCOUNT, **PAGE)
    yield rfq_batches.batch("b1")
    yield rfq_batches.create(
        NewRfqBatch(children=(NewRfqBatchChild(legs=(LEG,)),), count=TEN, collection_ticker="c")
    )
    yield rfq_batches.delete("b1")
    yield rfq_batches.best_quotes("b1")
    yield rfq_batches.accept(
        "b1",
        BatchAcceptance(accepted_side=Side.YES, lowest_bids=(LowestBid(rfq_id="r1", bid=HALF),)),
    )
    yield rfq_batches.quotes("b1")
    yield rfq_batches.create_quote(
        "b1", NewBatchQuote(quotes=(ChildQuote(rfq_id="r1", yes_bid=HALF, no_bid=HALF),))
    )
    yield rfq_batches.delete_quote("b1", "q1")
    yield rfq_batches.confirm_quote("b1", "q1")
    yield block_trades.proposals(market_ticker=TICKER, status="open", **PAGE)
    yield block_trades.propose(
        block_trades.NewBlockTrade(
            buyer_user_id="u",
            seller_user_id="v",
            market_ticker=TICKER,
            price=HALF,
            count=TEN,
            maker_side=Side.YES,
            expires_at=END,
        )
    )
    yield block_trades.accept("p1", subaccount=SUBACCOUNT)


def _reference() -> Iterator[Call[Any]]:
    yield search.tags_by_category()
    yield search.sports()
    yield live_data.milestone("m1", include_player_stats=True)
    yield live_data.typed_milestone("football_game", "m1", include_player_stats=True)
    yield live_data.milestones(["m1", "m2"], include_player_stats=True)
    yield live_data.game_stats("m1")
    yield live_data.event(EVENT, chart_range="1h")
    yield live_data.weather_index("miami", start=START, end=END, last_seconds=60, detailed=True)
    yield live_data.weather_calibrations("miami")
    yield milestones.milestone("m1")
    yield milestones.milestones(
        category="Sports",
        competition="NBA",
        kind="basketball_game",
        source_id="s",
        related_event_ticker=EVENT,
        start_from=START,
        min_updated_at=START,
        **PAGE,
    )
    yield milestones.target("t1")
    yield milestones.targets(ids=["t1"], kind="team", competition="NBA", **PAGE)
    yield combos.collection("c")
    yield combos.collections(
        status="open", associated_event_ticker=EVENT, series_ticker=SERIES, **PAGE
    )
    yield combos.create_market("c", [LEG], with_market=True)
    yield incentives.programs(status="active", kind="volume", description="d", **PAGE)


def _fcm() -> Iterator[Call[Any]]:
    yield fcm.fills(cursor="c", **TIMES)
    yield fcm.orders(
        subtrader_id="s",
        client_order_ids=[ClientOrderId("c1")],
        ticker=TICKER,
        event_ticker=EVENT,
        status=OrderStatus.EXECUTED,
        **TIMES,
        **PAGE,
    )
    yield fcm.positions(
        subtrader_id="s",
        ticker=TICKER,
        event_ticker=EVENT,
        count_filter="position",
        settlement_status="all",
        **PAGE,
    )
    yield fcm.transfer_position(
        fcm.PositionTransfer(
            source_subtrader_id="s",
            target_subtrader_id="t",
            market_ticker=TICKER,
            count=TEN,
            price=HALF,
        )
    )
    yield fcm.subtraders()
    yield fcm.create_subtrader("abc")
    yield fcm.daily_cap("s")
    yield fcm.set_daily_cap("s", Money.of_cents(100))
    yield fcm.delete_daily_cap("s")
    yield fcm.blocked_categories("s")
    yield fcm.block_category("s", "Politics", blocked=True)


def _in_full() -> Iterator[Call[Any]]:
    """Markets, events and series once more: everything that is said about them."""
    yield full.market(markets.market(TICKER))
    yield full.markets(markets.markets())
    yield full.market(historical.market(TICKER))
    yield full.markets(historical.markets())
    yield full.event(events.event(EVENT, nested_markets=True))
    yield full.events(events.events())
    yield full.events(events.combo_events())
    yield full.series(series.series(SERIES))
    yield full.series_list(series.series_list())
    yield events.event(EVENT)
    yield full.order(portfolio.order(ORDER_ID))
    yield full.orders(portfolio.orders())
    yield full.orders(historical.orders())
    yield full.orders(fcm.orders())
    yield full.event_positions(portfolio.positions())
    yield full.event_positions(historical.positions())
    yield full.event_positions(fcm.positions())
    yield full.shard_transfer(cash.shard_transfer("x1"))
    yield full.shard_transfers(cash.shard_transfers())
    yield api_keys.region_expires_at()
