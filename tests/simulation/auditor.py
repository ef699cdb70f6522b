"""Knows the right answer by another road: from the exchange's own events, never from the machine.

It watches while the world runs and asks at the end.  Every demand that fails
is a sentence; a run is good when there is none.
"""

from __future__ import annotations

from collections import Counter, defaultdict

from trueup.core.facts import Filled, Source
from trueup.core.fees import Precision
from trueup.core.ids import PRIMARY, SHARD_ZERO, ClientOrderId, Ticker
from trueup.core.instant import SECOND, Instant
from trueup.core.observations import Recorded
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money
from trueup.engine import effects as f
from trueup.engine.inflight import Intent, OrderState
from trueup.engine.limits import Limits
from trueup.engine.machine import Machine
from trueup.engine.portfolio import FOREIGN
from trueup.engine.records import OrderEnded
from trueup.ledger.booking import book_market
from trueup.run.sandbox.simulated import SimulatedVenue
from trueup.sim import commands as c
from trueup.sim import events as e

ON_THE_WAY = 7 * SECOND
"""An order that left before the switch was pulled may still arrive this much later."""


def strategy_of(client_order_id: ClientOrderId) -> str:
    """Whose order it is; the tests number the orders of every strategy."""
    return client_order_id.rpartition("-")[0]


class Auditor:
    """Watches one member at the exchange."""

    def __init__(self, member: c.Member, limits: Limits, deposited: Money) -> None:
        self._member = member
        self._limits = limits
        self._deposited = deposited
        self._orders: Counter[ClientOrderId] = Counter()
        self._nets: dict[Ticker, Count] = defaultdict(lambda: ZERO_COUNT)
        self._shares: dict[tuple[str, Ticker], Count] = defaultdict(lambda: ZERO_COUNT)
        self._held: dict[tuple[str, Ticker], Count] = {}
        self._costs: dict[Ticker, Money] = {}
        self._killed_at: Instant | None = None
        self.complaints: list[str] = []
        self.events = 0
        """How many events of the exchange it has seen, of anybody."""

    def watch(self, event: e.Event) -> None:
        """See an event of the exchange as it happens."""
        self.events += 1
        match event:
            case e.OrderUpdated() | e.FillMade() if event.terms.subaccount != PRIMARY:
                # Somebody trades by hand there, where no strategy does.
                pass
            case e.OrderUpdated(member=member, why=e.OrderChange.PLACED) if member == self._member:
                name = event.order.client_order_id
                self._orders[name] += 1
                if self._killed_at is not None and event.at > self._killed_at + ON_THE_WAY:
                    self._complain(f"order {name} arrived after the kill switch was pulled")
            case e.FillMade(member=member) if member == self._member:
                self._filled(event.filled, Count(event.net_units))
                self._spent(event)
                share = (strategy_of(event.terms.client_order_id), event.terms.ticker)
                signed = Count(event.terms.side.sign * event.count_units)
                self._shares[share] += signed
            case _:
                pass

    def _filled(self, fill: Filled, net: Count) -> None:
        before, self._nets[fill.ticker] = self._nets[fill.ticker], net
        most = self._limits.position_max
        grew = abs(net) > abs(before)
        if most is not None and grew and abs(net) > most:
            self._complain(f"position {net} in {fill.ticker} exceeds {most}")

    def _spent(self, made: e.FillMade) -> None:
        before = sum(self._costs.values(), ZERO_MONEY)
        self._costs[made.terms.ticker] = Money(made.cost_units)
        cost = sum(self._costs.values(), ZERO_MONEY)
        most = self._limits.exposure_max
        if most is not None and cost > before and cost > most:
            self._complain(f"positions cost {cost}, allowed {most}")

    def shares(self) -> list[Count]:
        """What the strategies traded, net, by strategy and market."""
        return list(self._shares.values())

    def killed(self, at: Instant | None) -> None:
        """The operator pulled the switch (or armed again: `None`)."""
        self._killed_at = at

    def note(self, held: dict[tuple[str, Ticker], Count]) -> None:
        """What the machine says that every strategy holds after the close."""
        self._held = held

    def judge(self, venue: SimulatedVenue) -> list[str]:
        """Everything that is wrong at the end, when all is quiet."""
        machine = venue.machine
        if machine is None:
            return ["nothing runs at the end"]
        self._judge_orders(venue)
        self._judge_absences(venue)
        self._judge_positions(venue, machine)
        self._judge_money(venue, machine)
        self._judge_duties(venue, machine)
        return self.complaints

    def _judge_orders(self, venue: SimulatedVenue) -> None:
        heard = venue.heard
        intents = Counter(
            each.client_order_id for each in heard.durable if isinstance(each, Intent)
        )
        sent = Counter(
            each.client_order_id
            for each in heard.decisions
            if each.verdict is f.Verdict.SENT and each.client_order_id
        )
        placed = Counter(each.intent.client_order_id for each in heard.placed)
        for name, times in self._orders.items():
            if times > 1:
                self._complain(f"order {name} was accepted {times} times")
            if not intents[name]:
                self._complain(f"order {name} reached the exchange without a durable intent")
            if sent[name] != 1:
                self._complain(f"order {name} has {sent[name]} decisions in the log")
        for name, times in placed.items():
            if times > 1:
                self._complain(f"order {name} was sent {times} times")
            if not sent[name]:
                self._complain(f"order {name} was sent without a decision")

    def _judge_absences(self, venue: SimulatedVenue) -> None:
        for record in venue.heard.durable:
            if not isinstance(record, OrderEnded) or record.state is not OrderState.ABSENT:
                continue
            if self._orders[record.client_order_id]:
                self._complain(f"{record.client_order_id} was called absent and was not")

    def _judge_positions(self, venue: SimulatedVenue, machine: Machine) -> None:
        account = venue.exchange.account(self._member)
        for (strategy, ticker), traded in self._shares.items():
            held = self._held.get((strategy, ticker), ZERO_COUNT)
            if held != traded:
                self._complain(f"{strategy} traded {traded} in {ticker}, the machine says {held}")
        for (owner, ticker), held in self._held.items():
            if owner == FOREIGN and held:
                self._complain(f"{held} in {ticker} were taken for somebody else's")
        for ticker in venue.exchange.books.listings.markets:
            truth = account.position_at(venue.now, PRIMARY, ticker).net
            ours = machine.state.portfolio.net(ticker, subaccount=PRIMARY)
            if truth != ours:
                self._complain(f"{ticker}: the exchange holds {truth}, the machine {ours}")
        resting = {
            each.client_order_id
            for each in account.resting_at(venue.now)
            if each.subaccount == PRIMARY
        }
        living = {each.intent.client_order_id for each in machine.state.inflight.living()}
        if resting != living:
            self._complain(f"resting at the exchange {resting}, for the machine {living}")

    def _judge_money(self, venue: SimulatedVenue, machine: Machine) -> None:
        cash = venue.exchange.account(self._member).cash_at(venue.now, subaccount=PRIMARY)
        truth = cash - self._deposited
        portfolio = machine.state.portfolio.profit({})
        if truth != portfolio:
            self._complain(f"the exchange says {truth} was earned, the machine {portfolio}")
        booked = self._booked(venue)
        if truth != booked:
            self._complain(f"the exchange says {truth} was earned, the books {booked}")

    def _booked(self, venue: SimulatedVenue) -> Money:
        recorded: dict[Ticker, list[Recorded]] = defaultdict(list)
        for n, ((trade, order), fill) in enumerate(venue.heard.fills.items()):
            if fill.subaccount != PRIMARY:
                continue
            recorded[fill.ticker].append(
                Recorded(n, f"{trade}/{order}", 1, fill, Source.REST, fill.at)
            )
        for n, ((place, ticker), settled) in enumerate(venue.heard.settled.items()):
            if place != PRIMARY:
                continue
            recorded[ticker].append(
                Recorded(10**9 + n, f"row {ticker}", 1, settled, Source.REST, settled.at)
            )
        total = ZERO_MONEY
        markets = venue.exchange.books.listings.markets
        for ticker, facts in recorded.items():
            book = book_market(
                PRIMARY,
                SHARD_ZERO,
                ticker,
                recorded=facts,
                market=markets[ticker].stated(venue.now),
                precision=Precision.DIRECT,
            )
            total += book.realized - book.fees
            if book.breaks:
                self._complain(f"{ticker}: the books have breaks: {book.breaks}")
        return total

    def _judge_duties(self, venue: SimulatedVenue, machine: Machine) -> None:
        account = venue.exchange.account(self._member)
        for alert in venue.heard.alerts:
            if alert.kind is f.AlertKind.SWEPT and "nothing rests" in alert.words:
                resting = [
                    each.client_order_id
                    for each in account.resting_at(alert.at)
                    if each.subaccount == PRIMARY
                ]
                if resting:
                    self._complain(f"said that nothing rests while {resting} did")
        if machine.state.sweeper.duty is not None:
            self._complain("a duty to cancel everything was never finished")
        for (place, ticker), each in machine.state.differences.items():
            self._complain(f"{ticker} on subaccount {place} still differs: {each}")
        for alert in venue.heard.alerts:
            if "count as somebody else's" in alert.words or "is halted:" in alert.words:
                self._complain(f"a difference was seen where there was none: {alert.words}")

    def _complain(self, words: str) -> None:
        self.complaints.append(words)
