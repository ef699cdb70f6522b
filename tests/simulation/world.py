"""A small exchange with a crowd, a trader on a bad line, crashes, and an auditor: from a seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random

from auditor import Auditor

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
    Subaccount,
    Ticker,
)
from trueup.core.instant import HOUR, MINUTE, SECOND, Instant, parse_instant
from trueup.core.market import MarketResult
from trueup.core.orders import Side, TimeInForce
from trueup.core.units import ONE_DOLLAR, Count, Money, Price, Ratio
from trueup.engine import inputs as i
from trueup.engine.limits import Limits
from trueup.engine.machine import Machine
from trueup.engine.state import Settings
from trueup.engine.strategies.market_maker import MarketMaker
from trueup.engine.strategies.threshold import Threshold
from trueup.engine.strategy import Desk, Mandate, Strategy, Universe
from trueup.engine.wishes import Order, Style, Wish, Withdraw
from trueup.run.clock import seeded
from trueup.run.sandbox.simulated import SimulatedVenue
from trueup.sim import commands as c
from trueup.sim.conditions import Conditions, Outage
from trueup.sim.exchange import Exchange

START = parse_instant("2026-10-06T13:00:00Z")
US = c.Member("us")
CROWD = c.Member("crowd")
DEPOSIT = Money.parse("500")
BY_HAND = Subaccount(1)
"""Somebody trades here by hand: another position, and no concern of the machine's."""
EVENT = EventTicker("KXSIM-26OCT06")
LIMITS = Limits(
    position_max=Count.of_contracts(15),
    exposure_max=Money.parse("60"),
    order_count_max=Count.of_contracts(12),
    open_orders_max=8,
    orders_per_minute_max=40,
)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long and how rough.  `pace` is the mean time between two things that happen."""

    seed: int
    hours: int = 2
    markets: int = 3
    pace: int = 5 * SECOND // 2
    crashes: int = 1
    kills: int = 1
    surprises: bool = True
    """Whether somebody trades by hand on another subaccount, the exchange pauses, and a
    settlement is revised."""
    conditions: Conditions | None = None
    machine: Callable[[Sequence[tuple[Strategy, Mandate]], Settings, Ids], Machine] = Machine


@dataclass
class Ids:
    """Client order ids that are never used twice, over restarts too."""

    last: int = 0

    def __call__(self, strategy: str) -> ClientOrderId:
        self.last += 1
        return ClientOrderId(f"{strategy}-{self.last}")


class Chaos(Strategy):
    """Wishes for anything at any time."""

    name = "chaos"

    def __init__(self, random: Random) -> None:
        self._random = random

    def on_markets(self, desk: Desk, moved: Sequence[Ticker]) -> Iterable[Wish]:
        random = self._random
        for ticker in moved:
            if random.random() > 0.2:
                continue
            top = desk.top(ticker)
            side = random.choice(list(Side))
            style = random.choice(list(Style))
            if random.random() < 0.1:
                yield Withdraw(ticker=ticker, reason="tired of it")
                continue
            near = top.opposite(side) or Price.of_cents(50)
            cents = min(99, max(1, near.units // 100 + random.randint(-3, 3)))
            yield Order(
                ticker=ticker,
                side=side,
                count=Count(random.randint(1, 1_300)),
                limit=Price.of_cents(cents),
                reason="why not",
                style=style,
                slot="" if style is Style.TAKE else side.value,
                only_reduce=style is Style.TAKE and random.random() < 0.2,
            )


@dataclass
class World:
    """Everything of one run."""

    plan: Plan
    venue: SimulatedVenue
    auditor: Auditor
    random: Random
    tickers: list[Ticker]
    ids: Ids = field(default_factory=Ids)
    fair: dict[Ticker, int] = field(default_factory=dict[Ticker, int])
    commands: int = 0
    crashes: int = 0
    orders: int = 0

    def command(self, command: c.Command) -> None:
        self.commands += 1
        self.venue.command(command)

    def new_machine(self) -> Machine:
        mandate = Mandate(capital=Money.parse("250"), limits=LIMITS, order_life=5 * MINUTE)
        tight = Universe()
        strategies: list[tuple[Strategy, Mandate]] = [
            (Chaos(Random(self.random.random())), mandate),  # noqa: S311
            (MarketMaker(tight, count=Count.of_contracts(5)), mandate),
            (Threshold(every=30 * SECOND), mandate),
        ]
        return self.plan.machine(strategies, Settings(limits=LIMITS), self.ids)

    # -- the crowd -------------------------------------------------------------------------

    def crowd(self) -> None:
        """Somebody in the crowd does something; then somebody else will."""
        random, ticker = self.random, self.random.choice(self.tickers)
        fair = self.fair[ticker] = min(92, max(8, self.fair[ticker] + random.randint(-2, 2)))
        resting = [
            name
            for name, order in self.venue.exchange.account(CROWD).resting.items()
            if order.terms.ticker == ticker
        ]
        if len(resting) > 12 or (resting and random.random() < 0.2):
            self.command(
                c.CancelOrder(at=self.venue.now, member=CROWD, order_id=random.choice(resting))
            )
        else:
            self._place(ticker, fair)
        pause = random.randint(SECOND // 2, 2 * self.plan.pace)
        if self.venue.now + pause < START + self.plan.hours * HOUR:
            self.venue.at(Instant(self.venue.now + pause), self.crowd)

    def _place(self, ticker: Ticker, fair: int) -> None:
        random = self.random
        side = random.choice(list(Side))
        aggressive = random.random() < 0.5
        distance = -random.randint(2, 9) if aggressive else random.randint(2, 6)
        cents = fair - distance if side is Side.YES else fair + distance
        self.orders += 1
        self.command(
            c.PlaceOrder(
                at=self.venue.now,
                member=CROWD,
                subaccount=PRIMARY,
                order_id=OrderId(f"crowd-{self.orders}"),
                client_order_id=ClientOrderId(""),
                ticker=ticker,
                side=side,
                price=Price.of_cents(min(99, max(1, cents))),
                count=Count(random.randint(100, 6_000)),
                time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL
                if aggressive
                else TimeInForce.GOOD_TILL_CANCELED,
            )
        )

    def note_positions(self) -> None:
        """What every strategy holds after the close, before anything settles."""
        machine = self.venue.machine
        if machine is not None:
            self.auditor.note(
                {
                    (owner, ticker): holding.position.net
                    for owner, ticker, holding in machine.state.portfolio.held()
                }
            )

    # -- what goes wrong -------------------------------------------------------------------

    def crash(self) -> None:
        self.crashes += 1
        self.venue.crash()
        wait = self.random.randint(SECOND, 90 * SECOND)
        self.venue.at(Instant(self.venue.now + wait), lambda: self.venue.start(self.new_machine()))

    def operator(self, wanted: i.Wanted) -> None:
        if self.venue.machine is not None:
            self.auditor.killed(self.venue.now if wanted is i.Wanted.KILL else None)
            self.venue.give(i.OperatorSaid(at=self.venue.now, wanted=wanted, by="ada"))

    def trade_by_hand(self, random: Random) -> None:
        """The owner of the account buys something on another subaccount, now and then."""
        side = random.choice(list(Side))
        self.orders += 1
        self.command(
            c.PlaceOrder(
                at=self.venue.now,
                member=US,
                subaccount=BY_HAND,
                order_id=OrderId(f"hand-{self.orders}"),
                client_order_id=ClientOrderId(""),
                ticker=random.choice(self.tickers),
                side=side,
                price=Price.of_cents(97 if side is Side.YES else 3),
                count=Count(random.randint(100, 2_000)),
                time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
            )
        )
        pause = random.randint(MINUTE, 10 * MINUTE)
        if self.venue.now + pause < START + self.plan.hours * HOUR:
            self.venue.at(Instant(self.venue.now + pause), lambda: self.trade_by_hand(random))

    def close_exchange(self, *, exchange_active: bool, seconds: int) -> None:
        """Trading stops everywhere, or everything does; then it goes on."""
        self.command(
            c.SetExchangeStatus(
                at=self.venue.now, exchange_active=exchange_active, trading_active=False
            )
        )
        self.venue.at(
            Instant(self.venue.now + seconds * SECOND),
            lambda: self.command(
                c.SetExchangeStatus(at=self.venue.now, exchange_active=True, trading_active=True)
            ),
        )

    def revise(self, ticker: Ticker, random: Random) -> None:
        """The exchange corrects what a market paid."""
        if not self.venue.exchange.account(US).settlements_of(PRIMARY, ticker):
            return
        value = Price(random.randint(1, 9_999))
        self.command(
            c.ReviseSettlement(
                at=self.venue.now, ticker=ticker, result=MarketResult.SCALAR, value=value
            )
        )

    def pause(self, ticker: Ticker) -> None:
        self.command(c.PauseMarket(at=self.venue.now, ticker=ticker))
        later = Instant(self.venue.now + 2 * MINUTE)
        self.venue.at(later, lambda: self.command(c.ResumeMarket(at=self.venue.now, ticker=ticker)))


def build(plan: Plan) -> World:
    """A world that is about to begin."""
    random = seeded(plan.seed)
    end = Instant(START + plan.hours * HOUR)
    exchange = Exchange()
    tickers = [Ticker(f"{EVENT}-{n}") for n in range(plan.markets)]
    for command in _opening(tickers, end):
        exchange.step(command)
    if plan.surprises:
        for command in _subaccount():
            exchange.step(command)
    auditor = Auditor(US, LIMITS, DEPOSIT)
    begin = random.randint(START + 20 * MINUTE, end - 40 * MINUTE)
    rough = Conditions(
        lost=random.randint(5, 80),
        unanswered=random.randint(5, 80),
        dropped=random.randint(5, 100),
        doubled=random.randint(5, 100),
        late=random.randint(5, 100),
        outages=(Outage(Instant(begin), Instant(begin + random.randint(1, 10) * MINUTE)),),
    )
    venue = SimulatedVenue(
        exchange,
        US,
        chance=seeded(plan.seed + 1),
        conditions=plan.conditions or rough,
        observers=(auditor.watch,),
    )
    world = World(plan, venue, auditor, random, tickers, fair=dict.fromkeys(tickers, 50))
    _schedule(world, end)
    if plan.surprises:
        _surprise(world, end)
    return world


def _schedule(world: World, end: Instant) -> None:
    plan, venue, random = world.plan, world.venue, world.random
    venue.at(START, world.crowd)
    venue.at(Instant(START + 30 * SECOND), lambda: venue.start(world.new_machine()))
    middle = (START + 5 * MINUTE, end - 10 * MINUTE)
    for _ in range(plan.crashes):
        venue.at(Instant(random.randint(*middle)), world.crash)
    for _ in range(plan.kills):
        at = random.randint(*middle)
        venue.at(Instant(at), lambda: world.operator(i.Wanted.KILL))
        venue.at(Instant(at + 4 * MINUTE), lambda: world.operator(i.Wanted.REARM))
    venue.at(Instant(random.randint(*middle)), lambda: world.pause(random.choice(world.tickers)))
    venue.at(Instant(end + MINUTE - SECOND), world.note_positions)
    for ticker in world.tickers:
        result = random.choice([MarketResult.YES, MarketResult.NO, MarketResult.SCALAR])
        value = {
            MarketResult.YES: ONE_DOLLAR,
            MarketResult.NO: Price(0),
            MarketResult.SCALAR: Price(random.randint(1, 9_999)),
        }[result]
        venue.at(
            Instant(end + random.randint(2, 10) * MINUTE),
            lambda ticker=ticker, result=result, value=value: world.command(
                c.DetermineMarket(at=venue.now, ticker=ticker, result=result, value=value)
            ),
        )


def _surprise(world: World, end: Instant) -> None:
    venue, random = world.venue, seeded(world.plan.seed + 2)
    venue.at(Instant(START + MINUTE), lambda: world.trade_by_hand(random))
    active, seconds = random.random() < 0.5, random.randint(20, 240)
    venue.at(
        Instant(random.randint(START + 5 * MINUTE, end - 10 * MINUTE)),
        lambda: world.close_exchange(exchange_active=active, seconds=seconds),
    )
    ticker = random.choice(world.tickers)
    if random.random() < 0.5:
        venue.at(Instant(end + 25 * MINUTE), lambda: world.revise(ticker, random))


def run(plan: Plan) -> World:
    """Run a world to its quiet end and judge it."""
    world = build(plan)
    world.venue.run(Instant(START + plan.hours * HOUR + 40 * MINUTE))
    world.auditor.judge(world.venue)
    return world


def _subaccount() -> Iterable[c.Command]:
    at = Instant(START - MINUTE)
    yield c.OpenSubaccount(at=at, member=US, subaccount=BY_HAND)
    yield c.Deposit(
        at=at,
        member=US,
        banking_id="deposit to trade by hand",
        amount=DEPOSIT,
        fee=Money(0),
        method="ach",
    )
    yield c.ConcludeBanking(
        at=at,
        member=US,
        banking_id="deposit to trade by hand",
        status=BankingStatus.APPLIED,
    )
    yield c.TransferSubaccount(
        at=at,
        member=US,
        transfer_id="to trade by hand",
        amount=DEPOSIT,
        from_subaccount=PRIMARY,
        to_subaccount=BY_HAND,
        shard=SHARD_ZERO,
    )


def _opening(tickers: Sequence[Ticker], end: Instant) -> Iterable[c.Command]:
    at = Instant(START - MINUTE)
    series = SeriesTicker("KXSIM")
    yield c.ListSeries(
        at=at,
        series=catalog.Series(
            ticker=series,
            title="A simulation",
            category="Economics",
            tags=(),
            fee_type="quadratic_with_maker_fees",
            fee_multiplier=Ratio(1),
        ),
    )
    yield c.ListEvent(
        at=at,
        event=catalog.Event(
            ticker=EVENT,
            series_ticker=series,
            title="What happens",
            mutually_exclusive=False,
            fee_type_override=None,
            fee_multiplier_override=None,
        ),
    )
    for n, ticker in enumerate(tickers):
        grid: PriceGrid = DECI_CENT if n % 2 else LINEAR_CENT
        market = catalog.Market(
            ticker=ticker,
            event_ticker=EVENT,
            title=f"Thing {n} happens",
            open_at=at,
            close_at=end,
            expected_expiration_at=None,
            fee_waiver_until=None,
            shard=SHARD_ZERO,
        )
        yield c.ListMarket(at=at, market=market, grid=grid, settlement_timer=5 * MINUTE)
    for member, amount in ((US, DEPOSIT), (CROWD, Money.parse("1000000"))):
        yield c.OpenAccount(at=at, member=member, precision=Precision.DIRECT, history=member == US)
        yield c.Deposit(
            at=at,
            member=member,
            banking_id=f"deposit of {member}",
            amount=amount,
            fee=Money(0),
            method="ach",
        )
        yield c.ConcludeBanking(
            at=at,
            member=member,
            banking_id=f"deposit of {member}",
            status=BankingStatus.APPLIED,
        )
