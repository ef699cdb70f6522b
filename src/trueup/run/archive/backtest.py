"""A strategy against a recording: the trader's machine and the exchange's, in virtual time.

It is the venue of the simulation (`run.simulated`) with the recorded rest of the
world around it (`sim.living.mirror`).  Own orders meet recorded depth, and get
what recorded trades would have given them.  In a market whose book was not
recorded an order that takes gets contracts of recorded trades that others made
on the same side within `reach` of its arrival, at its limit or better: those
contracts were offered.  Every market settles by its real outcome.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import merge
from itertools import count
from typing import Final

from trueup.core.fees import Precision
from trueup.core.ids import PRIMARY, SHARD_ZERO, ClientOrderId, OrderId, Ticker, TradeId
from trueup.core.instant import DAY, HOUR, MINUTE, SECOND, Instant
from trueup.core.market import MarketStatus
from trueup.core.orders import Side
from trueup.core.statements import BalanceStated
from trueup.core.units import ZERO_COUNT, Count, Money, Price
from trueup.engine import effects as f
from trueup.engine import inputs as i
from trueup.engine.limits import Limits
from trueup.engine.machine import Machine
from trueup.engine.market import Top
from trueup.engine.state import Settings
from trueup.engine.strategies.mean_reversion import MeanReversion, case_study_limits
from trueup.engine.strategy import Mandate, Strategy
from trueup.run.archive.archived_markets import ArchivedMarket
from trueup.run.archive.proven_offers import LastOffers, proven_top
from trueup.run.archive.tape import KnownSignal, Tape, TradeLog, known_from
from trueup.run.clock import seeded
from trueup.run.sandbox.simulated import SimulatedVenue
from trueup.run.sandbox.simulated_markets import top_after
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.conditions import CALM, Conditions
from trueup.sim.exchange import Exchange
from trueup.sim.living.mirror import TAPE, Mirror
from trueup.sim.living.mirrored_book import BookSeen, Seen, TradeSeen
from trueup.sim.living.world import SHARDS

US: Final = c.Member("us")
_SETTLES_AFTER: Final = HOUR
_TIMER: Final = 5 * MINUTE
_LOOKS_EVERY: Final = MINUTE
"""How often books are told again that have not changed."""
_POLL: Final = 15 * MINUTE
_ARRIVES_WITHIN: Final = 30 * SECOND
_IDLE_MAX: Final = DAY
"""How long before the first news a replay may begin."""
_LAST_DECISIONS: Final = 5 * MINUTE
"""How long after the last news strategies are still asked: its prices are too old by then."""
_PROGRESS_EVERY: Final = HOUR
_FIRST_READING: Final = 2 * SECOND
"""Reads lag behind: before this the account may still look as it was before its deposit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestOptions:
    """How a recording is traded against.  Times in microseconds.

    `reach` is how long before a recorded trade its contracts count as offered, in
    markets without a recorded book; `assumed_ahead` what to assume ahead of an order
    that rests there (`None`: unknown, so that trades at its price give it nothing).
    """

    deposit: Money
    since: Instant | None = None
    until: Instant | None = None
    reach: int = 30 * SECOND
    assumed_ahead: Count | None = None
    conditions: Conditions = CALM
    precision: Precision = Precision.DIRECT
    seed: int = 1


@dataclass(slots=True)
class Progress:
    """How far a backtest is, for whoever waits: what was told, and until when.

    `begins` and `ends` are the virtual time that it goes through, the latter as far as known.
    """

    told: int = 0
    passed_by: int = 0
    signals: int = 0
    at: Instant = Instant(0)  # noqa: RUF009  # an int
    begins: Instant = Instant(0)  # noqa: RUF009
    ends: Instant = Instant(0)  # noqa: RUF009

    def share(self, parts: int) -> int:
        """How many of so many equal parts of the time are over."""
        whole = self.ends - self.begins
        return 0 if whole <= 0 else min(parts, (self.at - self.begins) * parts // whole)


class BacktestVenue(SimulatedVenue):
    """The simulated venue with a recording around it."""

    def __init__(self, tape: Tape, options: BacktestOptions) -> None:
        super().__init__(
            Exchange(audit_every=1_000_000),
            US,
            chance=seeded(options.seed),
            conditions=options.conditions,
            poll=_POLL,
        )
        self.options = options
        self.progress = Progress()
        self.equity: list[tuple[Instant, Money]] = []
        self.readings: list[BalanceStated] = []
        self.refused: Counter[str] = Counter()
        """Why wishes were refused, and how often, by code."""
        self.wishes_refused = 0
        self.names: dict[OrderId, ClientOrderId] = {}
        self.mirror = Mirror(self.exchange, self.command, assumed_ahead=options.assumed_ahead)
        self.tape = tape
        self._log = TradeLog(tape.trades)
        self._offers: dict[Ticker, LastOffers] = {}
        self._is_offering = False
        self._observers = (*self._observers, self._note)
        self._news: Iterator[Seen] = merge(tape.trades, tape.books, key=lambda each: each.at)
        self._signals: Iterator[KnownSignal] = iter(())
        self._is_stopped = False
        self._is_over = False
        self._pays_at: dict[Ticker, Instant] = {}

    # -- the course ------------------------------------------------------------------------

    def play(self, machine: Machine, told: Callable[[Progress], None]) -> None:
        """Trade the whole recording, and wait until what is held has settled."""
        first = self._next_news()
        begin = self.options.since if first is None else self._begin(first)
        if begin is None:
            return
        self.now = begin
        self._open(begin)
        ends = [self._plan(market, begin) for market in self.tape.markets.values()]
        last = max((each for each in ends if each is not None), default=begin)
        self.progress.begins = self.progress.at = begin
        self.progress.ends = last if self.tape.ends is None else self.tape.ends
        self.start(machine)
        self.at(Instant(begin + _FIRST_READING), lambda: self._read_account(begin))
        self._read_cash()
        if first is not None:
            self.at(first.at, lambda: self._tell_news(first, told))
        self._signals = iter(known_from(self.tape.signals, begin))
        self._wait_for_signal()
        if not self.tape.is_sampled:
            self.at(Instant(begin + _LOOKS_EVERY), self._look_again)
        until = self.options.until
        try:
            self.run(Instant(last + _SETTLES_AFTER + HOUR) if until is None else until)
        except _Stopped:
            # What is under way arrives, so that the books can be held against the exchange.
            self.run(Instant(self.now + _ARRIVES_WITHIN))
        except _Over:
            pass
        self._read_cash()

    def stop(self) -> None:
        """End before the recording does, with what there is then.  May be called at any time."""
        self._is_stopped = True

    @property
    def is_stopped(self) -> bool:
        """Whether somebody wanted the end before the recording's."""
        return self._is_stopped

    def _begin(self, first: Seen) -> Instant:
        opened = [
            each.market.open_at
            for each in self.tape.markets.values()
            if each.market.open_at is not None
        ]
        # An archive of years is not gone through for the few days of it that are replayed.
        begin = max(Instant(min([first.at, *opened]) - MINUTE), Instant(first.at - _IDLE_MAX))
        return begin if self.options.since is None else max(begin, self.options.since)

    def _open(self, at: Instant) -> None:
        self.command(c.OpenAccount(at=at, member=US, precision=self.options.precision))
        # The whole deposit is on every shard that the markets live on; they are few.
        shards = sorted({one.market.shard for one in self.tape.markets.values()} & set(SHARDS))
        share = Money(self.options.deposit.units // max(1, len(shards)))
        for shard in shards or [SHARD_ZERO]:
            self.command(
                c.Credit(
                    at=at,
                    member=US,
                    subaccount=PRIMARY,
                    shard=shard,
                    amount=share,
                    reason="deposit",
                )
            )
        self.mirror.open(at)

    def _plan(self, one: ArchivedMarket, begin: Instant) -> Instant | None:
        """Let a market be listed, close and settle when it did; returns when it is over."""
        closes = one.market.close_at
        if closes is None or closes <= begin:
            return None
        opens = max(begin, one.market.open_at or begin)
        self.at(Instant(opens), lambda: self._list(one))
        if one.result is not None and one.value is not None:
            due = self._pays_at[one.ticker] = Instant(closes + _SETTLES_AFTER)
            self.at(due, lambda: self._determine(one))
            return due
        return closes

    def _list(self, one: ArchivedMarket) -> None:
        known, at = self.exchange.books.listings, self.now
        if one.series.ticker not in known.series:
            self.command(c.ListSeries(at=at, series=one.series))
        if one.event.ticker not in known.events:
            self.command(c.ListEvent(at=at, event=one.event))
        market = replace(one.market, open_at=at)
        self.command(c.ListMarket(at=at, market=market, grid=one.grid, settlement_timer=_TIMER))

    def _determine(self, one: ArchivedMarket) -> None:
        if one.result is not None and one.value is not None:
            self.command(
                c.DetermineMarket(
                    at=self.now, ticker=one.ticker, result=one.result, value=one.value
                )
            )

    def _next_news(self) -> Seen | None:
        since, until = self.options.since, self.options.until
        for seen in self._news:
            if until is not None and seen.at > until:
                return None
            if since is None or seen.at >= since:
                return seen
        return None

    def _tell_news(self, seen: Seen, told: Callable[[Progress], None]) -> None:
        progress = self.progress
        while True:
            if self._is_stopped:
                raise _Stopped
            self._see(seen)
            progress.told += 1
            if progress.told % 10_000 == 0 or self.now - progress.at >= _PROGRESS_EVERY:
                progress.at = self.now
                told(progress)
            following = self._next_news()
            if following is None:
                self.at(Instant(self.now + _LAST_DECISIONS), self._wind_up)
                return
            if following.at > self.now:
                break
            seen = following
        self.at(following.at, lambda: self._tell_news(following, told))

    def _wind_up(self) -> None:
        """Nothing is told any more, so nothing can be traded: what is held waits to be paid.

        Strategies are asked no more.  A market may close a year after the recording ends, and
        one that looks at every market every ten seconds would look three million times.
        """
        self._is_over = True
        held = [
            ticker
            for (_, ticker), record in self.exchange.account(US).holdings.items()
            if record.net
        ]
        paid = [
            self._pays_at[ticker] + _SETTLES_AFTER + HOUR
            for ticker in held
            if ticker in self._pays_at
        ]
        self.at(Instant(max([self.now, *paid])), _end)

    def _see(self, seen: Seen) -> None:
        state = self.exchange.books.listings.markets.get(seen.ticker)
        is_open = state is not None and state.status is MarketStatus.ACTIVE
        if not is_open:
            self.progress.passed_by += 1
        if is_open and isinstance(seen, TradeSeen):
            self._offers.setdefault(seen.ticker, LastOffers()).see(seen)
            left = self._log.left(seen)
            if left <= 0:
                return
            if left < seen.count:
                seen = TradeSeen(
                    seen.at, seen.ticker, seen.trade_id, seen.price, left, seen.taker_is_bid
                )
        self.mirror.see(seen, self.now)
        if is_open and isinstance(seen, BookSeen):
            # It was looked at, and is news although it may say the same as before.
            self._tell_book(seen.ticker)

    def _look_again(self) -> None:
        """A book that is followed is as good now as when it changed last: as a bot's own reading
        of the listings tells, it is told again.  Of one that was only looked at nobody knows.
        """
        if self._is_over:
            return
        for ticker, book in self.mirror.books.items():
            state = self.exchange.books.listings.markets.get(ticker)
            if book.is_known and state is not None and state.status is MarketStatus.ACTIVE:
                self._tell_book(ticker)
        self.at(Instant(self.now + _LOOKS_EVERY), self._look_again)

    def _tell_book(self, ticker: Ticker) -> None:
        state = self.exchange.books.listings.markets[ticker]
        bid, ask, quote = state.book.best_bid(), state.book.best_ask(), state.quotes.at(self.now)
        self._tops[ticker] = Top(
            ticker=ticker,
            at=self.now,
            bid=None if bid is None else Price(bid.price),
            ask=None if ask is None else Price(ask.price),
            bid_size=ZERO_COUNT if bid is None else Count(bid.total),
            ask_size=ZERO_COUNT if ask is None else Count(ask.total),
            last=state.tape.trades[-1].price if state.tape.trades else None,
            volume_24h=ZERO_COUNT if quote is None else quote.volume_24h,
        )
        self._batch()

    def _wait_for_signal(self) -> None:
        known = next(self._signals, None)
        if known is None:
            return

        def give() -> None:
            self.progress.signals += 1
            self.give(i.SignalSeen(at=self.now, signal=known.signal))
            self._wait_for_signal()

        self.at(known.known_at, give)

    # -- own orders ------------------------------------------------------------------------

    def command(self, command: c.Command) -> tuple[e.Event, ...]:
        """Somebody does something; where no book is told, an own order meets what was traded."""
        if not isinstance(command, c.PlaceOrder | c.AmendOrder) or command.member != US:
            return super().command(command)
        if self.mirror.book(command.ticker).is_known:
            return super().command(command)
        wanted = [
            trade
            for trade in self._log.between(
                command.ticker, self.now, Instant(self.now + self.options.reach)
            )
            if trade.taker_is_bid is (command.side is Side.YES)
            and (trade.price - command.price.units) * command.side.sign <= 0
            and not self._meets_resting(trade)
            and self._log.left(trade) > 0
        ]
        if not wanted:
            return super().command(command)
        return self._meet(command, wanted)

    def _meets_resting(self, trade: TradeSeen) -> bool:
        """Whether an own order rests that such an offer would have met first."""
        book = self.exchange.books.listings.markets[trade.ticker].book
        best = book.best_bid() if trade.taker_is_bid else book.best_ask()
        if best is None:
            return False
        sign = 1 if trade.taker_is_bid else -1
        return (best.price - trade.price) * sign >= 0

    def _meet(
        self, command: c.PlaceOrder | c.AmendOrder, wanted: list[TradeSeen]
    ) -> tuple[e.Event, ...]:
        """Offer what was traded, let the order take of it, and take the rest back."""
        state = self.exchange.books.listings.markets[command.ticker]
        is_bid = command.side is not Side.YES
        self._is_offering = True
        try:
            offered = {
                self.mirror.offer(
                    self.now, command.ticker, (is_bid, trade.price), self._log.left(trade)
                ): trade
                for trade in wanted
                if trade.price in state.prices
            }
            events = super().command(command)
            for event in events:
                trade = isinstance(event, e.FillMade) and offered.get(event.terms.order_id)
                if trade and isinstance(event, e.FillMade):
                    self._log.give(trade, event.count_units)
            for name in offered:
                super().command(c.CancelOrder(at=self.now, member=TAPE, order_id=name))
        finally:
            self._is_offering = False
        self._tops[command.ticker] = self._top(command.ticker)
        self._batch()
        return events

    def given(self) -> Mapping[TradeId, int]:
        """How much of each recorded trade own orders took, in `Count` units."""
        return self._log.given

    # -- what everybody sees ---------------------------------------------------------------

    def _carry_out(self, effect: f.Effect) -> None:
        """Refused wishes are counted, not kept: a strategy may wish the same for months."""
        if isinstance(effect, f.Decision) and effect.verdict is f.Verdict.REFUSED:
            self.refused.update(each.code.value for each in effect.refusals)
            self.wishes_refused += 1
            return
        if self._is_over and isinstance(effect, f.WakeAt):
            return
        super()._carry_out(effect)

    def _note(self, event: e.Event) -> None:
        self.mirror.hear((event,))
        if isinstance(event, e.OrderUpdated) and event.member == US:
            self.names[event.terms.order_id] = event.terms.client_order_id

    def _tell(self, event: e.Event) -> None:
        if isinstance(event, e.TopChanged):
            if self.mirror.book(event.ticker).is_known:
                self._tops[event.ticker] = top_after(self.exchange, event)
            elif not self._is_offering:
                self._tops[event.ticker] = self._top(event.ticker)
            self._batch()
            return
        super()._tell(event)

    def _top(self, ticker: Ticker) -> Top:
        state = self.exchange.books.listings.markets[ticker]
        return proven_top(state, self._offers.get(ticker) or LastOffers(), self.now)

    # -- the truth, every day --------------------------------------------------------------

    def _read_cash(self) -> None:
        """Note what the exchange says we have, at every midnight and at the end."""
        account = self.exchange.account(US)
        cash = account.cash_at(self.now)
        self.readings.append(
            BalanceStated(
                low=cash,
                high=cash,
                portfolio_value=None,
                subaccount=PRIMARY,
                shard=None,
                at=self.now,
                observed_at=self.now,
            )
        )
        if self.machine is not None:
            state = self.machine.state
            profit = state.portfolio.profit(state.marks())
            self.equity.append((self.now, self.options.deposit + profit))
        self.at(Instant(self.now - self.now % DAY + DAY), self._read_cash)


class _Stopped(Exception):  # no error: it ends a replay between two pieces of news
    """Somebody wanted the end."""


class _Over(
    Exception
):  # no error: it ends a replay whose news are told and whose holdings are paid
    """There is nothing more to come."""


def _end() -> None:
    raise _Over


def counted_names() -> Callable[[str], ClientOrderId]:
    """Client order ids in their order, so that a run repeats exactly."""
    numbers = count(1)
    return lambda strategy: ClientOrderId(f"{strategy}-{next(numbers)}")


def backtest_machine(
    strategies: Sequence[Strategy], capital: Money, precision: Precision
) -> Machine:
    """The machine of a bot, with the same limits but for the categories: a tape is chosen."""
    limits = Limits(exposure_max=capital)
    share = Money(capital.units // len(strategies))
    mandates = [
        (
            each,
            Mandate(
                capital=share,
                limits=case_study_limits(categories=frozenset[str]())
                if isinstance(each, MeanReversion)
                else limits,
            ),
        )
        for each in strategies
    ]
    return Machine(mandates, Settings(limits=limits, balance_step=precision.step), counted_names())
