"""An invented account of any size whose books close to the cent.

Blocks of 1,000 fills: 100 markets with ten fills each, by two orders of five,
interleaved in time.  The balance is read after the last fill, while one more
order rests; then all markets of the block settle.  Fees are those of the
published rules, so the reconciliation has to agree with every one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from zlib import crc32

from trueup.core.catalog import Event, FeeTerms, Market, Series
from trueup.core.collateral import resting_collateral
from trueup.core.facts import Banked, BankingStatus, Filled, OrderReported, Settled, Source, Stream
from trueup.core.fees import FillForFee, OrderFees, Precision
from trueup.core.ids import (
    PRIMARY,
    SHARD_ZERO,
    ClientOrderId,
    EventTicker,
    OrderId,
    SeriesTicker,
    Ticker,
    TradeId,
)
from trueup.core.instant import DAY, HOUR, MINUTE, SECOND, Instant, parse_instant
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.observations import Observation
from trueup.core.orders import OrderStatus, Side
from trueup.core.payoff import gross_payout
from trueup.core.position import FLAT, Position, trade
from trueup.core.statements import BalanceStated, MarketStated, PositionStated
from trueup.core.units import ONE_DOLLAR, ZERO_COUNT, ZERO_MONEY, Count, Money, Price, Ratio
from trueup.store.database import Books
from trueup.store.progress import Progress, Tier

MARKETS_IN_A_BLOCK: Final = 100
FILLS_OF_A_MARKET: Final = 10
FILLS_OF_AN_ORDER: Final = 5
FILLS_IN_A_BLOCK: Final = MARKETS_IN_A_BLOCK * FILLS_OF_A_MARKET

_BEGINNING: Final = parse_instant("2026-09-20T00:00:00Z")
_BETWEEN_FILLS: Final = 2 * SECOND
_BLOCK: Final = HOUR
_READ_AFTER: Final = 45 * MINUTE
_SETTLED_AFTER: Final = 50 * MINUTE
_DEPOSIT: Final = Money.of_cents(1_000_000_000)
_SERIES: Final = Series(
    ticker=SeriesTicker("KXBENCH"),
    title="Benchmark",
    category="Crypto",
    tags=(),
    fee_type="quadratic",
    fee_multiplier=Ratio(1),
)
_TERMS: Final = FeeTerms("quadratic", Ratio(1), waived=False)
_RAW: Final = b'{"invented":"' + b"x" * 500 + b'"}'
"""As long as a record of the exchange."""


def write_account(books: Books, *, fills: int) -> Instant:
    """Write the account into the journal, block by block; returns a time after all of it."""
    books.cache.save_series([_SERIES], fetched_at=_BEGINNING)
    before = Instant(_BEGINNING - DAY)
    deposit = Banked(
        banking_id="deposit-1",
        amount=_DEPOSIT,
        fee=ZERO_MONEY,
        status=BankingStatus.APPLIED,
        method="ach",
        created_at=before,
        at=before,
    )
    books.append(seen([deposit], before), stream=Stream.DEPOSITS)
    cash, end = _DEPOSIT, _BEGINNING
    for number in range(fills // FILLS_IN_A_BLOCK):
        block = Block(number, cash)
        block.write(books)
        cash, end = block.cash, block.end
    for stream, subaccount in (
        (Stream.FILLS, None),
        (Stream.ORDERS, None),
        (Stream.SETTLEMENTS, PRIMARY),
        (Stream.DEPOSITS, None),
        (Stream.WITHDRAWALS, None),
        (Stream.TRANSFERS, None),
        (Stream.SHARD_TRANSFERS, None),
    ):
        progress = Progress(
            stream=stream,
            subaccount=subaccount,
            shard=None,
            tier=Tier.LIVE,
            window_start=None,
            window_end=None,
            cursor="",
            done=True,
            at=end,
            covers=(Instant(0), end),
        )
        books.append([], stream=stream, progress=progress)
    return end


@dataclass(slots=True)
class _Market:
    """One market while its fills are made."""

    index: int
    ticker: Ticker
    event: EventTicker
    position: Position = FLAT
    order_fees: OrderFees = field(default_factory=lambda: OrderFees(Precision.DIRECT))
    fills: list[Filled] = field(default_factory=list[Filled])
    realized: Money = ZERO_MONEY

    def fill(self, place: int, number: int, at: Instant) -> tuple[Filled, Money]:
        """Make the next fill, and say how it changes the cash."""
        order, first = divmod(place, FILLS_OF_AN_ORDER)
        if not first:
            self.order_fees = OrderFees(Precision.DIRECT)
        side = Side.NO if self.index % 3 == 2 or (self.index % 3 == 1 and order) else Side.YES
        price = Price.of_cents(20 + (self.index * 13 + place * 5 + number) % 60)
        count = Count.of_contracts(3 + (self.index + place * 7) % 5)
        change = trade(self.position, side, count, price)
        asked = FillForFee(side=side, count=count, price=price, is_taker=True, at=at)
        charged = self.order_fees.charge_fill(asked, _TERMS)
        assert charged is not None
        self.order_fees, line = charged
        self.position = change.after
        self.realized += change.realized
        filled = Filled(
            trade_id=TradeId(f"{number:05x}{self.index:03x}-{place:04x}-4000-8000-00000000000f"),
            order_id=self.order_id(order),
            ticker=self.ticker,
            side=side,
            count=count,
            price=price,
            fee=line.net_fee,
            is_taker=True,
            at=at,
            subaccount=PRIMARY,
            shard=SHARD_ZERO,
        )
        self.fills.append(filled)
        return filled, change.cash - line.net_fee

    def order_id(self, order: int) -> OrderId:
        """Orders have ids that say nothing about their time."""
        mixed = crc32(f"{self.ticker}/{order}".encode())
        return OrderId(f"{mixed:08x}-{order:04x}-4000-8000-{self.ticker[-8:]}")

    @property
    def value(self) -> Price:
        """What one YES contract pays."""
        return ONE_DOLLAR if self.index % 2 else Price(0)

    def bought(self, side: Side) -> tuple[Count, Money]:
        """The gross count and cost of one side, as settlement rows state them."""
        count, cost = ZERO_COUNT, ZERO_MONEY
        for each in self.fills:
            if each.side is side:
                count += each.count
                cost += _own_price(each) * each.count
        return count, cost

    @property
    def fees(self) -> Money:
        return _fees(self.fills)


class Block:
    """1,000 fills and all that belongs to them."""

    def __init__(self, number: int, cash: Money) -> None:
        self.cash = cash
        self._number = number
        self._begin = Instant(_BEGINNING + number * _BLOCK)
        self.end = Instant(self._begin + _BLOCK)
        event = EventTicker(f"KXBENCH-{number:05d}")
        self._markets = [
            _Market(index, Ticker(f"{event}-T{index:02d}"), event)
            for index in range(MARKETS_IN_A_BLOCK)
        ]

    def write(self, books: Books) -> None:
        """Write it into the journal, each stream as one page."""
        fills = list(self._fills())
        orders = [order for market in self._markets for order in _orders(market)]
        resting = self._resting()
        balances = self._balances(resting)
        settled_at = Instant(self._begin + _SETTLED_AFTER)
        settlements = [self._settle(market, settled_at) for market in self._markets]
        stated = [_stated(market, settled_at) for market in self._markets]
        positions = [_position(market, settled_at) for market in self._markets]
        for stream, values in (
            (Stream.FILLS, fills),
            (Stream.ORDERS, [*orders, resting]),
            (Stream.SETTLEMENTS, settlements),
            (Stream.MARKETS, stated),
            (Stream.POSITIONS, positions),
            (Stream.BALANCES, balances),
        ):
            books.append(seen(values, self.end), stream=stream)
        books.cache.save_events([_event(self._markets[0].event)], fetched_at=self.end)
        described = [_described(market, settled_at) for market in self._markets]
        books.cache.save_markets(described, fetched_at=self.end)

    def _fills(self) -> Iterator[Filled]:
        at = self._begin
        for place in range(FILLS_OF_A_MARKET):
            for market in self._markets:
                at = Instant(at + _BETWEEN_FILLS)
                filled, cash = market.fill(place, self._number, at)
                self.cash += cash
                yield filled

    def _resting(self) -> OrderReported:
        """An order that rests at the reading and is canceled later without a fill."""
        market = self._markets[0]
        return _order(
            market.order_id(9),
            market.ticker,
            Side.YES,
            (),
            initial=Count.of_contracts(10),
            created_at=self._begin,
            updated_at=Instant(self._begin + _READ_AFTER + MINUTE),
        )

    def _balances(self, resting: OrderReported) -> list[BalanceStated]:
        """The total and the one shard, as the exchange answers."""
        at = Instant(self._begin + _READ_AFTER)
        # When it is read the order is whole; the journal knows it canceled.
        whole = replace(resting, remaining_count=resting.initial_count)
        available = self.cash - resting_collateral(self._markets[0].position, [whole])
        return [
            BalanceStated(
                low=available,
                high=available,
                portfolio_value=None,
                subaccount=PRIMARY,
                shard=shard,
                at=at,
                observed_at=at,
            )
            for shard in (None, SHARD_ZERO)
        ]

    def _settle(self, market: _Market, at: Instant) -> Settled:
        payout = gross_payout(market.position.net, market.value)
        self.cash += payout
        yes, no = market.bought(Side.YES), market.bought(Side.NO)
        return Settled(
            ticker=market.ticker,
            event_ticker=market.event,
            result=MarketResult.YES if market.value else MarketResult.NO,
            yes_count=yes[0],
            no_count=no[0],
            yes_cost=yes[1],
            no_cost=no[1],
            revenue=payout,
            trade_fees=market.fees,
            value=market.value,
            at=at,
            subaccount=PRIMARY,
            shard=SHARD_ZERO,
        )


def seen(values: Sequence[object], at: Instant) -> list[Observation]:
    return [Observation(value, Source.REST, at, _RAW) for value in values]  # type: ignore[arg-type]  # facts and statements


def _own_price(filled: Filled) -> Price:
    return filled.price if filled.side is Side.YES else filled.price.complement()


def _fees(fills: Sequence[Filled]) -> Money:
    return sum((each.fee or ZERO_MONEY for each in fills), ZERO_MONEY)


def _orders(market: _Market) -> Iterator[OrderReported]:
    for start in range(0, FILLS_OF_A_MARKET, FILLS_OF_AN_ORDER):
        fills = market.fills[start : start + FILLS_OF_AN_ORDER]
        yield _order(
            fills[0].order_id,
            market.ticker,
            fills[0].side,
            fills,
            initial=sum((each.count for each in fills), ZERO_COUNT),
            created_at=Instant(fills[0].at - SECOND),
            updated_at=fills[-1].at,
        )


def _order(
    order_id: OrderId,
    ticker: Ticker,
    side: Side,
    fills: Sequence[Filled],
    *,
    initial: Count,
    created_at: Instant,
    updated_at: Instant,
) -> OrderReported:
    return OrderReported(
        order_id=order_id,
        client_order_id=ClientOrderId(f"mm-{order_id}"),
        ticker=ticker,
        side=side,
        status=OrderStatus.EXECUTED if fills else OrderStatus.CANCELED,
        price=Price.of_cents(20),
        initial_count=initial,
        fill_count=sum((each.count for each in fills), ZERO_COUNT),
        remaining_count=ZERO_COUNT,
        taker_fees=_fees(fills),
        maker_fees=ZERO_MONEY,
        taker_fill_cost=sum((_own_price(each) * each.count for each in fills), ZERO_MONEY),
        maker_fill_cost=ZERO_MONEY,
        created_at=created_at,
        updated_at=updated_at,
        subaccount=PRIMARY,
        shard=SHARD_ZERO,
    )


def _stated(market: _Market, settled_at: Instant) -> MarketStated:
    return MarketStated(
        ticker=market.ticker,
        event_ticker=market.event,
        status=MarketStatus.FINALIZED,
        result=MarketResult.YES if market.value else MarketResult.NO,
        settlement_value=market.value,
        close_at=Instant(settled_at - MINUTE),
        settled_at=settled_at,
        shard=SHARD_ZERO,
    )


def _position(market: _Market, settled_at: Instant) -> PositionStated:
    return PositionStated(
        ticker=market.ticker,
        net=ZERO_COUNT,
        exposure=ZERO_MONEY,
        realized=market.realized,
        fees_paid=market.fees,
        total_traded=market.bought(Side.YES)[1] + market.bought(Side.NO)[1],
        updated_at=settled_at,
        subaccount=PRIMARY,
        shard=SHARD_ZERO,
    )


def _event(ticker: EventTicker) -> Event:
    return Event(
        ticker=ticker,
        series_ticker=_SERIES.ticker,
        title="An invented event",
        mutually_exclusive=False,
        fee_type_override=None,
        fee_multiplier_override=None,
    )


def _described(market: _Market, settled_at: Instant) -> Market:
    return Market(
        ticker=market.ticker,
        event_ticker=market.event,
        title="An invented market",
        open_at=None,
        close_at=Instant(settled_at - MINUTE),
        expected_expiration_at=settled_at,
        fee_waiver_until=None,
        shard=SHARD_ZERO,
    )
