"""Random commands for the machine and for the naive exchange, which must agree on each.

    python tests/sim/random_trading.py [COMMANDS [SEED]]

runs a million of them by default.  The money of all is counted anew by the
machine itself every 1,000 steps; a difference of any kind ends the run and
names the seed and the command.
"""

from __future__ import annotations

import random
import sys
from collections import Counter

from naive_exchange import Deal, NaiveExchange
from small_exchange import EVENT, SERIES, an_event

from trueup.core import catalog
from trueup.core.catalog import FeeTerms
from trueup.core.facts import BankingStatus
from trueup.core.fees import Precision
from trueup.core.grid import DECI_CENT, LINEAR_CENT
from trueup.core.ids import (
    PRIMARY,
    SHARD_ZERO,
    ClientOrderId,
    OrderGroupId,
    OrderId,
    Ticker,
)
from trueup.core.instant import HOUR, SECOND, Instant, parse_instant
from trueup.core.market import MarketResult
from trueup.core.orders import SelfTradePrevention, Side, TimeInForce
from trueup.core.units import ONE_DOLLAR, ZERO_MONEY, Count, Money, Price, Ratio
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.auditing import audit
from trueup.sim.exchange import Exchange

START = parse_instant("2026-10-01T12:00:00Z")
FEE_TYPE = "quadratic_with_maker_fees"
MARKETS = 3
COMPARE_EVERY = 100
SETTLE_EVERY = 2_000

GTC = TimeInForce.GOOD_TILL_CANCELED
IOC = TimeInForce.IMMEDIATE_OR_CANCEL
KINDS = (GTC, GTC, GTC, GTC, IOC, TimeInForce.FILL_OR_KILL)


class RandomTrading:
    """One seed: members with and without money, markets that come and go."""

    def __init__(self, seed: int, *, audit_every: int = 1_000) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - chance, no secret
        self.seed = seed
        self.at = START
        self.exchange = Exchange(audit_every=audit_every)
        self.told: Counter[str] = Counter()
        self.money = {
            c.Member(f"member-{number}"): (
                Precision.DIRECT if number % 2 else Precision.NON_DIRECT,
                Money.of_cents(50_00 if number < 2 else 100_000_000),
            )
            for number in range(6)
        }
        self.members = list(self.money)
        self.naive = NaiveExchange(FeeTerms(FEE_TYPE, Ratio(1), waived=False), self.money)
        self.markets: list[Ticker] = []
        self.listed = 0
        self.orders: list[tuple[c.Member, OrderId, Ticker, Side]] = []
        self.placed = 0
        self._open()

    def _open(self) -> None:
        series = catalog.Series(
            ticker=SERIES,
            title="Test",
            category="Test",
            tags=(),
            fee_type=FEE_TYPE,
            fee_multiplier=Ratio(1),
        )
        self.do(c.ListSeries(at=START, series=series))
        self.do(c.ListEvent(at=START, event=an_event()))
        for number, (member, (precision, money)) in enumerate(self.money.items()):
            self.do(c.OpenAccount(at=START, member=member, precision=precision, history=number > 2))
            self.do(
                c.Deposit(
                    at=START,
                    member=member,
                    banking_id="deposit",
                    amount=money,
                    fee=ZERO_MONEY,
                    method="wire",
                )
            )
            self.do(
                c.ConcludeBanking(
                    at=START, member=member, banking_id="deposit", status=BankingStatus.APPLIED
                )
            )
            self.ask(
                c.CreateOrderGroup(
                    at=START,
                    member=member,
                    group_id=OrderGroupId("group"),
                    subaccount=PRIMARY,
                    shard=SHARD_ZERO,
                    contracts_max=Count.of_contracts(40),
                )
            )
        for _ in range(MARKETS):
            self._list()

    def _list(self) -> None:
        self.listed += 1
        ticker = Ticker(f"{EVENT}-T{self.listed}")
        market = catalog.Market(
            ticker=ticker,
            event_ticker=EVENT,
            title="Test",
            open_at=self.at,
            close_at=None,
            expected_expiration_at=None,
            fee_waiver_until=None,
            shard=SHARD_ZERO,
        )
        grid = DECI_CENT if self.listed % 2 else LINEAR_CENT
        self.do(c.ListMarket(at=self.at, market=market, grid=grid, settlement_timer=SECOND))
        self.markets.append(ticker)

    def do(self, command: c.Command) -> tuple[e.Event, ...]:
        """What only the machine knows; it must be possible."""
        events = self.exchange.step(command)
        assert not any(isinstance(event, e.Refused) for event in events), command
        return events

    def play(self, commands: int) -> None:
        """Ask both so many things."""
        for number in range(1, commands + 1):
            self.at = Instant(self.at + self.chance.randrange(2 * SECOND))
            self.ask(self._command())
            if not number % COMPARE_EVERY:
                self.compare()
                self.naive.sweep()
                del self.orders[:-200]
            if not number % SETTLE_EVERY:
                self._settle()
        self.compare()
        audit(self.exchange.books)

    def ask(self, command: c.Command) -> None:
        events = self.exchange.step(command)
        expected = self.naive.step(command)
        refused = [event.reason for event in events if isinstance(event, e.Refused)]
        assert refused == ([] if expected is None else [expected]), (
            f"seed {self.seed}: {command} gave {refused}, expected {expected}"
        )
        assert deals(events) == self.naive.deals, (self.seed, command)
        self.told.update(
            event.why.value if isinstance(event, e.OrderUpdated) else type(event).__name__
            for event in events
        )
        self.told.update(refused)

    def compare(self) -> None:
        """The whole state of both: cash, free cash, positions and queues."""
        for member in self.members:
            account = self.exchange.account(member)
            book = account.book(PRIMARY, SHARD_ZERO)
            assert book.units == self.naive.money(member), (self.seed, member)
            assert book.units - book.held == self.naive.free(member), (self.seed, member)
            for ticker in self.markets:
                held = account.records.get((PRIMARY, ticker))
                net = self.naive.net.get((member, ticker), 0)
                assert (held.net if held else 0) == net, (self.seed, member, ticker)
        for ticker in self.markets:
            state = self.exchange.books.listings.markets[ticker]
            for side, levels in ((Side.YES, state.book.bids), (Side.NO, state.book.asks)):
                queue = [one.terms.order_id for level in levels.from_best() for one in level]
                expected = [one.asked.order_id for one in self.naive.resting(ticker, side)]
                assert queue == expected, (self.seed, ticker, side)

    def _settle(self) -> None:
        """End the oldest market, pay it, sometimes correct it, and list another."""
        ticker = self.markets.pop(0)
        result, value = self._result()
        self.do(c.CloseMarket(at=self.at, ticker=ticker))
        self.do(c.DetermineMarket(at=self.at, ticker=ticker, result=result, value=value))
        for order in self.naive.orders.values():
            order.ended = order.ended or order.asked.ticker == ticker
        self.naive.paused.discard(ticker)
        if self.chance.randrange(3):
            self.at = Instant(self.at + HOUR)
            self.do(c.Advance(at=self.at))
        else:
            # Paid wrongly first, then put right: only the last value counts in the end.
            self.at = Instant(self.at + HOUR)
            self.do(c.Advance(at=self.at))
            result, value = self._result()
            self.do(c.ReviseSettlement(at=self.at, ticker=ticker, result=result, value=value))
        self.naive.settle(ticker, value)
        self.naive.expire(self.at)
        self._list()

    def _result(self) -> tuple[MarketResult, Price]:
        drawn = self.chance.randrange(3)
        if drawn == 0:
            return MarketResult.YES, ONE_DOLLAR
        if drawn == 1:
            return MarketResult.NO, Price(0)
        return MarketResult.SCALAR, Price(self.chance.randrange(1, 10_000))

    # -- what is asked ---------------------------------------------------------------------

    def _command(self) -> c.Command:  # noqa: PLR0911 - a table of chances
        drawn = self.chance.randrange(100)
        if drawn < 60 or not self.orders:
            return self._place()
        if drawn < 94:
            return self._change(drawn)
        member = self.chance.choice(self.members)
        if drawn < 97:
            return c.ResetOrderGroup(at=self.at, member=member, group_id=OrderGroupId("group"))
        if drawn < 98:
            return c.TriggerOrderGroup(at=self.at, member=member, group_id=OrderGroupId("group"))
        paused = sorted(self.naive.paused)
        if paused:
            return c.ResumeMarket(at=self.at, ticker=paused[0])
        if drawn < 99 and not self.chance.randrange(4):
            return c.PauseMarket(at=self.at, ticker=self.chance.choice(self.markets))
        if not self.chance.randrange(4):
            return c.CancelAllOrders(at=self.at, member=member)
        return self._place()

    def _price(self, ticker: Ticker) -> Price:
        fine = self.markets.index(ticker) if ticker in self.markets else 0
        middle = 45 + 5 * (fine % 3)
        return Price.of_cents(middle + self.chance.randrange(-12, 13))

    def _place(self) -> c.PlaceOrder:
        chance = self.chance
        self.placed += 1
        number = self.placed if chance.randrange(200) else max(1, self.placed - 1)
        kind = chance.choice(KINDS)
        rests = kind is GTC
        ticker = chance.choice(self.markets)
        member = chance.choice(self.members)
        side = chance.choice((Side.YES, Side.NO))
        order_id = OrderId(f"order-{self.placed}")
        self.orders.append((member, order_id, ticker, side))
        return c.PlaceOrder(
            at=self.at,
            member=member,
            subaccount=PRIMARY,
            order_id=order_id,
            client_order_id=ClientOrderId(f"client-{number}"),
            ticker=ticker,
            side=side,
            price=self._price(ticker),
            count=Count(chance.randrange(1, 3_000)),
            time_in_force=kind,
            self_trade_prevention=chance.choice(tuple(SelfTradePrevention)),
            expires_at=(
                Instant(self.at + chance.randrange(1, 60 * SECOND))
                if rests and chance.randrange(2)
                else None
            ),
            post_only=rests and not chance.randrange(8),
            reduce_only=kind is IOC and not chance.randrange(3),
            cancel_on_pause=not chance.randrange(3),
            group_id=OrderGroupId("group") if not chance.randrange(4) else None,
            cost_max=(
                Money.of_cents(chance.randrange(1, 2_000))
                if kind is not IOC and not chance.randrange(20)
                else None
            ),
            canceled_when_impossible=not chance.randrange(2),
        )

    def _change(self, drawn: int) -> c.Command:
        member, order_id, ticker, side = self.chance.choice(self.orders[-60:])
        if drawn < 78:
            return c.CancelOrder(at=self.at, member=member, order_id=order_id)
        count = Count(self.chance.randrange(1, 2_000))
        if drawn < 84:
            if self.chance.randrange(2):
                return c.DecreaseOrder(at=self.at, member=member, order_id=order_id, by=count)
            return c.DecreaseOrder(at=self.at, member=member, order_id=order_id, to=count)
        return c.AmendOrder(
            at=self.at,
            member=member,
            order_id=order_id,
            ticker=ticker,
            side=side,
            price=self._price(ticker),
            count=Count(self.chance.randrange(1, 4_000)),
        )


def deals(events: tuple[e.Event, ...]) -> list[Deal]:
    """The trades among the events, with both orders."""
    sides: dict[str, dict[bool, OrderId]] = {}
    for event in events:
        if isinstance(event, e.FillMade):
            sides.setdefault(event.trade_id, {})[event.is_taker] = event.terms.order_id
    return [
        (
            sides[event.trade_id][False],
            sides[event.trade_id][True],
            event.price.units,
            event.count_units,
        )
        for event in events
        if isinstance(event, e.TradeMade)
    ]


def main() -> None:
    commands = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    trading = RandomTrading(seed)
    for done in range(0, commands, 10_000):
        trading.play(min(10_000, commands - done))
        sys.stdout.write(f"\r{done + 10_000:,} of {commands:,} commands agree")
        sys.stdout.flush()
    sys.stdout.write("\n")
    for what, times in trading.told.most_common():
        sys.stdout.write(f"{times:>12,}  {what}\n")


if __name__ == "__main__":
    main()
