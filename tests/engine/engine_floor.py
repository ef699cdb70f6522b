"""A machine to play with: one event, two markets, money in the right place, a clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from trueup.core import catalog
from trueup.core.facts import Filled, OrderReported
from trueup.core.grid import LINEAR_CENT
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
from trueup.core.instant import DAY, SECOND, Instant, parse_instant
from trueup.core.market import MarketStatus
from trueup.core.orders import OrderStatus, Side
from trueup.core.statements import BalanceStated
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money, Price, Ratio
from trueup.engine import effects as f
from trueup.engine import inputs as i
from trueup.engine.inflight import Intent, OrderState
from trueup.engine.limits import Limits
from trueup.engine.machine import Machine
from trueup.engine.market import Listing, Top
from trueup.engine.records import Record
from trueup.engine.state import Settings
from trueup.engine.strategy import Desk, Mandate, Strategy
from trueup.engine.wishes import Order, Style, Wish

NOON = parse_instant("2026-10-06T16:00:00Z")
"""A Tuesday, noon in New York."""

EVENT = EventTicker("KXCPI-26OCT")
HOT = Ticker("KXCPI-26OCT-T3.5")
COLD = Ticker("KXCPI-26OCT-T3.0")

GENEROUS = Settings(
    limits=Limits(position_max=None, order_count_max=Count.of_contracts(10**6), slippage_max=10_000)
)
"""Account limits that leave the strategy's own ones to speak."""

E = TypeVar("E")


def contracts(count: int) -> Count:
    return Count.of_contracts(count)


def cents(count: int) -> Price:
    return Price.of_cents(count)


def dollars(text: str) -> Money:
    return Money.parse(text)


def a_listing(
    ticker: Ticker = HOT,
    *,
    status: MarketStatus = MarketStatus.ACTIVE,
    closes: Instant | None = None,
    category: str = "Economics",
    shard: Shard = SHARD_ZERO,
) -> Listing:
    return Listing(
        market=catalog.Market(
            ticker=ticker,
            event_ticker=EVENT,
            title=f"Will {ticker} happen?",
            open_at=None,
            close_at=Instant(NOON + 5 * DAY) if closes is None else closes,
            expected_expiration_at=None,
            fee_waiver_until=None,
            shard=shard,
        ),
        event=catalog.Event(
            ticker=EVENT,
            series_ticker=SeriesTicker("KXCPI"),
            title="CPI in September",
            mutually_exclusive=False,
            fee_type_override=None,
            fee_multiplier_override=None,
        ),
        category=category,
        grid=LINEAR_CENT,
        status=status,
        fee_terms=catalog.FeeTerms("quadratic", Ratio(1), waived=False),
    )


def buy(
    count: int = 10,
    limit: int = 50,
    *,
    ticker: Ticker = HOT,
    side: Side = Side.YES,
    style: Style = Style.TAKE,
    only_reduce: bool = False,
    reference: int | None = None,
) -> Order:
    """A wish; `limit` in cents of YES whatever the side."""
    return Order(
        ticker=ticker,
        side=side,
        count=contracts(count),
        limit=cents(limit),
        reason="because",
        style=style,
        slot="" if style is Style.TAKE else side.value,
        only_reduce=only_reduce,
        reference=None if reference is None else cents(reference),
    )


class Wishful(Strategy):
    """Wishes for whatever the test puts into `wishes`, at the next tick, once."""

    def __init__(self, name: str = "wishful") -> None:
        self.name = name
        self.wishes: list[Wish] = []
        self.fills: list[Filled] = []
        self.desk: Desk | None = None

    def on_markets(self, desk: Desk, moved: Sequence[Ticker]) -> Iterable[Wish]:
        del moved
        self.desk = desk
        wishes, self.wishes = self.wishes, []
        return wishes

    def on_fill(self, desk: Desk, fill: Filled) -> Iterable[Wish]:
        del desk
        self.fills.append(fill)
        return ()


@dataclass
class Numbers:
    """Client order ids 1, 2, 3 …"""

    last: int = 0

    def __call__(self, strategy: str) -> ClientOrderId:
        self.last += 1
        return ClientOrderId(f"{strategy}-{self.last}")


class Floor:
    """Feeds a machine and remembers what it wanted."""

    def __init__(
        self,
        *strategies: Strategy,
        limits: Limits | None = None,
        settings: Settings | None = None,
        mandate: Mandate | None = None,
        recovered: tuple[Record, ...] = (),
        ids: Callable[[str], ClientOrderId] | None = None,
    ) -> None:
        self.strategy = Wishful()
        mandate = Mandate(capital=dollars("1000")) if mandate is None else mandate
        if limits is not None:
            mandate = replace(mandate, limits=limits)
        chosen = strategies or (self.strategy,)
        self.machine = Machine(
            [(each, mandate) for each in chosen],
            GENEROUS if settings is None else settings,
            Numbers() if ids is None else ids,
        )
        self.now = NOON
        self.effects: list[f.Effect] = []
        self.give(i.Recovered(at=self.now, records=recovered))
        self.give(i.MarketsListed(at=self.now, listings=(a_listing(), a_listing(COLD))))
        self.fund("1000")
        self.trades = 0

    def give(self, given: i.Input) -> list[f.Effect]:
        done = self.machine.step(given)
        self.effects.extend(done)
        return done

    def later(self, microseconds: int = SECOND) -> Floor:
        self.now = Instant(self.now + microseconds)
        return self

    def fund(
        self, amount: str, *, subaccount: Subaccount = PRIMARY, shard: Shard = SHARD_ZERO
    ) -> None:
        available = dollars(amount)
        stated = BalanceStated(
            low=available,
            high=available,
            portfolio_value=None,
            subaccount=subaccount,
            shard=shard,
            at=self.now,
            observed_at=self.now,
        )
        self.give(i.BalanceRead(at=self.now, balance=stated))

    def quote(
        self,
        bid: int | None = 48,
        ask: int | None = 50,
        *,
        ticker: Ticker = HOT,
        volume: int = 10_000,
        size: int = 1_000,
    ) -> list[f.Effect]:
        top = Top(
            ticker=ticker,
            at=self.now,
            bid=None if bid is None else cents(bid),
            ask=None if ask is None else cents(ask),
            bid_size=contracts(size),
            ask_size=contracts(size),
            volume_24h=contracts(volume),
        )
        return self.give(i.MarketsMoved(at=self.now, tops=(top,)))

    def wish(self, *wishes: Wish) -> list[f.Effect]:
        """Let the strategy wish at the next tick; returns what the machine wanted then."""
        self.strategy.wishes.extend(wishes)
        return self.later().quote()

    def accept(
        self, intent: Intent, *, filled: int = 0, order_id: str = ""
    ) -> tuple[OrderId, list[f.Effect]]:
        name = OrderId(order_id or f"order-{intent.client_order_id}")
        outcome = i.Accepted(
            order_id=name,
            fill_count=contracts(filled),
            remaining_count=intent.count - contracts(filled)
            if intent.style is not Style.TAKE
            else ZERO_COUNT,
        )
        ended = i.SendEnded(at=self.now, client_order_id=intent.client_order_id, outcome=outcome)
        return name, self.give(ended)

    def fill(
        self,
        intent: Intent,
        count: int,
        *,
        order_id: OrderId | None = None,
        trade_id: str = "",
        price: int | None = None,
        fee: str = "0",
    ) -> list[f.Effect]:
        self.trades += 1
        fill = Filled(
            trade_id=TradeId(trade_id or f"trade-{self.trades}"),
            order_id=order_id or OrderId(f"order-{intent.client_order_id}"),
            ticker=intent.ticker,
            side=intent.side,
            count=contracts(count),
            price=intent.limit if price is None else cents(price),
            fee=dollars(fee),
            is_taker=True,
            at=self.now,
            subaccount=intent.subaccount,
            shard=intent.shard,
        )
        return self.give(i.FillSeen(at=self.now, fill=fill))

    def report(
        self, intent: Intent, status: OrderStatus, *, filled: int = 0, order_id: str = ""
    ) -> OrderReported:
        remaining = intent.count.units - filled * 100 if status is OrderStatus.RESTING else 0
        return OrderReported(
            order_id=OrderId(order_id or f"order-{intent.client_order_id}"),
            client_order_id=intent.client_order_id,
            ticker=intent.ticker,
            side=intent.side,
            status=status,
            price=intent.limit,
            initial_count=intent.count,
            fill_count=contracts(filled),
            remaining_count=Count(remaining),
            taker_fees=ZERO_MONEY,
            maker_fees=ZERO_MONEY,
            taker_fill_cost=ZERO_MONEY,
            maker_fill_cost=ZERO_MONEY,
            created_at=intent.at,
            updated_at=self.now,
            subaccount=intent.subaccount,
            shard=intent.shard,
        )

    def state_of(self, intent: Intent) -> OrderState:
        order = self.machine.state.inflight.get(intent.client_order_id)
        assert order is not None
        return order.state


def only(kind: type[E], effects: Iterable[f.Effect]) -> E:
    """The one effect of a kind."""
    found = [each for each in effects if isinstance(each, kind)]
    assert len(found) == 1, found
    return found[0]


def all_of(kind: type[E], effects: Iterable[f.Effect]) -> list[E]:
    return [each for each in effects if isinstance(each, kind)]


def refusals(effects: Iterable[f.Effect]) -> list[str]:
    """The codes of everything that was refused."""
    return [
        refusal.code.value
        for decision in all_of(f.Decision, effects)
        for refusal in decision.refusals
    ]
