"""Public trades out of other people's files, whatever they call their columns.

A file tells by its columns what it has, the exchange's own names first (`_NAMES`).
``yes_price_dollars`` is dollars; of ``yes_price`` and ``price`` the values tell: a
price above 1 can only be cents, and then they all are; otherwise one between 0 and 1
can only be dollars.  Where there is nothing but 0 and 1, ``yes_price`` is the
exchange's old field in cents, and ``price`` is refused.  A ``price`` is taken for
that of YES, and a note says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeVar

from trueup.core.errors import ConfigError, TrueupError
from trueup.core.ids import Ticker, TradeId
from trueup.core.instant import Instant
from trueup.core.units import Count, Price
from trueup.run.archive.tape_values import (
    decimal,
    in_microseconds,
    is_table,
    moment_of,
    one_of,
    read_rows,
)
from trueup.sim.living.mirrored_book import TradeSeen
from trueup.store.archive import arrow, read_table

T = TypeVar("T")

_ROWS: Final = 1 << 16
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "ticker": ("ticker", "market_ticker"),
    "time": ("ts", "created_time", "exchange_timestamp", "timestamp"),
    "count": ("count_fp", "count", "quantity"),
    "price": ("yes_price_dollars", "yes_price", "price"),
    "taker": ("taker_yes", "taker_outcome_side", "taker_side", "taker_book_side", "direction"),
}
_OPTIONAL: Final = ("trade_id", "is_block_trade")
_TAKERS: Final = {
    **dict.fromkeys(("yes", "bid", "true", "1", "yes_taker"), True),
    **dict.fromkeys(("no", "ask", "false", "0", "no_taker"), False),
}
_TRUE: Final = frozenset({"true", "1"})


@dataclass(slots=True)
class TradesRead:
    """The trades of a file in its order, and what must be said about them."""

    trades: list[TradeSeen] = field(default_factory=list[TradeSeen])
    notes: list[str] = field(default_factory=list[str])


def _every(_: Ticker) -> bool:
    return True


def read_trades(path: Path, takes: Callable[[Ticker], bool] = _every) -> TradesRead:
    """The trades of a file in the markets that are taken.

    Raises `ConfigError` naming the file and the column or the value.

    Left out with a note: trades off the book, trades that are there already (by their id),
    those of no contract, and those that do not say who took.
    """
    table = _Table.of(path)
    names = {what: one_of(path, table.names, *wanted) for what, wanted in _NAMES.items()}
    price, notes = _prices(path, names["price"], table.values(names["price"]))
    known = _Known(
        price=price,
        count=_each(path, names["count"], table.values(names["count"]), _count),
        taker=_each(path, names["taker"], table.values(names["taker"]), _taker),
    )
    read = TradesRead(notes=notes)
    seen: set[str] = set()
    left_out: Counter[str] = Counter()
    for number, row in enumerate(table.rows(names), 1):
        ticker, at, count, told, taker, trade_id, is_block = row
        if not takes(ticker):
            continue
        # A double that is no number equals nothing, not even itself.
        is_bid, contracts = known.taker.get(taker), known.count.get(count, 0)
        if is_block and str(is_block).lower() in _TRUE:
            left_out["were agreed off the book"] += 1
        elif trade_id and trade_id in seen:
            left_out["are there already"] += 1
        elif not contracts:
            left_out["are of no contract"] += 1
        elif is_bid is None:
            left_out["do not say who took"] += 1
        else:
            name = f"{path.stem}-{number}"
            if trade_id:
                seen.add(trade_id)
                name = str(trade_id)
            read.trades.append(
                TradeSeen(at, Ticker(ticker), TradeId(name), known.price[told], contracts, is_bid)
            )
    read.notes += [
        f"{number:,} trades of {path.name} {reason}: left out"
        for reason, number in left_out.items()
    ]
    return read


@dataclass(frozen=True, slots=True)
class _Known:
    """What every value of a column means, read once for each that occurs."""

    price: Mapping[object, int]
    count: Mapping[object, int]
    taker: Mapping[object, bool | None]


def _each(
    path: Path, column: str, values: Iterable[object], read: Callable[[object], T]
) -> dict[object, T]:
    found: dict[object, T] = {}
    for value in values:
        try:
            found[value] = read(value)
        except (TrueupError, ArithmeticError) as error:
            raise ConfigError(f"{path}, column {column}: {error}") from error
    return found


def _count(value: object) -> int:
    text = decimal(value)
    return 0 if text is None else Count.parse(text).units


def _taker(value: object) -> bool | None:
    word = str(value).strip().lower()
    if value is None or word in {"", "nan"}:
        return None
    if word not in _TAKERS:
        raise ConfigError(f"{value!r} does not say whether YES or NO was taken")
    return _TAKERS[word]


def _prices(
    path: Path, column: str, values: Iterable[object]
) -> tuple[dict[object, int], list[str]]:
    """The YES price units of every value of a column, and what must be said about it."""
    figures = _each(path, column, values, _figure)
    in_cents = _is_cents(path, column, figures.values())
    scale = Decimal("0.01") if in_cents else Decimal(1)

    def units(value: object) -> int:
        return Price.parse(format(figures[value] * scale, "f")).units

    notes: list[str] = []
    if column == "price":
        unit = "cents" if in_cents else "dollars"
        notes.append(f"{path.name} says price: taken for the price of YES, in {unit}")
    return _each(path, column, figures, units), notes


def _figure(value: object) -> Decimal:
    text = decimal(value)
    if text is None:
        raise ConfigError("a trade has no price")
    return Decimal(text)


def _is_cents(path: Path, column: str, figures: Iterable[Decimal]) -> bool:
    if column.endswith("_dollars"):
        return False
    told = list(figures)
    if any(each > 1 for each in told):
        return True
    if any(0 < each < 1 for each in told):
        return False
    if column == "price":
        raise ConfigError(
            f"{path}, column price: nothing but 0 and 1, which may be cents or dollars",
            remedy="Name it yes_price for cents, or yes_price_dollars.",
        )
    return True


@dataclass(frozen=True, slots=True)
class _Table:
    """A file by columns: of Parquet as its library has it, of everything else as rows."""

    names: frozenset[str]
    parquet: Any = None
    plain: Sequence[Mapping[str, Any]] = ()

    @classmethod
    def of(cls, path: Path) -> _Table:
        """Open a file by its ending."""
        if is_table(path):
            table = in_microseconds(read_table(path))
            return cls(frozenset(table.column_names), parquet=table)
        rows = read_rows(path)
        return cls(frozenset(name for row in rows[:1] for name in row), plain=rows)

    def values(self, column: str) -> Iterable[object]:
        """Every value that occurs in a column, once."""
        if self.parquet is not None:
            return self.parquet[column].unique().to_pylist()
        return dict.fromkeys(row.get(column) for row in self.plain)

    def rows(self, names: Mapping[str, str]) -> Iterator[tuple[Any, ...]]:
        """Ticker, time, count, price, taker, id and whether off the book, as they stand there."""
        wanted = [names[what] for what in ("ticker", "time", "count", "price", "taker")]
        wanted += [name if name in self.names else "" for name in _OPTIONAL]
        if self.parquet is None:
            for row in self.plain:
                told = [row.get(name) for name in wanted]
                yield (told[0], moment_of(told[1]), *told[2:])
            return
        for batch in self.parquet.to_batches(max_chunksize=_ROWS):
            columns: list[list[Any]] = [
                batch[name].to_pylist() if name else [None] * batch.num_rows for name in wanted
            ]
            columns[1] = _times(batch[wanted[1]])
            yield from zip(*columns, strict=True)


def _times(column: Any) -> list[Instant]:  # noqa: ANN401  # the library has no types
    """Times as microseconds; a time without a zone is UTC."""
    pa = arrow()
    if pa.types.is_timestamp(column.type):
        # Twice as quick as by way of Python's own times.
        micros = column.cast(pa.timestamp("us", tz=column.type.tz)).cast(pa.int64()).to_pylist()
        return [moment_of(None) if each is None else Instant(each) for each in micros]
    return [moment_of(each) for each in column.to_pylist()]
