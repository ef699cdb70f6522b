"""A folder of recorded order-book streams as Parquet, read for the sandbox.

Files are known by their columns, whatever their names: changes of levels
(``session, market, seq, ts_ms, recv_ms, yes, price_1e4, delta_1e2``), whole books
(``recv_ns, market, yes_dollars_fp, no_dollars_fp``), tickers (``recv_ns, market,
volume``), and CSV files of results (``ticker, result`` and, if known, ``close_time``).
Messages are told in the order in which they were received.
"""

from __future__ import annotations

import csv
import importlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import merge
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from trueup.core.errors import ConfigError, TrueupError
from trueup.core.grid import DECI_CENT, GRIDS, LINEAR_CENT, TAPERED_DECI_CENT, PriceGrid
from trueup.core.ids import Ticker
from trueup.core.instant import SECOND, Instant, from_milliseconds, parse_instant
from trueup.core.units import ONE_DOLLAR, Count, Price
from trueup.sim.living.mirrored_book import BookSeen, LevelSeen
from trueup.sim.living.questions import outcome_of
from trueup.sim.living.replay import MarketSeen, Recorded

_LEVELS: Final = ("market", "recv_ms", "yes", "price_1e4", "delta_1e2")
_BOOKS: Final = ("market", "recv_ns", "yes_dollars_fp", "no_dollars_fp")
_TICKERS: Final = ("market", "recv_ns", "volume")
_ROWS: Final = 65_536
_DOLLAR: Final = ONE_DOLLAR.units


@dataclass
class _Files:
    levels: list[Path] = field(default_factory=list[Path])
    books: list[Path] = field(default_factory=list[Path])
    tickers: list[Path] = field(default_factory=list[Path])
    results: list[Path] = field(default_factory=list[Path])


def is_stream_folder(folder: Path) -> bool:
    """Whether a folder holds recorded order-book streams rather than answers."""
    return folder.is_dir() and any(folder.glob("*.parquet"))


def load_recorded_books(folder: Path) -> Recorded:
    """Read what was recorded.

    Raises `ConfigError` for a folder without recorded levels, and where the
    library that reads Parquet is not installed.
    """
    files = _sort_files(folder)
    if not files.levels or not files.books:
        raise ConfigError(
            f"{folder} holds no recorded order book",
            remedy=f"It needs Parquet files with the columns {', '.join(_LEVELS)} "
            f"and {', '.join(_BOOKS)}.",
        )
    tables = _read(files)
    last, prices, first = _survey(tables)
    results = _results(files.results)
    volumes = _volumes(files.tickers)
    markets: dict[Ticker, MarketSeen] = {}
    for ticker, seen_last in last.items():
        result, closes = results.get(ticker, ("", None))
        times, counts = volumes.get(ticker, ((), ()))
        markets[ticker] = MarketSeen(
            ticker=ticker,
            closes=Instant(seen_last + SECOND) if closes is None else closes,
            outcome=_OUTCOMES.get(result),
            volume_times=times,
            volumes=counts,
        )
    return Recorded(
        start=first, grid=_grid_for(prices), markets=markets, messages=_messages(tables)
    )


_OUTCOMES: Final = {"yes": outcome_of(ONE_DOLLAR), "no": outcome_of(Price(0))}


def _arrow() -> Any:  # noqa: ANN401  # the library has no types
    try:
        importlib.import_module("pyarrow.parquet")
        return importlib.import_module("pyarrow")
    except ImportError as error:
        raise ConfigError(
            "recorded streams are Parquet files, and pyarrow is not installed",
            remedy="Install it: pip install 'trueup[archive]'",
        ) from error


def _sort_files(folder: Path) -> _Files:
    _arrow()
    parquet, files = importlib.import_module("pyarrow.parquet"), _Files()
    for path in sorted(folder.glob("*.parquet")):
        try:
            names = set(parquet.read_schema(path).names)
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path} cannot be read: {error}") from error
        for columns, kind in (
            (_LEVELS, files.levels),
            (_BOOKS, files.books),
            (_TICKERS, files.tickers),
        ):
            if names.issuperset(columns):
                kind.append(path)
                break
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            header = next(csv.reader(file), list[str]())
        if {"ticker", "result"} <= set(header):
            files.results.append(path)
    return files


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[dict[str, list[Any]]]:
    """The columns of a file, some rows at a time."""
    file = importlib.import_module("pyarrow.parquet").ParquetFile(path)
    for batch in file.iter_batches(batch_size=_ROWS, columns=list(columns)):
        yield cast("dict[str, list[Any]]", batch.to_pydict())


@dataclass(frozen=True, slots=True)
class _Tables:
    """Levels as one table in the order of receipt, and the whole books in theirs."""

    levels: Any
    books: list[BookSeen]


def _read(files: _Files) -> _Tables:
    """Recorders write one session after the other, each in order, and sessions do not overlap
    in one market: sorted by time, every market keeps its own order.
    """
    arrow = _arrow()
    parquet = importlib.import_module("pyarrow.parquet")
    parts = [parquet.read_table(path, columns=list(_LEVELS)) for path in files.levels]
    plain = [
        part.set_column(
            part.schema.get_field_index("market"), "market", part["market"].cast(arrow.string())
        )
        for part in parts
    ]
    books = sorted((one for path in files.books for one in _books(path)), key=lambda one: one.at)
    # The sort is stable: changes of one moment stay in the order of the file.
    return _Tables(arrow.concat_tables(plain).sort_by("recv_ms"), books)


def _survey(tables: _Tables) -> tuple[dict[Ticker, Instant], set[int], Instant]:
    """When each market was last heard of, every price, and when everything began."""
    last: dict[Ticker, Instant] = {}
    heard = tables.levels.group_by("market").aggregate([("recv_ms", "max")]).to_pydict()
    for market, at in zip(heard["market"], heard["recv_ms_max"], strict=True):
        last[Ticker(market)] = from_milliseconds(at)
    firsts = [from_milliseconds(at) for at in tables.levels["recv_ms"][:1].to_pylist()]
    for book in tables.books:
        last.setdefault(book.ticker, book.at)
        firsts.append(book.at)
    if not firsts:
        raise ConfigError("the recording is empty")
    prices = set(tables.levels["price_1e4"].unique().to_pylist())
    return last, prices, Instant(min(firsts) - min(firsts) % SECOND)


def _grid_for(prices: set[int]) -> PriceGrid:
    """The coarsest grid that has every recorded price."""
    wanted = [Price(units) for units in prices if 0 < units < _DOLLAR]
    for grid in (LINEAR_CENT, TAPERED_DECI_CENT, DECI_CENT):
        if all(grid.allows(price) for price in wanted):
            return grid
    return GRIDS["center_centi_edge_centi_cent"]


def _results(paths: list[Path]) -> dict[str, tuple[str, Instant | None]]:
    found: dict[str, tuple[str, Instant | None]] = {}
    for path in paths:
        with path.open(encoding="utf-8", newline="") as file:
            for number, row in enumerate(csv.DictReader(file), 2):
                closes = row.get("close_time") or ""
                try:
                    close_at = parse_instant(closes) if closes else None
                except TrueupError as error:
                    raise ConfigError(f"{path}, line {number}: {error}") from error
                found[row["ticker"]] = (row["result"].lower(), close_at)
    return found


def _volumes(paths: list[Path]) -> dict[Ticker, tuple[tuple[Instant, ...], tuple[int, ...]]]:
    """The traded contracts as tickers told them, by market, in time order."""
    told: dict[Ticker, list[tuple[Instant, int]]] = {}
    for path in paths:
        for rows in _rows(path, _TICKERS):
            for market, at, volume in zip(
                rows["market"], rows["recv_ns"], rows["volume"], strict=True
            ):
                if volume is not None:
                    units = Count.parse(str(volume)).units
                    told.setdefault(Ticker(market), []).append((Instant(at // 1_000), units))
    found: dict[Ticker, tuple[tuple[Instant, ...], tuple[int, ...]]] = {}
    for ticker, rows in told.items():
        rows.sort()
        found[ticker] = (tuple(at for at, _ in rows), tuple(volume for _, volume in rows))
    return found


def _messages(tables: _Tables) -> Iterator[BookSeen | LevelSeen]:
    """Everything in the order of receipt; a whole book comes before changes of its moment."""
    return merge(tables.books, _levels(tables.levels), key=lambda one: one.at)


def _books(path: Path) -> Iterator[BookSeen]:
    for rows in _rows(path, _BOOKS):
        for market, at, yes, no in zip(
            rows["market"],
            rows["recv_ns"],
            rows["yes_dollars_fp"],
            rows["no_dollars_fp"],
            strict=True,
        ):
            bids = dict(_ladder(yes))
            asks = {_DOLLAR - price: count for price, count in _ladder(no)}
            yield BookSeen(Instant(at // 1_000), Ticker(market), bids, asks)


def _ladder(text: str) -> Iterator[tuple[int, int]]:
    for price, count in msgspec.json.decode(text or "[]", type=list[tuple[str, str]]):
        yield Price.parse(price).units, Count.parse(count).units


def _levels(table: Any) -> Iterator[LevelSeen]:  # noqa: ANN401  # the library has no types
    for batch in table.to_batches(max_chunksize=_ROWS):
        rows = batch.to_pydict()
        for market, at, yes, price, change in zip(
            *(rows[column] for column in _LEVELS), strict=True
        ):
            yield LevelSeen(
                from_milliseconds(at),
                Ticker(market),
                yes,
                price if yes else _DOLLAR - price,
                change,
            )
