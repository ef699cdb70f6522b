"""The ledger as plain tables: a header and rows of text, for CSV files.

Amounts are exact decimal dollars, counts exact contracts, times RFC 3339 in UTC.
An empty cell means that there is no value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from trueup.core.instant import Instant, format_instant
from trueup.ledger.breaks import Break
from trueup.ledger.entries import Entry, MarketBook, RoundTrip
from trueup.ledger.foreign import AdoptionReport
from trueup.ledger.gains import Gain
from trueup.ledger.proof import Interval
from trueup.ledger.report import PnlLine

Row = tuple[str, ...]

ENTRY_COLUMNS: Final[Row] = (
    *("at", "kind", "stream", "key", "version", "subaccount", "shard", "ticker"),
    *("strategy", "account", "money", "contracts", "evidence"),
)
TRIP_COLUMNS: Final[Row] = (
    *("ticker", "number", "subaccount", "side", "status", "quantity", "bought", "bought_cost"),
    *("sold", "sold_proceeds", "payout", "fees", "profit_loss", "opened_at", "closed_at"),
    *("strategy",),
)
POSITION_COLUMNS: Final[Row] = (
    *("ticker", "event_ticker", "subaccount", "shard", "net", "cost", "realized", "fees"),
    *("payout", "settled", "last_at"),
)
GAIN_COLUMNS: Final[Row] = (
    *("ticker", "subaccount", "side", "quantity", "acquired", "disposed", "proceeds", "cost"),
    *("gain", "term", "disposal"),
)
PNL_COLUMNS: Final[Row] = (
    *("name", "realized", "fees", "net", "unrealized", "total", "rows", "open", "unmarked"),
)
BREAK_COLUMNS: Final[Row] = (
    *("identity", "kind", "severity", "subaccount", "shard", "ticker", "amount"),
    *("occurred_at", "summary", "evidence", "remedy"),
)
INTERVAL_COLUMNS: Final[Row] = (
    *("since", "until", "verdict", "claimed_low", "claimed_high", "explained", "difference"),
    *("movements", "shifted", "explanations"),
)
ADOPTION_COLUMNS: Final[Row] = (
    *("row", "ticker", "outcome", "reason", "why", "changes", "profit_loss", "settled_price"),
    *("rests_on", "caveats", "checks"),
)


def entry_rows(entries: Iterable[Entry]) -> Iterator[Row]:
    """One row per posting, by `ENTRY_COLUMNS`."""
    for entry in entries:
        for posting in entry.postings:
            yield (
                *(format_instant(entry.at), entry.kind, entry.stream, entry.key),
                *(str(entry.version), str(entry.subaccount), str(entry.shard)),
                *(entry.ticker or "", entry.strategy, posting.account),
                *(str(posting.money), str(posting.contracts), entry.evidence),
            )


def trip_rows(trips: Iterable[RoundTrip]) -> Iterator[Row]:
    """One row per round trip, by `TRIP_COLUMNS`."""
    for trip in trips:
        yield (
            *(trip.ticker, str(trip.number), str(trip.subaccount), trip.side, trip.status),
            *(str(trip.quantity), str(trip.bought), str(trip.bought_cost), str(trip.sold)),
            *(str(trip.sold_proceeds), str(trip.payout), str(trip.fees), str(trip.profit_loss)),
            *(format_instant(trip.opened_at), _time(trip.closed_at), trip.strategy),
        )


def position_rows(books: Iterable[MarketBook]) -> Iterator[Row]:
    """One row per market, by `POSITION_COLUMNS`."""
    for book in books:
        yield (
            *(book.ticker, book.event_ticker or "", str(book.subaccount), str(book.shard)),
            *(str(book.position.net), str(book.position.cost), str(book.realized)),
            *(str(book.fees), str(book.payout), "yes" if book.settled else "no"),
            format_instant(book.last_at),
        )


def gain_rows(found: Iterable[Gain]) -> Iterator[Row]:
    """One row per disposed lot, by `GAIN_COLUMNS`."""
    for each in found:
        yield (
            *(each.ticker, str(each.subaccount), each.side, str(each.quantity)),
            *(each.acquired, each.disposed, str(each.proceeds), str(each.cost)),
            *(str(each.gain), each.term, each.disposal),
        )


def pnl_rows(lines: Iterable[PnlLine]) -> Iterator[Row]:
    """One row per line, by `PNL_COLUMNS`."""
    for line in lines:
        yield (
            *(line.name, str(line.realized), str(line.fees), str(line.net)),
            *(str(line.unrealized), str(line.total), str(line.rows), str(line.open)),
            str(line.unmarked),
        )


def break_rows(breaks: Iterable[Break]) -> Iterator[Row]:
    """One row per break, by `BREAK_COLUMNS`."""
    for each in breaks:
        yield (
            *(each.identity, each.kind, each.severity, _number(each.subaccount)),
            *(_number(each.shard), each.ticker or "", str(each.amount)),
            *(format_instant(each.occurred_at), each.summary, " | ".join(each.evidence)),
            each.remedy,
        )


def interval_rows(intervals: Iterable[Interval]) -> Iterator[Row]:
    """One row per interval between balance readings, by `INTERVAL_COLUMNS`."""
    for each in intervals:
        yield (
            *(_time(each.since), format_instant(each.until), each.verdict),
            *(str(each.claimed_low), str(each.claimed_high), str(each.explained)),
            *(str(each.difference), str(each.count), str(len(each.shifted))),
            " | ".join(each.explanations),
        )


def adoption_rows(report: AdoptionReport) -> Iterator[Row]:
    """One row per row of the bot's table, by `ADOPTION_COLUMNS`."""
    for line in report.lines:
        changes = [f"{each.column}: {each.old or 'NULL'} -> {each.new}" for each in line.changes]
        yield (
            *(line.trade.row_id, line.trade.ticker, line.outcome, line.reason, line.why),
            *(" | ".join(changes), _text(line.profit_loss), _text(line.settled_price)),
            *(line.rests_on, " | ".join(line.caveats), " | ".join(line.checks)),
        )


def _time(instant: Instant | None) -> str:
    return "" if instant is None else format_instant(instant)


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _text(value: object) -> str:
    return "" if value is None else str(value)
