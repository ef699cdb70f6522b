"""What the exchange said: streams of values in time order, as the journal knows them.

Every stream reads one snapshot, holds a few rows in memory, and never blocks
the writer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from trueup.core.facts import Filled, OrderReported, Settled, Source, Stream
from trueup.core.ids import ClientOrderId, OrderId, Shard, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.observations import Recorded
from trueup.core.statements import BalanceStated, MarketStated, PositionStated
from trueup.store import sql
from trueup.store.driver import AnyRow, Driver, Reading
from trueup.store.journal_index import find_sequences, indexed_to
from trueup.store.records import KINDS, Rule, identity_of
from trueup.store.selection import EVERYTHING, Selection, select
from trueup.store.statement import Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One version of a record with its raw payload, for a person or a bundle."""

    recorded: Recorded
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownField:
    """A field that the exchange sends and trueup does not know yet."""

    stream: Stream
    field: str
    seen: int
    first_at: Instant
    last_at: Instant


def values(driver: Driver, stream: Stream, selection: Selection) -> Iterator[AnyRow]:
    """The rows (fields only) of a stream's typed table in time order."""
    kind = KINDS[stream]
    named = (f"stream = '{stream.value}'",) if kind.names_stream else ()
    at = kind.columns[kind.occurred]
    statement, parameters = select(
        kind.table, kind.columns, selection, order=(at, *kind.identity), given=named
    )
    return driver.stream(statement, parameters)


def fills(driver: Driver, selection: Selection) -> Iterator[Filled]:
    """Fills, the latest version of each."""
    make = KINDS[Stream.FILLS].value_of
    return (make(row) for row in values(driver, Stream.FILLS, selection))


def fills_of(reading: Reading, ticker: Ticker) -> list[Filled]:
    """The fills of one market in time order, all at once."""
    kind = KINDS[Stream.FILLS]
    selection = Selection(ticker=ticker)
    statement, parameters = select(
        kind.table, kind.columns, selection, order=("at", *kind.identity)
    )
    return [kind.value_of(row) for row in reading.rows(statement, parameters)]


def settlements(driver: Driver, selection: Selection) -> Iterator[Settled]:
    """Settlement rows, the latest version of each."""
    make = KINDS[Stream.SETTLEMENTS].value_of
    return (make(row) for row in values(driver, Stream.SETTLEMENTS, selection))


def orders(driver: Driver, selection: Selection, *, status: str | None) -> Iterator[OrderReported]:
    """Orders as merged from all reports, by their last update."""
    kind = KINDS[Stream.ORDERS]
    given = (f"status = '{status}'",) if status in _ORDER_WORDS else ()
    statement, parameters = select(
        kind.table, kind.columns, selection, order=("updated_at", "order_id"), given=given
    )
    return (kind.value_of(row) for row in driver.stream(statement, parameters))


_ORDER_WORDS: Final = frozenset({"resting", "canceled", "executed"})


def cash_facts(driver: Driver) -> Iterator[tuple[Stream, Recorded]]:
    """Deposits, withdrawals, transfers and openings by stream, the latest version of each."""
    kept = ("sequence", "version", "source", "observed_at")
    for stream, kind in KINDS.items():
        if not kind.moves_cash:
            continue
        given = (f"stream = '{stream.value}'",) if kind.names_stream else ()
        statement, parameters = select(
            kind.table, (*kept, *kind.columns), EVERYTHING, order=("at", "id"), given=given
        )
        for sequence, version, source, observed_at, *row in driver.stream(statement, parameters):
            value, key = kind.value_of(tuple(row)), kind.key_of(tuple(row))
            told = (value, Source(source), observed_at)
            yield stream, Recorded(sequence, key, version, *told, stream)


def balance_readings(driver: Driver, selection: Selection) -> Iterator[BalanceStated]:
    """Balance readings in time order; `None` selects those that cover all."""
    make = KINDS[Stream.BALANCES].value_of
    kind = KINDS[Stream.BALANCES]
    given = (
        "subaccount IS NULL" if selection.subaccount is None else "",
        "shard IS NULL" if selection.shard is None else "",
    )
    statement, parameters = select(
        kind.table,
        kind.columns,
        selection,
        order=("at", "read_at", "id"),
        given=tuple(word for word in given if word),
    )
    return (make(row) for row in driver.stream(statement, parameters))


def balance_scopes(reading: Reading) -> list[tuple[Subaccount | None, Shard | None]]:
    """For which (subaccount, shard) there are balance readings; `None` covers all."""
    statement = Statement(
        "SELECT DISTINCT subaccount, shard FROM balances ORDER BY subaccount, shard"
    )
    return [(row[0], row[1]) for row in reading.rows(statement)]


def latest_balances(reading: Reading) -> list[BalanceStated]:
    """The newest reading of every (subaccount, shard) that was ever read."""
    kind = KINDS[Stream.BALANCES]
    pots = reading.rows(
        Statement(
            "SELECT subaccount, shard FROM balances GROUP BY subaccount, shard "
            "ORDER BY coalesce(subaccount, -1), coalesce(shard, -1)"
        )
    )
    found: list[BalanceStated] = []
    for pot in pots:
        # Each by the index; "is the same or both are null" has no words that both databases know.
        names = zip(("subaccount", "shard"), pot, strict=True)
        of_pot = [f"{name} IS NULL" if value is None else f"{name} = ?" for name, value in names]
        statement = Statement(
            f"SELECT {', '.join(kind.columns)} FROM balances WHERE {' AND '.join(of_pot)} "  # noqa: S608
            "ORDER BY read_at DESC, at DESC, id DESC LIMIT 1"
        )
        rows = reading.rows(statement, [value for value in pot if value is not None])
        found.extend(kind.value_of(row) for row in rows)
    return found


def latest_positions(driver: Driver) -> Iterator[PositionStated]:
    """Positions as the exchange stated them last."""
    kind = KINDS[Stream.POSITIONS]
    statement, _ = select(kind.table, kind.columns, EVERYTHING, order=("ticker", "subaccount"))
    return (kind.value_of(row) for row in driver.stream(statement))


def market_statements(driver: Driver) -> Iterator[MarketStated]:
    """The latest statement about every market, by ticker."""
    kind = KINDS[Stream.MARKETS]
    statement, _ = select(kind.table, kind.columns, EVERYTHING, order=("ticker",))
    return (kind.value_of(row) for row in driver.stream(statement))


def market(reading: Reading, ticker: Ticker) -> MarketStated | None:
    """The latest statement about one market."""
    rows = reading.rows(sql.MARKETS_BY_TICKER, (reading.among([ticker]),))
    return KINDS[Stream.MARKETS].value_of(rows[0][2:]) if rows else None


def client_order_ids(driver: Driver) -> Iterator[tuple[OrderId, ClientOrderId]]:
    """The client order id of every known order that has one."""
    statement = Statement(
        "SELECT order_id, client_order_id FROM orders WHERE client_order_id <> ''"
    )
    return ((row[0], row[1]) for row in driver.stream(statement))


def revised(reading: Reading) -> Iterator[tuple[Stream, Recorded]]:
    """All versions of every fact that the exchange told otherwise later."""
    retold = [row[0] for row in reading.rows(sql.RETOLD, (indexed_to(reading),))]
    streams = [stream.value for stream, kind in KINDS.items() if kind.rule is Rule.FACT]
    sequences = find_sequences(reading, retold)
    rows = reading.rows(sql.REVISIONS, (reading.among(sequences), reading.among(streams)))
    for (name, key), group in groupby(rows, key=lambda row: (row[0], row[2])):
        versions = list(group)
        if all(row[3] == 1 or row[7] for row in versions):
            continue
        stream = Stream(name)
        for _, sequence, _, version, source, observed_at, body, _ in versions:
            value = KINDS[stream].value_from_body(body)
            told = (value, Source(source), observed_at)
            yield stream, Recorded(sequence, key, version, *told, stream)


def evidence(reading: Reading, stream: Stream, key: str) -> list[Evidence]:
    """All versions of one record with their raw payloads."""
    kind = KINDS[stream]
    return [
        Evidence(
            recorded=Recorded(
                sequence, key, version, kind.value_from_body(body), Source(source), observed_at
            ),
            raw=bytes(raw),
        )
        for sequence, version, source, observed_at, body, raw in reading.rows(
            sql.RAW, (reading.among(find_sequences(reading, [identity_of(stream, key)])),)
        )
    ]


def payloads(reading: Reading, tickers: Iterable[str]) -> Iterator[tuple[str, Instant, bytes]]:
    """Everything that was ever said about some markets, raw: (name, observed at, payload)."""
    among = reading.among(list(tickers))
    for stream, kind in KINDS.items():
        if "ticker" not in kind.columns:
            continue
        columns = ", ".join(kind.columns)
        named = Statement(f"SELECT {columns} FROM {kind.table} WHERE ticker {{among}} ORDER BY id")  # noqa: S608
        for row in reading.rows(named, (among,)):
            key = kind.key_of(row)
            for each in evidence(reading, stream, key):
                version = each.recorded.version
                name = f"{stream.value} {key}" + (f" version {version}" if version > 1 else "")
                yield name, each.recorded.observed_at, each.raw


def unknown_fields(reading: Reading) -> list[UnknownField]:
    """Fields that the exchange sends and trueup does not know yet."""
    return [
        UnknownField(
            stream=Stream(stream), field=field, seen=seen, first_at=first_at, last_at=last_at
        )
        for stream, field, seen, first_at, last_at in reading.rows(sql.DRIFTED)
    ]


def record_counts(reading: Reading) -> dict[Stream, int]:
    """How many records of each stream are known (not counting their versions)."""
    counts: dict[Stream, int] = {}
    for stream, kind in KINDS.items():
        where = f" WHERE stream = '{stream.value}'" if kind.names_stream else ""
        counts[stream] = reading.rows(Statement(f"SELECT count(*) FROM {kind.table}{where}"))[0][0]  # noqa: S608
    return counts
