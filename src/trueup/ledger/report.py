"""Profit and loss by any question, and the open positions.

Everything is summed from rows that the books already hold, so the lines of a
report always add up to the ledger's figure.  What is realised comes from entries
(or, by strategy, from round trips); what is unrealised from open positions at a
mark.  A position without a mark is counted, never valued at zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from trueup.core.catalog import Catalog, Quote
from trueup.core.ids import EventTicker, Shard, Subaccount, Ticker
from trueup.core.instant import Instant, eastern_day, utc_day
from trueup.core.orders import Side
from trueup.core.payoff import gross_payout
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money, Price, Ratio
from trueup.ledger.accounts import Account
from trueup.ledger.entries import Entry, MarketBook, RoundTrip
from trueup.ledger.strategy import UNTAGGED

UNKNOWN: Final = "unknown"
"""The name of what the catalog does not know."""

NO_MARKET: Final = "no market"
"""The name of what belongs to no market, such as banking fees."""

BETWEEN_STRATEGIES: Final = "between strategies"
"""What strategies hold against each other: it is theirs only once the market ends."""


NO_TRIPS: Final[Mapping[str, RoundTrip]] = {}


class By(StrEnum):
    """What a report is broken down by.  Days are those of the fill or the settlement."""

    CATEGORY = "category"
    SERIES = "series"
    EVENT = "event"
    TICKER = "ticker"
    DAY = "day"
    """The Eastern day, the exchange's clearing date."""
    UTC_DAY = "utc day"
    STRATEGY = "strategy"
    SUBACCOUNT = "subaccount"


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedRow:
    """What one entry (or round trip) earned: `realized` before `fees`, after settlement cuts."""

    at: Instant
    ticker: Ticker | None
    event_ticker: EventTicker | None
    subaccount: Subaccount
    strategy: str
    realized: Money
    fees: Money


def booked_row(entry: Entry, event_ticker: EventTicker | None = None) -> BookedRow | None:
    """The row of an entry; `None` for one that earned and cost nothing."""
    realized = fees = 0
    for posting in entry.postings:
        match posting.account:
            case Account.REALIZED | Account.SETTLEMENT_FEES | Account.INCENTIVES:
                realized -= posting.money.units
            case Account.TRADING_FEES | Account.BANKING_FEES:
                fees += posting.money.units
            case _:
                pass
    if not realized and not fees:
        return None
    return BookedRow(
        at=entry.at,
        ticker=entry.ticker,
        event_ticker=event_ticker,
        subaccount=entry.subaccount,
        strategy=entry.strategy,
        realized=Money(realized),
        fees=Money(fees),
    )


def booked_rows(book: MarketBook) -> Iterator[BookedRow]:
    """The rows of a market's entries."""
    for entry in book.entries:
        row = booked_row(entry, book.event_ticker)
        if row is not None:
            yield row


def strategy_rows(book: MarketBook) -> Iterator[BookedRow]:
    """The rows of a market's round trips, whose strategies stand alone.

    Where strategies still hold against each other, one more row makes the sum
    the exchange's.
    """
    whole = BookedRow(
        at=book.last_at,
        ticker=book.ticker,
        event_ticker=book.event_ticker,
        subaccount=book.subaccount,
        strategy=BETWEEN_STRATEGIES,
        realized=book.realized,
        fees=book.fees,
    )
    return stand_alone_rows(book.round_trips, whole)


def stand_alone_rows(
    trips: Iterable[RoundTrip],
    whole: BookedRow,
    *,
    since: Instant | None = None,
    before: Mapping[str, RoundTrip] = NO_TRIPS,
) -> Iterator[BookedRow]:
    """What strategies that share a market earned since some moment, each as if alone.

    `trips` are all round trips of the market, `whole` what the ledger earned there
    since then, `before` what was under way at that moment (`ledger.standing`).  What
    they do not explain of the whole is a row of its own: it is between strategies.
    """
    realized, fees = whole.realized, whole.fees
    for trip in trips:
        row = trip_row(trip, whole.event_ticker)
        if since is not None:
            if trip.closed_at is not None and trip.closed_at < since:
                continue
            earlier = before.get(trip.strategy)
            if trip.opened_at < since and earlier is not None:
                had = trip_row(earlier)
                row = replace(row, realized=row.realized - had.realized, fees=row.fees - had.fees)
        realized, fees = realized - row.realized, fees - row.fees
        yield row
    if realized or fees:
        yield replace(whole, strategy=BETWEEN_STRATEGIES, realized=realized, fees=fees)


def trip_row(trip: RoundTrip, event_ticker: EventTicker | None = None) -> BookedRow:
    """What a round trip has earned so far."""
    return BookedRow(
        at=trip.opened_at if trip.closed_at is None else trip.closed_at,
        ticker=trip.ticker,
        event_ticker=event_ticker,
        subaccount=trip.subaccount,
        strategy=trip.strategy,
        realized=trip.profit_loss + trip.fees,
        fees=trip.fees,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPosition:
    """A held position at its mark: what one YES contract is worth now, `None` if unknown."""

    ticker: Ticker
    event_ticker: EventTicker | None
    subaccount: Subaccount
    shard: Shard
    net: Count
    cost: Money
    realized: Money
    fees: Money
    mark: Price | None
    strategy: str = UNTAGGED

    @property
    def side(self) -> Side:
        """Which contracts are held."""
        return Side.YES if self.net.units > 0 else Side.NO

    @property
    def unrealized(self) -> Money | None:
        """Value at the mark minus cost, before any fee of getting out."""
        return None if self.mark is None else gross_payout(self.net, self.mark) - self.cost


def open_position(book: MarketBook, quote: Quote | None) -> OpenPosition | None:
    """The open position of a book; `None` when flat."""
    net = book.position.net
    if not net:
        return None
    strategies = {trip.strategy for trip in book.round_trips if trip.closed_at is None}
    return OpenPosition(
        ticker=book.ticker,
        event_ticker=book.event_ticker,
        subaccount=book.subaccount,
        shard=book.shard,
        net=net,
        cost=book.position.cost,
        realized=book.realized,
        fees=book.fees,
        mark=mark(quote, net),
        strategy=strategies.pop() if len(strategies) == 1 else UNTAGGED,
    )


def stand_alone_positions(
    trips: Iterable[RoundTrip], whole: OpenPosition | None, quote: Quote | None
) -> Iterator[OpenPosition]:
    """What strategies that share a market hold, each as if alone.

    `whole` is the account's own position, `None` when flat.  What the parts do not
    explain of its unrealised profit is a part without contracts: contracts that
    strategies hold against each other are closed for the account.
    """
    rest = (None if whole is None else whole.unrealized) or ZERO_MONEY
    part: OpenPosition | None = None
    for trip in trips:
        held = trip.bought - trip.sold
        if trip.closed_at is not None or not held:
            continue
        net = held if trip.side == Side.YES else -held
        gained = trip.profit_loss + trip.fees
        part = OpenPosition(
            ticker=trip.ticker,
            event_ticker=None if whole is None else whole.event_ticker,
            subaccount=trip.subaccount,
            shard=trip.shard,
            net=net,
            cost=trip.bought_cost - (trip.sold_proceeds - gained),
            realized=gained,
            fees=trip.fees,
            mark=mark(quote, net),
            strategy=trip.strategy,
        )
        rest -= part.unrealized or ZERO_MONEY
        yield part
    if part is None and whole is not None:
        yield whole
    elif part is not None and rest:
        # Without contracts any mark will do.
        yield replace(part, net=ZERO_COUNT, cost=-rest, mark=Price(0), strategy=BETWEEN_STRATEGIES)


def mark(quote: Quote | None, net: Count) -> Price | None:
    """What one YES contract of a position is worth: what it could be sold for now.

    The YES bid for YES contracts, the YES ask for NO contracts (selling NO is
    buying YES); without that the last trade; `None` if there was none.
    """
    if quote is None:
        return None
    best = quote.yes_bid if net.units > 0 else quote.yes_ask
    return quote.last if best is None else best


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryRule:
    """Where strategy and series are as given (empty: any), the category is this one.

    A rule on client-id prefixes is made of two: a strategy rule that names the
    strategy, and a category rule for it.
    """

    category: str
    strategy: str = ""
    series: str = ""


CATEGORY_WORDS: Final[Mapping[str, str]] = {
    "Climate and Weather": "weather",
    "Crypto": "crypto",
    "Economics": "economics",
    "Financials": "financials",
    "Politics": "politics",
    "Sports": "sports",
}
"""Short words for the exchange's categories; others are shown as they are, in small letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """How rows get their names: from the catalog, and from rules that go before it."""

    catalog: Catalog = field(default_factory=Catalog)
    rules: tuple[CategoryRule, ...] = ()

    @property
    def asks_for_strategies(self) -> bool:
        """Whether a category depends on the strategy."""
        return any(rule.strategy for rule in self.rules)

    def category(self, ticker: Ticker, strategy: str) -> str:
        """The category: by the first rule that fits, else the series' own."""
        series = self.series(ticker)
        for rule in self.rules:
            if rule.strategy and rule.strategy != strategy:
                continue
            if rule.series and rule.series != series:
                continue
            return rule.category
        told = self.catalog.category(ticker)
        return CATEGORY_WORDS.get(told, told.lower()) or UNKNOWN

    def series(self, ticker: Ticker) -> str:
        """The series' ticker."""
        series = self.catalog.series_of(ticker)
        return UNKNOWN if series is None else series.ticker

    def event(self, ticker: Ticker, known: EventTicker | None) -> str:
        """The event's ticker."""
        event = self.catalog.event_of(ticker)
        if event is not None:
            return event.ticker
        return UNKNOWN if known is None else known


@dataclass(frozen=True, slots=True, kw_only=True)
class PnlLine:
    """One line of a report.  `unmarked` positions are not in `unrealized`."""

    name: str
    realized: Money
    unrealized: Money
    fees: Money
    rows: int = 0
    open: int = 0
    unmarked: int = 0

    @property
    def net(self) -> Money:
        """Realised minus fees: what has been earned for good."""
        return self.realized - self.fees

    @property
    def total(self) -> Money:
        """With what is unrealised."""
        return self.net + self.unrealized


@dataclass(slots=True)
class _Sum:
    realized: int = 0
    unrealized: int = 0
    fees: int = 0
    rows: int = 0
    open: int = 0
    unmarked: int = 0


def pnl(
    rows: Iterable[BookedRow],
    by: By,
    *,
    naming: Naming,
    open_positions: Iterable[OpenPosition] = (),
) -> list[PnlLine]:
    """Profit and loss by name, sorted by name; one pass over `rows`.

    By strategy, and by category where a rule asks for one, give `strategy_rows`, else
    `booked_rows`.  By day, what is open
    stands on a line of its own, because it belongs to no day yet.
    """
    sums: dict[str, _Sum] = {}
    name_of = _names(by, naming)
    for row in rows:
        total = sums.setdefault(name_of(row), _Sum())
        total.realized += row.realized.units
        total.fees += row.fees.units
        total.rows += 1
    for position in open_positions:
        total = sums.setdefault(_open_name(by, position, name_of), _Sum())
        total.open += 1 if position.net else 0
        if position.unrealized is None:
            total.unmarked += 1
        else:
            total.unrealized += position.unrealized.units
    return [_pnl_line(name, sums[name]) for name in sorted(sums)]


def total_line(lines: Iterable[PnlLine]) -> PnlLine:
    """All lines in one."""
    total = _Sum()
    for line in lines:
        total.realized += line.realized.units
        total.unrealized += line.unrealized.units
        total.fees += line.fees.units
        total.rows += line.rows
        total.open += line.open
        total.unmarked += line.unmarked
    return _pnl_line("total", total)


def _pnl_line(name: str, total: _Sum) -> PnlLine:
    return PnlLine(
        name=name,
        realized=Money(total.realized),
        unrealized=Money(total.unrealized),
        fees=Money(total.fees),
        rows=total.rows,
        open=total.open,
        unmarked=total.unmarked,
    )


STILL_OPEN: Final = "still open"
"""The line of what is unrealised, in a report by day."""


def _open_name(by: By, position: OpenPosition, name_of: Callable[[BookedRow], str]) -> str:
    if by in {By.DAY, By.UTC_DAY}:
        return STILL_OPEN
    return name_of(
        BookedRow(
            at=Instant(0),
            ticker=position.ticker,
            event_ticker=position.event_ticker,
            subaccount=position.subaccount,
            strategy=position.strategy,
            realized=ZERO_MONEY,
            fees=ZERO_MONEY,
        )
    )


def _names(by: By, naming: Naming) -> Callable[[BookedRow], str]:
    def category(row: BookedRow) -> str:
        return NO_MARKET if row.ticker is None else naming.category(row.ticker, row.strategy)

    def series(row: BookedRow) -> str:
        return NO_MARKET if row.ticker is None else naming.series(row.ticker)

    def event(row: BookedRow) -> str:
        return NO_MARKET if row.ticker is None else naming.event(row.ticker, row.event_ticker)

    def ticker(row: BookedRow) -> str:
        return NO_MARKET if row.ticker is None else row.ticker

    def strategy(row: BookedRow) -> str:
        return row.strategy or "untagged"

    def day(row: BookedRow) -> str:
        return eastern_day(row.at)

    def day_utc(row: BookedRow) -> str:
        return utc_day(row.at)

    def subaccount(row: BookedRow) -> str:
        return str(row.subaccount)

    names: dict[By, Callable[[BookedRow], str]] = {
        By.CATEGORY: category,
        By.SERIES: series,
        By.EVENT: event,
        By.TICKER: ticker,
        By.DAY: day,
        By.UTC_DAY: day_utc,
        By.STRATEGY: strategy,
        By.SUBACCOUNT: subaccount,
    }
    return names[by]


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionSummary:
    """An open position as a person asks for it, in exact dollars.

    `avg_price` is what one contract of `side` cost on average, before fees.
    `realized_pnl` is before fees, like the exchange's own figure; `fees` are
    beside it.  `unrealized_pnl` is `None` without a mark.
    """

    ticker: Ticker
    quantity: Count
    side: Side
    avg_price: Ratio
    unrealized_pnl: Money | None
    realized_pnl: Money
    fees: Money
    subaccount: Subaccount


def open_positions_summary(positions: Iterable[OpenPosition]) -> list[PositionSummary]:
    """The open positions by ticker and subaccount."""
    summaries = [
        PositionSummary(
            ticker=each.ticker,
            quantity=abs(each.net),
            side=each.side,
            avg_price=Ratio(each.cost.units, abs(each.net.units) * 10_000),
            unrealized_pnl=each.unrealized,
            realized_pnl=each.realized,
            fees=each.fees,
            subaccount=each.subaccount,
        )
        for each in positions
    ]
    return sorted(summaries, key=lambda each: (each.ticker, each.subaccount))
