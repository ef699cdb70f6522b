"""Recordings of other people's as tapes: Parquet files of trades and of markets.

Trades are known by their columns: ``ticker``, a time (``ts`` or ``created_time``),
``count`` (whole contracts) and a YES price (``yes_price``, whole cents), and who
took (``taker_yes``, or ``taker_side`` with yes and no).  Markets have ``ticker``,
``event_ticker``, ``open_time``, ``close_time`` and ``result``; ``series_ticker``,
``category`` and ``settlement_value`` (whole cents) where they are known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from trueup.core.errors import ConfigError, TrueupError
from trueup.core.grid import LINEAR_CENT
from trueup.core.ids import SHARD_ZERO, EventTicker, Ticker, TradeId
from trueup.core.instant import Instant, parse_instant
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.payoff import yes_value
from trueup.core.units import ONE_DOLLAR, Count, Price
from trueup.run.archive.archived_markets import ArchivedMarket, market_of_row
from trueup.run.archive.tape import Tape
from trueup.run.archive.tape_values import decimal, moment_of, read_rows
from trueup.sim.living.mirrored_book import BookSeen, TradeSeen
from trueup.store.archive import arrow, read_table

_ROWS: Final = 1 << 16
_CENT: Final = 100
_WHOLE: Final = 100


def load_tape(
    trades: Path, markets: Path, *, category: str = "", since: str = "", until: str = ""
) -> Tape:
    """A tape from two files; `category` is that of markets which do not say theirs.

    `since` and `until` are UTC days: only markets that close within them are kept,
    with their trades.  Raises `ConfigError` naming the file and what it lacks.
    """
    chosen = _chosen(load_markets(markets, category=category), since=since, until=until)
    # A file of years is not kept for the few days that are wanted of it.
    seen = tuple(
        sorted(
            (each for each in load_trades(trades) if chosen.takes(each.ticker)),
            key=lambda each: each.at,
        )
    )
    chosen.say_unlisted("trades", markets)
    return Tape(
        markets=chosen.kept,
        trades=seen,
        ends=seen[-1].at if seen else None,
        words=f"{len(seen):,} trades in {len(chosen.kept):,} markets from {trades.name}",
        notes=tuple(chosen.notes),
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


# -- trades ------------------------------------------------------------------------------------


def load_trades(path: Path) -> Iterator[TradeSeen]:
    """The trades of a file, in its order."""
    table: Any = read_table(path)
    names = set(table.column_names)
    when = _one_of(path, names, "ts", "created_time")
    side = _one_of(path, names, "taker_yes", "taker_side", "taker_outcome_side")
    price = _one_of(path, names, "yes_price")
    _one_of(path, names, "ticker")
    _one_of(path, names, "count")
    number = 0
    for batch in table.to_batches(max_chunksize=_ROWS):
        columns = zip(
            batch["ticker"].to_pylist(),
            _times(batch[when]),
            batch["count"].to_pylist(),
            batch[price].to_pylist(),
            batch[side].to_pylist(),
            strict=True,
        )
        for ticker, at, count, cents, took in columns:
            number += 1
            yield TradeSeen(
                Instant(at),
                Ticker(ticker),
                TradeId(f"{path.stem}-{number}"),
                cents * _CENT,
                count * _WHOLE,
                took is True or took == "yes",
            )


def _times(column: Any) -> list[int]:  # noqa: ANN401  # the library has no types
    """Times as microseconds, exactly; a time without a zone is UTC."""
    pa = arrow()
    if pa.types.is_timestamp(column.type):
        cast = column.cast(pa.timestamp("us", tz=column.type.tz)).cast(pa.int64())
        return [int(each) for each in cast.to_pylist()]
    return [parse_instant(str(each)) for each in column.to_pylist()]


def _one_of(path: Path, names: set[str], *wanted: str) -> str:
    for name in wanted:
        if name in names:
            return name
    raise ConfigError(
        f"{path} has no column {' or '.join(wanted)}",
        remedy=f"Its columns are {', '.join(sorted(names))}.",
    )


# -- quotes ------------------------------------------------------------------------------------


class _QuoteColumns:
    """What the columns of a file of quotes are called, and a row of it as a book."""

    def __init__(self, path: Path, columns: set[str]) -> None:
        self.at = _one_of(path, columns, "captured_at", "ts", "at")
        self.ticker = _one_of(path, columns, "ticker", "kalshi_ticker")
        self.bid = _one_of(path, columns, "yes_bid", "k_yes_bid")
        self.ask = _one_of(path, columns, "yes_ask", "k_yes_ask")
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
    for name in ("ticker", "event_ticker", "open_time", "close_time", "result"):
        _one_of(path, names, name)
    found: dict[Ticker, ArchivedMarket] = {}
    for number, row in enumerate(rows, 1):
        try:
            one = _market(row, category)
        except (TrueupError, TypeError, ValueError) as error:
            raise ConfigError(f"{path}, row {number}: {error}") from error
        found[one.ticker] = one
    return found


def _market(row: Mapping[str, Any], category: str) -> ArchivedMarket:
    """A market with what the archive would know of it."""
    event = EventTicker(row["event_ticker"])
    result = MarketResult(row["result"]) if row["result"] else None
    cents = row.get("settlement_value")
    value = None
    if result is not None:
        value = yes_value(result, None if cents is None else Price.of_cents(int(cents)))
    return market_of_row(
        {
            "ticker": row["ticker"],
            "event_ticker": event,
            "series_ticker": row.get("series_ticker") or str(event).partition("-")[0],
            "category": row.get("category") or category,
            "title": row.get("title") or row.get("subtitle") or row["ticker"],
            "open_at": _moment(row["open_time"]) or 0,
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


def _moment(value: object) -> Instant | None:
    return None if value is None or value == "" else moment_of(value)
