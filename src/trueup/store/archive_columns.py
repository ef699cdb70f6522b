"""What the market archive holds: its kinds of rows, their columns, and the unit of each.

Everything is an exact integer or a word.  The unit stands in the metadata of
each Parquet column and in the reference that is made from this table.  Prices
are YES prices on both sides, as everywhere in trueup.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MICROSECONDS: Final = "microseconds since 1970-01-01T00:00:00Z"
PRICE: Final = "1/10,000 dollar"
COUNT: Final = "1/100 contract"
MONEY: Final = "1/1,000,000 dollar"
WORD: Final = "word"
PLAIN: Final = "number"
YES_OR_NO: Final = "true or false"


class Kind(StrEnum):
    """The kinds of rows.  Each has a folder of its own.

    `HISTORY` are trades that were asked for afterwards; they are kept, whatever the
    retention of what was recorded.
    """

    SNAPSHOTS = "snapshots"
    DELTAS = "deltas"
    TRADES = "trades"
    TICKERS = "tickers"
    GAPS = "gaps"
    CANDLES = "candles"
    MARKETS = "markets"
    HISTORY = "history"
    DAYS = "days"


RAW: Final = frozenset({Kind.SNAPSHOTS, Kind.DELTAS, Kind.TRADES, Kind.TICKERS, Kind.GAPS})
"""What retention throws away once its days are added up; the others are kept for ever."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its Arrow type, its unit, whether it may be unknown, and what it is."""

    name: str
    type: str
    unit: str
    words: str
    is_optional: bool = False
    is_delta_packed: bool = False


def _time(name: str, words: str, *, is_optional: bool = False) -> Column:
    return Column(name, "int64", MICROSECONDS, words, is_optional, is_delta_packed=True)


def _price(name: str, words: str, *, is_optional: bool = False) -> Column:
    return Column(name, "int16", PRICE, words, is_optional)


def _count(name: str, words: str) -> Column:
    return Column(name, "int64", COUNT, words)


def _word(name: str, words: str, *, is_optional: bool = False) -> Column:
    return Column(name, "string", WORD, words, is_optional)


_AT: Final = _time(
    "occurred_at", "When it happened, by the exchange's clock; when it was read, if untold."
)
_HEARD: Final = _time("heard_at", "When it was heard, by the recorder's clock.")
_TICKER: Final = _word("ticker", "The market.")


def _levels(side: str) -> tuple[Column, Column]:
    return (
        Column(
            f"{side}_prices", "list<int16>", PRICE, f"The levels of the {side} side, best first."
        ),
        Column(f"{side}_counts", "list<int64>", COUNT, "What rests at each of them."),
    )


def _four(prefix: str, words: str, *, is_optional: bool) -> tuple[Column, ...]:
    return tuple(
        _price(f"{prefix}{name}", f"{words}: {name}.", is_optional=is_optional)
        for name in ("open", "high", "low", "close")
    )


_TRADE: Final = (
    _AT,
    _HEARD,
    _TICKER,
    _word("trade_id", "The exchange's name of the trade; it is in both sides' fills."),
    _price("price", "What was paid for YES."),
    _count("count", "How much was traded."),
    Column("taker_is_yes", "bool", YES_OR_NO, "Whether who crossed the book bought YES."),
    Column("is_block", "bool", YES_OR_NO, "Whether it was agreed off the book."),
)

COLUMNS: Final[dict[Kind, tuple[Column, ...]]] = {
    Kind.SNAPSHOTS: (_AT, _HEARD, _TICKER, *_levels("bid"), *_levels("ask")),
    Kind.DELTAS: (
        _AT,
        _HEARD,
        _TICKER,
        Column("is_bid", "bool", YES_OR_NO, "Whether the level is one of bids."),
        _price("price", "The level."),
        _count("change", "Contracts more; fewer, if negative."),
    ),
    Kind.TRADES: _TRADE,
    Kind.HISTORY: _TRADE,
    Kind.TICKERS: (
        _AT,
        _HEARD,
        _TICKER,
        _price("bid", "The best bid; unknown on an empty side.", is_optional=True),
        _price("ask", "The best ask; unknown on an empty side.", is_optional=True),
        _count("bid_count", "What rests there."),
        _count("ask_count", "What rests there."),
        _price("last", "The last price that was paid.", is_optional=True),
        _count("last_count", "How much was traded then."),
        _count("volume", "What was traded since the market opened."),
        _count("open_interest", "Open contracts."),
    ),
    Kind.GAPS: (
        _time("occurred_at", "When it was noticed, by the recorder's clock."),
        _word("ticker", "The market; empty for all that are recorded."),
        _word("channel", "What is missing: orderbook_delta, trade, ticker."),
        _word("words", "Why."),
    ),
    Kind.CANDLES: (
        _time("end_at", "When the period ended."),
        _TICKER,
        Column("minutes", "int32", "minutes", "How long the period was."),
        *_four("", "Traded YES prices", is_optional=True),
        *_four("bid_", "The best bid (0 on an empty side)", is_optional=False),
        *_four("ask_", "The best ask (10,000 on an empty side)", is_optional=False),
        _count("volume", "What was traded in the period."),
        _count("open_interest", "Open contracts at its end."),
    ),
    Kind.MARKETS: (
        _HEARD,
        _TICKER,
        _word("event_ticker", "The event."),
        _word("series_ticker", "The series."),
        _word("category", "The series' category."),
        _word("title", "What is asked."),
        _time("open_at", "When it opened."),
        _time("close_at", "When it closes or closed."),
        _word("status", "Its status when it was heard."),
        _word("result", "yes, no or scalar; empty while it is not known."),
        _price("settlement_value", "What one YES contract paid.", is_optional=True),
        _time("settled_at", "When it paid.", is_optional=True),
        _word("grid", "The name of its price structure."),
        _word("fee_type", "The fee type that held."),
        _word("fee_multiplier", "The fee multiplier that held, as a fraction."),
        Column("mutually_exclusive", "bool", YES_OR_NO, "Whether only one of the event can be."),
        Column("shard", "int32", PLAIN, "The exchange's shard."),
    ),
    Kind.DAYS: (
        Column("day", "string", WORD, "The UTC day, like 2026-10-06."),
        _TICKER,
        *_four("", "Traded YES prices", is_optional=True),
        _count("volume", "What was traded."),
        Column("trades", "int64", PLAIN, "How many trades that was."),
        Column("dollar_volume", "int64", MONEY, "Volume times YES price."),
        Column(
            "spread_mean",
            "int64",
            PRICE,
            "Ask less bid, the mean of the tickers with both sides, rounded down.",
            is_optional=True,
        ),
        Column("tickers", "int64", PLAIN, "How many tickers were heard."),
        Column("deltas", "int64", PLAIN, "How many changes of the book were heard."),
        Column("gaps", "int64", PLAIN, "How often something was missed."),
    ),
}
"""Every kind's columns, in their order."""


def reference() -> str:
    """The columns of every kind as Markdown tables, for the documentation."""
    parts: list[str] = []
    for kind, columns in COLUMNS.items():
        lines = [
            f"### {kind.value}",
            "",
            "| column | type | unit | what it is |",
            "|---|---|---|---|",
        ]
        for column in columns:
            maybe = " (may be unknown)" if column.is_optional else ""
            lines.append(
                f"| {column.name} | {column.type} | {column.unit} | {column.words}{maybe} |"
            )
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"
