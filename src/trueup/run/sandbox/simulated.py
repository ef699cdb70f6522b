"""A venue inside this process: the two machines connected under a virtual clock.

The trader's effects become the exchange's commands, the exchange's events
become the trader's inputs; in between lies whatever `Conditions` say.  Nothing
waits and nothing is random but the chance that is passed in, so months run in
seconds and every run repeats from its seed.  Backtests and the seeded world of
the tests are drivers of this.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Final, assert_never

from trueup.core.facts import Filled, Settled
from trueup.core.ids import OrderId, Subaccount, Ticker, TradeId
from trueup.core.instant import SECOND, Instant
from trueup.core.orders import TimeInForce
from trueup.core.payoff import yes_value
from trueup.core.units import Count
from trueup.engine import effects as f
from trueup.engine import inputs as i
from trueup.engine.machine import Machine
from trueup.engine.market import PublicTrade, Top
from trueup.engine.records import Record
from trueup.engine.wishes import Style
from trueup.run.sandbox.simulated_markets import listing, listings, top_after, top_now
from trueup.run.sandbox.simulated_reading import (
    ChangingOrders,
    balances_read,
    positions_read,
    status_read,
)
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.chance import Chance, identifier
from trueup.sim.conditions import CALM, Conditions, Fate
from trueup.sim.exchange import Exchange

POLL: Final = 15 * SECOND
"""How often fills, orders and balances are read beside the feeds."""

BATCH: Final = SECOND // 10
"""Market data of this long reaches the machine together."""

_SETTLED_AGAIN: Final = 40
"""Every so many polls the settlements of all time are read, not only the newest."""

_OVERLAP: Final = 60 * SECOND
"""How far a poll reads back behind what was read before."""


@dataclass
class Heard:
    """What the machine said, and what it was told: for reports and for an auditor.

    `durable` are its records; `fills` and `settled` are what its books would hold.
    """

    decisions: list[f.Decision] = field(default_factory=list[f.Decision])
    alerts: list[f.Alert] = field(default_factory=list[f.Alert])
    durable: list[Record] = field(default_factory=list[Record])
    placed: list[f.Place] = field(default_factory=list[f.Place])
    fills: dict[tuple[TradeId, OrderId], Filled] = field(
        default_factory=dict[tuple[TradeId, OrderId], Filled]
    )
    settled: dict[tuple[Subaccount, Ticker], Settled] = field(
        default_factory=dict[tuple[Subaccount, Ticker], Settled]
    )
    faults: int = 0


Observer = Callable[[e.Event], None]
"""Sees every event of the exchange, as it happens."""


class SimulatedVenue:
    """Connects a machine with an exchange for one member.

    `command` carries out what somebody else does at the exchange; `at` schedules
    anything; `run` lets time pass.  `poll` and `batch` are the pace of reading and of
    market data, in microseconds; a world that acts by itself tells what happens by `hear`.
    """

    def __init__(
        self,
        exchange: Exchange,
        member: c.Member,
        *,
        chance: Chance,
        conditions: Conditions = CALM,
        observers: Iterable[Observer] = (),
        poll: int = POLL,
        batch: int = BATCH,
    ) -> None:
        self.exchange = exchange
        self._poll_every = poll
        self._batch_every = batch
        self.member = member
        self.conditions = conditions
        self.heard = Heard()
        self.now = exchange.now
        self.machine: Machine | None = None
        self._chance = chance
        self._observers = tuple(observers)
        self._agenda: list[tuple[Instant, int, int, Callable[[], None]]] = []
        self._noted = 0
        self._life = 0
        self._tops: dict[Ticker, Top] = {}
        self._trades: list[PublicTrade] = []
        self._is_batching = False
        self._polled_to = Instant(0)
        self._polls = 0
        self._orders = ChangingOrders()

    # -- time ------------------------------------------------------------------------------

    def at(self, when: Instant, what: Callable[[], None], *, of_life: int = 0) -> None:
        """Let something happen at `when`; with `of_life`, only while that process lives."""
        self._noted += 1
        heappush(self._agenda, (max(when, self.now), self._noted, of_life, what))

    def run(self, until: Instant) -> None:
        """Let time pass until `until`; everything due by then happens, in order."""
        while self._agenda and self._agenda[0][0] <= until:
            when, _, of_life, what = heappop(self._agenda)
            self.now = when
            self._advance(when)
            if of_life in {0, self._life}:
                what()
        self.now = until
        self._advance(until)

    def _advance(self, when: Instant) -> None:
        """What is due at the exchange happens at its own time."""
        due = self.exchange.next_due()
        if due is not None and due <= when:
            self.command(c.Advance(at=when))

    # -- the process that trades -----------------------------------------------------------

    def start(self, machine: Machine) -> None:
        """Start a machine: recover its records, tell it the world, read the account."""
        self._life += 1
        self.machine = machine
        self.give(i.Recovered(at=self.now, records=tuple(self.heard.durable)))
        self.give(i.MarketsListed(at=self.now, listings=listings(self.exchange)))
        self._read_account(since=Instant(0), at_start=True)
        tops = [
            top
            for ticker in self.exchange.books.listings.markets
            for top in top_now(self.exchange, ticker)
        ]
        if tops:
            self.give(i.MarketsMoved(at=self.now, tops=tuple(tops)))
        self._later(self._poll_every, self._poll)

    def crash(self) -> None:
        """The process is gone: answers and messages under way reach nobody any more.

        Calls that have left the machine still arrive.
        """
        self._life += 1
        self.machine = None
        self._is_batching = False
        self._trades.clear()

    def give(self, given: i.Input) -> None:
        """Give the machine an input, if one runs, and carry out what it wants."""
        if self.machine is None:
            return
        if isinstance(given, i.FillSeen):
            self.heard.fills[given.fill.trade_id, given.fill.order_id] = given.fill
        for effect in self.machine.step(given):
            self._carry_out(effect)

    def _later(self, delay: int, what: Callable[[], None]) -> None:
        self.at(Instant(self.now + delay), what, of_life=self._life)

    # -- effects ---------------------------------------------------------------------------

    def _carry_out(self, effect: f.Effect) -> None:
        match effect:
            case f.Persist():
                self.heard.durable.append(effect.record)
            case f.Decision():
                self.heard.decisions.append(effect)
            case f.Alert():
                self.heard.alerts.append(effect)
            case f.WakeAt():
                self.at(
                    effect.at,
                    lambda: self.give(i.TimerFired(at=self.now)),
                    of_life=self._life,
                )
            case f.Ask() | f.ReadResting():
                self._call(effect)
            case f.Place():
                self.heard.placed.append(effect)
                self._call(effect)
            case f.Cancel() | f.Amend() | f.Sweep():
                self._call(effect)
            case _:
                assert_never(effect)

    def _call(self, effect: f.Place | f.Cancel | f.Amend | f.Sweep | f.Ask | f.ReadResting) -> None:
        """Send a call over the line; the answer or the error comes back later."""
        fate = self.conditions.fate(self._chance, self.now)
        life = self._life
        self.heard.faults += fate is not Fate.ANSWERED
        if fate is not Fate.ANSWERED:
            self._later(self.conditions.timeout, lambda: self._failed(effect))
        if fate is Fate.LOST:
            return

        def arrive() -> None:
            answer = self._at_exchange(effect)
            if fate is Fate.ANSWERED:
                back = Instant(self.now + self.conditions.way.draw(self._chance))
                self.at(back, lambda: self._answered(answer), of_life=life)

        self.at(self.conditions.arrival(self._chance, self.now, fate), arrive)

    def _answered(self, answer: Callable[[], i.Input | None]) -> None:
        self.give(i.CallEnded(at=self.now, ok=True))
        given = answer()
        if given is not None:
            self.give(given)

    def _failed(self, effect: f.Effect) -> None:
        words = "503 service unavailable"
        self.give(i.CallEnded(at=self.now, ok=False, words=words))
        lost = i.Unknown(words=words)
        match effect:
            case f.Place(intent=intent):
                name = intent.client_order_id
                self.give(i.SendEnded(at=self.now, client_order_id=name, outcome=lost))
            case f.Cancel(client_order_id=name) if name is not None:
                self.give(i.CancelEnded(at=self.now, client_order_id=name, outcome=lost))
            case f.Amend(client_order_id=name):
                self.give(i.AmendEnded(at=self.now, client_order_id=name, outcome=lost))
            case f.Sweep():
                self.give(i.SweepEnded(at=self.now, done=False, words=words))
            case f.Ask() | f.ReadResting():
                # A question that failed is asked again: the driver's retry, with a pause.
                self._later(self.conditions.timeout, lambda: self._call(effect))
            case _:
                pass

    def _at_exchange(
        self, effect: f.Place | f.Cancel | f.Amend | f.Sweep | f.Ask | f.ReadResting
    ) -> Callable[[], i.Input | None]:
        match effect:
            case f.Place():
                return self._place(effect)
            case f.Cancel():
                return self._cancel(effect)
            case f.Amend():
                return self._amend(effect)
            case f.Sweep():
                for subaccount in effect.subaccounts:
                    self.command(
                        c.CancelAllOrders(at=self.now, member=self.member, subaccount=subaccount)
                    )
                return lambda: i.SweepEnded(at=self.now, done=True)
            case f.Ask():
                return self._ask(effect)
            case f.ReadResting():
                as_of = self._as_of()
                account = self.exchange.account(self.member)
                resting = tuple(
                    each
                    for each in account.resting_at(as_of)
                    if each.subaccount in effect.subaccounts
                )
                return lambda: i.RestingRead(at=self.now, resting=resting, as_of=as_of)
            case _:
                assert_never(effect)

    def _place(self, effect: f.Place) -> Callable[[], i.Input | None]:
        intent = effect.intent
        order_id = OrderId(identifier(self._chance))
        takes = intent.style is Style.TAKE
        events = self.command(
            c.PlaceOrder(
                at=self.now,
                member=self.member,
                subaccount=intent.subaccount,
                order_id=order_id,
                client_order_id=intent.client_order_id,
                ticker=intent.ticker,
                side=intent.side,
                price=intent.limit,
                count=intent.count,
                time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL
                if takes
                else TimeInForce.GOOD_TILL_CANCELED,
                expires_at=intent.expires_at,
                post_only=intent.style is Style.POST,
                reduce_only=intent.only_reduce and takes,
                cancel_on_pause=not takes,
            )
        )
        outcome: i.Accepted | i.Refused
        refused = _refused(events)
        if refused is not None:
            outcome = refused
        else:
            order = self.exchange.account(self.member).order(order_id)
            outcome = i.Accepted(
                order_id=order_id,
                fill_count=order.fill_count,
                remaining_count=order.remaining_count,
            )
        name = intent.client_order_id
        return lambda: i.SendEnded(at=self.now, client_order_id=name, outcome=outcome)

    def _cancel(self, effect: f.Cancel) -> Callable[[], i.Input | None]:
        events = self.command(
            c.CancelOrder(at=self.now, member=self.member, order_id=effect.order_id)
        )
        name = effect.client_order_id
        if name is None:
            return lambda: None
        refused = _refused(events)
        reduced = sum((_reduced(each, effect.order_id) for each in events), Count(0))
        outcome = i.Canceled(reduced_by=reduced) if refused is None else refused
        return lambda: i.CancelEnded(at=self.now, client_order_id=name, outcome=outcome)

    def _amend(self, effect: f.Amend) -> Callable[[], i.Input | None]:
        events = self.command(
            c.AmendOrder(
                at=self.now,
                member=self.member,
                order_id=effect.order_id,
                ticker=effect.ticker,
                side=effect.side,
                price=effect.price,
                count=effect.total,
                expires_at=effect.expires_at,
            )
        )
        refused = _refused(events)
        outcome: i.Amended | i.Refused
        if refused is not None:
            outcome = refused
        else:
            order = self.exchange.account(self.member).order(effect.order_id)
            outcome = i.Amended(
                fill_count=order.fill_count,
                remaining_count=order.remaining_count,
                told_at=order.updated_at,
            )
        name = effect.client_order_id
        return lambda: i.AmendEnded(at=self.now, client_order_id=name, outcome=outcome)

    def _ask(self, effect: f.Ask) -> Callable[[], i.Input | None]:
        as_of = self._as_of()
        name = effect.client_order_id
        orders = self.exchange.account(self.member).orders.values()
        named = (each for each in orders if each.terms.client_order_id == name)
        found = next((order for each in named if (order := each.at(as_of)) is not None), None)
        return lambda: i.Asked(at=self.now, client_order_id=name, found=found, as_of=as_of)

    # -- the exchange ----------------------------------------------------------------------

    def command(self, command: c.Command) -> tuple[e.Event, ...]:
        """Somebody does something at the exchange; everybody hears of it in their way."""
        events = self.exchange.step(command)
        self.hear(events)
        return events

    def hear(self, events: Iterable[e.Event]) -> None:
        """Something happened at the exchange, by whoever's doing."""
        for event in events:
            for observe in self._observers:
                observe(event)
            self._tell(event)

    def _tell(self, event: e.Event) -> None:
        match event:
            case e.FillMade(member=member) if member == self.member:
                fill = event.filled
                self._message(lambda: self.give(i.FillSeen(at=self.now, fill=fill)))
            case e.OrderUpdated(member=member) if member == self.member:
                self._orders.note(event.terms.order_id)
                order = event.order
                self._message(lambda: self.give(i.OrderSeen(at=self.now, order=order)))
            case e.TopChanged():
                self._tops[event.ticker] = top_after(self.exchange, event)
                self._batch()
            case e.TradeMade():
                self._trades.append(
                    PublicTrade(
                        ticker=event.ticker,
                        at=event.at,
                        price=event.price,
                        count=event.count,
                        taker_side=event.taker_side,
                    )
                )
                self._batch()
            case e.MarketListed(market=market):
                self._message(lambda: self._tell_listing(market.ticker), sure=True)
            case e.MarketMoved() | e.CloseTimeChanged() | e.PriceGridChanged():
                self._message(lambda: self._tell_listing(event.ticker), sure=True)
            case e.SettlementPaid(member=member) if member == self.member:
                settled = event.settled
                self._message(lambda: self._settle(settled))
            case _:
                pass

    def _message(self, give: Callable[[], None], *, sure: bool = False) -> None:
        """A message of a feed: late, twice or never, as the conditions have it."""
        deliveries = self.conditions.deliveries(self._chance, self.now)
        self.heard.faults += len(deliveries) != 1
        if sure and not deliveries:
            deliveries = (Instant(self.now + self.conditions.feed.high),)
        for when in deliveries:
            self.at(when, give, of_life=self._life)

    def _batch(self) -> None:
        if not self._is_batching and self.machine is not None:
            self._is_batching = True
            self._later(self._batch_every, self._flush)

    def _flush(self) -> None:
        self._is_batching = False
        tops, trades = tuple(self._tops.values()), tuple(self._trades)
        self._tops, self._trades = {}, []
        self.give(i.MarketsMoved(at=self.now, tops=tops, trades=trades))

    def _settle(self, settled: Settled) -> None:
        stage = self.exchange.books.listings.markets[settled.ticker].stage()
        value = yes_value(settled.result, stage.value)
        if value is not None and self.machine is not None:
            self.heard.settled[settled.subaccount, settled.ticker] = settled
            self.give(i.MarketSettled(at=self.now, ticker=settled.ticker, value=value))

    # -- reading ---------------------------------------------------------------------------

    def _poll(self) -> None:
        """The backstop: what a feed may have lost is read, with overlap."""
        if self.conditions.fate(self._chance, self.now) is Fate.LOST:
            self.give(i.CallEnded(at=self.now, ok=False, words="503 service unavailable"))
        else:
            self.give(i.CallEnded(at=self.now, ok=True))
            self._read_account(since=Instant(self._polled_to - _OVERLAP))
        self._later(self._poll_every, self._poll)

    def _read_account(self, since: Instant, *, at_start: bool = False) -> None:
        as_of = self._as_of()
        account = self.exchange.account(self.member)
        if at_start:
            self._orders.begin(account)
        for order in self._orders.read(account, as_of, since):
            self.give(i.OrderSeen(at=self.now, order=order))
        made = account.fills.made
        first = bisect_left(made, since, key=_made_at)
        for fill in made[first : bisect_right(made, as_of, key=_made_at)]:
            self.give(i.FillSeen(at=self.now, fill=fill.filled))
        # A settlement that was revised keeps its time: now and then all are read anew.
        self._polls += 1
        settled_since = Instant(0) if self._polls % _SETTLED_AGAIN == 0 else since
        for row in account.settlements_at(as_of, since=settled_since):
            self._settle(row.settled)
        self._polled_to = as_of
        for reading in positions_read(account, as_of, self.now, at_start=at_start):
            self.give(reading)
        for balance in balances_read(account, as_of, self.now):
            self.give(balance)
        self.give(status_read(self.exchange, self.now))

    def _as_of(self) -> Instant:
        """Reads lag behind: what they show is the account a moment ago."""
        return Instant(self.now - self.conditions.lag.draw(self._chance))

    def _tell_listing(self, ticker: Ticker) -> None:
        self.give(i.MarketsListed(at=self.now, listings=(listing(self.exchange, ticker),)))


def _refused(events: Iterable[e.Event]) -> i.Refused | None:
    for event in events:
        if isinstance(event, e.Refused):
            return i.Refused(code=event.reason.value, words=event.detail or event.reason.value)
    return None


def _reduced(event: e.Event, order_id: OrderId) -> Count:
    if isinstance(event, e.OrderUpdated) and event.order.order_id == order_id:
        return event.reduced_by
    return Count(0)


def _made_at(made: e.FillMade) -> Instant:
    return made.at
