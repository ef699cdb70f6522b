"""Recordings of other people's as tapes: Parquet files of trades and of markets.

Trades are known by their columns: ``ticker``, a time (``ts`` or ``created_time``),
``count`` (whole contracts) and a YES price (``yes_price``, whole cents), and who
took (``taker_yes``, or ``taker_side`` with yes and no).  Markets have ``ticker``,
``event_ticker``, ``open_time``, ``close_time`` and ``result``; ``series_ticker``,
``category`` and ``settlement_value`` (whole cents) where they are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from trueup.core.errors import ConfigError, TrueupError
from trueup.core.grid import LINEAR_CENT
from trueup.core.ids import SHARD_ZERO, EventTicker, Ticker, TradeId
from trueup.core.instant import Instant, from_datetime, parse_instant
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.payoff import yes_value
from trueup.core.units import Price
from trueup.run.archive.archived_markets import ArchivedMarket, market_of_row
from trueup.run.archive.tape import Tape
from trueup.sim.living.mirrored_book import TradeSeen
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
    listed = load_markets(markets, category=category)
    chosen = {
        ticker: one
        for ticker, one in listed.items()
        if _within(one.market.close_at, since=since, until=until)
    }
    every = list(load_trades(trades))
    seen = tuple(
        sorted((each for each in every if each.ticker in chosen), key=lambda each: each.at)
    )
    notes: list[str] = []
    if unknown := sum(1 for one in chosen.values() if one.value is None):
        notes.append(f"{unknown} markets have no result and settle never")
    if nameless := sum(1 for each in every if each.ticker not in listed):
        notes.append(f"{nameless:,} trades are of markets that {markets.name} does not list")
    return Tape(
        markets=chosen,
        trades=seen,
        words=f"{len(seen):,} trades in {len(chosen):,} markets from {trades.name}",
        notes=tuple(notes),
    )


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


# -- markets -----------------------------------------------------------------------------------


def load_markets(path: Path, *, category: str = "") -> dict[Ticker, ArchivedMarket]:
    """The markets of a file by ticker.  Raises `ConfigError` naming the row that is wrong."""
    table: Any = read_table(path)
    names = set(table.column_names)
    for name in ("ticker", "event_ticker", "open_time", "close_time", "result"):
        _one_of(path, names, name)
    found: dict[Ticker, ArchivedMarket] = {}
    rows: Iterable[dict[str, Any]] = table.to_pylist()
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
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return from_datetime(value if value.tzinfo else value.replace(tzinfo=UTC))
    return parse_instant(str(value))
