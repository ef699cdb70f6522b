"""What the books can be asked: streams of values in time order, and small totals.

Every stream reads one snapshot, holds a few rows in memory, and never blocks
the writer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from trueup.core.facts import Stream
from trueup.core.ids import Shard, Subaccount, Ticker
from trueup.core.instant import HOUR, Instant
from trueup.core.units import Count, Money
from trueup.ledger.accounts import Account
from trueup.ledger.breaks import Break, BreakKind, Severity
from trueup.ledger.entries import Entry, EntryKind, Posting, RoundTrip, TradeStatus
from trueup.ledger.movements import CashMovement
from trueup.store import sql
from trueup.store.driver import AnyRow, Driver, Reading
from trueup.store.projections import TRADE_COLUMNS
from trueup.store.selection import Selection, select, where
from trueup.store.statement import Statement

_ENTRY_ORDER: Final = ("at", "book", "number")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfitRow:
    """Realised P&L and fees of one market, strategy and hour.

    `hour` is the beginning of a UTC hour: every calendar day, Eastern or UTC,
    is made of whole hours.  `realized` is before `fees`.
    """

    subaccount: Subaccount
    shard: Shard
    ticker: Ticker | None
    strategy: str
    hour: Instant
    realized: Money
    fees: Money
    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums over all books, made by the database."""

    cash: Money
    realized: Money
    fees: Money
    open_positions: int
    open_cost: Money
    markets: int


def cash_movements(driver: Driver, selection: Selection) -> Iterator[CashMovement]:
    """Every entry's change of cash in time order (zero for a flat settlement)."""
    columns = (
        *("at", "cash", "subaccount", "shard", "stream", "key", "version", "kind", "ticker"),
    )
    statement, parameters = select("entries", columns, selection, order=_ENTRY_ORDER)
    kinds = {kind.value: kind for kind in EntryKind}
    for row in driver.stream(statement, parameters):
        at, cash, subaccount, shard, stream, key, version, kind, ticker = row
        yield CashMovement(
            at=at,
            amount=Money(cash),
            subaccount=subaccount,
            shard=shard,
            stream=_STREAMS[stream],
            key=key,
            version=version,
            kind=kinds[kind],
            ticker=ticker,
        )


def trades(driver: Driver, selection: Selection) -> Iterator[RoundTrip]:
    """Round trips by when they were opened."""
    statement, parameters = select(
        "trades", TRADE_COLUMNS, selection, order=("opened_at", "book", "number"), at="opened_at"
    )
    return (_round_trip(row) for row in driver.stream(statement, parameters))


def profit_rows(driver: Driver, selection: Selection) -> Iterator[ProfitRow]:
    """Realised P&L and fees, summed by the database; see `ProfitRow`."""
    conditions, parameters = where(selection, "at", by_book=True)
    statement = Statement(
        f"SELECT subaccount, shard, ticker, strategy, at / {HOUR}, sum(realized), sum(fees), "  # noqa: S608
        f"count(*) FROM entries{conditions} GROUP BY subaccount, shard, ticker, strategy, "
        f"at / {HOUR} ORDER BY 5, 3, 1, 2, 4"
    )
    for row in driver.stream(statement, parameters):
        subaccount, shard, ticker, strategy, hour, realized, fees, count = row
        yield ProfitRow(
            subaccount=subaccount,
            shard=shard,
            ticker=ticker,
            strategy=strategy,
            hour=Instant(hour * HOUR),
            realized=Money(int(realized)),
            fees=Money(int(fees)),
            entries=count,
        )


def totals(reading: Reading) -> Totals:
    """Sums over all books."""
    cash, realized, fees = reading.rows(
        Statement(
            "SELECT coalesce(sum(cash), 0), coalesce(sum(realized), 0), coalesce(sum(fees), 0) "
            "FROM entries"
        )
    )[0]
    markets, opened, cost = reading.rows(
        Statement(
            "SELECT count(*), coalesce(sum(CASE WHEN net <> 0 THEN 1 ELSE 0 END), 0), "
            "coalesce(sum(cost), 0) FROM positions"
        )
    )[0]
    return Totals(
        cash=Money(int(cash)),
        realized=Money(int(realized)),
        fees=Money(int(fees)),
        open_positions=int(opened),
        open_cost=Money(int(cost)),
        markets=markets,
    )


def entries(
    driver: Driver, selection: Selection, *, given: tuple[str, ...] = ()
) -> Iterator[Entry]:
    """The ledger's entries with their postings in time order; `given` are further conditions."""
    statement, parameters = select(
        "entries", _ENTRY_COLUMNS, selection, order=_ENTRY_ORDER, given=given
    )
    return map(_entry, driver.stream(statement, parameters))


def entries_of(reading: Reading, stream: Stream, key: str, *, ticker: Ticker | None) -> list[Entry]:
    """The entries of one record; `ticker` is its market, `None` for cash that belongs to none."""
    book, market = "book < 0", ()
    if ticker is not None:
        book, market = "book IN (SELECT book FROM market_keys WHERE ticker = ?)", (ticker,)
    statement = Statement(
        f"SELECT {', '.join(_ENTRY_COLUMNS)} FROM entries "  # noqa: S608
        f"WHERE {book} AND stream = ? AND key = ? ORDER BY {', '.join(_ENTRY_ORDER)}"
    )
    return [_entry(row) for row in reading.rows(statement, (*market, stream.value, key))]


_STREAMS: Final = {stream.value: stream for stream in Stream}
_decode_legs: Final = msgspec.json.Decoder(list[tuple[str, int, int]]).decode


def _entry(row: AnyRow) -> Entry:
    stream, key, version, kind, at, subaccount, shard, ticker, strategy, rests_on, legs = row
    return Entry(
        stream=_STREAMS[stream],
        key=key,
        version=version,
        kind=EntryKind(kind),
        at=at,
        subaccount=subaccount,
        shard=shard,
        ticker=ticker,
        strategy=strategy,
        postings=tuple(
            Posting(Account(account), Money(money), Count(contracts))
            for account, money, contracts in _decode_legs(legs)
        ),
        evidence=rests_on,
    )


_ENTRY_COLUMNS: Final = (
    *("stream", "key", "version", "kind", "at", "subaccount", "shard", "ticker", "strategy"),
    *("evidence", "legs"),
)


def booking_breaks(driver: Driver) -> Iterator[Break]:
    """What booking itself noticed."""
    decode = msgspec.json.Decoder(tuple[str, ...]).decode
    for row in driver.stream(sql.BOOKING_BREAKS):
        yield Break(
            identity=row[0],
            kind=BreakKind(row[1]),
            severity=Severity(row[2]),
            subaccount=row[3],
            shard=row[4],
            ticker=row[5],
            amount=Money(row[6]),
            occurred_at=row[7],
            summary=row[8],
            evidence=decode(row[9]),
            remedy=row[10],
        )


def _round_trip(row: AnyRow) -> RoundTrip:
    return RoundTrip(
        number=row[1],
        subaccount=row[2],
        shard=row[3],
        ticker=row[4],
        side=row[5],
        status=TradeStatus(row[6]),
        quantity=Count(row[7]),
        bought=Count(row[8]),
        bought_cost=Money(row[9]),
        sold=Count(row[10]),
        sold_proceeds=Money(row[11]),
        payout=Money(row[12]),
        fees=Money(row[13]),
        profit_loss=Money(row[14]),
        opened_at=row[15],
        closed_at=row[16],
        strategy=row[17],
    )
