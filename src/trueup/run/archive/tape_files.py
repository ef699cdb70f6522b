"""Recordings of other people's as tapes: files of trades or quotes, and of markets.

Trades are known by their columns (`trueup.run.archive.tape_trades`).  Markets have
``ticker``, ``close_time`` and ``result``; ``event_ticker``, ``open_time``,
``series_ticker``, ``category``, ``settlement_value_dollars`` and ``settlement_value``
(cents) where they are known.  Where no event is named it is taken from the ticker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from trueup.core.errors import ConfigError, TrueupError
from trueup.core.grid import LINEAR_CENT
from trueup.core.ids import SHARD_ZERO, EventTicker, Ticker
from trueup.core.instant import Instant
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.payoff import yes_value
from trueup.core.units import ONE_DOLLAR, Count, Price
from trueup.run.archive.archived_markets import ArchivedMarket, market_of_row
from trueup.run.archive.tape import Tape
from trueup.run.archive.tape_trades import read_trades
from trueup.run.archive.tape_values import decimal, moment_of, one_of, read_rows
from trueup.sim.living.mirrored_book import BookSeen
from trueup.wire.values import price_of_cents

_RESULTS: Final = frozenset(MarketResult)


def load_tape(
    trades: Path, markets: Path, *, category: str = "", since: str = "", until: str = ""
) -> Tape:
    """A tape from two files; `category` is that of markets which do not say theirs.

    `since` and `until` are UTC days: only markets that close within them are kept,
    with their trades.  Raises `ConfigError` naming the file and what it lacks.
    """
    chosen = _chosen(load_markets(markets, category=category), since=since, until=until)
    # A file of years is not kept for the few days that are wanted of it.
    read = read_trades(trades, chosen.takes)
    seen = tuple(sorted(read.trades, key=lambda each: each.at))
    chosen.say_unlisted("trades", markets)
    return Tape(
        markets=chosen.kept,
        trades=seen,
        ends=seen[-1].at if seen else None,
        words=f"{len(seen):,} trades in {len(chosen.kept):,} markets from {trades.name}",
        notes=(*chosen.notes, *read.notes),
    )


def load_quotes_tape(
    quotes: Path,
    markets: Path,
    *,
    assumed_size: Count,
    category: str = "",
    since: str = "",
    until: str = "",
) -> Tape:
    """A tape of best prices: each quote is the whole book of that moment.

    Where the file has no sizes `assumed_size` is there at each price, and nothing at
    all at a price of 0 or 1.  Raises `ConfigError` as `load_tape` does.
    """
    chosen = _chosen(load_markets(markets, category=category), since=since, until=until)
    rows = read_rows(quotes)
    names = _QuoteColumns(quotes, set(rows[0]) if rows else set())
    seen: list[BookSeen] = []
    for number, row in enumerate(rows, 1):
        if chosen.takes(Ticker(str(row[names.ticker]))):
            try:
                seen.append(names.book(row, assumed_size))
            except (TrueupError, ValueError, TypeError) as error:
                raise ConfigError(f"{quotes}, row {number}: {error}") from error
    chosen.say_unlisted("quotes", markets)
    seen.sort(key=lambda each: each.at)
    if not names.has_sizes:
        chosen.notes.append(f"{quotes.name} has no sizes: {assumed_size} is assumed at each price")
    return Tape(
        markets=chosen.kept,
        books=tuple(seen),
        is_sampled=True,
        ends=seen[-1].at if seen else None,
        words=f"{len(seen):,} quotes in {len(chosen.kept):,} markets from {quotes.name}",
        notes=tuple(chosen.notes),
    )


@dataclass(slots=True)
class _Chosen:
    """The markets of a file, those of them that are wanted, and what must be said of them."""

    listed: Mapping[Ticker, ArchivedMarket]
    kept: dict[Ticker, ArchivedMarket]
    notes: list[str]

    total: int = 0
    unknown: int = 0

    def takes(self, ticker: Ticker) -> bool:
        """Whether a row of this market is wanted; each row is asked about once."""
        self.total += 1
        self.unknown += ticker not in self.listed
        return ticker in self.kept

    def say_unlisted(self, what: str, markets: Path) -> None:
        """Say how much is of markets of which nothing is known: it is left out."""
        if self.unknown:
            self.notes.append(
                f"{self.unknown:,} of {self.total:,} {what} are of markets that {markets.name} "
                "does not list: left out, nobody knows when those close or how they ended"
            )


def _chosen(listed: dict[Ticker, ArchivedMarket], *, since: str, until: str) -> _Chosen:
    kept = {
        ticker: one
        for ticker, one in listed.items()
        if _within(one.market.close_at, since=since, until=until)
    }
    notes: list[str] = []
    if unknown := sum(1 for one in kept.values() if one.value is None):
        notes.append(f"{unknown} markets have no result and settle never")
    return _Chosen(listed, kept, notes)


def _within(close_at: Instant | None, *, since: str, until: str) -> bool:
    if close_at is None:
        return False
    day = datetime.fromtimestamp(close_at // 1_000_000, UTC).date().isoformat()
    return (not since or day >= since) and (not until or day <= until)


# -- quotes ------------------------------------------------------------------------------------


class _QuoteColumns:
    """What the columns of a file of quotes are called, and a row of it as a book."""

    def __init__(self, path: Path, columns: set[str]) -> None:
        self.at = one_of(path, columns, "captured_at", "ts", "at")
        self.ticker = one_of(path, columns, "ticker", "kalshi_ticker")
        self.bid = one_of(path, columns, "yes_bid", "k_yes_bid")
        self.ask = one_of(path, columns, "yes_ask", "k_yes_ask")
        self.has_sizes = columns >= {"yes_bid_size", "yes_ask_size"}

    def book(self, row: Mapping[str, Any], assumed: Count) -> BookSeen:
        """The best prices as the whole book."""
        return BookSeen(
            moment_of(row[self.at]),
            Ticker(row[self.ticker]),
            self._level(row[self.bid], row.get("yes_bid_size"), assumed),
            self._level(row[self.ask], row.get("yes_ask_size"), assumed),
        )

    def _level(self, told: object, told_size: object, assumed: Count) -> dict[int, int]:
        price = decimal(told)
        if price is None:
            return {}
        units = Price.parse(price).units
        if not 0 < units < ONE_DOLLAR.units:
            return {}
        size = decimal(told_size) if self.has_sizes else None
        count = assumed if size is None else Count.parse(size)
        return {units: count.units}


# -- markets -----------------------------------------------------------------------------------


def load_markets(path: Path, *, category: str = "") -> dict[Ticker, ArchivedMarket]:
    """The markets of a file by ticker.  Raises `ConfigError` naming the row that is wrong."""
    rows = read_rows(path)
    names = set(rows[0]) if rows else set[str]()
    for name in ("ticker", "close_time", "result"):
        one_of(path, names, name)
    found: dict[Ticker, ArchivedMarket] = {}
    for number, row in enumerate(rows, 1):
        try:
            one = _market(row, category)
        except (TrueupError, TypeError, ValueError) as error:
            raise ConfigError(f"{path}, row {number}: {error}") from error
        found[one.ticker] = one
    return found


def _market(row: Mapping[str, Any], category: str) -> ArchivedMarket:
    """A market with what the archive would know of it.

    A result that is none of the exchange's (an empty one, a void of somebody's own) is
    no result: nobody knows what such a market paid.
    """
    event = EventTicker(row.get("event_ticker") or str(row["ticker"]).rpartition("-")[0])
    word = str(row["result"] or "").strip().lower()
    result = MarketResult(word) if word in _RESULTS else None
    value = None if result is None else yes_value(result, _settlement_value(row))
    return market_of_row(
        {
            "ticker": row["ticker"],
            "event_ticker": event,
            "series_ticker": row.get("series_ticker") or str(event).partition("-")[0],
            "category": row.get("category") or category,
            "title": row.get("title") or row.get("subtitle") or row["ticker"],
            "open_at": _moment(row.get("open_time")) or 0,
            "close_at": _moment(row["close_time"]) or 0,
            "status": MarketStatus.ACTIVE if value is None else MarketStatus.FINALIZED,
            "result": "" if result is None else result.value,
            "settlement_value": None if value is None else value.units,
            "settled_at": None,
            "grid": LINEAR_CENT.label,
            "fee_type": row.get("fee_type") or "quadratic",
            "fee_multiplier": str(row.get("fee_multiplier") or 1),
            "mutually_exclusive": False,
            "shard": SHARD_ZERO,
        }
    )


def _settlement_value(row: Mapping[str, Any]) -> Price | None:
    dollars, cents = (
        decimal(row.get("settlement_value_dollars")),
        decimal(row.get("settlement_value")),
    )
    if dollars is not None:
        return Price.parse(dollars)
    return None if cents is None else price_of_cents(cents)


def _moment(value: object) -> Instant | None:
    return None if value is None or value in {"", "nan"} or value != value else moment_of(value)  # noqa: PLR0124  # a double that is no number
