"""From what the exchange said about one market to entries that balance.

Facts are booked in the order in which they happened, not in which they came:
a late fill changes the cost of everything after it, so the book of a market is
made anew from all its recorded facts whenever one is new.  The rules:

- A fill moves cash, fee, contracts at average cost, and the gain of the part
  that closes (`core.position` splits it).
- A settlement pays the *net* position.  A yes or no result pays the row's
  revenue exactly.  A scalar result pays |net| × v cut to the member's balance
  precision, as the row shows whole cents only.  Cash follows the exchange:
  where the row's revenue does not fit the books, what the row says is booked,
  and the reconciliation reports the difference.
- The row's ``fee_cost`` repeats the fees of the fills and books nothing.
- A market that is finalized without a row (rows roll off) pays by its result.
  One that is only determined pays nothing: that can still be disputed.
- A market of a subaccount has one book, whatever shard it lives on: the exchange
  may move it, and a row may not name its shard.  Cash moves by shard: a fill's on
  its own, a payout's on the row's own, and what names none moves it where the
  market lives (`home_shard`).

See `ledger.revisions` for facts that the exchange has told in more than one way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from trueup.core.errors import InvariantBroken
from trueup.core.facts import Filled, Settled, Stream
from trueup.core.fees import Precision, regime_at
from trueup.core.ids import SHARD_ZERO, EventTicker, Shard, Subaccount, Ticker
from trueup.core.instant import Instant, format_instant
from trueup.core.market import MarketResult
from trueup.core.observations import Recorded
from trueup.core.orders import Side
from trueup.core.payoff import gross_payout, yes_value
from trueup.core.position import FLAT, Position, trade
from trueup.core.statements import MarketStated
from trueup.core.units import ONE_DOLLAR, ZERO_COUNT, ZERO_MONEY, Count, Money, Price
from trueup.ledger.accounts import Account
from trueup.ledger.entries import EntryKind, Evidence, MarketBook
from trueup.ledger.entry_log import EntryLog
from trueup.ledger.lines import Leg, Line, balanced
from trueup.ledger.notes import BookingNotes
from trueup.ledger.outcomes import final_value, find_outcomes, outcome_breaks
from trueup.ledger.revisions import (
    Step,
    correct,
    find_revisions,
    in_order,
    retold_times,
    revision_breaks,
)
from trueup.ledger.shares import Shares
from trueup.ledger.strategy import UNTAGGED, StrategyOf, no_strategy

_CENT: Final = Money.of_cents(1)

# Looking a member up on its enum costs as much as making a value.
_CASH: Final = Account.CASH
_SETTLEMENT_FEES: Final = Account.SETTLEMENT_FEES
_POSITIONS: Final = Account.POSITIONS
_EXCHANGE_CONTRACTS: Final = Account.EXCHANGE_CONTRACTS
_REALIZED: Final = Account.REALIZED
_SETTLEMENT: Final = EntryKind.SETTLEMENT
_SCALAR: Final = MarketResult.SCALAR
_YES: Final = Side.YES


def book_market(
    subaccount: Subaccount,
    shard: Shard,
    ticker: Ticker,
    *,
    recorded: Iterable[Recorded],
    market: MarketStated | None = None,
    precision: Precision = Precision.DIRECT,
    strategy_of: StrategyOf = no_strategy,
) -> MarketBook:
    """Book every recorded fill and settlement of one market in one subaccount.

    `recorded` holds all versions, in any order; the result does not depend on
    it.  Among them may be what was said about the market's final outcome: a
    corrected outcome is then booked like a revised row.  `market` is the latest
    statement about the market, `None` if there is none; `shard` is where it
    lives (`home_shard`).  Raises `InvariantBroken` for a fact that is of another
    market or neither fill nor settlement.
    """
    facts: list[Recorded] = []
    told: list[Recorded] = []
    for each in recorded:
        (told if type(each.value) is MarketStated else facts).append(each)
    first, revisions = find_revisions(facts)
    outcomes = [] if any(type(each.value) is Settled for each in facts) else find_outcomes(told)
    if outcomes:
        market = outcomes[0].market
        revisions = sorted([*revisions, *outcomes[1:]], key=lambda each: each.known_at)
    retold = retold_times(facts) if revisions or len(first) < len(facts) else {}

    def run(steps: Iterable[Step], market: MarketStated | None) -> MarketBooking:
        booking = MarketBooking(
            subaccount, shard, ticker, precision=precision, strategy_of=strategy_of, market=market
        )
        booking.retold = retold
        for step in steps:
            booking.book(step)
        return booking

    if not revisions:
        return run(in_order(first, market), market).result()
    entries, booking = correct(first, revisions, market=market, run=run)
    book = booking.result()
    breaks = (
        *book.breaks,
        *revision_breaks(first, revisions),
        *outcome_breaks(outcomes, book),
    )
    return replace(book, entries=entries, breaks=breaks)


def home_shard(recorded: Iterable[Recorded], market: MarketStated | None) -> Shard:
    """Where a market lives, by the best that is known: a market is on one shard at a time.

    The newest settlement row that names a shard, else the market's own word,
    else the newest fill that names one.  A market that says 0 may just not say.
    """
    rows: list[tuple[Instant, Shard]] = []
    fills: list[tuple[Instant, Shard]] = []
    for each in recorded:
        value = each.value
        if isinstance(value, Filled | Settled) and value.shard_named:
            (fills if isinstance(value, Filled) else rows).append((value.at, value.shard))
    if rows:
        return max(rows)[1]
    if market is not None and market.shard:
        return market.shard
    return max(fills)[1] if fills else SHARD_ZERO


class _Payment(NamedTuple):
    """What a payout is booked from, when and on which shard."""

    shard: Shard
    stream: Stream
    key: str
    version: int
    at: Instant
    evidence: Evidence


class MarketBooking:
    """Books one market, step by step in time order (the caller sorts: `in_order`).

    `book` takes the steps, `result` gives the book so far; it may be asked at
    any time.  Nothing here looks back, so the work is linear.
    """

    __slots__ = (
        "_event_ticker",
        "_evidence",
        "_fees",
        "_last_at",
        "_market",
        "_net_at_settlement",
        "_no_bought",
        "_no_cost",
        "_payout",
        "_precision",
        "_realized",
        "_settled_at",
        "_settlement_fees",
        "_settlement_gain",
        "_shares",
        "_step",
        "_strategy_of",
        "_where",
        "_yes_bought",
        "_yes_cost",
        "log",
        "notes",
        "position",
        "retold",
    )

    def __init__(
        self,
        subaccount: Subaccount,
        shard: Shard,
        ticker: Ticker,
        *,
        precision: Precision,
        strategy_of: StrategyOf,
        market: MarketStated | None,
    ) -> None:
        self._where = (subaccount, shard, ticker)
        self._precision = precision
        self._step = precision.step.units
        self._strategy_of = strategy_of
        self._market = market
        self._event_ticker: EventTicker | None = None if market is None else market.event_ticker
        self.log = EntryLog(self._where, strategy_of=strategy_of)
        self.notes = BookingNotes(self._where)
        self.position = FLAT
        self._shares = Shares(self._where)
        self._realized = self._fees = 0
        self._yes_bought = self._yes_cost = self._no_bought = self._no_cost = 0
        self._payout = self._settlement_gain = self._settlement_fees = 0
        self._net_at_settlement = ZERO_COUNT
        self._settled_at: Instant | None = None
        self._evidence: Evidence | None = None
        self._last_at = Instant(0)
        self.retold: Mapping[str, Instant] = {}
        """Settlement rows that the exchange now gives another time than the one booked."""

    def book(self, step: Step) -> None:
        """Book the next step: a recorded fill or settlement, or the market's own end."""
        if isinstance(step, MarketStated):
            self._book_result(step)
            return
        match step.value:
            case Filled() as filled:
                self._book_fill(step, filled)
            case Settled() as settled:
                self._book_row(step, settled)
            case other:
                message = f"a market's book cannot hold a {type(other).__name__} ({step.key})"
                raise InvariantBroken(message)

    def result(self) -> MarketBook:
        """The book of what was booked so far."""
        subaccount, shard, ticker = self._where
        return MarketBook(
            subaccount=subaccount,
            shard=shard,
            ticker=ticker,
            event_ticker=self._event_ticker,
            entries=self.log,
            position=self.position,
            realized=Money(self._realized),
            fees=Money(self._fees),
            payout=Money(self._payout),
            total_traded=Money(self._yes_cost + self._no_cost),
            yes_bought=Count(self._yes_bought),
            no_bought=Count(self._no_bought),
            yes_cost=Money(self._yes_cost),
            no_cost=Money(self._no_cost),
            round_trips=self._shares.round_trips(),
            settled=self._settled_at is not None,
            last_at=self._last_at,
            settlement_gain=Money(self._settlement_gain),
            settlement_fees=Money(self._settlement_fees),
            net_at_settlement=self._net_at_settlement,
            settled_at=self._settled_at,
            evidence=self._evidence,
            breaks=self.notes.breaks(),
        )

    def _book_fill(self, recorded: Recorded, filled: Filled) -> None:
        if filled.ticker != self._where[2] or filled.subaccount != self._where[0]:
            message = f"fill {recorded.key} belongs to another book than {self._where}"
            raise InvariantBroken(message)
        side, count, price = filled.side, filled.count, filled.price
        change = trade(self.position, side, count, price)
        fee = 0 if filled.fee is None else filled.fee.units
        self.position = change.after
        self._realized += change.realized.units
        self._fees += fee
        if side is _YES:
            self._yes_bought += count.units
            self._yes_cost += price.units * count.units
        else:
            self._no_bought += count.units
            self._no_cost += (ONE_DOLLAR.units - price.units) * count.units
        self._last_at = filled.at
        if filled.fee is None:
            self.notes.fee_unknown(recorded, filled)
        elif (change.cash.units - fee) % self._step:
            self.notes.finer_than_precision(recorded, filled, change.cash)
        if self._settled_at is not None:
            self.notes.fill_after_settlement(recorded, filled)
        strategy = self._strategy_of(filled.order_id, self._where[2])
        self._shares.trade(strategy, filled, change, fee=fee)
        self.log.append_fill(recorded, change)

    def _book_row(self, recorded: Recorded, row: Settled) -> None:
        if row.ticker != self._where[2] or row.subaccount != self._where[0]:
            message = f"settlement {recorded.key} belongs to another book than {self._where}"
            raise InvariantBroken(message)
        value = row_value(row, self._market)
        # A yes or no result pays whole cents: nothing can be cut off.
        step = self._cut(row.at) if row.result is _SCALAR else _CENT
        payout, cut, remark = _row_payout(self.position.net, row, value, step=step)
        self._event_ticker = row.event_ticker
        now = self.retold.get(recorded.key, row.at)
        if now != row.at:
            words = f"the exchange now says that it settled at {format_instant(now)}"
            remark = f"{remark}; {words}" if remark else words
        shard = row.shard if row.shard_named else self._where[1]
        key, version = recorded.key, recorded.version
        self._pay(
            _Payment(shard, Stream.SETTLEMENTS, key, version, row.at, Evidence.ROW),
            payout=payout,
            cut=cut,
            value=value,
            remark=remark,
        )

    def _book_result(self, market: MarketStated) -> None:
        """Pay by the result of a finalized market; a row, where there is one, goes first."""
        value = final_value(market)
        if self._settled_at is not None or value is None or market.settled_at is None:
            return
        gross = gross_payout(self.position.net, value)
        payout = gross.floor_to(self._cut(market.settled_at))
        at, rests_on = market.settled_at, Evidence.MARKET_RESULT
        self._pay(
            _Payment(self._where[1], Stream.MARKETS, market.ticker, 0, at, rests_on),
            payout=payout,
            cut=gross - payout,
            value=value,
            remark="",
        )

    def _cut(self, at: Instant) -> Money:
        return regime_at(at).balance_step(self._precision)

    def _pay(
        self, source: _Payment, *, payout: Money, cut: Money, value: Price | None, remark: str
    ) -> None:
        position = self.position
        subaccount, _, ticker = self._where
        self._shares.settle(position, payout, value=value, at=source.at)
        self.log.append(
            Line(
                source.stream,
                source.key,
                source.version,
                _SETTLEMENT,
                source.at,
                subaccount,
                source.shard,
                ticker,
                self._shares.only_strategy() or UNTAGGED,
                f"{source.evidence}; {remark}" if remark else source.evidence.value,
                _settlement_legs(position, payout.units, cut.units),
            )
        )
        gain = payout.units - position.cost.units
        self._payout += payout.units
        self._settlement_gain += gain
        self._settlement_fees += cut.units
        self._realized += gain
        if self._settled_at is None:
            self._net_at_settlement = position.net
        self._settled_at = source.at
        self._evidence = source.evidence
        self._last_at = source.at
        self.position = FLAT


def row_value(row: Settled, market: MarketStated | None) -> Price | None:
    """What one YES contract paid by a settlement row; `None` if nobody says.

    A scalar value comes from the market where it has one: the row's own is in
    whole cents, and there are reports of it naming the held side's payout.
    """
    exact = None if market is None or market.result is not row.result else market.settlement_value
    return yes_value(row.result, row.value if exact is None else exact)


def _row_payout(
    net: Count, row: Settled, value: Price | None, *, step: Money
) -> tuple[Money, Money, str]:
    """Payout, what was cut off it, and a remark, for a settlement row."""
    if value is None:
        return row.revenue, ZERO_MONEY, "provisional: nobody gives the scalar value"
    gross = gross_payout(net, value)
    payout = gross.floor_to(step)
    # The row shows whole cents; the balance of a direct member moves more finely.
    if payout.floor_to(_CENT) != row.revenue:
        return row.revenue, ZERO_MONEY, f"pays {row.revenue} where the books expect {payout}"
    if row.result is not _SCALAR:
        return payout, ZERO_MONEY, ""
    remark = f"scalar {value}: {payout} credited, the row shows {row.revenue}"
    return payout, gross - payout, remark


def _settlement_legs(position: Position, payout: int, cut: int) -> tuple[Leg, ...]:
    """Cash in, position out.  A flat position is settled by a posting of nothing."""
    legs: list[Leg] = [(_CASH, payout, 0)]
    cost, net = position.cost.units, position.net.units
    gain = payout + cut - cost
    if cut:
        legs.append((_SETTLEMENT_FEES, cut, 0))
    if net:
        legs.append((_POSITIONS, -cost, -net))
        legs.append((_EXCHANGE_CONTRACTS, 0, net))
    if gain:
        legs.append((_REALIZED, -gain, 0))
    return balanced(legs)
