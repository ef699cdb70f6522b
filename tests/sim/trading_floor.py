"""A small exchange with several members who trade with each other."""

from __future__ import annotations

from collections.abc import Callable

from small_exchange import RAIN, START, SmallExchange, small_exchange

from trueup.core.facts import BankingStatus
from trueup.core.fees import Precision
from trueup.core.ids import PRIMARY, ClientOrderId, OrderId, Ticker
from trueup.core.instant import SECOND
from trueup.core.orders import SelfTradePrevention, Side, TimeInForce
from trueup.core.units import ZERO_MONEY, Count, Money, Price
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.order import Order

ANN, BOB, CAT = c.Member("ann"), c.Member("bob"), c.Member("cat")

IOC = TimeInForce.IMMEDIATE_OR_CANCEL
FOK = TimeInForce.FILL_OR_KILL
MAKER_GIVES_WAY = SelfTradePrevention.MAKER

Change = Callable[[c.PlaceOrder], c.PlaceOrder]


class Floor(SmallExchange):
    """Orders are written as a trader would: ``floor.bid(ANN, "10", "0.55")``."""

    def bid(
        self, member: c.Member, count: str, price: str, change: Change | None = None
    ) -> OrderId:
        """Buy YES at the YES price."""
        return self.place(member, Side.YES, count, price=price, change=change)

    def ask(
        self, member: c.Member, count: str, price: str, change: Change | None = None
    ) -> OrderId:
        """Sell YES at the YES price."""
        return self.place(member, Side.NO, count, price=price, change=change)

    def place(
        self,
        member: c.Member,
        side: Side,
        count: str,
        *,
        price: str,
        ticker: Ticker = RAIN,
        change: Change | None = None,
    ) -> OrderId:
        self.later(SECOND)
        self.orders += 1
        command = c.PlaceOrder(
            at=self.now,
            member=member,
            subaccount=PRIMARY,
            order_id=OrderId(f"{member}-{self.orders}"),
            client_order_id=ClientOrderId(f"client-{self.orders}"),
            ticker=ticker,
            side=side,
            price=Price.parse(price),
            count=Count.parse(count),
        )
        command = command if change is None else change(command)
        self.step(command)
        return command.order_id

    def order(self, order_id: OrderId) -> Order:
        return self.exchange.account(c.Member(order_id.split("-")[0])).orders[order_id]

    def shape(self, order_id: OrderId) -> tuple[str, str, str]:
        """Status, filled and remaining."""
        order = self.order(order_id)
        return order.status.value, str(Count(order.fill_count)), str(Count(order.remaining))

    def book(self, ticker: Ticker = RAIN) -> list[str]:
        """The levels from the highest ask down, as ``ask 0.55 10.00``."""
        book = self.exchange.books.listings.markets[ticker].book
        asks = [f"ask {Price(a.price)} {Count(a.total)}" for a in book.asks.from_best()]
        bids = [f"bid {Price(b.price)} {Count(b.total)}" for b in book.bids.from_best()]
        return [*reversed(asks), *bids]

    def trades(self) -> list[str]:
        """All trades so far, as ``10.00 at 0.55``."""
        made = (event for event in self.events if isinstance(event, e.TradeMade))
        return [f"{one.count} at {one.price}" for one in made]

    def net(self, member: c.Member, ticker: Ticker = RAIN) -> str:
        return str(self.exchange.account(member).position_at(self.now, PRIMARY, ticker).net)

    def why(self, order_id: OrderId) -> list[str]:
        """What became of an order, step by step."""
        return [
            event.why.value
            for event in self.events
            if isinstance(event, e.OrderUpdated) and event.terms.order_id == order_id
        ]

    def free(self, member: c.Member) -> Money:
        return self.exchange.account(member).available_at(self.now)


def trading_floor(dollars: str = "1000", precision: Precision = Precision.DIRECT) -> Floor:
    """Three members with money, two open markets; every step audited."""
    small = small_exchange(audit_every=1)
    floor = Floor(small.exchange, small.now, small.events)
    for member in (ANN, BOB, CAT):
        for command in (
            c.OpenAccount(at=START, member=member, precision=precision),
            c.Deposit(
                at=START,
                member=member,
                banking_id="deposit",
                amount=Money.parse(dollars),
                fee=ZERO_MONEY,
                method="ach",
            ),
            c.ConcludeBanking(
                at=START, member=member, banking_id="deposit", status=BankingStatus.APPLIED
            ),
        ):
            floor.step(command)
    return floor
