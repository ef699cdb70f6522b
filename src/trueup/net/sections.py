"""The sections of a client, as in ``client.markets.list(status="open")``.

One line per operation of the exchange's API; names and parameters are those of
the functions in `trueup.wire.rest`, where each is documented.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar

from trueup.net import order_flows
from trueup.net.section import Carrier, Follows, Lists, M_co, Section, Sends
from trueup.wire.rest import (
    account,
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
    order_groups,
    orders,
    portfolio,
    rfq_batches,
    rfqs,
    search,
    series,
    transfers,
)
from trueup.wire.rest import api_keys as key_calls
from trueup.wire.rest import milestones as milestone_calls
from trueup.wire.rest.call import Call

P = ParamSpec("P")
A = TypeVar("A")
B = TypeVar("B")


def _in_full(
    build: Callable[P, Call[A]], read: Callable[[Call[A]], Call[B]]
) -> Callable[P, Call[B]]:
    @functools.wraps(build)
    def both(*args: P.args, **kwargs: P.kwargs) -> Call[B]:
        return read(build(*args, **kwargs))

    return both


class Exchange(Section[M_co]):
    """Is the exchange open, and how far have its reads come?"""

    status = Sends(exchange.status)
    schedule = Sends(exchange.schedule)
    user_data_timestamp = Sends(exchange.user_data_timestamp)


class Series(Section[M_co]):
    """Recurring kinds of events."""

    get = Sends(_in_full(series.series, full.series))
    list = Lists(_in_full(series.series_list, full.series_list))
    fee_changes = Lists(series.fee_changes)


class Events(Section[M_co]):
    """Questions, each with its markets."""

    get = Sends(_in_full(events.event, full.event))
    list = Lists(_in_full(events.events, full.events))
    list_combos = Lists(_in_full(events.combo_events, full.events))
    fee_changes = Lists(events.fee_changes)
    metadata = Sends(events.metadata)
    candles = Sends(events.candles)
    forecast_history = Sends(events.forecast_history)


class Markets(Section[M_co]):
    """Markets, their order books, trades and candlesticks."""

    get = Sends(_in_full(markets.market, full.market))
    list = Lists(_in_full(markets.markets, full.markets))
    orderbook = Sends(markets.orderbook)
    orderbooks = Sends(markets.orderbooks_of)
    trades = Lists(markets.trades)
    candles = Sends(markets.candles)
    candles_of = Sends(markets.candles_of)


class Orders(Section[M_co]):
    """Our orders.  A write is sent once; a lost answer is resolved by asking."""

    buy = Follows(order_flows.buy)
    sell = Follows(order_flows.sell)
    create = Follows(order_flows.create)
    create_batch = Follows(order_flows.create_batch)
    amend = Follows(order_flows.amend)
    decrease = Follows(order_flows.decrease)
    cancel = Follows(order_flows.cancel)
    cancel_batch = Follows(order_flows.cancel_batch)
    cancel_all = Sends(orders.cancel_all)
    resolve = Follows(order_flows.resolve)
    find = Follows(order_flows.find)
    get = Sends(_in_full(portfolio.order, full.order))
    list = Lists(_in_full(portfolio.orders, full.orders))
    queue_position = Sends(orders.queue_position)
    queue_positions = Sends(orders.queue_positions)


class OrderGroups(Section[M_co]):
    """Orders that are cancelled together once too many of them filled."""

    list = Sends(order_groups.groups)
    get = Sends(order_groups.group)
    create = Sends(order_groups.create)
    set_limit = Sends(order_groups.set_limit)
    reset = Sends(order_groups.reset)
    trigger = Sends(order_groups.trigger)
    delete = Sends(order_groups.delete)


class Portfolio(Section[M_co]):
    """Cash, positions, fills and settlements."""

    balance = Sends(portfolio.balance)
    positions = Lists(portfolio.positions)
    event_positions = Lists(_in_full(portfolio.positions, full.event_positions))
    fills = Lists(portfolio.fills)
    settlements = Lists(portfolio.settlements)
    deposits = Lists(cash.deposits)
    withdrawals = Lists(cash.withdrawals)
    resting_order_value = Sends(transfers.resting_order_value)


class Transfers(Section[M_co]):
    """Subaccounts, and cash moved inside the account."""

    create_subaccount = Sends(transfers.create_subaccount)
    subaccount_balances = Sends(cash.subaccount_balances)
    move_between_subaccounts = Sends(transfers.move_between_subaccounts)
    between_subaccounts = Lists(cash.subaccount_transfers)
    move_between_shards = Sends(transfers.move_between_shards)
    between_shards = Lists(_in_full(cash.shard_transfers, full.shard_transfers))
    get_between_shards = Sends(_in_full(cash.shard_transfer, full.shard_transfer))
    netting = Sends(transfers.netting)
    set_netting = Sends(transfers.set_netting)
    balance_allocation = Sends(transfers.balance_allocation)
    set_balance_allocation = Sends(transfers.set_balance_allocation)


class AccountSettings(Section[M_co]):
    """The request budget, the usage tier and the API keys."""

    limits = Sends(account.limits)
    endpoint_costs = Sends(account.endpoint_costs)
    volume_progress = Sends(account.volume_progress)
    upgrade_usage_level = Sends(account.upgrade_usage_level)
    api_keys = Sends(key_calls.list_keys)
    region_expires_at = Sends(key_calls.region_expires_at)
    create_api_key = Sends(key_calls.create)
    generate_api_key = Sends(key_calls.generate)
    delete_api_key = Sends(key_calls.delete)


class Historical(Section[M_co]):
    """What has left the live tier."""

    cutoff = Sends(historical.cutoff)
    fills = Lists(historical.fills)
    orders = Lists(_in_full(historical.orders, full.orders))
    positions = Lists(historical.positions)
    event_positions = Lists(_in_full(historical.positions, full.event_positions))
    market = Sends(_in_full(historical.market, full.market))
    markets = Lists(_in_full(historical.markets, full.markets))
    trades = Lists(historical.trades)
    candles = Sends(historical.candles)


class Rfqs(Section[M_co]):
    """Requests for quotes, and quotes."""

    communications_id = Sends(rfqs.communications_id)
    list = Lists(rfqs.rfqs)
    get = Sends(rfqs.rfq)
    create = Sends(rfqs.create_rfq)
    delete = Sends(rfqs.delete_rfq)
    quotes = Lists(rfqs.quotes)
    get_quote = Sends(rfqs.quote)
    create_quote = Sends(rfqs.create_quote)
    delete_quote = Sends(rfqs.delete_quote)
    accept_quote = Sends(rfqs.accept_quote)
    confirm_quote = Sends(rfqs.confirm_quote)
    get_unscoped_quote = Sends(rfqs.unscoped_quote)
    delete_unscoped_quote = Sends(rfqs.delete_unscoped_quote)
    accept_unscoped_quote = Sends(rfqs.accept_unscoped_quote)
    confirm_unscoped_quote = Sends(rfqs.confirm_unscoped_quote)


class RfqBatches(Section[M_co]):
    """Requests for quotes on several combos at once."""

    list = Lists(rfq_batches.batches)
    get = Sends(rfq_batches.batch)
    create = Sends(rfq_batches.create)
    delete = Sends(rfq_batches.delete)
    best_quotes = Sends(rfq_batches.best_quotes)
    accept = Sends(rfq_batches.accept)
    quotes = Sends(rfq_batches.quotes)
    create_quote = Sends(rfq_batches.create_quote)
    delete_quote = Sends(rfq_batches.delete_quote)
    confirm_quote = Sends(rfq_batches.confirm_quote)


class BlockTrades(Section[M_co]):
    """Trades agreed off the book."""

    list = Lists(block_trades.proposals)
    propose = Sends(block_trades.propose)
    accept = Sends(block_trades.accept)


class Combos(Section[M_co]):
    """Markets that are made of other markets."""

    collection = Sends(combos.collection)
    collections = Lists(combos.collections)
    create_market = Sends(combos.create_market)


class Reference(Section[M_co]):
    """What events are about: milestones, targets, live figures, tags, rewards."""

    milestone = Sends(milestone_calls.milestone)
    milestones = Lists(milestone_calls.milestones)
    target = Sends(milestone_calls.target)
    targets = Lists(milestone_calls.targets)
    live_milestone = Sends(live_data.milestone)
    live_typed_milestone = Sends(live_data.typed_milestone)
    live_milestones = Sends(live_data.milestones)
    live_event = Sends(live_data.event)
    game_stats = Sends(live_data.game_stats)
    weather_index = Sends(live_data.weather_index)
    weather_calibrations = Sends(live_data.weather_calibrations)
    tags_by_category = Sends(search.tags_by_category)
    sports = Sends(search.sports)
    incentive_programs = Lists(incentives.programs)


class Fcm(Section[M_co]):
    """For clearing members: their customers."""

    fills = Lists(fcm.fills)
    orders = Lists(_in_full(fcm.orders, full.orders))
    positions = Lists(fcm.positions)
    event_positions = Lists(_in_full(fcm.positions, full.event_positions))
    transfer_position = Sends(fcm.transfer_position)
    subtraders = Sends(fcm.subtraders)
    create_subtrader = Sends(fcm.create_subtrader)
    daily_cap = Sends(fcm.daily_cap)
    set_daily_cap = Sends(fcm.set_daily_cap)
    delete_daily_cap = Sends(fcm.delete_daily_cap)
    blocked_categories = Sends(fcm.blocked_categories)
    block_category = Sends(fcm.block_category)


class Sections(Generic[M_co]):
    """All sections of a client.  A client is its own carrier."""

    def __init__(self, carrier: Carrier) -> None:
        self.exchange: Exchange[M_co] = Exchange(carrier)
        self.series: Series[M_co] = Series(carrier)
        self.events: Events[M_co] = Events(carrier)
        self.markets: Markets[M_co] = Markets(carrier)
        self.orders: Orders[M_co] = Orders(carrier)
        self.order_groups: OrderGroups[M_co] = OrderGroups(carrier)
        self.portfolio: Portfolio[M_co] = Portfolio(carrier)
        self.transfers: Transfers[M_co] = Transfers(carrier)
        self.account: AccountSettings[M_co] = AccountSettings(carrier)
        self.historical: Historical[M_co] = Historical(carrier)
        self.rfqs: Rfqs[M_co] = Rfqs(carrier)
        self.rfq_batches: RfqBatches[M_co] = RfqBatches(carrier)
        self.block_trades: BlockTrades[M_co] = BlockTrades(carrier)
        self.combos: Combos[M_co] = Combos(carrier)
        self.reference: Reference[M_co] = Reference(carrier)
        self.fcm: Fcm[M_co] = Fcm(carrier)
