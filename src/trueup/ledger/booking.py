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
- A settlement that FIX reported pays by the report where no row is known and all its
  pages came; where a row is, the report confirms it and adds what it says exactly
  (`ledger.witnesses`).
- A market that is finalized without a row (rows roll off) pays by its result.
  One that is only determined pays nothing: that can still be disputed.
- A market of a subaccount has one book, whatever shard it lives on: the exchange
  may move it, and a row may not name its shard.  Cash moves by shard: a fill's on
  its own, a payout's on the row's own, and what names none moves it where the
  market lives (`home_shard`).

See `ledger.revisions` for facts that the exchange has told in more than one way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from trueup.core.errors import InvariantBroken
from trueup.core.facts import Settled, Stream
from trueup.core.fee_schedule import balance_step_at
from trueup.core.fees import Precision, regime_at
from trueup.core.ids import SHARD_ZERO, EventTicker, Shard, Subaccount, Ticker
from trueup.core.instant import Instant, format_instant
from trueup.core.market import MarketResult
from trueup.core.observations import Recorded
from trueup.core.payoff import gross_units
from trueup.core.position import split
from trueup.core.settlement import SettlementPageReported
from trueup.core.statements import MarketStated
from trueup.core.units import ONE_DOLLAR, Money
from trueup.ledger.accounts import Account
from trueup.ledger.bare import (
    FILL,
    BareBook,
    BareFill,
    BareReport,
    BareSettlement,
    BareStep,
    bare_step,
)
from trueup.ledger.entries import EntryKind, Evidence, MarketBook
from trueup.ledger.entry_log import EntryLog
from trueup.ledger.lines import Leg, Line, balanced
from trueup.ledger.notes import BookingNotes
from trueup.ledger.outcomes import final_value, find_outcomes, outcome_breaks
from trueup.ledger.payouts import bare_row_value, reported_payout, row_payout, witnessed_payout
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
from trueup.ledger.witnesses import can_pay, join_reports, reported_value, with_report

_CENT: Final = Money.of_cents(1).units
_DOLLAR: Final = ONE_DOLLAR.units
_NEVER: Final = Instant(2**62)

# Looking a member up on its enum costs as much as the rest of a step.
_CASH: Final = Account.CASH
_SETTLEMENT_FEES: Final = Account.SETTLEMENT_FEES
_POSITIONS: Final = Account.POSITIONS
_EXCHANGE_CONTRACTS: Final = Account.EXCHANGE_CONTRACTS
_REALIZED: Final = Account.REALIZED
_SETTLEMENT: Final = EntryKind.SETTLEMENT
_SCALAR: Final = MarketResult.SCALAR.value
_ROW: Final = Evidence.ROW.value
_REPORT: Final = Evidence.REPORT.value
_MARKET_RESULT: Final = Evidence.MARKET_RESULT.value


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
    it.  Among them may be the pages of its settlement reports, without which a
    report is not whole, and what was said about the market's final outcome: a
    corrected outcome is then booked like a revised row.  `market` is the latest
    statement about the market, `None` if there is none; `shard` is where it
    lives (`home_shard`).  Raises `InvariantBroken` for a fact that is of another
    market or neither fill nor settlement.
    """
    facts: list[Recorded] = []
    told: list[Recorded] = []
    pages: list[Recorded] = []
    for each in recorded:
        value = each.value
        is_page = isinstance(value, SettlementPageReported)
        apart = told if isinstance(value, MarketStated) else pages if is_page else facts
        apart.append(each)
    first, revisions = find_revisions(facts)
    has_row = any(type(each.value) is Settled for each in facts)
    outcomes = [] if has_row or can_pay(join_reports([*facts, *pages])) else find_outcomes(told)
    if outcomes:
        market = outcomes[0].market
        revisions = sorted([*revisions, *outcomes[1:]], key=lambda each: each.known_at)
    retold = retold_times(facts) if revisions or len(first) < len(facts) else {}
    first = [*first, *pages]

    def run(steps: Iterable[Step], market: MarketStated | None) -> MarketBooking:
        listed = list(steps)
        booking = MarketBooking(
            subaccount, shard, ticker, precision=precision, strategy_of=strategy_of, market=market
        )
        booking.report = next((each for each in listed if isinstance(each, BareReport)), None)
        booking.retold = retold
        for step in listed:
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


def book_steps(
    subaccount: Subaccount,
    shard: Shard,
    ticker: Ticker,
    *,
    steps: Sequence[BareStep],
    report: BareReport | None = None,
    market: MarketStated | None = None,
    precision: Precision = Precision.DIRECT,
    strategy_of: StrategyOf = no_strategy,
) -> MarketBook:
    """`book_market` for the common case, where there is nothing to find out first.

    `steps` are sorted, no fact was told in more than one way, and the market has a
    settlement row, a `report` that can pay, or is not final: its own word then pays
    nothing.
    """
    booking = MarketBooking(
        subaccount, shard, ticker, precision=precision, strategy_of=strategy_of, market=market
    )
    booking.report = report
    for step in steps if report is None else with_report(steps, report, market):
        if isinstance(step, BareReport):
            booking.book(step)
        else:
            booking.book_step(step)
    return booking.result()


def home_shard(steps: Iterable[BareStep], market: MarketStated | None) -> Shard:
    """Where a market lives, by the best that is known: a market is on one shard at a time.

    The newest settlement row that names a shard, else the market's own word,
    else the newest fill that names one.  A market that says 0 may just not say.
    """
    row: tuple[Instant, Shard] | None = None
    fill: tuple[Instant, Shard] | None = None
    for step in steps:
        if step.shard is None:
            continue
        named = (step.at, step.shard)
        if step.kind == FILL:
            fill = named if fill is None else max(fill, named)
        else:
            row = named if row is None else max(row, named)
    if row is not None:
        return row[1]
    if market is not None and market.shard:
        return market.shard
    return SHARD_ZERO if fill is None else fill[1]


class _Payment(NamedTuple):
    """What a payout is booked from, when and on which shard."""

    shard: Shard
    stream: Stream
    key: str
    version: int
    at: Instant
    evidence: str


class MarketBooking:
    """Books one market, step by step in time order (the caller sorts).

    `book` and `book_step` take the steps, `result` gives the book so far; it may
    be asked at any time.  Nothing here looks back, so the work is linear.
    """

    __slots__ = (
        "_cost",
        "_event_ticker",
        "_evidence",
        "_fees",
        "_last_at",
        "_market",
        "_net",
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
        "_step_until",
        "_strategy_of",
        "_where",
        "_yes_bought",
        "_yes_cost",
        "log",
        "notes",
        "report",
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
        self._where = where = (subaccount, shard, ticker)
        self._precision = precision
        self._step = 1
        self._step_until = Instant(0)
        self._strategy_of = strategy_of
        self._market = market
        self._event_ticker: EventTicker | None = None if market is None else market.event_ticker
        self.log = EntryLog(where, strategy_of=strategy_of)
        self.notes = BookingNotes(where)
        self._shares = Shares(where)
        self._net = self._cost = self._realized = self._fees = 0
        self._yes_bought = self._yes_cost = self._no_bought = self._no_cost = 0
        self._payout = self._settlement_gain = self._settlement_fees = 0
        self._net_at_settlement = 0
        self._settled_at: Instant | None = None
        self._evidence: str | None = None
        self._last_at = Instant(0)
        self.report: BareReport | None = None
        """What FIX reported of this settlement."""
        self.retold: Mapping[str, Instant] = {}
        """Settlement rows that the exchange now gives another time than the one booked."""

    def book(self, step: Step) -> None:
        """Book the next step: a recorded fill or settlement, a report, the market's own end."""
        if isinstance(step, MarketStated):
            self._book_result(step)
        elif isinstance(step, BareReport):
            self._book_report(step)
        else:
            self.book_step(bare_step(step))

    def book_step(self, step: BareStep) -> None:
        """Book the next fill or settlement row."""
        if step.subaccount != self._where[0] or step.ticker != self._where[2]:
            word = "fill" if step.__class__ is BareFill else "settlement"
            message = f"{word} {step.key} belongs to another book than {self._where}"
            raise InvariantBroken(message)
        if isinstance(step, BareFill):
            self._book_fill(step)
        else:
            self._book_row(step)

    def result(self) -> MarketBook:
        """The book of what was booked so far."""
        subaccount, shard, ticker = self._where
        bare = BareBook(
            subaccount,
            shard,
            ticker,
            self._event_ticker,
            self._net,
            self._cost,
            self._realized,
            self._fees,
            self._payout,
            self._yes_cost + self._no_cost,
            self._yes_bought,
            self._no_bought,
            self._yes_cost,
            self._no_cost,
            0 if self._settled_at is None else 1,
            self._last_at,
            self._settlement_gain,
            self._settlement_fees,
            self._net_at_settlement,
            self._settled_at,
            self._evidence,
        )
        return MarketBook(bare, self.log, self._shares.round_trips(), self.notes.breaks())

    def _book_fill(self, fill: BareFill) -> None:
        _, _, _, _, _, ticker, order_id, sign, count, price, fee, _ = fill
        change = split((self._net, self._cost), sign, count, price)
        self._net, self._cost, closed, _, cost_out, cost_in, realized = change
        self._realized += realized
        if sign > 0:
            self._yes_bought += count
            self._yes_cost += price * count
        else:
            self._no_bought += count
            self._no_cost += (_DOLLAR - price) * count
        self._last_at = fill.at
        if fee is None:
            self.notes.fee_unknown(fill)
        else:
            self._fees += fee
            cash = cost_out + realized - cost_in
            if fill.at >= self._step_until:
                self._take_step(fill.at)
            if (cash - fee) % self._step:
                self.notes.finer_than_precision(fill, cash)
        if self._settled_at is not None:
            self.notes.fill_after_settlement(fill)
        self._shares.trade(self._strategy_of(order_id, ticker), fill, change)
        self.log.append_fill(fill, (cost_in, cost_out, realized, closed))

    def _book_row(self, row: BareSettlement) -> None:
        value = bare_row_value(row.result, row.value, self._market)
        if value is None and self.report is not None and not self.report.doubt:
            value = reported_value(self.report)
        # A yes or no result pays whole cents: nothing can be cut off.
        step = self._cut(row.at) if row.result == _SCALAR else _CENT
        payout, cut, remark = row_payout(self._net, row, value, step=step)
        if self.report is not None:
            by_row = (payout, cut, remark)
            payout, cut, remark = witnessed_payout(self.report, row, by_row, net=self._net)
        # Rows of before 2025 name no event.
        self._event_ticker = row.event_ticker or self._event_ticker
        now = self.retold.get(row.key, row.at)
        if now != row.at:
            words = f"the exchange now says that it settled at {format_instant(now)}"
            remark = f"{remark}; {words}" if remark else words
        shard = self._where[1] if row.shard is None else row.shard
        self._pay(
            _Payment(shard, Stream.SETTLEMENTS, row.key, row.version, row.at, _ROW),
            payout=payout,
            cut=cut,
            value=value,
            remark=remark,
        )

    def _book_report(self, report: BareReport) -> None:
        """Pay by the report; a row, where there is one, has paid already."""
        if self._settled_at is not None:
            return
        payout, cut, remark = reported_payout(report, self._net, step=self._cut(report.at))
        self._pay(
            _Payment(
                self._where[1],
                Stream.SETTLEMENT_REPORTS,
                report.key,
                report.version,
                report.at,
                _REPORT,
            ),
            payout=payout,
            cut=cut,
            value=reported_value(report),
            remark=remark,
        )

    def _book_result(self, market: MarketStated) -> None:
        """Pay by the result of a finalized market; a row, where there is one, goes first."""
        value = final_value(market)
        if self._settled_at is not None or value is None or market.settled_at is None:
            return
        gross = gross_units(self._net, value.units)
        step = self._cut(market.settled_at)
        payout = gross // step * step
        at = market.settled_at
        self._pay(
            _Payment(self._where[1], Stream.MARKETS, market.ticker, 0, at, _MARKET_RESULT),
            payout=payout,
            cut=gross - payout,
            value=value.units,
            remark="",
        )

    def _take_step(self, at: Instant) -> None:
        """How fine the member's balance is from a fill on, until the rules change."""
        step, until = balance_step_at(at, self._precision)
        self._step, self._step_until = step.units, _NEVER if until is None else until

    def _cut(self, at: Instant) -> int:
        return regime_at(at).balance_step(self._precision).units

    def _pay(
        self, source: _Payment, *, payout: int, cut: int, value: int | None, remark: str
    ) -> None:
        shard, stream, key, version, at, evidence = source
        net, cost = self._net, self._cost
        subaccount, _, ticker = self._where
        self._shares.settle(net, cost, payout, value=value, at=at)
        self.log.append(
            Line(
                stream,
                key,
                version,
                _SETTLEMENT,
                at,
                subaccount,
                shard,
                ticker,
                self._shares.only_strategy() or UNTAGGED,
                f"{evidence}; {remark}" if remark else evidence,
                _settlement_legs(net, cost, payout, cut),
                payout,
                payout + cut - cost,
                cut,
                -net,
            )
        )
        gain = payout - cost
        self._payout += payout
        self._settlement_gain += gain
        self._settlement_fees += cut
        self._realized += gain
        if self._settled_at is None:
            self._net_at_settlement = net
        self._settled_at = at
        self._evidence = evidence
        self._last_at = at
        self._net = self._cost = 0


def _settlement_legs(net: int, cost: int, payout: int, cut: int) -> tuple[Leg, ...]:
    """Cash in, position out.  A flat position is settled by a posting of nothing."""
    legs: list[Leg] = [(_CASH, payout, 0)]
    gain = payout + cut - cost
    if cut:
        legs.append((_SETTLEMENT_FEES, cut, 0))
    if net:
        legs.append((_POSITIONS, -cost, -net))
        legs.append((_EXCHANGE_CONTRACTS, 0, net))
    if gain:
        legs.append((_REALIZED, -gain, 0))
    return balanced(legs)
