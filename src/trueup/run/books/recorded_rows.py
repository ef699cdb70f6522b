"""The lines of a recording as values: which file holds what, and how a line is read.

The rows are the exchange's own and are read by the wire's decoders.  Added to
them may be `EXTRA_FIELDS`, which only the recorder can know.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from trueup.core.catalog import Event, FeeChange, Market, Quote, Series
from trueup.core.errors import ProtocolBroken
from trueup.core.facts import Fact, Stream
from trueup.core.ids import PRIMARY, EventTicker, Shard, Subaccount, Ticker
from trueup.core.instant import Instant, format_instant, to_seconds_floor
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.statements import MarketStated, PositionStated, Statement
from trueup.wire import values
from trueup.wire.rest.reading import BROKEN_JSON, RecordDecoder
from trueup.wire.rest.rows import balances, cash, catalog, fills, markets, orders, positions
from trueup.wire.rest.rows import settlements as settlement_rows
from trueup.wire.values import Number

T_co = TypeVar("T_co", covariant=True)

EXTRA_FIELDS: Final = frozenset({"observed_at", "subaccount_number", "exchange_index"})
"""What a line may say in addition to the exchange's own fields."""

_NUL: Final = rb"\u0000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remarks:
    """What the recorder noted on a line: when it was seen, whose it is, of which shard."""

    observed_at: Instant | None
    subaccount: Subaccount
    shard: Shard | None


class _RemarksRecord(msgspec.Struct, gc=False):
    observed_at: str | None = None
    subaccount_number: int | None = None
    exchange_index: int | None = None


_decode_remarks: Final = msgspec.json.Decoder(_RemarksRecord)


def read_remarks(raw: bytes) -> Remarks:
    """The recorder's own fields of a line.  Raises what an unreadable row raises."""
    if b"\\" in raw and _NUL in raw:
        raise ProtocolBroken("the record holds the character NUL, which no database column takes")
    row = _decode_remarks.decode(raw)
    return Remarks(
        observed_at=values.optional_instant(row.observed_at),
        subaccount=PRIMARY if row.subaccount_number is None else Subaccount(row.subaccount_number),
        shard=None if row.exchange_index is None else Shard(row.exchange_index),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one line says for the journal, and when it was seen (`None`: nobody noted it)."""

    values: Sequence[Fact | Statement]
    seen_at: Instant | None


@dataclass(frozen=True, slots=True)
class JournalFile:
    """A file whose lines go into the journal.

    `known` are the field names that the decoder knows.
    """

    stream: Stream
    read: Callable[[bytes, Remarks], Told]
    known: frozenset[str]


def _fact(read: Callable[[bytes, Subaccount], Fact]) -> Callable[[bytes, Remarks], Told]:
    return lambda raw, remarks: Told(
        values=(read(raw, remarks.subaccount),), seen_at=remarks.observed_at
    )


def _cash_fact(read: Callable[[bytes], Fact]) -> Callable[[bytes, Remarks], Told]:
    return lambda raw, remarks: Told(values=(read(raw),), seen_at=remarks.observed_at)


_decode_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode: Final = msgspec.json.Encoder().encode
_UNSAID: Final = frozenset({b"null", b'""', b'"0001-01-01T00:00:00Z"'})


def _dated(raw: bytes, name: str, time: int | str | None) -> bytes:
    """A row with its `time`, where it does not say its own: older ones did not.

    Raises `ProtocolBroken` where nobody noted one either.
    """
    row = _decode_fields.decode(raw)
    if bytes(row.get(name, b"null")) not in _UNSAID:
        return raw
    if time is None:
        raise ProtocolBroken(f"the row has no {name}: say in observed_at when it was seen")
    return _encode({**row, name: time})


def _position(raw: bytes, remarks: Remarks) -> Told:
    """A position; unless somebody noted when it was seen, it is from its last update."""
    seen_at = remarks.observed_at
    raw = _dated(raw, "last_updated_ts", None if seen_at is None else format_instant(seen_at))
    stated: PositionStated = positions.read_position(raw, remarks.subaccount)
    return Told(values=(stated,), seen_at=remarks.observed_at or stated.updated_at)


def _balance(raw: bytes, remarks: Remarks) -> Told:
    """The body of ``GET /portfolio/balance``: the total, and each shard of the breakdown."""
    noted = remarks.observed_at
    raw = _dated(raw, "updated_ts", None if noted is None else to_seconds_floor(noted))
    balance = balances.read_balance(raw, remarks.shard)
    seen_at = remarks.observed_at or balance.at
    return Told(values=balance.statements(seen_at, remarks.subaccount), seen_at=seen_at)


def _subaccount_balance(raw: bytes, remarks: Remarks) -> Told:
    balance = balances.read_subaccount_balance(raw)
    seen_at = remarks.observed_at or balance.at
    return Told(values=(balance.statement(seen_at),), seen_at=seen_at)


_FILLS: Final = JournalFile(Stream.FILLS, _fact(fills.read_fill), fills.KNOWN)
_ORDERS: Final = JournalFile(Stream.ORDERS, _fact(orders.read_order), orders.KNOWN)
_POSITIONS: Final = JournalFile(Stream.POSITIONS, _position, positions.KNOWN)

JOURNAL_FILES: Final[dict[str, JournalFile]] = {
    "fills": _FILLS,
    "historical_fills": _FILLS,
    "orders": _ORDERS,
    "historical_orders": _ORDERS,
    "settlements": JournalFile(
        Stream.SETTLEMENTS, _fact(settlement_rows.read_settlement), settlement_rows.KNOWN
    ),
    "deposits": JournalFile(Stream.DEPOSITS, _cash_fact(cash.read_deposit), cash.KNOWN_BANKING),
    "withdrawals": JournalFile(
        Stream.WITHDRAWALS, _cash_fact(cash.read_withdrawal), cash.KNOWN_BANKING
    ),
    "subaccount_transfers": JournalFile(
        Stream.TRANSFERS, _cash_fact(cash.read_subaccount_transfer), cash.KNOWN_SUBACCOUNT_TRANSFER
    ),
    "shard_transfers": JournalFile(
        Stream.SHARD_TRANSFERS, _cash_fact(cash.read_shard_transfer), cash.KNOWN_SHARD_TRANSFER
    ),
    "positions": _POSITIONS,
    "historical_positions": _POSITIONS,
    "balances": JournalFile(Stream.BALANCES, _balance, balances.KNOWN),
    "subaccount_balances": JournalFile(
        Stream.BALANCES, _subaccount_balance, balances.KNOWN_SUBACCOUNT
    ),
}
"""The facts and statements of the account, in the order in which they are imported:
balances come last, so that what moved them is already there."""

MARKET_FILES: Final = ("markets", "historical_markets")
"""Statements about markets, and their place in the catalog."""


@dataclass(frozen=True, slots=True)
class RecordedMarket:
    """A market as recorded.  Thin records tell only `stated`, and `market` if they name
    the event.
    """

    stated: MarketStated
    market: Market | None
    quote: Quote | None


_THIN_FIELDS: Final = frozenset(
    """
    ticker event_ticker title status result open_time close_time settlement_ts
    settlement_value_dollars
    """.split()  # noqa: SIM905  # one word after another reads better
)


_COUNTS: Final = ("volume", "volume_24h", "open_interest")


class _ThinRecord(msgspec.Struct, gc=False):
    ticker: str
    status: str
    event_ticker: str | None = None
    title: str | None = None
    result: str | None = None
    open_time: str | None = None
    close_time: str | None = None
    settlement_ts: str | None = None
    settlement_value_dollars: Number | None = None
    settlement_value: Number | None = None
    exchange_index: int | None = None


_decode_thin: Final = RecordDecoder(_ThinRecord)
_STATUSES: Final = {
    **{status.value: status for status in MarketStatus},
    "unopened": MarketStatus.INITIALIZED,
    "open": MarketStatus.ACTIVE,
    "settled": MarketStatus.FINALIZED,
}
"""Published lists also use the words of the listing's filter."""

_RESULTS: Final = {result.value: result for result in MarketResult}


def read_recorded_market(raw: bytes) -> RecordedMarket:
    """A market, whole as the API gave it, or a thin record of how it ended.

    A record is thin when it has nothing but its names, its times, its status and
    its result (published lists of results are like that), or when it lacks one of its
    counts, without which it makes no quote.  What is missing is not known; an event
    ticker that is missing is empty.
    """
    try:
        names = msgspec.json.decode(raw, type=dict[str, msgspec.Raw]).keys()
    except BROKEN_JSON as error:
        raise ProtocolBroken(f"a market that is no JSON object: {error}") from error
    if names - EXTRA_FIELDS <= _THIN_FIELDS or any(
        names.isdisjoint({name, f"{name}_fp"}) for name in _COUNTS
    ):
        return _read_thin(raw)
    detail = markets.read_market(raw)
    return RecordedMarket(detail.stated, detail.market, detail.quote)


def _read_thin(raw: bytes) -> RecordedMarket:
    row = _decode_thin(raw)
    value, cents = row.settlement_value_dollars, row.settlement_value
    paid = None if cents is None else values.price_of_cents(cents)
    event_ticker = EventTicker(row.event_ticker or "")
    close_at = values.optional_instant(row.close_time)
    shard = Shard(row.exchange_index or 0)
    stated = MarketStated(
        ticker=Ticker(row.ticker),
        event_ticker=event_ticker,
        status=values.word(_STATUSES, row.status, "status"),
        result=values.word(_RESULTS, row.result, "result") if row.result else None,
        settlement_value=paid if value is None or value == "" else values.price(value),
        close_at=close_at,
        settled_at=values.optional_instant(row.settlement_ts),
        shard=shard,
    )
    if not event_ticker:
        return RecordedMarket(stated, None, None)
    market = Market(
        ticker=stated.ticker,
        event_ticker=event_ticker,
        title=row.title or "",
        open_at=values.optional_instant(row.open_time),
        close_at=close_at,
        expected_expiration_at=None,
        fee_waiver_until=None,
        shard=shard,
    )
    return RecordedMarket(stated, market, None)


CATALOG_READERS: Final[dict[str, Callable[[bytes], Series | Event | FeeChange]]] = {
    "series": catalog.read_series,
    "events": catalog.read_event,
    "series_fee_changes": catalog.read_series_fee_change,
    "event_fee_changes": catalog.read_event_fee_change,
}
"""Files that describe and are not journalled."""
