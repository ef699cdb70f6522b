"""The exchange machine against a bare matching loop, and how much it takes for many markets.

The same commands go to both: makers quote around a wandering price and take
their orders back, takers cross.  The machine keeps accounts, collateral, fees,
histories, tells every change and proves that money is conserved, at every step.

The *bare loop* (`BareLoop`, below) only matches by price and time: a dict of
levels, a deque of orders in each, sorted prices, an index of orders for
cancelling, all in the project's own exact units.  It reads the same commands and
tells what happened to orders, trades and levels, as frozen values.  No accounts,
no money, no fees, no collateral, no checks, no histories.
"""

from __future__ import annotations

import random
import subprocess
import sys
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.measure import Case, Timing, in_turn, show
from benchmarks.scale import peak_mib
from trueup.core import catalog
from trueup.core.facts import BankingStatus
from trueup.core.fees import Precision
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
from trueup.core.instant import DAY, Instant, parse_instant
from trueup.core.orders import OrderStatus, Side, TimeInForce
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money, Price, Ratio
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.exchange import Exchange

MACHINE: Final = "the exchange machine, checks on"
BARE: Final = "a bare matching loop"
TARGET: Final = 0.4
MARKETS_MANY: Final = 10_000
LIMIT_MIB: Final = 1_024

_START: Final = parse_instant("2026-10-01T12:00:00Z")
_SERIES: Final = SeriesTicker("KXBENCH")
_EVENT: Final = EventTicker("KXBENCH-26OCT02")
_MEMBERS: Final = 20
_MARKETS: Final = 20
_COMMANDS: Final = 100_000
_DEPOSIT: Final = Money.of_cents(100_000_000_00)


@dataclass(slots=True)
class BareOrder:
    """An order of the bare loop."""

    order_id: OrderId
    ticker: Ticker
    side: Side
    price: Price
    left: Count
    status: OrderStatus


@dataclass(frozen=True, slots=True)
class OrderTold:
    """What the owner of an order hears."""

    at: Instant
    order_id: OrderId
    status: OrderStatus
    left: Count


@dataclass(frozen=True, slots=True)
class TradeTold:
    """What everybody hears of a trade."""

    at: Instant
    trade_id: TradeId
    ticker: Ticker
    price: Price
    count: Count
    taker_side: Side


@dataclass(frozen=True, slots=True)
class LevelTold:
    """What everybody hears of the book."""

    at: Instant
    ticker: Ticker
    side: Side
    price: Price
    count: Count


Told = OrderTold | TradeTold | LevelTold


class BareLevel:
    """The queue at one price."""

    __slots__ = ("orders", "total")

    def __init__(self) -> None:
        self.orders: deque[BareOrder] = deque()
        self.total = ZERO_COUNT


class BareSide:
    """One side of a bare book: levels, and their prices from the lowest up."""

    __slots__ = ("levels", "prices")

    def __init__(self) -> None:
        self.levels: dict[Price, BareLevel] = {}
        self.prices: list[Price] = []

    def level(self, price: Price) -> BareLevel:
        found = self.levels.get(price)
        if found is None:
            found = self.levels[price] = BareLevel()
            insort(self.prices, price)
        return found

    def drop(self, price: Price) -> None:
        del self.levels[price]
        del self.prices[bisect_left(self.prices, price)]


class BareLoop:
    """Price–time priority and nothing else."""

    def __init__(self) -> None:
        self.sides: dict[tuple[Ticker, Side], BareSide] = {}
        self.orders: dict[OrderId, BareOrder] = {}
        self.trades = 0

    def step(self, command: c.Command) -> list[Told]:
        """Carry a command out and tell what happened."""
        if isinstance(command, c.PlaceOrder):
            return self.place(command)
        if isinstance(command, c.CancelOrder):
            return self.cancel(command)
        return []

    def side(self, ticker: Ticker, side: Side) -> BareSide:
        found = self.sides.get((ticker, side))
        if found is None:
            found = self.sides[ticker, side] = BareSide()
        return found

    def place(self, command: c.PlaceOrder) -> list[Told]:
        at, ticker, side = command.at, command.ticker, command.side
        order = BareOrder(
            command.order_id, ticker, side, command.price, command.count, OrderStatus.RESTING
        )
        told: list[Told] = [_told(at, order)]
        other = self.side(ticker, side.opposite())
        while order.left and other.prices:
            best = other.prices[0] if side is Side.YES else other.prices[-1]
            if best > order.price if side is Side.YES else best < order.price:
                break
            self.trade(at, order, other, best=best, told=told)
        if not order.left:
            return told
        if command.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL:
            order.status = OrderStatus.CANCELED
            return [*told, _told(at, order)]
        self.orders[order.order_id] = order
        level = self.side(ticker, side).level(order.price)
        level.orders.append(order)
        level.total += order.left
        told.append(LevelTold(at, ticker, side, order.price, level.total))
        return told

    def trade(
        self, at: Instant, order: BareOrder, other: BareSide, *, best: Price, told: list[Told]
    ) -> None:
        level = other.levels[best]
        maker = level.orders[0]
        traded = min(order.left, maker.left)
        level.total -= traded
        self.trades += 1
        trade_id = TradeId(f"7adee000-0000-4000-8000-{self.trades:012x}")
        told.append(TradeTold(at, trade_id, order.ticker, best, traded, order.side))
        told.append(LevelTold(at, order.ticker, maker.side, best, level.total))
        for one in (order, maker):
            one.left -= traded
            if not one.left:
                one.status = OrderStatus.EXECUTED
            told.append(_told(at, one))
        if not maker.left:
            level.orders.popleft()
            del self.orders[maker.order_id]
            if not level.orders:
                other.drop(best)

    def cancel(self, command: c.CancelOrder) -> list[Told]:
        order = self.orders.pop(command.order_id, None)
        if order is None:
            return []
        side = self.side(order.ticker, order.side)
        level = side.levels[order.price]
        level.orders.remove(order)
        level.total -= order.left
        if not level.orders:
            side.drop(order.price)
        order.status = OrderStatus.CANCELED
        return [
            LevelTold(command.at, order.ticker, order.side, order.price, level.total),
            _told(command.at, order),
        ]


def _told(at: Instant, order: BareOrder) -> OrderTold:
    return OrderTold(at, order.order_id, order.status, order.left)


# -- what both are asked -------------------------------------------------------------------


def opening(markets: int, members: int) -> list[c.Command]:
    """Markets, and members with money."""
    commands: list[c.Command] = [
        c.ListSeries(
            at=_START,
            series=catalog.Series(
                ticker=_SERIES,
                title="Benchmark",
                category="Crypto",
                tags=(),
                fee_type="quadratic_with_maker_fees",
                fee_multiplier=Ratio(1),
            ),
        ),
        c.ListEvent(
            at=_START,
            event=catalog.Event(
                ticker=_EVENT,
                series_ticker=_SERIES,
                title="Benchmark",
                mutually_exclusive=False,
                fee_type_override=None,
                fee_multiplier_override=None,
            ),
        ),
    ]
    for number in range(markets):
        market = catalog.Market(
            ticker=_ticker(number),
            event_ticker=_EVENT,
            title="Benchmark",
            open_at=_START,
            close_at=Instant(_START + 30 * DAY),
            expected_expiration_at=None,
            fee_waiver_until=None,
            shard=SHARD_ZERO,
        )
        commands.append(c.ListMarket(at=_START, market=market))
    for number in range(members):
        member = _member(number)
        commands += [
            c.OpenAccount(at=_START, member=member, precision=Precision.DIRECT),
            c.Deposit(
                at=_START,
                member=member,
                banking_id="deposit",
                amount=_DEPOSIT,
                fee=ZERO_MONEY,
                method="wire",
            ),
            c.ConcludeBanking(
                at=_START, member=member, banking_id="deposit", status=BankingStatus.APPLIED
            ),
        ]
    return commands


def _ticker(number: int) -> Ticker:
    return Ticker(f"KXBENCH-26OCT02-T{number}")


def _member(number: int) -> c.Member:
    return c.Member(f"00000000-0000-4000-8000-{number:012d}")


def trading(count: int, *, markets: int, members: int, seed: int = 7) -> list[c.Command]:
    """Of a hundred commands 45 quote, 35 take a quote back, and 20 cross, immediate or cancel.

    Nobody meets its own orders: makers, one half of the members, quote one side of
    a market each; takers do not rest.
    """
    chance = random.Random(seed)  # noqa: S311 - a workload, not a secret
    middles = [chance.randrange(30, 70) for _ in range(markets)]
    quotes: list[tuple[c.Member, OrderId]] = []
    commands: list[c.Command] = []
    at = _START
    for number in range(count):
        at = Instant(at + chance.randrange(1, 2_000))
        drawn = chance.randrange(100)
        if drawn < 35 and quotes:
            place = chance.randrange(len(quotes))
            quotes[place], quotes[-1] = quotes[-1], quotes[place]
            member, order_id = quotes.pop()
            commands.append(c.CancelOrder(at=at, member=member, order_id=order_id))
            continue
        market = chance.randrange(markets)
        side = Side.YES if chance.randrange(2) else Side.NO
        takes = drawn >= 80
        who = chance.randrange(members // 4) * 2 + (market + (side is Side.YES)) % 2
        if takes:
            who = members // 2 + chance.randrange(members // 2)
        away = -3 if takes else chance.randrange(1, 10)
        middle = middles[market]
        price = max(2, min(98, middle - away if side is Side.YES else middle + away))
        if takes:
            middles[market] = max(20, min(80, middle + chance.randrange(-1, 2)))
        order_id = OrderId(f"{number:08x}-0000-4000-8000-000000000000")
        commands.append(
            c.PlaceOrder(
                at=at,
                member=_member(who),
                subaccount=PRIMARY,
                order_id=order_id,
                client_order_id=ClientOrderId(f"{number:08x}-1111-4111-8111-000000000000"),
                ticker=_ticker(market),
                side=side,
                price=Price.of_cents(price),
                count=Count(chance.randrange(100, 2_000)),
                time_in_force=(
                    TimeInForce.IMMEDIATE_OR_CANCEL if takes else TimeInForce.GOOD_TILL_CANCELED
                ),
            )
        )
        if not takes:
            quotes.append((_member(who), order_id))
    return commands


# -- measuring -----------------------------------------------------------------------------


def _machine(commands: Sequence[c.Command], *, trades: list[int]) -> Case:
    @contextmanager
    def case() -> Generator[Callable[[], object]]:
        exchange = Exchange()
        for command in opening(_MARKETS, _MEMBERS):
            exchange.step(command)

        def work() -> None:
            for command in commands:
                exchange.step(command)

        yield work
        state = exchange.books.listings.markets
        trades.append(sum(len(one.tape.trades) for one in state.values()))

    return case


def _bare(commands: Sequence[c.Command], *, trades: list[int]) -> Case:
    @contextmanager
    def case() -> Generator[Callable[[], object]]:
        loop = BareLoop()

        def work() -> None:
            for command in commands:
                loop.step(command)

        yield work
        trades.append(loop.trades)

    return case


def measure(count: int, *, rounds: int) -> dict[str, Timing]:
    """Time both; they must have made the same number of trades."""
    commands = trading(count, markets=_MARKETS, members=_MEMBERS)
    trades: list[int] = []
    timings = in_turn(
        {MACHINE: _machine(commands, trades=trades), BARE: _bare(commands, trades=trades)},
        rounds=rounds,
    )
    assert len(set(trades)) == 1, trades
    return timings


def many_markets(markets: int, *, orders: int) -> float:
    """The MiB of a process with so many open markets, each with some orders on both sides."""
    exchange = Exchange()
    for command in opening(markets, _MEMBERS):
        exchange.step(command)
    for number in range(markets * orders):
        side = Side.YES if number % 2 else Side.NO
        told = exchange.step(
            c.PlaceOrder(
                at=Instant(_START + number),
                member=_member(number % _MEMBERS),
                subaccount=PRIMARY,
                order_id=OrderId(f"{number:08x}-0000-4000-8000-000000000000"),
                client_order_id=ClientOrderId(f"{number:08x}-1111-4111-8111-000000000000"),
                ticker=_ticker(number % markets),
                side=side,
                price=Price.of_cents(40 - number % 7 if side is Side.YES else 60 + number % 7),
                count=Count.of_contracts(10),
            )
        )
        assert not any(isinstance(event, e.Refused) for event in told)
    return peak_mib()


def in_a_process_of_its_own(markets: int, *, orders: int) -> float:
    """As `many_markets`, but nothing else has used the memory before."""
    code = (
        f"from benchmarks.exchange import many_markets as m; print(m({markets}, orders={orders}))"
    )
    root = Path(__file__).parents[1]
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root
    )
    return float(done.stdout)


def main() -> None:
    timings = measure(_COMMANDS, rounds=5)
    per = dict.fromkeys(timings, _COMMANDS)
    show("Exchange machine", timings, peer=BARE, per=per, unit="command")
    mib = in_a_process_of_its_own(MARKETS_MANY, orders=10)
    print(f"\n{MARKETS_MANY:,} open markets with 10 orders each: {mib:,.0f} MiB")
    # Of processor time: neighbours on the machine stretch the clock of one case and not the other's.
    ratio = timings[BARE].cpu_median / timings[MACHINE].cpu_median
    assert ratio >= TARGET, f"{ratio:.2f} of the bare loop, the target is {TARGET}"
    assert mib <= LIMIT_MIB, f"{mib:,.0f} MiB, the limit is {LIMIT_MIB}"
