"""How each kind of record is named, stored and read back.

One table (`KINDS`) says for every stream: which typed table it fills, what its
identity is, and what a second, different report of the same record means:

- `FACT`: all versions count and are booked; content seen before changes nothing,
  unless the source that told the newest version itself goes back to it;
- `STATE`: a claim about now: the latest observation is the row;
- `MERGED`: an order: reports are merged (`trueup.store.merging`);
- `ONCE`: its identity is its content (a balance reading).

The *body* in the journal is the row's fields by name as JSON, so the typed
tables can be made again from the journal alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import Enum
from hashlib import blake2b
from struct import Struct
from typing import Any, Final

import msgspec

from trueup.core.errors import InvariantBroken
from trueup.core.facts import (
    Banked,
    Fact,
    Filled,
    Opened,
    OrderReported,
    Settled,
    Stream,
    Transferred,
)
from trueup.core.settlement import SettlementPageReported, SettlementReported
from trueup.core.statements import BalanceStated, MarketStated, PositionStated, Statement
from trueup.store import rows
from trueup.store.driver import AnyRow

Version = tuple[int, int, int, str, int, AnyRow, AnyRow | None]
"""One version of one record on its way into the typed tables:

the journal sequences of the record's first version and of this one, the number
of this version, its source, when it was observed, its row, and the row of the
version before it (`None` for the first).  A plain tuple: there are very many.
"""

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode


_as_number: Final = Struct("<q").unpack
_STREAM_WORDS: Final = {stream: stream.value for stream in Stream}


OWNER_COLUMNS: Final = ("book", "subaccount", "paid", "fee", "doubt")
"""What stands before a settlement report: whose it is and what it counts, as configured."""


class Rule(Enum):
    """What another content under a known identity means; see the head of this file."""

    FACT = "fact"
    STATE = "state"
    MERGED = "merged"
    ONCE = "once"


@dataclass(frozen=True, slots=True)
class RecordKind:
    """How one kind of record is stored.

    `fields` are the body's names in the order of the row; `columns` the typed
    table's names for them.  `place` tells (subaccount, ticker) of a row that
    belongs to a market of the books, `None` for all others.
    """

    value_type: type[Fact | Statement]
    table: str
    rule: Rule
    fields: tuple[str, ...]
    row_of: Callable[[Any], AnyRow]
    value_of: Callable[[AnyRow], Any]
    key_of: Callable[[AnyRow], str]
    occurred: int
    """The place in the row of the exchange's own time."""
    identity: tuple[str, ...] = ("id",)
    renamed: tuple[tuple[str, str], ...] = ()
    place: tuple[int, int] | None = None
    names_stream: bool = False
    """Two streams share the table: it has a column `stream`."""
    status: int | None = None
    """The place in the row of a life of its own: another status is no revision."""
    moves_cash: bool = False
    """Booked by itself, not as part of a market."""
    told_once: tuple[int, ...] = ()
    """The places in the row of what the first telling settles: when and how it was told."""
    by_party: bool = False
    """The configured parties say of which subaccount a row is: its book stands before it."""

    @property
    def owner(self) -> int | None:
        """The place in the row of the subaccount; its shard and no more comes after it."""
        return None if self.place is None else self.place[0]

    @property
    def columns(self) -> tuple[str, ...]:
        """The typed table's names of the fields."""
        names = dict(self.renamed)
        return tuple(names.get(name, name) for name in self.fields)

    @property
    def table_columns(self) -> tuple[str, ...]:
        """All columns of the typed table, in the order in which rows are written."""
        return (
            *(("book",) if self.place else ()),
            *(OWNER_COLUMNS if self.by_party else ()),
            *("id", "sequence", "version", "source", "observed_at"),
            *(("stream",) if self.names_stream else ()),
            *self.columns,
        )

    def body(self, row: AnyRow) -> bytes:
        """The canonical JSON of a row."""
        return _encode(_STRUCTS[self.value_type](*row))

    def row_from_body(self, body: str | bytes) -> AnyRow:
        """The row of a journalled body."""
        decoded = _decode(body)
        return tuple([decoded.get(name) for name in self.fields])

    def value_from_body(self, body: str | bytes) -> Any:  # noqa: ANN401  # a Fact or Statement by kind
        """The value of a journalled body."""
        return self.value_of(self.row_from_body(body))


def identity_of(stream: Stream, key: str) -> int:
    """What the journal's index knows a record by: 64 bits, as a signed integer.

    Keys are long and random; an index of them would be most of the journal's cost.
    """
    name = f"{_STREAM_WORDS[stream]}/{key}".encode()
    return _as_number(blake2b(name, digest_size=8).digest())[0]


def hash_of(body: bytes) -> bytes:
    """The 16 bytes that tell two contents apart."""
    return blake2b(body, digest_size=16).digest()


def kind_of(stream: Stream) -> RecordKind:
    """How the records of a stream are stored."""
    return KINDS[stream]


def checked_kind(stream: Stream, value: Fact | Statement) -> RecordKind:
    """The kind of a stream, sure that `value` belongs on it."""
    kind = KINDS[stream]
    if value.__class__ is not kind.value_type:
        raise InvariantBroken(f"{type(value).__name__} does not belong on the stream {stream}")
    return kind


def _names(value_type: type[Fact | Statement]) -> tuple[str, ...]:
    """The fields that are stored: not those that only say how good another one is."""
    return tuple(each.name for each in fields(value_type) if each.compare)


_BANKING: Final = RecordKind(
    Banked,
    "banking",
    Rule.FACT,
    _names(Banked),
    rows.banked_row,
    rows.banked,
    key_of=lambda r: r[0],
    occurred=6,
    status=3,
    names_stream=True,
    moves_cash=True,
)


_TRANSFERS: Final = RecordKind(
    Transferred,
    "transfers",
    Rule.FACT,
    _names(Transferred),
    rows.transferred_row,
    rows.transferred,
    key_of=lambda r: r[0],
    occurred=7,
    status=6,
    names_stream=True,
    moves_cash=True,
)


KINDS: Final[dict[Stream, RecordKind]] = {
    Stream.FILLS: RecordKind(
        Filled,
        "fills",
        Rule.FACT,
        _names(Filled),
        rows.filled_row,
        rows.filled,
        key_of=lambda r: f"{r[0]}/{r[1]}",
        occurred=8,
        place=(9, 2),
    ),
    Stream.SETTLEMENTS: RecordKind(
        Settled,
        "settlements",
        Rule.FACT,
        _names(Settled),
        rows.settled_row,
        rows.settled,
        # The generation, always 0 today: the exchange pays a market once.
        key_of=lambda r: f"{r[11]}/{r[0]}/0",
        occurred=10,
        place=(11, 0),
    ),
    Stream.ORDERS: RecordKind(
        OrderReported,
        "orders",
        Rule.MERGED,
        _names(OrderReported),
        rows.order_row,
        rows.order,
        key_of=lambda r: r[0],
        occurred=14,
        identity=("order_id",),
    ),
    Stream.DEPOSITS: _BANKING,
    Stream.WITHDRAWALS: _BANKING,
    Stream.TRANSFERS: _TRANSFERS,
    Stream.SHARD_TRANSFERS: _TRANSFERS,
    Stream.BALANCES: RecordKind(
        BalanceStated,
        "balances",
        Rule.ONCE,
        _names(BalanceStated),
        rows.balance_row,
        rows.balance,
        key_of=lambda r: f"{r[5]}/{_or_all(r[3])}/{_or_all(r[4])}/{r[0]}/{r[1]}/{r[6]}",
        occurred=5,
        renamed=(("observed_at", "read_at"),),
    ),
    Stream.POSITIONS: RecordKind(
        PositionStated,
        "position_statements",
        Rule.STATE,
        _names(PositionStated),
        rows.position_row,
        rows.position,
        key_of=lambda r: f"{r[7]}/{r[0]}",
        occurred=6,
        identity=("ticker", "subaccount"),
    ),
    Stream.MARKETS: RecordKind(
        MarketStated,
        "markets",
        Rule.STATE,
        _names(MarketStated),
        rows.market_row,
        rows.market,
        key_of=lambda r: r[0],
        occurred=6,
        identity=("ticker",),
    ),
    Stream.OPENING: RecordKind(
        Opened,
        "openings",
        Rule.FACT,
        _names(Opened),
        rows.opened_row,
        rows.opened,
        key_of=lambda r: f"{r[2]}/{r[3]}",
        occurred=1,
        moves_cash=True,
    ),
    Stream.SETTLEMENT_PAGES: RecordKind(
        SettlementPageReported,
        "settlement_pages",
        Rule.FACT,
        (
            *("session", "ticker", "clearing_date", "report_id", "announced", "is_last"),
            *("result", "value", "parties", "at", "is_resent"),
        ),
        rows.settlement_page_row,
        rows.settlement_page,
        key_of=lambda r: f"{r[0]}/{r[2]}/{r[1]}/{r[3]}",
        occurred=9,
        told_once=(9, 10),
    ),
    Stream.SETTLEMENT_REPORTS: RecordKind(
        SettlementReported,
        "settlement_reports",
        Rule.FACT,
        (
            *("clearing_date", "ticker", "party", "result", "value", "long", "short"),
            *("payout", "fees", "at"),
        ),
        rows.settlement_report_row,
        rows.settlement_report,
        key_of=lambda r: f"{r[0]}/{r[1]}/{r[2]}",
        occurred=9,
        told_once=(9,),
        by_party=True,
    ),
}
"""Every stream that the journal keeps."""

_STRUCTS: Final[dict[type, Callable[..., msgspec.Struct]]] = {
    kind.value_type: msgspec.defstruct(
        f"{kind.value_type.__name__}Body", [(name, object) for name in kind.fields]
    )
    for kind in KINDS.values()
}
"""The fastest way to JSON with names."""


def _or_all(number: int | None) -> str:
    return "all" if number is None else str(number)
