"""A small exchange to play with: one series, one event, two markets, one member."""

from __future__ import annotations

from dataclasses import dataclass, field

from trueup.core import catalog
from trueup.core.facts import BankingStatus
from trueup.core.fees import Precision
from trueup.core.grid import DECI_CENT, LINEAR_CENT, PriceGrid
from trueup.core.ids import (
    PRIMARY,
    SHARD_ZERO,
    ClientOrderId,
    EventTicker,
    OrderId,
    SeriesTicker,
    Shard,
    Subaccount,
    Ticker,
    TradeId,
)
from trueup.core.instant import DAY, HOUR, SECOND, Instant, parse_instant
from trueup.core.market import MarketResult
from trueup.core.orders import Side
from trueup.core.units import ONE_DOLLAR, ZERO_MONEY, Count, Money, Price, Ratio
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.exchange import Exchange

START = parse_instant("2026-10-01T12:00:00Z")
MEMBER = c.Member("member-1")
SERIES = SeriesTicker("KXTEST")
EVENT = EventTicker("KXTEST-26OCT02")
RAIN = Ticker("KXTEST-26OCT02-RAIN")
SNOW = Ticker("KXTEST-26OCT02-SNOW")
CLOSES = Instant(START + DAY)


@dataclass
class SmallExchange:
    """An exchange that keeps its own time and numbers its orders."""

    exchange: Exchange = field(default_factory=Exchange)
    now: Instant = START
    events: list[e.Event] = field(default_factory=list[e.Event])
    orders: int = 0

    def step(self, command: c.Command) -> tuple[e.Event, ...]:
        done = self.exchange.step(command)
        self.now = command.at
        self.events.extend(done)
        return done

    def later(self, microseconds: int) -> SmallExchange:
        self.now = Instant(self.now + microseconds)
        return self

    def advance(self, at: Instant) -> tuple[e.Event, ...]:
        return self.step(c.Advance(at=at))

    def buy(
        self,
        ticker: Ticker,
        side: Side,
        count: str,
        *,
        at: str,
        filled: str | None = None,
        taker: bool = True,
        subaccount: Subaccount = PRIMARY,
    ) -> OrderId:
        """Place an order at the own price `at` and let `filled` of it trade (all by default)."""
        self.later(SECOND)
        self.orders += 1
        order_id = OrderId(f"order-{self.orders}")
        own = Price.parse(at)
        price = own if side is Side.YES else own.complement()
        self.step(
            c.PlaceOrder(
                at=self.now,
                member=MEMBER,
                subaccount=subaccount,
                order_id=order_id,
                client_order_id=ClientOrderId(f"client-{self.orders}"),
                ticker=ticker,
                side=side,
                price=price,
                count=Count.parse(count),
            )
        )
        traded = Count.parse(count if filled is None else filled)
        if traded:
            self.trade(order_id, traded, price, taker=taker)
        return order_id

    def trade(
        self, order_id: OrderId, count: Count, price: Price, *, taker: bool = True
    ) -> tuple[e.Event, ...]:
        self.later(SECOND)
        return self.step(
            c.Trade(
                at=self.now,
                member=MEMBER,
                order_id=order_id,
                trade_id=TradeId(f"trade-{len(self.events)}"),
                count=count,
                price=price,
                is_taker=taker,
            )
        )

    def settle(
        self, ticker: Ticker, result: MarketResult, value: str | None = None
    ) -> tuple[e.Event, ...]:
        """Close, determine, wait for the timer and for the row."""
        paid = {MarketResult.YES: ONE_DOLLAR, MarketResult.NO: Price(0)}.get(result)
        done = list(self.advance(Instant(max(self.now, CLOSES))))
        done += self.step(
            c.DetermineMarket(
                at=Instant(self.now + SECOND),
                ticker=ticker,
                result=result,
                value=Price.parse(value) if value else paid or Price(0),
            )
        )
        done += self.advance(Instant(self.now + 2 * HOUR))
        return tuple(done)

    def refusals(self) -> list[e.Refusal]:
        return [event.reason for event in self.events if isinstance(event, e.Refused)]

    def cash(self, subaccount: Subaccount | None = None, shard: Shard | None = None) -> Money:
        return self.exchange.account(MEMBER).cash_at(self.now, subaccount=subaccount, shard=shard)


def a_series() -> catalog.Series:
    return catalog.Series(
        ticker=SERIES,
        title="Test",
        category="Test",
        tags=(),
        fee_type="quadratic",
        fee_multiplier=Ratio(1),
    )


def an_event() -> catalog.Event:
    return catalog.Event(
        ticker=EVENT,
        series_ticker=SERIES,
        title="Test",
        mutually_exclusive=False,
        fee_type_override=None,
        fee_multiplier_override=None,
    )


def a_market(
    ticker: Ticker, *, shard: Shard = SHARD_ZERO, waiver_until: Instant | None = None
) -> catalog.Market:
    return catalog.Market(
        ticker=ticker,
        event_ticker=EVENT,
        title="Test",
        open_at=START,
        close_at=CLOSES,
        expected_expiration_at=None,
        fee_waiver_until=waiver_until,
        shard=shard,
    )


def small_exchange(
    *,
    dollars: str = "1000",
    precision: Precision = Precision.DIRECT,
    grid: PriceGrid = DECI_CENT,
    row_delay: int = 20 * SECOND,
    audit_every: int = 25,
) -> SmallExchange:
    """Two open markets, and a member with a deposit on its account."""
    small = SmallExchange(Exchange(row_delay=row_delay, audit_every=audit_every))
    for command in (
        c.OpenAccount(at=START, member=MEMBER, precision=precision),
        c.ListSeries(at=START, series=a_series()),
        c.ListEvent(at=START, event=an_event()),
        c.ListMarket(at=START, market=a_market(RAIN), grid=grid),
        c.ListMarket(at=START, market=a_market(SNOW), grid=LINEAR_CENT),
        c.Deposit(
            at=START,
            member=MEMBER,
            banking_id="deposit-1",
            amount=Money.parse(dollars),
            fee=ZERO_MONEY,
            method="ach",
        ),
        c.ConcludeBanking(
            at=START, member=MEMBER, banking_id="deposit-1", status=BankingStatus.APPLIED
        ),
    ):
        small.step(command)
    return small
