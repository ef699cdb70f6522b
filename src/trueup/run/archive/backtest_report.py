"""What a backtest made of a strategy, and the proof that its books close.

The books are the ledger's: every fill and settlement that the machine heard of is
booked anew, and every movement of the exchange's cash between two midnights must
be explained by them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from trueup.core.alerts import Alert, AlertKind
from trueup.core.facts import Filled, Source, Stream
from trueup.core.ids import PRIMARY, SHARD_ZERO, OrderId, Ticker
from trueup.core.instant import Instant
from trueup.core.observations import Recorded
from trueup.core.orders import Side
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money, Ratio
from trueup.engine import effects as f
from trueup.engine.strategy import Strategy
from trueup.ledger.booking import book_market
from trueup.ledger.entries import EntryKind, MarketBook, RoundTrip, TradeStatus
from trueup.ledger.movements import CashMovement, movement_of
from trueup.ledger.proof import Interval, Proven, prove
from trueup.run.archive.backtest import (
    US,
    BacktestOptions,
    BacktestVenue,
    Progress,
    backtest_machine,
)
from trueup.run.archive.tape import Tape

TROUBLE: Final = frozenset({AlertKind.STRATEGY, AlertKind.HALT, AlertKind.LOSS})
"""Alerts after which a strategy trades no more, or not as it would."""

_ROUTINE: Final = frozenset({AlertKind.FILL, AlertKind.SETTLEMENT})
_ROWS_FROM: Final = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyResult:
    """What one strategy did.  `slippage` is dollars paid beyond the price of the decisions."""

    name: str
    profit: Money
    fees: Money
    fills: int
    contracts: Count
    trades: int
    winners: int
    losers: int
    mean_winner: Money
    mean_loser: Money
    slippage: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestReport:
    """The figures of a run.  `closes` says whether every interval of the proof was proven."""

    began_at: Instant
    ended_at: Instant
    deposit: Money
    cash: Money
    profit: Money
    fees: Money
    strategies: tuple[StrategyResult, ...]
    told: int
    passed_by: int
    signals: int
    is_whole: bool
    """Whether the recording was replayed to its end."""
    sent: int
    refused: int
    refusals: Mapping[str, int]
    fills: int
    contracts: Count
    settled: int
    open_positions: int
    drawdown: Money
    equity: tuple[tuple[Instant, Money], ...]
    intervals: int
    unproven: tuple[str, ...]
    alerts: tuple[Alert, ...]
    """What an operator would have been told, apart from fills and settlements."""

    @property
    def closes(self) -> bool:
        """Whether the books close."""
        return not self.unproven

    @property
    def net_return(self) -> Ratio:
        """Profit as a part of the deposit."""
        return Ratio(self.profit.units, self.deposit.units)


def report(venue: BacktestVenue) -> BacktestReport:
    """Book what was heard, prove it against the exchange's cash, and add up."""
    heard = venue.heard
    books = _book(venue)
    complaints = [f"{book.ticker}: {each}" for book in books for each in book.breaks]
    intervals = tuple(
        prove(
            venue.readings,
            sorted(_movements(venue, books), key=lambda each: each.at),
            precision=Money(1),
            absolute=True,
        )
    )
    complaints += [_words(each) for each in intervals if each.verdict is Proven.UNPROVEN]
    complaints += _wrong_outcomes(venue)
    account = venue.exchange.account(US)
    cash = account.cash_at(venue.now)
    booked = sum((each.realized - each.fees for each in books), ZERO_MONEY)
    costs = sum((each.position.cost for each in books), ZERO_MONEY)
    if venue.options.deposit + booked - costs != cash:
        complaints.append(
            f"the books say {venue.options.deposit + booked - costs}, the exchange {cash}"
        )
    fills = list(heard.fills.values())
    if len(fills) != len(account.fills):
        complaints.append(f"{len(account.fills)} fills were made, {len(fills)} heard of")
    sent = [each for each in heard.decisions if each.verdict is f.Verdict.SENT]
    return BacktestReport(
        began_at=venue.readings[0].at,
        ended_at=venue.now,
        deposit=venue.options.deposit,
        cash=cash,
        profit=booked,
        fees=sum((each.fees for each in books), ZERO_MONEY),
        strategies=tuple(_strategies(venue, books)),
        told=venue.progress.told,
        passed_by=venue.progress.passed_by,
        signals=venue.progress.signals,
        is_whole=not venue.is_stopped,
        sent=len(sent),
        refused=venue.wishes_refused,
        refusals=dict(venue.refused.most_common()),
        fills=len(fills),
        contracts=sum((each.count for each in fills), ZERO_COUNT),
        settled=len(heard.settled),
        open_positions=sum(bool(each.position.net) for each in books),
        drawdown=drawdown([value for _, value in venue.equity]),
        equity=tuple(venue.equity),
        intervals=len(intervals),
        unproven=tuple(complaints),
        alerts=tuple(each for each in heard.alerts if each.kind not in _ROUTINE),
    )


def drawdown(equity: Sequence[Money]) -> Money:
    """The deepest fall from a peak."""
    peak = deepest = 0
    for number, value in enumerate(equity):
        peak = value.units if number == 0 else max(peak, value.units)
        deepest = max(deepest, peak - value.units)
    return Money(deepest)


# -- the books ---------------------------------------------------------------------------------


def _book(venue: BacktestVenue) -> list[MarketBook]:
    recorded: defaultdict[Ticker, list[Recorded]] = defaultdict(list)
    for number, ((trade, order), fill) in enumerate(venue.heard.fills.items()):
        key = f"{trade}/{order}"
        recorded[fill.ticker].append(Recorded(number, key, 1, fill, Source.REST, fill.at))
    for number, ((_, ticker), settled) in enumerate(venue.heard.settled.items(), _ROWS_FROM):
        key = f"row {ticker}"
        recorded[ticker].append(Recorded(number, key, 1, settled, Source.REST, settled.at))
    markets = venue.exchange.books.listings.markets

    def strategy_of(order_id: OrderId, _: Ticker) -> str:
        return _strategy(venue, order_id)

    return [
        book_market(
            PRIMARY,
            markets[ticker].market.shard,
            ticker,
            recorded=facts,
            market=markets[ticker].stated(venue.now),
            precision=venue.options.precision,
            strategy_of=strategy_of,
        )
        for ticker, facts in sorted(recorded.items())
    ]


def _movements(venue: BacktestVenue, books: Iterable[MarketBook]) -> Iterable[CashMovement]:
    # The money that was there before the first order.
    yield CashMovement(
        at=venue.readings[0].at,
        amount=venue.options.deposit,
        subaccount=PRIMARY,
        shard=SHARD_ZERO,
        stream=Stream.DEPOSITS,
        key="deposit",
        version=1,
        kind=EntryKind.DEPOSIT,
        ticker=None,
    )
    for book in books:
        for entry in book.entries:
            yield movement_of(entry)


def _wrong_outcomes(venue: BacktestVenue) -> Iterable[str]:
    """Every position settles by what the recording says that its market came to."""
    for (_, ticker), settled in venue.heard.settled.items():
        known = venue.tape.markets[ticker].result
        if settled.result is not known:
            yield f"{ticker} was settled as {settled.result}, the recording says {known}"


def run_backtest(
    tape: Tape,
    options: BacktestOptions,
    strategies: Sequence[Strategy],
    told: Callable[[Progress], None] = lambda _: None,
) -> BacktestReport:
    """A whole backtest: the strategies against the tape, and what came of it."""
    venue = BacktestVenue(tape, options)
    venue.play(backtest_machine(strategies, options.deposit, options.precision), told)
    return report(venue)


def _words(interval: Interval) -> str:
    return f"{interval.difference} between two midnights is not explained ({interval.after.at})"


# -- what each strategy did --------------------------------------------------------------------


def _strategy(venue: BacktestVenue, order_id: OrderId) -> str:
    return str(venue.names.get(order_id, "")).rpartition("-")[0]


def _strategies(venue: BacktestVenue, books: Sequence[MarketBook]) -> Iterable[StrategyResult]:
    fills: defaultdict[str, list[Filled]] = defaultdict(list)
    for fill in venue.heard.fills.values():
        fills[_strategy(venue, fill.order_id)].append(fill)
    trips: defaultdict[str, list[RoundTrip]] = defaultdict(list)
    for book in books:
        for trip in book.round_trips:
            trips[trip.strategy].append(trip)
    references = {each.intent.client_order_id: each.intent.reference for each in venue.heard.placed}
    for name in sorted({*fills, *trips, *(venue.machine.state.running if venue.machine else ())}):
        ended = [each for each in trips[name] if each.status is not TradeStatus.OPEN]
        won = [each.profit_loss for each in ended if each.profit_loss > ZERO_MONEY]
        lost = [each.profit_loss for each in ended if each.profit_loss < ZERO_MONEY]
        yield StrategyResult(
            name=name,
            profit=sum((each.profit_loss for each in trips[name]), ZERO_MONEY),
            fees=sum((each.fee or ZERO_MONEY for each in fills[name]), ZERO_MONEY),
            fills=len(fills[name]),
            contracts=sum((each.count for each in fills[name]), ZERO_COUNT),
            trades=len(ended),
            winners=len(won),
            losers=len(lost),
            mean_winner=_mean(won),
            mean_loser=_mean(lost),
            slippage=sum(
                (
                    _slipped(fill, references.get(venue.names[fill.order_id]))
                    for fill in fills[name]
                ),
                ZERO_MONEY,
            ),
        )


def _slipped(fill: Filled, reference: object) -> Money:
    units = getattr(reference, "units", None)
    if units is None:
        return ZERO_MONEY
    worse = fill.price.units - units
    return Money((worse if fill.side is Side.YES else -worse) * fill.count.units)


def _mean(amounts: Sequence[Money]) -> Money:
    """Rounded down to a millionth: for showing."""
    return Money(sum(each.units for each in amounts) // len(amounts)) if amounts else ZERO_MONEY
